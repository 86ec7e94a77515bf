#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/compression.h"
#include "engine/database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class DatabaseLimitsTest : public ::testing::Test {
 protected:
  size_t Warnings() const {
    size_t count = 0;
    for (const std::string& line : store_.lines()) count += absl::StartsWith(line, "warning: ");
    return count;
  }
  absl::Status Remove(const std::string& key) {
    WriteBatch batch;
    batch.Remove(store_.Open("notes"), key);
    return store_->Write(batch, Durability::kBuffered);
  }

  MemoryFileSystem memory_{MemoryFileSystemOptions{.track_unsynced = false}};
  FaultInjectingFileSystem disk_{memory_};
  SteppedStore store_{disk_, 5};
};

TEST_F(DatabaseLimitsTest, AFullKeyspaceRefusesPutsUntilMergesMadeRoom) {
  store_.options().memtable_size = 64 << 10;
  store_.options().segment_size = 256 << 10;
  store_.options().level1_size = 1 << 20;
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK(store_->CreateKeyspace(
      "notes", {.compression = Compression::kNone, .size_soft_limit = 2 * kMiB, .size_limit = 4 * kMiB}));
  absl::Status status;
  int written = 0;
  for (; status.ok() && written < 10'000; ++written) {
    status = store_.Put("notes", absl::StrCat("k", written), std::string(1000, static_cast<char>(written * 7)));
    static_cast<void>(store_.executor().Step());
  }
  --written;
  EXPECT_THAT(status, HasReason(ErrorReason::kKeyspaceFull));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("4194304")));
  EXPECT_EQ(Warnings(), 2u) << "one a limit";
  const KeyspaceStatistics statistics = store_->statistics().keyspaces.front();
  EXPECT_TRUE(statistics.above_soft_limit);
  EXPECT_EQ(statistics.refused, 1u);
  EXPECT_EQ(statistics.size_limits.hard, 4 * kMiB);
  // Other keyspaces, reads and removes do not care.
  EXPECT_THAT(store_.Put("other", "k", "v"), IsOk());
  EXPECT_EQ(store_.Get("notes", "k0"), std::string(1000, '\0'));
  for (int i = 0; i < written - 10; ++i) ASSERT_THAT(Remove(absl::StrCat("k", i)), IsOk());
  EXPECT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  EXPECT_THAT(store_.Put("notes", "again", "v"), IsOk());
  EXPECT_FALSE(store_->statistics().keyspaces.front().above_soft_limit);
  EXPECT_THAT(store_.lines().back(), HasSubstr("below its limits again"));
}

TEST_F(DatabaseLimitsTest, ABatchIsRefusedWholeAndATransactionToo) {
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Keyspace full, store_->CreateKeyspace("full", {.compression = Compression::kNone,
                                                       .size_limit = 64 << 10}));
  for (int i = 0; i < 1000 && store_.Put("full", absl::StrCat(i), std::string(20'000, 'v')).ok(); ++i) {
  }
  WriteBatch batch;
  batch.Put(store_.Open("other"), "k", "v");
  batch.Put(full, "k", "v");
  EXPECT_THAT(store_->Write(batch, Durability::kBuffered), HasReason(ErrorReason::kKeyspaceFull));
  EXPECT_EQ(store_.Get("other", "k"), "(absent)");
  ASSERT_OK_AND_ASSIGN(const auto transaction, store_->BeginTransaction({}));
  ASSERT_THAT(transaction->Put(full, "k", "v"), IsOk());
  EXPECT_THAT(transaction->Commit(), HasReason(ErrorReason::kKeyspaceFull));
}

TEST_F(DatabaseLimitsTest, LimitsAreChangedAtRunTimeAndSurviveAReopen) {
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK_AND_ASSIGN(const Keyspace notes,
                       store_->CreateKeyspace("notes", {.compression = Compression::kNone}));
  EXPECT_THAT(store_->SetSizeLimits(notes, {.soft = 0, .hard = 1000}),
              HasReason(ErrorReason::kInvalidOption));
  EXPECT_THAT(store_->SetSizeLimits(notes, {.soft = 2 * kMiB, .hard = kMiB}),
              HasReason(ErrorReason::kInvalidOption));
  ASSERT_THAT(store_->SetSizeLimits(notes, {.soft = 0, .hard = 64 << 10}), IsOk());
  absl::Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = store_.Put("notes", absl::StrCat("k", i), std::string(1000, static_cast<char>(i * 11)));
  }
  EXPECT_THAT(status, HasReason(ErrorReason::kKeyspaceFull));
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_THAT(store_.Put("notes", "k", "v"), HasReason(ErrorReason::kKeyspaceFull));
  EXPECT_EQ(store_.Open("notes").options().size_limit, uint64_t{64} << 10);
  ASSERT_THAT(store_->SetSizeLimits(store_.Open("notes"), {}), IsOk());
  EXPECT_THAT(store_.Put("notes", "k", "v"), IsOk());
}

