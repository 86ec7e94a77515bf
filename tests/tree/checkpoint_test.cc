#include "tree/checkpoint.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tree/tree_keyspaces.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

Label Filled(uint8_t byte) {
  Label label;
  label.fill(byte);
  return label;
}

Checkpoint GoldenCheckpoint() {
  Checkpoint checkpoint;
  checkpoint.id = 2;
  checkpoint.time_ms = 1000;
  checkpoint.digest = Digest::From(Filled(0x44), 3);
  checkpoint.root_birth = 2;
  checkpoint.last_operation = 100;
  checkpoint.commit_number = 10;
  checkpoint.node_count = 11;
  checkpoint.metadata = {{"a", "bc"}};
  return checkpoint;
}

std::string Golden(absl::string_view name) {
  absl::StatusOr<std::string> bytes = ReadGoldenHex("docs/formats/checkpoint.md", name);
  EXPECT_OK(bytes);
  return bytes.ok() ? *bytes : std::string();
}

TEST(CheckpointTest, IsWrittenAndReadAsThePageSays) {
  EXPECT_EQ(EncodeCheckpoint(GoldenCheckpoint()), Golden("checkpoint"));
  ASSERT_OK_AND_ASSIGN(const Checkpoint read, DecodeCheckpoint(2, Golden("checkpoint")));
  const Checkpoint expected = GoldenCheckpoint();
  EXPECT_EQ(read.id, expected.id);
  EXPECT_EQ(read.time_ms, expected.time_ms);
  EXPECT_EQ(read.digest, expected.digest);
  EXPECT_EQ(read.root_birth, expected.root_birth);
  EXPECT_EQ(read.last_operation, expected.last_operation);
  EXPECT_EQ(read.commit_number, expected.commit_number);
  EXPECT_EQ(read.node_count, expected.node_count);
  EXPECT_EQ(read.reason, expected.reason);
  EXPECT_EQ(read.metadata, expected.metadata);
}

TEST(CheckpointTest, RefusesTruncationsTrailingBytesAndUnknownReasons) {
  const std::string good = Golden("checkpoint");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(DecodeCheckpoint(2, good.substr(0, size)), HasReason(ErrorReason::kSerialization));
  }
  EXPECT_THAT(DecodeCheckpoint(2, good + "x"), HasReason(ErrorReason::kSerialization));
  std::string reason = good;
  reason[1] = 6;
  EXPECT_THAT(DecodeCheckpoint(2, reason),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("checkpoint 2")));
  std::string version = good;
  version[0] = 9;
  EXPECT_THAT(DecodeCheckpoint(2, version), HasReason(ErrorReason::kFormatVersion));
}

TEST(CheckpointTest, ADeathIsWrittenAndReadAsThePageSays) {
  const Death death{.checkpoint = 5, .instance = {.label = Filled(0x55), .tree = 1, .birth = 2}};
  EXPECT_EQ(EncodeDeathKey(death), Golden("death"));
  EXPECT_THAT(DecodeDeathKey(Golden("death")), IsOkAndHolds(death));
  EXPECT_THAT(DecodeDeathKey("short"), HasReason(ErrorReason::kSerialization));
}

TEST(CheckpointTest, RefusesKeysOfAnotherShape) {
  EXPECT_THAT(DecodeCheckpointKey(""), HasReason(ErrorReason::kSerialization));
  EXPECT_THAT(DecodeCheckpointKey(std::string(9, '\3')), HasReason(ErrorReason::kSerialization));
}

class CheckpointReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = OpenMemoryDatabase();
    ASSERT_NE(database_, nullptr);
    ASSERT_OK_AND_ASSIGN(keyspaces_, OpenTreeKeyspaces(*database_, SameCompression(Compression::kNone)));
  }
  void Put(CheckpointState state, uint64_t id) {
    WriteBatch batch;
    batch.Put(keyspaces_.checkpoints, EncodeCheckpointKey({.state = state, .id = id}),
              EncodeCheckpoint(GoldenCheckpoint()));
    ASSERT_OK(database_->Write(batch, Durability::kSynced));
  }

  std::unique_ptr<Database> database_;
  TreeKeyspaces keyspaces_;
};

TEST_F(CheckpointReaderTest, AStoreWithoutCheckpointsHasNoneAndThatIsNoError) {
  const CheckpointReader reader(keyspaces_.checkpoints, Snapshot());
  EXPECT_FALSE(reader.Latest().value().has_value());
  EXPECT_FALSE(reader.Begun().value().has_value());
  EXPECT_FALSE(reader.Get(1).value().has_value());
  EXPECT_TRUE(reader.List().value().empty());
}

TEST_F(CheckpointReaderTest, FindsTheLatestByNumberAndListsNewestFirst) {
  for (const uint64_t id : std::initializer_list<uint64_t>{1, 300, 2})
    Put(CheckpointState::kMade, id);
  Put(CheckpointState::kBegun, 301);
  const CheckpointReader reader(keyspaces_.checkpoints, Snapshot());
  EXPECT_EQ(reader.Latest().value()->id, 300u);
  EXPECT_EQ(reader.Begun().value()->id, 301u);
  EXPECT_EQ(reader.Get(2).value()->id, 2u);
  EXPECT_FALSE(reader.Get(301).value().has_value());
  ASSERT_OK_AND_ASSIGN(const std::vector<Checkpoint> list, reader.List());
  std::vector<uint64_t> ids;
  for (const Checkpoint& checkpoint : list) ids.push_back(checkpoint.id);
  EXPECT_EQ(ids, (std::vector<uint64_t>{300, 2, 1}));
}

TEST_F(CheckpointReaderTest, TwoBegunCheckpointsAreDamage) {
  Put(CheckpointState::kBegun, 1);
  Put(CheckpointState::kBegun, 2);
  EXPECT_THAT(CheckpointReader(keyspaces_.checkpoints, Snapshot()).Begun(),
              HasReason(ErrorReason::kCorruption));
}

}  // namespace
}  // namespace firn
