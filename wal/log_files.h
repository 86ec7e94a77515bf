// wal/log_files.h: the folder wal/: names, prepares, recycles and retires the numbered log files.
//
//   000034.wal         a log. Its header was synced before it got this name, so a .wal file with a
//                      bad header is damage, never a crash
//   000002.spare       a filled or retired file that waits for its next life; its number is its
//                      own, not a log's
//   000003.spare.tmp   a spare that is being filled; removed when the first log is created
//
// Syncing blocks that were written before takes about half the time of syncing a growing or merely
// allocated file (DESIGN section 12), and a prepared file cannot meet a full disk. So logs are
// written into spares only: zero-filled while somebody waits for syncs (SetFill), else only allocated,
// which spares a bulk load from writing every byte twice. Sizes follow use: each log that was filled doubles the size of the next
// spare, up to slot_size_max. A spare is filled in the background (kIdle, in slices), or by
// PrepareSlot() when none is ready.
// Invariants:
//   1. The chain has no holes: logs are retired oldest first, and a retired name is durably gone
//      before the file is written again.
//   2. Each life of a file has a fresh salt, so nothing of the last one passes for a record.
//   3. On a disk without room for another the last spare is kept: recovery needs a log, and may give
//      spares back for the manifest that it writes. So a store can be opened on a full disk.
//   4. A full disk while a spare is prepared harms no log: ResourceExhausted/kDiskFull, and the next
//      call tries again.
#ifndef FIRN_WAL_LOG_FILES_H_
#define FIRN_WAL_LOG_FILES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/types.h"
#include "io/file_system.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"
#include "wal/record_format.h"

namespace firn {

// "000034.wal" <-> 34. The parser accepts exactly what the maker makes.
std::string LogName(FileNumber number);
std::optional<FileNumber> ParseLogName(absl::string_view name);
// Files with larger numbers are not ours: no store gets there, and what follows one must not wrap
// around.
inline constexpr uint64_t kFileNumberMax = uint64_t{1} << 62;

// A random salt for a file header (from the operating system).
uint64_t RandomSalt();

struct LogFilesOptions {
  uint64_t slot_size_first = uint64_t{1} << 20;  // bytes; of a new store's first log
  uint64_t slot_size_max = uint64_t{64} << 20;   // bytes
  size_t spares_max = 2;
  FileAccess access = FileAccess::kDirect;
  std::function<uint64_t()> new_salt = RandomSalt;  // a seeded one in the simulation
};

// How a new spare gets its blocks.
enum class SpareFill : uint8_t {
  kZeroes = 1,    // written and synced: a sync of a record in it is quick
  kAllocate = 2,  // taken only: nothing is written, and a sync costs more once for each block
};

// Which spares may become the next log.
enum class SpareUse : uint8_t {
  kKeepOne = 1,  // on a disk that is nearly full the last one is kept, for recovery
  kAny = 2,      // recovery
};

// A log found in the folder, with its place in the chain.
struct FoundLog {
  LogHeader header;
  std::string path;
  uint64_t file_size = 0;
  // From the next log's header; absent in the newest log. For LogReaderOptions.
  std::optional<LogEnd> final_end;
};

// Thread-safe, except that PrepareSlot() and Create() belong to one thread at a time (the leader of
// the commit queue), and so does Retire() (it may run beside those).
class LogFiles {
 public:
  // Opens (or creates, durably) the folder and lists it; makes the names that it found durable;
  // removes and changes nothing else.
  // `file_system` and `executor` must outlive the object.
  static absl::StatusOr<std::unique_ptr<LogFiles>> Open(FileSystem& file_system, Executor& executor,
                                                        absl::string_view directory,
                                                        const LogFilesOptions& options);
  ~LogFiles();  // waits for the background task
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;

  // The logs in the folder, oldest first, their headers read and the chain checked: each names the
  // one before it. DataLoss: a damaged header, or a log is missing in between.
  absl::StatusOr<std::vector<FoundLog>> ReadChain() ABSL_LOCKS_EXCLUDED(mutex_);