TEST_F(DatabaseLimitsTest, ACodecIsChangedAtRunTimeAndOldAndNewBlocksAreRead) {
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK_AND_ASSIGN(
      Keyspace notes, store_->CreateKeyspace("notes", {.compression_threshold = 0}));
  std::vector<CompressionChoice> choices = {{Compression::kNone, 0},
                                            {Compression::kLz4, 8},
                                            {Compression::kLz4Hc, 0},
                                            {Compression::kLz4Hc, 12}};
  if (HasCompression(CompressionKind::kZstd)) choices.push_back({Compression::kZstd, 19});
  std::map<std::string, std::string> expected;
  const auto write = [&](size_t round) {
    for (int i = 0; i < 40; ++i) {
      const std::string key = absl::StrCat("key", i, "/", round);
      expected[key] = absl::StrCat(round, std::string(200, 'v'));
      ASSERT_THAT(store_.Put("notes", key, expected[key]), IsOk());
    }
    ASSERT_THAT(store_->Flush(notes), IsOk());
  };
  write(100);
  for (size_t round = 0; round < choices.size(); ++round) {
    ASSERT_THAT(store_->SetCompression(notes, choices[round]), IsOk());
    write(round);
    EXPECT_EQ(store_->statistics().keyspaces.front().compression, choices[round]);
    EXPECT_THAT(ReadAll(notes), IsOkAndHolds(expected));
  }
  EXPECT_THAT(store_->SetCompression(notes, {Compression::kLz4Hc, 13}),
              HasReason(ErrorReason::kInvalidOption));
  // The last choice outlives the store that made it, and merges write all anew.
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK_AND_ASSIGN(notes, store_->OpenKeyspace("notes"));
  EXPECT_EQ(store_->statistics().keyspaces.front().compression, choices.back());
  EXPECT_EQ(notes.options().compression_level, choices.back().level);
  EXPECT_THAT(ReadAll(notes), IsOkAndHolds(expected));
  ASSERT_THAT(store_->Compact(notes, "", ""), IsOk());
  EXPECT_THAT(ReadAll(notes), IsOkAndHolds(expected));
  const KeyspaceStatistics packed = store_->statistics().keyspaces.front();
  uint64_t raw = 0;
  for (const auto& [key, value] : expected) raw += key.size() + 8 + value.size();
  EXPECT_EQ(packed.raw_bytes, raw);
  EXPECT_GT(packed.CompressionRatio(), 2.0);
  ASSERT_THAT(store_->SetCompression(notes, {Compression::kNone, 0}), IsOk());
  ASSERT_THAT(store_->Compact(notes, "", ""), IsOk());
  const KeyspaceStatistics plain = store_->statistics().keyspaces.front();
  EXPECT_EQ(plain.raw_bytes, raw);
  EXPECT_LT(plain.CompressionRatio(), 1.0);
}

