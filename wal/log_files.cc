#include "wal/log_files.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "base/check.h"
#include "base/status.h"
#include "io/aligned_buffer.h"

namespace firn {
namespace {

constexpr char kLogSuffix[] = ".wal";
constexpr char kSpareSuffix[] = ".spare";
constexpr char kUnfinishedSuffix[] = ".spare.tmp";

constexpr size_t kZeroesSize = size_t{1} << 20;
// Written and synced at once: small enough that a flush of the log behind it waits little.
constexpr uint64_t kSliceSize = uint64_t{4} << 20;
// A writer waits while a slot is prepared in its own thread, so such slots are small.
constexpr uint64_t kInlineSlotSizeMax = uint64_t{4} << 20;
constexpr uint64_t kSlotSizeLeast = uint64_t{64} << 10;

std::string NumberedName(uint64_t number, absl::string_view suffix) {
  return absl::StrFormat("%06d%s", number, suffix);
}

std::optional<uint64_t> ParseNumberedName(absl::string_view name, absl::string_view suffix) {
  absl::string_view digits = name;
  uint64_t number = 0;
  if (!absl::ConsumeSuffix(&digits, suffix) || !absl::SimpleAtoi(digits, &number) ||
      number > kFileNumberMax || NumberedName(number, suffix) != name) {
    return std::nullopt;
  }
  return number;
}

// Bytes that a file needs for its header, one record of `payload_size`, and the closing record.
uint64_t SlotSizeFor(uint64_t payload_size) {
  return kLogBlockSize + RecordSizeOnDisk(payload_size) + RecordSizeOnDisk(0);
}

}  // namespace

std::string LogName(FileNumber number) { return NumberedName(number.value, kLogSuffix); }

std::optional<FileNumber> ParseLogName(absl::string_view name) {
  const std::optional<uint64_t> number = ParseNumberedName(name, kLogSuffix);
  if (!number.has_value()) return std::nullopt;
  return FileNumber{*number};
}

uint64_t RandomSalt() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

// Writes zeroes, a slice at a time, or allocates all in one. Abandoned without Finish() it leaves its unfinished file, which
// Abandon() removes.
class LogFiles::Filler {
 public:
  Filler(std::unique_ptr<WritableFile> file, Spare spare, SpareFill fill)
      : file_(std::move(file)), spare_(spare), fill_(fill) {}

  const Spare& spare() const { return spare_; }
  const std::string& path() const { return file_->path(); }
  bool full() const { return filled_ == spare_.size; }

  absl::Status FillSlice() {
    if (fill_ == SpareFill::kAllocate) {
      FIRN_RETURN_IF_ERROR(file_->Allocate(spare_.size));
      filled_ = spare_.size;
      return file_->Sync();
    }
    const AlignedBuffer zeroes(kZeroesSize);
    const uint64_t limit = std::min(spare_.size, filled_ + kSliceSize);
    while (filled_ < limit) {
      const size_t size = static_cast<size_t>(std::min<uint64_t>(kZeroesSize, limit - filled_));
      FIRN_RETURN_IF_ERROR(file_->Write(filled_, {zeroes.span().first(size)}));
      filled_ += size;
    }
    return file_->Sync();
  }

  absl::Status Close() { return file_->Close(); }

