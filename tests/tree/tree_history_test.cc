// Random histories against a prover in memory: with checkpoints, reopening, discarded batches, tiny
// caches, and values that come back within and across checkpoints. The root is always the prover's.

#include <string>
#include <vector>

#include "firn/authenticated_tree.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

struct Variant {
  const char* name;
  DigestPolicy digests;
  size_t cache_bytes;
  std::optional<size_t> cache_nodes;
  bool every_commit;
};

class TreeHistoryTest : public ::testing::TestWithParam<Variant> {
 protected:
  TreeOptions OptionsOf(const Variant& variant) {
    TreeOptions options = ManualOptions();
    options.digests = variant.digests;
    options.node_cache_bytes = variant.cache_bytes;
    options.node_cache_nodes = variant.cache_nodes;
    options.checkpoints.every_commit = variant.every_commit;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(
    Variants, TreeHistoryTest,
    ::testing::Values(Variant{"Plain", DigestPolicy::kPerCommit, 1 << 20, std::nullopt, false},
                      Variant{"DigestPerOperation", DigestPolicy::kPerOperation, 1 << 20,
                              std::nullopt, false},
                      Variant{"HundredNodes", DigestPolicy::kPerCommit, 1 << 20, 100, false},
                      Variant{"NoCache", DigestPolicy::kPerCommit, 0, std::nullopt, false},
                      Variant{"EveryCommit", DigestPolicy::kPerCommit, 1 << 20, 100, true}),
    [](const ::testing::TestParamInfo<Variant>& variant) { return variant.param.name; });

// A batch that is committed, or dropped with no trace.
void RunBatch(TreeFixture& fixture, TreeModel& model, Random& random) {
  std::vector<Operation> staged;
  const bool discards = random.OneIn(8);
  const uint64_t operations = random.Uniform(12);
  TreeModel* const watched = discards ? nullptr : &model;
  for (uint64_t i = 0; i < operations; ++i) {
    const Operation operation = RandomSmallOperation(random, 60);
    const absl::StatusOr<OldValue> old = fixture.tree().Apply(operation);
    if (watched == nullptr) continue;
    const absl::StatusOr<OldValue> expected = watched->Apply(operation);
    ASSERT_EQ(old.ok(), expected.ok()) << old.status() << " / " << expected.status();
    if (old.ok()) {
      ASSERT_EQ(*old, *expected);
    } else {
      ASSERT_EQ(old.status().code(), expected.status().code());
    }
  }
  if (discards) {
    fixture.tree().Discard();
    return;
  }
  const Digest start = fixture.tree().view()->digest();
  CommitOptions options;
  options.durability = random.OneIn(2) ? Durability::kSynced : Durability::kBuffered;
  options.proof = random.OneIn(3) ? WantProof::kYes : WantProof::kNo;
  ASSERT_OK_AND_ASSIGN(const CommitResult result, fixture.tree().Commit(options));
  ASSERT_OK(result.checkpoint_status);
  model.EndBatch();
  ASSERT_EQ(result.digest, model.digest());
  if (result.proof.has_value()) {
    ExpectProves(*result.proof, start);
    EXPECT_EQ(result.proof->digest, result.digest);
  }
}

void ExpectEqual(TreeFixture& fixture, TreeModel& model, Random& random) {
  const auto view = fixture.tree().view();
  ASSERT_EQ(view->digest(), model.digest());
  ASSERT_EQ(view->key_count(), model.entries().size());
  std::map<std::string, std::string> entries;
  ASSERT_OK(view->Scan("", "", [&entries](absl::string_view key, absl::string_view value) {
    entries.emplace(key, value);
    return true;
  }));
  ASSERT_EQ(entries, model.entries());
  const std::vector<std::string> keys = {SmallKey(random.Uniform(60)),
                                         SmallKey(random.Uniform(60))};
  ASSERT_OK_AND_ASSIGN(const TreeProof proof, view->Prove(keys));
  ExpectProves(proof, view->digest());
}

TEST_P(TreeHistoryTest, TheRootIsThatOfAProverInMemory) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    TreeFixture fixture(OptionsOf(GetParam()));
    TreeModel model;
    for (int step = 0; step < 120; ++step) {
      ASSERT_NO_FATAL_FAILURE(RunBatch(fixture, model, random));
      if (random.OneIn(8)) {
        ASSERT_OK(fixture.tree().MakeCheckpoint());
      }
      if (random.OneIn(15)) {
        ASSERT_NO_FATAL_FAILURE(fixture.Reopen());
      }
      if (random.OneIn(10)) {
        ASSERT_NO_FATAL_FAILURE(ExpectEqual(fixture, model, random));
      }
    }
    ASSERT_NO_FATAL_FAILURE(ExpectEqual(fixture, model, random));
    ASSERT_OK_AND_ASSIGN(const TreeVerifyReport report,
                         fixture.tree().VerifyTree(TreeVerifyLevel::kAllCheckpoints));
    EXPECT_TRUE(report.clean()) << report.damage[0];
  }
}

