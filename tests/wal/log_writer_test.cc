#include "wal/log_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/support/random_keys.h"
#include "tests/wal/log_image.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Lets a test hold a write in flight until it says go on.
class Gate {
 public:
  void Close() { open_ = false; }
  void Open() {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (open_) return;
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void AwaitHeld() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return held_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int held_ = 0;
};

TEST(LogWriterTest, RecordsThatAreSyncedBeginAtBlocks) {
  LogImage image(16 * kLogBlockSize);
  const Place first = image.Add("a");
  const Place second = image.Add(std::string(kLogBlockSize, 'b'));
  EXPECT_EQ(first.offset, kLogBlockSize);
  EXPECT_EQ(first.limit, kLogBlockSize + kRecordHeaderSize + 8);
  EXPECT_EQ(second.offset, 2 * kLogBlockSize);
  EXPECT_EQ(second.gap, second.offset - first.limit);
  EXPECT_EQ(second.limit, 3 * kLogBlockSize + kRecordHeaderSize);
  EXPECT_EQ(image.log().size(), second.limit);
  EXPECT_EQ(image.log().synced_size(), second.limit);
  EXPECT_EQ(image.log().synced_sequence(), SequenceNumber{102});
}

TEST(LogWriterTest, APayloadMayComeInPieces) {
  LogImage image(16 * kLogBlockSize);
  const Place place = image.Reserve(6);
  ASSERT_OK(
      image.log().Flush(place, {AsBytes("ab"), ByteSpan(), AsBytes("cdef")}, LogSync::kSynced));
  EXPECT_THAT(ReadImage(image.Bytes()).payloads, ElementsAre("abcdef"));
}

TEST(LogWriterTest, AFullFileIsSaidAndTheClosingRecordStillFits) {
  LogImage image(4 * kLogBlockSize);
  EXPECT_TRUE(image.log().Fits(2 * kLogBlockSize - kRecordHeaderSize));
  EXPECT_FALSE(image.log().Fits(2 * kLogBlockSize - kRecordHeaderSize + 1));
  EXPECT_FALSE(image.log().Fits(UINT64_MAX));
  image.Add("one");
  image.Add("two");
  EXPECT_FALSE(image.log().Fits(1));
  EXPECT_THAT(image.log().Reserve(1, {.first = {200}, .last = {200}}),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_OK(image.log().error()) << "a full log is not a broken one";
  EXPECT_EQ(image.Close().size, 3 * kLogBlockSize + kRecordHeaderSize);
  EXPECT_EQ(ReadImage(image.Bytes()).ending, LogEnding::kClosed);
}

TEST(LogWriterTest, PayloadsOutOfRangeAreRefused) {
  LogImage image(16 * kLogBlockSize);
  EXPECT_THAT(image.log().Reserve(0, {}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(image.log().Reserve(kMaxPayloadSize + 1, {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LogWriterTest, AnErrorSticksAndNothingMoreIsWritten) {
  for (const absl::string_view failing : {"write", "sync"}) {
    LogImage image(16 * kLogBlockSize);
    image.Add("one");
    const Place reserved_before = image.Reserve(3);
    image.script().before = [failing](absl::string_view operation, uint64_t) {
      return operation == failing ? ErrnoStatus(EIO, "scripted") : absl::OkStatus();
    };
    const Place place = image.Reserve(3);
    const absl::Status failed = image.log().Flush(place, {AsBytes("two")}, LogSync::kSynced);
    EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("scripted")));
    image.script().before = nullptr;  // the disk works again; the file is still given up
    const int writes = image.script().Writes();
    EXPECT_EQ(image.log().error(), failed);
    EXPECT_EQ(image.log().Reserve(1, {}).status(), failed);
    EXPECT_EQ(image.log().Flush(reserved_before, {AsBytes("abc")}, LogSync::kBuffered), failed);
    EXPECT_EQ(image.log().Sync(), failed);
    EXPECT_EQ(image.log().EnsureSynced(place), failed);
    EXPECT_EQ(image.script().Writes(), writes);
  }
}

TEST(LogWriterTest, ALogWithARecordThatWasGivenUpCannotBeClosed) {
  LogImage image(16 * kLogBlockSize);
  image.Add("a");
  const SequenceNumber published = image.log().last_sequence();
  image.Add("written, and never published");
  EXPECT_THAT(image.log().Close(published), HasReason(ErrorReason::kPoisoned));
  image.Reserve(3);
  EXPECT_THAT(image.log().Close(published), HasReason(ErrorReason::kPoisoned));
}

TEST(LogWriterTest, ALogWithAPlaceThatWasNeverWrittenCannotBeClosed) {
  LogImage image(16 * kLogBlockSize);
  image.Add("a");
  const SequenceNumber next{image.log().last_sequence().value + 1};
  ASSERT_OK(image.log().Reserve(10, {.first = next, .last = next}));  // and given up
  EXPECT_THAT(image.log().Close(next), HasReason(ErrorReason::kPoisoned));
  EXPECT_THAT(image.log().Close(next), HasReason(ErrorReason::kPoisoned));
}

TEST(LogWriterTest, SyncedSizeGrowsOnlyByWhatIsOnStableStorage) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place first = image.Add("buffered", LogSync::kBuffered);
  EXPECT_EQ(log.synced_size(), kLogBlockSize);
  EXPECT_EQ(log.synced_sequence(), SequenceNumber{100});
  ASSERT_OK(log.Sync());
  EXPECT_EQ(log.synced_size(), first.limit);
  const int syncs = image.script().Syncs();
  ASSERT_OK(log.Sync());
  EXPECT_EQ(image.script().Syncs(), syncs) << "nothing to sync";
  image.Add("buffered", LogSync::kBuffered);
  const Place third = image.Add("synced");
  EXPECT_EQ(log.synced_size(), third.limit) << "a sync covers earlier completed writes";
  EXPECT_EQ(log.synced_sequence(), SequenceNumber{103});
}

TEST(LogWriterTest, CachedRecordsTakeTheSecondHandleAndEverySyncTheFirst) {
  FileScript direct;
  FileScript cached;
  MemoryFileSystem file_system;
  const LogHeader header = ImageHeader();
  const size_t size = 16 * kLogBlockSize;
  LogWriter log(file_system, std::make_unique<ScriptedFile>(direct, size), header,
                LogGrowth::kPrepared, std::make_unique<ScriptedFile>(cached, size));
  const auto append = [&log](uint64_t sequence) {
    return log.AppendCached(1, {AsBytes("x")}, {.first = {sequence}, .last = {sequence}}).status();
  };
  ASSERT_OK(append(101));
  EXPECT_EQ(cached.Writes(), 1);
  EXPECT_EQ(direct.Writes(), 0);
  ASSERT_OK_AND_ASSIGN(const Place place, log.Reserve(1, {.first = {102}, .last = {102}}));
  ASSERT_OK(log.Flush(place, {AsBytes("x")}, LogSync::kSynced));  // of the file: it covers both
  EXPECT_EQ(direct.Writes(), 1);
  EXPECT_EQ(direct.Syncs(), 1);
  EXPECT_EQ(log.synced_sequence(), SequenceNumber{102});
  ASSERT_OK(append(103));
  ASSERT_OK(log.Sync());
  EXPECT_EQ(direct.Syncs(), 2);
  EXPECT_EQ(cached.Syncs(), 0);
  cached.before = [](absl::string_view, uint64_t) { return ErrnoStatus(EIO, "scripted"); };
  const absl::Status failed = append(104);
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("scripted")));
  EXPECT_EQ(log.error(), failed);  // whichever handle failed, nothing more is written
}

TEST(LogWriterTest, AFlushThatCompletesEarlyDoesNotCoverTheGapBeforeIt) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place first = image.Reserve(1);
  const Place second = image.Reserve(1);
  ASSERT_OK(log.Flush(second, {AsBytes("2")}, LogSync::kSynced));
  EXPECT_EQ(log.synced_size(), kLogBlockSize);
  ASSERT_OK(log.Flush(first, {AsBytes("1")}, LogSync::kBuffered));
  EXPECT_EQ(log.synced_size(), kLogBlockSize) << "written, not synced";
  ASSERT_OK(log.EnsureSynced(second));
  EXPECT_EQ(log.synced_size(), second.limit);
  EXPECT_THAT(ReadImage(image.Bytes()).payloads, ElementsAre("1", "2"));
}

TEST(LogWriterTest, ASyncDoesNotCoverAWriteThatCompletedAfterItBegan) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place first = image.Reserve(1);
  const Place second = image.Reserve(1);
  Gate gate;
  gate.Close();
  image.script().before = [&](absl::string_view operation, uint64_t) {
    if (operation == "sync") gate.Pass();
    return absl::OkStatus();
  };
  std::thread syncing([&] { EXPECT_OK(log.Flush(second, {AsBytes("2")}, LogSync::kSynced)); });
  gate.AwaitHeld();  // its write is done, its sync has begun
  ASSERT_OK(log.Flush(first, {AsBytes("1")}, LogSync::kBuffered));
  gate.Open();
  syncing.join();
  EXPECT_EQ(log.synced_size(), kLogBlockSize);
  ASSERT_OK(log.EnsureSynced(second));
  EXPECT_EQ(log.synced_size(), second.limit);
}

