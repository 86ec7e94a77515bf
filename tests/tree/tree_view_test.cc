#include "tree/tree_view.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries Scanned(const TreeView& view, absl::string_view begin, absl::string_view limit) {
  Entries entries;
  EXPECT_OK(view.Scan(begin, limit, [&entries](absl::string_view key, absl::string_view value) {
    entries.emplace_back(key, value);
    return true;
  }));
  return entries;
}

class TreeViewTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 1; i <= 20; ++i) {
      ASSERT_OK(fixture_.tree().Apply(Operation::Insert(SmallKey(i), std::to_string(i))));
    }
    ASSERT_OK(fixture_.tree().Commit({}));
    ASSERT_OK(fixture_.tree().MakeCheckpoint());
  }
  // From the records, and from the nodes.
  std::vector<std::shared_ptr<const TreeView>> Views() {
    return {fixture_.tree().view(), fixture_.tree().ViewAtCheckpoint(1).value()};
  }

  TreeFixture fixture_;
};

TEST_F(TreeViewTest, ScansTheSameFromRecordsAndFromNodes) {
  for (const auto& view : Views()) {
    const Entries all = Scanned(*view, "", "");
    ASSERT_EQ(all.size(), 20u);
    EXPECT_EQ(all.front(), std::pair(SmallKey(1), std::string("1")));
    EXPECT_EQ(all.back(), std::pair(SmallKey(20), std::string("20")));
    EXPECT_EQ(Scanned(*view, SmallKey(5), SmallKey(8)).size(), 3u);
    EXPECT_EQ(Scanned(*view, SmallKey(5), "").size(), 16u);
    EXPECT_EQ(Scanned(*view, "", SmallKey(5)).size(), 4u);
    EXPECT_TRUE(Scanned(*view, SmallKey(8), SmallKey(5)).empty());
    EXPECT_TRUE(Scanned(*view, SmallKey(5), SmallKey(5)).empty());
  }
}

TEST_F(TreeViewTest, AScanMayStop) {
  for (const auto& view : Views()) {
    int seen = 0;
    EXPECT_OK(
        view->Scan("", "", [&seen](absl::string_view, absl::string_view) { return ++seen < 3; }));
    EXPECT_EQ(seen, 3);
  }
}

TEST_F(TreeViewTest, GetTellsAbsentFromIllegal) {
  for (const auto& view : Views()) {
    EXPECT_THAT(view->Get(SmallKey(7)), IsOkAndHolds(OldValue("7")));
    EXPECT_THAT(view->Get(SmallKey(70)), IsOkAndHolds(OldValue()));
    EXPECT_THAT(view->Get("long key"), HasReason(ErrorReason::kIllegalKey));
    EXPECT_THAT(view->Get(std::string(4, '\0')), HasReason(ErrorReason::kIllegalKey));
  }
}

TEST_F(TreeViewTest, ProvesPresenceAndAbsence) {
  for (const auto& view : Views()) {
    ASSERT_OK_AND_ASSIGN(const TreeProof proof, view->Prove({SmallKey(3), SmallKey(33)}));
    ExpectProves(proof, view->digest());
    EXPECT_EQ(proof.old_values, (std::vector<OldValue>{OldValue("3"), OldValue()}));
    EXPECT_EQ(proof.digest, view->digest());
    EXPECT_EQ(proof.operation_number, 20u);
  }
}

TEST_F(TreeViewTest, OperationsThatAreNotToHappenLeaveNoTrace) {
  const std::vector<Operation> operations = {Operation::Remove(SmallKey(3)),
                                             Operation::Insert(SmallKey(99), "x"),
                                             Operation::Update(SmallKey(4), "y")};
  const auto view = fixture_.tree().view();
  const std::string lookup = view->Prove({SmallKey(5)})->proof;
  ASSERT_OK_AND_ASSIGN(const TreeProof proof, view->ProveOperations(operations));
  ExpectProves(proof, view->digest());
  EXPECT_FALSE(view->ProveOperations({Operation::Update(SmallKey(77), "z")}).ok());
  EXPECT_EQ(view->Prove({SmallKey(5)})->proof, lookup);
  // What was foretold is what happens.
  EXPECT_EQ(fixture_.Commit(operations).digest, proof.digest);
  EXPECT_EQ(view->ProveOperations(operations)->proof, proof.proof);
}

TEST_F(TreeViewTest, ManyThreadsProveWhileTheWriterGoesOn) {
  constexpr int kReaders = 3;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  std::atomic<int> proofs{0};
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([this, &stop, &proofs, i] {
      Random random(static_cast<uint64_t>(i));
      while (!stop.load()) {
        const auto view = fixture_.tree().view();
        const std::string key = SmallKey(1 + random.Uniform(40));
        const absl::StatusOr<TreeProof> proof =
            random.OneIn(2) ? view->Prove({key})
                            : view->ProveOperations({Operation::InsertOrUpdate(key, "foretold")});
        ASSERT_OK(proof);
        ExpectProves(*proof, view->digest());
        ASSERT_OK_AND_ASSIGN(const OldValue value, view->Get(key));
        EXPECT_EQ(value, proof->old_values[0]);
        ++proofs;
      }
    });
  }
  Random random(5);
  for (int commit = 0; commit < 150 || proofs.load() < 50; ++commit) {
    for (int i = 0; i < 3; ++i) {
      const std::string key = SmallKey(1 + random.Uniform(40));
      ASSERT_OK(fixture_.tree().Apply(random.OneIn(4)
                                          ? Operation::RemoveIfExists(key)
                                          : Operation::InsertOrUpdate(key, std::to_string(i))));
    }
    CommitOptions options;
    options.durability = Durability::kBuffered;
    ASSERT_OK(fixture_.tree().Commit(options));
    if (commit % 20 == 0) {
      ASSERT_OK(fixture_.tree().MakeCheckpoint());
    }
  }
  stop.store(true);
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace firn
