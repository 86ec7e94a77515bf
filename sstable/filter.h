// sstable/filter.h: a blocked Bloom filter over user keys (Putze, Sanders, Singler, "Cache-, hash-
// and space-efficient Bloom filters", 2007): all bits of a key lie in one cache line of 64 bytes,
// so a probe costs one cache miss; about 1.2 % of absent keys pass at 10 bits a key (0.8 % if
// unblocked).
//
//   lines    64 bytes each; bit b of a line is bit b % 8 of its byte b / 8
//   scheme   1 byte    1; others refused
//   probes   1 byte    bits set for a key, [1, 24]
//   reserved 2 bytes   zero
//   count    fixed32   number of lines, at least 1
//
// A key with h = Hash64(user key) stands in line ((h >> 32) * count) >> 32. Its bits: g begins as
// the low 32 bits of h; for each probe g = g * 0x9e3779b9 (modulo 2^32), and the bit is g >> 23.
#ifndef FIRN_SSTABLE_FILTER_H_
#define FIRN_SSTABLE_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

class FilterBuilder {
 public:
  explicit FilterBuilder(uint32_t bits_per_key);  // [1, 32]

  // The same key several times in a row counts once.
  void Add(absl::string_view user_key);
  size_t key_count() const { return hashes_.size(); }
  std::string Finish() const;

 private:
  const uint32_t bits_per_key_;
  std::vector<uint64_t> hashes_;
};

// Immutable, so thread-safe. One made by default lets every key pass.
class Filter {
 public:
  Filter() = default;
  // Copies `bytes` to aligned memory. DataLoss if they are no filter; `offset` and `path` for
  // errors.
  static absl::StatusOr<Filter> Create(ByteSpan bytes, uint64_t offset, absl::string_view path);

  bool present() const { return line_count_ != 0; }
  // False: the key was not added. True: it was, or one of the hundred that look like it.
  bool MayContain(absl::string_view user_key) const;
  size_t memory_usage() const { return size_t{line_count_} * 64; }

 private:
  std::unique_ptr<uint8_t[]> memory_;
  const uint8_t* lines_ = nullptr;  // in memory_, at a multiple of 64
  uint32_t line_count_ = 0;
  uint32_t probes_ = 0;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_FILTER_H_