// The system tells one of them, and once, of a page that it could not write.
TEST(LogWriterTest, OfTwoSyncsAtOnceTheFailureOfOneFailsBothIfACachedRecordIsAtStake) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place cached = image.AddCached("lost");
  const Place second = image.Reserve(1);
  const Place third = image.Reserve(1);
  Gate well;
  Gate failing;
  well.Close();
  failing.Close();
  std::atomic<int> syncs{0};
  image.script().before = [&](absl::string_view operation, uint64_t) {
    if (operation != "sync") return absl::OkStatus();
    if (syncs.fetch_add(1) == 0) {
      well.Pass();
      return absl::OkStatus();
    }
    failing.Pass();
    return ErrnoStatus(EIO, "scripted");
  };
  absl::Status first_said;
  absl::Status second_said;
  std::thread first([&] { first_said = log.Flush(second, {AsBytes("2")}, LogSync::kSynced); });
  well.AwaitHeld();
  std::thread other([&] { second_said = log.Flush(third, {AsBytes("3")}, LogSync::kSynced); });
  failing.AwaitHeld();
  well.Open();
  while (image.script().Syncs() == 0) std::this_thread::yield();  // it heard that all is well
  std::this_thread::sleep_for(std::chrono::milliseconds(20));     // and could believe it
  failing.Open();
  first.join();
  other.join();
  EXPECT_FALSE(first_said.ok());
  EXPECT_FALSE(second_said.ok());
  EXPECT_EQ(log.synced_size(), kLogBlockSize) << "not even the cached one, up to " << cached.limit;
}

