#include "io/memory_file_system.h"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <set>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "io/memory_names.h"
#include "io/posix_file.h"

namespace firn {
namespace {

constexpr uint64_t kFreeSpace = uint64_t{1} << 40;
constexpr uint64_t kWholeWrite = std::numeric_limits<uint64_t>::max();

absl::Status Crashed(absl::string_view what, absl::string_view path) {
  return MakeError(absl::StatusCode::kUnavailable, ErrorReason::kIo,
                   absl::StrCat("crashed: ", what, " ", path));
}

absl::Status EndOfFile(absl::string_view path, uint64_t offset) {
  return absl::OutOfRangeError(absl::StrCat(path, ": offset ", offset, ": end of file"));
}

MemoryFile::Tracking TrackingOf(const MemoryFileSystemOptions& options) {
  return options.track_unsynced ? MemoryFile::Tracking::kUnsyncedChanges
                                : MemoryFile::Tracking::kNone;
}

}  // namespace

// What the file system and its open handles share.
class MemoryFileSystem::Core {
 public:
  enum class Kind : uint8_t { kRead, kChange };
  enum class Verdict : uint8_t {
    kProceed,
    kCrashHere,  // this operation is the last one, and may be done in part
    kDead,       // the machine is down, or the handle is of an earlier life
  };

  explicit Core(const Options& options)
      : count_reads_(options.count_reads),
        tracking_(TrackingOf(options)),
        crash_at_(options.crash_at_operation),
        seed_(options.seed),
        names_(tracking_) {}

  // Counts an operation of a handle opened in life number `life`.
  Verdict Begin(Kind kind, uint64_t life) {
    if (crashed_.load(std::memory_order_acquire) || life != life_.load(std::memory_order_acquire)) {
      return Verdict::kDead;
    }
    if (kind == Kind::kRead && !count_reads_) return Verdict::kProceed;
    const uint64_t number = operations_.fetch_add(1, std::memory_order_relaxed);
    const uint64_t crash_at = crash_at_.load(std::memory_order_relaxed);
    if (number < crash_at) return Verdict::kProceed;
    const bool was_crashed = crashed_.exchange(true, std::memory_order_acq_rel);
    return was_crashed ? Verdict::kDead : Verdict::kCrashHere;
  }
  // Choices within the operation that crashes; it alone draws from here until the next life.
  Random CrashRandom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return Random(seed_ ^ (operations_.load() * 0x9e3779b97f4a7c15));
  }

  uint64_t life() const { return life_.load(std::memory_order_acquire); }
  bool crashed() const { return crashed_.load(std::memory_order_acquire); }
  uint64_t operations() const { return operations_.load(std::memory_order_relaxed); }

