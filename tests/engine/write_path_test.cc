#include "engine/write_path.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class WritePathTest : public ::testing::Test {
 protected:
  WritePathTest() : faulty_(memory_), store_(faulty_, 1) { EXPECT_THAT(store_.Open(), IsOk()); }
  void Restart(const Options& options) {
    ASSERT_THAT(store_.Close(), IsOk());
    store_.options() = options;
    ASSERT_THAT(store_.Open(), IsOk());
  }
  size_t Logs() {
    size_t count = 0;
    const std::vector<std::string> names = memory_.List("store/wal").value();
    for (const std::string& name : names) {
      count += ParseLogName(name).has_value() ? 1 : 0;
    }
    return count;
  }

  MemoryFileSystem memory_;
  FaultInjectingFileSystem faulty_;
  SteppedStore store_;
};

TEST_F(WritePathTest, AQuietKeyspaceDoesNotPinLogsForEver) {
  ASSERT_THAT(store_.Put("quiet", "k", "v"), IsOk());
  Options options = TinyOptions();
  options.memtable_size = 1 << 20;  // only the logs' size can cause a flush
  Restart(options);
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(store_.Put("busy", absl::StrCat("k", i), std::string(3000, 'v')), IsOk());
    static_cast<void>(store_.executor().Step());
  }
  EXPECT_TRUE(store_.Open("quiet").impl()->version()->active()->empty());
  EXPECT_EQ(store_.Get("quiet", "k"), "v");
  EXPECT_LE(Logs(), 10u);
}

TEST_F(WritePathTest, WritersWaitRatherThanFillMemory) {
  // No step is taken by hand: the writer itself must let the background run.
  for (int i = 0; i < 400; ++i) {
    ASSERT_THAT(store_.Put("notes", absl::StrCat("k", i), std::string(500, 'v')), IsOk());
    ASSERT_LE(store_.Open("notes").impl()->version()->immutables().size(), 3u);
  }
  EXPECT_GT(store_->statistics().slowdown_us, 0u);
}

TEST_F(WritePathTest, ABatchBeyondEveryLimitOfMemoryStillPasses) {
  const std::string large(300 << 10, 'x');  // fifty memtables, three times all logs
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(store_.Put("notes", absl::StrCat("k", i), large, Durability::kSynced), IsOk());
  }
  EXPECT_EQ(store_.Get("notes", "k2"), large);
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", "k0"), large);
}

TEST_F(WritePathTest, CloseSaysAgainWhatItSaidFirst) {
  ASSERT_THAT(store_.Put("notes", "k", "v"), IsOk());
  faulty_.AddRule({.operation = FileOperation::kSync, .path_part = "wal",
                   .count = FaultRule::kForever});
  const absl::Status first = store_->Close();
  ASSERT_FALSE(first.ok());
  EXPECT_EQ(store_->Close(), first);
}

// The disk shows room, for it is the quota that is full; each flush fails before its writer looks.
TEST(WritePathThreadsTest, MemoryIsBoundedWhileEveryFlushFails) {
  MemoryFileSystem memory;
  FaultInjectingFileSystem faulty(memory);
  ThreadExecutor executor({.flush = 1, .compact = 1});
  SystemClock clock;
  Random random(1);
  Environment environment;
  environment.file_system = &faulty;
  environment.executor = &executor;
  environment.clock = &clock;
  environment.new_random = [&random] { return random.Next(); };
  Options options = TinyOptions();
  options.log_size_max = 8 << 20;
  ASSERT_OK_AND_ASSIGN(const auto database,
                       DatabaseImpl::Open("store", options, std::move(environment)));
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  faulty.AddRule({.operation = FileOperation::kCreate,
                  .path_part = ".seg",
                  .count = FaultRule::kForever,
                  .error_number = EDQUOT});
  for (int i = 0; i < 4000; ++i) {
    WriteBatch batch;
    batch.Put(notes, absl::StrCat("k", i), std::string(500, 'v'));
    static_cast<void>(database->Write(batch, Durability::kBuffered));
  }
  EXPECT_LT(database->statistics().keyspaces[0].memtable_bytes, 48u << 10);
  faulty.ClearRules();
  static_cast<void>(database->Close());
}

// It could only wait for what others do in the background, and none of that helps.
TEST_F(WritePathTest, TheWriteAfterALargeBatchDoesNotWaitForOtherKeyspaces) {
  const auto other = store_.Open("other").impl();
  for (int i = 0; other->version()->immutables().empty(); ++i) {
    ASSERT_THAT(store_.Put("other", absl::StrCat("k", i), std::string(500, 'v')), IsOk());
  }
  ASSERT_THAT(store_.Put("notes", "large", std::string(300 << 10, 'x')), IsOk());
  ASSERT_EQ(other->version()->immutables().size(), 1u);  // its flush could be waited for
  const uint64_t done = store_->statistics().flushes + store_->statistics().compactions;
  ASSERT_THAT(store_.Put("notes", "small", "v"), IsOk());
  EXPECT_EQ(store_->statistics().flushes + store_->statistics().compactions, done);
}

TEST_F(WritePathTest, AVolatileWriteIsMarkedInTheManifestFirst) {
  ASSERT_THAT(store_.Put("bulk", "k", "v", Durability::kVolatile), IsOk());
  ASSERT_OK_AND_ASSIGN(const FileNumber manifest, ReadCurrent(memory_, "store"));
  ASSERT_OK_AND_ASSIGN(ReadManifest read, LoadManifest(memory_, "store", manifest, 0));
  EXPECT_TRUE(read.state.keyspaces.begin()->second.volatile_since.has_value());
  ASSERT_THAT(store_->Flush(store_.Open("bulk")), IsOk());
  ASSERT_OK_AND_ASSIGN(read, LoadManifest(memory_, "store", manifest, 0));
  EXPECT_FALSE(read.state.keyspaces.begin()->second.volatile_since.has_value());
}

TEST_F(WritePathTest, AFailedLogWriteSticksUntilReopening) {
  ASSERT_THAT(store_.Put("notes", "before", "v"), IsOk());
  faulty_.AddRule({.operation = FileOperation::kSync, .path_part = ".wal"});
  EXPECT_THAT(store_.Put("notes", "k", "v", Durability::kSynced), HasReason(ErrorReason::kIo));
  EXPECT_EQ(store_.Get("notes", "k"), "(absent)");
  EXPECT_EQ(store_.Get("notes", "before"), "v");
  EXPECT_THAT(store_.Put("notes", "l", "v"), HasReason(ErrorReason::kPoisoned));
  EXPECT_THAT(store_->Sync(), HasReason(ErrorReason::kPoisoned));
  EXPECT_FALSE(store_.Close().ok());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_EQ(store_.Get("notes", "before"), "v");
  EXPECT_EQ(store_.Get("notes", "l"), "(absent)");
}

}  // namespace
}  // namespace firn
