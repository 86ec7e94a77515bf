// bench/wal_bench.cc: what a synced append to the log costs, over io_uring and its twin, and beside
// them the bare system calls on a file that was written before.
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/executor.h"
#include "bench/scratch_folder.h"
#include "benchmark/benchmark.h"
#include "io/aligned_buffer.h"
#include "io/posix_file_system.h"
#include "io/uring_file_system.h"
#include "wal/log_files.h"

namespace firn {
namespace {

constexpr uint64_t kLogSize = uint64_t{64} << 20;

std::unique_ptr<FileSystem> MakeFileSystem(bool uring) {
  if (!uring) return std::make_unique<PosixFileSystem>();
  auto made = UringFileSystem::Create();
  FIRN_CHECK(made.ok());
  return *std::move(made);
}

// Arguments: payload bytes; 1 io_uring, 0 pread/pwrite; 1 synced, 0 buffered.
void BM_LogAppend(benchmark::State& state) {
  const ScratchFolder folder;
  const std::unique_ptr<FileSystem> file_system = MakeFileSystem(state.range(1) == 1);
  SteppedExecutor executor(1);
  LogFilesOptions options;
  options.slot_size_first = kLogSize;
  options.slot_size_max = kLogSize;
  auto files = LogFiles::Open(*file_system, executor, folder.path() + "/wal", options);
  FIRN_CHECK(files.ok());
  const std::string payload(static_cast<size_t>(state.range(0)), 'x');
  const ByteSpan piece = AsBytes(payload);
  const LogSync sync = state.range(2) == 1 ? LogSync::kSynced : LogSync::kBuffered;
  std::unique_ptr<LogWriter> log;
  uint64_t number = 0;
  uint64_t sequence = 0;
  PreviousLog previous;
  for (auto _ : state) {
    if (log == nullptr || !log->Fits(payload.size())) {
      state.PauseTiming();  // preparing a slot is background work
      if (log != nullptr) {
        previous = {.number = log->number(), .end = log->Close(log->last_sequence()).value()};
        log.reset();
        FIRN_CHECK((*files)->Retire(previous.number).ok());
      }
      auto created =
          (*files)->Create({.number = {++number}, .previous = previous, .manifest = {}});
      FIRN_CHECK(created.ok());
      log = *std::move(created);
      state.ResumeTiming();
    }
    ++sequence;
    const auto place = log->Reserve(payload.size(), {{sequence}, {sequence}});
    FIRN_CHECK(place.ok() && log->Flush(*place, {piece}, sync).ok());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}
BENCHMARK(BM_LogAppend)
    ->ArgNames({"bytes", "uring", "synced"})
    ->ArgsProduct({{1600, 65536}, {0, 1}, {1}})
    ->Args({1600, 0, 0})
    ->Args({1600, 1, 0})
    ->UseRealTime();

// The yardstick: one O_DIRECT pwrite of 4 KiB into written blocks, then fdatasync.
void BM_BareWriteAndSync(benchmark::State& state) {
  const ScratchFolder folder;
  const std::string path = folder.path() + "/bare";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
  FIRN_CHECK(file >= 0);
  constexpr size_t kBlock = 4096;
  AlignedBuffer buffer(size_t{1} << 20);
  std::fill(buffer.span().begin(), buffer.span().end(), uint8_t{0});
  for (uint64_t offset = 0; offset < kLogSize; offset += buffer.span().size()) {
    FIRN_CHECK(pwrite(file, buffer.span().data(), buffer.span().size(),
                      static_cast<off_t>(offset)) == static_cast<ssize_t>(buffer.span().size()));
  }
  FIRN_CHECK(fsync(file) == 0);
  uint64_t offset = 0;
  for (auto _ : state) {
    FIRN_CHECK(pwrite(file, buffer.span().data(), kBlock, static_cast<off_t>(offset)) ==
               static_cast<ssize_t>(kBlock));
    FIRN_CHECK(fdatasync(file) == 0);
    offset = (offset + kBlock) % kLogSize;
  }
  close(file);
}
BENCHMARK(BM_BareWriteAndSync)->UseRealTime();

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
