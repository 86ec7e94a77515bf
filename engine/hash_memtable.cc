#include "engine/hash_memtable.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/hash.h"

namespace firn {
namespace {

constexpr size_t kFirstTableSize = 64;  // small: there may be ten thousand keyspaces
constexpr uint64_t kKeysExpectedMax = uint64_t{1} << 24;  // a guess is no reason for a huge table
constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - 1;
constexpr size_t kPrefetched = 32;  // entries whose slots are fetched together

uint64_t HashOf(absl::string_view user_key) { return Hash64(user_key); }
uint64_t TagOf(uint64_t hash) { return hash & ~kAddressMask; }

}  // namespace

HashMemtable::HashMemtable(uint64_t keys_expected) {
  const uint64_t keys = std::min(keys_expected, kKeysExpectedMax);
  const size_t size = std::max(kFirstTableSize, std::bit_ceil(static_cast<size_t>(2 * keys)));
  tables_.push_back(std::make_unique<Table>(size));
  table_bytes_ = size * sizeof(uint64_t);
  table_.store(tables_.back().get(), std::memory_order_release);
}

// --- adding

HashMemtable::Entry* HashMemtable::NewEntry(const MemtableEntry& entry) {
  const size_t key_size = entry.key.size() + kInternalKeySuffixSize;
  char* memory =
      arena_.Allocate(sizeof(Entry) + key_size + entry.value.size(), alignof(Entry));
  // User-space addresses have 47 bits on x86-64; 48 at most elsewhere.
  FIRN_DCHECK((reinterpret_cast<uintptr_t>(memory) & ~kAddressMask) == 0);
  Entry* made = new (memory) Entry;
  made->key_size = static_cast<uint32_t>(key_size);
  made->value_size = static_cast<uint32_t>(entry.value.size());
  char* next = memory + sizeof(Entry);
  if (!entry.key.empty()) std::memcpy(next, entry.key.data(), entry.key.size());
  next += entry.key.size();
  StoreFixed64(reinterpret_cast<uint8_t*>(next),
               entry.sequence.value << 8 | static_cast<uint64_t>(entry.kind));
  next += kInternalKeySuffixSize;
  if (!entry.value.empty()) std::memcpy(next, entry.value.data(), entry.value.size());
  return made;
}

void HashMemtable::Insert(absl::Span<const MemtableEntry> entries) {
  for (size_t begin = 0; begin < entries.size(); begin += kPrefetched) {
    const absl::Span<const MemtableEntry> some = entries.subspan(begin, kPrefetched);
    while ((key_count_ + some.size()) * 2 > tables_.back()->mask) {
      Grow(2 * (tables_.back()->mask + 1));
    }
    const Table& table = *tables_.back();
    std::array<uint64_t, kPrefetched> hashes;
    for (size_t i = 0; i < some.size(); ++i) {
      hashes[i] = HashOf(some[i].key);
      __builtin_prefetch(&table.slots[hashes[i] & table.mask], 1);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      Entry* entry = NewEntry(some[i]);
      Link(entry, hashes[i]);
      last_->next.store(entry, std::memory_order_release);
      last_ = entry;
    }
  }
}

void HashMemtable::Link(Entry* entry, uint64_t hash) {
  const Table& table = *tables_.back();
  const absl::string_view user_key = UserKeyOf(entry->internal_key());
  for (size_t at = hash & table.mask;; at = (at + 1) & table.mask) {
    std::atomic<uint64_t>& slot = table.slots[at];
    const uint64_t word = slot.load(std::memory_order_relaxed);
    if (word == 0) {
      slot.store(TagOf(hash) | reinterpret_cast<uintptr_t>(entry), std::memory_order_release);
      ++key_count_;
      return;
    }
    if (TagOf(word) != TagOf(hash)) continue;
    auto* newest = reinterpret_cast<Entry*>(word & kAddressMask);
    if (UserKeyOf(newest->internal_key()) != user_key) continue;
    return LinkVersion(slot, TagOf(hash), newest, entry);
  }
}

// Almost always the newest of its key; a place further down is found for the rest.
void HashMemtable::LinkVersion(std::atomic<uint64_t>& slot, uint64_t tag, Entry* newest,
                               Entry* entry) {
  const uint64_t suffix = SuffixOf(entry->internal_key());
  FIRN_DCHECK(SuffixOf(newest->internal_key()) != suffix);
  if (SuffixOf(newest->internal_key()) < suffix) {
    entry->older.store(newest, std::memory_order_relaxed);
    slot.store(tag | reinterpret_cast<uintptr_t>(entry), std::memory_order_release);
    return;
  }
  Entry* above = newest;
  Entry* below = above->older.load(std::memory_order_relaxed);
  while (below != nullptr && SuffixOf(below->internal_key()) > suffix) {
    above = below;
    below = above->older.load(std::memory_order_relaxed);
  }
  entry->older.store(below, std::memory_order_relaxed);
  above->older.store(entry, std::memory_order_release);
}

void HashMemtable::Reserve(uint64_t entries) {
  const uint64_t keys = key_count_ + std::min(entries, kKeysExpectedMax);
  const size_t size = std::bit_ceil(static_cast<size_t>(2 * keys + 1));
  if (size > tables_.back()->mask + 1) Grow(size);
}

void HashMemtable::Grow(size_t size) {
  const Table& old = *tables_.back();
  auto grown = std::make_unique<Table>(size);
  constexpr size_t kAhead = 16;  // entries are read again for their hash: ask for them in time
  for (size_t at = 0; at <= old.mask; ++at) {
    if (at + kAhead <= old.mask) {
      const uint64_t ahead = old.slots[at + kAhead].load(std::memory_order_relaxed);
      const auto* entry = reinterpret_cast<const Entry*>(ahead & kAddressMask);
      if (entry != nullptr) __builtin_prefetch(entry);
    }
    const uint64_t word = old.slots[at].load(std::memory_order_relaxed);
    if (word == 0) continue;
    const auto* entry = reinterpret_cast<const Entry*>(word & kAddressMask);
    size_t to = HashOf(UserKeyOf(entry->internal_key())) & grown->mask;
    while (grown->slots[to].load(std::memory_order_relaxed) != 0) to = (to + 1) & grown->mask;
    grown->slots[to].store(word, std::memory_order_relaxed);
  }
  table_bytes_ += size * sizeof(uint64_t);
  table_.store(grown.get(), std::memory_order_release);
  tables_.push_back(std::move(grown));
}

// --- reading

const HashMemtable::Entry* HashMemtable::FindFrom(const Table& table, size_t at, uint64_t hash,
                                                  absl::string_view key) {
  for (;; at = (at + 1) & table.mask) {
    const uint64_t word = table.slots[at].load(std::memory_order_acquire);
    if (word == 0) return nullptr;
    if (TagOf(word) != TagOf(hash)) continue;
    const auto* entry = reinterpret_cast<const Entry*>(word & kAddressMask);
    if (UserKeyOf(entry->internal_key()) == key) return entry;
  }
}

std::optional<Memtable::Found> HashMemtable::VisibleOf(const Entry* newest,
                                                       SequenceNumber sequence) {
  for (const Entry* entry = newest; entry != nullptr;
       entry = entry->older.load(std::memory_order_acquire)) {
    if (SequenceOf(entry->internal_key()) > sequence) continue;
    return Found{.kind = KindOf(entry->internal_key()), .value = entry->value()};
  }
  return std::nullopt;
}

std::optional<Memtable::Found> HashMemtable::Get(absl::string_view key,
                                                 SequenceNumber sequence) const {
  const uint64_t hash = HashOf(key);
  const Table& table = *table_.load(std::memory_order_acquire);
  return VisibleOf(FindFrom(table, hash & table.mask, hash, key), sequence);
}

void HashMemtable::GetMany(absl::Span<SegmentLookup* const> lookups,
                           SequenceNumber sequence) const {
  const Table& table = *table_.load(std::memory_order_acquire);
  for (size_t begin = 0; begin < lookups.size(); begin += kPrefetched) {
    const absl::Span<SegmentLookup* const> some = lookups.subspan(begin, kPrefetched);
    std::array<uint64_t, kPrefetched> hashes;
    std::array<size_t, kPrefetched> places;
    for (size_t i = 0; i < some.size(); ++i) {
      hashes[i] = HashOf(some[i]->user_key);
      __builtin_prefetch(&table.slots[hashes[i] & table.mask]);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      // The first slot that may be the key's, or the empty one that says that there is none.
      size_t& at = places[i] = hashes[i] & table.mask;
      uint64_t word = table.slots[at].load(std::memory_order_acquire);
      while (word != 0 && TagOf(word) != TagOf(hashes[i])) {
        at = (at + 1) & table.mask;
        word = table.slots[at].load(std::memory_order_acquire);
      }
      if (word != 0) __builtin_prefetch(reinterpret_cast<const Entry*>(word & kAddressMask));
    }
    for (size_t i = 0; i < some.size(); ++i) {
      const std::optional<Found> found =
          VisibleOf(FindFrom(table, places[i], hashes[i], some[i]->user_key), sequence);
      if (found.has_value()) Answer(*some[i], *found);
    }
  }
}

class HashMemtable::SortedIterator final : public InternalIterator {
 public:
  SortedIterator(std::shared_ptr<const HashMemtable> memtable,
                 std::shared_ptr<const Sorted> entries)
      : memtable_(std::move(memtable)), entries_(std::move(entries)), at_(entries_->size()) {}

