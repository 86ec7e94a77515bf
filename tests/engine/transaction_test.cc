#include "engine/transaction.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "sstable/sequence_key.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() : store_(memory_, 1) {
    EXPECT_OK(store_.Open());
    notes_ = store_.Open("notes");
    other_ = store_.Open("other");
  }
  std::unique_ptr<Transaction> Begin(Isolation isolation = Isolation::kSnapshot) {
    return store_->BeginTransaction({.isolation = isolation}).value();
  }
  static std::string Text(const absl::StatusOr<PinnedValue>& value) {
    if (value.ok()) return value->ToString();
    return absl::IsNotFound(value.status()) ? "(absent)" : value.status().ToString();
  }
  static std::string SequenceKey(uint64_t number) {
    std::string key(kSequenceKeySize, '\0');
    StoreSequenceKey(key.data(), number);
    return key;
  }
  static std::string Scan(Transaction& transaction, const Keyspace& keyspace) {
    std::string line;
    const auto iterator = transaction.NewIterator(keyspace);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      absl::StrAppend(&line, iterator->key(), "=", iterator->value(), " ");
    }
    EXPECT_OK(iterator->status());
    return line;
  }

  MemoryFileSystem memory_;
  SteppedStore store_;
  Keyspace notes_, other_;
};

TEST_F(TransactionTest, AnAppendThatCameLateIsAConflictAndOneThatNeverFitsIsNot) {
  const Keyspace log =
      store_->CreateKeyspace("log", {.layout = KeyspaceLayout::kSequence}).value();
  const auto append = [&](uint64_t key) {
    WriteBatch batch;
    batch.Put(log, SequenceKey(key), "v");
    return store_->Write(batch, Durability::kBuffered);
  };
  ASSERT_OK(append(5));
  const auto late = Begin();
  ASSERT_OK(append(15));
  ASSERT_OK(late->Put(log, SequenceKey(6), "v"));
  EXPECT_THAT(late->Commit(Durability::kBuffered), HasReason(ErrorReason::kConflict));
  const auto wrong = Begin();
  ASSERT_OK(wrong->Put(log, SequenceKey(15), "v"));
  EXPECT_THAT(wrong->Commit(Durability::kBuffered), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(TransactionTest, SerializableSeesWhatWasDropped) {
  const Keyspace log =
      store_->CreateKeyspace("log", {.layout = KeyspaceLayout::kSequence}).value();
  WriteBatch batch;
  batch.Put(log, SequenceKey(1), "v");
  batch.Put(notes_, "a", "1");
  ASSERT_OK(store_->Write(batch, Durability::kBuffered));
  const auto read_log = Begin(Isolation::kSerializable);
  EXPECT_EQ(Text(read_log->Get(log, SequenceKey(1))), "v");
  const auto read_notes = Begin(Isolation::kSerializable);
  EXPECT_EQ(Text(read_notes->Get(notes_, "a")), "1");
  const auto under_snapshot = Begin();
  EXPECT_EQ(Text(under_snapshot->Get(notes_, "a")), "1");
  ASSERT_OK(store_->DropBelow(log, SequenceKey(2)));
  EXPECT_EQ(Text(read_log->Get(log, SequenceKey(1))), "(absent)");
  ASSERT_OK(read_log->Put(other_, "x", "1"));
  EXPECT_THAT(read_log->Commit(Durability::kBuffered), HasReason(ErrorReason::kConflict));
  ASSERT_OK(store_->DropKeyspace("notes"));
  ASSERT_OK(read_notes->Put(other_, "y", "1"));
  EXPECT_THAT(read_notes->Commit(Durability::kBuffered),
              AllOf(HasReason(ErrorReason::kConflict),
                    StatusIs(absl::StatusCode::kAborted, HasSubstr("dropped"))));
  ASSERT_OK(under_snapshot->Put(other_, "z", "1"));
  EXPECT_OK(under_snapshot->Commit(Durability::kBuffered));
  const auto after = Begin(Isolation::kSerializable);
  EXPECT_EQ(Text(after->Get(log, SequenceKey(1))), "(absent)");
  ASSERT_OK(after->Put(other_, "x", "2"));
  EXPECT_OK(after->Commit(Durability::kBuffered));
}

TEST_F(TransactionTest, AReadOverTheLimitHasNoEffect) {
  ASSERT_OK(store_.Put("notes", "a", "1"));
  TransactionOptions options;
  options.isolation = Isolation::kSerializable;
  options.read_bytes_max = 1024;
  const auto transaction = store_->BeginTransaction(options).value();
  EXPECT_EQ(Text(transaction->Get(notes_, "a")), "1");
  const std::string large(2000, 'k');
  EXPECT_THAT(transaction->Get(notes_, large).status(), HasReason(ErrorReason::kTooLarge));
  EXPECT_THAT(transaction->MultiGet(notes_, {"b", large})[0].status(),
              HasReason(ErrorReason::kTooLarge));
  EXPECT_EQ(Text(transaction->Get(notes_, "a")), "1");
  EXPECT_EQ(Text(transaction->Get(notes_, "c")), "(absent)");
}

TEST_F(TransactionTest, ReadsItsSnapshotAndItsOwnWrites) {
  ASSERT_OK(store_.Put("notes", "a", "1"));
  ASSERT_OK(store_.Put("notes", "b", "1"));
  const auto transaction = Begin();
  ASSERT_OK(store_.Put("notes", "a", "2"));
  EXPECT_EQ(Text(transaction->Get(notes_, "a")), "1") << "as of its beginning";
  ASSERT_OK(transaction->Put(notes_, "c", "1"));
  ASSERT_OK(transaction->Put(notes_, "c", "2"));
  ASSERT_OK(transaction->Remove(notes_, "b"));
  EXPECT_EQ(Text(transaction->Get(notes_, "c")), "2") << "the last write counts";
  EXPECT_EQ(Text(transaction->Get(notes_, "b")), "(absent)");
  const auto many = transaction->MultiGet(notes_, {"c", "a", "b", "z"});
  EXPECT_EQ(Text(many[0]), "2");
  EXPECT_EQ(Text(many[1]), "1");
  EXPECT_EQ(Text(many[2]), "(absent)");
  EXPECT_EQ(Text(many[3]), "(absent)");
  EXPECT_EQ(Scan(*transaction, notes_), "a=1 c=2 ");
  EXPECT_EQ(store_.Get("notes", "c"), "(absent)") << "nobody else sees it";
  EXPECT_EQ(transaction->write_count(), 2u);
}

TEST_F(TransactionTest, CommitsOverKeyspacesAsOneWriteAtOneNumber) {
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put(notes_, "k", "1"));
  ASSERT_OK(transaction->Put(other_, "k", "2"));
  ASSERT_OK(transaction->Put(notes_, "k", "3"));
  const uint64_t before = store_->last_sequence();
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(store_->last_sequence(), before + 2) << "one number for each key";
  EXPECT_EQ(store_.Get("notes", "k"), "3");
  EXPECT_EQ(store_.Get("other", "k"), "2");
}

TEST_F(TransactionTest, TheFirstCommitterWins) {
  const auto first = Begin(), second = Begin();
  ASSERT_OK(first->Put(notes_, "k", "first"));
  ASSERT_OK(second->Put(notes_, "k", "second"));
  ASSERT_OK(second->Put(notes_, "mine", "second"));
  ASSERT_OK(first->Commit());
  const absl::Status lost = second->Commit();
  EXPECT_THAT(lost, StatusIs(absl::StatusCode::kAborted,
                             AllOf(HasSubstr("keyspace notes"), HasSubstr("\"k\""))));
  EXPECT_THAT(lost, HasReason(ErrorReason::kConflict));
  EXPECT_EQ(store_.Get("notes", "k"), "first");
  EXPECT_EQ(store_.Get("notes", "mine"), "(absent)") << "nothing of it";
  EXPECT_EQ(store_->statistics().transactions_committed, 1u);
  EXPECT_EQ(store_->statistics().transactions_conflicted, 1u);
}

TEST_F(TransactionTest, APlainWriteAndARemovalComeFirstToo) {
  for (const bool removal : {false, true}) {
    const auto transaction = Begin();
    ASSERT_OK(transaction->Put(notes_, std::string("\x01k"), "mine"));
    WriteBatch batch;
    if (removal) batch.Remove(notes_, "\x01k");
    if (!removal) batch.Put(notes_, "\x01k", "v");
    ASSERT_OK(store_->Write(batch, Durability::kBuffered));
    EXPECT_THAT(transaction->Commit(), StatusIs(absl::StatusCode::kAborted, HasSubstr("016b")));
  }
}

// Both read what the other writes.
TEST_F(TransactionTest, WriteSkewHappensUnderSnapshotAndIsRefusedUnderSerializable) {
  for (const Isolation isolation : {Isolation::kSnapshot, Isolation::kSerializable}) {
    ASSERT_OK(store_.Put("notes", "alice", "on call"));
    ASSERT_OK(store_.Put("notes", "bob", "on call"));
    const auto first = Begin(isolation), second = Begin(isolation);
    EXPECT_EQ(Text(first->Get(notes_, "bob")), "on call");
    ASSERT_OK(first->Put(notes_, "alice", "off"));
    EXPECT_EQ(Text(second->Get(notes_, "alice")), "on call");
    ASSERT_OK(second->Put(notes_, "bob", "off"));
    ASSERT_OK(first->Commit());
    const absl::Status status = second->Commit();
    if (isolation == Isolation::kSnapshot) {
      EXPECT_OK(status);
      EXPECT_EQ(store_.Get("notes", "bob"), "off") << "nobody is on call";
    } else {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, HasSubstr("\"alice\"")));
      EXPECT_EQ(store_.Get("notes", "bob"), "on call");
    }
  }
}

