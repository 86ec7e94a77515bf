#include "wal/log_files.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/fault_injecting_file_system.h"
#include "tests/support/random_keys.h"
#include "tests/wal/log_image.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr uint64_t kSlot = 8 * kLogBlockSize;

// One store's logs as an engine would use them, on a stepped executor.
class Logs {
 public:
  explicit Logs(FileSystem& file_system, uint64_t seed = 1)
      : file_system_(file_system), executor_(seed), salts_(seed) {}

  absl::Status Open() {
    LogFilesOptions options;
    options.slot_size_first = kSlot;
    options.slot_size_max = 4 * kSlot;
    options.new_salt = [this] { return salts_.Next(); };
    FIRN_ASSIGN_OR_RETURN(files_, LogFiles::Open(file_system_, executor_, "wal", options));
    if (salts_.Next() % 2 == 0) files_->SetFill(SpareFill::kAllocate);
    return absl::OkStatus();
  }
  LogFiles& files() { return *files_; }
  LogWriter& log() { return *log_; }
  SteppedExecutor& executor() { return executor_; }

  absl::Status Create(FileNumber number, PreviousLog previous = {}, uint64_t payload_size = 0) {
    FIRN_ASSIGN_OR_RETURN(
        log_,
        files_->Create({.number = number, .previous = previous, .manifest = {}}, payload_size));
    return absl::OkStatus();
  }
  // Closes the log and goes on in a new one.
  absl::Status Switch(uint64_t payload_size = 0) {
    const FileNumber number = log_->number();
    FIRN_RETURN_IF_ERROR(files_->PrepareSlot(payload_size));
    FIRN_ASSIGN_OR_RETURN(const LogEnd end, log_->Close(log_->last_sequence()));
    return Create({number.value + 1}, {.number = number, .end = end}, payload_size);
  }
  absl::Status Append(absl::string_view payload, LogSync sync = LogSync::kSynced) {
    if (!log_->Fits(payload.size())) FIRN_RETURN_IF_ERROR(Switch(payload.size()));
    const SequenceNumber next{log_->last_sequence().value + 1};
    FIRN_ASSIGN_OR_RETURN(const Place place,
                          log_->Reserve(payload.size(), {.first = next, .last = next}));
    return log_->Flush(place, {AsBytes(payload)}, sync);
  }
  void ForgetLog() { log_.reset(); }

 private:
  FileSystem& file_system_;
  SteppedExecutor executor_;
  Random salts_;
  std::unique_ptr<LogFiles> files_;
  std::unique_ptr<LogWriter> log_;
};

std::vector<std::string> Names(FileSystem& file_system) { return file_system.List("wal").value(); }

TEST(LogFilesTest, NamesAreParsedExactlyAsTheyAreMade) {
  EXPECT_EQ(LogName({34}), "000034.wal");
  EXPECT_EQ(LogName({12345678}), "12345678.wal");
  EXPECT_EQ(ParseLogName("000034.wal"), FileNumber{34});
  EXPECT_EQ(ParseLogName("12345678.wal"), FileNumber{12345678});
  for (const absl::string_view name : {"34.wal", "0000034.wal", "000034.spare", "000034.wal.tmp",
                                       "+00034.wal", " 00034.wal", ".wal", "00003x.wal", ""}) {
    EXPECT_EQ(ParseLogName(name), std::nullopt) << name;
  }
}

TEST(LogFilesTest, SaltsDiffer) { EXPECT_NE(RandomSalt(), RandomSalt()); }

