// sstable/index.h: which data block may hold a key.
//
//   entry    prefixed separator   an encoded internal key: at or after the last key of the block,
//                                 before the first key of the next one
//            handle               two varints: offset, size (sstable/segment_format.h)
//   ...      one a data block, in order
//   offsets  fixed32 each         where each entry begins
//   count    fixed32              number of entries, at least 1
//
// Separators are as short as the order allows, so the index stays small. The whole of it is checked
// when it is parsed: handles follow each other from offset 0 without gaps up to the end of the
// data, separators ascend. Afterwards a position in [0, size()) is all that a reader needs.
//
// Beside it stand, in memory only, 8 bytes of each separator, from where the first one and the last one
// differ on: a search needs few lines of memory of these (prefix_search.h), and one or two separators.
#ifndef FIRN_SSTABLE_INDEX_H_
#define FIRN_SSTABLE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/segment_format.h"

namespace firn {

// A short internal key S with low <= S < high (both encoded, low < high). S is `low`, or its user
// key is smaller than that of `high`: so all versions of a key that a lookup can want, from S
// backward, are in front of S, and a lookup reads one block.
std::string ShortestSeparator(absl::string_view low, absl::string_view high);
// A short internal key S with low <= S.
std::string ShortestSuccessor(absl::string_view low);

class IndexBuilder {
 public:
  void Add(absl::string_view separator, const BlockHandle& handle);
  // The finished block; a view that lives as long as the builder.
  ByteSpan Finish();
  uint64_t EstimatedSize() const { return buffer_.size() + 4 * offsets_.size() + 4; }

 private:
  std::string buffer_;
  std::vector<uint32_t> offsets_;
};

// Immutable, so thread-safe.
class Index {
 public:
  // Where the block stands, for errors, and what it must add up to.
  struct Facts {
    absl::string_view path;
    uint64_t offset = 0;     // of the index block
    uint64_t data_size = 0;  // the data blocks fill [0, data_size)
    uint64_t data_block_count = 0;
  };
  // Takes over `bytes`, of which the first `size` are the block. DataLoss if anything is wrong.
  static absl::StatusOr<Index> Create(std::unique_ptr<uint8_t[]> bytes, size_t size,
                                      const Facts& facts);

  size_t size() const { return count_; }
  // The first position whose separator is at or after `internal_key`: the only block that may hold
  // its first entry at or after it (or that of the next one). size() if there is none.
  size_t Seek(absl::string_view internal_key) const;
  // position < size()
  absl::string_view separator(size_t position) const;
  BlockHandle handle(size_t position) const;
  size_t memory_usage() const { return size_ + prefixes_.capacity() * sizeof(uint64_t); }

 private:
  Index(std::unique_ptr<uint8_t[]> bytes, size_t size, size_t count)
      : bytes_(std::move(bytes)), size_(size), count_(count) {}
  ByteSpan EntryFrom(size_t position) const;  // the entry and what follows it
  void MakePrefixes();

  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
  size_t count_;
  std::string common_;              // what all user keys of separators begin with
  std::vector<uint64_t> prefixes_;  // of what follows, one a separator
};

}  // namespace firn

#endif  // FIRN_SSTABLE_INDEX_H_
