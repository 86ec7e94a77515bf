// engine/hash_memtable.h: the memtable of the hashed layout: a hash table over entries that stand in
// an arena in the order in which they came.
//
// Table: open addressing, linear probing, at most half full. A slot is one word: the upper 16 bits
// are bits of the key's hash, so that a foreign key is told apart without a look at its entry, the
// lower 48 the address of the newest entry of a key; 0: none. Older entries of the key hang behind
// it, newest first. A table that is half full is replaced by one of twice the size; the old one
// stays until the memtable goes, for readers that are in it (together they are as large as the last).
// A reader in an old table misses only what came after it took its sequence number.
//
// Publication: the adding thread fills an entry, then stores its address with release order into a
// slot, an `older` link and the arrival list; readers load with acquire.
// Order: a scan sorts addresses on demand. The sorted addresses are kept, and later ones merged in,
// under a mutex that only scans take.
#ifndef FIRN_ENGINE_HASH_MEMTABLE_H_
#define FIRN_ENGINE_HASH_MEMTABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/arena.h"
#include "base/mutex.h"
#include "engine/memtable.h"

namespace firn {

class HashMemtable final : public Memtable {
 public:
  explicit HashMemtable(uint64_t keys_expected = 0);

  // One growth to the size that it takes, instead of many.
  void Reserve(uint64_t entries) override;
  // No lock, no allocation; one cache miss in the table, one for the entry.
  std::optional<Found> Get(absl::string_view key, SequenceNumber sequence) const override;
  // In rounds: slots of all keys, then entries of all, so that their cache misses overlap.
  void GetMany(absl::Span<SegmentLookup* const> lookups, SequenceNumber sequence) const override;
  // The entries so far. Sorts what came since the last one was made.
  std::unique_ptr<InternalIterator> NewIterator() const override;
  // In the order of arrival.
  std::unique_ptr<InternalIterator> NewFlushIterator() const override;

 private:
  // In the arena, with the internal key and the value right behind it.
  struct Entry {
    std::atomic<Entry*> next{nullptr};   // in the order of arrival
    std::atomic<Entry*> older{nullptr};  // of the same key
    uint32_t key_size = 0;               // internal key
    uint32_t value_size = 0;

    const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
    absl::string_view internal_key() const { return absl::string_view(bytes(), key_size); }
    absl::string_view value() const { return absl::string_view(bytes() + key_size, value_size); }
  };
  struct Table {
    explicit Table(size_t size)  // a power of two
        : mask(size - 1), slots(std::make_unique<std::atomic<uint64_t>[]>(size)) {}
    const size_t mask;
    const std::unique_ptr<std::atomic<uint64_t>[]> slots;
  };
  using Sorted = std::vector<const Entry*>;
  class SortedIterator;
  class ArrivalIterator;

  // The newest entry of `key` from slot `at` on; null if there is none.
  static const Entry* FindFrom(const Table& table, size_t at, uint64_t hash, absl::string_view key);
  // The newest at or below `sequence` of `newest` and what hangs behind it.
  static std::optional<Found> VisibleOf(const Entry* newest, SequenceNumber sequence);
  void Insert(absl::Span<const MemtableEntry> entries) override;
  size_t MemoryInUse() const override { return arena_.bytes_used() + table_bytes_; }
  Entry* NewEntry(const MemtableEntry& entry);
  void Link(Entry* entry, uint64_t hash);  // into the table
  void LinkVersion(std::atomic<uint64_t>& slot, uint64_t tag, Entry* newest, Entry* entry);
  void Grow(size_t size);  // to a power of two above its present size
  std::shared_ptr<const Sorted> SortedEntries() const ABSL_LOCKS_EXCLUDED(sorted_mutex_);

  // The adding thread's, but for what is atomic.
  Arena arena_;
  std::vector<std::unique_ptr<Table>> tables_;  // the last one is in force
  size_t table_bytes_ = 0;
  size_t key_count_ = 0;
  Entry head_;  // of the arrival list; no entry itself
  Entry* last_ = &head_;
  std::atomic<Table*> table_;

  mutable Mutex sorted_mutex_;
  mutable std::shared_ptr<const Sorted> sorted_ ABSL_GUARDED_BY(sorted_mutex_);
  mutable const Entry* sorted_last_ ABSL_GUARDED_BY(sorted_mutex_) = &head_;  // the last to arrive
};

}  // namespace firn

#endif  // FIRN_ENGINE_HASH_MEMTABLE_H_
