#include "engine/database.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/clock.h"
#include "base/executor.h"
#include "firn/database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "sstable/sequence_key.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Key(int i) { return absl::StrFormat("key%06d", i); }

// The same behaviour on a disk and in memory.
class DatabaseTest : public ::testing::TestWithParam<Storage> {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    Options options = options_;
    options.storage = GetParam();
    options.log_sink = [this](absl::string_view line) {
      MutexLock lock(mutex_);
      lines_.emplace_back(line);
    };
    auto opened = Database::Open(folder_.File("store"), options);
    ASSERT_THAT(opened, IsOk());
    database_ = *std::move(opened);
  }
  Keyspace Open(const std::string& name) {
    auto keyspace = database_->OpenOrCreateKeyspace(name, {});
    EXPECT_THAT(keyspace, IsOk());
    return keyspace.ok() ? *keyspace : Keyspace();
  }
  absl::Status Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value,
                   Durability durability = Durability::kBuffered) {
    WriteBatch batch;
    batch.Put(keyspace, key, value);
    return database_->Write(batch, durability);
  }
  absl::Status Remove(const Keyspace& keyspace, absl::string_view key) {
    WriteBatch batch;
    batch.Remove(keyspace, key);
    return database_->Write(batch, Durability::kBuffered);
  }
  static std::string Get(const Keyspace& keyspace, absl::string_view key,
                         const Snapshot& snapshot = {}) {
    const auto value = keyspace.Get(key, snapshot);
    if (absl::IsNotFound(value.status())) return "(absent)";
    return value.ok() ? value->ToString() : value.status().ToString();
  }
  static std::vector<std::string> Scan(const Keyspace& keyspace, const IteratorOptions& options) {
    std::vector<std::string> entries;
    const std::unique_ptr<Iterator> iterator = keyspace.NewIterator(options);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      entries.push_back(absl::StrCat(iterator->key(), "=", iterator->value()));
    }
    EXPECT_THAT(iterator->status(), IsOk());
    return entries;
  }
  void ExpectClean(VerifyLevel level) {
    const auto report = database_->Verify(level);
    ASSERT_THAT(report, IsOk());
    EXPECT_THAT(report->damage, IsEmpty());
  }

  TemporaryDirectory folder_;
  Options options_;
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Database> database_;
};

TEST_P(DatabaseTest, ReadsWhatWasWritten) {
  const Keyspace notes = Open("notes");
  ASSERT_THAT(Put(notes, "alice", "10", Durability::kSynced), IsOk());
  ASSERT_THAT(Put(notes, "bob", "20"), IsOk());
  EXPECT_EQ(Get(notes, "alice"), "10");
  EXPECT_EQ(Get(notes, "bob"), "20");
  EXPECT_EQ(Get(notes, "carol"), "(absent)");
  EXPECT_EQ(notes.Get("carol").status().message(), "");
  ASSERT_THAT(Remove(notes, "alice"), IsOk());
  EXPECT_EQ(Get(notes, "alice"), "(absent)");
  EXPECT_EQ(database_->last_sequence(), 3u);
}

TEST_P(DatabaseTest, ABatchOverTwoKeyspacesIsOneWrite) {
  const Keyspace a = Open("a");
  const Keyspace b = Open("b");
  WriteBatch batch;
  batch.Put(a, "k", "1");
  batch.Put(b, "k", "2");
  batch.Put(a, "k", "3");
  batch.Remove(b, "other");
  ASSERT_THAT(database_->Write(batch, Durability::kSynced), IsOk());
  EXPECT_EQ(Get(a, "k"), "3");
  EXPECT_EQ(Get(b, "k"), "2");
}

