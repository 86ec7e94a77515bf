#include "engine/memtable.h"

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

int Memtable::EntryOrder::operator()(const char* entry, absl::string_view internal_key) const {
  return CompareInternalKeys(InternalKeyOf(entry), internal_key);
}

class Memtable::MemtableIterator final : public InternalIterator {
 public:
  explicit MemtableIterator(std::shared_ptr<const Memtable> memtable)
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
  }

  const std::shared_ptr<const Memtable> memtable_;
  const List::Node* node_ = nullptr;
  absl::string_view key_;
};

Memtable::Memtable() : list_(arena_, kHeightSeed), memory_(arena_.bytes_used()) {}

std::shared_ptr<Memtable> Memtable::Create() { return std::shared_ptr<Memtable>(new Memtable()); }

void Memtable::Add(SequenceNumber sequence, EntryKind kind, absl::string_view key,
                   absl::string_view value) {
  FIRN_CHECK(sequence.value >= 1 && sequence <= kMaxSequenceNumber);
  FIRN_CHECK(value.size() <= UINT32_MAX && key.size() <= UINT32_MAX - kInternalKeySuffixSize);
  const auto key_size = static_cast<uint32_t>(key.size() + kInternalKeySuffixSize);
  const auto value_size = static_cast<uint32_t>(value.size());
  const List::Fresh fresh = list_.Allocate(VarintSize(key_size) + key_size +
                                           VarintSize(value_size) + value_size);
  uint8_t* next = StoreVarint32(reinterpret_cast<uint8_t*>(fresh.entry), key_size);
  const auto* internal_key = reinterpret_cast<const char*>(next);
  if (!key.empty()) std::memcpy(next, key.data(), key.size());
  next += key.size();
  StoreFixed64(next, sequence.value << 8 | static_cast<uint64_t>(kind));
  next = StoreVarint32(next + kInternalKeySuffixSize, value_size);
  if (!value.empty()) std::memcpy(next, value.data(), value.size());
  list_.Insert(fresh, absl::string_view(internal_key, key_size));

  const uint64_t smallest = smallest_sequence_.load(std::memory_order_relaxed);
  if (smallest == 0 || sequence.value < smallest) {
    smallest_sequence_.store(sequence.value, std::memory_order_relaxed);
  }
  if (sequence.value > largest_sequence_.load(std::memory_order_relaxed)) {
    largest_sequence_.store(sequence.value, std::memory_order_relaxed);
  }
  entry_count_.store(entry_count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  memory_.store(arena_.bytes_used(), std::memory_order_relaxed);
}

std::optional<Memtable::Found> Memtable::Get(absl::string_view key,
                                             SequenceNumber sequence) const {
  const LookupKey target(key, sequence);
  const List::Node* node = list_.FindAtOrAfter(target.encoded());
  if (node == nullptr) return std::nullopt;
  const absl::string_view internal_key = InternalKeyOf(node->entry());
  if (UserKeyOf(internal_key) != key) return std::nullopt;
  return Found{.kind = KindOf(internal_key), .value = ValueOf(internal_key)};
}

std::unique_ptr<InternalIterator> Memtable::NewIterator() const {
  return std::make_unique<MemtableIterator>(shared_from_this());
}

}  // namespace firn