TEST_F(DatabaseLimitsTest, OptionsThatDifferFromTheStoredOnesAreToldOnceAndNotTaken) {
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_OK(store_->CreateKeyspace("notes", {.block_size = 1024}));
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  const auto told = [&] {
    return std::count_if(store_.lines().begin(), store_.lines().end(), [](const auto& line) {
      return absl::StrContains(line, "keyspace notes keeps the options it was made with: "
                                     "compression is lz4, none was asked for; "
                                     "block_size is 1024, 8192 was asked for");
    });
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const Keyspace notes,
                         store_->OpenOrCreateKeyspace(
                             "notes", {.compression = Compression::kNone, .block_size = 8192}));
    EXPECT_EQ(notes.options().block_size, 1024u);
    EXPECT_EQ(notes.options().compression, Compression::kLz4);
    EXPECT_EQ(told(), 1);
  }
}

TEST_F(DatabaseLimitsTest, TheTimerMergesWhatSizeAloneWouldLeaveAndSaysSo) {
  store_.options().compaction_interval_s = 3600;
  store_.options().level0_segments_merge = 4;
  ASSERT_THAT(store_.Open(), IsOk());
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(store_.Put("notes", "same", absl::StrCat(i)), IsOk());
    ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  }
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  store_.clock().Advance(std::chrono::seconds(3599));
  store_->Tick();
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  EXPECT_EQ(store_->statistics().compactions, 0u);
  EXPECT_EQ(store_->statistics().keyspaces.front().levels[0].segments, 3u);
  store_.clock().Advance(std::chrono::seconds(1));
  store_->Tick();
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  EXPECT_EQ(store_->statistics().compactions_by_timer, 1u);
  EXPECT_EQ(store_->statistics().keyspaces.front().levels[0].segments, 0u);
  EXPECT_EQ(store_->statistics().keyspaces.front().entries_estimate, 1u);
  // The next one is an hour away, and there is nothing to merge then.
  ASSERT_THAT(store_.Put("notes", "other", "v"), IsOk());
  ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  store_.clock().Advance(std::chrono::seconds(3599));
  store_->Tick();
  EXPECT_EQ(store_->statistics().compactions, 1u);
  ASSERT_THAT(store_->Compact(store_.Open("notes"), "", ""), IsOk());
  EXPECT_GE(store_->statistics().compactions_manual, 1u);
  for (int i = 0; i < 4; ++i) {
    ASSERT_THAT(store_.Put("notes", "same", absl::StrCat(i)), IsOk());
    ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  }
  ASSERT_THAT(store_->WaitForBackgroundWork(), IsOk());
  const Statistics end = store_->statistics();
  EXPECT_EQ(end.compactions_by_size, 1u);
  EXPECT_EQ(end.compactions_by_timer, 1u);
  EXPECT_EQ(end.compactions,
            end.compactions_by_size + end.compactions_by_timer + end.compactions_manual);
}