TEST_P(DatabaseTest, FlushAndCompactionChangeNoAnswer) {
  const Keyspace notes = Open("notes");
  std::map<std::string, std::string> model;
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 300; ++i) {
      const std::string key = Key((i * 7 + round * 31) % 500);
      if ((i + round) % 11 == 0) {
        ASSERT_THAT(Remove(notes, key), IsOk());
        model.erase(key);
      } else {
        const std::string value = absl::StrCat("value", round, ".", i);
        ASSERT_THAT(Put(notes, key, value), IsOk());
        model[key] = value;
      }
    }
    ASSERT_THAT(database_->Flush(notes), IsOk());
  }
  const auto check = [&] {
    std::vector<std::string> expected;
    for (const auto& [key, value] : model) expected.push_back(absl::StrCat(key, "=", value));
    EXPECT_EQ(Scan(notes, {}), expected);
    for (int i = 0; i < 500; ++i) {
      const auto found = model.find(Key(i));
      EXPECT_EQ(Get(notes, Key(i)), found == model.end() ? "(absent)" : found->second);
    }
  };
  check();
  ASSERT_THAT(database_->WaitForBackgroundWork(), IsOk());
  check();
  ASSERT_THAT(database_->Compact(notes, "", ""), IsOk());
  check();
  const Statistics statistics = database_->statistics();
  EXPECT_EQ(statistics.flushes, 6u);
  EXPECT_GT(statistics.compactions, 0u);
  ASSERT_EQ(statistics.keyspaces.size(), 1u);
  EXPECT_EQ(statistics.keyspaces[0].levels[0].segments, 0u);
  EXPECT_EQ(statistics.keyspaces[0].entries_estimate, model.size());
  ExpectClean(VerifyLevel::kBlocks);
}

TEST_P(DatabaseTest, SnapshotsSeeThePastThroughFlushAndCompaction) {
  const Keyspace notes = Open("notes");
  ASSERT_THAT(Put(notes, "k", "old"), IsOk());
  const Snapshot before = database_->TakeSnapshot();
  ASSERT_THAT(Put(notes, "k", "new"), IsOk());
  ASSERT_THAT(Put(notes, "later", "x"), IsOk());
  EXPECT_EQ(before.sequence(), 1u);
  const auto check = [&] {
    EXPECT_EQ(Get(notes, "k"), "new");
    EXPECT_EQ(Get(notes, "k", before), "old");
    EXPECT_EQ(Get(notes, "later", before), "(absent)");
    EXPECT_THAT(Scan(notes, {.snapshot = before}), ElementsAre("k=old"));
  };
  check();
  ASSERT_THAT(database_->Flush(notes), IsOk());
  check();
  ASSERT_THAT(database_->Compact(notes, "", ""), IsOk());
  check();
  EXPECT_EQ(database_->statistics().snapshots, 1u);
}

TEST_P(DatabaseTest, IteratorsGoBothWaysWithinTheirBounds) {
  const Keyspace notes = Open("notes");
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_THAT(Put(notes, key, key), IsOk());
  ASSERT_THAT(database_->Flush(notes), IsOk());
  ASSERT_THAT(Remove(notes, "c"), IsOk());
  ASSERT_THAT(Put(notes, "bb", "bb"), IsOk());
  EXPECT_THAT(Scan(notes, {.begin = "b", .limit = "e"}), ElementsAre("b=b", "bb=bb", "d=d"));
  const auto iterator = notes.NewIterator({.begin = "b", .limit = "e"});
  std::vector<std::string> backward;
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    backward.emplace_back(iterator->key());
  }
  EXPECT_THAT(backward, ElementsAre("d", "bb", "b"));
  iterator->Seek("c");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "d");
  iterator->SeekForPrev("c");
  ASSERT_TRUE(iterator->Valid());
  EXPECT_EQ(iterator->key(), "bb");
}

TEST_P(DatabaseTest, AnIteratorKeepsItsMomentWhileTheStoreMovesOn) {
  const Keyspace notes = Open("notes");
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Put(notes, Key(i), "old"), IsOk());
  const auto iterator = notes.NewIterator();
  iterator->SeekToFirst();
  for (int i = 0; i < 100; ++i) ASSERT_THAT(Put(notes, Key(i), "new"), IsOk());
  ASSERT_THAT(database_->Compact(notes, "", ""), IsOk());
  int count = 0;
  for (; iterator->Valid(); iterator->Next(), ++count) EXPECT_EQ(iterator->value(), "old");
  EXPECT_THAT(iterator->status(), IsOk());
  EXPECT_EQ(count, 100);
}

