#include "engine/skip_list_memtable.h"

#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/coding.h"

namespace firn {
namespace {

constexpr uint64_t kHeightSeed = 0x6669726e;  // any: heights need not differ between memtables

// What Add() wrote: it needs no bounds.
absl::string_view LoadPrefixed(const char* text) {
  const uint8_t* next = reinterpret_cast<const uint8_t*>(text);
  uint32_t size = *next++;
  if (size >= 0x80) [[unlikely]] {
    size &= 0x7f;
    for (uint32_t shift = 7;; shift += 7) {
      const uint32_t byte = *next++;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
  }
  return absl::string_view(reinterpret_cast<const char*>(next), size);
}

absl::string_view InternalKeyOf(const char* entry) { return LoadPrefixed(entry); }

absl::string_view ValueOf(absl::string_view internal_key) {
  return LoadPrefixed(internal_key.data() + internal_key.size());
}

}  // namespace

int SkipListMemtable::EntryOrder::operator()(const char* entry,
                                             absl::string_view internal_key) const {
  const absl::string_view own = InternalKeyOf(entry);
  // Most keys differ in their first 8 bytes: then two loads decide, and no call.
  constexpr size_t kPrefix = sizeof(uint64_t);
  if (own.size() >= kPrefix + kInternalKeySuffixSize &&
      internal_key.size() >= kPrefix + kInternalKeySuffixSize) {
    const uint64_t a = LoadBigEndian64(reinterpret_cast<const uint8_t*>(own.data()));
    const uint64_t b = LoadBigEndian64(reinterpret_cast<const uint8_t*>(internal_key.data()));
    if (a != b) return a < b ? -1 : 1;
  }
  return CompareInternalKeys(own, internal_key);
}

class SkipListMemtable::EntryIterator final : public InternalIterator {
 public:
  explicit EntryIterator(std::shared_ptr<const SkipListMemtable> memtable)
      : memtable_(std::move(memtable)) {}

  bool Valid() const override { return node_ != nullptr; }
  void SeekToFirst() override { MoveTo(memtable_->list_.First()); }
  void SeekToLast() override { MoveTo(memtable_->list_.Last()); }
  void Seek(absl::string_view target) override { MoveTo(memtable_->list_.FindAtOrAfter(target)); }
  void Next() override {
    FIRN_DCHECK(Valid());
    MoveTo(List::Next(node_));
  }
  void Prev() override {
    FIRN_DCHECK(Valid());
    MoveTo(memtable_->list_.FindLastBefore(key_));
  }
  absl::string_view key() const override { return key_; }
  absl::string_view value() const override { return ValueOf(key_); }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  void MoveTo(const List::Node* node) {
    node_ = node;
    key_ = node == nullptr ? absl::string_view() : InternalKeyOf(node->entry());
    if (node != nullptr) __builtin_prefetch(List::Next(node));  // who walks goes on
  }

  const std::shared_ptr<const SkipListMemtable> memtable_;
  const List::Node* node_ = nullptr;
  absl::string_view key_;
};

SkipListMemtable::SkipListMemtable() : list_(arena_, kHeightSeed) { SetMemory(MemoryInUse()); }

void SkipListMemtable::Insert(absl::Span<const MemtableEntry> entries) {
  for (const MemtableEntry& entry : entries) {
    const auto key_size = static_cast<uint32_t>(entry.key.size() + kInternalKeySuffixSize);
    const auto value_size = static_cast<uint32_t>(entry.value.size());
    const List::Fresh fresh = list_.Allocate(VarintSize(key_size) + key_size +
                                             VarintSize(value_size) + value_size);
    uint8_t* next = StoreVarint32(reinterpret_cast<uint8_t*>(fresh.entry), key_size);
    const auto* internal_key = reinterpret_cast<const char*>(next);
    if (!entry.key.empty()) std::memcpy(next, entry.key.data(), entry.key.size());
    next += entry.key.size();
    StoreFixed64(next, entry.sequence.value << 8 | static_cast<uint64_t>(entry.kind));
    next = StoreVarint32(next + kInternalKeySuffixSize, value_size);
    if (!entry.value.empty()) std::memcpy(next, entry.value.data(), entry.value.size());
    list_.Insert(fresh, absl::string_view(internal_key, key_size));
  }
}

std::optional<Memtable::Found> SkipListMemtable::Get(absl::string_view key,
                                                     SequenceNumber sequence) const {
  const LookupKey target(key, sequence);
  const List::Node* node = list_.FindAtOrAfter(target.encoded());
  if (node == nullptr) return std::nullopt;
  const absl::string_view internal_key = InternalKeyOf(node->entry());
  if (UserKeyOf(internal_key) != key) return std::nullopt;
  return Found{.kind = KindOf(internal_key), .value = ValueOf(internal_key)};
}

std::unique_ptr<InternalIterator> SkipListMemtable::NewIterator() const {
  return std::make_unique<EntryIterator>(
      std::static_pointer_cast<const SkipListMemtable>(shared_from_this()));
}

}  // namespace firn
