#include "sstable/block_batch.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "io/memory_file_system.h"
#include "sstable/segment_writer.h"
#include "tests/sstable/segment_support.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class BlockBatchTest : public testing::TestWithParam<SegmentLayout> {
 protected:
  struct Segment {
    std::shared_ptr<const SegmentReader> reader;
    std::vector<std::string> keys;
  };

  // Records of about a block each, so that each key has a block of its own.
  Segment Build(uint64_t number, BlockCache* cache, const std::string& damage = "") {
    Random random(number);
    Segment segment;
    for (int i = 0; i < 60; ++i) segment.keys.push_back(RandomBytes(random, 16));
    std::sort(segment.keys.begin(), segment.keys.end());
    SegmentOptions options;
    options.layout = GetParam();
    options.key_width = 16;
    options.block_size = 512;
    const std::string path = absl::StrCat("segment", number);
    auto writer = SegmentWriter::Create(file_system_, path, options, FileNumber{number}, number);
    EXPECT_OK(writer);
    for (const std::string& key : segment.keys) {
      EXPECT_OK((*writer)->Add(EncodeInternalKey({key, SequenceNumber{number}, EntryKind::kPut}),
                               ValueOf(key)));
    }
    const auto meta = (*writer)->Finish();
    EXPECT_OK(meta);
    if (!damage.empty()) {
      std::string content = ReadAll(file_system_, path);
      content[20] ^= 1;  // in the first block
      WriteAll(file_system_, damage, content);
    }
    auto reader = SegmentReader::Open(file_system_, damage.empty() ? path : damage, *meta, cache,
                                      &counters_);
    EXPECT_OK(reader);
    segment.reader = *std::move(reader);
    return segment;
  }
  static std::string ValueOf(const std::string& key) {
    Random random(static_cast<uint8_t>(key[0]));
    return RandomBytes(random, 600) + key;
  }
  // What GetMany() with `batch` says of the keys.
  static void ExpectAllFound(const Segment& segment, const BlockBatch& batch) {
    std::vector<SegmentLookup> lookups;
    std::vector<SegmentLookup*> pointers;
    for (const std::string& key : segment.keys) {
      lookups.push_back({.user_key = key, .found = std::nullopt});
      lookups.back().fetched = &batch;
    }
    for (SegmentLookup& lookup : lookups) pointers.push_back(&lookup);
    ASSERT_OK(segment.reader->GetMany(pointers, kMaxSequenceNumber));
    for (const SegmentLookup& lookup : lookups) {
      ASSERT_TRUE(lookup.found.has_value());
      EXPECT_EQ(lookup.found->value, ValueOf(std::string(lookup.user_key)));
    }
  }

  MemoryFileSystem file_system_;
  SegmentCounters counters_;
};

TEST_P(BlockBatchTest, BlocksOfSeveralSegmentsAreReadOnceWithOrWithoutACache) {
  for (const size_t capacity : {size_t{0}, size_t{16} << 20}) {
    BlockCache cache(capacity);
    const std::vector<Segment> segments = {Build(capacity + 1, &cache), Build(capacity + 2, &cache),
                                           Build(capacity + 3, &cache)};
    const uint64_t before = counters_.block_reads.Total();
    BlockBatch batch;
    EXPECT_TRUE(batch.empty());
    for (const Segment& segment : segments) {
      for (int twice = 0; twice < 2; ++twice) {
        for (const std::string& key : segment.keys) {
          EXPECT_TRUE(segment.reader->AddMissing(key, kMaxSequenceNumber, batch));
        }
      }
      EXPECT_FALSE(segment.reader->AddMissing(std::string(16, 'x'), kMaxSequenceNumber, batch) &&
                   segment.keys.empty());
    }
    EXPECT_FALSE(batch.empty());
    batch.Read();
    const uint64_t blocks = counters_.block_reads.Total() - before;
    EXPECT_GE(blocks, 3u * 60);
    EXPECT_LE(blocks, 3u * 60 + 3);  // a key that is not there may look as if it were
    for (const Segment& segment : segments) ExpectAllFound(segment, batch);
    EXPECT_EQ(counters_.block_reads.Total() - before, blocks);

    BlockBatch again;
    for (const std::string& key : segments[0].keys) {
      segments[0].reader->AddMissing(key, kMaxSequenceNumber, again);
    }
    EXPECT_EQ(again.empty(), capacity > 0);  // all are cached
  }
}

TEST_P(BlockBatchTest, ADamagedBlockIsLeftToWhoeverNeedsIt) {
  const Segment good = Build(1, nullptr);
  const Segment bad = Build(2, nullptr, "bad");
  BlockBatch batch;
  for (const Segment* segment : {&good, &bad}) {
    for (const std::string& key : segment->keys) {
      EXPECT_TRUE(segment->reader->AddMissing(key, kMaxSequenceNumber, batch));
    }
  }
  batch.Read();
  ExpectAllFound(good, batch);
  EXPECT_EQ(batch.Find(*bad.reader, 0), nullptr);
  EXPECT_NE(batch.Find(*bad.reader, 1), nullptr);
  EXPECT_EQ(batch.Find(*bad.reader, 1'000'000), nullptr);
  size_t errors = 0;
  for (const std::string& key : bad.keys) {
    SegmentLookup lookup{.user_key = key, .found = std::nullopt};
    lookup.fetched = &batch;
    SegmentLookup* const pointer = &lookup;
    const absl::Status status = bad.reader->GetMany({pointer}, kMaxSequenceNumber);
    if (status.ok()) continue;
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("checksum")));
    ++errors;
  }
  EXPECT_GE(errors, 1u);
}

INSTANTIATE_TEST_SUITE_P(Layouts, BlockBatchTest,
                         testing::Values(SegmentLayout::kOrdered, SegmentLayout::kHashed),
                         [](const auto& layout) {
                           return layout.param == SegmentLayout::kOrdered ? "Ordered" : "Hashed";
                         });

}  // namespace
}  // namespace firn
