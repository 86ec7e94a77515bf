// sstable/hashed_segment_iterator.h: the iterator over a hashed segment: bucket by bucket, which is in
// key order; the records of a bucket are sorted when it is loaded.
//
// A bucket's records stand in extents all over the file, so a scan costs an extent a record unless
// they are cached. As long as buckets are wanted one after the other, the next ones are loaded with
// them: twice as many each time, up to the option's bytes, all extents that are not cached in one
// submission. Loaded buckets pin their extents. Damage in what was only read ahead is reported when the
// scan comes to it, not before.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_ITERATOR_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_ITERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sstable/extent.h"
#include "sstable/hashed_segment_reader.h"
#include "sstable/internal_iterator.h"

namespace firn {

class HashedSegmentIterator final : public InternalIterator {
 public:
  HashedSegmentIterator(std::shared_ptr<const HashedSegmentReader> reader,
                        const SegmentReadOptions& options)
      : reader_(std::move(reader)), options_(options) {}

  bool Valid() const override { return row_ < rows().size(); }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void Next() override;
  void Prev() override;
  absl::string_view key() const override { return rows()[row_].key; }
  absl::string_view value() const override { return rows()[row_].value; }
  absl::Status status() const override { return status_; }

 private:
  enum class Direction : uint8_t { kForward = 1, kBackward = 2 };

  struct Row {
    std::string key;  // encoded internal key
    absl::string_view value;
    std::shared_ptr<const Extent> pin;
  };
  using Rows = std::vector<Row>;

  static const Rows& NoRows();
  const Rows& rows() const {
    return bucket_ - window_begin_ < window_.size() ? window_[bucket_ - window_begin_] : NoRows();
  }
  uint64_t bucket_count() const { return reader_->index().bucket_count(); }
  // Makes `bucket` the present one. False on error: then at no entry.
  bool LoadBucket(uint64_t bucket, Direction direction);
  absl::Status LoadWindow(uint64_t begin, uint64_t limit);
  void GoNowhere();
  // To the first row of the next bucket (last of the one before) if the present one has no more.
  void SkipForward();
  void SkipBackward();

  const std::shared_ptr<const HashedSegmentReader> reader_;
  const SegmentReadOptions options_;
  uint64_t window_begin_ = 0;  // window_[i] are the rows of bucket window_begin_ + i
  std::vector<Rows> window_;
  uint64_t window_size_ = 0;  // buckets that were asked for last; 0 after a jump
  uint64_t bucket_ = 0;       // present one, in the window if Valid()
  size_t row_ = 0;
  absl::Status status_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_ITERATOR_H_