 private:
  const std::unique_ptr<WritableFile> file_;
  const Spare spare_;
  const SpareFill fill_;
  uint64_t filled_ = 0;
};

absl::StatusOr<std::unique_ptr<LogFiles>> LogFiles::Open(FileSystem& file_system,
                                                         Executor& executor,
                                                         absl::string_view directory,
                                                         const LogFilesOptions& options) {
  FIRN_CHECK(options.slot_size_first % kLogBlockSize == 0);
  FIRN_CHECK(options.slot_size_max % kLogBlockSize == 0);
  FIRN_CHECK(options.slot_size_first >= SlotSizeFor(1));
  FIRN_CHECK(options.slot_size_first <= options.slot_size_max);
  const absl::Status created = file_system.CreateDirectory(directory);
  if (created.ok()) {
    FIRN_RETURN_IF_ERROR(file_system.SyncDirectory(DirectoryOf(directory)));
  } else if (!absl::IsAlreadyExists(created)) {
    return created;
  }
  auto files = absl::WrapUnique(new LogFiles(file_system, executor, directory, options));
  FIRN_RETURN_IF_ERROR(files->ListFolder());
  // A spare that was found may still bear a log's name on disk: of a process that ended, or whose
  // sync failed, in the middle of Retire().
  FIRN_RETURN_IF_ERROR(file_system.SyncDirectory(directory));
  return files;
}

LogFiles::LogFiles(FileSystem& file_system, Executor& executor, absl::string_view directory,
                   const LogFilesOptions& options)
    : file_system_(file_system),
      executor_(executor),
      directory_(directory),
      options_(options),
      next_slot_size_(options.slot_size_first) {}

LogFiles::~LogFiles() { StopPreparing(); }

void LogFiles::StopPreparing() {
  MutexLock lock(mutex_);
  stopping_ = true;
  while (filling_) executor_.AwaitProgress(mutex_, background_done_);
}

std::string LogFiles::PathOf(FileNumber number) const {
  return JoinPath(directory_, LogName(number));
}

std::string LogFiles::SparePath(uint64_t number) const {
  return JoinPath(directory_, NumberedName(number, kSpareSuffix));
}

absl::Status LogFiles::ListFolder() {
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> names, file_system_.List(directory_));
  std::vector<Log> logs;
  std::vector<Spare> spares;
  std::vector<std::string> unfinished;
  uint64_t last_spare = 0;
  for (const std::string& name : names) {
    const std::string path = JoinPath(directory_, name);
    if (const auto log = ParseLogName(name)) {
      FIRN_ASSIGN_OR_RETURN(const FileInfo info, file_system_.Stat(path));
      logs.push_back({.number = *log, .size = info.size});
    } else if (const auto spare = ParseNumberedName(name, kSpareSuffix)) {
      FIRN_ASSIGN_OR_RETURN(const FileInfo info, file_system_.Stat(path));
      spares.push_back({.number = *spare, .size = info.size});
      last_spare = std::max(last_spare, *spare);
    } else if (const auto begun = ParseNumberedName(name, kUnfinishedSuffix)) {
      unfinished.push_back(path);
      last_spare = std::max(last_spare, *begun);
    }
  }
  std::sort(logs.begin(), logs.end(),
            [](const Log& a, const Log& b) { return a.number < b.number; });
  std::sort(spares.begin(), spares.end(),
            [](const Spare& a, const Spare& b) { return a.size < b.size; });
  const uint64_t used_size =
      std::max(logs.empty() ? 0 : logs.back().size, spares.empty() ? 0 : spares.back().size);
  MutexLock lock(mutex_);
  logs_ = std::move(logs);
  spares_ = std::move(spares);
  unfinished_ = std::move(unfinished);
  next_spare_ = last_spare + 1;
  next_slot_size_ = std::clamp(used_size / kLogBlockSize * kLogBlockSize, options_.slot_size_first,
                               options_.slot_size_max);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<FoundLog>> LogFiles::ReadChain() {
  std::vector<FoundLog> chain;
  for (const FileNumber number : logs()) {
    LogReaderOptions options;
    options.number = number;
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                          LogReader::Open(file_system_, PathOf(number), options));
    FoundLog found;
    found.header = reader->header();
    found.path = reader->path();
    found.file_size = reader->file_size();
    if (!chain.empty()) {
      const PreviousLog& previous = found.header.previous;
      if (previous.number != chain.back().header.number) {
        return WithReason(
            absl::DataLossError(absl::StrFormat(
                "%s: a log is missing: this one follows %s, and the one before it in the folder is "
                "%s",
                found.path, LogName(previous.number), LogName(chain.back().header.number))),
            ErrorReason::kMissingFile);
      }
      chain.back().final_end = previous.end;
    }
    chain.push_back(std::move(found));
  }
  return chain;
}