  // A change of names: done, or at the crash done or not.
  absl::Status ChangeNames(absl::string_view what, absl::string_view path,
                           const std::function<absl::Status(MemoryNames&)>& change)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const Verdict verdict = Begin(Kind::kChange, life());
    if (verdict == Verdict::kProceed) return change(names_);
    if (verdict == Verdict::kCrashHere && CrashRandom().OneIn(2)) {
      // Nobody learns whether it was done.
      [[maybe_unused]] const absl::Status unheard = change(names_);
    }
    return Crashed(what, path);
  }

  void CrashAtOperation(uint64_t n) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    FIRN_CHECK(!crashed_.load());
    const uint64_t now = operations_.load();
    crash_at_.store(n > Options::kNever - now ? Options::kNever : now + n);
  }

  void Crash() { crashed_.store(true, std::memory_order_release); }

  void LoseUnsyncedData() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    crashed_.store(true, std::memory_order_release);  // reads that go on meanwhile must not succeed
    Random random(seed_ ^ (life() * 0xbf58476d1ce4e5b9));
    names_ = names_.AfterCrash(random);
    locked_.clear();
    life_.fetch_add(1, std::memory_order_acq_rel);
    crash_at_.store(Options::kNever);
    crashed_.store(false, std::memory_order_release);
  }

  void Reseed(uint64_t seed) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    seed_ = seed;
  }

  std::shared_ptr<Core> Fork() ABSL_LOCKS_EXCLUDED(mutex_) {
    auto copy = std::make_shared<Core>(Options{});
    MutexLock lock(mutex_);
    MutexLock copy_lock(copy->mutex_);  // nobody else knows it yet
    copy->count_reads_ = count_reads_;
    copy->tracking_ = tracking_;
    copy->crash_at_ = crash_at_.load();
    copy->operations_ = operations_.load();
    copy->crashed_ = crashed_.load();
    copy->life_ = life_.load();
    copy->seed_ = seed_;
    copy->last_file_number_ = last_file_number_;
    copy->names_ = names_.Fork();
    return copy;
  }

  std::shared_ptr<MemoryFile> NewFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::make_shared<MemoryFile>(++last_file_number_, tracking_);
  }

  // All changes are made under this lock, so that a fork or a crash sees each whole or not at all,
  // and never a later one without an earlier one. Taken before the lock of a MemoryFile.
  Mutex mutex_;

 private:
  friend class MemoryFileSystem;

  bool count_reads_;               // const after construction (or Fork())
  MemoryFile::Tracking tracking_;  // likewise
  std::atomic<uint64_t> crash_at_;
  std::atomic<uint64_t> operations_{0};
  std::atomic<bool> crashed_{false};
  std::atomic<uint64_t> life_{0};  // losses so far
  uint64_t seed_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_file_number_ ABSL_GUARDED_BY(mutex_) = 0;
  MemoryNames names_ ABSL_GUARDED_BY(mutex_);
  std::set<const MemoryFile*> locked_ ABSL_GUARDED_BY(mutex_);
};

class MemoryFileSystem::ReadHandle final : public RandomAccessFile {
 public:
  ReadHandle(std::shared_ptr<Core> core, std::shared_ptr<MemoryFile> file, std::string path)
      : core_(std::move(core)),
        file_(std::move(file)),
        path_(std::move(path)),
        life_(core_->life()),
        size_(file_->size()) {}

  absl::Status Read(uint64_t offset, absl::Span<uint8_t> target) override {
    if (core_->Begin(Core::Kind::kRead, life_) != Core::Verdict::kProceed) {
      return Crashed("read", path_);
    }
    return ReadNow(offset, target);
  }
  absl::Status ReadMany(absl::Span<ReadRequest> requests) override {
    const bool alive = core_->Begin(Core::Kind::kRead, life_) == Core::Verdict::kProceed;
    absl::Status first;
    for (ReadRequest& request : requests) {
      request.status = alive ? ReadNow(request.offset, request.target) : Crashed("read", path_);
      if (first.ok()) first = request.status;
    }
    return first;
  }
  uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }

 private:
  absl::Status ReadNow(uint64_t offset, absl::Span<uint8_t> target) {
    if (target.empty() || file_->Read(offset, target)) return absl::OkStatus();
    return EndOfFile(path_, file_->size());
  }

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<MemoryFile> file_;
  const std::string path_;
  const uint64_t life_;
  const uint64_t size_;
};

class MemoryFileSystem::WriteHandle final : public WritableFile {
 public:
  WriteHandle(std::shared_ptr<Core> core, std::shared_ptr<MemoryFile> file, std::string path,
              FileAccess access)
      : core_(std::move(core)),
        file_(std::move(file)),
        path_(std::move(path)),
        access_(access),
        life_(core_->life()) {}

  absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    return WriteThen(offset, pieces, /*then_sync=*/nullptr);
  }
  absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    return WriteThen(offset, pieces, [this] { file_->Sync(); });
  }
  absl::Status Sync() override {
    return Change("sync", [this] { file_->Sync(); });
  }
  absl::Status Truncate(uint64_t size) override {
    return Change("truncate", [this, size] { file_->Truncate(size); });
  }
  absl::Status Allocate(uint64_t size) override {
    return Change("allocate", [this, size] {
      if (size > file_->size()) file_->Truncate(size);
    });
  }
  absl::Status Close() override {
    if (core_->crashed() || core_->life() != life_) return Crashed("close", path_);
    return absl::OkStatus();
  }
  uint64_t size() const override { return file_->size(); }
  const std::string& path() const override { return path_; }
  FileAccess access() const override { return access_; }

 private:
  absl::Status WriteThen(uint64_t offset, absl::Span<const ByteSpan> pieces,
                         const std::function<void()>& then_sync) {
    if (access_ == FileAccess::kDirect) {
      FIRN_RETURN_IF_ERROR(CheckDirectAlignment(path_, offset, pieces));
    }
    MutexLock lock(core_->mutex_);
    switch (core_->Begin(Core::Kind::kChange, life_)) {
      case Core::Verdict::kProceed:
        file_->Write(offset, pieces, kWholeWrite);
        if (then_sync != nullptr) then_sync();
        return absl::OkStatus();
      case Core::Verdict::kCrashHere: {
        Random random = core_->CrashRandom();
        const uint64_t fate = random.Uniform(4);  // 0: nothing was done
        if (fate == 1) file_->Write(offset, pieces, random.Uniform(TotalSize(pieces) + 1));
        if (fate >= 2) file_->Write(offset, pieces, kWholeWrite);
        if (fate == 3 && then_sync != nullptr) then_sync();
        return Crashed("write", path_);
      }
      case Core::Verdict::kDead:
        return Crashed("write", path_);
    }
    return Crashed("write", path_);
  }
  // A change that at the crash is done or not.
  absl::Status Change(absl::string_view what, const std::function<void()>& change) {
    MutexLock lock(core_->mutex_);
    const Core::Verdict verdict = core_->Begin(Core::Kind::kChange, life_);
    const bool is_done = verdict == Core::Verdict::kProceed ||
                         (verdict == Core::Verdict::kCrashHere && core_->CrashRandom().OneIn(2));
    if (is_done) change();
    return verdict == Core::Verdict::kProceed ? absl::OkStatus() : Crashed(what, path_);
  }

  const std::shared_ptr<Core> core_;
  const std::shared_ptr<MemoryFile> file_;
  const std::string path_;
  const FileAccess access_;
  const uint64_t life_;
};

class MemoryFileSystem::LockHandle final : public DirectoryLock {
 public:
  LockHandle(std::shared_ptr<Core> core, std::shared_ptr<MemoryFile> file)
      : core_(std::move(core)), file_(std::move(file)), life_(core_->life()) {}
  ~LockHandle() override {
    MutexLock lock(core_->mutex_);
    if (core_->life() == life_) core_->locked_.erase(file_.get());
  }

 private:
  const std::shared_ptr<Core> core_;
  const std::shared_ptr<MemoryFile> file_;
  const uint64_t life_;
};

MemoryFileSystem::MemoryFileSystem() : MemoryFileSystem(Options{}) {}
MemoryFileSystem::MemoryFileSystem(Options options) : core_(std::make_shared<Core>(options)) {}
MemoryFileSystem::MemoryFileSystem(std::shared_ptr<Core> core) : core_(std::move(core)) {}
MemoryFileSystem::~MemoryFileSystem() = default;

absl::StatusOr<std::unique_ptr<RandomAccessFile>> MemoryFileSystem::OpenForRead(
    absl::string_view path) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kRead, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("open", path);
  }
  FIRN_ASSIGN_OR_RETURN(auto file, core_->names_.FindFile(path));
  return std::make_unique<ReadHandle>(core_, std::move(file), std::string(path));
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::Create(absl::string_view path,
                                                                       FileAccess access) {
  MutexLock lock(core_->mutex_);
  const Core::Verdict verdict = core_->Begin(Core::Kind::kChange, core_->life());
  if (verdict == Core::Verdict::kDead) return Crashed("create", path);
  if (verdict == Core::Verdict::kCrashHere && core_->CrashRandom().OneIn(2)) {
    return Crashed("create", path);
  }
  auto file = core_->NewFile();
  FIRN_RETURN_IF_ERROR(core_->names_.AddFile(path, file));
  if (verdict == Core::Verdict::kCrashHere) return Crashed("create", path);
  return std::make_unique<WriteHandle>(core_, std::move(file), std::string(path), access);
}

