// sstable/ordered_segment_iterator.h: the iterator over an ordered segment: index position, then entries
// of a block.
//
// Reading ahead: as long as blocks are wanted one after the other, each read that the cache could
// not answer asks for twice as many bytes as the one before, up to the option's bound, in one
// ReadMany. Any jump begins anew with one block. Blocks that were read ahead are pinned here.
#ifndef FIRN_SSTABLE_ORDERED_SEGMENT_ITERATOR_H_
#define FIRN_SSTABLE_ORDERED_SEGMENT_ITERATOR_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "sstable/block.h"
#include "sstable/internal_iterator.h"
#include "sstable/ordered_segment_reader.h"

namespace firn {

class OrderedSegmentIterator final : public InternalIterator {
 public:
  OrderedSegmentIterator(std::shared_ptr<const OrderedSegmentReader> reader, const SegmentReadOptions& options)
      : reader_(std::move(reader)), options_(options) {}

  bool Valid() const override { return entries_.Valid(); }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void AnnounceSeek(absl::string_view target, SeekStage stage) override;
  void Next() override;
  void Prev() override;
  absl::string_view key() const override { return entries_.key(); }
  absl::string_view value() const override { return entries_.value(); }
  absl::Status status() const override { return status_; }
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override {
    return entries_.TakeRun(run, limit);
  }

 private:
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  const Index& index() const { return reader_->index_; }
  bool LoadBlock(size_t position);  // makes it the present one, at no entry; false on error
  absl::StatusOr<std::shared_ptr<const Block>> FetchBlock(size_t position);
  absl::StatusOr<std::shared_ptr<const Block>> ReadAhead(size_t position);
  void GoNowhere();
  // To the first entry of the next block (last of the one before) if the present one has no more.
  void SkipForward();
  void SkipBackward();
  bool TakeOverError();  // of the present block; true if there is one

  const std::shared_ptr<const OrderedSegmentReader> reader_;
  const SegmentReadOptions options_;
  size_t position_ = kNowhere;          // in the index
  size_t announced_ = kNowhere;         // where the seek that comes next will go; else kNowhere
  std::shared_ptr<const Block> block_;  // at position_
  BlockIterator entries_;               // over block_
  absl::Status status_;
  size_t window_ = 0;       // bytes of the last read; 0 after a jump
  size_t ahead_begin_ = 0;  // position of ahead_[0]
  std::vector<std::shared_ptr<const Block>> ahead_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_ORDERED_SEGMENT_ITERATOR_H_
