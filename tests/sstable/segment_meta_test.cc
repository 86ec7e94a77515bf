#include "sstable/segment_meta.h"

#include "gtest/gtest.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

TEST(SegmentMetaTest, IngestingGivesOneNumberToKeyRangeAndSequenceRangeAndComesBack) {
  SegmentMeta stored;
  stored.id = 5;
  stored.entry_count = 2;
  stored.smallest = EncodeInternalKey({"a", SequenceNumber{0}, EntryKind::kTombstone});
  stored.largest = EncodeInternalKey({"", SequenceNumber{0}, EntryKind::kPut});
  const SegmentMeta ingested = AsIngested(stored, SequenceNumber{77});
  EXPECT_EQ(ingested.ingested_at, SequenceNumber{77});
  EXPECT_EQ(ingested.sequence_min, SequenceNumber{77});
  EXPECT_EQ(ingested.sequence_max, SequenceNumber{77});
  EXPECT_EQ(ingested.smallest, EncodeInternalKey({"a", SequenceNumber{77}, EntryKind::kTombstone}));
  EXPECT_EQ(ingested.largest, EncodeInternalKey({"", SequenceNumber{77}, EntryKind::kPut}));
  SegmentMeta back = AsStored(ingested);
  EXPECT_EQ(back.ingested_at, SequenceNumber{77}) << "readers of the file must know";
  back.ingested_at = {};
  EXPECT_EQ(back, stored);
}

}  // namespace
}  // namespace firn