absl::Status LogFiles::SyncLog(FileNumber number) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                        file_system_.OpenForWrite(PathOf(number)));
  FIRN_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status LogFiles::RemoveUnfinished() {
  std::vector<std::string> paths;
  {
    MutexLock lock(mutex_);
    paths.swap(unfinished_);
  }
  for (const std::string& path : paths) {
    const absl::Status removed = file_system_.RemoveFile(path);
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LogFiles::Filler>> LogFiles::NewFiller(uint64_t size) {
  Spare spare{.number = 0, .size = size};
  SpareFill fill = SpareFill::kZeroes;
  {
    MutexLock lock(mutex_);
    spare.number = next_spare_++;
    fill = fill_;
  }
  const std::string path = JoinPath(directory_, NumberedName(spare.number, kUnfinishedSuffix));
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        file_system_.Create(path, options_.access));
  return std::make_unique<Filler>(std::move(file), spare, fill);
}

absl::Status LogFiles::FinishSpare(Filler& filler) {
  FIRN_CHECK(filler.full());
  FIRN_RETURN_IF_ERROR(filler.Close());
  FIRN_RETURN_IF_ERROR(file_system_.Rename(filler.path(), SparePath(filler.spare().number)));
  FIRN_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  AddSpare(filler.spare());
  return DropExtraSpares();
}

// Gives the space of a spare that could not be finished back; what cannot be removed now is removed
// with the next log.
absl::Status LogFiles::Abandon(const Filler& filler, const absl::Status& reason) {
  const absl::Status removed = file_system_.RemoveFile(filler.path());
  if (!removed.ok() && !absl::IsNotFound(removed)) {
    MutexLock lock(mutex_);
    unfinished_.push_back(filler.path());
  }
  return Annotate(reason, "preparing a log file");
}

void LogFiles::AddSpare(Spare spare) {
  MutexLock lock(mutex_);
  const auto place =
      std::upper_bound(spares_.begin(), spares_.end(), spare,
                       [](const Spare& a, const Spare& b) { return a.size < b.size; });
  spares_.insert(place, spare);
}

// The largest: a log that holds more is switched less often.
std::optional<LogFiles::Spare> LogFiles::TakeSpare(uint64_t size_min) {
  MutexLock lock(mutex_);
  if (spares_.empty() || spares_.back().size < size_min) return std::nullopt;
  const Spare taken = spares_.back();
  spares_.pop_back();
  return taken;
}

absl::Status LogFiles::DropExtraSpares() {
  while (true) {
    std::optional<Spare> smallest;
    {
      MutexLock lock(mutex_);
      if (spares_.size() <= options_.spares_max) return absl::OkStatus();
      smallest = spares_.front();
      spares_.erase(spares_.begin());
    }
    FIRN_RETURN_IF_ERROR(file_system_.RemoveFile(SparePath(smallest->number)));
  }
}

absl::Status LogFiles::PrepareSlot(uint64_t payload_size, SpareUse use) {
  if (payload_size > kMaxPayloadSize) {
    return InvalidArgument(absl::StrFormat("a log record of %d bytes; at most %d are allowed",
                                           payload_size, kMaxPayloadSize));
  }
  const uint64_t size_min = SlotSizeFor(payload_size);
  uint64_t size = 0;
  bool is_ready = false;
  bool is_last = false;
  {
    MutexLock lock(mutex_);
    is_ready = !spares_.empty() && spares_.back().size >= size_min;
    is_last = spares_.size() == 1;
    size = std::max(size_min, std::min(next_slot_size_, kInlineSlotSizeMax));
  }
  if (is_ready && (!is_last || use == SpareUse::kAny)) return absl::OkStatus();
  if (is_ready) {
    // Room for another, and for a manifest.
    const absl::StatusOr<uint64_t> free = file_system_.FreeSpace(directory_);
    if (!free.ok() || *free >= 2 * options_.slot_size_first) return absl::OkStatus();
    return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kDiskFull,
                     absl::StrFormat("%s: %d bytes are free; the last spare log is kept for "
                                     "recovery",
                                     directory_, *free));
  }
  const absl::Status made = MakeSpare(size);
  if (made.ok() || use == SpareUse::kKeepOne || ReasonOf(made) != ErrorReason::kDiskFull) {
    return made;
  }
  return MakeSpare(std::max(size_min, kSlotSizeLeast));  // on a full disk recovery takes what there is
}

absl::Status LogFiles::MakeSpare(uint64_t size) {
  FIRN_RETURN_IF_ERROR(RemoveUnfinished());
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Filler> filler, NewFiller(size));
  absl::Status status;
  while (status.ok() && !filler->full()) status = filler->FillSlice();
  if (status.ok()) status = FinishSpare(*filler);
  return status.ok() ? status : Abandon(*filler, status);
}

absl::StatusOr<bool> LogFiles::GiveBackSpare() {
  std::optional<Spare> given;
  {
    MutexLock lock(mutex_);
    if (spares_.empty()) return false;
    given = spares_.front();
    spares_.erase(spares_.begin());
  }
  FIRN_RETURN_IF_ERROR(file_system_.RemoveFile(SparePath(given->number)));
  FIRN_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  return true;
}

absl::StatusOr<std::unique_ptr<LogWriter>> LogFiles::Create(const NewLog& log,
                                                            uint64_t payload_size) {
  FIRN_RETURN_IF_ERROR(RemoveUnfinished());
  std::optional<Spare> spare;
  while (!spare.has_value()) {  // a background task may drop the one just made for a larger one
    FIRN_RETURN_IF_ERROR(PrepareSlot(payload_size));
    spare = TakeSpare(SlotSizeFor(payload_size));
  }
  LogHeader header;
  header.kind = LogKind::kWrites;
  header.number = log.number;
  header.salt = options_.new_salt();
  header.previous = log.previous;
  header.manifest = log.manifest;
  FIRN_RETURN_IF_ERROR(WriteHeader(SparePath(spare->number), header));
  const absl::Status renamed = file_system_.Rename(SparePath(spare->number), PathOf(log.number));
  if (!renamed.ok()) {
    AddSpare(*spare);
    return renamed;
  }
  // Should this fail, the name may or may not last; a repeated call puts another file in its place.
  FIRN_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        file_system_.OpenForWrite(PathOf(log.number), options_.access));
  std::unique_ptr<WritableFile> cached;
  if (options_.access == FileAccess::kDirect) {
    FIRN_ASSIGN_OR_RETURN(
        cached, file_system_.OpenForWrite(PathOf(log.number), FileAccess::kBuffered));
  }
  {
    MutexLock lock(mutex_);
    FIRN_CHECK(logs_.empty() || logs_.back().number < log.number);
    if (!logs_.empty() && logs_.back().number == log.previous.number &&
        log.previous.end.size > logs_.back().size / 2) {
      next_slot_size_ = std::clamp(logs_.back().size / kLogBlockSize * kLogBlockSize * 2,
                                   next_slot_size_, options_.slot_size_max);
    }
    logs_.push_back({.number = log.number, .size = spare->size});
  }
  PrepareInBackground();
  return std::make_unique<LogWriter>(file_system_, std::move(file), header, LogGrowth::kPrepared,
                                     std::move(cached));
}

