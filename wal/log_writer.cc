#include "wal/log_writer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/detached_status.h"
#include "base/status.h"
#include "io/aligned_buffer.h"

namespace firn {
namespace {

constexpr uint64_t kClosingRecordSize = RecordSizeOnDisk(0);
static_assert(kClosingRecordSize == kLogBlockSize);

constexpr uint64_t kNothingSynced = UINT64_MAX;  // in place of an offset
constexpr uint64_t kGrowthStep = uint64_t{64} << 10;  // bytes zero-filled at once in a growing log
constexpr size_t kZeroesSize = size_t{1} << 20;
// Cached records up to this size are put together and written as one piece.
constexpr size_t kTailBufferSize = size_t{32} << 10;
constexpr uint64_t kWriteBackSize = uint64_t{1} << 20;

}  // namespace

// Buffers are allocated when first needed, and those up to kKeptSize kept: a log with small groups
// costs little, and one with several large ones in flight does not allocate for each.
class LogWriter::BufferPool {
 public:
  AlignedBuffer Take(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(mutex_);
      for (AlignedBuffer& kept : free_) {
        if (kept.size() < size) continue;
        std::swap(kept, free_.back());
        AlignedBuffer taken = std::move(free_.back());
        free_.pop_back();
        return taken;
      }
    }
    return AlignedBuffer(static_cast<size_t>(std::bit_ceil(std::max(size, kSmallest))));
  }

  void Return(AlignedBuffer buffer) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (buffer.size() > kKeptSize) return;
    MutexLock lock(mutex_);
    if (free_.size() < kKeptCount) {
      free_.push_back(std::move(buffer));
      return;
    }
    const auto smallest = std::min_element(
        free_.begin(), free_.end(),
        [](const AlignedBuffer& a, const AlignedBuffer& b) { return a.size() < b.size(); });
    if (smallest->size() < buffer.size()) *smallest = std::move(buffer);
  }

 private:
  static constexpr uint64_t kSmallest = uint64_t{64} << 10;
  static constexpr size_t kKeptSize = size_t{2} << 20;
  static constexpr size_t kKeptCount = 4;
  Mutex mutex_;
  std::vector<AlignedBuffer> free_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<LogWriter>> LogWriter::Create(FileSystem& file_system,
                                                             absl::string_view path,
                                                             const LogHeader& header) {
  // Not kDirect: a growing log is written rarely and read back soon.
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        file_system.Create(path, FileAccess::kBuffered));
  AlignedBuffer block(kLogBlockSize);
  EncodeLogHeader(header, block.span());
  FIRN_RETURN_IF_ERROR(file->WriteAndSync(0, {ByteSpan(block.span())}));
  return std::make_unique<LogWriter>(file_system, std::move(file), header, LogGrowth::kGrowing);
}

LogWriter::LogWriter(FileSystem& file_system, std::unique_ptr<WritableFile> file,
                     const LogHeader& header, LogGrowth growth,
                     std::unique_ptr<WritableFile> cached)
    : file_system_(file_system),
      header_(header),
      path_(file->path()),
      growth_(growth),
      file_(std::move(file)),
      cached_file_(std::move(cached)),
      buffers_(std::make_unique<BufferPool>()),
      prepared_size_(file_->size()),
      last_sequence_(header.previous.end.last_sequence),
      synced_sequence_(header.previous.end.last_sequence) {
  FIRN_CHECK(prepared_size_ >= kLogBlockSize);
}

LogWriter::~LogWriter() = default;

bool LogWriter::FitsLocked(uint64_t payload_size) const {
  // Subtract: the sum could wrap around.
  const uint64_t left = prepared_size_ - std::min(prepared_size_, RoundUpToBlock(size_));
  return payload_size <= kMaxPayloadSize &&
         RecordSizeOnDisk(payload_size) + kClosingRecordSize <= left;
}

bool LogWriter::Fits(uint64_t payload_size) const {
  MutexLock lock(mutex_);
  return FitsLocked(payload_size);
}

