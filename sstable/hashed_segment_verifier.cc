#include "sstable/hashed_segment_verifier.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/raw_block.h"
#include "sstable/segment_frame.h"

namespace firn {
namespace {

constexpr uint64_t kBytesAtOnce = uint64_t{1} << 20;
constexpr size_t kProblemsMax = 100;  // enough to see what is wrong

}  // namespace

SegmentReport HashedSegmentVerifier::Run() {
  CheckTail();
  CheckExtents();
  if (all_extents_good_) CheckTotals();
  return std::move(report_);
}

void HashedSegmentVerifier::Report(absl::Status problem) {
  if (report_.problems.size() < kProblemsMax) report_.problems.push_back(std::move(problem));
}

// The reader has checked it when it was opened: again, for the file may have gone bad since.
void HashedSegmentVerifier::CheckTail() {
  RandomAccessFile& file = *reader_.file_;
  report_.bytes += file.size() - reader_.properties().data_size;
  const auto read_again = [&]() -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadSegmentFooter(file));
    FIRN_ASSIGN_OR_RETURN(const SegmentFrame frame, ReadSegmentFrame(file, footer));
    FIRN_RETURN_IF_ERROR(CompareSegmentMeta(reader_.meta(), MetaOf(footer, frame.properties),
                                            reader_.path()));
    FIRN_ASSIGN_OR_RETURN(const auto index,
                          HashedSegmentIndex::Read({.file = file,
                                                    .footer = footer,
                                                    .properties = frame.properties,
                                                    .root = frame.index_bytes()}));
    FIRN_ASSIGN_OR_RETURN(index_, index->Whole());
    return absl::OkStatus();
  };
  const absl::Status status = read_again();
  if (!status.ok()) Report(status);
  if (!reader_.index().is_resident()) return;
  index_ = reader_.index().Whole().value();  // what lookups use
}

void HashedSegmentVerifier::CheckExtents() {
  const uint32_t count = reader_.extent_count();
  for (uint32_t begin = 0; begin < count && report_.problems.size() < kProblemsMax;) {
    std::vector<BlockHandle> handles;
    uint64_t bytes = 0;
    for (uint32_t i = begin; i < count && (handles.empty() || bytes < kBytesAtOnce); ++i) {
      handles.push_back(reader_.ExtentHandle(i));
      bytes += handles.back().size + kBlockTrailerSize;
    }
    report_.bytes += bytes;
    ReadRawBlocks(*reader_.file_, reader_.meta().id, BlockKind::kData, handles,
                  [&](size_t i, absl::StatusOr<RawBlock> block) {
                    const uint32_t number = begin + static_cast<uint32_t>(i);
                    absl::StatusOr<std::shared_ptr<const Extent>> extent =
                        block.ok() ? reader_.MakeExtent(number, *std::move(block))
                                   : absl::StatusOr<std::shared_ptr<const Extent>>(block.status());
                    if (extent.ok()) return CheckExtent(number, **extent);
                    all_extents_good_ = false;
                    Report(extent.status());
                  });
    begin += static_cast<uint32_t>(handles.size());
  }
  if (report_.problems.size() >= kProblemsMax) all_extents_good_ = false;
}

void HashedSegmentVerifier::CheckExtent(uint32_t number, const Extent& extent) {
  ++report_.data_blocks;
  ExtentCursor cursor(extent, reader_.key_size());
  while (cursor.Next()) CheckRecord(number, cursor.record());
  if (cursor.status().ok()) return;
  all_extents_good_ = false;
  Report(reader_.AnnotateExtentError(cursor.status(), number));
}

void HashedSegmentVerifier::CheckRecord(uint32_t number, const ExtentRecord& record) {
  const LocationFormat format = reader_.index().location();
  bool found = index_ == nullptr;  // was reported
  if (index_ != nullptr) index_->Match(HashedWord(record.user_key), [&](uint32_t location) {
    found = found || (format.ExtentOf(location) == number &&
                      format.OffsetOf(location) == record.offset);
  });
  if (!found) {
    Report(CorruptionAt(reader_.path(), reader_.ExtentHandle(number).offset,
                        absl::StrCat("the index does not find the record at ", record.offset,
                                     " of the extent")));
  }
  key_.clear();
  AppendInternalKey(key_, {record.user_key, record.sequence, record.kind});
  if (counted_.entry_count == 0) {
    counted_.smallest = key_;
    counted_.largest = key_;
    counted_.sequence_min = record.sequence;
  }
  if (CompareInternalKeys(key_, counted_.smallest) < 0) counted_.smallest = key_;
  if (CompareInternalKeys(key_, counted_.largest) > 0) counted_.largest = key_;
  ++counted_.entry_count;
  ++report_.entries;
  if (record.kind == EntryKind::kTombstone) ++counted_.tombstone_count;
  counted_.raw_key_size += key_.size();
  counted_.raw_value_size += record.value.size();
  counted_.sequence_min = std::min(counted_.sequence_min, record.sequence);
  counted_.sequence_max = std::max(counted_.sequence_max, record.sequence);
}

uint64_t HashedSegmentVerifier::CountDistinctKeys() const {
  uint64_t distinct = 0;
  std::vector<uint16_t> fingerprints;
  for (uint64_t bucket = 0; bucket < index_->bucket_count(); ++bucket) {
    fingerprints.clear();
    index_->ForEach(bucket, [&](const IndexEntry& entry) {
      fingerprints.push_back(entry.fingerprint);
    });
    std::sort(fingerprints.begin(), fingerprints.end());
    distinct += static_cast<uint64_t>(std::unique(fingerprints.begin(), fingerprints.end()) -
                                      fingerprints.begin());
  }
  return distinct;
}

void HashedSegmentVerifier::Compare(absl::string_view what, uint64_t stated, uint64_t counted) {
  if (stated == counted) return;
  Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                      absl::StrCat(what, " in the properties"),
                      {.expected = counted, .actual = stated}));
}

void HashedSegmentVerifier::CheckTotals() {
  const SegmentProperties& stated = reader_.properties();
  Compare("number of entries", stated.entry_count, counted_.entry_count);
  Compare("number of tombstones", stated.tombstone_count, counted_.tombstone_count);
  if (index_ != nullptr) Compare("number of keys", stated.user_key_count, CountDistinctKeys());
  Compare("bytes of keys", stated.raw_key_size, counted_.raw_key_size);
  Compare("bytes of values", stated.raw_value_size, counted_.raw_value_size);
  Compare("lowest sequence number", stated.sequence_min.value, counted_.sequence_min.value);
  Compare("highest sequence number", stated.sequence_max.value, counted_.sequence_max.value);
  if (stated.smallest != counted_.smallest || stated.largest != counted_.largest) {
    Report(CorruptionAt(reader_.path(), reader_.footer().properties.offset,
                        "the key range in the properties is not that of the records"));
  }
}

}  // namespace firn
