// sstable/hashed_segment_writer.h: records in any order in, a finished and synced hashed segment out.
//
// Memory: the buffer of the output, one extent, and 12 bytes a record for the index (18 while it is
// finished; more while it grows beyond ReserveRecords()), so whoever bounds the records of a segment
// bounds that.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_WRITER_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/extent.h"
#include "sstable/hashed_index.h"
#include "sstable/hashed_segment_format.h"
#include "sstable/segment_output.h"
#include "sstable/segment_writer.h"

namespace firn {

class HashedSegmentWriter final : public SegmentWriter {
 public:
  // SegmentWriter::Create() for who wants AddExtent(). The layout is that of `options` (FIRN_CHECK).
  static absl::StatusOr<std::unique_ptr<HashedSegmentWriter>> CreateHashed(
      FileSystem& file_system, absl::string_view path, const SegmentOptions& options,
      FileNumber number, uint64_t id);

  // InvalidArgument if the key width is none.
  static absl::Status CheckOptions(const SegmentOptions& options);
  HashedSegmentWriter(std::unique_ptr<SegmentOutput> output, const SegmentOptions& options,
                      FileNumber number);

  uint64_t EstimatedSize() const override;
  // Those written; the one that is being filled comes on top.
  uint64_t extent_count() const { return extent_sizes_.size(); }
  // About how many records will come.
  void ReserveRecords(uint64_t records) { index_.Reserve(records); }

  // Takes in all records of `extent`, of which `stored` are the bytes as another segment of this
  // key width holds them, and writes them as they are. Its records must begin below the block size,
  // unless it is one alone: else DataLoss. An error sticks, as one of Add().
  absl::Status AddExtent(const Extent& extent, ByteSpan stored, CompressionKind compression);

 private:
  struct PendingRecord {
    uint64_t word;
    uint32_t offset;
  };

  absl::Status AddEntry(absl::string_view internal_key, absl::string_view value) override;
  absl::StatusOr<SegmentFooter> FinishData() override;
  absl::Status AddExtentChecked(const Extent& extent, ByteSpan stored, CompressionKind compression);
  // Extent `extent_sizes_.size()` stands at `handle` now; its records go into the index.
  absl::Status TakeInExtent(const BlockHandle& handle);
  absl::Status FinishExtent();
  void CountKeyRange(absl::string_view internal_key);
  absl::Status AppendExtentTable(IndexRoot& root);

  const LocationFormat location_;
  ExtentBuilder extent_;
  std::vector<PendingRecord> pending_;  // of extent_
  std::vector<PendingRecord> copied_;   // of an extent in AddExtent()
  std::vector<uint32_t> extent_sizes_;  // as stored
  HashedIndexBuilder index_;
  uint64_t smallest_prefix_ = UINT64_MAX;  // first 8 bytes of the smallest and largest key so far
  uint64_t largest_prefix_ = 0;
  std::string scratch_key_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_WRITER_H_
