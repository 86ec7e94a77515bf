// sstable/sequence_block.h: the bytes of a block of a sequence segment: values one behind the other,
// then what finds them. Page: docs/formats/segment_sequence.md.
//
//   values            one after the other from offset 0: as they came, so writing copies each once
//   value limits      records x limit size: where each value ends
//   key gaps          records x gap size: key - first key - position: 0 where keys have no gaps
//   sequence deltas   records x delta size: sequence number - base - position (size 0), or - base
//   tail              the last 24 bytes:
//     offset  size  field
//          0     8  first key    of the first record, as a number
//          8     8  base         gap-free: sequence number of the first record; else the lowest one
//         16     4  records      at least 1
//         20     1  limit size   2 or 4
//         21     1  gap size     0: no key is missing between the first and the last; 2, 4 or 8
//         22     1  delta size   0: sequence numbers ascend by 1; 2, 4 or 8
//         23     1  reserved     zero, refused otherwise
//
// So a record is found by arithmetic where keys are dense, and by a search of the gaps, which never
// fall, where they are not. The whole block is checked once, when it is parsed; then every record of
// it is inside and every key above the one before. Hostile bytes give an error.
#ifndef FIRN_SSTABLE_SEQUENCE_BLOCK_H_
#define FIRN_SSTABLE_SEQUENCE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/coding.h"
#include "base/types.h"
#include "sstable/block_content.h"

namespace firn {

inline constexpr size_t kSequenceTailSize = 8 + 8 + 4 + 4;
static_assert(kSequenceTailSize == 24, "docs/formats/segment_sequence.md says 24");

// Puts records behind one another. Reuses its memory.
class SequenceBlockBuilder {
 public:
  // `key` is above all keys before it in this block (FIRN_DCHECK).
  void Add(uint64_t key, SequenceNumber sequence, absl::string_view value);
  // The block; valid until Reset(). Not empty.
  ByteSpan Finish();
  void Reset();

  bool empty() const { return keys_.empty(); }
  uint32_t record_count() const { return static_cast<uint32_t>(keys_.size()); }
  // Bytes that the block would have, as a dense one with short values.
  size_t EstimatedSize() const { return bytes_.size() + 2 * keys_.size() + kSequenceTailSize; }

 private:
  std::string bytes_;
  std::vector<uint64_t> keys_;
  std::vector<uint64_t> sequences_;
  std::vector<uint32_t> limits_;
};

// The records of a block that someone else holds.
class SequenceRecords {
 public:
  SequenceRecords() = default;  // none

  // Checks all of it. DataLoss without a file: the caller annotates it.
  static absl::StatusOr<SequenceRecords> Parse(ByteSpan block);
  // The same for bytes that Parse() has checked.
  static SequenceRecords Of(ByteSpan block);

  uint32_t count() const { return count_; }
  uint64_t first_key() const { return first_key_; }
  uint64_t last_key() const { return KeyAt(count_ - 1); }

  // position < count().
  uint64_t KeyAt(uint32_t position) const {
    return first_key_ + position + (gap_size_ == 0 ? 0 : Load(gaps_, gap_size_, position));
  }
  SequenceNumber SequenceAt(uint32_t position) const {
    return {base_ + (delta_size_ == 0 ? position : Load(deltas_, delta_size_, position))};
  }
  absl::string_view ValueAt(uint32_t position) const {
    const uint64_t begin = position == 0 ? 0 : Load(limits_, limit_size_, position - 1);
    return {reinterpret_cast<const char*>(values_ + begin),
            static_cast<size_t>(Load(limits_, limit_size_, position) - begin)};
  }
  // The first position whose key is `key` or above; count() if there is none.
  uint32_t LowerBound(uint64_t key) const;

 private:
  // `values_size`: where the value limits begin.
  absl::Status CheckArrays(uint64_t values_size) const;
  static uint64_t Load(const uint8_t* array, uint32_t size, uint32_t position) {
    const uint8_t* const at = array + size_t{position} * size;
    return size == 2 ? LoadFixed16(at) : size == 4 ? LoadFixed32(at) : LoadFixed64(at);
  }

  const uint8_t* values_ = nullptr;
  const uint8_t* limits_ = nullptr;
  const uint8_t* gaps_ = nullptr;
  const uint8_t* deltas_ = nullptr;
  uint64_t first_key_ = 0;
  uint64_t base_ = 0;
  uint32_t count_ = 0;
  uint32_t limit_size_ = 2;
  uint32_t gap_size_ = 0;
  uint32_t delta_size_ = 0;
};

// A verified, decompressed block in memory. Immutable, so thread-safe.
class SequenceBlock final : public BlockContent {
 public:
  // Takes over `bytes`, of which the first `size` are the block. DataLoss as Parse().
  static absl::StatusOr<std::shared_ptr<const SequenceBlock>> Create(BlockMemory bytes,
                                                                     size_t size);

  explicit SequenceBlock(size_t size) : BlockContent(size) {}

  SequenceRecords records() const { return SequenceRecords::Of(bytes()); }
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_BLOCK_H_