TEST_F(TransactionTest, GetForUpdateRefusesWriteSkewUnderSnapshot) {
  const auto first = Begin(), second = Begin();
  EXPECT_EQ(Text(first->GetForUpdate(notes_, "bob")), "(absent)");
  ASSERT_OK(first->Put(notes_, "alice", "off"));
  EXPECT_EQ(Text(second->GetForUpdate(notes_, "alice")), "(absent)");
  ASSERT_OK(second->Put(notes_, "bob", "off"));
  ASSERT_OK(first->Commit());
  EXPECT_THAT(second->Commit(), HasReason(ErrorReason::kConflict));
}

TEST_F(TransactionTest, SerializableChecksAbsentKeysAndRangesButOnlyThoseThatWereRead) {
  const auto reads_absent = Begin(Isolation::kSerializable);
  const auto scans = Begin(Isolation::kSerializable);
  const auto scans_elsewhere = Begin(Isolation::kSerializable);
  EXPECT_EQ(Text(reads_absent->Get(notes_, "new")), "(absent)");
  EXPECT_EQ(reads_absent->MultiGet(notes_, {"x", "y"}).size(), 2u);
  EXPECT_EQ(Scan(*scans, notes_), "");
  EXPECT_EQ(Scan(*scans_elsewhere, other_), "");
  const auto below = scans_elsewhere->NewIterator(notes_, {.limit = "new"});
  below->SeekToFirst();
  EXPECT_FALSE(below->Valid());
  ASSERT_OK(store_.Put("notes", "new", "a phantom"));
  for (const auto& transaction : {&reads_absent, &scans, &scans_elsewhere}) {
    ASSERT_OK((*transaction)->Put(other_, absl::StrCat("own ", transaction == &scans), "v"));
  }
  EXPECT_THAT(reads_absent->Commit(), HasReason(ErrorReason::kConflict));
  EXPECT_THAT(scans->Commit(), HasReason(ErrorReason::kConflict));
  EXPECT_OK(scans_elsewhere->Commit());
}

