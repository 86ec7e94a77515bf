#include "io/fault_injecting_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/status.h"
#include "io/aligned_buffer.h"
#include "io/fault_plan.h"
#include "io/posix_file.h"

namespace firn {
namespace {

// The first `limit` bytes of `pieces`.
std::vector<ByteSpan> Prefix(absl::Span<const ByteSpan> pieces, uint64_t limit) {
  std::vector<ByteSpan> prefix;
  for (const ByteSpan piece : pieces) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(piece.size(), limit));
    if (count > 0) prefix.push_back(piece.subspan(0, count));
    limit -= count;
  }
  return prefix;
}

void FlipBit(absl::Span<uint8_t> bytes, uint64_t random) {
  if (bytes.empty()) return;
  bytes[static_cast<size_t>(random % bytes.size())] ^=
      static_cast<uint8_t>(1u << ((random >> 32) % 8));
}

}  // namespace

class FaultInjectingFileSystem::ReadHandle final : public RandomAccessFile {
 public:
  ReadHandle(std::shared_ptr<FaultPlan> plan, std::unique_ptr<RandomAccessFile> base)
      : plan_(std::move(plan)), base_(std::move(base)) {}

  absl::Status Read(uint64_t offset, absl::Span<uint8_t> target) override {
    const auto fault = plan_->Meet(FileOperation::kRead, path());
    if (!fault.has_value()) return base_->Read(offset, target);
    return FaultyRead(*fault, offset, target);
  }

  absl::Status ReadMany(absl::Span<ReadRequest> requests) override {
    // Those without a fault stay one batch.
    std::vector<ReadRequest> healthy;
    std::vector<size_t> places;
    for (size_t i = 0; i < requests.size(); ++i) {
      ReadRequest& request = requests[i];
      const auto fault = plan_->Meet(FileOperation::kRead, path());
      if (fault.has_value()) {
        request.status = FaultyRead(*fault, request.offset, request.target);
      } else {
        healthy.push_back(request);
        places.push_back(i);
      }
    }
    // Its result is the first error of the statuses, which are looked at below.
    [[maybe_unused]] const absl::Status batch = base_->ReadMany(absl::MakeSpan(healthy));
    for (size_t i = 0; i < healthy.size(); ++i) requests[places[i]].status = healthy[i].status;
    for (const ReadRequest& request : requests) {
      if (!request.status.ok()) return request.status;
    }
    return absl::OkStatus();
  }

  uint64_t size() const override { return base_->size(); }
  const std::string& path() const override { return base_->path(); }

 private:
  absl::Status FaultyRead(const Fault& fault, uint64_t offset, absl::Span<uint8_t> target) {
    if (fault.effect == FaultEffect::kCorrupt) {
      FIRN_RETURN_IF_ERROR(base_->Read(offset, target));
      FlipBit(target, fault.random);
      return absl::OkStatus();
    }
    if (fault.effect == FaultEffect::kShorten) {
      FIRN_RETURN_IF_ERROR(base_->Read(offset, target.subspan(0, target.size() / 2)));
    }
    return fault.error;
  }

  const std::shared_ptr<FaultPlan> plan_;
  const std::unique_ptr<RandomAccessFile> base_;
};

class FaultInjectingFileSystem::WriteHandle final : public WritableFile {
 public:
  WriteHandle(FileSystem& file_system, std::shared_ptr<FaultPlan> plan,
              std::unique_ptr<WritableFile> base, FileAccess asked)
      : file_system_(file_system),
        plan_(std::move(plan)),
        base_(std::move(base)),
        asked_(asked),
        occupied_(plan_->Occupy(base_->path(), base_->size())) {}

  absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    const auto fault = plan_->Meet(FileOperation::kWrite, path());
    if (fault.has_value()) return FaultyWrite(*fault, offset, pieces);
    return WriteWhatFits(offset, pieces);
  }

  absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    const auto write_fault = plan_->Meet(FileOperation::kWrite, path());
    if (write_fault.has_value()) {
      FIRN_RETURN_IF_ERROR(FaultyWrite(*write_fault, offset, pieces));
      return Sync();
    }
    const uint64_t limit = offset + TotalSize(pieces);
    if (occupied_->GrowTo(limit) < limit) return WriteWhatFits(offset, pieces);
    FIRN_RETURN_IF_ERROR(KeepOldBytes(offset, limit));
    const auto sync_fault = plan_->Meet(FileOperation::kSync, path());
    if (sync_fault.has_value()) {
      FIRN_RETURN_IF_ERROR(base_->Write(offset, pieces));
      return FaultySync(*sync_fault);
    }
    FIRN_RETURN_IF_ERROR(base_->WriteAndSync(offset, pieces));
    ForgetOldBytes();
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    const auto fault = plan_->Meet(FileOperation::kSync, path());
    if (fault.has_value()) return FaultySync(*fault);
    return SyncBase();
  }

  absl::Status Truncate(uint64_t size) override {
    FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kTruncate, path()));
    if (occupied_->GrowTo(size) < size) return DiskFull(size);
    FIRN_RETURN_IF_ERROR(KeepOldBytes(std::min(size, base_->size()), base_->size()));
    FIRN_RETURN_IF_ERROR(base_->Truncate(size));
    occupied_->ShrinkTo(size);
    return absl::OkStatus();
  }

  absl::Status Allocate(uint64_t size) override {
    FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kAllocate, path()));
    if (size <= base_->size()) return absl::OkStatus();
    if (occupied_->GrowTo(size) < size) return DiskFull(size);
    FIRN_RETURN_IF_ERROR(KeepOldBytes(base_->size(), base_->size()));
    return base_->Allocate(size);
  }

  absl::Status Close() override {
    const absl::Status fault = plan_->Check(FileOperation::kClose, path());
    const absl::Status closed = base_->Close();  // a failed close closes, too
    return fault.ok() ? closed : fault;
  }

  uint64_t size() const override { return base_->size(); }
  const std::string& path() const override { return base_->path(); }
  FileAccess access() const override { return base_->access(); }

 private:
  struct OldBytes {
    uint64_t offset;
    std::string bytes;
    uint64_t size_before;
  };

  absl::Status DiskFull(uint64_t offset) {
    return ErrnoStatus(ENOSPC, absl::StrCat("write ", path(), " at offset ", offset));
  }

  absl::Status WriteWhatFits(uint64_t offset, absl::Span<const ByteSpan> pieces) {
    const uint64_t limit = offset + TotalSize(pieces);
    const uint64_t granted = occupied_->GrowTo(limit);
    FIRN_RETURN_IF_ERROR(KeepOldBytes(offset, limit));
    if (granted == limit) return base_->Write(offset, pieces);
    const uint64_t fitting = Aligned(granted > offset ? granted - offset : 0);
    FIRN_RETURN_IF_ERROR(base_->Write(offset, Prefix(pieces, fitting)));
    return DiskFull(offset + fitting);
  }

  uint64_t Aligned(uint64_t size) const {
    return asked_ == FileAccess::kDirect ? size - size % kDirectAlignment : size;
  }

  absl::Status FaultyWrite(const Fault& fault, uint64_t offset, absl::Span<const ByteSpan> pieces) {
    const uint64_t size = TotalSize(pieces);
    if (fault.effect == FaultEffect::kCorrupt) {
      AlignedBuffer copy(static_cast<size_t>(size));
      size_t at = 0;
      for (const ByteSpan piece : pieces) {
        std::copy(piece.begin(), piece.end(), copy.span().begin() + static_cast<ptrdiff_t>(at));
        at += piece.size();
      }
      FlipBit(copy.span(), fault.random);
      return WriteWhatFits(offset, {copy.span()});
    }
    if (fault.effect == FaultEffect::kShorten) {
      FIRN_RETURN_IF_ERROR(WriteWhatFits(offset, Prefix(pieces, Aligned(size / 2))));
    }
    return fault.error;
  }

  absl::Status FaultySync(const Fault& fault) {
    if (fault.effect == FaultEffect::kCorrupt) return SyncBase();
    if (fault.effect == FaultEffect::kLoseUnsynced) FIRN_RETURN_IF_ERROR(LoseUnsynced());
    return fault.error;
  }

  absl::Status SyncBase() {
    FIRN_RETURN_IF_ERROR(base_->Sync());
    ForgetOldBytes();
    return absl::OkStatus();
  }

  // Before the bytes of [offset, limit) change.
  absl::Status KeepOldBytes(uint64_t offset, uint64_t limit) {
    if (!plan_->keeps_old_bytes()) return absl::OkStatus();
    OldBytes old{.offset = offset, .bytes = {}, .size_before = base_->size()};
    const uint64_t old_limit = std::min(limit, old.size_before);
    if (offset < old_limit) {
      FIRN_ASSIGN_OR_RETURN(auto reader, file_system_.OpenForRead(path()));
      old.bytes.resize(static_cast<size_t>(old_limit - offset));
      FIRN_RETURN_IF_ERROR(reader->Read(
          offset, absl::MakeSpan(reinterpret_cast<uint8_t*>(old.bytes.data()), old.bytes.size())));
    }
    MutexLock lock(mutex_);
    unsynced_.push_back(std::move(old));
    return absl::OkStatus();
  }

  void ForgetOldBytes() {
    MutexLock lock(mutex_);
    unsynced_.clear();
  }

  absl::Status LoseUnsynced() {
    FIRN_CHECK(plan_->keeps_old_bytes());  // the test forgot KeepOldBytes()
    // Not the caller's handle: it may be for direct I/O, and old bytes have any size.
    FIRN_ASSIGN_OR_RETURN(auto file, file_system_.OpenForWrite(path()));
    MutexLock lock(mutex_);
    for (size_t i = unsynced_.size(); i-- > 0;) {
      const OldBytes& old = unsynced_[i];
      if (!old.bytes.empty()) {
        FIRN_RETURN_IF_ERROR(file->Write(old.offset, {AsBytes(old.bytes)}));
      }
      FIRN_RETURN_IF_ERROR(file->Truncate(old.size_before));
    }
    unsynced_.clear();
    return file->Sync();
  }

  FileSystem& file_system_;
  const std::shared_ptr<FaultPlan> plan_;
  const std::unique_ptr<WritableFile> base_;
  const FileAccess asked_;
  const FaultPlan::OccupiedPointer occupied_;
  Mutex mutex_;
  std::vector<OldBytes> unsynced_ ABSL_GUARDED_BY(mutex_);
};