TEST(LogFilesTest, ANewStoreGetsAZeroFilledFirstLog) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  EXPECT_THAT(logs.files().ReadChain(), IsOkAndHolds(IsEmpty()));
  ASSERT_OK(logs.Create({3}));
  EXPECT_THAT(Names(file_system), ElementsAre("000003.wal"));
  EXPECT_EQ(logs.files().size_on_disk(), kSlot);
  EXPECT_EQ(logs.log().path(), "wal/000003.wal");
  EXPECT_TRUE(logs.log().Fits(kSlot - 3 * kLogBlockSize));
  ASSERT_OK(logs.Append("one"));
  ASSERT_OK_AND_ASSIGN(const std::vector<FoundLog> chain, logs.files().ReadChain());
  ASSERT_EQ(chain.size(), 1u);
  EXPECT_EQ(chain[0].header.number, FileNumber{3});
  EXPECT_EQ(chain[0].file_size, kSlot);
  EXPECT_FALSE(chain[0].final_end.has_value());
  EXPECT_THAT(ReadLog(file_system, chain[0].path).payloads, ElementsAre("one"));
}

TEST(LogFilesTest, TheNextSpareIsFilledInTheBackground) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({3}));
  EXPECT_EQ(logs.files().spare_count(), 0u);
  logs.executor().Drain();
  EXPECT_OK(logs.files().background_status());
  EXPECT_EQ(logs.files().spare_count(), 1u);
  EXPECT_EQ(Names(file_system).size(), 2u);
}

TEST(LogFilesTest, ARetiredLogIsWrittenAgainAndItsRecordsNeverPassForNewOnes) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  for (int i = 0; i < 5; ++i) ASSERT_OK(logs.Append("old life"));
  ASSERT_OK(logs.Switch());
  ASSERT_OK(logs.Append("second log"));
  ASSERT_OK(logs.files().Retire({1}));
  EXPECT_THAT(logs.files().logs(), ElementsAre(FileNumber{2}));
  ASSERT_EQ(logs.files().spare_count(), 1u);
  ASSERT_OK(logs.Switch());
  EXPECT_EQ(logs.files().spare_count(), 0u) << "the retired file was taken";
  EXPECT_THAT(ReadLog(file_system, "wal/000003.wal").payloads, IsEmpty());
  ASSERT_OK(logs.Append("new life"));
  const ReadResult read = ReadLog(file_system, "wal/000003.wal");
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("new life"));
  EXPECT_EQ(read.ending, LogEnding::kUnclosed);
}

TEST(LogFilesTest, AtMostTwoSparesAreKeptTheLargest) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  for (int i = 0; i < 6; ++i) ASSERT_OK(logs.Switch());
  for (uint64_t number = 1; number <= 6; ++number) ASSERT_OK(logs.files().Retire({number}));
  EXPECT_EQ(logs.files().spare_count(), 2u);
  EXPECT_EQ(Names(file_system).size(), 3u);
  logs.executor().Drain();
  EXPECT_EQ(logs.files().spare_count(), 2u);
}

TEST(LogFilesTest, SizesFollowUse) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  std::vector<uint64_t> sizes;
  for (int i = 0; i < 100; ++i) {
    logs.executor().Drain();
    ASSERT_OK(logs.Append("fills a block"));
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<FoundLog> chain, logs.files().ReadChain());
  for (const FoundLog& log : chain) sizes.push_back(log.file_size);
  EXPECT_EQ(sizes.front(), kSlot);
  EXPECT_EQ(sizes.back(), 4 * kSlot) << "slot_size_max";
  EXPECT_TRUE(std::is_sorted(sizes.begin(), sizes.end()));
  Logs reopened(file_system);
  ASSERT_OK(reopened.Open());
  ASSERT_OK(reopened.Create({50}));
  reopened.executor().Drain();
  EXPECT_GE(reopened.files().size_on_disk(), logs.files().size_on_disk());
}

