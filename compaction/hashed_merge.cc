#include "compaction/hashed_merge.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "compaction/garbage_collector.h"
#include "compaction/shadowed_records.h"
#include "sstable/hashed_segment_reader.h"
#include "sstable/hashed_segment_writer.h"

namespace firn {
namespace {

using ReaderPtr = std::shared_ptr<const HashedSegmentReader>;

constexpr uint64_t kBytesAtOnce = uint64_t{1} << 20;
constexpr uint64_t kBytesBetweenChecks = 128 << 10;

// All inputs, older ones first.
std::vector<SegmentPtr> InputsOf(const Compaction& compaction) {
  std::vector<SegmentPtr> inputs = compaction.inputs;
  inputs.insert(inputs.end(), compaction.output_inputs.begin(), compaction.output_inputs.end());
  std::sort(inputs.begin(), inputs.end(), [](const SegmentPtr& a, const SegmentPtr& b) {
    return a->sequence_max != b->sequence_max ? a->sequence_max < b->sequence_max
                                              : a->number < b->number;
  });
  return inputs;
}

// The segments, beside the inputs, with entries older than some of theirs.
std::vector<SegmentPtr> OlderThan(const std::vector<SegmentPtr>& inputs, const Levels& levels) {
  std::vector<SegmentPtr> older;
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    for (const SegmentPtr& segment : levels.level({level})) {
      const bool is_input =
          std::any_of(inputs.begin(), inputs.end(), [&](const SegmentPtr& input) {
            return input->number == segment->number;
          });
      if (!is_input && segment->sequence_min < inputs.back()->sequence_max) {
        older.push_back(segment);
      }
    }
  }
  return older;
}

// Whether an entry older than some of the inputs' may stand in a segment that is not merged: whatever
// the levels mean, each segment says which sequence numbers it holds.
bool OlderEntriesStay(const Levels& levels, const std::vector<SegmentPtr>& inputs) {
  return !OlderThan(inputs, levels).empty();
}

class HashedMerge {
 public:
  HashedMerge(const JobContext& context, JobResult& result) : context_(context), result_(result) {}

  absl::Status Run(const std::vector<SegmentPtr>& inputs, const Levels& levels,
                   const Compaction& compaction, SegmentDirectory& segments) {
    const LevelIndex output_level = compaction.output_level;
    output_bytes_max_ = compaction.output_bytes_max;
    older_entries_stay_ = OlderEntriesStay(levels, inputs);
    reclaims_ = compaction.reclaims;
    FIRN_RETURN_IF_ERROR(Open(inputs, segments, inputs_));
    std::vector<ReaderPtr> searched = inputs_;
    FIRN_RETURN_IF_ERROR(Open(compaction.newer, segments, searched));
    if (reclaims_) FIRN_RETURN_IF_ERROR(Open(OlderThan(inputs, levels), segments, older_));
    FIRN_ASSIGN_OR_RETURN(
        ShadowedRecords shadowed,
        FindShadowedRecords(searched, context_.snapshots,
                            [this](uint64_t bytes) { return Pace(bytes); }));
    searched.clear();
    for (size_t i = 0; i < inputs_.size(); ++i) {
      // Before an input, and nowhere else: its entries are all newer than those before it, so the
      // newer of the outputs has the newer entries.
      if (!HasPlacesFor(*inputs_[i])) FIRN_RETURN_IF_ERROR(FinishSegment(output_level));
      next_input_ = i;
      FIRN_RETURN_IF_ERROR(CopySegment(*inputs_[i], shadowed.locations[i]));
    }
    return Finish(output_level);
  }

  // What there is of an output that was not finished.
  uint64_t unfinished_bytes() const { return writer_ == nullptr ? 0 : writer_->EstimatedSize(); }

