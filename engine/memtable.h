// engine/memtable.h: the newest writes of one keyspace, in memory until a flush. How they are kept is
// the layout's matter; Create() is the one place that knows which there are:
//
//   ordered   skip_list_memtable.h   sorted at every moment
//   hashed    hash_memtable.h        a hash table in arrival order; sorted on demand
//   sequence  append_memtable.h      keys ascend as they come
//
// One thread at a time adds; any number read meanwhile. What a reader finds is a view into the
// memtable: it lives as long as that, so hold the shared_ptr with it (iterators do). Entries are never
// changed or freed before the memtable is.
#ifndef FIRN_ENGINE_MEMTABLE_H_
#define FIRN_ENGINE_MEMTABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "firn/options.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/segment_reader.h"

namespace firn {

// One write, on its way in.
struct MemtableEntry {
  SequenceNumber sequence;
  EntryKind kind = EntryKind::kPut;
  absl::string_view key;
  absl::string_view value;  // empty for a tombstone
};

class Memtable : public std::enable_shared_from_this<Memtable> {
 public:
  struct Found {
    EntryKind kind = EntryKind::kPut;
    absl::string_view value;  // empty for a tombstone
  };

  // `entries_expected`: a guess, such as how many the last memtable held; tables begin at that size.
  static std::shared_ptr<Memtable> Create(KeyspaceLayout layout = KeyspaceLayout::kOrdered,
                                          uint64_t entries_expected = 0);
  virtual ~Memtable() = default;
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // One thread at a time. A sequence was not used before in this memtable (FIRN_DCHECK for the same
  // key); sequences may come in any order, but in a sequence layout, where keys and sequences ascend
  // and only puts come (FIRN_CHECK: the caller has looked). Readers see an entry as soon as the call
  // returns: they hide it by reading at a lower sequence.
  void Add(SequenceNumber sequence, EntryKind kind, absl::string_view key, absl::string_view value);
  // The same for many, in order: what must be fetched from memory is fetched together.
  void AddMany(absl::Span<const MemtableEntry> entries);

  // A guess that so many entries more will come. The adding thread's.
  virtual void Reserve(uint64_t entries) { static_cast<void>(entries); }

  // The newest entry for `key` at or below `sequence`; a tombstone is an answer. Thread-safe.
  virtual std::optional<Found> Get(absl::string_view key, SequenceNumber sequence) const = 0;

  // Get() of each; `found`, with a pin on this memtable, where there is an entry (whose sequence number
  // is not told). Lookups without an entry stay as they are.
  virtual void GetMany(absl::Span<SegmentLookup* const> lookups, SequenceNumber sequence) const;

  // All entries that were added before, in the order of internal keys (newer ones may or may not be
  // seen); both directions; holds a reference to this memtable. Thread-safe.
  virtual std::unique_ptr<InternalIterator> NewIterator() const = 0;

  // All entries in the order in which a flush of this layout takes them (sstable/segment_writer.h):
  // that of internal keys, or that of arrival. Forward only: SeekToFirst() and Next(). For a memtable
  // that nobody adds to.
  virtual std::unique_ptr<InternalIterator> NewFlushIterator() const { return NewIterator(); }

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

 protected:
  Memtable() = default;

  void Answer(SegmentLookup& lookup, const Found& found) const;

  // Takes in entries whose sizes and sequences were checked.
  virtual void Insert(absl::Span<const MemtableEntry> entries) = 0;
  // Bytes that are in use now. The adding thread's.
  virtual size_t MemoryInUse() const = 0;
  // Constructors call it, when there is memory in use before the first entry.
  void SetMemory(size_t bytes) { memory_.store(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<size_t> memory_{0};
  std::atomic<uint64_t> entry_count_{0};
  std::atomic<uint64_t> smallest_sequence_{0};
  std::atomic<uint64_t> largest_sequence_{0};
};

}  // namespace firn

#endif  // FIRN_ENGINE_MEMTABLE_H_