TEST_F(TransactionTest, OneThatOnlyReadsCommitsWhateverHappened) {
  const auto reader = Begin(Isolation::kSerializable);
  EXPECT_EQ(Text(reader->Get(notes_, "k")), "(absent)");
  ASSERT_OK(store_.Put("notes", "k", "v"));
  EXPECT_OK(reader->Commit());
}

TEST_F(TransactionTest, RefusesEverythingOnceItHasEnded) {
  for (const int how : {0, 1}) {
    const auto transaction = Begin();
    const auto iterator = transaction->NewIterator(notes_);
    ASSERT_OK(how == 0 ? transaction->Commit() : transaction->Rollback());
    EXPECT_TRUE(transaction->ended());
    EXPECT_TRUE(transaction->snapshot().empty());
    iterator->SeekToFirst();
    const absl::Status refusals[] = {
        transaction->Get(notes_, "k").status(),
        transaction->GetForUpdate(notes_, "k").status(),
        transaction->MultiGet(notes_, {"k"})[0].status(),
        transaction->NewIterator(notes_)->status(),
        iterator->status(),
        transaction->Put(notes_, "k", "v"),
        transaction->Remove(notes_, "k"),
        transaction->CreateSavepoint("s"),
        transaction->RollbackToSavepoint("s"),
        transaction->ReleaseSavepoint("s"),
        transaction->ChangesSince("s").status(),
        transaction->Commit(),
        transaction->Rollback(),
    };
    for (const absl::Status& status : refusals) {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
      EXPECT_THAT(status, HasReason(ErrorReason::kTransactionEnded));
    }
  }
}