FaultInjectingFileSystem::FaultInjectingFileSystem(FileSystem& base)
    : base_(base), plan_(std::make_shared<FaultPlan>(nullptr)) {}
FaultInjectingFileSystem::FaultInjectingFileSystem(FileSystem& base, Clock& clock)
    : base_(base), plan_(std::make_shared<FaultPlan>(&clock)) {}
FaultInjectingFileSystem::~FaultInjectingFileSystem() = default;

size_t FaultInjectingFileSystem::AddRule(FaultRule rule) { return plan_->AddRule(std::move(rule)); }
void FaultInjectingFileSystem::ClearRules() { plan_->ClearRules(); }
uint64_t FaultInjectingFileSystem::hits(size_t number) const { return plan_->hits(number); }
uint64_t FaultInjectingFileSystem::count(FileOperation operation) const {
  return plan_->count(operation);
}
uint64_t FaultInjectingFileSystem::operations() const { return plan_->operations(); }
void FaultInjectingFileSystem::SetSpace(uint64_t bytes) { plan_->SetSpace(bytes); }
void FaultInjectingFileSystem::ClearSpace() { plan_->SetSpace(std::nullopt); }
void FaultInjectingFileSystem::KeepOldBytes() { plan_->KeepOldBytes(); }

absl::StatusOr<std::unique_ptr<RandomAccessFile>> FaultInjectingFileSystem::OpenForRead(
    absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kOpenForRead, path));
  FIRN_ASSIGN_OR_RETURN(auto file, base_.OpenForRead(path));
  return std::make_unique<ReadHandle>(plan_, std::move(file));
}

