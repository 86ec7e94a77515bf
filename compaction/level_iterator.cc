#include "compaction/level_iterator.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

class LevelIterator final : public InternalIterator {
 public:
  LevelIterator(std::vector<SegmentPtr> segments, SegmentDirectory& directory,
                const SegmentReadOptions& options)
      : segments_(std::move(segments)), directory_(directory), options_(options) {}

  bool Valid() const override { return current_ != nullptr && current_->Valid(); }
  absl::string_view key() const override { return current_->key(); }
  absl::string_view value() const override { return current_->value(); }
  absl::Status status() const override {
    if (!error_.ok()) return error_;
    return current_ == nullptr ? absl::OkStatus() : current_->status();
  }

  void SeekToFirst() override {
    if (!Open(0)) return;
    current_->SeekToFirst();
    SkipForward();
  }
  void SeekToLast() override {
    if (!Open(segments_.empty() ? 0 : segments_.size() - 1)) return;
    current_->SeekToLast();
    SkipBackward();
  }
  void Seek(absl::string_view target) override {
    if (!Open(SegmentOf(target))) return;
    current_->Seek(target);
    SkipForward();
  }
  void AnnounceSeek(absl::string_view target, SeekStage stage) override {
    // The second stage finds the segment of the first one open, or none.
    if (stage == SeekStage::kPlace && !Open(SegmentOf(target))) return;
    if (current_ != nullptr) current_->AnnounceSeek(target, stage);
  }
  void Next() override {
    FIRN_DCHECK(Valid());
    current_->Next();
    SkipForward();
  }
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override {
    return current_->TakeRun(run, limit);
  }
  void Prev() override {
    FIRN_DCHECK(Valid());
    current_->Prev();
    SkipBackward();
  }

 private:
  // The first segment that may have an entry at or after `target`.
  size_t SegmentOf(absl::string_view target) const {
    const auto found = std::partition_point(
        segments_.begin(), segments_.end(), [target](const SegmentPtr& segment) {
          return CompareInternalKeys(segment->largest, target) < 0;
        });
    return static_cast<size_t>(found - segments_.begin());
  }
  // Makes current_ an iterator over segment `index`. False, and none, if there is no such segment
  // or an error, now or before.
  bool Open(size_t index) {
    if (!status().ok()) return false;
    if (index >= segments_.size()) {
      current_.reset();
      return false;
    }
    if (current_ != nullptr && index == index_) return true;
    current_.reset();
    absl::StatusOr<std::shared_ptr<const SegmentReader>> reader = directory_.Get(*segments_[index]);
    if (!reader.ok()) {
      error_ = reader.status();
      return false;
    }
    current_ = (*reader)->NewIterator(options_);
    index_ = index;
    return true;
  }
  void SkipForward() {
    while (!current_->Valid() && Open(index_ + 1)) current_->SeekToFirst();
  }
  void SkipBackward() {
    while (!current_->Valid()) {
      if (index_ == 0) {
        if (current_->status().ok()) current_.reset();
        return;
      }
      if (!Open(index_ - 1)) return;
      current_->SeekToLast();
    }
  }

  const std::vector<SegmentPtr> segments_;
  SegmentDirectory& directory_;
  const SegmentReadOptions options_;
  std::unique_ptr<InternalIterator> current_;  // over segments_[index_]; null off the ends
  size_t index_ = 0;
  absl::Status error_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewLevelIterator(std::vector<SegmentPtr> segments,
                                                   SegmentDirectory& directory,
                                                   const SegmentReadOptions& options) {
  return std::make_unique<LevelIterator>(std::move(segments), directory, options);
}

}  // namespace firn
