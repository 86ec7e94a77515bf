#include "sstable/sequence_segment_iterator.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/compression.h"
#include "base/status.h"

namespace firn {

uint8_t* SequenceSegmentIterator::Buffer::Reserve(size_t wanted) {
  if (size < wanted) {
    bytes = std::make_unique_for_overwrite<uint8_t[]>(wanted);
    size = wanted;
  }
  return bytes.get();
}

void SequenceSegmentIterator::GoNowhere() {
  records_ = SequenceRecords();
  row_ = 0;
  block_ = kNowhere;
  pin_.reset();
}

void SequenceSegmentIterator::MoveTo(uint32_t row) {
  row_ = row;
  if (row < records_.count()) {
    StoreSequenceInternalKey(key_, records_.KeyAt(row), records_.SequenceAt(row));
  }
}

void SequenceSegmentIterator::Pin(std::shared_ptr<const SequenceBlock> block) {
  records_ = block->records();
  pin_ = std::move(block);
}

bool SequenceSegmentIterator::LoadBlock(size_t block) {
  if (block == block_) return true;
  if (block_ == kNowhere || block != block_ + 1) window_ = 0;
  status_ = FetchBlock(block);
  if (!status_.ok()) {
    GoNowhere();
    return false;
  }
  block_ = block;
  row_ = 0;
  return true;
}

absl::Status SequenceSegmentIterator::FetchBlock(size_t block) {
  if (block >= stored_begin_ && block < stored_limit_) return Decode(block);
  std::shared_ptr<const SequenceBlock> cached = reader_->FindCached(block);
  if (cached != nullptr) {
    Pin(std::move(cached));
    return absl::OkStatus();
  }
  if (window_ > 0) {
    FIRN_RETURN_IF_ERROR(ReadAhead(block));
    return Decode(block);
  }
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const SequenceBlock> read,
                        std::move(reader_->ReadBlocks({block}).front()));
  window_ = static_cast<size_t>(index().handle(block).size) + kBlockTrailerSize;
  if (options_.cache == CacheUse::kFill) reader_->slots_.Insert(block, read);
  Pin(std::move(read));
  return absl::OkStatus();
}

absl::Status SequenceSegmentIterator::ReadAhead(size_t block) {
  const size_t bytes_max = std::min(2 * window_, options_.readahead_max);
  const uint64_t begin = index().offset(block);
  size_t limit = block + 1;
  while (limit < index().size() && index().offset(limit + 1) - begin <= bytes_max &&
         !reader_->slots_.Contains(limit)) {
    ++limit;
  }
  const auto bytes = static_cast<size_t>(index().offset(limit) - begin);
  window_ = std::max(bytes, bytes_max);
  stored_begin_ = 0;
  stored_limit_ = 0;
  uint8_t* const target = stored_.Reserve(bytes);
  FIRN_RETURN_IF_ERROR(reader_->file_->Read(begin, absl::MakeSpan(target, bytes)));
  reader_->CountReads(limit - block, bytes);
  stored_begin_ = block;
  stored_limit_ = limit;
  return absl::OkStatus();
}

absl::Status SequenceSegmentIterator::Decode(size_t block) {
  const BlockHandle handle = index().handle(block);
  const ByteSpan stored(stored_.bytes.get() + (handle.offset - index().offset(stored_begin_)),
                        handle.size + kBlockTrailerSize);
  FIRN_ASSIGN_OR_RETURN(const BlockTrailer trailer,
                        CheckBlock(stored, BlockKind::kData, reader_->AddressOf(handle),
                                   reader_->path()));
  ByteSpan raw = stored.subspan(0, handle.size);
  if (trailer.compression != CompressionKind::kNone) {
    absl::Status status = CheckPlausibleSize(trailer.compression, raw.size(), trailer.raw_size);
    if (status.ok()) {
      uint8_t* const target = raw_.Reserve(trailer.raw_size);
      status = UncompressInto(trailer.compression, raw, absl::MakeSpan(target, trailer.raw_size));
      raw = ByteSpan(target, trailer.raw_size);
    }
    if (!status.ok()) return reader_->AnnotateBlockError(status, block);
  }
  absl::StatusOr<SequenceRecords> records = SequenceRecords::Parse(raw);
  if (!records.ok()) return reader_->AnnotateBlockError(records.status(), block);
  const absl::Status matching = reader_->CheckAgainstIndex(block, *records);
  if (!matching.ok()) return reader_->AnnotateBlockError(matching, block);
  records_ = *records;
  pin_.reset();
  return absl::OkStatus();
}

void SequenceSegmentIterator::NextBlock() {
  if (block_ + 1 >= index().size()) return GoNowhere();
  if (LoadBlock(block_ + 1)) MoveTo(0);
}

void SequenceSegmentIterator::SeekToFirst() {
  if (status_.ok() && LoadBlock(0)) MoveTo(0);
}

void SequenceSegmentIterator::SeekToLast() {
  if (status_.ok() && LoadBlock(index().size() - 1)) MoveTo(records_.count() - 1);
}

void SequenceSegmentIterator::Seek(absl::string_view target) {
  if (!status_.ok()) return;
  const std::optional<uint64_t> number = LoadSequenceKeyAtOrAfter(UserKeyOf(target));
  if (!number.has_value()) return GoNowhere();
  if (!LoadBlock(index().BlockOf(*number))) return;
  MoveTo(records_.LowerBound(*number));
  if (!Valid()) return NextBlock();
  // The same user key: an entry with a higher number stands before the target.
  if (CompareInternalKeys(key(), target) < 0) Next();
}

void SequenceSegmentIterator::Next() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  if (row_ + 1 < records_.count()) return MoveTo(row_ + 1);
  NextBlock();
}

size_t SequenceSegmentIterator::TakeRun(absl::Span<EntryView> run, absl::string_view limit) {
  FIRN_DCHECK(Valid());
  const size_t wanted = std::min(run.size(), kRunMax);
  auto rows = static_cast<uint32_t>(std::min<size_t>(wanted, records_.count() - row_));
  if (!limit.empty()) {
    const std::optional<uint64_t> number = LoadSequenceKeyAtOrAfter(UserKeyOf(limit));
    if (number.has_value()) {
      const uint32_t behind = std::max(records_.LowerBound(*number), row_ + 1);
      rows = std::min(rows, behind - row_);
    }
  }
  for (uint32_t i = 0; i < rows; ++i) {
    const uint32_t row = row_ + i;
    StoreSequenceInternalKey(run_keys_[i], records_.KeyAt(row), records_.SequenceAt(row));
    run[i] = {.key = absl::string_view(run_keys_[i], sizeof(run_keys_[i])),
              .value = records_.ValueAt(row)};
    __builtin_prefetch(run[i].value.data());
  }
  row_ += rows - 1;
  std::memcpy(key_, run_keys_[rows - 1], sizeof(key_));
  return rows;
}

void SequenceSegmentIterator::Prev() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  if (row_ > 0) return MoveTo(row_ - 1);
  if (block_ == 0) return GoNowhere();
  if (LoadBlock(block_ - 1)) MoveTo(records_.count() - 1);
}

}  // namespace firn
