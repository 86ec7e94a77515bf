// wal/log_reader.h: the records of one log file, in order; tells end, torn tail and damage apart.
//
// A bad record (its checksums, its fields or its padding are wrong, or it is not there) is where the
// log ends, or it is damage. It is damage (DataLoss with path and offset) exactly when it is known
// that there were durable bytes at its place: a later record's header says so (synced_size), or the
// next log's header (final_size), or whoever opens the file (synced_size_min). An intact later
// record alone is normal, since flushes complete in any order: it was never acknowledged.
//
// Memory: one window of 1 MiB, and a payload of at most kMaxPayloadSize once its header's checksum
// has vouched for the length.
#ifndef FIRN_WAL_LOG_READER_H_
#define FIRN_WAL_LOG_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "io/file_system.h"
#include "wal/record_format.h"

namespace firn {

struct LogReaderOptions {
  LogKind kind = LogKind::kWrites;
  // Must be the header's number, if given.
  std::optional<FileNumber> number;
  // The next log's header says where this one ends: a shorter one is damaged, and what lies behind
  // is not looked at. Without it this is the newest log, the only one that may have a torn tail.
  std::optional<LogEnd> final_end;
  // So much of the file is known to have been on stable storage (of a manifest: by a log's header).
  uint64_t synced_size_min = 0;
};

struct LogRecord {
  ByteSpan payload;  // valid until the next call
  SequenceRange sequences;
  uint64_t offset = 0;       // of the record in the file
  uint64_t limit = 0;        // where it ends
  uint64_t synced_size = 0;  // as its header says
};

// How a log ended, once Next() has returned nullopt.
enum class LogEnding : uint8_t {
  kClosed = 1,  // by a closing record
  kFinal = 2,   // where the next log's header says
  kUnclosed =
      3,      // by zeroes, left-overs or the end of the file: the writer stopped between flushes
  kTorn = 4,  // by pieces of a flush that did not complete
};

// One thread.
class LogReader {
 public:
  // Reads and checks the file header. DataLoss (damaged, or another number or kind than asked),
  // FailedPrecondition/kFormatVersion, or an I/O error.
  static absl::StatusOr<std::unique_ptr<LogReader>> Open(FileSystem& file_system,
                                                         absl::string_view path,
                                                         const LogReaderOptions& options);

  // The next batch record; nullopt at the end of the log, then and ever after. DataLoss: damage.
  absl::StatusOr<std::optional<LogRecord>> Next();

  const LogHeader& header() const { return header_; }
  const std::string& path() const { return file_->path(); }
  uint64_t file_size() const { return file_->size(); }

  // After Next() has returned nullopt:
  LogEnding ending() const;
  // Where the log ends: what the next log's header must say of this one.
  LogEnd end() const;

 private:
  LogReader(std::unique_ptr<RandomAccessFile> file, const LogHeader& header,
            const LogReaderOptions& options);

  // An intact record.
  struct Found {
    uint64_t offset = 0;
    RecordHeader header;
    ByteSpan payload;  // valid until the next View()
  };

  absl::StatusOr<std::optional<LogRecord>> ReadRecord();
  // The record that follows the one that ends at offset_; nullopt: a bad one.
  absl::StatusOr<std::optional<Found>> FindNext();
  // The record at `offset`, behind `gap`; nullopt: a bad one.
  absl::StatusOr<std::optional<Found>> ReadAt(uint64_t offset, uint64_t gap);
  // Whether only zeroes stand between offset_ and the next block.
  absl::StatusOr<bool> PaddingIsZero();
  // Bytes [offset, offset + size) through the window; size is at most kWindowSize.
  absl::StatusOr<ByteSpan> View(uint64_t offset, uint64_t size);
  // What the window holds from `offset` on, `size_min` bytes at least.
  absl::StatusOr<ByteSpan> ViewRest(uint64_t offset, uint64_t size_min);
  // The payload and what follows it up to the record's end, if checksum and padding are right;
  // nullopt: a bad record. The record lies wholly inside the file.
  absl::StatusOr<std::optional<ByteSpan>> ReadPayload(const RecordHeader& record, uint64_t offset);
  // Takes in an intact record: what its numbers say must fit what came before.
  absl::Status Accept(const Found& found);
  // Decides what the bad record at offset_ means: how the log ends here, or DataLoss.
  absl::StatusOr<LogEnding> JudgeBadRecord();
  // The first header of a record at or after `offset`, torn or not; nullopt: there is none.
  absl::StatusOr<std::optional<Found>> FindLater(uint64_t offset);
  uint64_t LimitOf(const RecordHeader& record, uint64_t offset) const;
  absl::Status CheckEnd() const;

  const std::unique_ptr<RandomAccessFile> file_;
  const LogHeader header_;
  const LogReaderOptions options_;
  uint64_t offset_ = kLogBlockSize;  // where the last record ends
  SequenceNumber last_sequence_;
  std::optional<LogEnding> ending_;
  absl::Status error_;  // damage is reported again by every later call
  std::vector<uint8_t> window_;
  uint64_t window_begin_ = 0;
  uint64_t window_size_ = 0;
  std::vector<uint8_t> large_payload_;
};

}  // namespace firn

#endif  // FIRN_WAL_LOG_READER_H_