TEST_P(DatabaseTest, MultiGetAnswersInTheOrderOfItsKeys) {
  const Keyspace notes = Open("notes");
  for (int i = 0; i < 2000; i += 2) ASSERT_THAT(Put(notes, Key(i), Key(i)), IsOk());
  ASSERT_THAT(database_->Compact(notes, "", ""), IsOk());
  for (int i = 0; i < 2000; i += 10) ASSERT_THAT(Put(notes, Key(i), "newer"), IsOk());
  ASSERT_THAT(database_->Flush(notes), IsOk());
  ASSERT_THAT(Remove(notes, Key(4)), IsOk());
  std::vector<std::string> keys;
  for (int i = 1999; i >= 0; i -= 3) keys.push_back(Key(i));
  keys.push_back(Key(4));
  keys.push_back(Key(6));
  keys.push_back(Key(6));
  const std::vector<absl::string_view> views(keys.begin(), keys.end());
  const auto values = notes.MultiGet(views);
  ASSERT_EQ(values.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string single = Get(notes, keys[i]);
    const std::string found = values[i].ok() ? values[i]->ToString() : "(absent)";
    EXPECT_EQ(found, single) << keys[i];
  }
  EXPECT_EQ(values[values.size() - 3].status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(notes.MultiGet({}), IsEmpty());
}

TEST_P(DatabaseTest, SegmentsReadPastThePageCacheAnswerTheSame) {
  database_.reset();
  options_.direct_segment_reads = true;
  options_.block_cache_size = 0;  // every read asks the file
  Open();
  const Keyspace keyspace = Open("k");
  for (int part = 0; part < 3; ++part) {  // three segments, which a MultiGet reads together
    for (int i = part; i < 600; i += 3) {
      ASSERT_THAT(Put(keyspace, Key(i), absl::StrCat(i, std::string(100, 'x'))), IsOk());
    }
    ASSERT_THAT(database_->Flush(keyspace), IsOk());
  }
  std::vector<std::string> keys;
  for (int i = 0; i < 700; ++i) keys.push_back(Key((i * 37) % 700));
  const auto values = keyspace.MultiGet(std::vector<absl::string_view>(keys.begin(), keys.end()));
  ASSERT_EQ(values.size(), keys.size());
  for (int i = 0; i < 700; ++i) {
    const int number = (i * 37) % 700;
    const std::string expected =
        number < 600 ? absl::StrCat(number, std::string(100, 'x')) : "(absent)";
    EXPECT_EQ(values[static_cast<size_t>(i)].ok() ? values[static_cast<size_t>(i)]->ToString()
                                                  : "(absent)",
              expected);
    EXPECT_EQ(Get(keyspace, Key(number)), expected);
  }
  EXPECT_EQ(Scan(keyspace, {}).size(), 600u);
}

TEST_P(DatabaseTest, KeyspacesAreCreatedFoundAndDropped) {
  EXPECT_THAT(database_->OpenKeyspace("notes"), HasReason(ErrorReason::kKeyspaceNotFound));
  const Keyspace notes = Open("notes");
  EXPECT_THAT(database_->CreateKeyspace("notes", {}), HasReason(ErrorReason::kKeyspaceExists));
  EXPECT_THAT(database_->CreateKeyspace("Notes", {}), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(database_->CreateKeyspace("wal", {}), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(database_->CreateKeyspace("x", {.block_size = 1}),
              HasReason(ErrorReason::kInvalidOption));
  Open("accounts");
  EXPECT_THAT(database_->ListKeyspaces(), ElementsAre("accounts", "notes"));
  ASSERT_THAT(Put(notes, "k", "v"), IsOk());
  ASSERT_THAT(database_->Flush(notes), IsOk());
  ASSERT_THAT(database_->DropKeyspace("notes"), IsOk());
  EXPECT_THAT(notes.Get("k"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(notes.NewIterator()->status(), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(Put(notes, "k", "v"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(database_->Flush(notes), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(database_->DropKeyspace("notes"), HasReason(ErrorReason::kKeyspaceNotFound));
  const Keyspace again = Open("notes");
  EXPECT_NE(again.id(), notes.id());
  EXPECT_EQ(Get(again, "k"), "(absent)");
  ExpectClean(VerifyLevel::kBlocks);
}

TEST_P(DatabaseTest, WrongArgumentsChangeNothing) {
  const Keyspace notes = Open("notes");
  const Keyspace other = Open("other");
  EXPECT_THAT(Put(Keyspace(), "k", "v"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Keyspace().Get("k"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(database_->Flush(Keyspace()), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Put(notes, std::string(kKeySizeMax + 1, 'k'), "v"), HasReason(ErrorReason::kTooLarge));
  EXPECT_THAT(Put(notes, "k", std::string(kValueSizeMax + 1, 'v')),
              HasReason(ErrorReason::kTooLarge));
  WriteBatch batch;
  batch.Put(notes, "k", "v");
  batch.Put(other, "k", "v");
  EXPECT_THAT(database_->Write(batch, Durability::kVolatile),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("two keyspaces")));
  EXPECT_THAT(database_->Write(WriteBatch(), Durability::kSynced), IsOk());
  EXPECT_EQ(database_->last_sequence(), 0u);
  EXPECT_THAT(Put(notes, std::string(kKeySizeMax, 'k'), "v"), IsOk());
  EXPECT_THAT(Put(notes, "", "the empty key is a key"), IsOk());
  EXPECT_EQ(Get(notes, ""), "the empty key is a key");
}

TEST_P(DatabaseTest, VolatileWritesAreVisibleAndFlushed) {
  const Keyspace notes = Open("notes");
  const uint64_t log_bytes = database_->statistics().log_bytes;
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(Put(notes, Key(i), "v", Durability::kVolatile), IsOk());
  }
  EXPECT_EQ(Get(notes, Key(7)), "v");
  EXPECT_EQ(database_->statistics().log_bytes, log_bytes);
  EXPECT_TRUE(notes.impl()->volatile_marked());
  ASSERT_THAT(database_->Flush(notes), IsOk());
  EXPECT_FALSE(notes.impl()->volatile_marked());
  EXPECT_EQ(Get(notes, Key(7)), "v");
}

TEST_P(DatabaseTest, AClosedDatabaseSaysSo) {
  const Keyspace notes = Open("notes");
  ASSERT_THAT(Put(notes, "k", "v"), IsOk());
  ASSERT_THAT(database_->Close(), IsOk());
  ASSERT_THAT(database_->Close(), IsOk());
  EXPECT_THAT(notes.Get("k"), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(Put(notes, "k", "v"), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(database_->Sync(), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(database_->CreateKeyspace("x", {}), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(database_->Verify(VerifyLevel::kFiles), HasReason(ErrorReason::kClosed));
}

TEST_P(DatabaseTest, StatisticsCountWhatHappened) {
  const Keyspace notes = Open("notes");
  ASSERT_THAT(Put(notes, "alice", "10", Durability::kSynced), IsOk());
  ASSERT_THAT(Put(notes, "bob", "200"), IsOk());
  EXPECT_EQ(Get(notes, "alice"), "10");
  ASSERT_THAT(database_->Flush(notes), IsOk());
  EXPECT_EQ(Get(notes, "alice"), "10");
  EXPECT_EQ(Get(notes, "nobody"), "(absent)");
  const Statistics statistics = database_->statistics();
  EXPECT_EQ(statistics.io, GetParam() == Storage::kMemory ? "memory" : statistics.io);
  EXPECT_EQ(statistics.writes, 2u);
  EXPECT_EQ(statistics.entries_written, 2u);
  EXPECT_EQ(statistics.bytes_written, 5u + 2u + 3u + 3u);
  EXPECT_EQ(statistics.log_flushes, 2u);
  EXPECT_EQ(statistics.log_syncs, 1u);
  EXPECT_GE(statistics.log_bytes, 2 * 4096u);
  EXPECT_EQ(statistics.gets, 3u);
  EXPECT_EQ(statistics.flushes, 1u);
  EXPECT_GT(statistics.flushed_bytes, 0u);
  EXPECT_EQ(statistics.write_us.count, 2u);
  EXPECT_EQ(statistics.sync_us.count, 1u);
  EXPECT_GT(statistics.block_cache_misses, 0u);
  EXPECT_GT(statistics.WriteAmplification(), 1.0);
  ASSERT_EQ(statistics.keyspaces.size(), 1u);
  EXPECT_EQ(statistics.keyspaces[0].name, "notes");
  EXPECT_EQ(statistics.keyspaces[0].levels[0].segments, 1u);
}

TEST_P(DatabaseTest, ApproximateSizeGrowsWithTheRange) {
  const Keyspace notes = Open("notes");
  EXPECT_THAT(notes.ApproximateSize("", ""), IsOkAndHolds(0u));
  for (int i = 0; i < 1000; ++i) ASSERT_THAT(Put(notes, Key(i), "value"), IsOk());
  ASSERT_THAT(database_->Flush(notes), IsOk());
  ASSERT_OK_AND_ASSIGN(const uint64_t all, notes.ApproximateSize("", ""));
  EXPECT_GT(all, 1000u);
  EXPECT_THAT(notes.ApproximateSize("x", "z"), IsOkAndHolds(0u));
}

TEST_P(DatabaseTest, FullMemtablesAreFlushedAndMergedInTheBackground) {
  database_ = nullptr;
  options_.memtable_size = 64 << 10;
  options_.segment_size = 64 << 10;
  options_.level1_size = 1 << 20;
  Open();
  const Keyspace notes = Open("notes");
  for (int i = 0; i < 20000; ++i) {
    ASSERT_THAT(Put(notes, Key((i * 7919) % 20000), std::string(100, 'v')), IsOk());
  }
  ASSERT_THAT(database_->WaitForBackgroundWork(), IsOk());
  const Statistics statistics = database_->statistics();
  EXPECT_GT(statistics.flushes, 10u);
  EXPECT_GT(statistics.compactions, 1u);
  EXPECT_LT(statistics.keyspaces[0].levels[0].segments, 4u);
  EXPECT_EQ(Scan(notes, {}).size(), 20000u);
  ExpectClean(VerifyLevel::kBlocks);
}

std::string Number(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

TEST_P(DatabaseTest, AHashedKeyspaceTakesKeysOfItsWidthAlone) {
  EXPECT_THAT(database_->CreateKeyspace("h", {.layout = KeyspaceLayout::kHashed}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key_width")));
  ASSERT_OK_AND_ASSIGN(
      const Keyspace hashed,
      database_->CreateKeyspace("h", {.layout = KeyspaceLayout::kHashed, .key_width = 9}));
  const uint64_t before = database_->last_sequence();
  EXPECT_THAT(Put(hashed, "short", "v"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("its keys have 9")));
  EXPECT_EQ(database_->last_sequence(), before) << "nothing was logged";
  for (int round = 0; round < 9; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_THAT(Put(hashed, Key(100 * round + i), "v"), IsOk());
    ASSERT_THAT(Remove(hashed, Key(100 * round)), IsOk());
    ASSERT_THAT(database_->Flush(hashed), IsOk());
  }
  ASSERT_THAT(database_->WaitForBackgroundWork(), IsOk());
  EXPECT_LT(database_->statistics().keyspaces.back().levels[0].segments, 8u) << "they were merged";
  EXPECT_EQ(Get(hashed, Key(801)), "v");
  EXPECT_EQ(Get(hashed, Key(800)), "(absent)");
  EXPECT_EQ(Get(hashed, "short"), "(absent)");
  EXPECT_EQ(Scan(hashed, {}).size(), 9u * 49);
  ExpectClean(VerifyLevel::kBlocks);
}

TEST_P(DatabaseTest, ASequenceOnlyGrowsAndIsDroppedFromItsBeginning) {
  ASSERT_OK_AND_ASSIGN(Keyspace sequence,
                       database_->CreateKeyspace("s", {.layout = KeyspaceLayout::kSequence}));
  for (uint64_t i = 10; i < 60; ++i) {
    ASSERT_THAT(Put(sequence, Number(i), absl::StrCat(i)), IsOk());
    if (i % 10 != 9) continue;
    ASSERT_THAT(database_->Flush(sequence), IsOk());
  }
  const uint64_t before = database_->last_sequence();
  EXPECT_THAT(Put(sequence, Number(59), "again"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key 59 is not above 59")));
  EXPECT_THAT(Remove(sequence, Number(20)), StatusIs(absl::StatusCode::kInvalidArgument));
  WriteBatch disorder;
  disorder.Put(sequence, Number(70), "");
  disorder.Put(sequence, Number(69), "");
  EXPECT_THAT(database_->Write(disorder, Durability::kBuffered),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key 69 is not above 70")));
  EXPECT_EQ(database_->last_sequence(), before) << "nothing was logged";
  ASSERT_THAT(database_->WaitForBackgroundWork(), IsOk());
  EXPECT_EQ(database_->statistics().compaction_written_bytes, 0u) << "moved, never rewritten";

  ASSERT_THAT(database_->DropBelow(sequence, Number(35)), IsOk());
  EXPECT_EQ(Get(sequence, Number(34)), "(absent)");
  EXPECT_EQ(Get(sequence, Number(35)), "35");
  EXPECT_EQ(Scan(sequence, {}).size(), 25u);
  size_t segments = 0;
  const Statistics statistics = database_->statistics();
  for (const LevelStatistics& level : statistics.keyspaces.back().levels) {
    segments += level.segments;
  }
  EXPECT_EQ(segments, 3u) << "10 to 19 and 20 to 29 are gone as files";
  ASSERT_THAT(database_->DropBelow(sequence, Number(100)), IsOk());
  EXPECT_THAT(Put(sequence, Number(99), ""), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(Put(sequence, Number(100), "new"), IsOk());
  EXPECT_EQ(Scan(sequence, {}).size(), 1u);
  EXPECT_THAT(database_->DropBelow(Open("notes"), Number(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sequence layout")));
  EXPECT_THAT(database_->DropBelow(sequence, "1"), StatusIs(absl::StatusCode::kInvalidArgument));
  ExpectClean(VerifyLevel::kBlocks);
  if (GetParam() == Storage::kMemory) return;

  sequence = Keyspace();  // it must not outlive its database
  ASSERT_THAT(database_->Close(), IsOk());
  Open();
  ASSERT_OK_AND_ASSIGN(sequence, database_->OpenKeyspace("s"));
  EXPECT_EQ(Scan(sequence, {}).size(), 1u) << "the bound is kept";
  EXPECT_THAT(Put(sequence, Number(100), ""), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(Put(sequence, Number(101), ""), IsOk());
}

INSTANTIATE_TEST_SUITE_P(OnDiskAndInMemory, DatabaseTest,
                         ::testing::Values(Storage::kDisk, Storage::kMemory),
                         [](const auto& instance) {
                           return instance.param == Storage::kDisk ? "Disk" : "Memory";
                         });

TEST(DatabaseOpen, RefusesOptionsByName) {
  TemporaryDirectory folder;
  EXPECT_THAT(Database::Open(folder.File("store"), {.memtable_size = 1}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("memtable_size")));
  EXPECT_THAT(Database::Open(folder.File("store"), {.identity = {{"a=b", "c"}}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("identity")));
}

TEST(DatabaseOpen, KeepsIdAndIdentity) {
  TemporaryDirectory folder;
  std::string id;
  {
    ASSERT_OK_AND_ASSIGN(auto database,
                         Database::Open(folder.File("store"), {.identity = {{"tree", "avl"}}}));
    id = database->store_id();
    EXPECT_EQ(id.size(), 32u);
  }
  ASSERT_OK_AND_ASSIGN(auto database,
                       Database::Open(folder.File("store"), {.identity = {{"other", "fact"}}}));
  EXPECT_EQ(database->store_id(), id);
  EXPECT_THAT(database->identity(), ElementsAre(std::make_pair("tree", "avl")));
}

TEST(DatabaseOpen, HeedsItsMode) {
  TemporaryDirectory folder;
  const std::string path = folder.File("store");
  EXPECT_THAT(Database::Open(path, {.mode = OpenMode::kOpenExisting}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Database::Open(path, {.mode = OpenMode::kOpenExisting}),
              HasReason(ErrorReason::kNotAStore));
  EXPECT_THAT(Database::Open(path, {.mode = OpenMode::kCreateNew}), IsOk());
  EXPECT_THAT(Database::Open(path, {.mode = OpenMode::kCreateNew}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Database::Open(path, {.mode = OpenMode::kOpenExisting}), IsOk());
}

TEST(DatabaseOpen, IsRefusedWhileAnotherHasIt) {
  TemporaryDirectory folder;
  ASSERT_OK_AND_ASSIGN(auto database, Database::Open(folder.File("store"), {}));
  EXPECT_THAT(Database::Open(folder.File("store"), {}), HasReason(ErrorReason::kLocked));
  ASSERT_THAT(database->Close(), IsOk());
  EXPECT_THAT(Database::Open(folder.File("store"), {}), IsOk());
}

TEST(DatabaseOpen, WritesSurviveReopening) {
  TemporaryDirectory folder;
  for (int round = 0; round < 5; ++round) {
    ASSERT_OK_AND_ASSIGN(auto database, Database::Open(folder.File("store"), {}));
    ASSERT_OK_AND_ASSIGN(const Keyspace notes, database->OpenOrCreateKeyspace("notes", {}));
    for (int i = 0; i < round; ++i) {
      ASSERT_OK_AND_ASSIGN(const PinnedValue value, notes.Get(Key(i)));
      EXPECT_EQ(value.view(), absl::StrCat("value", i));
    }
    EXPECT_EQ(database->last_sequence(), static_cast<uint64_t>(round));
    WriteBatch batch;
    batch.Put(notes, Key(round), absl::StrCat("value", round));
    const Durability durability = round % 2 == 0 ? Durability::kBuffered : Durability::kVolatile;
    ASSERT_THAT(database->Write(batch, durability), IsOk());
    if (round == 2) {
      ASSERT_THAT(database->Flush(notes), IsOk());
    }
  }
}

}  // namespace
}  // namespace firn
