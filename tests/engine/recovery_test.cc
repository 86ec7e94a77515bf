#include "engine/recovery.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class RecoveryTest : public ::testing::Test {
 protected:
  // A store with a flushed keyspace, an unflushed one and a dropped one; closed, or torn off.
  void MakeStore(bool closed) {
    SteppedStore store(file_system_, 1);
    ASSERT_THAT(store.Open(), IsOk());
    for (int i = 0; i < 40; ++i) {
      ASSERT_THAT(store.Put("flushed", absl::StrCat("k", i), "v"), IsOk());
    }
    ASSERT_THAT(store->Flush(store.Open("flushed")), IsOk());
    ASSERT_THAT(store.Put("dropped", "k", "v"), IsOk());
    ASSERT_THAT(store.Put("logged", "k", "v"), IsOk());
    ASSERT_THAT(store->DropKeyspace("dropped"), IsOk());
    ASSERT_THAT(store.Put("logged", "l", "w", Durability::kSynced), IsOk());
    ASSERT_THAT(store->WaitForBackgroundWork(), IsOk());
    if (closed) {
      ASSERT_THAT(store.Close(), IsOk());
    } else {
      file_system_.Crash();
      static_cast<void>(store.Close());
      file_system_.LoseUnsyncedData();
    }
  }
  absl::Status TryOpen() {
    SteppedStore store(file_system_, 2);
    return store.Open();
  }
  std::string OneOf(const std::string& directory, const std::string& part) {
    const std::vector<std::string> names = file_system_.List(directory).value();
    for (const std::string& name : names) {
      if (absl::StrContains(name, part)) return JoinPath(directory, name);
    }
    return "";
  }
  void Flip(const std::string& path, uint64_t offset) {
    auto file = file_system_.OpenForRead(path).value();
    uint8_t byte = 0;
    ASSERT_THAT(file->Read(offset, absl::MakeSpan(&byte, 1)), IsOk());
    byte ^= 0x10;
    auto writer = file_system_.OpenForWrite(path).value();
    ASSERT_THAT(writer->WriteAndSync(offset, {ByteSpan(&byte, 1)}), IsOk());
  }

  MemoryFileSystem file_system_;
};

TEST_F(RecoveryTest, ReplaysWhatNoSegmentHas) {
  MakeStore(/*closed=*/false);
  SteppedStore store(file_system_, 2);
  ASSERT_THAT(store.Open(), IsOk());
  EXPECT_EQ(store.Get("logged", "k"), "v");
  EXPECT_EQ(store.Get("logged", "l"), "w");
  EXPECT_EQ(store.Get("flushed", "k7"), "v");
  EXPECT_THAT(store->ListKeyspaces(), Not(Contains("dropped")));
  EXPECT_GT(store->statistics().recovered_batches, 0u);
  EXPECT_TRUE(store.Open("flushed").impl()->version()->active()->empty());
}

TEST_F(RecoveryTest, NumbersGoOnAboveAllThatWasUsed) {
  MakeStore(/*closed=*/true);
  SteppedStore store(file_system_, 2);
  ASSERT_THAT(store.Open(), IsOk());
  EXPECT_EQ(store->last_sequence(), 43u);
  ASSERT_THAT(store.Put("flushed", "k0", "again"), IsOk());
  ASSERT_THAT(store.Close(), IsOk());
  ASSERT_THAT(store.Open(), IsOk());
  EXPECT_EQ(store->last_sequence(), 44u);
  EXPECT_EQ(store.Get("flushed", "k0"), "again");
}

TEST_F(RecoveryTest, RemovesOrphansAndNothingElse) {
  MakeStore(/*closed=*/true);
  for (const char* path : {"store/flushed/999999.seg", "store/MANIFEST-888888", "store/CURRENT.tmp",
                           "store/flushed/readme.txt", "store/notes.txt"}) {
    ASSERT_THAT(file_system_.Create(path), IsOk());
  }
  ASSERT_THAT(file_system_.CreateDirectory("store/half"), IsOk());
  ASSERT_THAT(file_system_.Create("store/half/777777.seg"), IsOk());
  ASSERT_THAT(file_system_.CreateDirectory("store/quarantine"), IsOk());
  ASSERT_THAT(file_system_.Create("store/quarantine/000001.seg"), IsOk());
  SteppedStore store(file_system_, 2);
  ASSERT_THAT(store.Open(), IsOk());
  for (const char* gone : {"store/flushed/999999.seg", "store/MANIFEST-888888", "store/CURRENT.tmp",
                           "store/half", "store/dropped"}) {
    EXPECT_THAT(file_system_.Stat(gone), StatusIs(absl::StatusCode::kNotFound)) << gone;
  }
  for (const char* stays :
       {"store/flushed/readme.txt", "store/notes.txt", "store/quarantine/000001.seg"}) {
    EXPECT_THAT(file_system_.Stat(stays), IsOk()) << stays;
  }
  // The orphans' numbers are not used again.
  EXPECT_THAT(file_system_.Stat("store/MANIFEST-1000000"), IsOk());
}