absl::Status LogWriter::EnsureRoom(uint64_t payload_size) {
  if (growth_ == LogGrowth::kPrepared || payload_size > kMaxPayloadSize) return absl::OkStatus();
  uint64_t from = 0;
  uint64_t limit = 0;
  {
    MutexLock lock(mutex_);
    FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
    if (FitsLocked(payload_size)) return absl::OkStatus();
    from = prepared_size_;
    limit = RoundUpToBlock(size_) + RecordSizeOnDisk(payload_size) + kClosingRecordSize;
    limit = (limit + kGrowthStep - 1) / kGrowthStep * kGrowthStep;
  }
  FIRN_RETURN_IF_ERROR(ZeroFill(from, limit));
  MutexLock lock(mutex_);
  prepared_size_ = limit;
  return absl::OkStatus();
}

// Through a handle of its own: a full disk then spoils that handle, and not the one that records are
// written with. Nothing but zeroes beyond every record is at stake.
absl::Status LogWriter::ZeroFill(uint64_t from, uint64_t limit) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                        file_system_.OpenForWrite(path_, FileAccess::kBuffered));
  const AlignedBuffer zeroes(static_cast<size_t>(std::min<uint64_t>(kZeroesSize, limit - from)));
  while (from < limit) {
    const uint64_t size = std::min<uint64_t>(zeroes.size(), limit - from);
    FIRN_RETURN_IF_ERROR(file->Write(from, {zeroes.span().first(static_cast<size_t>(size))}));
    from += size;
  }
  FIRN_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

absl::Status LogWriter::CheckReserve(uint64_t payload_size, SequenceRange sequences) const {
  if (payload_size == 0 || payload_size > kMaxPayloadSize) {
    return InvalidArgument(absl::StrCat(path_, ": a record of ", payload_size,
                                        " bytes; between 1 and ", kMaxPayloadSize, " are allowed"));
  }
  FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
  FIRN_CHECK(!closed_);
  FIRN_CHECK(sequences.first <= sequences.last);
  FIRN_CHECK(sequences.first.value == 0 || sequences.first > last_sequence_);
  if (!FitsLocked(payload_size)) {
    return absl::OutOfRangeError(absl::StrCat(path_, ": no room for a record of ", payload_size,
                                              " bytes: ", size_, " of ", prepared_size_,
                                              " bytes are taken"));
  }
  return absl::OkStatus();
}

Place LogWriter::ReserveLocked(uint64_t payload_size, SequenceRange sequences) {
  Place place;
  place.offset = RoundUpToBlock(size_);
  place.limit = place.offset + RecordSize(payload_size);
  place.gap = static_cast<uint16_t>(place.offset - size_);
  place.payload_size = static_cast<uint32_t>(payload_size);
  place.sequences = sequences;
  size_ = place.limit;
  shares_ = false;
  if (sequences.last.value != 0) last_sequence_ = sequences.last;
  in_flight_.push_back({.offset = place.offset,
                        .limit = place.limit,
                        .last_sequence = last_sequence_,
                        .state = State::kReserved,
                        .written_tick = 0,
                        .cached = file_->access() == FileAccess::kBuffered});
  return place;
}

absl::StatusOr<Place> LogWriter::Reserve(uint64_t payload_size, SequenceRange sequences) {
  MutexLock lock(mutex_);
  FIRN_RETURN_IF_ERROR(CheckReserve(payload_size, sequences));
  return ReserveLocked(payload_size, sequences);
}

absl::Status LogWriter::Flush(const Place& place, absl::Span<const ByteSpan> pieces, LogSync sync) {
  return WriteRecord(place, RecordKind::kBatch, pieces, sync);
}

namespace {

// The whole record, padding included, into `target`: the one copy of a commit on its way to the log.
void BuildRecord(const RecordHeader& fields, uint32_t seed, absl::Span<const ByteSpan> pieces,
                 absl::Span<uint8_t> target) {
  RecordHeader record = fields;
  uint8_t* next = target.data() + kRecordHeaderSize;
  uint8_t* const payload_limit = next + record.length;
  for (const ByteSpan piece : pieces) {
    FIRN_CHECK(piece.size() <= static_cast<size_t>(payload_limit - next));
    if (!piece.empty()) std::memcpy(next, piece.data(), piece.size());
    next += piece.size();
  }
  FIRN_CHECK(next == payload_limit);
  std::memset(next, 0, static_cast<size_t>(target.data() + target.size() - next));
  record.payload_checksum = Crc32c(target.subspan(kRecordHeaderSize, record.length), seed);
  EncodeRecordHeader(record, seed, target.first(kRecordHeaderSize));
}

}  // namespace

