#include "sstable/ordered_segment_verifier.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

constexpr size_t kBytesAtOnce = size_t{1} << 20;
constexpr size_t kProblemsMax = 100;  // enough to see what is wrong

}  // namespace

SegmentReport OrderedSegmentVerifier::Run() {
  CheckTail();
  CheckDataBlocks();
  if (all_blocks_good_) CheckTotals();
  return std::move(report_);
}

void OrderedSegmentVerifier::Report(absl::Status problem) {
  if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(problem));
}

// The reader has checked it when it was opened: again, for the file may have gone bad since.
void OrderedSegmentVerifier::CheckTail() {
  const absl::StatusOr<OrderedSegmentTail> tail = ReadOrderedSegmentTail(*reader_.file_);
  report_.bytes += reader_.file_->size() - reader_.properties().data_size;
  if (!tail.ok()) return Report(tail.status());
  SegmentMeta found = MetaOf(*tail);
  found.number = reader_.meta().number;  // only a name
  found.ingested_at = reader_.meta().ingested_at;
  if (found != reader_.meta()) {
    Report(CorruptionAt(reader_.path(), tail->footer.index.offset,
                        "the file was replaced by another while it was open"));
  }
}

void OrderedSegmentVerifier::CheckDataBlocks() {
  const Index& index = reader_.index_;
  for (size_t begin = 0; begin < index.size() && report_.problems.size() < kProblemsMax;) {
    std::vector<BlockHandle> handles;
    uint64_t bytes = 0;
    for (size_t i = begin; i < index.size() && (handles.empty() || bytes < kBytesAtOnce); ++i) {
      handles.push_back(index.handle(i));
      bytes += handles.back().size + kBlockTrailerSize;
    }
    const std::vector<absl::StatusOr<std::shared_ptr<const Block>>> blocks =
        reader_.ReadDataBlocks(handles);
    for (size_t i = 0; i < blocks.size(); ++i) {
      report_.bytes += handles[i].size + kBlockTrailerSize;
      if (blocks[i].ok()) {
        CheckDataBlock(begin + i, **blocks[i]);
      } else {
        all_blocks_good_ = false;
        last_block_good_ = false;
        Report(blocks[i].status());
      }
    }
    begin += handles.size();
  }
  if (report_.problems.size() >= kProblemsMax) all_blocks_good_ = false;
}

void OrderedSegmentVerifier::CheckDataBlock(size_t position, const Block& block) {
  const BlockHandle handle = reader_.index_.handle(position);
  ++report_.data_blocks;
  CheckRestartPoints(handle, block);
  BlockIterator entry(&block);
  entry.SeekToFirst();
  if (position > 0 && last_block_good_ && entry.Valid()) CheckSeparator(position - 1, entry.key());
  last_block_good_ = true;
  for (; entry.Valid(); entry.Next()) CheckEntry(handle, entry.key(), entry.value());
  if (!entry.status().ok()) {
    all_blocks_good_ = false;
    last_block_good_ = false;
    return Report(reader_.AnnotateBlockError(entry.status(), handle));
  }
  if (CompareInternalKeys(last_key_, reader_.index_.separator(position)) > 0) {
    Report(CorruptionAt(reader_.path(), handle.offset,
                        "the block's last key is above its separator in the index"));
  }
}

// Every restart point begins an entry: a search that starts there then reads what a scan reads.
void OrderedSegmentVerifier::CheckRestartPoints(const BlockHandle& handle, const Block& block) {
  uint32_t next = 0;
  BlockIterator entry(&block);
  for (entry.SeekToFirst(); entry.Valid() && next < block.restart_count(); entry.Next()) {
    if (entry.offset() == block.restart(next)) ++next;
  }
  if (entry.status().ok() && next != block.restart_count()) {
    Report(CorruptionAt(reader_.path(), handle.offset, "restart points that begin an entry",
                        {.expected = block.restart_count(), .actual = next}));
  }
}

void OrderedSegmentVerifier::CheckSeparator(size_t position, absl::string_view next_key) {
  const absl::string_view separator = reader_.index_.separator(position);
  // Else a lookup would look for the next block's key in this one.
  if (separator == last_key_ || UserKeyOf(separator) < UserKeyOf(next_key)) return;
  Report(
      CorruptionAt(reader_.path(), reader_.index_.handle(position).offset,
                   "the block's separator in the index is not below the next block's first key"));
}

void OrderedSegmentVerifier::CheckEntry(const BlockHandle& handle, absl::string_view key,
                                 absl::string_view value) {
  const absl::string_view user_key = UserKeyOf(key);
  const bool is_first = counted_.entry_count == 0;
  if (!is_first && CompareInternalKeys(last_key_, key) >= 0) {
    Report(CorruptionAt(reader_.path(), handle.offset,
                        absl::StrCat("entry ", counted_.entry_count, " is out of order")));
  }
  if (!reader_.filter_.MayContain(user_key)) {
    Report(CorruptionAt(reader_.path(), reader_.footer().filter.offset,
                        absl::StrCat("the filter lacks the key of entry ", counted_.entry_count)));
  }
  if (is_first || UserKeyOf(last_key_) != user_key) ++counted_.user_key_count;
  if (is_first) {
    counted_.smallest = std::string(key);
    counted_.sequence_min = SequenceOf(key);
  }
  ++counted_.entry_count;
  ++report_.entries;
  if (KindOf(key) == EntryKind::kTombstone) ++counted_.tombstone_count;
  counted_.raw_key_size += key.size();
  counted_.raw_value_size += value.size();
  counted_.sequence_min = std::min(counted_.sequence_min, SequenceOf(key));
  counted_.sequence_max = std::max(counted_.sequence_max, SequenceOf(key));
  last_key_.assign(key.data(), key.size());
}

void OrderedSegmentVerifier::Compare(absl::string_view what, uint64_t stated, uint64_t counted) {
  if (stated == counted) return;
  Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                      absl::StrCat(what, " in the properties"),
                      {.expected = counted, .actual = stated}));
}

void OrderedSegmentVerifier::CheckTotals() {
  const SegmentProperties& stated = reader_.properties();
  Compare("number of entries", stated.entry_count, counted_.entry_count);
  Compare("number of tombstones", stated.tombstone_count, counted_.tombstone_count);
  Compare("number of keys", stated.user_key_count, counted_.user_key_count);
  Compare("bytes of keys", stated.raw_key_size, counted_.raw_key_size);
  Compare("bytes of values", stated.raw_value_size, counted_.raw_value_size);
  Compare("lowest sequence number", stated.sequence_min.value, counted_.sequence_min.value);
  Compare("highest sequence number", stated.sequence_max.value, counted_.sequence_max.value);
  if (stated.smallest != counted_.smallest || stated.largest != last_key_) {
    Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                        "the key range in the properties is not that of the entries"));
  }
}

}  // namespace firn
