// wal/log_writer.h: appends records to one log file, several at a time.
//
// A record is written in two steps, so that several may be in flight:
//
//     FIRN_ASSIGN_OR_RETURN(const Place place, log.Reserve(size, sequences));   // one at a time, cheap
//     FIRN_RETURN_IF_ERROR(log.Flush(place, pieces, LogSync::kSynced));         // concurrently
//
// The order of Reserve() calls is the order in the file. A reader stops at the first record that is
// not there: whoever acknowledges a record must have seen every earlier Flush() succeed, and for a
// synced one call EnsureSynced(place), for an earlier unsynced flush may have completed after this
// one's sync began.
// A record that nobody has asked to sync goes to the page cache in one call instead:
//
//     FIRN_ASSIGN_OR_RETURN(const std::optional<Place> place, log.AppendCached(size, pieces, sequences));
//
// It begins right behind the one before if that was such a one too and no sync has begun since, so
// that small ones share blocks. A file may be open twice for this, past the page cache for synced
// records and through it for these; the two never write at the same time, since a direct write drops
// the cached pages round it. All syncs go through the first handle, which was open before anything
// was written: it is told of every page that could not be written back, whoever wrote it. But the
// system tells that once: of two syncs at the same time one may hear of a lost page of a cached record,
// and the other that all is well. A sync that vouches for such records therefore waits for those
// beside it to end.
// Invariants:
//   1. After a failed write or sync nothing more is written to the file: the error sticks.
//   2. synced_size() is a prefix: every byte below it is on stable storage.
//   3. kPrepared: every block written was zero-filled before, so a record cannot meet a full disk.
//      kGrowing (the manifest): EnsureRoom() zero-fills ahead, apart from any record.
//   4. A block that holds bytes that a sync has covered, or may have covered, is never written again.
//   5. The blocks that cached records share are zero behind the last of them.
#ifndef FIRN_WAL_LOG_WRITER_H_
#define FIRN_WAL_LOG_WRITER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/mutex.h"
#include "base/types.h"
#include "io/file_system.h"
#include "wal/record_format.h"

namespace firn {

enum class LogSync : uint8_t {
  kBuffered = 1,  // handed to the operating system
  kSynced = 2,    // on stable storage
};

enum class LogGrowth : uint8_t {
  kPrepared = 1,  // Reserve() refuses what does not fit the file's size at open
  kGrowing = 2,   // EnsureRoom() makes the file longer
};

// Where a record goes. Made by Reserve(), used by exactly one Flush().
struct Place {
  uint64_t offset = 0;
  uint64_t limit = 0;  // where it ends; what Flush() writes goes on to the end of the block
  uint16_t gap = 0;    // from the end of the record before
  uint32_t payload_size = 0;
  SequenceRange sequences;
};

// Thread-safe as said above.
class LogWriter {
 public:
  // Creates `path` (AlreadyExists if the name is taken) as a growing log, with `header` synced in it.
  // The caller syncs the folder. `file_system` must outlive the writer.
  static absl::StatusOr<std::unique_ptr<LogWriter>> Create(FileSystem& file_system,
                                                           absl::string_view path,
                                                           const LogHeader& header);
  // For LogFiles: takes over a file whose block 0 is `header`, synced, and whose size is prepared.
  // `cached`: the same file through the page cache, for AppendCached(); null if `file` is that.
  LogWriter(FileSystem& file_system, std::unique_ptr<WritableFile> file, const LogHeader& header,
            LogGrowth growth, std::unique_ptr<WritableFile> cached = nullptr);
  ~LogWriter();  // no Flush() may be running
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Whether a record of `payload_size` fits (a closing record always fits behind it). kGrowing:
  // whether it fits what EnsureRoom() has prepared.
  bool Fits(uint64_t payload_size) const ABSL_LOCKS_EXCLUDED(mutex_);

  // kGrowing: makes a record of `payload_size` fit. Not concurrent with itself or Reserve().
  // ResourceExhausted/kDiskFull does not stick: nothing was lost, the call may be repeated.
  absl::Status EnsureRoom(uint64_t payload_size) ABSL_LOCKS_EXCLUDED(mutex_);

  // The next place. `payload_size` is in [1, kMaxPayloadSize] (InvalidArgument otherwise).
  // OutOfRange: it does not fit; the sticky error.
  absl::StatusOr<Place> Reserve(uint64_t payload_size, SequenceRange sequences)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Reserves a place and writes the record there, unsynced, through the page cache: about a
  // microsecond for a small one. nullopt: a Flush() is running, so the record has to take that way.
  // Errors as Reserve() and Flush().
  absl::StatusOr<std::optional<Place>> AppendCached(uint64_t payload_size,
                                                    absl::Span<const ByteSpan> pieces,
                                                    SequenceRange sequences)
      ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  // Writes the record whose payload is `pieces` one after the other (place.payload_size bytes in
  // all). On error the error sticks.
  absl::Status Flush(const Place& place, absl::Span<const ByteSpan> pieces, LogSync sync)
      ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  // When every flush up to `place` has returned: makes all of them durable, if they are not yet.
  absl::Status EnsureSynced(const Place& place) ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  // Makes every record whose Flush() has returned durable.
  absl::Status Sync() ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  // EnsureRoom, Reserve and a synced Flush: one record of one piece. Not concurrent with itself.
  absl::Status Append(ByteSpan payload, SequenceRange sequences) ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  // Appends a synced closing record, which makes all records durable, and closes the file. With no
  // Flush() running. The answer is what the next log's header says of this one. No other call but
  // the accessors may follow. FailedPrecondition/kPoisoned: a place was reserved and never written,
  // or a record holds numbers beyond `last_sequence`.
  absl::StatusOr<LogEnd> Close(SequenceNumber last_sequence) ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);