TEST_F(TransactionTest, RollbackAndTheDestructorDropEverything) {
  {
    const auto transaction = Begin();
    ASSERT_OK(transaction->Put(notes_, "k", "v"));
    EXPECT_EQ(store_->statistics().transactions_open, 1u);
    EXPECT_EQ(store_->statistics().snapshots, 1u);
  }
  EXPECT_EQ(store_->statistics().transactions_open, 0u);
  EXPECT_EQ(store_->statistics().snapshots, 0u);
  EXPECT_EQ(store_.Get("notes", "k"), "(absent)");
}

TEST_F(TransactionTest, SavepointsUndoWritesOfAllKeyspacesAndTheReadsSince) {
  const auto transaction = Begin(Isolation::kSerializable);
  ASSERT_OK(transaction->Put(notes_, "a", "1"));
  ASSERT_OK(transaction->CreateSavepoint("one"));
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK(transaction->Put(notes_, "a", "2"));
    ASSERT_OK(transaction->Put(other_, "b", "2"));
    ASSERT_OK(transaction->Remove(notes_, "c"));
    EXPECT_EQ(Text(transaction->Get(notes_, "read")), "(absent)");
    EXPECT_EQ(*transaction->ChangesSince("one"), 3u);
    ASSERT_OK(transaction->RollbackToSavepoint("one"));
    EXPECT_THAT(transaction->savepoint_names(), ElementsAre("one"));
    EXPECT_EQ(Text(transaction->Get(notes_, "a")), "1");
  }
  ASSERT_OK(store_.Put("notes", "read", "by nobody that counts"));
  ASSERT_OK(transaction->ReleaseSavepoint("one"));
  ASSERT_OK(transaction->Commit());
  EXPECT_EQ(store_.Get("notes", "a"), "1");
  EXPECT_EQ(store_.Get("other", "b"), "(absent)");
}

