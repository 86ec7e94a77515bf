// engine/memtable.h: the newest writes of one keyspace, sorted in memory until a flush.
//
// A skip list of internal keys (engine/skip_list.h) in an arena. One thread at a time adds; any
// number read meanwhile, without a lock. What a reader finds is a view into the arena: it lives as
// long as the memtable, so hold the shared_ptr with it (iterators do).
//
// A node holds one entry:   varint32 size of internal key | internal key | varint32 size | value
#ifndef FIRN_ENGINE_MEMTABLE_H_
#define FIRN_ENGINE_MEMTABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "base/arena.h"
#include "base/types.h"
#include "engine/skip_list.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"

namespace firn {

class Memtable : public std::enable_shared_from_this<Memtable> {
 public:
  struct Found {
    EntryKind kind = EntryKind::kPut;
    absl::string_view value;  // empty for a tombstone
  };

  static std::shared_ptr<Memtable> Create();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // One thread at a time. `sequence` was not used before in this memtable (FIRN_DCHECK for the same
  // key); sequences may come in any order. Readers see the entry as soon as the call returns: they
  // hide it by reading at a lower sequence.
  void Add(SequenceNumber sequence, EntryKind kind, absl::string_view key, absl::string_view value);

  // The newest entry for `key` at or below `sequence`; a tombstone is an answer. Allocates only for
  // keys beyond 120 bytes. Thread-safe.
  std::optional<Found> Get(absl::string_view key, SequenceNumber sequence) const;

  // All entries, newer ones as they come; both directions; holds a reference to this memtable.
  std::unique_ptr<InternalIterator> NewIterator() const;

  // Thread-safe; exact when nobody adds.
  size_t ApproximateMemory() const { return memory_.load(std::memory_order_relaxed); }
  uint64_t entry_count() const { return entry_count_.load(std::memory_order_relaxed); }
  bool empty() const { return entry_count() == 0; }
  // Zero while empty.
  SequenceNumber smallest_sequence() const {
    return {smallest_sequence_.load(std::memory_order_relaxed)};
  }
  SequenceNumber largest_sequence() const {
    return {largest_sequence_.load(std::memory_order_relaxed)};
  }

 private:
  struct EntryOrder {
    int operator()(const char* entry, absl::string_view internal_key) const;
  };
  using List = SkipList<EntryOrder>;
  class MemtableIterator;

  Memtable();

  Arena arena_;  // the adding thread's; readers see what it handed out
  List list_;
  std::atomic<size_t> memory_;  // bytes used of the arena, for other threads
  std::atomic<uint64_t> entry_count_{0};
  std::atomic<uint64_t> smallest_sequence_{0};
  std::atomic<uint64_t> largest_sequence_{0};
};

}  // namespace firn

#endif  // FIRN_ENGINE_MEMTABLE_H_
