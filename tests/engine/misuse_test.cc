// What a client may do wrong, or only rarely, at the edges of the API: it gets an error, and the store
// stays as it is.
#include <memory>
#include <string>

#include "firn/database.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

class TwoStores : public ::testing::Test {
 protected:
  TwoStores()
      : a_(Database::Open(folder_.File("a"), {}).value()),
        b_(Database::Open(folder_.File("b"), {}).value()),
        of_a_(a_->CreateKeyspace("notes", {}).value()),
        of_b_(b_->CreateKeyspace("notes", {}).value()) {
    EXPECT_OK(Put(*a_, of_a_, "k", "1"));
    EXPECT_OK(Put(*b_, of_b_, "k", "2"));
  }
  static absl::Status Put(Database& database, const Keyspace& keyspace, absl::string_view key,
                          absl::string_view value) {
    WriteBatch batch;
    batch.Put(keyspace, key, value);
    return database.Write(batch, Durability::kSynced);
  }

  TemporaryDirectory folder_;
  std::unique_ptr<Database> a_, b_;
  Keyspace of_a_, of_b_;
};

TEST_F(TwoStores, AHandleOfTheOtherIsRefusedAndBothOpenAgain) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another"));
  EXPECT_THAT(Put(*a_, of_b_, "stray", "x"), refused);
  WriteBatch mixed;
  mixed.Put(of_a_, "x", "1");
  mixed.Put(of_b_, "y", "1");
  EXPECT_THAT(a_->Write(mixed, Durability::kSynced), refused);
  EXPECT_THAT(b_->Write(mixed, Durability::kSynced), refused);
  WriteBatch appended;
  appended.Put(of_a_, "x", "1");
  appended.Append(mixed);
  EXPECT_THAT(a_->Write(appended, Durability::kSynced), refused);
  mixed.Clear();
  mixed.Put(of_a_, "x", "1");
  EXPECT_OK(a_->Write(mixed, Durability::kSynced)) << "cleared, it is as new";
  EXPECT_THAT(a_->Flush(of_b_), refused);
  EXPECT_THAT(a_->Compact(of_b_, "", ""), refused);
  EXPECT_THAT(a_->DropBelow(of_b_, "12345678"), refused);
  const auto transaction = a_->BeginTransaction({}).value();
  EXPECT_THAT(transaction->Get(of_b_, "k").status(), refused);
  EXPECT_THAT(transaction->Put(of_b_, "k", "3"), refused);
  EXPECT_OK(transaction->Rollback());
  ASSERT_OK(a_->Close());
  ASSERT_OK(b_->Close());
  a_ = Database::Open(folder_.File("a"), {}).value();
  b_ = Database::Open(folder_.File("b"), {}).value();
  EXPECT_EQ(a_->OpenKeyspace("notes")->Get("k")->view(), "1");
  EXPECT_EQ(b_->OpenKeyspace("notes")->Get("k")->view(), "2");
  EXPECT_TRUE(a_->Verify(VerifyLevel::kBlocks)->clean());
}

TEST_F(TwoStores, ASnapshotOfTheOtherIsRefused) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another"));
  const Snapshot snapshot = b_->TakeSnapshot();
  EXPECT_THAT(of_a_.Get("k", snapshot).status(), refused);
  EXPECT_THAT(of_a_.MultiGet({"k"}, snapshot)[0].status(), refused);
  IteratorOptions options;
  options.snapshot = snapshot;
  EXPECT_THAT(of_a_.NewIterator(options)->status(), refused);
  EXPECT_OK(of_b_.Get("k", snapshot).status());
}

TEST_F(TwoStores, ABatchOutlivesTheDatabaseThatItWasMadeFor) {
  WriteBatch batch;
  batch.Put(of_a_, "later", "1");
  of_a_ = Keyspace();
  ASSERT_OK(a_->Close());
  a_ = Database::Open(folder_.File("a"), {}).value();
  EXPECT_OK(a_->Write(batch, Durability::kSynced)) << "the same store";
  EXPECT_EQ(a_->OpenKeyspace("notes")->Get("later")->view(), "1");
}

TEST_F(TwoStores, ADurabilityThatIsNoneIsRefused) {
  WriteBatch batch;
  batch.Put(of_a_, "k", "9");
  for (const int value : {0, 4, 9, 255}) {
    EXPECT_THAT(a_->Write(batch, static_cast<Durability>(value)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("durability")));
  }
  EXPECT_EQ(of_a_.Get("k")->view(), "1");
}

TEST(Edges, AnyLogSizeInItsRangeOpensAStore) {
  for (const size_t size : {size_t{1} << 20, size_t{3'000'000}, size_t{123'456'789}}) {
    const TemporaryDirectory folder;
    Options options;
    options.log_size_max = size;
    const auto database = Database::Open(folder.File("store"), options);
    ASSERT_OK(database.status()) << size;
    EXPECT_OK((*database)->Close());
  }
}

TEST(Edges, AFileWhoseNumberNoStoreReachesIsLeftAlone) {
  MemoryFileSystem memory;
  SteppedStore store(memory, 1);
  ASSERT_OK(store.Open());
  ASSERT_OK(store.Put("k", "a", "1", Durability::kSynced));
  ASSERT_OK(store.Close());
  for (const char* const name :
       {"k/18446744073709551615.seg", "MANIFEST-18446744073709551615",
        "wal/18446744073709551615.wal", "wal/18446744073709551615.spare"}) {
    const auto file = memory.Create(JoinPath("store", name));
    ASSERT_OK(file.status()) << name;
    ASSERT_OK((*file)->Sync());
  }
  ASSERT_OK(store.Open());
  EXPECT_EQ(store.Get("k", "a"), "1");
  ASSERT_OK(store->Flush(store.Open("k")));
  ASSERT_OK(store.Close());
  ASSERT_OK(store.Open());
  EXPECT_EQ(store.Get("k", "a"), "1");
}

TEST(Edges, AFolderNamedWithASlashAtItsEndIsAsDurable) {
  MemoryFileSystem memory;
  ASSERT_OK(memory.CreateDirectory("p"));
  ASSERT_OK(memory.SyncDirectory("."));
  SteppedStore store(memory, 1, TinyOptions(), "p/store/");
  ASSERT_OK(store.Open());
  ASSERT_OK(store.Put("k", "a", "1", Durability::kSynced));
  memory.Crash();
  static_cast<void>(store.Close());
  memory.LoseUnsyncedData();
  SteppedStore again(memory, 2, TinyOptions(), "p/store/");
  ASSERT_OK(again.Open());
  EXPECT_EQ(again.Get("k", "a"), "1");
}

}  // namespace
}  // namespace firn
