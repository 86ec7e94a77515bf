// tests/wal/scripted_file.h: a file in memory whose writes fail or wait when the test says so, and a
// file system whose disk is full when the test says so.
#ifndef FIRN_TESTS_WAL_SCRIPTED_FILE_H_
#define FIRN_TESTS_WAL_SCRIPTED_FILE_H_

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/status.h"
#include "io/memory_file_system.h"

namespace firn {

// What a test knows of its file, and what it asks of it. Outlives the file.
struct FileScript {
  // Called without a lock before a write ("write") or sync ("sync") takes place; its error is
  // returned instead.
  std::function<absl::Status(absl::string_view operation, uint64_t offset)> before;

  std::string Content() {
    MutexLock lock(mutex);
    return content;
  }
  int Syncs() {
    MutexLock lock(mutex);
    return syncs;
  }
  int Writes() {
    MutexLock lock(mutex);
    return writes;
  }

  // Writes to blocks that a sync may have covered: of a log, none.
  int Rewrites() {
    MutexLock lock(mutex);
    return rewrites;
  }

  std::vector<std::pair<uint64_t, uint64_t>> Hints() {  // StartWriteBack(): offset, size
    MutexLock lock(mutex);
    return hints;
  }

  Mutex mutex;
  std::vector<std::pair<uint64_t, uint64_t>> hints ABSL_GUARDED_BY(mutex);
  std::set<uint64_t> written ABSL_GUARDED_BY(mutex);  // blocks, since the last sync began
  std::set<uint64_t> covered ABSL_GUARDED_BY(mutex);  // blocks written before a sync began
  int rewrites ABSL_GUARDED_BY(mutex) = 0;
  std::string content ABSL_GUARDED_BY(mutex);
  int syncs ABSL_GUARDED_BY(mutex) = 0;
  int writes ABSL_GUARDED_BY(mutex) = 0;
};

class ScriptedFile final : public WritableFile {
 public:
  ScriptedFile(FileScript& script, size_t size) : script_(script) {
    MutexLock lock(script_.mutex);
    script_.content.assign(size, '\0');
  }

  absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    if (script_.before) FIRN_RETURN_IF_ERROR(script_.before("write", offset));
    MutexLock lock(script_.mutex);
    ++script_.writes;
    uint64_t size = 0;
    for (const ByteSpan piece : pieces) size += piece.size();
    for (uint64_t block = offset / 4096; block * 4096 < offset + size; ++block) {
      if (script_.covered.count(block) > 0) ++script_.rewrites;
      script_.written.insert(block);
    }
    for (const ByteSpan piece : pieces) {
      if (script_.content.size() < offset + piece.size()) {
        script_.content.resize(offset + piece.size());
      }
      std::memcpy(script_.content.data() + offset, piece.data(), piece.size());
      offset += piece.size();
    }
    return absl::OkStatus();
  }
  absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
    FIRN_RETURN_IF_ERROR(Write(offset, pieces));
    return Sync();
  }
  absl::Status Sync() override {
    {
      MutexLock lock(script_.mutex);
      script_.covered.merge(script_.written);
    }
    if (script_.before) FIRN_RETURN_IF_ERROR(script_.before("sync", 0));
    MutexLock lock(script_.mutex);
    ++script_.syncs;
    return absl::OkStatus();
  }
  void StartWriteBack(uint64_t offset, uint64_t size) override {
    MutexLock lock(script_.mutex);
    script_.hints.emplace_back(offset, size);
  }
  absl::Status Truncate(uint64_t) override { return absl::UnimplementedError("no Truncate here"); }
  absl::Status Allocate(uint64_t) override { return absl::UnimplementedError("no Allocate here"); }
  absl::Status Close() override { return absl::OkStatus(); }
  uint64_t size() const override {
    MutexLock lock(script_.mutex);
    return script_.content.size();
  }
  const std::string& path() const override { return path_; }

 private:
  FileScript& script_;
  const std::string path_ = "scripted.wal";
};

