#include "sstable/ordered_segment_iterator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {
namespace {

// Each entry says where the next one is, so walking a block that is not in the processor's cache is a
// chain of misses: all are asked for at once.
void PrefetchBlock(const Block& block) {
  constexpr size_t kLine = 64;
  constexpr size_t kBytesMax = 4096;
  const ByteSpan bytes = block.bytes();
  __builtin_prefetch(bytes.data() + bytes.size() - 1);
  const size_t size = std::min(bytes.size(), kBytesMax);
  for (size_t at = 0; at < size; at += kLine) __builtin_prefetch(bytes.data() + at);
}

}  // namespace

void OrderedSegmentIterator::GoNowhere() {
  entries_.Reset(nullptr);
  block_.reset();
  position_ = kNowhere;
}

bool OrderedSegmentIterator::LoadBlock(size_t position) {
  if (position == position_) return true;
  const bool sequential = position_ != kNowhere && position == position_ + 1;
  if (!sequential) window_ = 0;
  absl::StatusOr<std::shared_ptr<const Block>> block = FetchBlock(position);
  if (!block.ok()) {
    status_ = block.status();
    GoNowhere();
    return false;
  }
  PrefetchBlock(**block);
  entries_.Reset(block->get());
  block_ = *std::move(block);
  position_ = position;
  return true;
}

absl::StatusOr<std::shared_ptr<const Block>> OrderedSegmentIterator::FetchBlock(size_t position) {
  if (position >= ahead_begin_ && position - ahead_begin_ < ahead_.size()) {
    std::shared_ptr<const Block> ahead = std::move(ahead_[position - ahead_begin_]);
    if (ahead != nullptr) return ahead;  // else it was used, and is wanted once more
  }
  std::shared_ptr<const Block> cached = reader_->FindCached(position);
  if (cached != nullptr) return cached;
  return ReadAhead(position);
}

absl::StatusOr<std::shared_ptr<const Block>> OrderedSegmentIterator::ReadAhead(size_t position) {
  std::vector<BlockHandle> handles;
  size_t bytes = 0;
  const size_t bytes_max = std::min(2 * window_, options_.readahead_max);
  for (size_t at = position; at < index().size(); ++at) {
    const BlockHandle handle = index().handle(at);
    const size_t size = static_cast<size_t>(handle.size) + kBlockTrailerSize;
    if (!handles.empty() && bytes + size > bytes_max) break;
    if (!handles.empty() && reader_->slots_.Contains(at)) break;
    handles.push_back(handle);
    bytes += size;
  }
  window_ = std::max(bytes, bytes_max);
  std::vector<absl::StatusOr<std::shared_ptr<const Block>>> blocks =
      reader_->ReadDataBlocks(handles);
  FIRN_RETURN_IF_ERROR(blocks.front().status());
  ahead_begin_ = position;
  ahead_.clear();
  for (size_t i = 0; i < blocks.size() && blocks[i].ok(); ++i) {  // a bad one is read again when
    if (options_.cache == CacheUse::kFill) {                      // it is wanted, and reported then
      reader_->slots_.Insert(position + i, *blocks[i]);
    }
    ahead_.push_back(*std::move(blocks[i]));
  }
  return std::move(ahead_.front());
}

bool OrderedSegmentIterator::TakeOverError() {
  if (entries_.status().ok()) return false;
  status_ = reader_->AnnotateBlockError(entries_.status(), index().handle(position_));
  return true;
}

void OrderedSegmentIterator::SkipForward() {
  while (!entries_.Valid()) {
    if (TakeOverError()) return;
    if (position_ + 1 >= index().size()) return GoNowhere();
    if (!LoadBlock(position_ + 1)) return;
    entries_.SeekToFirst();
  }
}

void OrderedSegmentIterator::SkipBackward() {
  while (!entries_.Valid()) {
    if (TakeOverError()) return;
    if (position_ == 0) return GoNowhere();
    if (!LoadBlock(position_ - 1)) return;
    entries_.SeekToLast();
  }
}

void OrderedSegmentIterator::SeekToFirst() {
  if (!status_.ok() || !LoadBlock(0)) return;
  entries_.SeekToFirst();
  SkipForward();
}

void OrderedSegmentIterator::SeekToLast() {
  if (!status_.ok() || !LoadBlock(index().size() - 1)) return;
  entries_.SeekToLast();
  SkipBackward();
}

void OrderedSegmentIterator::AnnounceSeek(absl::string_view target, SeekStage stage) {
  const BlockSlots& slots = reader_->slots_;
  if (!status_.ok() || slots.cache() == nullptr) return;
  if (stage == SeekStage::kPlace) {
    announced_ = index().Seek(target);
    if (announced_ < index().size()) slots.PrefetchSlot(announced_);
    return;
  }
  if (announced_ >= index().size()) return;
  const Epochs::Guard guard(slots.cache()->epochs());
  const BlockContent* const content = slots.Peek(announced_);
  if (content == nullptr) return;
  __builtin_prefetch(content, 1);
  __builtin_prefetch(content->data());
}

void OrderedSegmentIterator::Seek(absl::string_view target) {
  if (!status_.ok()) return;
  const size_t announced = std::exchange(announced_, kNowhere);
  const size_t position = announced != kNowhere ? announced : index().Seek(target);
  FIRN_DCHECK(position == index().Seek(target));
  if (position == index().size()) return GoNowhere();
  if (!LoadBlock(position)) return;
  entries_.Seek(target);
  SkipForward();
}

void OrderedSegmentIterator::Next() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  entries_.Next();
  SkipForward();
}

void OrderedSegmentIterator::Prev() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  entries_.Prev();
  SkipBackward();
}

}  // namespace firn