RecordHeader LogWriter::HeaderFor(const Place& place, RecordKind kind,
                                  uint64_t synced_size) const {
  RecordHeader record;
  record.length = place.payload_size;
  record.kind = kind;
  record.gap = place.gap;
  record.log_number = header_.number;
  record.synced_size = synced_size;
  record.sequences = place.sequences;
  return record;
}

absl::Status LogWriter::WriteRecord(const Place& place, RecordKind kind,
                                    absl::Span<const ByteSpan> pieces, LogSync sync) {
  const uint64_t size = RoundUpToBlock(place.limit) - place.offset;
  AlignedBuffer buffer = buffers_->Take(size);
  const absl::Span<uint8_t> target = buffer.span().first(static_cast<size_t>(size));
  BuildRecord(HeaderFor(place, kind, synced_size()), RecordSeed(header_, place.offset), pieces,
              target);
  SyncBegun begun;
  {
    MutexLock tail(tail_mutex_);
    // An earlier flush may have failed, perhaps while the record was built.
    FIRN_ASSIGN_OR_RETURN(begun, BeginSync());
    ++flushes_;
  }
  const ByteSpan bytes(target);
  const absl::Status written = sync == LogSync::kSynced ? file_->WriteAndSync(place.offset, {bytes})
                                                        : file_->Write(place.offset, {bytes});
  buffers_->Return(std::move(buffer));
  {
    MutexLock tail(tail_mutex_);
    --flushes_;
  }
  if (written.ok()) {
    MutexLock lock(mutex_);
    MarkWritten(place.offset);
  }
  // Written, it may still be behind a record that is missing: then not to be acknowledged.
  return EndSync(begun, written, sync == LogSync::kSynced ? place.offset : kNothingSynced);
}

absl::StatusOr<LogWriter::SyncBegun> LogWriter::BeginSync() {
  MutexLock lock(mutex_);
  FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
  shares_ = false;
  syncs_running_.push_back(++syncs_begun_);
  return SyncBegun{syncs_begun_, tick_};
}

bool LogWriter::CoversCached(SyncBegun begun, uint64_t own_offset) const {
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const InFlight& entry) {
    return entry.cached && entry.state == State::kWritten &&
           (entry.written_tick <= begun.tick || entry.offset == own_offset);
  });
}

