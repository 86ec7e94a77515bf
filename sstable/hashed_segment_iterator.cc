#include "sstable/hashed_segment_iterator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {

const HashedSegmentIterator::Rows& HashedSegmentIterator::NoRows() {
  static const auto* const none = new Rows();
  return *none;
}

void HashedSegmentIterator::GoNowhere() {
  window_.clear();
  window_size_ = 0;
  row_ = 0;
}

bool HashedSegmentIterator::LoadBucket(uint64_t bucket, Direction direction) {
  if (bucket - window_begin_ < window_.size()) {
    bucket_ = bucket;
    return true;
  }
  const bool sequential =
      !window_.empty() && (direction == Direction::kForward
                               ? bucket == window_begin_ + window_.size()
                               : bucket + 1 == window_begin_);
  // A bucket is some extents of a block size each.
  const uint64_t bucket_bytes =
      kHashedRecordsPerBucket * std::max<uint64_t>(reader_->properties().block_size, 1);
  const uint64_t size_max = std::max<uint64_t>(options_.readahead_max / bucket_bytes, 1);
  window_size_ = sequential ? std::min(2 * window_size_, size_max) : 1;
  const bool forward = direction == Direction::kForward;
  const uint64_t begin = forward ? bucket : bucket - std::min(bucket, window_size_ - 1);
  const uint64_t limit = forward ? std::min(bucket + window_size_, bucket_count()) : bucket + 1;
  status_ = LoadWindow(begin, limit);
  if (!status_.ok() && limit - begin > 1) {
    // What cannot be read may be in a bucket that nobody wants yet.
    window_size_ = 1;
    status_ = LoadWindow(bucket, bucket + 1);
  }
  if (!status_.ok()) {
    GoNowhere();
    return false;
  }
  bucket_ = bucket;
  return true;
}

absl::Status HashedSegmentIterator::LoadWindow(uint64_t begin, uint64_t limit) {
  struct Wanted {
    uint64_t bucket;
    uint32_t location;
  };
  const LocationFormat format = reader_->index().location();
  std::vector<Wanted> wanted;
  std::vector<uint32_t> extents;
  FIRN_RETURN_IF_ERROR(reader_->index().ForEach(
      begin, limit, options_.cache, [&](uint64_t bucket, const IndexEntry& entry) {
        wanted.push_back({bucket, entry.location});
        extents.push_back(format.ExtentOf(entry.location));
      }));
  std::sort(extents.begin(), extents.end());
  extents.erase(std::unique(extents.begin(), extents.end()), extents.end());
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const Extent>> fetched,
                        reader_->FetchExtents(extents, options_.cache));
  window_.clear();
  window_.resize(limit - begin);
  window_begin_ = begin;
  for (const Wanted& one : wanted) {
    const auto at =
        std::lower_bound(extents.begin(), extents.end(), format.ExtentOf(one.location));
    const std::shared_ptr<const Extent>& extent =
        fetched[static_cast<size_t>(at - extents.begin())];
    ExtentRecord record;
    FIRN_RETURN_IF_ERROR(reader_->ParseRecord(*extent, one.location, record));
    Row row{.key = EncodeInternalKey({record.user_key, record.sequence, record.kind}),
            .value = record.value,
            .pin = extent};
    window_[one.bucket - begin].push_back(std::move(row));
  }
  for (Rows& rows : window_) {
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return CompareInternalKeys(a.key, b.key) < 0;
    });
  }
  return absl::OkStatus();
}

void HashedSegmentIterator::SkipForward() {
  while (!Valid()) {
    if (bucket_ + 1 >= bucket_count()) return GoNowhere();
    if (!LoadBucket(bucket_ + 1, Direction::kForward)) return;
    row_ = 0;
  }
}

void HashedSegmentIterator::SkipBackward() {
  while (!Valid()) {
    if (bucket_ == 0) return GoNowhere();
    if (!LoadBucket(bucket_ - 1, Direction::kBackward)) return;
    row_ = rows().empty() ? 0 : rows().size() - 1;
  }
}

void HashedSegmentIterator::SeekToFirst() {
  if (!status_.ok() || !LoadBucket(0, Direction::kForward)) return;
  row_ = 0;
  SkipForward();
}

void HashedSegmentIterator::SeekToLast() {
  if (!status_.ok() || !LoadBucket(bucket_count() - 1, Direction::kBackward)) return;
  row_ = rows().empty() ? 0 : rows().size() - 1;
  SkipBackward();
}

void HashedSegmentIterator::Seek(absl::string_view target) {
  if (!status_.ok()) return;
  // A target shorter than what a bucket is chosen by ends in zeroes: keys that begin with it follow.
  std::string start(UserKeyOf(target));
  start.resize(std::max<size_t>(start.size(), kHashedKeySizeMin), '\0');
  if (!LoadBucket(BucketOf(HashedWord(start), bucket_count()), Direction::kForward)) return;
  const Rows& all = rows();
  row_ = static_cast<size_t>(
      std::lower_bound(all.begin(), all.end(), target,
                       [](const Row& row, absl::string_view sought) {
                         return CompareInternalKeys(row.key, sought) < 0;
                       }) -
      all.begin());
  SkipForward();
}

void HashedSegmentIterator::Next() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  ++row_;
  SkipForward();
}

void HashedSegmentIterator::Prev() {
  if (!status_.ok()) return;
  FIRN_DCHECK(Valid());
  if (row_ > 0) {
    --row_;
    return;
  }
  row_ = rows().size();
  SkipBackward();
}

}  // namespace firn
