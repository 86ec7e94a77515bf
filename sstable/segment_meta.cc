#include "sstable/segment_meta.h"

#include "base/check.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

void SetSequence(std::string& internal_key, SequenceNumber sequence) {
  const EntryKind kind = KindOf(internal_key);
  internal_key.resize(internal_key.size() - kInternalKeySuffixSize);
  internal_key = EncodeInternalKey({internal_key, sequence, kind});
}

SegmentMeta WithSequence(SegmentMeta meta, SequenceNumber sequence) {
  SetSequence(meta.smallest, sequence);
  SetSequence(meta.largest, sequence);
  meta.sequence_min = sequence;
  meta.sequence_max = sequence;
  return meta;
}

}  // namespace

SegmentMeta AsStored(const SegmentMeta& ingested) {
  return WithSequence(ingested, SequenceNumber{0});
}

SegmentMeta AsIngested(const SegmentMeta& stored, SequenceNumber sequence) {
  FIRN_CHECK(sequence.value > 0);
  SegmentMeta ingested = WithSequence(stored, sequence);
  ingested.ingested_at = sequence;
  return ingested;
}

}  // namespace firn