TEST_P(TreeHistoryTest, EveryCheckpointKeepsItsWholeTree) {
  Random random(99);
  TreeFixture fixture(OptionsOf(GetParam()));
  TreeModel model;
  std::map<uint64_t, std::pair<Digest, std::map<std::string, std::string>>> kept;
  for (int step = 0; step < 60; ++step) {
    ASSERT_NO_FATAL_FAILURE(RunBatch(fixture, model, random));
    if (!random.OneIn(4)) continue;
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, fixture.tree().MakeCheckpoint());
    kept[checkpoint.id] = {model.digest(), model.entries()};
  }
  ASSERT_NO_FATAL_FAILURE(fixture.Reopen());
  EXPECT_GT(kept.size(), 5u);
  for (const auto& [id, state] : kept) {
    ASSERT_OK_AND_ASSIGN(const auto view, fixture.tree().ViewAtCheckpoint(id));
    EXPECT_EQ(view->digest(), state.first);
    std::map<std::string, std::string> entries;
    ASSERT_OK(view->Scan("", "", [&entries](absl::string_view key, absl::string_view value) {
      entries.emplace(key, value);
      return true;
    }));
    EXPECT_EQ(entries, state.second);
    ASSERT_OK_AND_ASSIGN(const TreeProof proof, view->Prove({SmallKey(1), SmallKey(2)}));
    ExpectProves(proof, state.first);
  }
}

TEST(TreeLargeTest, ATreeTenTimesItsCacheWorksAndMemoryStaysBounded) {
  TreeOptions options = ManualOptions();
  options.node_cache_nodes = 100;
  TreeFixture fixture(options);
  TreeModel model;
  for (uint64_t i = 0; i < 1500; ++i) {
    const Operation operation = Operation::Insert(SmallKey(i * 7919 % 1500), std::to_string(i));
    ASSERT_OK(model.Apply(operation));
    ASSERT_OK(fixture.tree().Apply(operation));
    if (i % 300 == 299) {
      ASSERT_OK(fixture.tree().Commit({}));
      ASSERT_OK(fixture.tree().MakeCheckpoint());
      model.EndBatch();
    }
  }
  ASSERT_NO_FATAL_FAILURE(fixture.Reopen());
  EXPECT_EQ(fixture.tree().view()->digest(), model.digest());
  const uint64_t loads_before = fixture.tree().statistics().node_loads;
  ASSERT_OK(fixture.tree().view()->Prove({SmallKey(700)}));
  // A path of a tree of 1500 keys, and not its neighbours.
  EXPECT_LE(fixture.tree().statistics().node_loads - loads_before, 16u);
  for (uint64_t i = 0; i < 1500; ++i) {
    const auto proof = fixture.tree().view()->Prove({SmallKey(i)});
    ASSERT_OK(proof);
    ASSERT_EQ(proof->old_values[0], OldValue(model.entries().at(SmallKey(i))));
  }
  EXPECT_LE(fixture.tree().statistics().node_cache_nodes, 100u);
}

}  // namespace
}  // namespace firn
