#include "tools/compact_store.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr int kKeys = 2000;

std::string KeyOf(int number) { return std::to_string(100'000 + number); }

std::unique_ptr<Database> OpenInMemory() {
  Options options;
  options.storage = Storage::kMemory;
  return Database::Open("store", options).value();
}

// Every key `rounds` times, a flush after each round: most of it is overwritten.
void Overwrite(Database& database, const Keyspace& keyspace, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    WriteBatch batch;
    for (int i = 0; i < kKeys; ++i) {
      batch.Put(keyspace, KeyOf(i), std::to_string(round) + std::string(100, 'v'));
    }
    ASSERT_THAT(database.Write(batch, Durability::kBuffered), IsOk());
    ASSERT_THAT(database.Flush(keyspace), IsOk());
  }
}

KeyspaceOptions Uncompressed() {
  KeyspaceOptions options;
  options.compression = Compression::kNone;
  return options;
}

TEST(CompactStoreTest, ShrinksWhatWasOverwrittenAndKeepsTheData) {
  const std::unique_ptr<Database> database = OpenInMemory();
  const Keyspace keyspace = database->CreateKeyspace("notes", Uncompressed()).value();
  Overwrite(*database, keyspace, 3);
  ASSERT_OK_AND_ASSIGN(const CompactReport report, CompactStore(*database, "notes", "", ""));
  EXPECT_GT(report.bytes_before, uint64_t{3} * kKeys * 100);
  EXPECT_LT(report.bytes_after, report.bytes_before / 2);
  EXPECT_GT(report.bytes_after, uint64_t{kKeys} * 100);
  EXPECT_GE(report.bytes_read, report.bytes_before);
  EXPECT_GE(report.bytes_written, report.bytes_after);
  EXPECT_GT(report.duration_us, 0u);
  for (int i = 0; i < kKeys; ++i) {
    ASSERT_EQ(keyspace.Get(KeyOf(i)).value().view(), "2" + std::string(100, 'v'));
  }
}

TEST(CompactStoreTest, WithoutANameTakesEveryKeyspace) {
  const std::unique_ptr<Database> database = OpenInMemory();
  const Keyspace first = database->CreateKeyspace("first", Uncompressed()).value();
  const Keyspace second = database->CreateKeyspace("second", Uncompressed()).value();
  Overwrite(*database, first, 3);
  Overwrite(*database, second, 3);
  ASSERT_OK_AND_ASSIGN(const CompactReport one, CompactStore(*database, "first", "", ""));
  EXPECT_EQ(one.keyspaces.size(), 1u);
  ASSERT_OK_AND_ASSIGN(const CompactReport all, CompactStore(*database, "", "", ""));
  ASSERT_EQ(all.keyspaces.size(), 2u);
  EXPECT_EQ(all.keyspaces[0].bytes_before, one.bytes_after);  // nothing was left to do
  EXPECT_EQ(all.keyspaces[1].name, "second");
  EXPECT_LT(all.keyspaces[1].bytes_after, all.keyspaces[1].bytes_before / 2);
  EXPECT_EQ(all.bytes_before, all.keyspaces[0].bytes_before + all.keyspaces[1].bytes_before);
}

TEST(CompactStoreTest, LeavesWhatIsOutsideTheRange) {
  const std::unique_ptr<Database> database = OpenInMemory();
  const Keyspace keyspace = database->CreateKeyspace("notes", Uncompressed()).value();
  Overwrite(*database, keyspace, 3);
  ASSERT_OK_AND_ASSIGN(const CompactReport outside, CompactStore(*database, "notes", "2", "3"));
  EXPECT_EQ(outside.bytes_read, 0u);
  EXPECT_EQ(outside.bytes_after, outside.bytes_before);
  ASSERT_OK_AND_ASSIGN(const CompactReport inside,
                       CompactStore(*database, "notes", KeyOf(5), KeyOf(6)));
  EXPECT_GT(inside.bytes_read, 0u);
}

TEST(CompactStoreTest, AnUnknownKeyspaceIsAnErrorBeforeAnythingIsDone) {
  const std::unique_ptr<Database> database = OpenInMemory();
  EXPECT_THAT(CompactStore(*database, "nodes", "", ""),
              HasReason(ErrorReason::kKeyspaceNotFound));
}

}  // namespace
}  // namespace firn