  bool Valid() const override { return at_ < entries_->size(); }
  void SeekToFirst() override { at_ = 0; }
  void SeekToLast() override { at_ = entries_->empty() ? 0 : entries_->size() - 1; }
  void Seek(absl::string_view target) override {
    const auto found = std::partition_point(
        entries_->begin(), entries_->end(), [target](const Entry* entry) {
          return CompareInternalKeys(entry->internal_key(), target) < 0;
        });
    at_ = static_cast<size_t>(found - entries_->begin());
  }
  void Next() override {
    FIRN_DCHECK(Valid());
    ++at_;
  }
  void Prev() override {
    FIRN_DCHECK(Valid());
    at_ = at_ == 0 ? entries_->size() : at_ - 1;
  }
  absl::string_view key() const override { return (*entries_)[at_]->internal_key(); }
  absl::string_view value() const override { return (*entries_)[at_]->value(); }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  const std::shared_ptr<const HashMemtable> memtable_;
  const std::shared_ptr<const Sorted> entries_;
  size_t at_;
};

class HashMemtable::ArrivalIterator final : public InternalIterator {
 public:
  explicit ArrivalIterator(std::shared_ptr<const HashMemtable> memtable)
      : memtable_(std::move(memtable)) {}

  bool Valid() const override { return entry_ != nullptr; }
  void SeekToFirst() override { entry_ = memtable_->head_.next.load(std::memory_order_acquire); }
  void Next() override {
    FIRN_DCHECK(Valid());
    entry_ = entry_->next.load(std::memory_order_acquire);
  }
  absl::string_view key() const override { return entry_->internal_key(); }
  absl::string_view value() const override { return entry_->value(); }
  absl::Status status() const override { return absl::OkStatus(); }
  // Arrival has no way back, and keys have no place in it.
  void SeekToLast() override { FIRN_CHECK(false); }
  void Seek(absl::string_view /*target*/) override { FIRN_CHECK(false); }
  void Prev() override { FIRN_CHECK(false); }

