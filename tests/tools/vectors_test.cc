#include "tools/vectors.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/map_resolver.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> VectorFiles(const std::filesystem::path& directory) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (absl::EndsWith(entry.path().string(), ".jsonl.gz")) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The whole set: FIRN_VECTORS_DIR, or beside the sources.
std::vector<std::string> WholeSet() {
  if (const char* const directory = std::getenv("FIRN_VECTORS_DIR"); directory != nullptr) {
    const std::filesystem::path inside = std::filesystem::path(directory) / "avl";
    return VectorFiles(std::filesystem::exists(inside) ? inside : directory);
  }
  return VectorFiles(std::filesystem::path(SourceRoot()) / "../shared/vectors/avl");
}

// A tree whose every node is forgotten after each batch, and loaded again by its label.
class ReopenedVectorTree final : public VectorTree {
 public:
  explicit ReopenedVectorTree(const TreeParameters& parameters)
      : parameters_(parameters), resolver_(parameters) {
    const ChildRef empty = EmptyTree(parameters);
    resolver_.Store(empty);
    versions_.push_back({empty.Unresolved(), 0});
    Open(versions_.back());
  }
  absl::StatusOr<OldValue> Apply(const Operation& operation) override {
    return prover_->Apply(operation);
  }
  absl::StatusOr<Digest> digest() override { return prover_->digest(); }
  absl::StatusOr<Difference> BatchDifference() override {
    Difference difference;
    const BatchChanges changes = prover_->Changes();
    for (const ChildRef& child : changes.gone) difference.gone.push_back(child.label());
    for (const ChildRef& child : changes.added) difference.added.push_back(child.label());
    return difference;
  }
  absl::StatusOr<std::vector<uint8_t>> EndBatch() override {
    resolver_.Store(prover_->root());
    versions_.push_back({prover_->root().Unresolved(), prover_->height()});
    std::vector<uint8_t> proof = prover_->GenerateProof();
    Open(versions_.back());
    return proof;
  }
  absl::Status Rollback(size_t batches) override {
    Open(versions_.at(batches));
    return absl::OkStatus();
  }
  absl::StatusOr<Nodes> nodes() override {
    return Nodes{.tree = {prover_->root(), prover_->height()}, .resolver = &resolver_};
  }

 private:
  void Open(const AvlTree& version) {
    prover_ = std::make_unique<Prover>(parameters_, version.root,
                                       static_cast<uint8_t>(version.height), &resolver_);
  }
  const TreeParameters parameters_;
  MapResolver resolver_;
  std::vector<AvlTree> versions_;
  std::unique_ptr<Prover> prover_;
};

void ExpectAllPass(const std::vector<std::string>& files, const VectorOptions& options) {
  for (const std::string& file : files) {
    const auto counts = ReplayVectors(file, options, {});
    ASSERT_THAT(counts, IsOk()) << file;
    EXPECT_GT(counts->passed, 0u) << file;
    EXPECT_EQ(counts->failed, 0u) << file;
    for (const std::string& failure : counts->failures) ADD_FAILURE() << failure;
  }
}

VectorOptions Reopening() {
  return {.make_tree =
              [](const TreeParameters& parameters) -> absl::StatusOr<std::unique_ptr<VectorTree>> {
    return std::make_unique<ReopenedVectorTree>(parameters);
  }};
}

TEST(VectorsTest, TheSelectionPassesInMemoryWithAllInvariants) {
  const std::vector<std::string> files =
      VectorFiles(std::filesystem::path(SourceRoot()) / "tests/golden/avl");
  ASSERT_EQ(files.size(), 20u);
  ExpectAllPass(files, {.check_invariants = true});
}

TEST(VectorsTest, TheSelectionPassesOnTreesReopenedAfterEveryBatch) {
  ExpectAllPass(VectorFiles(std::filesystem::path(SourceRoot()) / "tests/golden/avl"), Reopening());
}

TEST(VectorsTest, TheWholeSetPasses) {
  std::vector<std::string> files = WholeSet();
  if (files.empty()) GTEST_SKIP() << "no vectors in FIRN_VECTORS_DIR or ../shared/vectors/avl";
  // The trees of a million keys take a minute: `firn vectors` replays them, or this test when asked.
  if (std::getenv("FIRN_VECTORS_SCALE") == nullptr) {
    std::erase_if(files,
                  [](const std::string& file) { return absl::StrContains(file, "21_scale"); });
  }
  ExpectAllPass(files, {});
}