TEST(LogFilesTest, ARecordLargerThanAnySlotGetsASlotOfItsSize) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  ASSERT_OK(logs.Append("small"));
  Random random(1);
  const std::string large = RandomBytes(random, 6 << 20);
  ASSERT_OK(logs.Append(large));
  EXPECT_THAT(logs.files().logs(), ElementsAre(FileNumber{1}, FileNumber{2}));
  EXPECT_THAT(ReadLog(file_system, "wal/000002.wal").payloads, ElementsAre(large));
  EXPECT_THAT(logs.files().PrepareSlot(kMaxPayloadSize + 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LogFilesTest, TheLastSpareIsKeptForRecoveryWhenTheDiskIsNearlyFull) {
  SmallDisk disk;
  Logs logs(disk);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  logs.executor().Drain();
  ASSERT_EQ(logs.files().spare_count(), 1u);
  EXPECT_OK(logs.files().PrepareSlot(1, SpareUse::kKeepOne)) << "there is room for another";
  disk.room = 1;
  EXPECT_THAT(logs.files().PrepareSlot(1, SpareUse::kKeepOne), HasReason(ErrorReason::kDiskFull));
  EXPECT_OK(logs.files().PrepareSlot(1, SpareUse::kAny));
  EXPECT_THAT(logs.files().GiveBackSpare(), IsOkAndHolds(true));
  EXPECT_EQ(logs.files().spare_count(), 0u);
  EXPECT_THAT(logs.files().GiveBackSpare(), IsOkAndHolds(false));
  EXPECT_THAT(logs.files().PrepareSlot(1, SpareUse::kAny), HasReason(ErrorReason::kDiskFull));
  disk.room = INT64_MAX;
  EXPECT_OK(logs.files().PrepareSlot(1, SpareUse::kKeepOne));
}

TEST(LogFilesTest, TheChainNamesEachLogsEndAndAHoleIsDamage) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  ASSERT_OK(logs.Append("one"));
  ASSERT_OK(logs.Switch());
  ASSERT_OK(logs.Switch());
  ASSERT_OK_AND_ASSIGN(std::vector<FoundLog> chain, logs.files().ReadChain());
  ASSERT_EQ(chain.size(), 3u);
  EXPECT_EQ(chain[0].final_end, (LogEnd{.size = 2 * kLogBlockSize + RecordSize(0), .last_sequence = {1}}));
  EXPECT_EQ(chain[1].final_end, (LogEnd{.size = kLogBlockSize + RecordSize(0), .last_sequence = {1}}));
  EXPECT_FALSE(chain[2].final_end.has_value());
  ASSERT_OK(file_system.RemoveFile("wal/000002.wal"));
  Logs reopened(file_system);
  ASSERT_OK(reopened.Open());
  const auto broken = reopened.files().ReadChain();
  EXPECT_THAT(broken, StatusIs(absl::StatusCode::kDataLoss, HasSubstr("000002.wal")));
  EXPECT_THAT(broken, HasReason(ErrorReason::kMissingFile));
}

