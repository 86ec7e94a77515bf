// engine/active_log.h: the log that is being written, and the sealed ones before it that still hold
// entries of memtables.
//
// Invariants:
//   1. A log is sealed (closing record, all of it synced) before the next one is created, whose
//      header names its end.
//   2. A sealed log is retired only if its last sequence number is below every entry in a memtable
//      and at or below the published number; the oldest first.
//   3. After a failed switch the next call goes on where it stopped, with the same file number.
#ifndef FIRN_ENGINE_ACTIVE_LOG_H_
#define FIRN_ENGINE_ACTIVE_LOG_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/types.h"
#include "engine/turn.h"
#include "engine/version_set.h"
#include "wal/log_files.h"
#include "wal/log_writer.h"
#include "wal/record_format.h"

namespace firn {

struct SealedLog {
  FileNumber number;
  SequenceNumber last_sequence;
  uint64_t size = 0;
};

// Reserve(), AppendCached(), Flush() and EnsureSynced() as LogWriter has them. Switch() and Close() need that nobody
// is in or between those. The rest may be called at any time. No lock is held across I/O; who
// changes or syncs files from outside the commit queue takes turns.
class ActiveLog {
 public:
  // `sealed`: the logs that recovery found, oldest first, all synced; `previous`: the newest of them.
  ActiveLog(std::unique_ptr<LogFiles> files, VersionSet& versions, std::deque<SealedLog> sealed,
            PreviousLog previous);

  bool Fits(uint64_t payload_size) const { return log_ != nullptr && log_->Fits(payload_size); }
  // Seals the log, if there is one, and begins a new one with room for `payload_size`.
  // ResourceExhausted/kDiskFull: nothing was lost, call again.
  absl::Status Switch(uint64_t payload_size, SequenceNumber last_sequence)
      ABSL_LOCKS_EXCLUDED(mutex_);

  absl::StatusOr<Place> Reserve(uint64_t payload_size, SequenceRange sequences);
  absl::StatusOr<std::optional<Place>> AppendCached(uint64_t payload_size,
                                                    absl::Span<const ByteSpan> pieces,
                                                    SequenceRange sequences);
  absl::Status Flush(const Place& place, absl::Span<const ByteSpan> pieces, LogSync sync);
  absl::Status EnsureSynced(const Place& place);

  // Makes every record whose Flush() has returned durable.
  absl::Status Sync() ABSL_LOCKS_EXCLUDED(mutex_);

  // Retires every sealed log whose numbers are all below `oldest_needed`. Does nothing while
  // somebody else has the turn: the next flush or switch tries again.
  absl::Status Retire(SequenceNumber oldest_needed) ABSL_LOCKS_EXCLUDED(mutex_);

  // Whether `number` is a log still. Waits for a retirement in progress, whose file has lost its name
  // already. Must not be called with the turn.
  bool Keeps(FileNumber number);
  // The last sequence number of the oldest sealed log; none if no log is sealed.
  std::optional<SequenceNumber> oldest_sealed() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Bytes of records in sealed logs and this one.
  uint64_t total_bytes() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Since this object was made: of records, padding included.
  uint64_t written_bytes() const { return written_bytes_.load(std::memory_order_relaxed); }

  absl::Status Close(SequenceNumber last_sequence) ABSL_LOCKS_EXCLUDED(mutex_);
  // Frees some disk space, if there is a spare: for recovery on a full disk.
  absl::StatusOr<bool> GiveBackSpare() { return files_->GiveBackSpare(); }
  // Waits for background work in the folder, which does none from then on.
  void StopPreparing() { files_->StopPreparing(); }

  // What each log holds for certain, oldest first: of the one being written what is synced.
  struct Extent {
    FileNumber number;
    LogEnd end;
  };
  std::vector<Extent> extents() const ABSL_LOCKS_EXCLUDED(mutex_);

  const LogFiles& files() const { return *files_; }

 private:
  absl::Status SwitchInTurn(uint64_t payload_size, SequenceNumber last_sequence);
  absl::Status RetireInTurn(SequenceNumber oldest_needed);

  VersionSet& versions_;
  const std::unique_ptr<LogFiles> files_;
  std::atomic<uint64_t> written_bytes_{0};
  std::atomic<bool> somebody_syncs_{false};  // since the present log began

  // Changed only in a turn, by whoever is alone in the commit queue; read by both.
  std::unique_ptr<LogWriter> log_;
  PreviousLog previous_;       // what the next log's header says
  FileNumber next_number_{0};  // of a log whose creation failed
  absl::Status retire_error_;  // in a turn

  Turn turn_;
  mutable Mutex mutex_;
  std::deque<SealedLog> sealed_ ABSL_GUARDED_BY(mutex_);
  uint64_t sealed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  const LogWriter* current_ ABSL_GUARDED_BY(mutex_) = nullptr;  // log_, for accessors
};

}  // namespace firn

#endif  // FIRN_ENGINE_ACTIVE_LOG_H_
