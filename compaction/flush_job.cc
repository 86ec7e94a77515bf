#include "compaction/flush_job.h"

#include <utility>

#include "base/check.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// Forward only: the entries at or below a number.
class BoundedIterator final : public InternalIterator {
 public:
  BoundedIterator(std::unique_ptr<InternalIterator> source, SequenceNumber sequence_max,
                  uint64_t& left_out)
      : source_(std::move(source)), sequence_max_(sequence_max), left_out_(left_out) {}

  bool Valid() const override { return source_->Valid(); }
  void SeekToFirst() override {
    source_->SeekToFirst();
    SkipAbove();
  }
  void Next() override {
    source_->Next();
    SkipAbove();
  }
  absl::string_view key() const override { return source_->key(); }
  absl::string_view value() const override { return source_->value(); }
  absl::Status status() const override { return source_->status(); }
  void SeekToLast() override { FIRN_CHECK(false); }
  void Seek(absl::string_view /*target*/) override { FIRN_CHECK(false); }
  void Prev() override { FIRN_CHECK(false); }

 private:
  void SkipAbove() {
    while (source_->Valid() && SequenceOf(source_->key()) > sequence_max_) {
      ++left_out_;
      source_->Next();
    }
  }

  const std::unique_ptr<InternalIterator> source_;
  const SequenceNumber sequence_max_;
  uint64_t& left_out_;
};

}  // namespace

FlushResult RunFlushJob(const JobContext& context, FlushInput input) {
  FlushResult result;
  JobStream stream;
  stream.source = std::make_unique<BoundedIterator>(std::move(input.source), input.sequence_max,
                                                    result.entries_above_bound);
  stream.key_may_exist_below = [](absl::string_view) { return true; };
  stream.output_level = {0};
  RunJobStream(context, std::move(stream), result);
  return result;
}

FlushResult RunArrivalFlushJob(const JobContext& context, FlushInput input) {
  FlushResult result;
  BoundedIterator source(std::move(input.source), input.sequence_max, result.entries_above_bound);
  RunCopyStream(context, source, LevelIndex{0}, result);
  return result;
}

}  // namespace firn