TEST(LogWriterTest, ConcurrentFlushesGiveOneOrderedLog) {
  constexpr int kThreads = 8;
  constexpr int kRecords = 60;
  LogImage image(4 << 20);
  std::mutex order;
  std::vector<std::string> reserved;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(static_cast<uint64_t>(thread));
      for (int i = 0; i < kRecords; ++i) {
        const std::string payload = RandomBytes(random, 1 + random.Uniform(6000));
        Place place;
        {
          const std::lock_guard<std::mutex> lock(order);
          place = image.Reserve(payload.size());
          reserved.push_back(payload);
        }
        const LogSync sync = random.OneIn(2) ? LogSync::kSynced : LogSync::kBuffered;
        EXPECT_OK(image.log().Flush(place, {AsBytes(payload)}, sync));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_OK(image.log().Sync());
  EXPECT_EQ(image.log().synced_size(), image.log().size());
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_EQ(read.payloads, reserved);
}

TEST(LogWriterTest, CachedRecordsShareBlocksUntilASyncBegins) {
  LogImage image(64 * kLogBlockSize);
  const Place first = image.AddCached("first");
  const Place second = image.AddCached("second");
  EXPECT_EQ(second.offset, first.limit);
  EXPECT_EQ(second.gap, 0);
  const Place crossing = image.AddCached(std::string(2 * kLogBlockSize, 'c'));
  EXPECT_EQ(crossing.offset, second.limit);
  const Place behind = image.AddCached("behind");
  EXPECT_EQ(behind.offset, crossing.limit);
  ASSERT_OK(image.log().Sync());
  EXPECT_EQ(image.log().synced_size(), behind.limit);
  const Place after_sync = image.AddCached("after a sync");
  EXPECT_EQ(after_sync.offset, RoundUpToBlock(behind.limit));
  const Place synced = image.Add("synced");
  EXPECT_EQ(synced.offset, RoundUpToBlock(after_sync.limit));
  const Place after_synced = image.AddCached("after a synced record");
  EXPECT_EQ(after_synced.offset, RoundUpToBlock(synced.limit));
  image.Close();
  EXPECT_EQ(image.script().Rewrites(), 0);
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads,
              ElementsAre("first", "second", std::string(2 * kLogBlockSize, 'c'), "behind",
                          "after a sync", "synced", "after a synced record"));
  EXPECT_EQ(read.ending, LogEnding::kClosed);
}

