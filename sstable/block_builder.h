// sstable/block_builder.h: the bytes of a data block: prefix-compressed entries, restart points.
//
//   entry    varint32 shared      bytes of the key taken over from the entry before
//            varint32 rest        bytes of the key that follow here
//            varint32 value size
//            key bytes, value bytes
//   ...      as many as there are
//   restart  fixed32 each         offsets of the entries with shared = 0 that a search begins at
//   count    fixed32              number of restart points, at least 1
//
// Keys are encoded internal keys (sstable/internal_key.h), strictly ascending; the first entry is a
// restart point, and every restart_interval-th after it. Integers are little-endian; a varint has
// its shortest form (base/coding.h).
#ifndef FIRN_SSTABLE_BLOCK_BUILDER_H_
#define FIRN_SSTABLE_BLOCK_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

// One thread at a time. Add() does not allocate once its buffers have grown to a block.
class BlockBuilder {
 public:
  explicit BlockBuilder(uint32_t restart_interval);  // at least 1

  // `internal_key` is above all keys before it (debug builds check).
  void Add(absl::string_view internal_key, absl::string_view value);
  // The finished block: a view that lives until Reset(). No Add() may come between.
  ByteSpan Finish();
  void Reset();

  bool empty() const { return entry_count_ == 0; }
  // Bytes of the block if it were finished now.
  uint64_t EstimatedSize() const { return buffer_.size() + 4 * restarts_.size() + 4; }
  // Bytes that an entry takes at most, restart point included.
  static uint64_t EntrySizeMax(absl::string_view internal_key, absl::string_view value);

 private:
  const uint32_t restart_interval_;
  std::string buffer_;
  std::vector<uint32_t> restarts_;
  std::string last_key_;
  uint32_t entry_count_ = 0;
  bool finished_ = false;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_BUILDER_H_