TEST(VectorsTest, TheWholeSetPassesOnTreesReopenedAfterEveryBatch) {
  std::vector<std::string> files = WholeSet();
  if (files.empty()) GTEST_SKIP() << "no vectors in FIRN_VECTORS_DIR or ../shared/vectors/avl";
  std::erase_if(files, [](const std::string& file) { return absl::StrContains(file, "21_scale"); });
  ExpectAllPass(files, Reopening());
}

class VectorFileTest : public ::testing::Test {
 protected:
  VectorFileTest() : path_(absl::StrCat(::testing::TempDir(), "/vectors_", ::getpid())) {}
  ~VectorFileTest() override { std::filesystem::remove(path_); }
  absl::StatusOr<VectorCounts> Replay(const std::string& text) {
    std::ofstream(path_, std::ios::trunc) << text;
    return ReplayVectors(path_, {}, {});
  }
  const std::string path_;
};

constexpr char kCase[] =
    R"({"type":"case","name":"x","key_length":1,"value_length":null,)"
    R"("digest":"931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900"})";

std::string InsertBatch(absl::string_view proof, absl::string_view result) {
  return absl::StrCat(
      R"({"type":"batch","i":0,)"
      R"("start":"931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900",)"
      R"("ops":[{"op":"lookup","key":"20","res":{"ok":)",
      result,
      R"(},)"
      R"("dig":"931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900"}],"proof":")",
      proof,
      R"(","end":"931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900",)"
      R"("n_ok":1,"n_del":0,"size":0,"verified":true})");
}

TEST_F(VectorFileTest, CountsWhatPasses) {
  ASSERT_OK_AND_ASSIGN(const VectorCounts counts,
                       Replay(absl::StrCat(kCase, "\n", InsertBatch("0200ff0000000004", "null"))));
  EXPECT_EQ(counts.passed, 2u);
  EXPECT_EQ(counts.failed, 0u);
  EXPECT_EQ(counts.operations, 1u);
}

TEST_F(VectorFileTest, AWrongProofOrResultFailsWithItsLine) {
  ASSERT_OK_AND_ASSIGN(VectorCounts counts,
                       Replay(absl::StrCat(kCase, "\n", InsertBatch("0200ff0000000005", "null"))));
  EXPECT_EQ(counts.failed, 1u);
  ASSERT_EQ(counts.failures.size(), 1u);
  EXPECT_THAT(counts.failures[0], HasSubstr(":2: proof: expected 0200ff0000000005"));
  ASSERT_OK_AND_ASSIGN(
      counts, Replay(absl::StrCat(kCase, "\n", InsertBatch("0200ff0000000004", "\"aa\""))));
  EXPECT_EQ(counts.failed, 1u);
}

TEST_F(VectorFileTest, WhatIsNoVectorIsAnErrorWithItsLine) {
  for (const char* const text : {"{", "[]", "{\"type\":\"batch\"}", "{\"type\":\"riddle\"}",
                                 "{\"type\":\"case\",\"key_length\":\"one\"}", "garbage"}) {
    EXPECT_THAT(Replay(text), HasReason(ErrorReason::kSerialization)) << text;
    EXPECT_THAT(std::string(Replay(text).status().message()), HasSubstr(":1: ")) << text;
  }
}

TEST_F(VectorFileTest, MissingNodesAreAFailure) {
  const std::string node =
      R"({"type":"node","kind":"leaf","depth":0,"key":"00","val":"","next":"ff",)"
      R"("label":"931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc459",)"
      R"("packed":"010000000000ff"})";
  ASSERT_OK_AND_ASSIGN(VectorCounts counts, Replay(absl::StrCat(kCase, "\n", node)));
  EXPECT_EQ(counts.failed, 0u);
  ASSERT_OK_AND_ASSIGN(counts, Replay(absl::StrCat(kCase, "\n", node, "\n", node)));
  EXPECT_EQ(counts.failed, 1u);
}

}  // namespace
}  // namespace firn
