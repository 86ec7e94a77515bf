#include "tools/space_use.h"

#include <memory>
#include <string>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(SpaceUseTest, CountsWhatIsAliveAndWhatIsThere) {
  ASSERT_OK_AND_ASSIGN(const auto database, Database::Open("store", {.storage = Storage::kMemory}));
  ASSERT_OK_AND_ASSIGN(const Keyspace notes, database->CreateKeyspace("notes", {}));
  for (int round = 0; round < 4; ++round) {
    WriteBatch batch;
    batch.Put(notes, "key", std::string(92, 'v'));
    ASSERT_THAT(database->Write(batch, Durability::kBuffered), IsOk());
    if (round < 2) {
      ASSERT_THAT(database->Flush(notes), IsOk());
    }
  }
  ASSERT_OK_AND_ASSIGN(std::vector<SpaceUse> uses, MeasureSpace(*database));
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].keyspace, "notes");
  EXPECT_EQ(uses[0].live_entries, 1u);
  EXPECT_EQ(uses[0].live_raw_bytes, 3u + 8 + 92);
  EXPECT_EQ(uses[0].disk_raw_bytes, 3u * (3 + 8 + 92));
  EXPECT_DOUBLE_EQ(uses[0].Amplification(), 3.0);
  EXPECT_EQ(uses[1].disk_bytes, uses[0].disk_bytes);
  ASSERT_THAT(database->Compact(notes, "", ""), IsOk());
  ASSERT_OK_AND_ASSIGN(uses, MeasureSpace(*database));
  EXPECT_DOUBLE_EQ(uses[1].Amplification(), 1.0);
}

// 40 MB of overwrites in random order over 4 MB of live data, at the defaults' proportions (levels ten
// times each other, the first four memtables large): the state in which a store spends its life.
TEST(SpaceUseTest, OverwritesInRandomOrderKeepAQuarterMoreThanIsAliveAtMost) {
  Options options;
  options.storage = Storage::kMemory;
  options.memtable_size = 64 << 10;
  options.segment_size = 64 << 10;
  options.level1_size = 1 << 20;
  options.log_size_max = 1 << 20;
  ASSERT_OK_AND_ASSIGN(const auto database, Database::Open("store", options));
  ASSERT_OK_AND_ASSIGN(const Keyspace notes, database->CreateKeyspace("notes", {}));
  Random random(4);
  constexpr int kKeys = 40'000;
  for (int i = 0; i < 10 * kKeys;) {
    WriteBatch batch;
    for (int j = 0; j < 100; ++j, ++i) {
      batch.Put(notes, std::to_string(random.Uniform(kKeys)), RandomValue(random, 200));
    }
    ASSERT_THAT(database->Write(batch, Durability::kBuffered), IsOk());
  }
  ASSERT_THAT(database->WaitForBackgroundWork(), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<SpaceUse> uses, MeasureSpace(*database));
  RecordProperty("space_amplification", std::to_string(uses.back().Amplification()));
  EXPECT_LE(uses.back().Amplification(), 1.25);
  EXPECT_GE(uses.back().Amplification(), 1.0);
}

}  // namespace
}  // namespace firn