absl::Status LogWriter::EndSync(SyncBegun begun, const absl::Status& outcome,
                                uint64_t own_offset) {
  MutexLock lock(mutex_);
  syncs_running_.erase(std::find(syncs_running_.begin(), syncs_running_.end(), begun.number));
  if (!outcome.ok() && error_.ok()) error_ = DetachedCopy(outcome);
  sync_ended_.NotifyAll();
  if (!outcome.ok()) return outcome;
  if (own_offset == kNothingSynced) return DetachedCopy(error_);
  if (CoversCached(begun, own_offset)) {
    // Those that begin from now on hear of nothing that this one should have heard of.
    const std::vector<uint64_t> beside = syncs_running_;
    const auto runs = [&](uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return std::find(syncs_running_.begin(), syncs_running_.end(), number) !=
             syncs_running_.end();
    };
    for (const uint64_t number : beside) {
      while (runs(number)) sync_ended_.Wait(mutex_);
    }
  }
  FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
  MarkSynced(begun.tick, own_offset);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Place>> LogWriter::AppendCached(uint64_t payload_size,
                                                             absl::Span<const ByteSpan> pieces,
                                                             SequenceRange sequences) {
  FIRN_ASSIGN_OR_RETURN(const std::optional<Place> place,
                        WriteNextCached(payload_size, pieces, sequences));
  if (place.has_value()) StartWriteBack(*place);
  return place;
}

void LogWriter::StartWriteBack(const Place& place) {
  uint64_t begin = 0;
  // The last block will be written again, by the next record.
  const uint64_t limit = place.limit / kLogBlockSize * kLogBlockSize;
  {
    MutexLock tail(tail_mutex_);
    if (limit < write_back_begin_ + kWriteBackSize) return;
    begin = std::exchange(write_back_begin_, limit);
  }
  cached_file().StartWriteBack(begin, limit - begin);
}

absl::StatusOr<std::optional<Place>> LogWriter::WriteNextCached(uint64_t payload_size,
                                                                absl::Span<const ByteSpan> pieces,
                                                                SequenceRange sequences) {
  MutexLock tail(tail_mutex_);
  if (flushes_ > 0) return std::nullopt;
  Place place;
  uint64_t entry_offset = 0;
  uint64_t synced_size = 0;
  {
    MutexLock lock(mutex_);
    FIRN_RETURN_IF_ERROR(CheckReserve(payload_size, sequences));
    place.payload_size = static_cast<uint32_t>(payload_size);
    place.sequences = sequences;
    entry_offset = ReserveCached(place);
    synced_size = synced_size_;
  }
  const absl::Status written = WriteCached(place, synced_size, pieces);
  if (!written.ok()) return Stick(written);
  MutexLock lock(mutex_);
  MarkWritten(entry_offset);
  FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
  return place;
}

uint64_t LogWriter::ReserveCached(Place& place) {
  if (!shares_) {
    place = ReserveLocked(place.payload_size, place.sequences);
    shares_ = true;
    in_flight_.back().cached = true;
    return place.offset;
  }
  // Records that share blocks become durable together: one entry for all. No sync that is running
  // can have covered it, or it would not be shared.
  InFlight& entry = in_flight_.back();
  FIRN_CHECK(entry.limit == size_ && entry.state == State::kWritten);
  place.offset = size_;
  place.limit = size_ + RecordSize(place.payload_size);
  size_ = place.limit;
  if (place.sequences.last.value != 0) last_sequence_ = place.sequences.last;
  entry.limit = place.limit;
  entry.last_sequence = last_sequence_;
  entry.state = State::kReserved;
  return entry.offset;
}

// Writes up to the end of the record if it lies wholly in a block that is zero behind its last record,
// else up to the end of its last block: so that block is zero behind this record, and the system need
// not read it from disk first.
absl::Status LogWriter::WriteCached(const Place& place, uint64_t synced_size,
                                    absl::Span<const ByteSpan> pieces) {
  const bool within_block = place.limit <= RoundUpToBlock(place.offset);
  const uint64_t limit = within_block ? place.limit : RoundUpToBlock(place.limit);
  const uint64_t size = limit - place.offset;
  const uint32_t seed = RecordSeed(header_, place.offset);
  RecordHeader record = HeaderFor(place, RecordKind::kBatch, synced_size);
  tail_buffer_.resize(kTailBufferSize);
  const absl::Span<uint8_t> buffer = absl::MakeSpan(tail_buffer_);
  if (size <= buffer.size()) {
    BuildRecord(record, seed, pieces, buffer.first(static_cast<size_t>(size)));
    return cached_file().Write(place.offset, {ByteSpan(buffer).first(static_cast<size_t>(size))});
  }
  record.payload_checksum = seed;
  uint64_t payload_size = 0;
  for (const ByteSpan piece : pieces) {
    record.payload_checksum = Crc32c(piece, record.payload_checksum);
    payload_size += piece.size();
  }
  FIRN_CHECK(payload_size == place.payload_size);
  const absl::Span<uint8_t> header = buffer.first(kRecordHeaderSize);
  const absl::Span<uint8_t> padding =
      buffer.subspan(kRecordHeaderSize, static_cast<size_t>(size - kRecordHeaderSize - payload_size));
  EncodeRecordHeader(record, seed, header);
  std::memset(padding.data(), 0, padding.size());
  tail_pieces_.assign(1, header);
  tail_pieces_.insert(tail_pieces_.end(), pieces.begin(), pieces.end());
  tail_pieces_.push_back(padding);
  return cached_file().Write(place.offset, tail_pieces_);
}

void LogWriter::MarkWritten(uint64_t offset) {
  const auto found = std::lower_bound(
      in_flight_.begin(), in_flight_.end(), offset,
      [](const InFlight& entry, uint64_t wanted) { return entry.offset < wanted; });
  FIRN_CHECK(found != in_flight_.end() && found->offset == offset);
  FIRN_CHECK(found->state == State::kReserved);
  found->state = State::kWritten;
  found->written_tick = ++tick_;
}

// A sync covers the writes that had completed when it began, those with a tick up to start_tick, and the
// record written with it.
void LogWriter::MarkSynced(uint64_t start_tick, uint64_t own_offset) {
  for (InFlight& entry : in_flight_) {
    if (entry.state != State::kWritten) continue;
    if (entry.written_tick <= start_tick || entry.offset == own_offset) {
      entry.state = State::kDurable;
    }
  }
  while (!in_flight_.empty() && in_flight_.front().state == State::kDurable) {
    FIRN_CHECK(in_flight_.front().offset == synced_size_ ||
               in_flight_.front().offset == RoundUpToBlock(synced_size_));
    synced_size_ = in_flight_.front().limit;
    synced_sequence_ = in_flight_.front().last_sequence;
    in_flight_.pop_front();
  }
}

absl::Status LogWriter::Stick(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (error_.ok()) error_ = DetachedCopy(status);
  return status;
}

absl::Status LogWriter::EnsureSynced(const Place& place) {
  {
    MutexLock lock(mutex_);
    FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
    if (synced_size_ >= place.limit) return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(Sync());
  MutexLock lock(mutex_);
  FIRN_CHECK(synced_size_ >= place.limit);  // the caller has seen every earlier flush return
  return absl::OkStatus();
}

absl::Status LogWriter::Sync() {
  SyncBegun begun;
  {
    MutexLock tail(tail_mutex_);
    {
      MutexLock lock(mutex_);
      FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
      const bool unsynced =
          std::any_of(in_flight_.begin(), in_flight_.end(),
                      [](const InFlight& entry) { return entry.state == State::kWritten; });
      if (!unsynced) return absl::OkStatus();
    }
    FIRN_ASSIGN_OR_RETURN(begun, BeginSync());
  }
  return EndSync(begun, file_->Sync(), 0);
}

absl::Status LogWriter::Append(ByteSpan payload, SequenceRange sequences) {
  FIRN_RETURN_IF_ERROR(EnsureRoom(payload.size()));
  FIRN_ASSIGN_OR_RETURN(const Place place, Reserve(payload.size(), sequences));
  return Flush(place, {payload}, LogSync::kSynced);
}

absl::StatusOr<LogEnd> LogWriter::Close(SequenceNumber last_sequence) {
  // A file without room for it (a growing one that never got a record) gets it now.
  if (growth_ == LogGrowth::kGrowing) FIRN_RETURN_IF_ERROR(EnsureRoom(0));
  Place place;
  {
    MutexLock lock(mutex_);
    FIRN_RETURN_IF_ERROR(DetachedCopy(error_));
    FIRN_CHECK(!closed_);
    for (const InFlight& entry : in_flight_) {
      // Given up by a caller that met an error elsewhere. A closing record would vouch for the gap.
      if (entry.state == State::kReserved) {
        return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kPoisoned,
                         absl::StrCat(path_, ": the record reserved at offset ", entry.offset,
                                      " was never written"));
      }
    }
    // A record that was written and then given up: likewise.
    if (last_sequence < last_sequence_) {
      return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kPoisoned,
                       absl::StrCat(path_, ": holds sequence numbers up to ", last_sequence_.value,
                                    ", beyond ", last_sequence.value, ", the last one in use"));
    }
    closed_ = true;
    // Its range is the last number alone, so that it may repeat the last record's.
    place = ReserveLocked(0, {.first = last_sequence, .last = last_sequence});
    FIRN_CHECK(RoundUpToBlock(place.limit) <= prepared_size_);
  }
  FIRN_RETURN_IF_ERROR(WriteRecord(place, RecordKind::kClose, {}, LogSync::kSynced));
  if (cached_file_ != nullptr) {
    const absl::Status closed = cached_file_->Close();
    if (!closed.ok()) return Stick(closed);
  }
  const absl::Status closed = file_->Close();
  if (!closed.ok()) return Stick(closed);
  MutexLock lock(mutex_);
  FIRN_CHECK(synced_size_ == size_);
  return LogEnd{.size = size_, .last_sequence = last_sequence};
}

uint64_t LogWriter::synced_size() const {
  MutexLock lock(mutex_);
  return synced_size_;
}

SequenceNumber LogWriter::synced_sequence() const {
  MutexLock lock(mutex_);
  return synced_sequence_;
}

uint64_t LogWriter::size() const {
  MutexLock lock(mutex_);
  return size_;
}

SequenceNumber LogWriter::last_sequence() const {
  MutexLock lock(mutex_);
  return last_sequence_;
}

absl::Status LogWriter::error() const {
  MutexLock lock(mutex_);
  return DetachedCopy(error_);
}

}  // namespace firn
