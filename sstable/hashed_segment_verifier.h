// sstable/hashed_segment_verifier.h: reads a whole hashed segment and holds every part of it against
// the others.
//
// Each record is looked up in the index under its key, and must be found at its place; as there are
// as many entries as records, no entry then points at anything else.
#ifndef FIRN_SSTABLE_HASHED_SEGMENT_VERIFIER_H_
#define FIRN_SSTABLE_HASHED_SEGMENT_VERIFIER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sstable/extent.h"
#include "sstable/hashed_segment_reader.h"

namespace firn {

// Used once. Behind HashedSegmentReader::Verify().
class HashedSegmentVerifier {
 public:
  explicit HashedSegmentVerifier(const HashedSegmentReader& reader) : reader_(reader) {}

  SegmentReport Run();

 private:
  void CheckTail();
  void CheckExtents();
  void CheckExtent(uint32_t number, const Extent& extent);
  void CheckRecord(uint32_t number, const ExtentRecord& record);
  void CheckTotals();
  uint64_t CountDistinctKeys() const;  // as the index, which is there, tells them
  void Compare(absl::string_view what, uint64_t stated, uint64_t counted);
  void Report(absl::Status problem);

  const HashedSegmentReader& reader_;
  std::shared_ptr<const HashedIndex> index_;  // null: it cannot be read
  SegmentReport report_;
  SegmentProperties counted_;  // what the records add up to
  std::string key_;            // scratch
  bool all_extents_good_ = true;  // else totals say nothing
};

}  // namespace firn

#endif  // FIRN_SSTABLE_HASHED_SEGMENT_VERIFIER_H_
