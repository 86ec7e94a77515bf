// sstable/ordered_segment_verifier.h: reads a whole ordered segment and holds every part of it against
// the others.
#ifndef FIRN_SSTABLE_ORDERED_SEGMENT_VERIFIER_H_
#define FIRN_SSTABLE_ORDERED_SEGMENT_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sstable/block.h"
#include "sstable/ordered_segment_reader.h"

namespace firn {

// Used once. Behind OrderedSegmentReader::Verify().
class OrderedSegmentVerifier {
 public:
  explicit OrderedSegmentVerifier(const OrderedSegmentReader& reader) : reader_(reader) {}

  SegmentReport Run();

 private:
  void CheckTail();
  void CheckDataBlocks();
  void CheckDataBlock(size_t position, const Block& block);
  void CheckRestartPoints(const BlockHandle& handle, const Block& block);
  void CheckEntry(const BlockHandle& handle, absl::string_view key, absl::string_view value);
  void CheckSeparator(size_t position, absl::string_view next_key);
  void CheckTotals();
  void Compare(absl::string_view what, uint64_t stated, uint64_t counted);
  void Report(absl::Status problem);

  const OrderedSegmentReader& reader_;
  SegmentReport report_;
  SegmentProperties counted_;    // what the entries add up to
  std::string last_key_;         // of the entries so far
  bool all_blocks_good_ = true;  // else totals say nothing
  bool last_block_good_ = true;  // else last_key_ is not the last one's
};

}  // namespace firn

#endif  // FIRN_SSTABLE_ORDERED_SEGMENT_VERIFIER_H_