  // Makes what was read of a log durable, before anything is built on it: recovery calls this for
  // every log that it replayed, before it creates the next.
  absl::Status SyncLog(FileNumber number) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sees to it that a spare with room for a record of `payload_size` is ready, so that Create() needs
  // no disk space. ResourceExhausted/kDiskFull: there is none; nothing has changed.
  absl::Status PrepareSlot(uint64_t payload_size, SpareUse use = SpareUse::kAny)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Removes the smallest spare, durably: recovery on a full disk needs some space for a manifest. False:
  // there is none.
  absl::StatusOr<bool> GiveBackSpare() ABSL_LOCKS_EXCLUDED(mutex_);

  struct NewLog {
    FileNumber number;     // above every other log's
    PreviousLog previous;  // durable through its end
    ManifestPosition manifest;
  };
  // A new log with room for a record of `payload_size`, its header and name durable. Prepares a slot
  // if none is ready. After an error the call may be repeated with the same arguments.
  absl::StatusOr<std::unique_ptr<LogWriter>> Create(const NewLog& log, uint64_t payload_size = 0)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Turns the oldest log (FIRN_CHECK) into a spare, or removes it if there are enough. Durable on
  // return: the log is never seen again.
  absl::Status Retire(FileNumber number) ABSL_LOCKS_EXCLUDED(mutex_);

  // Prepares nothing more in the background and waits for what is being prepared: before the folder
  // is given to somebody else.
  void StopPreparing() ABSL_LOCKS_EXCLUDED(mutex_);

  // For spares that are begun from now on; kZeroes at first.
  void SetFill(SpareFill fill) ABSL_LOCKS_EXCLUDED(mutex_);

  // Numbers of the logs, oldest first.
  std::vector<FileNumber> logs() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::string PathOf(FileNumber number) const;
  const std::string& directory() const { return directory_; }
  // Bytes on disk in logs and spares.
  uint64_t size_on_disk() const ABSL_LOCKS_EXCLUDED(mutex_);
  size_t spare_count() const ABSL_LOCKS_EXCLUDED(mutex_);
  // What the last preparation in the background said; it is tried again with the next log.
  absl::Status background_status() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Log {
    FileNumber number;
    uint64_t size;
  };
  struct Spare {
    uint64_t number;
    uint64_t size;
  };
  class Filler;  // one spare in the making

  LogFiles(FileSystem& file_system, Executor& executor, absl::string_view directory,
           const LogFilesOptions& options);

  absl::Status ListFolder() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status RemoveUnfinished() ABSL_LOCKS_EXCLUDED(mutex_);
  std::string SparePath(uint64_t number) const;
  // A finished spare of `size` bytes, made on this thread.
  absl::Status MakeSpare(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::unique_ptr<Filler>> NewFiller(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status FinishSpare(Filler& filler) ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns `reason`, annotated.
  absl::Status Abandon(const Filler& filler, const absl::Status& reason)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WriteHeader(const std::string& path, const LogHeader& header);
  void AddSpare(Spare spare) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<Spare> TakeSpare(uint64_t size_min) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status DropExtraSpares() ABSL_LOCKS_EXCLUDED(mutex_);
  void PrepareInBackground() ABSL_LOCKS_EXCLUDED(mutex_);
  void FillSlice(std::shared_ptr<Filler> filler) ABSL_LOCKS_EXCLUDED(mutex_);

  FileSystem& file_system_;
  Executor& executor_;
  const std::string directory_;
  const LogFilesOptions options_;

  mutable Mutex mutex_;
  CondVar background_done_;
  std::vector<Log> logs_ ABSL_GUARDED_BY(mutex_);      // by number
  std::vector<Spare> spares_ ABSL_GUARDED_BY(mutex_);  // by size, smallest first
  std::vector<std::string> unfinished_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_spare_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t next_slot_size_ ABSL_GUARDED_BY(mutex_);
  SpareFill fill_ ABSL_GUARDED_BY(mutex_) = SpareFill::kZeroes;
  bool filling_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status background_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_WAL_LOG_FILES_H_
