// sstable/sequence_index.h: where the blocks of a sequence segment begin, in bytes and in keys. Page:
// docs/formats/segment_sequence.md.
//
// The index block (varints in their shortest form):
//   scheme 1, blocks (at least 1); then of each block in turn: its first key less the least that it
//   could be (0 for the first block, else the first key of the block before + its records), its
//   records, its stored bytes (without the trailer)
//
// In memory: three numbers a block, 20 bytes. A key is found by interpolation between the first keys, so in one
// step or two where blocks hold about as many keys.
#ifndef FIRN_SSTABLE_SEQUENCE_INDEX_H_
#define FIRN_SSTABLE_SEQUENCE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/segment_format.h"

namespace firn {

class SequenceIndexBuilder {
 public:
  // Of the next block, which begins with `first_key` and holds `records` of them.
  void Add(uint64_t first_key, uint32_t records, uint64_t stored_size);
  // The index block of at least one block.
  std::string Finish() const;

 private:
  std::string entries_;
  uint64_t count_ = 0;
  uint64_t least_key_ = 0;  // that the next block may begin with
};

class SequenceIndex {
 public:
  // `data_size`: where the blocks must end. DataLoss without a file.
  static absl::StatusOr<SequenceIndex> Parse(ByteSpan bytes, uint64_t data_size);

  size_t size() const { return first_keys_.size(); }
  BlockHandle handle(size_t block) const {
    return {.offset = offsets_[block],
            .size = offsets_[block + 1] - offsets_[block] - kBlockTrailerSize};
  }
  uint64_t first_key(size_t block) const { return first_keys_[block]; }
  uint32_t records(size_t block) const { return records_[block]; }
  uint64_t record_count() const { return record_count_; }
  // Where a block begins; for size(), where the last one ends.
  uint64_t offset(size_t block) const { return offsets_[block]; }
  // The block that holds `key` if any does: the last one that begins at or below it; 0 if none does.
  size_t BlockOf(uint64_t key) const;
  size_t memory_usage() const {
    return (first_keys_.capacity() + offsets_.capacity()) * sizeof(uint64_t) +
           records_.capacity() * sizeof(uint32_t);
  }

 private:
  std::vector<uint64_t> first_keys_;  // ascending
  std::vector<uint64_t> offsets_;     // one more
  std::vector<uint32_t> records_;
  uint64_t record_count_ = 0;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_INDEX_H_
