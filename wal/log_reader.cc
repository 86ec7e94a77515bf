#include "wal/log_reader.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint64_t kWindowSize = uint64_t{1} << 20;
static_assert(kWindowSize % kLogBlockSize == 0);

bool AllZero(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

absl::Status CheckAsked(const LogHeader& header, uint64_t file_size, absl::string_view path,
                        const LogReaderOptions& options) {
  if (header.kind != options.kind) {
    return CorruptionAt(path, 0, "kind of log",
                        {.expected = static_cast<uint64_t>(options.kind),
                         .actual = static_cast<uint64_t>(header.kind)});
  }
  if (options.number.has_value() && header.number != *options.number) {
    return CorruptionAt(path, 0, "log number in the header",
                        {.expected = options.number->value, .actual = header.number.value});
  }
  const uint64_t known_size =
      std::max(options.synced_size_min, options.final_end ? options.final_end->size : 0);
  if (known_size > file_size) {
    return CorruptionAt(path, file_size, "the file is shorter than is known to have been written",
                        {.expected = known_size, .actual = file_size});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogReader>> LogReader::Open(FileSystem& file_system,
                                                           absl::string_view path,
                                                           const LogReaderOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, file_system.OpenForRead(path));
  if (file->size() < kLogBlockSize) {
    return CorruptionAt(path, 0, "the file is shorter than a log's header",
                        {.expected = kLogBlockSize, .actual = file->size()});
  }
  std::vector<uint8_t> block(kLogBlockSize);
  FIRN_RETURN_IF_ERROR(file->Read(0, absl::MakeSpan(block)));
  FIRN_ASSIGN_OR_RETURN(const LogHeader header, DecodeLogHeader(block, path));
  FIRN_RETURN_IF_ERROR(CheckAsked(header, file->size(), path, options));
  return absl::WrapUnique(new LogReader(std::move(file), header, options));
}

LogReader::LogReader(std::unique_ptr<RandomAccessFile> file, const LogHeader& header,
                     const LogReaderOptions& options)
    : file_(std::move(file)),
      header_(header),
      options_(options),
      last_sequence_(header.previous.end.last_sequence) {}

absl::StatusOr<std::optional<LogRecord>> LogReader::Next() {
  FIRN_RETURN_IF_ERROR(error_);
  if (ending_.has_value()) return std::nullopt;
  absl::StatusOr<std::optional<LogRecord>> record = ReadRecord();
  // A failed read may be tried again; damage stays damage.
  if (absl::IsDataLoss(record.status())) error_ = record.status();
  return record;
}

absl::StatusOr<std::optional<LogRecord>> LogReader::ReadRecord() {
  if (options_.final_end.has_value() && offset_ == options_.final_end->size) {
    FIRN_RETURN_IF_ERROR(CheckEnd());
    ending_ = LogEnding::kFinal;
    return std::nullopt;
  }
  FIRN_ASSIGN_OR_RETURN(const std::optional<Found> found, FindNext());
  if (!found.has_value()) {
    FIRN_ASSIGN_OR_RETURN(ending_, JudgeBadRecord());
    return std::nullopt;
  }
  FIRN_RETURN_IF_ERROR(Accept(*found));
  LogRecord record;
  record.payload = found->payload;
  record.sequences = found->header.sequences;
  record.offset = found->offset;
  record.limit = LimitOf(found->header, found->offset);
  record.synced_size = found->header.synced_size;
  offset_ = record.limit;
  if (found->header.kind == RecordKind::kClose) {
    FIRN_RETURN_IF_ERROR(CheckEnd());
    ending_ = LogEnding::kClosed;
    return std::nullopt;
  }
  return record;
}

uint64_t LogReader::LimitOf(const RecordHeader& record, uint64_t offset) const {
  return offset + (header_.version == 1 ? RecordSizeOnDisk(record.length)
                                        : RecordSize(record.length));
}

absl::StatusOr<std::optional<LogReader::Found>> LogReader::FindNext() {
  FIRN_ASSIGN_OR_RETURN(std::optional<Found> found, ReadAt(offset_, 0));
  const uint64_t gap = RoundUpToBlock(offset_) - offset_;
  if (found.has_value() || gap == 0 || gap > file_->size() - offset_) return found;
  // What lies between is checked too, so that no byte of a log can change unnoticed.
  FIRN_ASSIGN_OR_RETURN(const bool padding_is_zero, PaddingIsZero());
  if (!padding_is_zero) return std::nullopt;
  return ReadAt(offset_ + gap, gap);
}

absl::StatusOr<bool> LogReader::PaddingIsZero() {
  const uint64_t size = std::min(RoundUpToBlock(offset_), file_->size()) - offset_;
  FIRN_ASSIGN_OR_RETURN(const ByteSpan padding, View(offset_, size));
  return AllZero(padding);
}

absl::StatusOr<std::optional<LogReader::Found>> LogReader::ReadAt(uint64_t offset, uint64_t gap) {
  const uint64_t left = file_->size() - offset;  // `offset` never passes the end of the file
  if (left < kRecordHeaderSize) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(const ByteSpan bytes, View(offset, kRecordHeaderSize));
  const std::optional<RecordHeader> record = DecodeRecordHeader(bytes, header_, offset);
  if (!record.has_value() || record->gap != gap) return std::nullopt;
  if (LimitOf(*record, offset) - offset > left) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(const std::optional<ByteSpan> payload, ReadPayload(*record, offset));
  if (!payload.has_value()) return std::nullopt;
  return Found{offset, *record, *payload};
}

absl::StatusOr<ByteSpan> LogReader::View(uint64_t offset, uint64_t size) {
  FIRN_CHECK(size <= kWindowSize && offset <= file_->size() && size <= file_->size() - offset);
  const bool inside = offset >= window_begin_ && offset - window_begin_ <= window_size_ &&
                      size <= window_size_ - (offset - window_begin_);
  if (!inside) {
    window_.resize(static_cast<size_t>(std::min(kWindowSize, file_->size())));
    window_size_ = 0;
    const uint64_t filled = std::min(kWindowSize, file_->size() - offset);
    FIRN_RETURN_IF_ERROR(
        file_->Read(offset, absl::MakeSpan(window_).first(static_cast<size_t>(filled))));
    window_begin_ = offset;
    window_size_ = filled;
  }
  return ByteSpan(window_).subspan(static_cast<size_t>(offset - window_begin_),
                                   static_cast<size_t>(size));
}

absl::StatusOr<ByteSpan> LogReader::ViewRest(uint64_t offset, uint64_t size_min) {
  FIRN_RETURN_IF_ERROR(View(offset, size_min).status());
  return ByteSpan(window_).first(static_cast<size_t>(window_size_)).subspan(
      static_cast<size_t>(offset - window_begin_));
}

absl::StatusOr<std::optional<ByteSpan>> LogReader::ReadPayload(const RecordHeader& record,
                                                               uint64_t offset) {
  const uint64_t payload_offset = offset + kRecordHeaderSize;
  const uint64_t size = LimitOf(record, offset) - offset;
  const size_t padding_size = static_cast<size_t>(size - kRecordHeaderSize - record.length);
  ByteSpan payload;
  ByteSpan padding;
  if (size <= kWindowSize) {
    FIRN_ASSIGN_OR_RETURN(const ByteSpan whole, View(offset, size));
    payload = whole.subspan(kRecordHeaderSize, record.length);
    padding = whole.subspan(kRecordHeaderSize + record.length);
  } else {
    large_payload_.resize(record.length);
    FIRN_RETURN_IF_ERROR(file_->Read(payload_offset, absl::MakeSpan(large_payload_)));
    payload = large_payload_;
    FIRN_ASSIGN_OR_RETURN(padding, View(payload_offset + record.length, padding_size));
  }
  if (Crc32c(payload, RecordSeed(header_, offset)) != record.payload_checksum ||
      !AllZero(padding)) {
    return std::nullopt;
  }
  return payload;
}

// What an intact record says can still be wrong: that is a writer's mistake, or a file that somebody
// made by hand.
absl::Status LogReader::Accept(const Found& found) {
  const RecordHeader& record = found.header;
  const bool closes = record.kind == RecordKind::kClose;
  const bool unnumbered = record.sequences == SequenceRange{};
  if (closes ? record.sequences.last < last_sequence_
             : !unnumbered && record.sequences.first <= last_sequence_) {
    return CorruptionAt(
        path(), found.offset, "sequence numbers that do not grow",
        {.expected = last_sequence_.value + 1, .actual = record.sequences.first.value});
  }
  if (!unnumbered) last_sequence_ = record.sequences.last;
  const uint64_t limit = LimitOf(record, found.offset);
  if (options_.final_end.has_value() && limit > options_.final_end->size) {
    return CorruptionAt(path(), found.offset, "a record reaches beyond the end of its log",
                        {.expected = options_.final_end->size, .actual = limit});
  }
  return absl::OkStatus();
}

absl::StatusOr<LogEnding> LogReader::JudgeBadRecord() {
  if (options_.final_end.has_value()) {
    return CorruptionAt(
        path(), offset_,
        absl::StrFormat("bad record; the next log says that this one ends at offset %d",
                        options_.final_end->size));
  }
  FIRN_ASSIGN_OR_RETURN(const bool padding_is_zero, PaddingIsZero());
  // Who synced up to the very end of the last record synced the zeroes behind it too.
  const auto covers = [&](uint64_t synced_size) {
    return synced_size > offset_ || (synced_size == offset_ && !padding_is_zero);
  };
  if (covers(options_.synced_size_min)) {
    return CorruptionAt(
        path(), offset_,
        absl::StrFormat("bad record, though the first %d bytes are known to have been on stable "
                        "storage",
                        options_.synced_size_min));
  }
  bool torn = false;
  uint64_t to_check = file_->size();  // bytes of payload: a hostile file must not make this quadratic
  for (uint64_t at = offset_; at < file_->size();) {
    FIRN_ASSIGN_OR_RETURN(const std::optional<Found> later, FindLater(at));
    if (!later.has_value()) break;
    torn = true;
    if (covers(later->header.synced_size)) {
      return CorruptionAt(
          path(), offset_,
          absl::StrFormat("bad record, though the record at offset %d says that the first %d bytes "
                          "were on stable storage",
                          later->offset, later->header.synced_size));
    }
    // What an intact record carries is not looked at; behind a torn header anything may be a record.
    at = later->offset + kRecordAlignment;
    if (later->header.length > to_check) continue;
    to_check -= later->header.length;
    FIRN_ASSIGN_OR_RETURN(const std::optional<Found> intact,
                          ReadAt(later->offset, later->header.gap));
    if (intact.has_value()) at = LimitOf(intact->header, intact->offset);
  }
  return torn ? LogEnding::kTorn : LogEnding::kUnclosed;
}

absl::StatusOr<std::optional<LogReader::Found>> LogReader::FindLater(uint64_t offset) {
  const uint64_t step = header_.version == 1 ? kLogBlockSize : kRecordAlignment;
  uint64_t at = (offset + step - 1) / step * step;
  while (at < file_->size() && file_->size() - at >= kRecordHeaderSize) {
    FIRN_ASSIGN_OR_RETURN(const ByteSpan bytes, ViewRest(at, kRecordHeaderSize));
    size_t i = 0;
    for (; i < bytes.size() && bytes.size() - i >= kRecordHeaderSize; i += step) {
      const auto header = DecodeRecordHeader(bytes.subspan(i), header_, at + i);
      if (header.has_value()) return Found{at + i, *header, ByteSpan()};
    }
    at += i;
  }
  return std::nullopt;
}

absl::Status LogReader::CheckEnd() const {
  if (!options_.final_end.has_value()) return absl::OkStatus();
  const LogEnd& expected = *options_.final_end;
  if (offset_ != expected.size) {
    return CorruptionAt(path(), offset_, "end of the log against the next log's header",
                        {.expected = expected.size, .actual = offset_});
  }
  if (last_sequence_ > expected.last_sequence) {
    return CorruptionAt(path(), offset_, "last sequence number against the next log's header",
                        {.expected = expected.last_sequence.value, .actual = last_sequence_.value});
  }
  return absl::OkStatus();
}

LogEnding LogReader::ending() const {
  FIRN_CHECK(ending_.has_value());
  return *ending_;
}

LogEnd LogReader::end() const {
  FIRN_CHECK(ending_.has_value());
  if (options_.final_end.has_value()) return *options_.final_end;
  return {.size = offset_, .last_sequence = last_sequence_};
}

}  // namespace firn
