#include "firn/storage_backend.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using OldValue = StorageBackend::OldValue;

// A backend that knows nothing of firn, nor of StorageBackend: only the concept fits it.
class MapStorage {
 public:
  absl::StatusOr<OldValue> Get(absl::string_view key) const {
    const auto found = entries_.find(std::string(key));
    return found == entries_.end() ? OldValue() : OldValue(found->second);
  }
  absl::Status Put(absl::string_view key, absl::string_view value) {
    entries_[std::string(key)] = std::string(value);
    return absl::OkStatus();
  }
  absl::StatusOr<OldValue> Remove(absl::string_view key) {
    absl::StatusOr<OldValue> old = Get(key);
    entries_.erase(std::string(key));
    return old;
  }
  absl::StatusOr<bool> Exists(absl::string_view key) const {
    return entries_.count(std::string(key)) > 0;
  }
  absl::Status Scan(absl::string_view begin, absl::string_view limit,
                    const StorageBackend::Visitor& visit) const {
    const std::map<std::string, std::string> present = entries_;
    for (const auto& [key, value] : present) {
      if (key < begin || (!limit.empty() && key >= limit)) continue;
      if (!visit(key, value)) break;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Size() const { return entries_.size(); }
  absl::Status Clear() {
    entries_.clear();
    return absl::OkStatus();
  }
  absl::Status Flush() { return absl::OkStatus(); }

 private:
  std::map<std::string, std::string> entries_;
};

static_assert(AnyStorage<MapStorage>);
static_assert(AnyStorage<KeyspaceStorage>);
static_assert(AnyStorage<MemoryStorage>);
static_assert(AnyStorage<StorageBackend>);
static_assert(!AnyStorage<std::map<std::string, std::string>>);

// Each makes one storage, and keeps what it stands on.
struct OnMap {
  MapStorage storage;
};
struct InMemory {
  MemoryStorage storage = MemoryStorage::Open().value();
};
struct OnDisk {
  TemporaryDirectory directory;
  std::unique_ptr<Database> database = Database::Open(directory.File("store"), {}).value();
  KeyspaceStorage storage{*database, database->CreateKeyspace("entries", {}).value(),
                          Durability::kBuffered};
};
struct OnSyncedDisk {
  TemporaryDirectory directory;
  std::unique_ptr<Database> database = Database::Open(directory.File("store"), {}).value();
  KeyspaceStorage storage{*database, database->CreateKeyspace("entries", {}).value(),
                          Durability::kSynced};
};

// What a template sees of any of them.
template <AnyStorage Storage>
std::vector<std::string> KeysOf(const Storage& storage, absl::string_view begin = "",
                                absl::string_view limit = "") {
  std::vector<std::string> keys;
  EXPECT_TRUE(storage
                  .Scan(begin, limit,
                        [&keys](absl::string_view key, absl::string_view) {
                          keys.emplace_back(key);
                          return true;
                        })
                  .ok());
  return keys;
}

template <typename Holder>
class StorageBackendTest : public ::testing::Test {
 protected:
  Holder holder_;
  decltype(holder_.storage)& storage_ = holder_.storage;
};
using Holders = ::testing::Types<OnMap, InMemory, OnDisk, OnSyncedDisk>;
TYPED_TEST_SUITE(StorageBackendTest, Holders);

TYPED_TEST(StorageBackendTest, GivesWhatWasPutAndNothingElse) {
  auto& storage = this->storage_;
  EXPECT_THAT(storage.Get("a"), IsOkAndHolds(Eq(OldValue())));
  EXPECT_THAT(storage.Put("a", "1"), IsOk());
  EXPECT_THAT(storage.Put("a", "2"), IsOk());
  EXPECT_THAT(storage.Put("", ""), IsOk());
  EXPECT_THAT(storage.Get("a"), IsOkAndHolds(Optional(Eq("2"))));
  EXPECT_THAT(storage.Get(""), IsOkAndHolds(Optional(Eq(""))));
  EXPECT_THAT(storage.Exists("a"), IsOkAndHolds(true));
  EXPECT_THAT(storage.Exists("b"), IsOkAndHolds(false));
  EXPECT_THAT(storage.Size(), IsOkAndHolds(Eq(2u)));
  EXPECT_THAT(storage.Flush(), IsOk());
}

TYPED_TEST(StorageBackendTest, ARemovalReturnsWhatWasThere) {
  auto& storage = this->storage_;
  EXPECT_THAT(storage.Put("a", "1"), IsOk());
  EXPECT_THAT(storage.Remove("a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_THAT(storage.Remove("a"), IsOkAndHolds(Eq(OldValue())));
  EXPECT_THAT(storage.Exists("a"), IsOkAndHolds(false));
}

TYPED_TEST(StorageBackendTest, ScansARangeInOrderAtOnePointInTime) {
  auto& storage = this->storage_;
  for (const char* const key : {"c", "a", "d", "b"}) EXPECT_THAT(storage.Put(key, key), IsOk());
  EXPECT_THAT(KeysOf(storage), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(KeysOf(storage, "b", "d"), ElementsAre("b", "c"));
  EXPECT_THAT(KeysOf(storage, "e"), IsEmpty());
  std::vector<std::string> seen;
  EXPECT_THAT(storage.Scan("", "",
                           [&](absl::string_view key, absl::string_view) {
                             EXPECT_TRUE(storage.Put(absl::StrCat("e", key), "new").ok());
                             EXPECT_TRUE(storage.Remove("c").ok());
                             seen.emplace_back(key);
                             return seen.size() < 3;
                           }),
              IsOk());
  EXPECT_THAT(seen, ElementsAre("a", "b", "c"));
  EXPECT_THAT(KeysOf(storage), ElementsAre("a", "b", "d", "ea", "eb", "ec"));
}

TYPED_TEST(StorageBackendTest, ClearsAll) {
  auto& storage = this->storage_;
  const std::string key(1000, 'k');
  for (int i = 0; i < 1500; ++i) {  // more than one batch of removals
    ASSERT_TRUE(storage.Put(absl::StrCat(key, i), "v").ok());
    if constexpr (std::is_same_v<TypeParam, OnSyncedDisk>) i += 99;  // each waits for the disk
  }
  EXPECT_THAT(storage.Clear(), IsOk());
  EXPECT_THAT(storage.Size(), IsOkAndHolds(Eq(0u)));
  EXPECT_THAT(storage.Clear(), IsOk());
}

TYPED_TEST(StorageBackendTest, DoesWhatAMapDoes) {
  Random random(20);
  std::map<std::string, std::string> model;
  const int steps = std::is_same_v<TypeParam, OnSyncedDisk> ? 200 : 3000;
  for (int i = 0; i < steps; ++i) {
    const std::string key = RandomKey(random, 3);
    if (random.OneIn(3)) {
      const auto found = model.find(key);
      const OldValue expected = found == model.end() ? OldValue() : OldValue(found->second);
      model.erase(key);
      ASSERT_THAT(this->storage_.Remove(key), IsOkAndHolds(Eq(expected)));
    } else {
      model[key] = RandomValue(random, 50);
      ASSERT_THAT(this->storage_.Put(key, model[key]), IsOk());
    }
  }
  std::map<std::string, std::string> found;
  EXPECT_THAT(this->storage_.Scan("", "",
                                  [&](absl::string_view key, absl::string_view value) {
                                    return found.emplace(key, value).second;
                                  }),
              IsOk());
  EXPECT_EQ(found, model);
}

TEST(KeyspaceStorageTest, OneOfManyThatRemoveAtOnceGetsTheValue) {
  MemoryStorage storage = MemoryStorage::Open().value();
  for (int round = 0; round < 50; ++round) {
    ASSERT_THAT(storage.Put("token", "t"), IsOk());
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([copy = storage, &winners]() mutable {
        if (copy.Remove("token").value().has_value()) ++winners;
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners, 1);
  }
}

TEST(MemoryStorageTest, ACopyIsTheSameMapAndKeepsIt) {
  auto first = std::make_unique<MemoryStorage>(MemoryStorage::Open().value());
  MemoryStorage second = *first;
  EXPECT_THAT(first->Put("a", "1"), IsOk());
  first.reset();
  EXPECT_THAT(second.Get("a"), IsOkAndHolds(Optional(Eq("1"))));
}

TEST(MemoryStorageTest, HasSnapshotsAndTransactionsOfADatabase) {
  MemoryStorage storage = MemoryStorage::Open().value();
  ASSERT_THAT(storage.Put("a", "1"), IsOk());
  const Snapshot before = storage.database().TakeSnapshot();
  auto transaction = storage.database().BeginTransaction({}).value();
  ASSERT_THAT(transaction->Put(storage.keyspace(), "a", "2"), IsOk());
  ASSERT_THAT(storage.Put("a", "3"), IsOk());
  EXPECT_THAT(transaction->Commit(), HasReason(ErrorReason::kConflict));
  EXPECT_EQ(storage.keyspace().Get("a", before).value().view(), "1");
}

TEST(KeyspaceStorageTest, PassesOnWhatTheKeyspaceSays) {
  MemoryStorage storage = MemoryStorage::Open().value();
  ASSERT_THAT(storage.database().DropKeyspace("entries"), IsOk());
  EXPECT_THAT(storage.Get("a"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(storage.Put("a", "1"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(storage.Remove("a"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(storage.Exists("a"), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(storage.Size(), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(storage.Clear(), HasReason(ErrorReason::kKeyspaceDropped));
}

}  // namespace
}  // namespace firn