TEST_F(RecoveryTest, AFolderWithOtherFilesIsNotAStoreAndStaysAsItIs) {
  ASSERT_THAT(file_system_.CreateDirectory("store"), IsOk());
  ASSERT_THAT(file_system_.Create("store/holiday.jpg"), IsOk());
  EXPECT_THAT(TryOpen(), HasReason(ErrorReason::kNotAStore));
  EXPECT_THAT(file_system_.List("store"), IsOkAndHolds(testing::ElementsAre("holiday.jpg")));
}

TEST_F(RecoveryTest, AFileIsNotAStore) {
  ASSERT_THAT(file_system_.Create("store"), IsOk());
  EXPECT_THAT(TryOpen(), HasReason(ErrorReason::kNotAStore));
}

TEST_F(RecoveryTest, MissingFilesAreNamed) {
  MakeStore(/*closed=*/true);
  const std::unique_ptr<MemoryFileSystem> whole = file_system_.Fork();
  const auto missing = [&](const std::string& path) {
    const auto copy = whole->Fork();
    ASSERT_THAT(copy->RemoveFile(path), IsOk());
    SteppedStore store(*copy, 2);
    const absl::Status opened = store.Open();
    EXPECT_THAT(opened, HasReason(ErrorReason::kMissingFile)) << path;
    EXPECT_THAT(std::string(opened.message()), HasSubstr(path));
  };
  missing("store/FIRN");
  missing("store/CURRENT");
  missing(OneOf("store", "MANIFEST"));
  missing(OneOf("store/flushed", ".seg"));
  const auto copy = whole->Fork();
  ASSERT_THAT(copy->RemoveFile(OneOf("store/wal", ".wal")), IsOk());
  SteppedStore store(*copy, 2);
  EXPECT_FALSE(store.Open().ok());
}

TEST_F(RecoveryTest, DamageIsAnErrorThatNamesTheFileAndChangesNothing) {
  MakeStore(/*closed=*/true);
  for (const std::string& path :
       {std::string("store/FIRN"), std::string("store/CURRENT"), OneOf("store", "MANIFEST"),
        OneOf("store/wal", ".wal")}) {
    const uint64_t offset = absl::EndsWith(path, ".wal") || absl::StrContains(path, "MANIFEST")
                                ? 4096 + 20
                                : 12;
    Flip(path, offset);
    const auto before = file_system_.List("store");
    const absl::Status opened = TryOpen();
    EXPECT_FALSE(opened.ok()) << path;
    EXPECT_THAT(std::string(opened.message()), HasSubstr(path));
    EXPECT_EQ(*file_system_.List("store"), *before);
    Flip(path, offset);
  }
  EXPECT_THAT(TryOpen(), IsOk());
}

TEST_F(RecoveryTest, ANewerFormatIsNamed) {
  MakeStore(/*closed=*/true);
  std::string text = ReadWholeFile(file_system_, "store/FIRN", 1 << 20).value();
  text.replace(text.find("format = 2"), 10, "format = 3");
  ASSERT_THAT(WriteFileAtomically(file_system_, "store/FIRN", text), IsOk());
  const absl::Status opened = TryOpen();
  EXPECT_THAT(opened, HasReason(ErrorReason::kFormatVersion));
  EXPECT_THAT(std::string(opened.message()), HasSubstr("version 2"));
}

TEST_F(RecoveryTest, AnInterruptedCreationIsBegunAgain) {
  for (uint64_t crash_at = 0;; ++crash_at) {
    MemoryFileSystem file_system({.seed = crash_at, .crash_at_operation = crash_at});
    {
      SteppedStore store(file_system, 3);
      static_cast<void>(store.Open());
    }
    const bool was_hit = file_system.crashed();
    file_system.LoseUnsyncedData();
    SteppedStore store(file_system, 4);
    ASSERT_THAT(store.Open(), IsOk()) << crash_at;
    ASSERT_THAT(store.Put("notes", "k", "v"), IsOk());
    if (!was_hit) break;
  }
}