TEST(LogWriterTest, ACachedRecordCostsItsOwnBytesAndOneWrite) {
  LogImage image(64 * kLogBlockSize);
  image.AddCached("one");
  const int writes = image.script().Writes();
  std::vector<uint64_t> offsets;
  image.script().before = [&](absl::string_view, uint64_t offset) {
    offsets.push_back(offset);
    return absl::OkStatus();
  };
  const Place place = image.AddCached("two");
  EXPECT_EQ(image.script().Writes(), writes + 1);
  EXPECT_THAT(offsets, ElementsAre(place.offset)) << "no byte of its neighbour";
}

TEST(LogWriterTest, EachMebibyteOfCachedRecordsIsSentOnItsWayOnceWithoutItsLastBlock) {
  LogImage image(8 << 20);
  uint64_t size = 0;
  while (size < (5 << 20)) size = image.AddCached(std::string(10'000, 'x')).limit;
  uint64_t begin = 0;
  for (const auto& [offset, bytes] : image.script().Hints()) {
    EXPECT_EQ(offset, begin);
    EXPECT_GE(bytes, 1u << 20);
    EXPECT_EQ(bytes % kLogBlockSize, 0u);
    begin = offset + bytes;
  }
  EXPECT_LE(begin, size);
  EXPECT_GT(begin + (1 << 20) + 10'000 + kLogBlockSize, size);
}

TEST(LogWriterTest, ACachedRecordWaitsForNoFlushThatIsRunning) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place flushed = image.Reserve(1);
  Gate gate;
  gate.Close();
  image.script().before = [&](absl::string_view operation, uint64_t) {
    if (operation == "sync") gate.Pass();
    return absl::OkStatus();
  };
  std::thread syncing([&] { EXPECT_OK(log.Flush(flushed, {AsBytes("1")}, LogSync::kSynced)); });
  gate.AwaitHeld();
  ASSERT_OK_AND_ASSIGN(const std::optional<Place> refused,
                       log.AppendCached(1, {AsBytes("2")}, {.first = {102}, .last = {102}}));
  EXPECT_FALSE(refused.has_value());
  EXPECT_EQ(log.last_sequence(), SequenceNumber{101}) << "nothing was reserved";
  gate.Open();
  syncing.join();
  EXPECT_EQ(image.AddCached("2").offset, 2 * kLogBlockSize);
}

TEST(LogWriterTest, ASyncDoesNotCoverACachedRecordWrittenAfterItBegan) {
  LogImage image(16 * kLogBlockSize);
  LogWriter& log = image.log();
  const Place before = image.AddCached("before");
  Gate gate;
  gate.Close();
  image.script().before = [&](absl::string_view operation, uint64_t) {
    if (operation == "sync") gate.Pass();
    return absl::OkStatus();
  };
  std::thread syncing([&] { EXPECT_OK(log.Sync()); });
  gate.AwaitHeld();
  const Place during = image.AddCached("during");
  EXPECT_EQ(during.offset, 2 * kLogBlockSize) << "not in a block that the sync may cover";
  gate.Open();
  syncing.join();
  EXPECT_EQ(log.synced_size(), before.limit);
  ASSERT_OK(log.EnsureSynced(during));
  EXPECT_EQ(log.synced_size(), during.limit);
}

TEST(LogWriterTest, AFailedCachedWriteSticks) {
  LogImage image(16 * kLogBlockSize);
  image.AddCached("one");
  image.script().before = [](absl::string_view, uint64_t) {
    return ErrnoStatus(EIO, "scripted");
  };
  const auto failed = image.log().AppendCached(1, {AsBytes("2")}, {.first = {102}, .last = {102}});
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("scripted")));
  image.script().before = nullptr;
  EXPECT_EQ(image.log().error(), failed.status());
  EXPECT_EQ(image.log().Sync(), failed.status());
  EXPECT_FALSE(image.log().AppendCached(1, {AsBytes("3")}, {.first = {103}, .last = {103}}).ok());
}

