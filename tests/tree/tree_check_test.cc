#include "tree/tree_check.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/tree_fixture.h"
#include "tree/checkpoint.h"
#include "tree/record_store.h"

namespace firn {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class TreeCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint64_t i = 1; i <= 30; ++i) {
      fixture_.Commit({Operation::Insert(SmallKey(i), std::to_string(i))});
    }
    ASSERT_OK(fixture_.tree().MakeCheckpoint());
    nodes_ = fixture_.database().OpenKeyspace("nodes").value();
  }
  // Of a tree opened anew, since an open one looks at the snapshot of its last commit.
  TreeVerifyReport Check(TreeVerifyLevel level = TreeVerifyLevel::kNewest) {
    const absl::StatusOr<std::unique_ptr<AuthenticatedTree>> tree = fixture_.OpenTreeAgain();
    if (!tree.ok()) {
      TreeVerifyReport refused;
      AddDamage(refused, tree.status().message());
      return refused;
    }
    absl::StatusOr<TreeVerifyReport> report = (*tree)->VerifyTree(level);
    EXPECT_OK(report);
    return report.ok() ? *report : TreeVerifyReport();
  }
  void Put(const char* keyspace, absl::string_view key, absl::string_view value) {
    WriteBatch batch;
    batch.Put(fixture_.database().OpenKeyspace(keyspace).value(), key, value);
    fixture_.Write(batch);
  }
  void Remove(const char* keyspace, absl::string_view key) {
    WriteBatch batch;
    batch.Remove(fixture_.database().OpenKeyspace(keyspace).value(), key);
    fixture_.Write(batch);
  }
  // The first stored node for which `wanted` holds, as key and record.
  template <typename Wanted>
  std::pair<std::string, std::string> FindNode(Wanted wanted) {
    const auto rows = nodes_.NewIterator();
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      const Instance instance = DecodeInstanceKey(rows->key()).value();
      if (wanted(*DecodeNode(instance.label, rows->value()).value())) {
        return {std::string(rows->key()), std::string(rows->value())};
      }
    }
    ADD_FAILURE() << "no such node";
    return {};
  }

  TreeFixture fixture_;
  Keyspace nodes_;
};

TEST_F(TreeCheckTest, AHealthyTreeIsClean) {
  fixture_.Commit({Operation::Update(SmallKey(3), "x"), Operation::Remove(SmallKey(4))});
  const Digest digest = fixture_.tree().view()->digest();
  const TreeVerifyReport report = Check(TreeVerifyLevel::kAllCheckpoints);
  EXPECT_TRUE(report.clean()) << report.damage[0];
  EXPECT_EQ(report.operations, 32u);
  EXPECT_EQ(report.records, 29u);
  EXPECT_EQ(report.checkpoints, 1u);
  EXPECT_EQ(report.digest, digest);
}

TEST_F(TreeCheckTest, AMissingNodeIsListedAndTheRestStillLookedAt) {
  const auto [key, record] =
      FindNode([](const Node& node) { return node.is_leaf() && node.key() == SmallKey(11); });
  Remove("nodes", key);
  const TreeVerifyReport report = Check();
  EXPECT_EQ(report.damage_count, 1u);
  EXPECT_THAT(report.damage, Contains(HasSubstr(LabelToHex(DecodeInstanceKey(key)->label))));
  EXPECT_EQ(report.leaves, 29u);
}

TEST_F(TreeCheckTest, ARoutingKeyThatNoLabelCoversIsCompared) {
  auto [key, record] = FindNode([](const Node& node) { return !node.is_leaf(); });
  record[2 + 3] = static_cast<char>(record[2 + 3] ^ 1);  // the key's last byte
  Put("nodes", key, record);
  EXPECT_THAT(Check().damage, Contains(HasSubstr("routing key")));
}

TEST_F(TreeCheckTest, ChangedBytesOfEveryNodeAreFound) {
  const auto rows = nodes_.NewIterator();
  int nodes = 0;
  for (rows->SeekToFirst(); rows->Valid(); rows->Next(), ++nodes) {
    std::string record(rows->value());
    const size_t at = static_cast<size_t>(nodes) % record.size();
    record[at] = static_cast<char>(record[at] ^ 0x40);
    Put("nodes", rows->key(), record);
    EXPECT_FALSE(Check().clean()) << "byte " << at;
    Put("nodes", rows->key(), rows->value());
  }
  EXPECT_EQ(nodes, 61);
  EXPECT_TRUE(Check().clean());
}

TEST_F(TreeCheckTest, RecordsThatDisagreeAreListed) {
  Put("records", EncodeRecordKey(kOnlyTree, SmallKey(5)),
      EncodeRecord({.rank = 5, .value = "other"}));
  Put("records", EncodeRecordKey(kOnlyTree, SmallKey(55)),
      EncodeRecord({.rank = 6, .value = "nobody's"}));
  Remove("records", EncodeRecordKey(kOnlyTree, SmallKey(7)));
  const TreeVerifyReport report = Check();
  EXPECT_EQ(report.damage_count, 3u);
  EXPECT_THAT(report.damage, Contains(HasSubstr("another value")));
  EXPECT_THAT(report.damage, Contains(HasSubstr("has no leaf")));
  EXPECT_THAT(report.damage, Contains(HasSubstr("has no record")));
}

TEST_F(TreeCheckTest, AnOperationBeforeTheCheckpointThatIsGoneIsListed) {
  fixture_.SetOperation(EncodeOperationKey(9), std::nullopt);
  EXPECT_THAT(Check().damage, Contains(HasSubstr("operation 9 is missing")));
}

TEST_F(TreeCheckTest, ANodeThatOnlyAnOlderCheckpointHoldsIsMissedAtTheHigherLevel) {
  const auto [key, record] =
      FindNode([](const Node& node) { return node.is_leaf() && node.key() == SmallKey(11); });
  fixture_.Commit({Operation::Update(SmallKey(11), "newer")});
  ASSERT_OK(fixture_.tree().MakeCheckpoint());
  Remove("nodes", key);
  EXPECT_TRUE(Check(TreeVerifyLevel::kNewest).clean());
  EXPECT_THAT(Check(TreeVerifyLevel::kAllCheckpoints).damage, Contains(HasSubstr("checkpoint 1")));
}

TEST(TreeVerifyReportTest, ListsTheFirstHundredAndCountsTheRest) {
  TreeVerifyReport report;
  for (int i = 0; i < 250; ++i) AddDamage(report, "x");
  EXPECT_EQ(report.damage.size(), 100u);
  EXPECT_EQ(report.damage_count, 250u);
  EXPECT_FALSE(report.clean());
}

}  // namespace
}  // namespace firn