TEST_F(TransactionTest, NestedOnesAreUndoneUnlessTheyAreKept) {
  const auto transaction = Begin();
  ASSERT_OK(transaction->Put(notes_, "outer", "v"));
  {
    NestedTransaction kept(*transaction);
    ASSERT_OK(transaction->Put(notes_, "kept", "v"));
    {
      NestedTransaction lost(*transaction);
      ASSERT_OK(transaction->Put(notes_, "lost", "v"));
    }
    {
      NestedTransaction inner(*transaction);
      ASSERT_OK(transaction->Put(notes_, "tried", "v"));
      ASSERT_OK(inner.Undo());
      ASSERT_OK(transaction->Put(notes_, "inner", "v"));
      ASSERT_OK(inner.Keep());
    }
    ASSERT_OK(kept.Keep());
  }
  EXPECT_TRUE(transaction->savepoint_names().empty());
  EXPECT_EQ(Scan(*transaction, notes_), "inner=v kept=v outer=v ");
  ASSERT_OK(transaction->Rollback());
  NestedTransaction late(*transaction);
  EXPECT_THAT(late.Keep(), HasReason(ErrorReason::kTransactionEnded));
}

TEST_F(TransactionTest, LimitsAreNamedAndARefusedWriteHasNoEffect) {
  const auto transaction =
      store_->BeginTransaction({.isolation = Isolation::kSerializable,
                                .write_bytes_max = 1024,
                                .read_bytes_max = 1024}).value();
  ASSERT_OK(transaction->Put(notes_, "k", "v"));
  const absl::Status large = transaction->Put(notes_, "k", std::string(1024, 'x'));
  EXPECT_THAT(large, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("write_bytes_max")));
  EXPECT_THAT(large, HasReason(ErrorReason::kTooLarge));
  EXPECT_THAT(transaction->Put(notes_, std::string(70'000, 'k'), ""),
              HasReason(ErrorReason::kTooLarge));
  EXPECT_EQ(Text(transaction->Get(notes_, "k")), "v");
  absl::Status read;
  int reads = 0;
  while (read.ok() || absl::IsNotFound(read)) {
    read = transaction->Get(notes_, absl::StrCat("r", ++reads)).status();
  }
  EXPECT_GT(reads, 10);
  EXPECT_THAT(read, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("read_bytes_max")));
  EXPECT_THAT(transaction->Put(notes_, "k", "2"), IsOk());
}

