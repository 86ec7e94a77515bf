#include "compaction/key_ranges.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/segment_reader.h"

namespace firn {
namespace {

// Places looked at in a segment: more make parts more even, and a split dearer.
constexpr size_t kSamplesPerSegment = 32;

struct Sample {
  std::string key;  // about here
  uint64_t bytes;   // end so many more
};

void SampleSegment(const SegmentReader& reader, std::vector<Sample>& samples) {
  const std::vector<SegmentBlock> blocks = reader.Blocks();
  const size_t step = std::max<size_t>(1, blocks.size() / kSamplesPerSegment);
  for (size_t i = 0; i < blocks.size(); i += step) {
    const size_t last = std::min(i + step, blocks.size()) - 1;
    samples.push_back({std::string(UserKeyOf(blocks[last].limit_key)),
                       blocks[last].handle.limit() - blocks[i].handle.offset});
  }
}

class RangeIterator final : public InternalIterator {
 public:
  RangeIterator(std::unique_ptr<InternalIterator> source, KeyRange range)
      : source_(std::move(source)), range_(std::move(range)) {}

  bool Valid() const override { return valid_; }
  void SeekToFirst() override {
    if (range_.begin.empty()) {
      source_->SeekToFirst();
    } else {
      source_->Seek(LookupKey(range_.begin, kMaxSequenceNumber).encoded());
    }
    Look();
  }
  void Next() override {
    source_->Next();
    Look();
  }
  absl::string_view key() const override { return source_->key(); }
  absl::string_view value() const override { return source_->value(); }
  absl::Status status() const override { return source_->status(); }
  void SeekToLast() override { FIRN_CHECK(false); }
  void Seek(absl::string_view /*target*/) override { FIRN_CHECK(false); }
  void Prev() override { FIRN_CHECK(false); }

 private:
  void Look() {
    valid_ = source_->Valid() &&
             (!range_.limit.has_value() || UserKeyOf(source_->key()) < *range_.limit);
  }

  const std::unique_ptr<InternalIterator> source_;
  const KeyRange range_;
  bool valid_ = false;
};

}  // namespace

absl::StatusOr<std::vector<KeyRange>> SplitByBytes(absl::Span<const SegmentPtr> segments,
                                                   size_t parts, SegmentDirectory& directory) {
  FIRN_CHECK(parts >= 1);
  std::vector<Sample> samples;
  if (parts > 1) {
    for (const SegmentPtr& segment : segments) {
      FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader,
                            directory.Get(*segment));
      SampleSegment(*reader, samples);
    }
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.key < b.key; });
  uint64_t total = 0;
  for (const Sample& sample : samples) total += sample.bytes;
  std::vector<KeyRange> ranges(1);
  uint64_t before = 0;
  for (size_t i = 0; i + 1 < samples.size() && ranges.size() < parts; ++i) {
    before += samples[i].bytes;
    const std::string& key = samples[i].key;
    if (before < total / parts * ranges.size() || key <= ranges.back().begin) continue;
    ranges.back().limit = key;
    ranges.push_back({.begin = key, .limit = std::nullopt});
  }
  return ranges;
}

std::unique_ptr<InternalIterator> NewRangeIterator(std::unique_ptr<InternalIterator> source,
                                                   KeyRange range) {
  return std::make_unique<RangeIterator>(std::move(source), std::move(range));
}

}  // namespace firn
