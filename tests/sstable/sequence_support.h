// tests/sstable/sequence_support.h: models of sequences, and segments built from them.
#ifndef FIRN_TESTS_SSTABLE_SEQUENCE_SUPPORT_H_
#define FIRN_TESTS_SSTABLE_SEQUENCE_SUPPORT_H_

#include <memory>
#include <string>

#include "sstable/sequence_key.h"
#include "sstable/sequence_segment_reader.h"
#include "tests/sstable/segment_support.h"

namespace firn {

inline SegmentOptions SequenceOptions(size_t block_size = 300) {
  return {.layout = SegmentLayout::kSequence,
          .block_size = block_size,
          .compression_threshold = 100};
}

inline std::string SequenceUserKey(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

// Runs of dense keys and of dense sequence numbers, gaps of every size between them.
inline Model RandomSequenceModel(Random& random, size_t entries, size_t value_size_max = 100) {
  Model model;
  uint64_t key = random.Uniform(1000);
  uint64_t sequence = 1;
  while (model.size() < entries) {
    model[SequenceInternalKey(key, {sequence})] = RandomValue(random, value_size_max);
    key += random.OneIn(12) ? 1 + (random.Next() >> (24 + random.Uniform(40))) : 1;
    sequence += random.OneIn(15) ? 1 + (random.Next() >> (34 + random.Uniform(30))) : 1;
  }
  return model;
}

inline std::shared_ptr<const SequenceSegmentReader> OpenSequence(
    FileSystem& file_system, absl::string_view path, const SegmentMeta& meta,
    BlockCache* cache = nullptr, SegmentCounters* counters = nullptr) {
  auto reader = SegmentReader::Open(file_system, path, meta, cache, counters);
  EXPECT_OK(reader);
  if (!reader.ok()) return nullptr;
  return std::dynamic_pointer_cast<const SequenceSegmentReader>(*std::move(reader));
}

}  // namespace firn

#endif  // FIRN_TESTS_SSTABLE_SEQUENCE_SUPPORT_H_
