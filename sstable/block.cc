#include "sstable/block.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/segment_format.h"

namespace firn {
namespace {

// The fixed-size head of an entry and what follows from it.
struct Entry {
  uint32_t shared;
  absl::string_view rest;
  absl::string_view value;
  uint32_t limit;  // where the next entry begins
};

// The entry at `offset` of `block`; none if it does not fit in front of the restart points.
std::optional<Entry> ReadEntry(const Block& block, uint32_t offset) {
  ByteReader reader(block.bytes().subspan(offset, block.entries_limit() - offset));
  const std::optional<uint32_t> shared = reader.ReadVarint32();
  if (!shared.has_value()) return std::nullopt;
  const std::optional<uint32_t> rest_size = reader.ReadVarint32();
  if (!rest_size.has_value()) return std::nullopt;
  const std::optional<uint32_t> value_size = reader.ReadVarint32();
  if (!value_size.has_value()) return std::nullopt;
  const std::optional<absl::string_view> rest = reader.ReadText(*rest_size);
  if (!rest.has_value()) return std::nullopt;
  const std::optional<absl::string_view> value = reader.ReadText(*value_size);
  if (!value.has_value()) return std::nullopt;
  return Entry{.shared = *shared,
               .rest = *rest,
               .value = *value,
               .limit = offset + static_cast<uint32_t>(reader.position())};
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Block>> Block::Create(BlockMemory bytes, size_t size) {
  const ByteSpan all(bytes.get(), size);
  if (size > kBlockSizeMax) {
    return CorruptionAt("block", 0, "size", {.expected = kBlockSizeMax, .actual = size});
  }
  if (size < 8) return CorruptionAt("block", 0, "too small", {.expected = 8, .actual = size});
  const uint32_t restart_count = LoadFixed32(all.subspan(size - 4));
  const size_t restarts_max = (size - 4) / 4;
  if (restart_count == 0 || restart_count > restarts_max) {
    return CorruptionAt("block", size - 4, "number of restart points",
                        {.expected = restarts_max, .actual = restart_count});
  }
  const auto limit = static_cast<uint32_t>(size - 4 - size_t{4} * restart_count);
  // Each restart point begins an entry, so they ascend from 0 and stay in front of the limit.
  uint64_t lowest = 0;
  for (uint32_t i = 0; i < restart_count; ++i) {
    const uint32_t restart = LoadFixed32(all.data() + limit + size_t{4} * i);
    if (restart < lowest || restart >= limit || (i == 0 && restart != 0)) {
      return CorruptionAt("block", limit + uint64_t{4} * i, "restart point",
                          {.expected = lowest, .actual = restart});
    }
    lowest = uint64_t{restart} + 1;
  }
  return MakeBlockContent<Block>(std::move(bytes), size, limit, restart_count);
}

uint32_t Block::restart(uint32_t index) const {
  FIRN_DCHECK(index < restart_count_);
  return LoadFixed32(bytes().data() + entries_limit_ + size_t{4} * index);
}

void BlockKeyBuffer::Extend(size_t shared, absl::string_view rest) {
  FIRN_DCHECK(shared <= view_.size());
  const size_t size = shared + rest.size();
  char* const present = heap_ != nullptr ? heap_.get() : inline_;
  char* target = present;
  std::unique_ptr<char[]> larger;
  if (size > std::max(heap_size_, sizeof(inline_))) {
    heap_size_ = 2 * size;
    larger = std::make_unique<char[]>(heap_size_);
    target = larger.get();
  }
  if (shared > 0 && view_.data() != target) std::memcpy(target, view_.data(), shared);
  if (!rest.empty()) std::memcpy(target + shared, rest.data(), rest.size());
  if (larger != nullptr) heap_ = std::move(larger);
  view_ = absl::string_view(target, size);
}

void BlockIterator::Reset(const Block* block) {
  block_ = block;
  offset_ = 0;
  next_offset_ = 0;
  valid_ = false;
  key_.Clear();
  value_ = absl::string_view();
  status_ = absl::OkStatus();
}

void BlockIterator::Fail(uint32_t offset, absl::string_view what) {
  valid_ = false;
  status_ = CorruptionAt("block", offset, what);
}

bool BlockIterator::DecodeEntryAt(uint32_t offset) {
  valid_ = false;
  offset_ = offset;
  if (offset >= block_->entries_limit()) return false;
  const std::optional<Entry> entry = ReadEntry(*block_, offset);
  if (!entry.has_value()) {
    Fail(offset, "entry runs past the end of the entries");
    return false;
  }
  if (entry->shared > key_.view().size()) {
    Fail(offset, "entry shares more bytes than the key before it has");
    return false;
  }
  if (entry->shared == 0) {
    key_.Refer(entry->rest);
  } else {
    key_.Extend(entry->shared, entry->rest);
  }
  if (!IsInternalKey(key_.view())) {
    Fail(offset, "key is no internal key");
    return false;
  }
  value_ = entry->value;
  next_offset_ = entry->limit;
  valid_ = true;
  return true;
}

bool BlockIterator::DecodeRestartKey(uint32_t index, absl::string_view& key) {
  const uint32_t offset = block_->restart(index);
  const std::optional<Entry> entry = ReadEntry(*block_, offset);
  if (!entry.has_value() || entry->shared != 0 || !IsInternalKey(entry->rest)) {
    Fail(offset, "no whole key at a restart point");
    return false;
  }
  key = entry->rest;
  return true;
}

void BlockIterator::SeekToRestart(uint32_t index) {
  key_.Clear();  // an entry that shares bytes is no restart point, and is refused
  // The first one is 0: no look at the far end of the block.
  DecodeEntryAt(index == 0 ? 0 : block_->restart(index));
}

void BlockIterator::SeekToFirst() {
  if (block_ == nullptr || !status_.ok()) return;
  SeekToRestart(0);
}

void BlockIterator::SeekToLast() {
  if (block_ == nullptr || !status_.ok()) return;
  SeekToRestart(block_->restart_count() - 1);
  while (valid_ && next_offset_ < block_->entries_limit()) DecodeEntryAt(next_offset_);
}

void BlockIterator::Seek(absl::string_view target) {
  if (block_ == nullptr || !status_.ok()) return;
  // The last restart point in front of the target, or the first of all.
  uint32_t low = 0;
  uint32_t high = block_->restart_count() - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    absl::string_view key;
    if (!DecodeRestartKey(middle, key)) return;
    if (CompareInternalKeys(key, target) < 0) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  SeekToRestart(low);
  const uint8_t* const entries = block_->data();
  while (valid_ && CompareInternalKeys(key_.view(), target) < 0) {
    // Each entry says where the next one begins, a miss after the other. Entries are often alike in size:
    // those after the next one are asked for where they would then be.
    const size_t size = next_offset_ - offset_;
    __builtin_prefetch(entries + next_offset_ + size);
    __builtin_prefetch(entries + next_offset_ + 2 * size);
    DecodeEntryAt(next_offset_);
  }
}

void BlockIterator::Next() {
  if (!status_.ok()) return;
  FIRN_DCHECK(valid_);
  DecodeEntryAt(next_offset_);
}

size_t BlockIterator::TakeRun(absl::Span<EntryView> run, absl::string_view limit) {
  FIRN_DCHECK(valid_);
  run.front() = {key_.view(), value_};
  if (run.size() == 1) return 1;
  if (run_keys_ == nullptr) run_keys_ = std::make_unique_for_overwrite<char[]>(2 * kRunKeysSize);
  absl::string_view key = key_.view();
  // The present key may be of the run before: then it stays, and the other half is written.
  const auto at = reinterpret_cast<uintptr_t>(key.data());
  const auto first_half = reinterpret_cast<uintptr_t>(run_keys_.get());
  const bool is_in_first = at >= first_half && at - first_half < kRunKeysSize;
  char* room = run_keys_.get() + (is_in_first ? kRunKeysSize : 0);
  const char* const room_end = room + kRunKeysSize;
  size_t taken = 1;
  while (taken < run.size() && next_offset_ < block_->entries_limit()) {
    const std::optional<Entry> entry = ReadEntry(*block_, next_offset_);
    if (!entry.has_value() || entry->shared > key.size()) break;
    absl::string_view next = entry->rest;
    if (entry->shared > 0) {
      const size_t size = entry->shared + next.size();
      if (size > static_cast<size_t>(room_end - room)) break;
      std::memcpy(room, key.data(), entry->shared);
      if (!next.empty()) std::memcpy(room + entry->shared, next.data(), next.size());
      next = absl::string_view(room, size);
      room += size;
    }
    if (!IsInternalKey(next)) break;
    if (!limit.empty() && CompareInternalKeys(next, limit) >= 0) break;
    run[taken++] = {next, entry->value};
    __builtin_prefetch(entry->value.data());
    key = next;
    value_ = entry->value;
    offset_ = next_offset_;
    next_offset_ = entry->limit;
  }
  key_.Refer(key);
  return taken;
}

void BlockIterator::Prev() {
  if (!status_.ok()) return;
  FIRN_DCHECK(valid_);
  const uint32_t origin = offset_;
  if (origin == 0) {
    valid_ = false;
    return;
  }
  // The last restart point in front of the present entry, then forward to the one before it.
  uint32_t low = 0;
  uint32_t high = block_->restart_count() - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (block_->restart(middle) < origin) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  SeekToRestart(low);
  while (valid_ && next_offset_ < origin) DecodeEntryAt(next_offset_);
}

}  // namespace firn