TEST_F(TransactionTest, WrongArgumentsAreRefused) {
  const auto transaction = Begin();
  EXPECT_THAT(transaction->Put({}, "k", "v"), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(transaction->Get({}, "k").status(), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(transaction->NewIterator(notes_, {.snapshot = store_->TakeSnapshot()})->status(),
              HasReason(ErrorReason::kInvalidArgument));
  ASSERT_OK(transaction->Put(notes_, "k", "v"));
  EXPECT_THAT(transaction->Commit(Durability::kVolatile),
              HasReason(ErrorReason::kInvalidArgument));
  EXPECT_TRUE(transaction->ended());
  EXPECT_THAT(store_->BeginTransaction({.read_bytes_max = 0}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("read_bytes_max")));
  EXPECT_THAT(store_->BeginTransaction({.isolation = static_cast<Isolation>(9)}).status(),
              HasReason(ErrorReason::kInvalidOption));
}

TEST_F(TransactionTest, ADroppedKeyspaceAndAClosedDatabaseAreNamed) {
  const auto writes = Begin(), closed = Begin();
  ASSERT_OK(writes->Put(other_, "k", "v"));
  ASSERT_OK(store_->DropKeyspace("other"));
  EXPECT_THAT(writes->Put(other_, "k", "v"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(writes->Commit(), HasReason(ErrorReason::kKeyspaceDropped));
  ASSERT_OK(closed->Put(notes_, "k", "v"));
  ASSERT_OK(store_->Close());
  EXPECT_THAT(closed->Get(notes_, "k").status(), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(closed->Commit(), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(store_->BeginTransaction({}).status(), HasReason(ErrorReason::kClosed));
}

// TXN-14: a merge drops old versions once the last transaction that needs them has ended.
TEST_F(TransactionTest, OldVersionsGoWhenTheLastSnapshotThatNeedsThemGoes) {
  const auto entries = [&] {
    EXPECT_OK(store_->Compact(notes_, "", ""));
    return notes_.impl()->version()->levels()->entry_count();
  };
  for (int key = 0; key < 20; ++key) ASSERT_OK(store_.Put("notes", absl::StrCat("k", key), "0"));
  auto transaction = Begin();
  for (int round = 1; round < 10; ++round) {
    for (int key = 0; key < 20; ++key) {
      ASSERT_OK(store_.Put("notes", absl::StrCat("k", key), absl::StrCat(round)));
    }
  }
  EXPECT_EQ(entries(), 40u);
  EXPECT_EQ(Text(transaction->Get(notes_, "k7")), "0");
  auto iterator = transaction->NewIterator(notes_);
  ASSERT_OK(transaction->Rollback());
  EXPECT_EQ(entries(), 40u) << "the iterator keeps its snapshot";
  iterator.reset();
  ASSERT_OK(store_.Put("notes", "k0", "last"));
  EXPECT_EQ(entries(), 20u);
}

// The writes that it has to know of are forgotten before it commits: it looks into the store.
TEST(LongTransaction, IsCheckedAgainstTheStore) {
  Options options;
  options.storage = Storage::kMemory;
  options.memtable_size = 1 << 20;  // some of it in segments
  const auto database = Database::Open("store", options).value();
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  for (const std::string other : {"", "mine", "bb", "read"}) {
    SCOPED_TRACE(other);
    const auto transaction =
        database->BeginTransaction({.isolation = Isolation::kSerializable}).value();
    EXPECT_THAT(transaction->Get(notes, "read").status(), StatusIs(absl::StatusCode::kNotFound));
    const auto range = transaction->NewIterator(notes, {.begin = "b", .limit = "c"});
    range->SeekToFirst();
    ASSERT_OK(transaction->Put(notes, "mine", "v"));
    WriteBatch batch;
    if (!other.empty()) batch.Put(notes, other, "other");
    for (int i = 0; i < 150'000; ++i) {
      batch.Put(notes, absl::StrCat("n", i), "");
      if (batch.count() < 1000) continue;
      ASSERT_OK(database->Write(batch, Durability::kBuffered));
      batch.Clear();
    }
    const uint64_t unknowns = database->impl().conflicts().unknowns();
    const absl::Status status = transaction->Commit(Durability::kBuffered);
    EXPECT_EQ(database->impl().conflicts().unknowns(), unknowns + 1);
    if (other.empty()) {
      EXPECT_OK(status);
    } else {
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, HasSubstr(other)));
    }
  }
}

// Transactions of many threads, begun one after the other, with a plain writer in between, so that
// recording starts and stops: no increment is lost.
TEST(TransactionThreads, NoUpdateIsLostWhenTransactionsComeAndGo) {
  Options options;
  options.storage = Storage::kMemory;
  const auto database = Database::Open("store", options).value();
  const Keyspace counters = database->CreateKeyspace("counters", {}).value();
  std::atomic<bool> stop{false};
  std::thread noise([&] {
    WriteBatch batch;
    for (int i = 0; !stop.load(); ++i) {
      batch.Clear();
      for (int j = 0; j < 100; ++j) batch.Put(counters, absl::StrCat("noise", j), "v");
      EXPECT_OK(database->Write(batch, Durability::kBuffered));
    }
  });
  std::atomic<int> committed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 300; ++n) {
        const auto transaction = database->BeginTransaction({}).value();
        const auto now = transaction->Get(counters, "n");
        const std::string value = now.ok() ? now->ToString() : "";
        EXPECT_OK(transaction->Put(counters, "n", value + "x"));
        const absl::Status status = transaction->Commit(Durability::kBuffered);
        if (status.ok()) committed.fetch_add(1);
        EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop.store(true);
  noise.join();
  EXPECT_EQ(counters.Get("n")->view().size(), static_cast<size_t>(committed.load()));
  EXPECT_GT(committed.load(), 0);
}

}  // namespace
}  // namespace firn