 private:
  const std::shared_ptr<const HashMemtable> memtable_;
  const Entry* entry_ = nullptr;
};

std::shared_ptr<const HashMemtable::Sorted> HashMemtable::SortedEntries() const {
  struct Fresh {
    uint64_t prefix;
    const Entry* entry;
  };
  MutexLock lock(sorted_mutex_);
  std::vector<Fresh> fresh;
  const Entry* last = sorted_last_;
  for (const Entry* entry = last->next.load(std::memory_order_acquire); entry != nullptr;
       entry = entry->next.load(std::memory_order_acquire)) {
    fresh.push_back({KeyPrefix(UserKeyOf(entry->internal_key())), entry});
    last = entry;
  }
  if (fresh.empty() && sorted_ != nullptr) return sorted_;
  std::sort(fresh.begin(), fresh.end(), [](const Fresh& a, const Fresh& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return CompareInternalKeys(a.entry->internal_key(), b.entry->internal_key()) < 0;
  });
  auto merged = std::make_shared<Sorted>();
  merged->reserve(fresh.size() + (sorted_ == nullptr ? 0 : sorted_->size()));
  auto next = fresh.begin();
  if (sorted_ != nullptr) {
    for (const Entry* entry : *sorted_) {
      while (next != fresh.end() && CompareInternalKeys(next->entry->internal_key(),
                                                        entry->internal_key()) < 0) {
        merged->push_back((next++)->entry);
      }
      merged->push_back(entry);
    }
  }
  for (; next != fresh.end(); ++next) merged->push_back(next->entry);
  sorted_ = std::move(merged);
  sorted_last_ = last;
  return sorted_;
}

std::unique_ptr<InternalIterator> HashMemtable::NewIterator() const {
  return std::make_unique<SortedIterator>(
      std::static_pointer_cast<const HashMemtable>(shared_from_this()), SortedEntries());
}

std::unique_ptr<InternalIterator> HashMemtable::NewFlushIterator() const {
  return std::make_unique<ArrivalIterator>(
      std::static_pointer_cast<const HashMemtable>(shared_from_this()));
}

}  // namespace firn
