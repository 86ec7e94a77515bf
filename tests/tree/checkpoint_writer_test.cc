#include "tree/checkpoint_writer.h"

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"
#include "tree/checkpoint.h"
#include "tree/tree_state.h"

namespace firn {
namespace {

std::set<std::string> KeysOf(TreeFixture& fixture, const char* keyspace) {
  std::set<std::string> keys;
  const auto rows = fixture.database().OpenKeyspace(keyspace)->NewIterator();
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) keys.emplace(rows->key());
  EXPECT_OK(rows->status());
  return keys;
}

// Values so large that a checkpoint takes several pieces.
std::string Large(uint64_t i) { return std::string(100'000, static_cast<char>('a' + i % 26)); }

TEST(CheckpointWriterTest, SmallOnesAreOneBatchAndLargeOnesArePieces) {
  TreeFixture small;
  small.Commit({Operation::Insert(SmallKey(1), "1")});
  const uint64_t before = small.database().statistics().writes;
  ASSERT_OK(small.tree().MakeCheckpoint());
  EXPECT_EQ(small.database().statistics().writes, before + 1);

  TreeFixture large;
  for (uint64_t i = 0; i < 25; ++i) large.Commit({Operation::Insert(SmallKey(i), Large(i))});
  const Statistics statistics = large.database().statistics();
  ASSERT_OK(large.tree().MakeCheckpoint());
  EXPECT_GE(large.database().statistics().writes, statistics.writes + 4);
  EXPECT_GT(large.database().statistics().flushes, statistics.flushes);
  EXPECT_EQ(KeysOf(large, "checkpoints").size(), 1u);  // nothing is left of "begun"
  EXPECT_EQ(KeysOf(large, "nodes").size(), 51u);
  large.Reopen();
  EXPECT_EQ(large.tree().statistics().operations_replayed, 0u);
  ASSERT_OK_AND_ASSIGN(const TreeVerifyReport report,
                       large.tree().VerifyTree(TreeVerifyLevel::kAllCheckpoints));
  EXPECT_TRUE(report.clean()) << report.damage[0];
}

TEST(CheckpointWriterTest, EveryInstanceLivesExactlyBetweenItsBirthAndItsDeath) {
  TreeFixture fixture;
  Random random(9);
  std::map<uint64_t, std::set<std::string>> reachable;  // checkpoint -> instance keys
  for (uint64_t round = 1; round <= 12; ++round) {
    for (int i = 0; i < 6; ++i) {
      const std::string key = SmallKey(1 + random.Uniform(8));
      fixture.Commit({random.OneIn(3)
                          ? Operation::RemoveIfExists(key)
                          : Operation::InsertOrUpdate(key, random.OneIn(2) ? "A" : "B")});
    }
    ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint, fixture.tree().MakeCheckpoint());
    const Keyspace nodes = fixture.database().OpenKeyspace("nodes").value();
    std::vector<ChildRef> pending = {ChildRef(checkpoint.digest.label(), checkpoint.root_birth)};
    while (!pending.empty()) {
      const Instance instance{
          .label = pending.back().label(), .tree = kOnlyTree, .birth = pending.back().birth()};
      pending.pop_back();
      reachable[checkpoint.id].insert(EncodeInstanceKey(instance));
      ASSERT_OK_AND_ASSIGN(const PinnedValue row, nodes.Get(EncodeInstanceKey(instance)));
      ASSERT_OK_AND_ASSIGN(const NodePtr node, DecodeNode(instance.label, row.view()));
      if (node->is_leaf()) continue;
      pending.push_back(node->left());
      pending.push_back(node->right());
    }
    EXPECT_EQ(reachable[checkpoint.id].size(), checkpoint.node_count);
  }
  std::map<std::string, uint64_t> deaths;
  for (const std::string& row : KeysOf(fixture, "deaths")) {
    ASSERT_OK_AND_ASSIGN(const Death death, DecodeDeathKey(row));
    EXPECT_TRUE(deaths.emplace(EncodeInstanceKey(death.instance), death.checkpoint).second);
  }
  EXPECT_GT(deaths.size(), 20u);
  const std::set<std::string> stored = KeysOf(fixture, "nodes");
  for (const std::string& key : stored) {
    const Instance instance = DecodeInstanceKey(key).value();
    const uint64_t death = deaths.contains(key) ? deaths.at(key) : UINT64_MAX;
    for (const auto& [checkpoint, instances] : reachable) {
      EXPECT_EQ(instances.contains(key), instance.birth <= checkpoint && checkpoint < death);
    }
  }
}

}  // namespace
}  // namespace firn