TEST(LogWriterTest, ACachedRecordLeavesRoomForTheClosingOne) {
  LogImage image(3 * kLogBlockSize);
  image.AddCached("one");
  EXPECT_FALSE(image.log().Fits(1));
  EXPECT_THAT(image.log().AppendCached(1, {AsBytes("2")}, {.first = {200}, .last = {200}}),
              StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(image.log().AppendCached(0, {}, {}), StatusIs(absl::StatusCode::kInvalidArgument));
  image.Close();
  EXPECT_EQ(ReadImage(image.Bytes()).ending, LogEnding::kClosed);
}

// Records of all kinds from several threads, with syncs between: one ordered log, and no block that a
// sync may have covered is written again.
TEST(LogWriterTest, NoBlockThatASyncMayHaveCoveredIsEverRewritten) {
  constexpr int kThreads = 4;
  constexpr int kRecords = 400;
  LogImage image(16 << 20);
  std::mutex order;
  std::vector<std::string> reserved;
  std::atomic<int> shared{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(static_cast<uint64_t>(thread) + 100);
      for (int i = 0; i < kRecords; ++i) {
        if (random.OneIn(20)) {
          EXPECT_OK(image.log().Sync());
        }
        const std::string payload =
            RandomBytes(random, 1 + random.Uniform(random.OneIn(10) ? 50'000 : 900));
        const bool synced = random.OneIn(20);
        Place place;
        {
          const std::lock_guard<std::mutex> lock(order);
          const SequenceNumber next{image.log().last_sequence().value + 1};
          reserved.push_back(payload);
          if (!synced) {
            const auto cached = image.log().AppendCached(payload.size(), {AsBytes(payload)},
                                                         {.first = next, .last = next});
            ASSERT_OK(cached);
            if (cached->has_value()) {
              if ((*cached)->offset % kLogBlockSize != 0) ++shared;
              continue;
            }
          }
          place = *image.log().Reserve(payload.size(), {.first = next, .last = next});
        }
        EXPECT_OK(image.log().Flush(place, {AsBytes(payload)},
                                    synced ? LogSync::kSynced : LogSync::kBuffered));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(shared, 100) << "or this shows nothing";
  EXPECT_EQ(image.script().Rewrites(), 0);
  ASSERT_OK(image.log().Sync());
  EXPECT_EQ(image.log().synced_size(), image.log().size());
  const ReadResult read = ReadImage(image.Bytes());
  ASSERT_OK(read.status);
  EXPECT_EQ(read.payloads, reserved);
}

LogHeader ManifestHeader() {
  LogHeader header;
  header.kind = LogKind::kManifest;
  header.number = {12};
  header.salt = 99;
  return header;
}

TEST(LogWriterTest, AGrowingLogIsPreparedAheadOfItsRecords) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto log, LogWriter::Create(file_system, "MANIFEST", ManifestHeader()));
  EXPECT_FALSE(log->Fits(1));
  const std::string large(300'000, 'm');
  ASSERT_OK(log->Append(AsBytes("edit"), {}));
  EXPECT_TRUE(log->Fits(1)) << "prepared in steps";
  ASSERT_OK(log->Append(AsBytes(large), {}));
  EXPECT_EQ(log->synced_size(), log->size());
  ASSERT_OK(log->Close({0}));
  LogReaderOptions options;
  options.kind = LogKind::kManifest;
  const ReadResult read = ReadLog(file_system, "MANIFEST", options);
  ASSERT_OK(read.status);
  EXPECT_THAT(read.payloads, ElementsAre("edit", large));
  EXPECT_EQ(read.ending, LogEnding::kClosed);
}

TEST(LogWriterTest, AFullDiskStopsAGrowingLogOnlyWhileItIsFull) {
  SmallDisk disk;
  ASSERT_OK_AND_ASSIGN(auto log, LogWriter::Create(disk, "MANIFEST", ManifestHeader()));
  const std::string edit(10'000, 'e');
  ASSERT_OK(log->Append(AsBytes(edit), {}));
  disk.room = 5000;
  absl::Status status;
  int appended = 1;
  while (status.ok()) {
    status = log->Append(AsBytes(edit), {});
    if (status.ok()) ++appended;
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  EXPECT_OK(log->error());
  disk.room = INT64_MAX;
  ASSERT_OK(log->Append(AsBytes(edit), {}));
  LogReaderOptions options;
  options.kind = LogKind::kManifest;
  const ReadResult read = ReadLog(disk, "MANIFEST", options);
  ASSERT_OK(read.status);
  EXPECT_EQ(read.payloads, std::vector<std::string>(static_cast<size_t>(appended) + 1, edit));
}

// Every operation of a writer is once the last one; what was acknowledged is read back.
TEST(LogWriterTest, NothingAcknowledgedIsLostWhereverTheMachineStops) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    bool hit = true;
    for (uint64_t crash_at = 0; hit; ++crash_at) {
      MemoryFileSystem file_system({.seed = seed, .crash_at_operation = crash_at});
      std::vector<std::string> written;
      size_t synced = 0;
      const auto run = [&]() -> absl::Status {
        FIRN_ASSIGN_OR_RETURN(auto log, LogWriter::Create(file_system, "M", ManifestHeader()));
        FIRN_RETURN_IF_ERROR(file_system.SyncDirectory("."));
        Random random(seed);
        for (int i = 0; i < 30; ++i) {
          const std::string payload =
              RandomBytes(random, 1 + random.Uniform(random.OneIn(3) ? 12'000 : 500));
          FIRN_RETURN_IF_ERROR(log->EnsureRoom(payload.size()));
          const uint64_t way = random.Uniform(5);
          if (way < 3) {
            written.push_back(payload);
            FIRN_RETURN_IF_ERROR(
                log->AppendCached(payload.size(), {AsBytes(payload)}, {}).status());
            if (way > 0) continue;
            FIRN_RETURN_IF_ERROR(log->Sync());
            synced = written.size();
            continue;
          }
          FIRN_ASSIGN_OR_RETURN(const Place place, log->Reserve(payload.size(), {}));
          written.push_back(payload);
          const bool sync = way == 3;
          FIRN_RETURN_IF_ERROR(
              log->Flush(place, {AsBytes(payload)}, sync ? LogSync::kSynced : LogSync::kBuffered));
          if (sync) synced = written.size();
        }
        return log->Close({0}).status();
      };
      const absl::Status status = run();
      hit = file_system.crashed();
      ASSERT_EQ(hit, !status.ok()) << status;
      file_system.LoseUnsyncedData();
      if (synced == 0) continue;
      LogReaderOptions options;
      options.kind = LogKind::kManifest;
      const ReadResult read = ReadLog(file_system, "M", options);
      ASSERT_OK(read.status) << "seed " << seed << " crash at " << crash_at;
      ASSERT_GE(read.payloads.size(), synced) << "seed " << seed << " crash at " << crash_at;
      ASSERT_LE(read.payloads.size(), written.size());
      ASSERT_TRUE(std::equal(read.payloads.begin(), read.payloads.end(), written.begin()))
          << "seed " << seed << " crash at " << crash_at;
    }
  }
}

}  // namespace
}  // namespace firn