TEST_F(DatabaseLimitsTest, AReaderThatStaysLongIsWarnedOfOnce) {
  store_.options().reader_age_warning_s = 60;
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_THAT(store_.Put("notes", "k", "v"), IsOk());
  Snapshot snapshot = store_->TakeSnapshot();
  store_->Tick();
  ASSERT_THAT(store_.Put("notes", "k", "w"), IsOk());
  Snapshot later = store_->TakeSnapshot();
  store_.clock().Advance(std::chrono::seconds(59));
  store_->Tick();
  EXPECT_EQ(Warnings(), 0u);
  EXPECT_EQ(store_->statistics().oldest_reader_ms, 59'000u);
  EXPECT_EQ(store_->statistics().long_readers, 0u);
  store_.clock().Advance(std::chrono::seconds(2));
  store_->Tick();
  store_->Tick();
  EXPECT_EQ(Warnings(), 1u);
  EXPECT_THAT(store_.lines().back(), HasSubstr("open for 61 seconds, since number 1"));
  EXPECT_EQ(store_->statistics().long_readers, 1u);
  snapshot = Snapshot();
  EXPECT_EQ(store_->statistics().oldest_reader_ms, 2000u) << "of the second, since it was seen";
  EXPECT_EQ(store_->statistics().long_readers, 0u);
  store_.clock().Advance(std::chrono::seconds(60));
  store_->Tick();
  EXPECT_EQ(Warnings(), 2u);
  later = Snapshot();
  EXPECT_EQ(store_->statistics().oldest_reader_ms, 0u);
}

TEST_F(DatabaseLimitsTest, EvictionsAreWhatCameLessWhatIsThere) {
  store_.options().block_cache_size = 32 << 10;
  ASSERT_THAT(store_.Open(), IsOk());
  for (int i = 0; i < 400; ++i) {
    ASSERT_THAT(store_.Put("notes", absl::StrCat("k", i), std::string(400, 'v')), IsOk());
  }
  ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  for (int i = 0; i < 400; ++i) EXPECT_NE(store_.Get("notes", absl::StrCat("k", i)), "(absent)");
  const Statistics statistics = store_->statistics();
  EXPECT_GT(statistics.block_cache_evictions, 0u);
  EXPECT_LT(statistics.block_cache_evictions, statistics.block_cache_inserts);
  EXPECT_LE(statistics.block_cache_inserts, statistics.block_cache_misses)
      << "only a block that was not there is taken in";
  EXPECT_LE(statistics.block_cache_bytes, 32u << 10);
}

TEST_F(DatabaseLimitsTest, TheMemoryOfBatchesIsThatOfTheLargestGroup) {
  ASSERT_THAT(store_.Open(), IsOk());
  ASSERT_THAT(store_.Put("notes", "k", std::string(1000, 'v')), IsOk());
  const uint64_t small = store_->statistics().batch_bytes_peak;
  EXPECT_GT(small, 1000u);
  EXPECT_LT(small, 1100u);
  ASSERT_THAT(store_.Put("notes", "k", std::string(100'000, 'v')), IsOk());
  ASSERT_THAT(store_.Put("notes", "k", "v"), IsOk());
  const uint64_t large = store_->statistics().batch_bytes_peak;
  EXPECT_GT(large, 100'000u);
  EXPECT_LT(large, 100'100u);
}

TEST_F(DatabaseLimitsTest, TheBlockCacheIsResizedWithinItsShare) {
  store_.options().memory_budget = 64 * kMiB;
  ASSERT_THAT(store_.Open(), IsOk());
  const uint64_t share = store_->statistics().memory.block_cache.share;
  EXPECT_GT(share, 8 * kMiB);
  EXPECT_THAT(store_->SetBlockCacheSize(share + 1), HasReason(ErrorReason::kInvalidOption));
  ASSERT_THAT(store_->SetBlockCacheSize(share / 4), IsOk());
  EXPECT_EQ(store_->statistics().memory.block_cache.share, share / 4);
  ASSERT_THAT(store_->SetBlockCacheSize(share), IsOk());
  const uint64_t granted = store_->ReserveMemory(uint64_t{1} << 40);
  EXPECT_EQ(granted, share / 2);
  EXPECT_EQ(store_->statistics().memory.reserved, granted);
  EXPECT_EQ(store_->statistics().memory.block_cache.share, share - granted);
  store_->ReturnMemory(granted);
  EXPECT_EQ(store_->statistics().memory.block_cache.share, share);
}

TEST_F(DatabaseLimitsTest, TheBlockCacheStaysUnderItsSizeAndIsResizedWithoutABudget) {
  store_.options().segment_size = 1 << 20;
  store_.options().level1_size = 8 << 20;
  ASSERT_THAT(store_.Open(), IsOk());
  for (int i = 0; i < 3000; ++i) {
    ASSERT_THAT(store_.Put("notes", absl::StrCat("k", i), std::string(500, static_cast<char>(i * 13))), IsOk());
  }
  ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  uint64_t before = 0;
  for (const uint64_t size : {uint64_t{64} << 10, uint64_t{512} << 10, uint64_t{0}}) {
    ASSERT_THAT(store_->SetBlockCacheSize(size), IsOk());
    for (int i = 0; i < 3000; ++i) static_cast<void>(store_.Get("notes", absl::StrCat("k", i)));
    const MemoryPart cache = store_->statistics().memory.block_cache;
    EXPECT_EQ(cache.share, size);
    EXPECT_LE(cache.used, size);
    if (size > before) {
      EXPECT_GT(cache.used, before);
    }
    before = cache.used;
  }
  EXPECT_THAT(store_->SetBlockCacheSize(uint64_t{2} << 40), HasReason(ErrorReason::kInvalidOption));
}

TEST_F(DatabaseLimitsTest, WritesAreRefusedBeforeTheDiskIsFullAndNothingAcknowledgedIsLost) {
  store_.options().free_space_min = 0;
  disk_.SetSpace(8 * kMiB);
  ASSERT_THAT(store_.Open(), IsOk());
  absl::Status status;
  int acknowledged = 0;
  for (; status.ok() && acknowledged < 20'000; ++acknowledged) {
    status = store_.Put("notes", absl::StrCat("k", acknowledged), std::string(1000, 'v'),
                        Durability::kSynced);
    static_cast<void>(store_.executor().Step());
  }
  --acknowledged;
  EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  EXPECT_TRUE(store_->statistics().space.is_short);
  EXPECT_EQ(store_->statistics().space.refused, 1u);
  EXPECT_GT(acknowledged, 100);
  // Reads go on, the flush of what is in memory succeeds, and so does a recovery.
  EXPECT_EQ(store_.Get("notes", "k0"), std::string(1000, 'v'));
  EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", absl::StrCat("k", acknowledged - 1)), std::string(1000, 'v'));
  disk_.SetSpace(64 * kMiB);
  EXPECT_THAT(store_.Put("notes", "k", "v"), IsOk());
  EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
  EXPECT_FALSE(store_->statistics().space.is_short);
  EXPECT_EQ(store_.Get("notes", absl::StrCat("k", acknowledged - 1)), std::string(1000, 'v'));
}

// The file that finds no room is now a flush's, now a merge's.
TEST(DatabaseLimits, AMergeWaitsForRoomWhileWritesAndFlushesGoOn) {
  int merges = 0;
  for (uint64_t skip = 0; skip < 12; ++skip) {
    MemoryFileSystem memory{MemoryFileSystemOptions{.track_unsynced = false}};
    FaultInjectingFileSystem disk{memory};
    SteppedStore store{disk, 5};
    ASSERT_THAT(store.Open(), IsOk());
    const size_t rule = disk.AddRule({.operation = FileOperation::kCreate,
                                      .path_part = ".seg",
                                      .skip = skip,
                                      .error_number = ENOSPC});
    for (int i = 0; i < 200; ++i) {
      ASSERT_THAT(store.Put("notes", absl::StrCat("k", i % 50), absl::StrCat(i)), IsOk());
      ASSERT_THAT(store.Put("notes", absl::StrCat("l", i), std::string(500, 'v')), IsOk());
      static_cast<void>(store.executor().Step());
    }
    ASSERT_EQ(disk.hits(rule), 1u);
    merges += std::any_of(store.lines().begin(), store.lines().end(), [](const std::string& line) {
      return absl::StartsWith(line, "compaction of keyspace notes failed");
    });
    EXPECT_THAT(store->Flush(store.Open("notes")), IsOk());
    EXPECT_THAT(store->WaitForBackgroundWork(), IsOk());
    EXPECT_EQ(store.Get("notes", "k49"), "199");
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, store->Verify(VerifyLevel::kBlocks));
    EXPECT_TRUE(report.clean());
  }
  EXPECT_GT(merges, 0);
}

}  // namespace
}  // namespace firn