TEST_F(RecoveryTest, UnflushedVolatileWritesAreGoneAfterACrashAndTheLoggedOnesNot) {
  {
    SteppedStore store(file_system_, 1);
    ASSERT_THAT(store.Open(), IsOk());
    ASSERT_THAT(store.Put("bulk", "early", "x", Durability::kVolatile), IsOk());
    ASSERT_THAT(store->Flush(store.Open("bulk")), IsOk());
    ASSERT_THAT(store.Put("bulk", "late", "x", Durability::kVolatile), IsOk());
    ASSERT_THAT(store.Put("notes", "k", "v", Durability::kSynced), IsOk());
    file_system_.Crash();
  }
  file_system_.LoseUnsyncedData();
  SteppedStore store(file_system_, 2);
  ASSERT_THAT(store.Open(), IsOk());
  EXPECT_EQ(store.Get("bulk", "early"), "x");
  EXPECT_EQ(store.Get("bulk", "late"), "(absent)");
  EXPECT_EQ(store.Get("notes", "k"), "v");
  EXPECT_THAT(store.lines(), Contains(HasSubstr("keyspace bulk: volatile writes above number 1")));
}

TEST_F(RecoveryTest, ACleanCloseLosesNoVolatileWrite) {
  SteppedStore store(file_system_, 1);
  ASSERT_THAT(store.Open(), IsOk());
  ASSERT_THAT(store.Put("bulk", "k", "x", Durability::kVolatile), IsOk());
  ASSERT_THAT(store.Close(), IsOk());
  ASSERT_THAT(store.Open(), IsOk());
  EXPECT_EQ(store.Get("bulk", "k"), "x");
}

// Nothing can be allocated any more, neither when the store is torn off nor when it is opened again, and
// again: its own files suffice.
TEST_F(RecoveryTest, AStoreOpensOnAFullDisk) {
  Options options = TinyOptions();
  options.log_size_max = 4 << 20;  // slots of a MiB: one spare is room for a manifest
  options.memtable_size = 1 << 20;
  FaultInjectingFileSystem disk(file_system_);
  {
    SteppedStore store(disk, 1, options);
    ASSERT_THAT(store.Open(), IsOk());
    for (int i = 0; i < 100; ++i) {
      ASSERT_THAT(store.Put("notes", absl::StrCat("k", i), std::string(100, 'v')), IsOk());
    }
    store.executor().Drain();  // a spare is made
    disk.SetSpace(0);
    ASSERT_THAT(store.Put("notes", "last", "w", Durability::kSynced), IsOk());
    file_system_.Crash();
    static_cast<void>(store.Close());
    file_system_.LoseUnsyncedData();
  }
  for (int round = 0; round < 3; ++round) {
    SteppedStore store(disk, 2, options);
    ASSERT_THAT(store.Open(), IsOk()) << round;
    EXPECT_EQ(store.Get("notes", "k7"), std::string(100, 'v'));
    EXPECT_EQ(store.Get("notes", "last"), "w");
    file_system_.Crash();
    static_cast<void>(store.Close());
    file_system_.LoseUnsyncedData();
  }
  disk.ClearSpace();
  SteppedStore store(disk, 2, options);
  ASSERT_THAT(store.Open(), IsOk());
  ASSERT_THAT(store.Put("notes", "room", "again"), IsOk());
  ASSERT_THAT(store->Flush(store.Open("notes")), IsOk());
  EXPECT_EQ(store.Get("notes", "last"), "w");
}

TEST_F(RecoveryTest, ManyEntriesOfALargeLogComeBackInEveryLayout) {
  Options options;
  options.memtable_size = 64 << 20;
  const std::string names[] = {"ordered", "hashed"};
  constexpr int kEntries = 25'000;
  const auto key_of = [](int i) { return absl::StrCat(10'000'000 + i); };
  {
    SteppedStore store(file_system_, 1, options);
    ASSERT_THAT(store.Open(), IsOk());
    ASSERT_THAT(store->OpenOrCreateKeyspace(
                    "hashed", {.layout = KeyspaceLayout::kHashed, .key_width = 8}),
                IsOk());
    for (int begin = 0; begin < kEntries; begin += 100) {
      WriteBatch batch;
      for (int i = begin; i < begin + 100; ++i) {
        for (const std::string& name : names) {
          batch.Put(store->OpenOrCreateKeyspace(name, {}).value(), key_of(i % 20'000),
                    absl::StrCat(i));
        }
      }
      ASSERT_THAT(store->Write(batch, Durability::kBuffered), IsOk());
    }
    ASSERT_THAT(store->Sync(), IsOk());
    file_system_.Crash();
    static_cast<void>(store.Close());
    file_system_.LoseUnsyncedData();
  }
  SteppedStore store(file_system_, 2, options);
  ASSERT_THAT(store.Open(), IsOk());
  for (const std::string& name : names) {
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_EQ(store.Get(name, key_of(i)), absl::StrCat(i < 5'000 ? i + 20'000 : i));
    }
  }
}

}  // namespace
}  // namespace firn
