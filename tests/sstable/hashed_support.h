// tests/sstable/hashed_support.h: models of records for hashed segments, and segments built from them
// in an order of arrival.
#ifndef FIRN_TESTS_SSTABLE_HASHED_SUPPORT_H_
#define FIRN_TESTS_SSTABLE_HASHED_SUPPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sstable/hashed_segment_reader.h"
#include "sstable/hashed_segment_writer.h"
#include "tests/sstable/segment_support.h"

namespace firn {

// Encoded internal keys and values, in the order in which they are added.
using Arrivals = std::vector<std::pair<std::string, std::string>>;

inline SegmentOptions HashedOptions(uint32_t key_width, size_t block_size = 300) {
  return {.layout = SegmentLayout::kHashed,
          .block_size = block_size,
          .key_width = key_width,
          .compression_threshold = 100};
}

// Uniform keys; some differ in their last bytes alone. Several versions of some, tombstones.
inline Model RandomHashedModel(Random& random, size_t entries, size_t key_width,
                               size_t value_size_max = 100, uint64_t first_sequence = 1) {
  Model model;
  uint64_t sequence = first_sequence;
  std::string user_key = RandomBytes(random, key_width);
  while (model.size() < entries) {
    if (random.OneIn(6)) {  // shares all but the last byte, which may lie among the first eight
      user_key.back() = static_cast<char>(random.Next());
    } else {
      user_key = RandomBytes(random, key_width);
    }
    const uint64_t versions = random.OneIn(8) ? 1 + random.Uniform(30) : 1;
    for (uint64_t i = 0; i < versions && model.size() < entries; ++i) {
      const bool is_tombstone = random.OneIn(5);
      model[Key(user_key, sequence++, is_tombstone ? EntryKind::kTombstone : EntryKind::kPut)] =
          is_tombstone ? "" : RandomValue(random, value_size_max);
    }
  }
  return model;
}

inline Arrivals Shuffled(Random& random, const Model& model) {
  Arrivals arrivals(model.begin(), model.end());
  for (size_t i = arrivals.size(); i > 1; --i) {
    std::swap(arrivals[i - 1], arrivals[random.Uniform(i)]);
  }
  return arrivals;
}

inline absl::StatusOr<SegmentMeta> WriteHashed(FileSystem& file_system, absl::string_view path,
                                               const Arrivals& arrivals,
                                               const SegmentOptions& options,
                                               uint64_t id = 0x0123456789abcdef,
                                               FileNumber number = FileNumber{7}) {
  FIRN_ASSIGN_OR_RETURN(auto writer, SegmentWriter::Create(file_system, path, options, number, id));
  for (const auto& [key, value] : arrivals) FIRN_RETURN_IF_ERROR(writer->Add(key, value));
  return writer->Finish();
}

inline std::shared_ptr<const HashedSegmentReader> OpenHashed(FileSystem& file_system,
                                                             absl::string_view path,
                                                             const SegmentMeta& meta,
                                                             BlockCache* cache = nullptr,
                                                             SegmentCounters* counters = nullptr,
                                                             uint64_t index_bytes_max = UINT64_MAX) {
  auto reader = SegmentReader::Open(file_system, path, meta, cache, counters, FileAccess::kBuffered,
                                    index_bytes_max);
  EXPECT_OK(reader);
  if (!reader.ok()) return nullptr;
  return std::dynamic_pointer_cast<const HashedSegmentReader>(*std::move(reader));
}

}  // namespace firn

#endif  // FIRN_TESTS_SSTABLE_HASHED_SUPPORT_H_