// Before the file gets a log's name: so a .wal file always has a good header.
absl::Status LogFiles::WriteHeader(const std::string& path, const LogHeader& header) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file,
                        file_system_.OpenForWrite(path, options_.access));
  AlignedBuffer block(kLogBlockSize);
  EncodeLogHeader(header, block.span());
  FIRN_RETURN_IF_ERROR(file->WriteAndSync(0, {ByteSpan(block.span())}));
  return file->Close();
}

absl::Status LogFiles::Retire(FileNumber number) {
  Spare spare;
  bool keep = false;
  {
    MutexLock lock(mutex_);
    FIRN_CHECK(!logs_.empty() && logs_.front().number == number);
    spare.size = logs_.front().size;
    spare.number = next_spare_++;
    keep = spare.size % kLogBlockSize == 0 && spare.size >= options_.slot_size_first &&
           (spares_.size() < options_.spares_max || spares_.front().size < spare.size);
  }
  FIRN_RETURN_IF_ERROR(keep ? file_system_.Rename(PathOf(number), SparePath(spare.number))
                            : file_system_.RemoveFile(PathOf(number)));
  {
    MutexLock lock(mutex_);
    logs_.erase(logs_.begin());
  }
  // Only a name that is durably gone may be written again: else the old name could come back with
  // another log's header in it.
  FIRN_RETURN_IF_ERROR(file_system_.SyncDirectory(directory_));
  if (!keep) return absl::OkStatus();
  AddSpare(spare);
  return DropExtraSpares();
}

void LogFiles::PrepareInBackground() {
  {
    MutexLock lock(mutex_);
    const bool enough = !spares_.empty() && spares_.back().size >= next_slot_size_;
    if (filling_ || stopping_ || enough) return;
    filling_ = true;
  }
  executor_.Schedule(TaskPriority::kIdle, [this] { FillSlice(nullptr); });
}

// One slice a task, so that other idle work gets its turn and a closing database does not wait.
void LogFiles::FillSlice(std::shared_ptr<Filler> filler) {
  uint64_t size = 0;
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    stopping = stopping_;
    size = next_slot_size_;
  }
  absl::Status status;
  if (filler == nullptr && !stopping) {
    absl::StatusOr<std::unique_ptr<Filler>> made = NewFiller(size);
    status = made.status();
    if (made.ok()) filler = *std::move(made);
  }
  if (stopping) status = absl::CancelledError("the log is being closed");
  if (status.ok()) status = filler->FillSlice();
  if (status.ok() && !filler->full()) {
    executor_.Schedule(TaskPriority::kIdle, [this, filler] { FillSlice(filler); });
    return;
  }
  if (status.ok()) status = FinishSpare(*filler);
  if (!status.ok() && filler != nullptr) status = Abandon(*filler, status);
  MutexLock lock(mutex_);
  background_status_ = status;
  filling_ = false;
  background_done_.NotifyAll();
}

void LogFiles::SetFill(SpareFill fill) {
  MutexLock lock(mutex_);
  fill_ = fill;
}

std::vector<FileNumber> LogFiles::logs() const {
  MutexLock lock(mutex_);
  std::vector<FileNumber> numbers;
  for (const Log& log : logs_) numbers.push_back(log.number);
  return numbers;
}

uint64_t LogFiles::size_on_disk() const {
  MutexLock lock(mutex_);
  uint64_t size = 0;
  for (const Log& log : logs_) size += log.size;
  for (const Spare& spare : spares_) size += spare.size;
  return size;
}

size_t LogFiles::spare_count() const {
  MutexLock lock(mutex_);
  return spares_.size();
}

absl::Status LogFiles::background_status() const {
  MutexLock lock(mutex_);
  return background_status_;
}

}  // namespace firn