// A memory file system that counts the bytes written and has room for `room` of them.
class SmallDisk final : public FileSystem {
 public:
  std::atomic<int64_t> room{INT64_MAX};

  MemoryFileSystem& memory() { return memory_; }

  absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenForRead(absl::string_view path) override {
    return memory_.OpenForRead(path);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> Create(absl::string_view path,
                                                       FileAccess access) override {
    FIRN_ASSIGN_OR_RETURN(auto file, memory_.Create(path, access));
    return std::make_unique<File>(*this, std::move(file));
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(absl::string_view path,
                                                             FileAccess access) override {
    FIRN_ASSIGN_OR_RETURN(auto file, memory_.OpenForWrite(path, access));
    return std::make_unique<File>(*this, std::move(file));
  }
  absl::StatusOr<FileInfo> Stat(absl::string_view path) override { return memory_.Stat(path); }
  absl::StatusOr<std::vector<std::string>> List(absl::string_view directory) override {
    return memory_.List(directory);
  }
  absl::Status CreateDirectory(absl::string_view path) override {
    return memory_.CreateDirectory(path);
  }
  absl::Status RemoveFile(absl::string_view path) override { return memory_.RemoveFile(path); }
  absl::Status RemoveDirectory(absl::string_view path) override {
    return memory_.RemoveDirectory(path);
  }
  absl::Status Rename(absl::string_view from, absl::string_view to) override {
    return memory_.Rename(from, to);
  }
  absl::Status Link(absl::string_view existing, absl::string_view name) override {
    return memory_.Link(existing, name);
  }
  absl::Status SyncDirectory(absl::string_view directory) override {
    return memory_.SyncDirectory(directory);
  }
  absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(absl::string_view path) override {
    return memory_.Lock(path);
  }
  absl::StatusOr<uint64_t> FreeSpace(absl::string_view path) override {
    FIRN_ASSIGN_OR_RETURN(const uint64_t free, memory_.FreeSpace(path));
    return std::min(free, static_cast<uint64_t>(room.load()));
  }
  absl::string_view name() const override { return "small disk"; }

 private:
  class File final : public WritableFile {
   public:
    File(SmallDisk& disk, std::unique_ptr<WritableFile> file)
        : disk_(disk), file_(std::move(file)) {}
    absl::Status Write(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
      FIRN_RETURN_IF_ERROR(Take(offset, pieces));
      return file_->Write(offset, pieces);
    }
    absl::Status WriteAndSync(uint64_t offset, absl::Span<const ByteSpan> pieces) override {
      FIRN_RETURN_IF_ERROR(Take(offset, pieces));
      return file_->WriteAndSync(offset, pieces);
    }
    absl::Status Sync() override { return file_->Sync(); }
    absl::Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    absl::Status Allocate(uint64_t size) override {
      FIRN_RETURN_IF_ERROR(TakeUpTo(size));
      return file_->Allocate(size);
    }
    absl::Status Close() override { return file_->Close(); }
    uint64_t size() const override { return file_->size(); }
    const std::string& path() const override { return file_->path(); }

   private:
    // Only what makes the file longer takes room.
    absl::Status Take(uint64_t offset, absl::Span<const ByteSpan> pieces) {
      uint64_t limit = offset;
      for (const ByteSpan piece : pieces) limit += piece.size();
      return TakeUpTo(limit);
    }
    absl::Status TakeUpTo(uint64_t limit) {
      const uint64_t size = file_->size();
      const int64_t grown = limit > size ? static_cast<int64_t>(limit - size) : 0;
      if (grown > 0 && disk_.room.fetch_sub(grown) < grown) {
        disk_.room.fetch_add(grown);
        return ErrnoStatus(ENOSPC, file_->path());
      }
      return absl::OkStatus();
    }
    SmallDisk& disk_;
    const std::unique_ptr<WritableFile> file_;
  };

  MemoryFileSystem memory_;
};

}  // namespace firn

#endif  // FIRN_TESTS_WAL_SCRIPTED_FILE_H_
