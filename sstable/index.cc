#include "sstable/index.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/prefix_search.h"

namespace firn {
namespace {

constexpr size_t kCountSize = 4;
constexpr size_t kOffsetSize = 4;

// The first internal key of `user_key` there can be.
std::string FirstInternalKey(absl::string_view user_key) {
  return EncodeInternalKey(
      {.user_key = user_key, .sequence = kMaxSequenceNumber, .kind = kKindForSeek});
}

struct IndexEntry {
  absl::string_view separator;
  BlockHandle handle;
};

// The entry that fills `bytes`.
absl::StatusOr<IndexEntry> ParseIndexEntry(ByteSpan bytes) {
  ByteReader reader(bytes);
  const std::optional<absl::string_view> separator = reader.ReadLengthPrefixed();
  if (!separator.has_value() || !DecodeInternalKey(*separator).has_value()) {
    return absl::DataLossError("separator is no internal key");
  }
  FIRN_ASSIGN_OR_RETURN(const BlockHandle handle, ParseBlockHandle(AsText(reader.rest())));
  return IndexEntry{.separator = *separator, .handle = handle};
}

}  // namespace

std::string ShortestSeparator(absl::string_view low, absl::string_view high) {
  FIRN_DCHECK(CompareInternalKeys(low, high) < 0);
  const absl::string_view a = UserKeyOf(low);
  const absl::string_view b = UserKeyOf(high);
  const size_t common_max = std::min(a.size(), b.size());
  size_t common = 0;
  while (common < common_max && a[common] == b[common]) ++common;
  // If a is b or begins it, or differs in its last byte, nothing shorter lies between.
  if (common + 1 >= a.size() || common >= b.size()) return std::string(low);
  if (b.size() > common + 1) return FirstInternalKey(b.substr(0, common + 1));
  const auto byte_a = static_cast<uint8_t>(a[common]);
  const auto byte_b = static_cast<uint8_t>(b[common]);
  if (byte_a + 1 == byte_b) return std::string(low);
  std::string user_key(a.substr(0, common + 1));
  user_key.back() = static_cast<char>(byte_a + 1);
  return FirstInternalKey(user_key);
}

std::string ShortestSuccessor(absl::string_view low) {
  const absl::string_view a = UserKeyOf(low);
  for (size_t i = 0; i + 1 < a.size(); ++i) {
    const auto byte = static_cast<uint8_t>(a[i]);
    if (byte == 0xff) continue;
    std::string user_key(a.substr(0, i + 1));
    user_key.back() = static_cast<char>(byte + 1);
    return FirstInternalKey(user_key);
  }
  return std::string(low);
}

void IndexBuilder::Add(absl::string_view separator, const BlockHandle& handle) {
  FIRN_CHECK(buffer_.size() < kBlockSizeMax);
  offsets_.push_back(static_cast<uint32_t>(buffer_.size()));
  PutLengthPrefixed(buffer_, separator);
  AppendBlockHandle(buffer_, handle);
}

ByteSpan IndexBuilder::Finish() {
  FIRN_CHECK(!offsets_.empty());
  for (const uint32_t offset : offsets_) PutFixed32(buffer_, offset);
  PutFixed32(buffer_, static_cast<uint32_t>(offsets_.size()));
  return AsBytes(buffer_);
}

absl::StatusOr<Index> Index::Create(std::unique_ptr<uint8_t[]> bytes, size_t size,
                                    const Facts& facts) {
  const auto corrupt = [&facts](size_t at, absl::string_view what, Mismatch mismatch) {
    return CorruptionAt(facts.path, facts.offset + at, what, mismatch);
  };
  if (size < kCountSize + kOffsetSize) {
    return corrupt(0, "index too small", {.expected = kCountSize + kOffsetSize, .actual = size});
  }
  const ByteSpan all(bytes.get(), size);
  const size_t count = LoadFixed32(all.subspan(size - kCountSize));
  if (count != facts.data_block_count) {
    return corrupt(size - kCountSize, "number of index entries",
                   {.expected = facts.data_block_count, .actual = count});
  }
  const size_t count_max = (size - kCountSize) / kOffsetSize;
  if (count == 0 || count > count_max) {
    return corrupt(size - kCountSize, "number of index entries",
                   {.expected = count_max, .actual = count});
  }
  const size_t entries_limit = size - kCountSize - kOffsetSize * count;
  const auto offset_at = [&](size_t i) -> size_t {
    return i == count ? entries_limit
                      : size_t{LoadFixed32(all.data() + entries_limit + kOffsetSize * i)};
  };
  uint64_t data_offset = 0;
  absl::string_view previous;
  if (offset_at(0) != 0) {
    return corrupt(entries_limit, "first entry of the index",
                   {.expected = 0, .actual = offset_at(0)});
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t begin = offset_at(i);
    const size_t limit = offset_at(i + 1);
    if (begin >= limit || limit > entries_limit) {
      return corrupt(entries_limit + kOffsetSize * i, "offset of an index entry",
                     {.expected = entries_limit, .actual = limit});
    }
    absl::StatusOr<IndexEntry> entry = ParseIndexEntry(all.subspan(begin, limit - begin));
    if (!entry.ok()) {
      return CorruptionAt(facts.path, facts.offset + begin, entry.status().message());
    }
    if (i > 0 && CompareInternalKeys(previous, entry->separator) >= 0) {
      return CorruptionAt(facts.path, facts.offset + begin, "index separators do not ascend");
    }
    if (entry->handle.offset != data_offset || entry->handle.size == 0) {
      return corrupt(begin, "data blocks do not follow each other",
                     {.expected = data_offset, .actual = entry->handle.offset});
    }
    data_offset = entry->handle.limit();
    previous = entry->separator;
  }
  if (data_offset != facts.data_size) {
    return corrupt(0, "end of the data blocks in the index",
                   {.expected = facts.data_size, .actual = data_offset});
  }
  Index index(std::move(bytes), size, count);
  index.MakePrefixes();
  return index;
}

void Index::MakePrefixes() {
  const absl::string_view first = UserKeyOf(separator(0));
  const absl::string_view last = UserKeyOf(separator(count_ - 1));
  const auto [differs, unused] = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
  common_.assign(first.begin(), differs);  // they ascend, so those between begin with it, too
  prefixes_.reserve(count_);
  for (size_t i = 0; i < count_; ++i) {
    prefixes_.push_back(KeyPrefix(UserKeyOf(separator(i)).substr(common_.size())));
  }
}

// Everything below was seen to be in its bounds by Create().

ByteSpan Index::EntryFrom(size_t position) const {
  FIRN_DCHECK(position < count_);
  const size_t entries_limit = size_ - kCountSize - kOffsetSize * count_;
  const size_t begin = LoadFixed32(bytes_.get() + entries_limit + kOffsetSize * position);
  return ByteSpan(bytes_.get() + begin, entries_limit - begin);
}

absl::string_view Index::separator(size_t position) const {
  ByteReader reader(EntryFrom(position));
  return *reader.ReadLengthPrefixed();
}

BlockHandle Index::handle(size_t position) const {
  ByteReader reader(EntryFrom(position));
  FIRN_CHECK(reader.ReadLengthPrefixed().has_value());
  BlockHandle handle;
  handle.offset = *reader.ReadVarint64();
  handle.size = *reader.ReadVarint64();
  return handle;
}

size_t Index::Seek(absl::string_view internal_key) const {
  const absl::string_view user_key = UserKeyOf(internal_key);
  const int order = user_key.substr(0, common_.size()).compare(common_);
  if (order != 0) return order < 0 ? 0 : count_;
  const uint64_t prefix = KeyPrefix(user_key.substr(common_.size()));
  // A prefix that differs decides; among equal ones the keys do.
  size_t low = PrefixLowerBound(prefixes_, prefix);
  size_t high = low;
  for (size_t step = 1; high < count_ && prefixes_[high] == prefix; step *= 2) {
    high = std::min(count_, high + step);
  }
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (CompareInternalKeys(separator(middle), internal_key) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace firn
