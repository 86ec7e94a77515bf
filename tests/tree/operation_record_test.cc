#include "tree/operation_record.h"

#include <limits>
#include <string>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::string Encoded(const LogEntry& entry) {
  std::string record;
  EncodeLogEntry(entry, record);
  return record;
}

std::string Golden() {
  absl::StatusOr<std::string> bytes = ReadGoldenHex("docs/formats/operation.md", "update");
  EXPECT_OK(bytes);
  return bytes.ok() ? *bytes : std::string();
}

LogEntry GoldenEntry() {
  Label label;
  label.fill(0x33);
  LogEntry entry;
  entry.kind = OperationKind::kUpdate;
  entry.tree = 1;
  entry.commit_number = 5;
  entry.time_ms = 7812222976;
  entry.key = std::string("\x00\x20", 2);
  entry.value = "\xbb";
  entry.previous_value = "\xaa";
  entry.digest_after = Digest::From(label, 2);
  entry.ends_commit = true;
  return entry;
}

LogEntry RandomEntry(Random& random) {
  const auto maybe = [&random]() -> std::optional<std::string> {
    if (random.OneIn(2)) return std::nullopt;
    return RandomValue(random, 300);
  };
  const auto maybe_digest = [&random]() -> std::optional<Digest> {
    if (random.OneIn(2)) return std::nullopt;
    Digest digest;
    for (uint8_t& byte : digest.bytes) byte = static_cast<uint8_t>(random.Next());
    return digest;
  };
  LogEntry entry;
  entry.kind = static_cast<OperationKind>(1 + random.Uniform(8));
  entry.tree = static_cast<TreeNumber>(random.Next() >> random.Uniform(64));
  entry.commit_number = random.Next() >> random.Uniform(64);
  entry.time_ms = random.Next() >> random.Uniform(64);
  entry.key = RandomKey(random, 40);
  entry.value = maybe();
  if (random.OneIn(2)) entry.delta = static_cast<int64_t>(random.Next() >> random.Uniform(64));
  entry.previous_value = maybe();
  entry.digest_after = maybe_digest();
  entry.digest_before = maybe_digest();
  for (uint64_t i = random.Uniform(4); i > 0; --i) {
    entry.metadata[RandomKey(random, 6)] = RandomValue(random, 50);
  }
  entry.ends_commit = random.OneIn(2);
  return entry;
}

TEST(OperationRecordTest, IsWrittenAndReadAsThePageSays) {
  EXPECT_EQ(Encoded(GoldenEntry()), Golden());
  EXPECT_THAT(DecodeLogEntry(1, Golden()), IsOkAndHolds(GoldenEntry()));
}

TEST(OperationRecordTest, KeepsEveryFieldOfRandomEntries) {
  Random random(12);
  for (int i = 0; i < 2000; ++i) {
    const LogEntry entry = RandomEntry(random);
    EXPECT_THAT(DecodeLogEntry(7, Encoded(entry)), IsOkAndHolds(entry));
  }
}

TEST(OperationRecordTest, KeepsTheExtremesOfADelta) {
  for (const int64_t delta : {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0},
                              int64_t{1}, std::numeric_limits<int64_t>::max()}) {
    LogEntry entry = GoldenEntry();
    entry.delta = delta;
    EXPECT_THAT(DecodeLogEntry(7, Encoded(entry)), IsOkAndHolds(entry));
  }
}

TEST(OperationRecordTest, TellsAnEmptyValueFromNone) {
  LogEntry empty = GoldenEntry();
  empty.value = "";
  LogEntry none = GoldenEntry();
  none.value.reset();
  EXPECT_THAT(DecodeLogEntry(1, Encoded(empty)), IsOkAndHolds(empty));
  EXPECT_THAT(DecodeLogEntry(1, Encoded(none)), IsOkAndHolds(none));
}

TEST(OperationRecordTest, RefusesEveryTruncation) {
  Random random(77);
  const std::string record = Encoded(RandomEntry(random));
  for (size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(DecodeLogEntry(7, record.substr(0, size)).ok()) << size;
  }
  EXPECT_THAT(DecodeLogEntry(7, record + "x"), HasReason(ErrorReason::kSerialization));
}

TEST(OperationRecordTest, RefusesAnotherVersionByName) {
  std::string record = Golden();
  record[0] = 2;
  EXPECT_THAT(DecodeLogEntry(7, record),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("operation 7: version 2")));
}

TEST(OperationRecordTest, RefusesUnknownKindsAndFlags) {
  for (const char kind : {'\0', '\x09', '\xff'}) {
    std::string record = Golden();
    record[1] = kind;
    EXPECT_THAT(DecodeLogEntry(7, record),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("operation 7")));
  }
  std::string record = Golden();
  record[2] = static_cast<char>(record[2] | 0x80);
  EXPECT_THAT(DecodeLogEntry(7, record), HasReason(ErrorReason::kSerialization));
}

TEST(OperationRecordTest, RefusesMetadataOutOfOrderAndImplausibleCounts) {
  std::string names;
  PutNames(names, {{"a", "1"}, {"b", "2"}});
  ByteReader good(names);
  EXPECT_TRUE(ReadNames(good).has_value());
  std::swap(names[2], names[6]);  // the keys
  ByteReader swapped(names);
  EXPECT_FALSE(ReadNames(swapped).has_value());
  std::string huge;
  PutVarint64(huge, uint64_t{1} << 60);
  ByteReader implausible(huge);
  EXPECT_FALSE(ReadNames(implausible).has_value());
}

TEST(OperationRecordTest, KeysSortAsNumbers) {
  EXPECT_LT(EncodeOperationKey(255), EncodeOperationKey(256));
  EXPECT_THAT(DecodeOperationKey(EncodeOperationKey(uint64_t{1} << 40)),
              IsOkAndHolds(uint64_t{1} << 40));
  EXPECT_THAT(DecodeOperationKey("short"), HasReason(ErrorReason::kSerialization));
}

}  // namespace
}  // namespace firn
