#include "sstable/sequence_block.h"

#include <cstring>

#include "tests/sstable/sequence_support.h"

namespace firn {
namespace {

struct Record {
  uint64_t key;
  uint64_t sequence;
  std::string value;
};

std::string Build(const std::vector<Record>& records) {
  SequenceBlockBuilder builder;
  for (const Record& record : records) builder.Add(record.key, {record.sequence}, record.value);
  EXPECT_EQ(builder.record_count(), records.size());
  return std::string(AsText(builder.Finish()));
}

void ExpectRecords(const std::string& bytes, const std::vector<Record>& expected) {
  ASSERT_OK_AND_ASSIGN(const SequenceRecords records, SequenceRecords::Parse(AsBytes(bytes)));
  ASSERT_EQ(records.count(), expected.size());
  for (uint32_t i = 0; i < records.count(); ++i) {
    EXPECT_EQ(records.KeyAt(i), expected[i].key);
    EXPECT_EQ(records.SequenceAt(i).value, expected[i].sequence);
    EXPECT_EQ(records.ValueAt(i), expected[i].value);
    EXPECT_EQ(records.LowerBound(expected[i].key), i);
    const uint64_t after = expected[i].key + 1;
    if (after != 0) {
      EXPECT_EQ(records.LowerBound(after), i + 1);
    }
  }
  EXPECT_EQ(records.LowerBound(0), 0u);
}

TEST(SequenceBlockTest, DenseRecordsCostTwoBytesEach) {
  std::vector<Record> records;
  for (uint64_t i = 0; i < 50; ++i) records.push_back({1000 + i, 70 + i, "value"});
  const std::string bytes = Build(records);
  EXPECT_EQ(bytes.size(), 50 * (5 + 2) + kSequenceTailSize);
  ExpectRecords(bytes, records);
}

TEST(SequenceBlockTest, GapsOfEverySizeAreKept) {
  for (const uint64_t gap : {uint64_t{1}, uint64_t{2}, uint64_t{70'000}, uint64_t{1} << 40}) {
    ExpectRecords(Build({{7, 5, "a"}, {7 + gap, 6, ""}, {8 + 2 * gap, 5 + gap, "ccc"}}),
                  {{7, 5, "a"}, {7 + gap, 6, ""}, {8 + 2 * gap, 5 + gap, "ccc"}});
  }
  ExpectRecords(Build({{0, 9, "x"}, {UINT64_MAX, kMaxSequenceNumber.value, "y"}}),
                {{0, 9, "x"}, {UINT64_MAX, kMaxSequenceNumber.value, "y"}});
}

TEST(SequenceBlockTest, SequenceNumbersNeedNotAscend) {
  const std::vector<Record> records = {{1, 9, "a"}, {2, 9, "b"}, {3, 4, "c"}};
  ExpectRecords(Build(records), records);
}

TEST(SequenceBlockTest, ValuesOfAnySizeAreKept) {
  const std::vector<Record> records = {{1, 1, std::string(40'000, 'a')},
                                       {2, 2, ""},
                                       {3, 3, std::string(40'000, 'b')}};
  ExpectRecords(Build(records), records);
}

TEST(SequenceBlockTest, ABuilderCanBeUsedAgain) {
  SequenceBlockBuilder builder;
  builder.Add(9, {9}, "nine");
  builder.Finish();
  builder.Reset();
  EXPECT_TRUE(builder.empty());
  builder.Add(3, {4}, "x");
  ExpectRecords(std::string(AsText(builder.Finish())), {{3, 4, "x"}});
}

TEST(SequenceBlockTest, RandomRecordsAreFound) {
  Random random(90);
  for (int round = 0; round < 200; ++round) {
    std::vector<Record> records;
    for (const auto& [key, value] : RandomSequenceModel(random, 1 + random.Uniform(100))) {
      records.push_back({LoadSequenceKey(UserKeyOf(key)), SequenceOf(key).value, value});
    }
    ExpectRecords(Build(records), records);
  }
}

// Offsets from the end, in the tail.
std::string WithTail(std::string bytes, size_t from_end, uint8_t value) {
  bytes[bytes.size() - from_end] = static_cast<char>(value);
  return bytes;
}

TEST(SequenceBlockTest, BadBlocksAreRefused) {
  const std::string good = Build({{1, 5, "a"}, {4, 9, "b"}, {9, 2, "c"}});
  const auto refused = [](const std::string& bytes) {
    return SequenceRecords::Parse(AsBytes(bytes)).status().code() == absl::StatusCode::kDataLoss;
  };
  ASSERT_FALSE(refused(good));
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused(good.substr(1)));
  EXPECT_TRUE(refused(good.substr(0, good.size() - 1)));
  EXPECT_TRUE(refused(WithTail(good, 1, 1)));      // reserved
  for (const size_t size_field : {size_t{2}, size_t{3}, size_t{4}}) {  // delta, gap and limit size
    for (const uint8_t size : {uint8_t{1}, uint8_t{3}, uint8_t{16}}) EXPECT_TRUE(refused(WithTail(good, size_field, size)));
  }
  EXPECT_TRUE(refused(WithTail(good, 4, 0)));      // no limits
  EXPECT_TRUE(refused(WithTail(good, 8, 0)));      // no records
  EXPECT_TRUE(refused(WithTail(good, 8, 4)));      // more of them
  EXPECT_TRUE(refused(WithTail(good, 5, 0xff)));   // far more
  EXPECT_TRUE(refused(WithTail(good, 9, 0xff)));   // base over 56 bits
  std::string bad = good;
  bad[3] = 9;  // the first limit beyond the second
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad[7] = 4;  // the last limit is not where the values end
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad[9] = 1;  // the first gap
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad[13] = 1;  // the last gap below the one before
  EXPECT_TRUE(refused(bad));
  std::string high = good;
  for (size_t i = 17; i <= 24; ++i) high = WithTail(high, i, 0xff);  // first key: the last is over
  EXPECT_TRUE(refused(high));
}

TEST(SequenceBlockTest, ABlockInMemoryKeepsItsBytes) {
  const std::string good = Build({{1, 5, "a"}, {2, 6, "b"}});
  BlockMemory bytes = NewBlockMemory(good.size());
  std::memcpy(bytes.get(), good.data(), good.size());
  ASSERT_OK_AND_ASSIGN(const auto block, SequenceBlock::Create(std::move(bytes), good.size()));
  EXPECT_EQ(block->records().ValueAt(1), "b");
  EXPECT_EQ(AsText(block->bytes()), good);
}

}  // namespace
}  // namespace firn