  const LogHeader& header() const { return header_; }
  FileNumber number() const { return header_.number; }
  const std::string& path() const { return path_; }
  // Every byte of the file below it is on stable storage.
  uint64_t synced_size() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The last sequence number of the records below synced_size().
  SequenceNumber synced_sequence() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Where the last reserved record ends.
  uint64_t size() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The last sequence number that was reserved.
  SequenceNumber last_sequence() const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status error() const ABSL_LOCKS_EXCLUDED(mutex_);  // the sticky one, or OK

 private:
  enum class State : uint8_t { kReserved, kWritten, kDurable };
  struct InFlight {
    uint64_t offset;
    uint64_t limit;
    SequenceNumber last_sequence;
    State state;
    uint64_t written_tick;  // when it became kWritten
    bool cached;            // waits in the page cache until a sync
  };
  // A sync that is running; `tick`: it covers what was written by then.
  struct SyncBegun {
    uint64_t number;
    uint64_t tick;
  };

  absl::Status WriteRecord(const Place& place, RecordKind kind, absl::Span<const ByteSpan> pieces,
                           LogSync sync) ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);
  bool FitsLocked(uint64_t payload_size) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckReserve(uint64_t payload_size, SequenceRange sequences) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Place ReserveLocked(uint64_t payload_size, SequenceRange sequences)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<Place>> WriteNextCached(uint64_t payload_size,
                                                       absl::Span<const ByteSpan> pieces,
                                                       SequenceRange sequences)
      ABSL_LOCKS_EXCLUDED(tail_mutex_, mutex_);
  // A place for AppendCached(), in the entry of in_flight_ that begins at the returned offset.
  uint64_t ReserveCached(Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(tail_mutex_, mutex_);
  absl::Status WriteCached(const Place& place, uint64_t synced_size,
                           absl::Span<const ByteSpan> pieces)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(tail_mutex_);
  WritableFile& cached_file() { return cached_file_ == nullptr ? *file_ : *cached_file_; }
  // The system would let cached records lie for seconds; who syncs or closes the log, or reopens it
  // after a crash of the process, would wait for all of them. So each MiB is sent on its way.
  void StartWriteBack(const Place& place) ABSL_LOCKS_EXCLUDED(tail_mutex_);
  // What is written so far may be covered by the sync that begins now: its blocks are left alone.
  absl::StatusOr<SyncBegun> BeginSync() ABSL_EXCLUSIVE_LOCKS_REQUIRED(tail_mutex_)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // What it said. If it succeeded, what it covered is durable; `own_offset`: the record written with
  // it, or 0. Waits for the syncs beside it where their outcome counts.
  absl::Status EndSync(SyncBegun begun, const absl::Status& outcome, uint64_t own_offset)
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool CoversCached(SyncBegun begun, uint64_t own_offset) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  RecordHeader HeaderFor(const Place& place, RecordKind kind, uint64_t synced_size) const;
  void MarkWritten(uint64_t offset) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MarkSynced(uint64_t start_tick, uint64_t own_offset) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Stick(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ZeroFill(uint64_t from, uint64_t limit);

  class BufferPool;  // aligned memory for records, kept from flush to flush

  FileSystem& file_system_;
  const LogHeader header_;
  const std::string path_;
  const LogGrowth growth_;
  const std::unique_ptr<WritableFile> file_;
  const std::unique_ptr<WritableFile> cached_file_;  // null: file_
  const std::unique_ptr<BufferPool> buffers_;

  // Before mutex_. Held while a record goes to the page cache, which is the order of such records and
  // what a sync that begins waits for; the disk is not waited for under it.
  Mutex tail_mutex_;
  size_t flushes_ ABSL_GUARDED_BY(tail_mutex_) = 0;  // Flush() that write now
  std::vector<uint8_t> tail_buffer_ ABSL_GUARDED_BY(tail_mutex_);
  std::vector<ByteSpan> tail_pieces_ ABSL_GUARDED_BY(tail_mutex_);
  uint64_t write_back_begin_ ABSL_GUARDED_BY(tail_mutex_) = 0;  // see StartWriteBack()

  mutable Mutex mutex_;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  uint64_t prepared_size_ ABSL_GUARDED_BY(mutex_);
  uint64_t size_ ABSL_GUARDED_BY(mutex_) = kLogBlockSize;
  // The last reserved record was a cached one, and no sync has begun since.
  bool shares_ ABSL_GUARDED_BY(mutex_) = false;
  SequenceNumber last_sequence_ ABSL_GUARDED_BY(mutex_);
  uint64_t synced_size_ ABSL_GUARDED_BY(mutex_) = kLogBlockSize;
  SequenceNumber synced_sequence_ ABSL_GUARDED_BY(mutex_);
  uint64_t tick_ ABSL_GUARDED_BY(mutex_) = 0;               // counts completed writes
  std::deque<InFlight> in_flight_ ABSL_GUARDED_BY(mutex_);  // from synced_size_ on, by offset
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t syncs_begun_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<uint64_t> syncs_running_ ABSL_GUARDED_BY(mutex_);  // their numbers
  CondVar sync_ended_;
};

}  // namespace firn

#endif  // FIRN_WAL_LOG_WRITER_H_