absl::StatusOr<std::unique_ptr<RandomAccessFile>> FaultInjectingFileSystem::OpenForDirectRead(
    absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kOpenForRead, path));
  FIRN_ASSIGN_OR_RETURN(auto file, base_.OpenForDirectRead(path));
  return std::make_unique<ReadHandle>(plan_, std::move(file));
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultInjectingFileSystem::Create(
    absl::string_view path, FileAccess access) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kCreate, path));
  FIRN_ASSIGN_OR_RETURN(auto file, base_.Create(path, access));
  plan_->Forget(path);  // of an earlier file of that name, in a folder that was renamed
  return std::make_unique<WriteHandle>(base_, plan_, std::move(file), access);
}

absl::StatusOr<std::unique_ptr<WritableFile>> FaultInjectingFileSystem::OpenForWrite(
    absl::string_view path, FileAccess access) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kOpenForWrite, path));
  FIRN_ASSIGN_OR_RETURN(auto file, base_.OpenForWrite(path, access));
  return std::make_unique<WriteHandle>(base_, plan_, std::move(file), access);
}

absl::StatusOr<FileInfo> FaultInjectingFileSystem::Stat(absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kStat, path));
  return base_.Stat(path);
}

absl::StatusOr<std::vector<std::string>> FaultInjectingFileSystem::List(
    absl::string_view directory) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kList, directory));
  return base_.List(directory);
}

absl::Status FaultInjectingFileSystem::CreateDirectory(absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kCreateDirectory, path));
  return base_.CreateDirectory(path);
}

void FaultInjectingFileSystem::OpenAccount(absl::string_view path) {
  if (!plan_->space().has_value()) return;
  const auto info = base_.Stat(path);
  if (info.ok() && !info->is_directory) plan_->Occupy(path, info->size);
}

absl::Status FaultInjectingFileSystem::RemoveFile(absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kRemoveFile, path));
  OpenAccount(path);
  FIRN_RETURN_IF_ERROR(base_.RemoveFile(path));
  plan_->Forget(path);
  return absl::OkStatus();
}

absl::Status FaultInjectingFileSystem::RemoveDirectory(absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kRemoveDirectory, path));
  return base_.RemoveDirectory(path);
}

absl::Status FaultInjectingFileSystem::Rename(absl::string_view from, absl::string_view to) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kRename, from));
  OpenAccount(to);
  FIRN_RETURN_IF_ERROR(base_.Rename(from, to));
  plan_->Move(from, to);
  return absl::OkStatus();
}

absl::Status FaultInjectingFileSystem::Link(absl::string_view existing, absl::string_view name) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kLink, name));
  OpenAccount(existing);
  FIRN_RETURN_IF_ERROR(base_.Link(existing, name));
  plan_->Share(existing, name);
  return absl::OkStatus();
}

absl::Status FaultInjectingFileSystem::SyncDirectory(absl::string_view directory) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kSyncDirectory, directory));
  return base_.SyncDirectory(directory);
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> FaultInjectingFileSystem::Lock(
    absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kLock, path));
  return base_.Lock(path);
}

absl::StatusOr<uint64_t> FaultInjectingFileSystem::FreeSpace(absl::string_view path) {
  FIRN_RETURN_IF_ERROR(plan_->Check(FileOperation::kFreeSpace, path));
  FIRN_ASSIGN_OR_RETURN(const uint64_t free, base_.FreeSpace(path));
  return std::min(free, plan_->space().value_or(free));
}

}  // namespace firn
