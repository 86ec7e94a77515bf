#include "engine/write_request.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "sstable/sequence_key.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

std::string Number(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

class WriteRequestTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(store_.Open());
    ASSERT_OK(store_->CreateKeyspace("any", {}));
    ASSERT_OK(store_->CreateKeyspace("s", {.layout = KeyspaceLayout::kSequence}));
    for (const char* const name : {"any", "s"}) {
      const std::shared_ptr<KeyspaceImpl> impl = store_.Open(name).impl();
      (*table_)[impl->id()] = impl;
    }
  }
  absl::Status Fill(const WriteBatch& batch, Durability durability, WriteRequest& request) {
    request.table = table_;
    return FillRequest(batch, durability, request);
  }

  MemoryFileSystem file_system_;
  SteppedStore store_{file_system_, 1};
  std::shared_ptr<KeyspaceTable> table_ = std::make_shared<KeyspaceTable>();
};

TEST_F(WriteRequestTest, NotesTheKeysThatMustAscend) {
  WriteBatch batch;
  batch.Put(store_.Open("s"), Number(5), "");
  batch.Put(store_.Open("any"), "k", "");
  batch.Put(store_.Open("s"), Number(9), "");
  WriteRequest request;
  ASSERT_OK(Fill(batch, Durability::kSynced, request));
  EXPECT_EQ(request.count, 3u);
  ASSERT_EQ(request.ascents.size(), 1u);
  EXPECT_EQ(request.ascents[0].run.first, 5u);
  EXPECT_EQ(request.ascents[0].run.last, 9u);
  batch.Put(store_.Open("s"), Number(9), "");
  WriteRequest again;
  EXPECT_THAT(Fill(batch, Durability::kSynced, again),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key 9 is not above 9")));
  table_ = nullptr;
}

TEST_F(WriteRequestTest, RefusesWhatNoKeyspaceTakes) {
  WriteRequest request;
  WriteBatch nowhere;
  nowhere.Put(Keyspace(), "k", "");
  EXPECT_THAT(Fill(nowhere, Durability::kSynced, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty keyspace handle")));
  WriteBatch both;
  both.Put(store_.Open("any"), "k", "");
  both.Put(store_.Open("s"), Number(1), "");
  EXPECT_THAT(Fill(both, Durability::kVolatile, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("over two keyspaces")));
  WriteBatch removal;
  removal.Remove(store_.Open("s"), Number(1));
  EXPECT_THAT(Fill(removal, Durability::kSynced, request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("DropBelow")));
  WriteBatch dropped;
  dropped.Put(store_.Open("any"), "k", "");
  table_->erase(store_.Open("any").impl()->id());
  EXPECT_THAT(Fill(dropped, Durability::kSynced, request), HasReason(ErrorReason::kKeyspaceDropped));
  request.table = nullptr;
  table_ = nullptr;
}

}  // namespace
}  // namespace firn
