#include "engine/append_memtable.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

// Piece p holds the indices from kFirst * (2^p - 1) on.
struct PieceIndex {
  size_t piece;
  size_t offset;
};

PieceIndex PieceOf(size_t index, size_t first) {
  const size_t shifted = index / first + 1;
  const auto piece = static_cast<size_t>(std::bit_width(shifted) - 1);
  return {piece, index - first * ((size_t{1} << piece) - 1)};
}

}  // namespace

const AppendMemtable::Place& AppendMemtable::At(size_t index) const {
  const PieceIndex place = PieceOf(index, kFirstPiece);
  return pieces_[place.piece][place.offset];
}

void AppendMemtable::Insert(absl::Span<const MemtableEntry> entries) {
  size_t count = count_.load(std::memory_order_relaxed);
  for (const MemtableEntry& entry : entries) {
    FIRN_CHECK(entry.kind == EntryKind::kPut && entry.key.size() == kSequenceKeySize);
    const uint64_t key = LoadSequenceKey(entry.key);
    if (count > 0) {
      const Place& last = At(count - 1);
      FIRN_CHECK(key > last.key && entry.sequence.value > last.sequence);
    }
    const PieceIndex index = PieceOf(count, kFirstPiece);
    FIRN_CHECK(index.piece < kPiecesMax);
    if (pieces_[index.piece] == nullptr) {
      const size_t size = kFirstPiece << index.piece;
      pieces_[index.piece] = std::make_unique_for_overwrite<Place[]>(size);
      pieces_bytes_ += size * sizeof(Place);
    }
    pieces_[index.piece][index.offset] = {
        .key = key,
        .sequence = entry.sequence.value,
        .value = arena_.Copy(entry.value).data(),
        .value_size = static_cast<uint32_t>(entry.value.size())};
    count_.store(++count, std::memory_order_release);  // publishes it
  }
}

size_t AppendMemtable::LowerBound(uint64_t key, size_t count) const {
  size_t begin = 0;      // every place before it is below `key`
  size_t limit = count;  // every place from it on is not
  // Keys without gaps are found by the first guess; a few more help where gaps are even.
  for (int guesses = 0; guesses < 3 && limit - begin > 8; ++guesses) {
    const uint64_t first = At(begin).key;
    const uint64_t last = At(limit - 1).key;
    if (key <= first) return begin;
    if (key > last) return limit;
    const double part = static_cast<double>(key - first) / static_cast<double>(last - first);
    const size_t guess =
        begin + std::min(limit - begin - 1,
                         static_cast<size_t>(part * static_cast<double>(limit - begin - 1)));
    const uint64_t there = At(guess).key;
    if (there == key) return guess;
    if (there < key) {
      begin = guess + 1;
    } else {
      limit = guess;
    }
  }
  while (begin < limit) {
    const size_t middle = begin + (limit - begin) / 2;
    if (At(middle).key < key) {
      begin = middle + 1;
    } else {
      limit = middle;
    }
  }
  return begin;
}

std::optional<Memtable::Found> AppendMemtable::Get(absl::string_view key,
                                                   SequenceNumber sequence) const {
  if (key.size() != kSequenceKeySize) return std::nullopt;
  const uint64_t number = LoadSequenceKey(key);
  const size_t count = count_.load(std::memory_order_acquire);
  const size_t found = LowerBound(number, count);
  if (found == count) return std::nullopt;
  const Place& place = At(found);
  if (place.key != number || place.sequence > sequence.value) return std::nullopt;
  return Found{.kind = EntryKind::kPut, .value = absl::string_view(place.value, place.value_size)};
}

// Shows newer entries as they come.
class AppendMemtable::PlaceIterator final : public InternalIterator {
 public:
  explicit PlaceIterator(std::shared_ptr<const AppendMemtable> memtable)
      : memtable_(std::move(memtable)) {}

  bool Valid() const override { return valid_; }
  void SeekToFirst() override { MoveTo(0); }
  void SeekToLast() override {
    const size_t count = Count();
    count == 0 ? Leave() : MoveTo(count - 1);
  }
  void Seek(absl::string_view target) override {
    const absl::string_view user_key = UserKeyOf(target);
    const uint64_t number = LoadSequenceKeyAtOrAfter(user_key).value_or(0);
    if (!LoadSequenceKeyAtOrAfter(user_key).has_value()) return Leave();
    const size_t count = Count();
    size_t found = memtable_->LowerBound(number, count);
    // The same user key: an entry with a higher number stands before the target.
    if (found < count) {
      MoveTo(found);
      if (CompareInternalKeys(key(), target) < 0) MoveTo(found + 1);
      return;
    }
    Leave();
  }
  void Next() override {
    FIRN_DCHECK(Valid());
    MoveTo(at_ + 1);
  }
  void Prev() override {
    FIRN_DCHECK(Valid());
    at_ == 0 ? Leave() : MoveTo(at_ - 1);
  }
  absl::string_view key() const override { return absl::string_view(key_, sizeof(key_)); }
  absl::string_view value() const override {
    const Place& place = memtable_->At(at_);
    return absl::string_view(place.value, place.value_size);
  }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  size_t Count() const { return memtable_->count_.load(std::memory_order_acquire); }
  void Leave() { valid_ = false; }
  void MoveTo(size_t index) {
    valid_ = index < Count();
    if (!valid_) return;
    at_ = index;
    const Place& place = memtable_->At(index);
    StoreSequenceKey(key_, place.key);
    StoreFixed64(reinterpret_cast<uint8_t*>(key_) + kSequenceKeySize,
                 place.sequence << 8 | static_cast<uint64_t>(EntryKind::kPut));
  }

  const std::shared_ptr<const AppendMemtable> memtable_;
  bool valid_ = false;
  size_t at_ = 0;
  char key_[kSequenceKeySize + kInternalKeySuffixSize] = {};
};

std::unique_ptr<InternalIterator> AppendMemtable::NewIterator() const {
  return std::make_unique<PlaceIterator>(
      std::static_pointer_cast<const AppendMemtable>(shared_from_this()));
}

}  // namespace firn
