// Threads that write, read, scan, flush, create and drop at once, for the thread sanitizer, and a check
// at the end that nothing is lost.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "engine/database.h"
#include "firn/database.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

// Each writer owns the keys "<writer>.<i>" and a counter under "<writer>" in two keyspaces, which every
// batch raises in both: no reader may ever see them differ.
class DatabaseStress : public ::testing::TestWithParam<Storage> {
 protected:
  void SetUp() override {
    Options options;
    options.storage = GetParam();
    options.memtable_size = 64 << 10;
    options.segment_size = 64 << 10;
    options.log_size_max = 1 << 20;
    options.open_segments_max = 16;
    options.level1_size = 1 << 20;
    auto opened = Database::Open(folder_.File("store"), options);
    ASSERT_THAT(opened, IsOk());
    database_ = *std::move(opened);
    a_ = database_->CreateKeyspace("a", {}).value();
    b_ = database_->CreateKeyspace("b", {}).value();
  }

  void Write(int writer, int rounds) {
    Random random(static_cast<uint64_t>(writer));
    for (int i = 1; i <= rounds; ++i) {
      WriteBatch batch;
      batch.Put(a_, absl::StrCat(writer), absl::StrCat(i));
      batch.Put(b_, absl::StrCat(writer), absl::StrCat(i));
      batch.Put(random.OneIn(2) ? a_ : b_, absl::StrCat(writer, ".", random.Uniform(200)),
                std::string(random.Uniform(600), 'v'));
      const Durability durability = random.OneIn(50) ? Durability::kSynced : Durability::kBuffered;
      ASSERT_THAT(database_->Write(batch, durability), IsOk());
    }
  }
  void Read(int writers) {
    Random random(99);
    while (!done_.load()) {
      const std::string writer = absl::StrCat(random.Uniform(static_cast<uint64_t>(writers)));
      const Snapshot snapshot = database_->TakeSnapshot();
      const auto in_a = a_.Get(writer, snapshot);
      const auto in_b = b_.Get(writer, snapshot);
      ASSERT_EQ(in_a.ok(), in_b.ok());
      if (in_a.ok()) {
        ASSERT_EQ(in_a->view(), in_b->view());
      }
    }
  }
  void Scan() {
    while (!done_.load()) {
      const auto iterator = a_.NewIterator();
      std::string last;
      for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        ASSERT_LT(last, std::string(iterator->key()));
        last = std::string(iterator->key());
      }
      ASSERT_THAT(iterator->status(), IsOk());
      const std::vector<absl::string_view> keys = {"0", "1", "2.7", "nothing"};
      ASSERT_EQ(a_.MultiGet(keys).size(), keys.size());
      static_cast<void>(database_->statistics());
    }
  }
  void Administer() {
    for (int i = 0; !done_.load(); ++i) {
      ASSERT_THAT(database_->Flush(i % 2 == 0 ? a_ : b_), IsOk());
      if (i % 5 == 0) {
        ASSERT_THAT(database_->Compact(a_, "", ""), IsOk());
      }
      const auto extra = database_->OpenOrCreateKeyspace("extra", {});
      ASSERT_THAT(extra, IsOk());
      WriteBatch batch;
      for (int k = 0; k < 50; ++k) batch.Put(*extra, absl::StrCat(k), "bulk");
      ASSERT_THAT(database_->Write(batch, Durability::kVolatile), IsOk());
      if (i % 3 == 0) {
        ASSERT_THAT(database_->DropKeyspace("extra"), IsOk());
      }
      const auto report = database_->Verify(i % 4 == 0 ? VerifyLevel::kBlocks : VerifyLevel::kFiles);
      ASSERT_THAT(report, IsOk());
      ASSERT_TRUE(report->clean()) << report->damage.front();
    }
  }

  TemporaryDirectory folder_;
  std::unique_ptr<Database> database_;
  Keyspace a_;
  Keyspace b_;
  std::atomic<bool> done_{false};
};

TEST_P(DatabaseStress, ReadersNeverSeeHalfABatch) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 1500;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([this, writer] { Write(writer, kRounds); });
  }
  std::vector<std::thread> others;
  others.emplace_back([this] { Read(kWriters); });
  others.emplace_back([this] { Scan(); });
  others.emplace_back([this] { Administer(); });
  for (std::thread& writer : writers) writer.join();
  done_.store(true);
  for (std::thread& other : others) other.join();
  for (int writer = 0; writer < kWriters; ++writer) {
    EXPECT_EQ(a_.Get(absl::StrCat(writer))->view(), absl::StrCat(kRounds));
  }
  EXPECT_EQ(database_->statistics().snapshots, 0u);
}

TEST_P(DatabaseStress, ClosesUnderLoad) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0;; ++i) {
        WriteBatch batch;
        batch.Put(a_, absl::StrCat(t, ".", i), std::string(500, 'v'));
        const absl::Status status = database_->Write(batch, Durability::kBuffered);
        if (!status.ok()) {
          EXPECT_THAT(status, HasReason(ErrorReason::kClosed));
          return;
        }
        const auto value = a_.Get(absl::StrCat(t, ".", i));
        if (!value.ok()) {
          EXPECT_THAT(value, HasReason(ErrorReason::kClosed));
        }
      }
    });
  }
  while (database_->statistics().flushes < 5) std::this_thread::yield();
  EXPECT_THAT(database_->Close(), IsOk());
  for (std::thread& thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(OnDiskAndInMemory, DatabaseStress,
                         ::testing::Values(Storage::kDisk, Storage::kMemory),
                         [](const auto& instance) {
                           return instance.param == Storage::kDisk ? "Disk" : "Memory";
                         });

}  // namespace
}  // namespace firn