absl::StatusOr<std::unique_ptr<WritableFile>> MemoryFileSystem::OpenForWrite(absl::string_view path,
                                                                             FileAccess access) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kRead, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("open", path);
  }
  FIRN_ASSIGN_OR_RETURN(auto file, core_->names_.FindFile(path));
  return std::make_unique<WriteHandle>(core_, std::move(file), std::string(path), access);
}

absl::StatusOr<FileInfo> MemoryFileSystem::Stat(absl::string_view path) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kRead, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("stat", path);
  }
  return core_->names_.Stat(path);
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::List(absl::string_view directory) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kRead, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("list", directory);
  }
  return core_->names_.List(directory);
}

absl::Status MemoryFileSystem::CreateDirectory(absl::string_view path) {
  return core_->ChangeNames("create folder", path,
                            [&](MemoryNames& names) { return names.AddDirectory(path); });
}

absl::Status MemoryFileSystem::RemoveFile(absl::string_view path) {
  return core_->ChangeNames("remove", path,
                            [&](MemoryNames& names) { return names.RemoveFile(path); });
}

absl::Status MemoryFileSystem::RemoveDirectory(absl::string_view path) {
  return core_->ChangeNames("remove folder", path,
                            [&](MemoryNames& names) { return names.RemoveDirectory(path); });
}

absl::Status MemoryFileSystem::Rename(absl::string_view from, absl::string_view to) {
  return core_->ChangeNames("rename", from,
                            [&](MemoryNames& names) { return names.Rename(from, to); });
}

absl::Status MemoryFileSystem::Link(absl::string_view existing, absl::string_view name) {
  return core_->ChangeNames("link", name,
                            [&](MemoryNames& names) { return names.Link(existing, name); });
}

absl::Status MemoryFileSystem::SyncDirectory(absl::string_view directory) {
  return core_->ChangeNames("sync folder", directory,
                            [&](MemoryNames& names) { return names.SyncDirectory(directory); });
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> MemoryFileSystem::Lock(absl::string_view path) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kChange, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("lock", path);
  }
  auto file = core_->names_.FindFile(path);
  if (absl::IsNotFound(file.status())) {
    file = core_->NewFile();
    FIRN_RETURN_IF_ERROR(core_->names_.AddFile(path, *file));
  }
  FIRN_RETURN_IF_ERROR(file.status());
  if (!core_->locked_.insert(file->get()).second) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kLocked,
                     absl::StrCat(path, ": locked by this process (", getpid(), ")"));
  }
  return std::make_unique<LockHandle>(core_, *std::move(file));
}

absl::StatusOr<uint64_t> MemoryFileSystem::FreeSpace(absl::string_view path) {
  MutexLock lock(core_->mutex_);
  if (core_->Begin(Core::Kind::kRead, core_->life()) != Core::Verdict::kProceed) {
    return Crashed("free space of", path);
  }
  FIRN_RETURN_IF_ERROR(core_->names_.Stat(path).status());
  return kFreeSpace;
}

bool MemoryFileSystem::crashed() const { return core_->crashed(); }
uint64_t MemoryFileSystem::operations() const { return core_->operations(); }
void MemoryFileSystem::CrashAtOperation(uint64_t n) { core_->CrashAtOperation(n); }
void MemoryFileSystem::Crash() { core_->Crash(); }
void MemoryFileSystem::LoseUnsyncedData() { core_->LoseUnsyncedData(); }
void MemoryFileSystem::Reseed(uint64_t seed) { core_->Reseed(seed); }

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::Fork() {
  return absl::WrapUnique(new MemoryFileSystem(core_->Fork()));
}

}  // namespace firn
