#include "engine/memtable.h"

#include <algorithm>

#include "base/check.h"
#include "engine/append_memtable.h"
#include "engine/hash_memtable.h"
#include "engine/skip_list_memtable.h"

namespace firn {

std::shared_ptr<Memtable> Memtable::Create(KeyspaceLayout layout,
                                           uint64_t entries_expected) {
  switch (layout) {
    case KeyspaceLayout::kOrdered:
      return std::make_shared<SkipListMemtable>();
    case KeyspaceLayout::kHashed:
      return std::make_shared<HashMemtable>(entries_expected);
    case KeyspaceLayout::kSequence:
      return std::make_shared<AppendMemtable>();
  }
  FIRN_CHECK(false);
}

void Memtable::Add(SequenceNumber sequence, EntryKind kind, absl::string_view key,
                   absl::string_view value) {
  const MemtableEntry entry{sequence, kind, key, value};
  AddMany(absl::MakeConstSpan(&entry, 1));
}

void Memtable::GetMany(absl::Span<SegmentLookup* const> lookups, SequenceNumber sequence) const {
  for (SegmentLookup* const lookup : lookups) {
    const std::optional<Found> found = Get(lookup->user_key, sequence);
    if (found.has_value()) Answer(*lookup, *found);
  }
}

void Memtable::Answer(SegmentLookup& lookup, const Found& found) const {
  lookup.found = FoundEntry{.kind = found.kind,
                            .sequence = {},
                            .value = found.value,
                            .pin = shared_from_this()};
}

void Memtable::AddMany(absl::Span<const MemtableEntry> entries) {
  if (entries.empty()) return;
  uint64_t smallest = smallest_sequence_.load(std::memory_order_relaxed);
  if (smallest == 0) smallest = UINT64_MAX;
  uint64_t largest = largest_sequence_.load(std::memory_order_relaxed);
  for (const MemtableEntry& entry : entries) {
    FIRN_CHECK(entry.sequence.value >= 1 && entry.sequence <= kMaxSequenceNumber);
    FIRN_CHECK(entry.value.size() <= UINT32_MAX &&
               entry.key.size() <= UINT32_MAX - kInternalKeySuffixSize);
    smallest = std::min(smallest, entry.sequence.value);
    largest = std::max(largest, entry.sequence.value);
  }
  Insert(entries);
  smallest_sequence_.store(smallest, std::memory_order_relaxed);
  largest_sequence_.store(largest, std::memory_order_relaxed);
  entry_count_.store(entry_count_.load(std::memory_order_relaxed) + entries.size(),
                     std::memory_order_relaxed);
  SetMemory(MemoryInUse());
}

}  // namespace firn