TEST(LogFilesTest, ALogUnderAnothersNameIsDamage) {
  MemoryFileSystem file_system;
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  ASSERT_OK(file_system.Rename("wal/000001.wal", "wal/000002.wal"));
  Logs reopened(file_system);
  ASSERT_OK(reopened.Open());
  EXPECT_THAT(reopened.files().ReadChain(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(LogFilesTest, OpeningChangesNothingAndForeignFilesStay) {
  MemoryFileSystem file_system;
  {
    Logs logs(file_system);
    ASSERT_OK(logs.Open());
    ASSERT_OK(logs.Create({1}));
  }
  ASSERT_OK(file_system.Create("wal/000009.spare.tmp"));
  ASSERT_OK(file_system.Create("wal/notes.txt"));
  Logs logs(file_system);
  ASSERT_OK(logs.Open());
  EXPECT_THAT(Names(file_system),
              UnorderedElementsAre("000001.wal", "000009.spare.tmp", "notes.txt"));
  ASSERT_OK(logs.Create({2}, {.number = {1}, .end = {.size = kLogBlockSize}}));
  EXPECT_THAT(Names(file_system), UnorderedElementsAre("000001.wal", "000002.wal", "notes.txt"));
}

TEST(LogFilesTest, ARetiredNameThatMayComeBackNeverHoldsAnotherLog) {
  for (uint64_t seed = 1; seed <= 64; ++seed) {
    MemoryFileSystem file_system({.seed = seed});
    LogEnd end;
    {
      FaultInjectingFileSystem faulty(file_system);
      Logs logs(faulty);
      ASSERT_OK(logs.Open());
      ASSERT_OK(logs.Create({1}));
      ASSERT_OK(logs.Switch());
      ASSERT_OK_AND_ASSIGN(end, logs.log().Close(logs.log().last_sequence()));
      faulty.AddRule({.operation = FileOperation::kSyncDirectory});
      ASSERT_FALSE(logs.files().Retire({1}).ok());
      logs.ForgetLog();
    }
    {  // the machine goes on, and stops somewhere while the next log is made
      Logs logs(file_system, seed);
      file_system.CrashAtOperation(seed % 8);
      if (logs.Open().ok()) {
        [[maybe_unused]] const absl::Status unheard = logs.Create({3}, {.number = {2}, .end = end});
      }
      logs.ForgetLog();
    }
    file_system.LoseUnsyncedData();
    Logs logs(file_system, seed);
    ASSERT_OK(logs.Open());
    EXPECT_OK(logs.files().ReadChain().status()) << "seed " << seed;
  }
}

TEST(LogFilesTest, AFullDiskHarmsNoLogAndIsOverWhenThereIsRoom) {
  SmallDisk disk;
  Logs logs(disk);
  ASSERT_OK(logs.Open());
  ASSERT_OK(logs.Create({1}));
  disk.room = 3 * kLogBlockSize;
  logs.executor().Drain();
  EXPECT_THAT(logs.files().background_status(), HasReason(ErrorReason::kDiskFull));
  const absl::Status full = logs.files().PrepareSlot(0);
  EXPECT_THAT(full, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(".spare.tmp")));
  EXPECT_THAT(full, HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(Names(disk), ElementsAre("000001.wal")) << "the pieces are given back";
  ASSERT_OK(logs.Append("the log goes on in the room that it has"));
  disk.room = INT64_MAX;
  ASSERT_OK(logs.Switch());
  logs.executor().Drain();
  EXPECT_OK(logs.files().background_status());
}

TEST(LogFilesTest, ClosingStopsTheFillingOfASpare) {
  MemoryFileSystem file_system;
  ThreadExecutor executor({.flush = 1, .compact = 1});
  for (int round = 0; round < 20; ++round) {
    LogFilesOptions options;
    options.slot_size_first = 32 << 20;
    const std::string directory = absl::StrCat("wal", round);
    ASSERT_OK_AND_ASSIGN(auto files, LogFiles::Open(file_system, executor, directory, options));
    ASSERT_OK(files->Create({.number = {1}, .previous = {}, .manifest = {}}));
    files.reset();
    ASSERT_OK_AND_ASSIGN(const auto names, file_system.List(directory));
    EXPECT_LE(names.size(), 2u);
    EXPECT_EQ(names[0], "000001.wal");
  }
}

// What a client of the logs was told.
struct Acknowledged {
  std::vector<std::string> written;  // in order, acknowledged or not
  size_t synced = 0;                 // so many of them are durable for sure
  uint64_t retired = 0;              // logs up to this one may go; they held written[0, floor)
  size_t floor = 0;
};

// Reads all logs as recovery does; the payloads of those that are not retired.
absl::StatusOr<std::vector<std::string>> Recover(FileSystem& file_system, Logs& logs,
                                                 uint64_t retired, PreviousLog& last) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<FoundLog> chain, logs.files().ReadChain());
  std::vector<std::string> payloads;
  for (const FoundLog& found : chain) {
    LogReaderOptions options;
    options.number = found.header.number;
    options.final_end = found.final_end;
    const ReadResult read = ReadLog(file_system, found.path, options);
    FIRN_RETURN_IF_ERROR(read.status);
    last = {.number = found.header.number, .end = read.end};
    if (found.header.number.value <= retired) continue;
    payloads.insert(payloads.end(), read.payloads.begin(), read.payloads.end());
  }
  for (const FoundLog& found : chain) {
    FIRN_RETURN_IF_ERROR(logs.files().SyncLog(found.header.number));
  }
  return payloads;
}

// Writes, switches, retires, with the background running now and then.
absl::Status Work(Logs& logs, Random& random, Acknowledged& acknowledged) {
  for (int i = 0; i < 12; ++i) {
    const std::string payload = RandomBytes(random, 1 + random.Uniform(2 * kLogBlockSize));
    const bool synced = random.OneIn(2);
    acknowledged.written.push_back(payload);
    FIRN_RETURN_IF_ERROR(logs.Append(payload, synced ? LogSync::kSynced : LogSync::kBuffered));
    if (synced) acknowledged.synced = acknowledged.written.size();
    if (random.OneIn(3)) logs.executor().Step();
    if (random.OneIn(6)) {
      FIRN_RETURN_IF_ERROR(logs.Switch());
      acknowledged.synced = acknowledged.written.size();
      // As if everything so far stood in synced segments.
      acknowledged.retired = logs.log().number().value - 1;
      acknowledged.floor = acknowledged.written.size();
      while (logs.files().logs().front().value <= acknowledged.retired) {
        FIRN_RETURN_IF_ERROR(logs.files().Retire(logs.files().logs().front()));
      }
    }
  }
  return absl::OkStatus();
}

void ExpectHolds(const Acknowledged& acknowledged, const std::vector<std::string>& found,
                 const std::string& where) {
  const size_t total = acknowledged.floor + found.size();
  ASSERT_GE(total, acknowledged.synced) << where;
  ASSERT_LE(total, acknowledged.written.size()) << where;
  const auto begin = acknowledged.written.begin() + static_cast<std::ptrdiff_t>(acknowledged.floor);
  ASSERT_TRUE(std::equal(found.begin(), found.end(), begin)) << where;
}

// Each operation is once the last one; then each operation of the recovery is, too.
TEST(LogFilesTest, NothingAcknowledgedIsLostWhereverTheMachineStops) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    bool hit = true;
    for (uint64_t crash_at = 0; hit; ++crash_at) {
      MemoryFileSystem file_system(
          {.seed = seed * 1000 + crash_at, .crash_at_operation = crash_at, .count_reads = false});
      Acknowledged acknowledged;
      Random random(seed);
      {
        Logs logs(file_system, seed);
        absl::Status status = logs.Open();
        if (status.ok()) status = logs.Create({1});
        if (status.ok()) status = Work(logs, random, acknowledged);
        hit = file_system.crashed();
        ASSERT_TRUE(hit || status.ok()) << status;
      }
      file_system.LoseUnsyncedData();
      for (uint64_t second_crash = crash_at % 5;; second_crash += 5) {
        const std::string where =
            absl::StrCat("seed ", seed, " crash at ", crash_at, " then ", second_crash);
        file_system.CrashAtOperation(second_crash);
        Logs logs(file_system, seed + 100 + second_crash);
        PreviousLog last;
        absl::StatusOr<std::vector<std::string>> found;
        const absl::Status opened = logs.Open();
        if (opened.ok()) found = Recover(file_system, logs, acknowledged.retired, last);
        if (opened.ok() && found.ok()) {
          ExpectHolds(acknowledged, *found, where);
          // What recovery has seen and built upon is there for ever.
          acknowledged.written.resize(acknowledged.floor + found->size());
          acknowledged.synced = acknowledged.written.size();
          absl::Status status = logs.Create({last.number.value + 1}, last);
          if (status.ok()) {
            acknowledged.written.push_back("after recovery");
            status = logs.Append("after recovery");
            if (status.ok()) acknowledged.synced = acknowledged.written.size();
          }
        } else {
          ASSERT_TRUE(file_system.crashed()) << where << opened << found.status();
        }
        const bool hit_again = file_system.crashed();
        logs.ForgetLog();
        file_system.LoseUnsyncedData();
        if (!hit_again) break;
      }
    }
  }
}

}  // namespace
}  // namespace firn
