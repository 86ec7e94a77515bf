// sstable/sequence_segment_verifier.h: reads a whole sequence segment and holds every part of it
// against the others.
#ifndef FIRN_SSTABLE_SEQUENCE_SEGMENT_VERIFIER_H_
#define FIRN_SSTABLE_SEQUENCE_SEGMENT_VERIFIER_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sstable/sequence_segment_reader.h"

namespace firn {

// Used once. Behind SequenceSegmentReader::Verify().
class SequenceSegmentVerifier {
 public:
  explicit SequenceSegmentVerifier(const SequenceSegmentReader& reader) : reader_(reader) {}

  SegmentReport Run();

 private:
  void CheckTail();
  void CheckBlocks();
  void CheckBlock(const SequenceRecords& records);
  void CheckTotals();
  void Compare(absl::string_view what, uint64_t stated, uint64_t counted);
  void Report(absl::Status problem);

  const SequenceSegmentReader& reader_;
  SegmentReport report_;
  SegmentProperties counted_;    // what the records add up to
  bool all_blocks_good_ = true;  // else totals say nothing
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_SEGMENT_VERIFIER_H_
