#include "sstable/sequence_segment_verifier.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

constexpr uint64_t kBytesAtOnce = uint64_t{1} << 20;
constexpr size_t kProblemsMax = 100;  // enough to see what is wrong

}  // namespace

SegmentReport SequenceSegmentVerifier::Run() {
  CheckTail();
  CheckBlocks();
  if (all_blocks_good_) CheckTotals();
  return std::move(report_);
}

void SequenceSegmentVerifier::Report(absl::Status problem) {
  if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(problem));
}

// The reader has checked it when it was opened: again, for the file may have gone bad since.
void SequenceSegmentVerifier::CheckTail() {
  RandomAccessFile& file = *reader_.file_;
  report_.bytes += file.size() - reader_.properties().data_size;
  const auto read_again = [&]() -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadSegmentFooter(file));
    FIRN_ASSIGN_OR_RETURN(const SegmentFrame frame, ReadSegmentFrame(file, footer));
    FIRN_RETURN_IF_ERROR(CompareSegmentMeta(reader_.meta(), MetaOf(footer, frame.properties),
                                            reader_.path()));
    return ReadSequenceIndex(frame, reader_.path()).status();
  };
  const absl::Status status = read_again();
  if (!status.ok()) Report(status);
}

void SequenceSegmentVerifier::CheckBlocks() {
  const SequenceIndex& index = reader_.index();
  for (size_t begin = 0; begin < index.size() && report_.problems.size() < kProblemsMax;) {
    std::vector<size_t> blocks;
    for (size_t i = begin; i < index.size() &&
                           (blocks.empty() || index.offset(i) - index.offset(begin) < kBytesAtOnce);
         ++i) {
      blocks.push_back(i);
    }
    const SequenceSegmentReader::ReadOutcomes outcomes = reader_.ReadBlocks(blocks);
    for (size_t i = 0; i < outcomes.size(); ++i) {
      report_.bytes += index.handle(begin + i).size + kBlockTrailerSize;
      if (outcomes[i].ok()) {
        CheckBlock((*outcomes[i])->records());
      } else {
        all_blocks_good_ = false;
        Report(outcomes[i].status());
      }
    }
    begin += blocks.size();
  }
  if (report_.problems.size() >= kProblemsMax) all_blocks_good_ = false;
}

// In the block its keys ascend, and it is what the index says: it would not have been read otherwise.
void SequenceSegmentVerifier::CheckBlock(const SequenceRecords& records) {
  ++report_.data_blocks;
  if (counted_.entry_count == 0) counted_.sequence_min = kMaxSequenceNumber;
  for (uint32_t i = 0; i < records.count(); ++i) {
    const SequenceNumber sequence = records.SequenceAt(i);
    counted_.sequence_min = std::min(counted_.sequence_min, sequence);
    counted_.sequence_max = std::max(counted_.sequence_max, sequence);
    counted_.raw_value_size += records.ValueAt(i).size();
  }
  if (counted_.entry_count == 0) {
    counted_.smallest = SequenceInternalKey(records.first_key(), records.SequenceAt(0));
  }
  counted_.largest =
      SequenceInternalKey(records.last_key(), records.SequenceAt(records.count() - 1));
  counted_.entry_count += records.count();
  report_.entries += records.count();
}

void SequenceSegmentVerifier::Compare(absl::string_view what, uint64_t stated, uint64_t counted) {
  if (stated == counted) return;
  Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                      absl::StrCat(what, " in the properties"),
                      {.expected = counted, .actual = stated}));
}

void SequenceSegmentVerifier::CheckTotals() {
  const SegmentProperties& stated = reader_.properties();
  Compare("number of entries", stated.entry_count, counted_.entry_count);
  Compare("bytes of keys", stated.raw_key_size,
          counted_.entry_count * (kSequenceKeySize + kInternalKeySuffixSize));
  Compare("bytes of values", stated.raw_value_size, counted_.raw_value_size);
  Compare("lowest sequence number", stated.sequence_min.value, counted_.sequence_min.value);
  Compare("highest sequence number", stated.sequence_max.value, counted_.sequence_max.value);
  if (stated.smallest != counted_.smallest || stated.largest != counted_.largest) {
    Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                        "the key range in the properties is not that of the entries"));
  }
}

}  // namespace firn
