#include "sstable/extent.h"

#include <cstring>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

constexpr size_t kKeySize = 12;

struct Record {
  std::string key;
  uint64_t sequence;
  EntryKind kind;
  std::string value;
  friend bool operator==(const Record&, const Record&) = default;
};

std::shared_ptr<const Extent> MakeExtent(absl::string_view bytes) {
  auto owned = NewBlockMemory(bytes.size() + 1);
  std::memcpy(owned.get(), bytes.data(), bytes.size());
  auto extent = Extent::Create(std::move(owned), bytes.size());
  return extent.ok() ? *std::move(extent) : nullptr;
}

std::vector<Record> ReadAll(const Extent& extent, absl::Status* status) {
  std::vector<Record> records;
  ExtentCursor cursor(extent, kKeySize);
  while (cursor.Next()) {
    const ExtentRecord& record = cursor.record();
    records.push_back({std::string(record.user_key), record.sequence.value, record.kind,
                       std::string(record.value)});
  }
  *status = cursor.status();
  return records;
}

std::vector<Record> RandomRecords(Random& random, size_t count) {
  std::vector<Record> records;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t sequence = random.OneIn(3) ? random.Uniform(kMaxSequenceNumber.value + 1) : i;
    const bool is_tombstone = random.OneIn(4);
    records.push_back({RandomBytes(random, kKeySize), sequence,
                       is_tombstone ? EntryKind::kTombstone : EntryKind::kPut,
                       is_tombstone ? "" : RandomValue(random, 300)});
  }
  return records;
}

uint32_t Add(ExtentBuilder& builder, const Record& record) {
  return builder.Add({record.key, SequenceNumber{record.sequence}, record.kind}, record.value);
}

TEST(ExtentTest, GivesBackWhatWasPutInItInItsOrder) {
  Random random(1);
  ExtentBuilder builder;
  for (size_t round = 0; round < 300; ++round) {
    builder.Reset();
    const std::vector<Record> records = RandomRecords(random, 1 + random.Uniform(40));
    std::vector<uint32_t> offsets;
    for (const Record& record : records) {
      const size_t size_max =
          builder.size() + ExtentBuilder::RecordSizeMax(record.key, record.value);
      offsets.push_back(Add(builder, record));
      EXPECT_LE(builder.size(), size_max);
      EXPECT_EQ(offsets.back() % kExtentAlignment, 0u);
    }
    const auto extent = MakeExtent(AsText(builder.Finish()));
    ASSERT_NE(extent, nullptr);
    absl::Status status;
    EXPECT_EQ(ReadAll(*extent, &status), records);
    EXPECT_OK(status);
    for (size_t i = 0; i < records.size(); ++i) {  // each without those before it
      ExtentRecord record;
      ASSERT_TRUE(extent->ParseRecord(offsets[i], kKeySize, record));
      EXPECT_EQ(record.user_key, records[i].key);
      EXPECT_EQ(record.sequence.value, records[i].sequence);
      EXPECT_EQ(record.value, records[i].value);
    }
  }
}

TEST(ExtentTest, ABadHeaderIsRefused) {
  ExtentBuilder builder;
  Add(builder, {std::string(kKeySize, 'k'), 7, EntryKind::kPut, "value"});
  const std::string good(AsText(builder.Finish()));
  ASSERT_NE(MakeExtent(good), nullptr);
  for (const size_t offset : {7u, 12u, 13u, 14u, 15u}) {  // 7: a base of more than 56 bits
    std::string bad = good;
    bad[offset] = 1;
    EXPECT_EQ(MakeExtent(bad), nullptr) << offset;
  }
  std::string empty = good;
  empty[8] = 0;
  EXPECT_EQ(MakeExtent(empty), nullptr);
  EXPECT_EQ(MakeExtent(good.substr(0, 15)), nullptr);
}

TEST(ExtentTest, TheCursorSeesGapsCountsAndEndsThatAreWrong) {
  ExtentBuilder builder;
  Add(builder, {std::string(kKeySize, 'k'), 7, EntryKind::kPut, "v"});
  const uint32_t second = Add(builder, {std::string(kKeySize, 'l'), 8, EntryKind::kPut, "w"});
  const std::string good(AsText(builder.Finish()));
  absl::Status status;

  std::string gap = good;
  gap[second - 1] = 1;
  EXPECT_EQ(ReadAll(*MakeExtent(gap), &status).size(), 1u);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("between the records")));

  EXPECT_EQ(ReadAll(*MakeExtent(good + "x"), &status).size(), 2u);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("follow the last")));

  std::string more = good;
  more[8] = 3;
  EXPECT_EQ(ReadAll(*MakeExtent(more), &status).size(), 2u);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("record 2 at 48")));

  std::string base = good;
  base[0] = 9;  // and the first tag says: + 0
  base[16 + kKeySize] = 4;
  EXPECT_EQ(ReadAll(*MakeExtent(base), &status).size(), 0u);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the base is not")));

  std::string fewer = good;
  fewer[8] = 1;
  EXPECT_EQ(ReadAll(*MakeExtent(fewer), &status).size(), 1u);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("follow the last")));
}

TEST(ExtentTest, AnyOffsetIsParsedInsideTheExtentOrRefused) {
  Random random(2);
  ExtentBuilder builder;
  for (const Record& record : RandomRecords(random, 20)) Add(builder, record);
  std::string bytes(AsText(builder.Finish()));
  for (size_t round = 0; round < 2000; ++round) {
    std::string bad = bytes;
    for (int i = 0; i < 4; ++i) {
      bad[16 + random.Uniform(bad.size() - 16)] = static_cast<char>(random.Next());
    }
    const auto extent = MakeExtent(bad);
    ASSERT_NE(extent, nullptr);
    const auto* const begin = reinterpret_cast<const char*>(extent->bytes().data());
    for (const uint64_t offset :
         {random.Uniform(bad.size() + 50), random.Uniform(bad.size() / 8) * 8, random.Next()}) {
      ExtentRecord record;
      if (!extent->ParseRecord(offset, kKeySize, record)) continue;
      EXPECT_GE(record.user_key.data(), begin);
      EXPECT_LE(record.value.data() + record.value.size(), begin + bad.size());
      EXPECT_LE(record.sequence, kMaxSequenceNumber);
    }
    absl::Status status;
    ReadAll(*extent, &status);
  }
}

}  // namespace
}  // namespace firn