 private:
  // Appends the readers of `from`, segments of one key size.
  absl::Status Open(const std::vector<SegmentPtr>& from, SegmentDirectory& segments,
                    std::vector<ReaderPtr>& readers) {
    for (const SegmentPtr& input : from) {
      FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader,
                            segments.Get(*input));
      ReaderPtr hashed = std::dynamic_pointer_cast<const HashedSegmentReader>(reader->AsStored());
      if (hashed == nullptr ||
          (!readers.empty() && hashed->key_size() != readers[0]->key_size())) {
        return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                         absl::StrCat(reader->path(),
                                      ": a merge of hashed segments of one key size met a segment "
                                      "that is none"));
      }
      if (&readers == &inputs_) {
        block_size_ = std::max(block_size_, hashed->properties().block_size);
      }
      readers.push_back(std::move(hashed));
    }
    return absl::OkStatus();
  }

  // Looks at the flag, and waits for the budget, now and then.
  absl::Status Pace(uint64_t bytes) {
    unpaced_ += bytes;
    if (bytes != 0 && unpaced_ < kBytesBetweenChecks) return absl::OkStatus();
    if (context_.cancelled != nullptr && context_.cancelled->load(std::memory_order_relaxed)) {
      return absl::CancelledError("background work was cancelled");
    }
    if (context_.io_budget != nullptr && unpaced_ > 0) context_.io_budget->Charge(unpaced_);
    unpaced_ = 0;
    return absl::OkStatus();
  }

  absl::Status CopySegment(const HashedSegmentReader& input, const std::vector<uint32_t>& shadowed) {
    std::string stored;
    size_t next_shadowed = 0;
    for (uint32_t first = 0; first < input.extent_count();) {
      uint32_t count = 0;
      uint64_t bytes = 0;
      while (first + count < input.extent_count() && bytes < kBytesAtOnce) {
        bytes += input.ExtentHandle(first + count++).size;
      }
      FIRN_RETURN_IF_ERROR(input.ReadStored(first, count, stored));
      const uint64_t begin = input.ExtentHandle(first).offset;
      for (uint32_t extent = first; extent < first + count; ++extent) {
        const BlockHandle handle = input.ExtentHandle(extent);
        const ByteSpan block =
            AsBytes(stored).subspan(handle.offset - begin, handle.size + kBlockTrailerSize);
        FIRN_RETURN_IF_ERROR(CopyExtent(input, extent, block, shadowed, next_shadowed));
        FIRN_RETURN_IF_ERROR(Pace(2 * block.size()));  // read, and written
      }
      first += count;
    }
    if (next_shadowed == shadowed.size()) return absl::OkStatus();  // each was met at its place
    const uint32_t extent = input.index().location().ExtentOf(shadowed[next_shadowed]);
    return CorruptionAt(input.path(), input.ExtentHandle(extent).offset,
                        "the index names a record where none begins");
  }

  bool IsNeedless(const ExtentRecord& record) const {
    return record.kind == EntryKind::kTombstone &&
           StripeOf(context_.snapshots, record.sequence) == 0 &&
           (!older_entries_stay_ || (reclaims_ && !OlderMayHave(record.user_key)));
  }

  // By their indexes: a fingerprint that is another key's keeps a tombstone now and then, and so does
  // a page of an index that cannot be read.
  bool OlderMayHave(absl::string_view user_key) const {
    const uint64_t word = HashedWord(user_key);
    return std::any_of(older_.begin(), older_.end(), [&](const ReaderPtr& older) {
      bool found = false;
      const absl::Status status =
          older->index().Match(word, [&](uint32_t /*location*/) { found = true; });
      return found || !status.ok();
    });
  }

  // `stored` is extent `number` with its trailer; `next_shadowed` the first of `shadowed` that is in it
  // or behind it.
  absl::Status CopyExtent(const HashedSegmentReader& input, uint32_t number, ByteSpan stored,
                          const std::vector<uint32_t>& shadowed, size_t& next_shadowed) {
    FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const Extent> extent,
                          input.DecodeExtent(number, stored));
    result_.entries_read += extent->record_count();
    const LocationFormat format = input.index().location();
    const bool loses = next_shadowed < shadowed.size() &&
                       format.ExtentOf(shadowed[next_shadowed]) == number;
    const bool may_lose_tombstones = (!older_entries_stay_ || reclaims_) &&
                                     input.properties().tombstone_count > 0;
    const SequenceNumber ingested_at = input.meta().ingested_at;
    const bool keeps_numbers = ingested_at.value == 0;
    if (!loses && !may_lose_tombstones && keeps_numbers) return AddWhole(input, *extent, stored);

    staying_.clear();
    ExtentCursor cursor(*extent, input.key_size());
    while (cursor.Next()) {
      ExtentRecord record = cursor.record();
      if (!keeps_numbers) record.sequence = ingested_at;
      if (next_shadowed < shadowed.size() &&
          shadowed[next_shadowed] == format.Pack(number, record.offset)) {
        ++next_shadowed;
        ++result_.collected.shadowed;
      } else if (IsNeedless(record)) {
        ++result_.collected.tombstones;
      } else {
        staying_.push_back(record);
      }
    }
    if (!cursor.status().ok()) return input.AnnotateExtentError(cursor.status(), number);
    if (staying_.size() == extent->record_count() && keeps_numbers) {
      return AddWhole(input, *extent, stored);
    }
    return AddStaying();
  }

  absl::Status AddWhole(const HashedSegmentReader& input, const Extent& extent, ByteSpan stored) {
    FIRN_RETURN_IF_ERROR(EnsureWriter(input.key_size()));
    const size_t size = stored.size() - kBlockTrailerSize;
    result_.collected.passed += extent.record_count();
    // The trailer was checked when the extent was decoded.
    return writer_->AddExtent(extent, stored.subspan(0, size),
                              static_cast<CompressionKind>(stored[size + 1]));
  }

  absl::Status AddStaying() {
    for (const ExtentRecord& record : staying_) {
      FIRN_RETURN_IF_ERROR(EnsureWriter(static_cast<uint32_t>(record.user_key.size())));
      key_.clear();
      AppendInternalKey(key_, {record.user_key, record.sequence, record.kind});
      FIRN_RETURN_IF_ERROR(writer_->Add(key_, record.value));
    }
    result_.collected.passed += staying_.size();
    return absl::OkStatus();
  }

  // Whether the output may take in all of `input` beside what it has: bytes, and extents that it can
  // locate, one that is being filled among them. Unless all there is is merged, pickers see to it, but
  // for segments of which an older manifest does not say how many extents they have.
  bool HasPlacesFor(const HashedSegmentReader& input) const {
    if (writer_ == nullptr) return true;
    return writer_->EstimatedSize() + input.meta().size <= output_bytes_max_ &&
           writer_->extent_count() + 1 + input.extent_count() <=
               LocationFormat::ForBlockSize(block_size()).extents_max();
  }
  // Copied extents keep their size, so locations must reach as far as those of any input.
  uint64_t block_size() const {
    return std::max<uint64_t>(context_.sink.segment.block_size, block_size_);
  }
  // Of the output that begins with the next input, at most.
  uint64_t RecordsToCome() const {
    uint64_t records = 0;
    uint64_t bytes = 0;
    for (size_t i = next_input_; i < inputs_.size(); ++i) {
      const SegmentMeta& meta = inputs_[i]->meta();
      bytes += meta.size;
      if (i > next_input_ && bytes > output_bytes_max_) break;
      records += meta.entry_count;
    }
    return records;
  }

  absl::Status EnsureWriter(uint32_t key_size) {
    if (writer_ != nullptr) return absl::OkStatus();
    SegmentOptions options = context_.sink.segment;
    options.layout = SegmentLayout::kHashed;
    options.key_width = key_size;
    options.block_size = block_size();
    const FileNumber number = context_.sink.allocate_number();
    result_.created.push_back(number);  // first: a failed creation may leave a file too
    FIRN_ASSIGN_OR_RETURN(writer_, HashedSegmentWriter::CreateHashed(
                                       *context_.file_system,
                                       JoinPath(context_.sink.directory, SegmentFileName(number)),
                                       options, number, context_.sink.draw_id()));
    writer_->ReserveRecords(RecordsToCome());
    return absl::OkStatus();
  }

  absl::Status FinishSegment(LevelIndex output_level) {
    FIRN_ASSIGN_OR_RETURN(SegmentMeta meta, writer_->Finish());
    writer_.reset();
    result_.bytes_written += meta.size;
    result_.edit.added.push_back(
        {output_level, std::make_shared<const SegmentMeta>(std::move(meta))});
    return absl::OkStatus();
  }

  absl::Status Finish(LevelIndex output_level) {
    if (writer_ != nullptr) FIRN_RETURN_IF_ERROR(FinishSegment(output_level));
    if (result_.created.empty()) return absl::OkStatus();  // nothing stays
    return context_.file_system->SyncDirectory(context_.sink.directory);
  }

  const JobContext& context_;
  JobResult& result_;
  bool older_entries_stay_ = true;
  bool reclaims_ = false;
  std::vector<ReaderPtr> inputs_;
  std::vector<ReaderPtr> older_;  // that stay, and may hold what tombstones of the inputs hide
  uint64_t block_size_ = 0;  // the largest of the inputs'
  uint64_t output_bytes_max_ = UINT64_MAX;
  size_t next_input_ = 0;  // that is copied, or will be next
  std::unique_ptr<HashedSegmentWriter> writer_;  // null until something stays
  std::vector<ExtentRecord> staying_;
  std::string key_;
  uint64_t unpaced_ = 0;
};

}  // namespace

JobResult RunHashedMerge(const JobContext& context, const Compaction& compaction,
                         const Levels& levels, SegmentDirectory& segments) {
  FIRN_CHECK(context.file_system != nullptr && compaction.kind == CompactionKind::kMerge);
  JobResult result;
  result.edit = compaction.Edit();
  result.bytes_read = compaction.input_bytes();
  const std::vector<SegmentPtr> inputs = InputsOf(compaction);
  HashedMerge merge(context, result);
  result.status = merge.Run(inputs, levels, compaction, segments);
  result.bytes_written += merge.unfinished_bytes();
  return result;
}

}  // namespace firn
