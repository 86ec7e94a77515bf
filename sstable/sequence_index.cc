#include "sstable/sequence_index.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint64_t kScheme = 1;
constexpr size_t kEntrySizeMin = 3;  // three varints

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("sequence index: ", what));
}

}  // namespace

void SequenceIndexBuilder::Add(uint64_t first_key, uint32_t records, uint64_t stored_size) {
  FIRN_CHECK(first_key >= least_key_ && records > 0);
  PutVarint64(entries_, first_key - least_key_);
  PutVarint32(entries_, records);
  PutVarint64(entries_, stored_size);
  // The last block of all may hold the last key of all.
  least_key_ = first_key + std::min<uint64_t>(records, UINT64_MAX - first_key);
  ++count_;
}

std::string SequenceIndexBuilder::Finish() const {
  FIRN_CHECK(count_ > 0);
  std::string bytes;
  PutVarint64(bytes, kScheme);
  PutVarint64(bytes, count_);
  bytes += entries_;
  return bytes;
}

absl::StatusOr<SequenceIndex> SequenceIndex::Parse(ByteSpan bytes, uint64_t data_size) {
  ByteReader reader(bytes);
  if (reader.ReadVarint64() != kScheme) return Damaged("unknown scheme");
  const std::optional<uint64_t> count = reader.ReadVarint64();
  if (!count.has_value() || *count == 0 || *count > reader.remaining() / kEntrySizeMin) {
    return Damaged("number of blocks");
  }
  SequenceIndex index;
  index.first_keys_.reserve(*count);
  index.offsets_.reserve(*count + 1);
  index.records_.reserve(*count);
  uint64_t least_key = 0;
  uint64_t offset = 0;
  for (uint64_t i = 0; i < *count; ++i) {
    const std::optional<uint64_t> gap = reader.ReadVarint64();
    const std::optional<uint32_t> records = reader.ReadVarint32();
    const std::optional<uint64_t> size = reader.ReadVarint64();
    if (!gap.has_value() || !records.has_value() || !size.has_value()) {
      return Damaged(absl::StrCat("block ", i, " is cut off"));
    }
    if (*gap > UINT64_MAX - least_key || *records == 0) {
      return Damaged(absl::StrCat("keys of block ", i));
    }
    const uint64_t first_key = least_key + *gap;
    if (i > 0 && first_key == index.first_keys_.back()) {  // no key is left above the last one
      return Damaged(absl::StrCat("keys of block ", i));
    }
    if (*size == 0 || *size > kBlockSizeMax || offset > data_size ||
        *size + kBlockTrailerSize > data_size - offset) {
      return Damaged(absl::StrCat("size of block ", i));
    }
    index.first_keys_.push_back(first_key);
    index.offsets_.push_back(offset);
    index.records_.push_back(*records);
    index.record_count_ += *records;
    offset += *size + kBlockTrailerSize;
    least_key = first_key + std::min<uint64_t>(*records, UINT64_MAX - first_key);
  }
  index.offsets_.push_back(offset);
  if (!reader.empty()) return Damaged("bytes follow it");
  if (offset != data_size) return Damaged("the blocks do not end where the data does");
  return index;
}

size_t SequenceIndex::BlockOf(uint64_t key) const {
  size_t begin = 0;  // the answer is in [begin, limit)
  size_t limit = first_keys_.size();
  // The guess is nearly right where blocks hold about as many keys; halving ends the search anyway.
  for (int guesses = 0; guesses < 3 && limit - begin > 4; ++guesses) {
    const uint64_t first = first_keys_[begin];
    const uint64_t last = first_keys_[limit - 1];
    if (key <= first) return begin;
    if (key >= last) return limit - 1;
    const auto guess =
        begin + static_cast<size_t>(static_cast<unsigned __int128>(key - first) *
                                    (limit - 1 - begin) / (last - first));
    if (first_keys_[guess] <= key) {
      if (key < first_keys_[guess + 1]) return guess;
      begin = guess + 1;
    } else {
      limit = guess;
    }
  }
  const auto above = std::upper_bound(first_keys_.begin() + static_cast<ptrdiff_t>(begin),
                                      first_keys_.begin() + static_cast<ptrdiff_t>(limit), key);
  const auto position = static_cast<size_t>(above - first_keys_.begin());
  return position == 0 ? 0 : position - 1;
}

}  // namespace firn
