// tests/support/vector_iterator.h: an InternalIterator over entries in a vector.
#ifndef FIRN_TESTS_SUPPORT_VECTOR_ITERATOR_H_
#define FIRN_TESTS_SUPPORT_VECTOR_ITERATOR_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/check.h"
#include "base/types.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"

namespace firn {

// An encoded internal key and its value.
struct StoredEntry {
  std::string key;
  std::string value;
  friend bool operator==(const StoredEntry&, const StoredEntry&) = default;
};

inline StoredEntry MakePut(absl::string_view key, uint64_t sequence, absl::string_view value) {
  return {EncodeInternalKey({.user_key = key, .sequence = {sequence}, .kind = EntryKind::kPut}),
          std::string(value)};
}
inline StoredEntry MakeTombstone(absl::string_view key, uint64_t sequence) {
  return {EncodeInternalKey(
              {.user_key = key, .sequence = {sequence}, .kind = EntryKind::kTombstone}),
          ""};
}
inline bool InKeyOrder(const StoredEntry& a, const StoredEntry& b) {
  return CompareInternalKeys(a.key, b.key) < 0;
}

// Views are copied into storage of its own and overwritten at each move, so that a user who keeps one
// too long is found out. With an `error`, reading past the last entry gives it.
class VectorIterator final : public InternalIterator {
 public:
  // Sorts the entries.
  explicit VectorIterator(std::vector<StoredEntry> entries,
                          absl::Status error = absl::OkStatus())
      : entries_(std::move(entries)), error_(std::move(error)) {
    std::sort(entries_.begin(), entries_.end(), InKeyOrder);
    position_ = entries_.size();
  }

  bool Valid() const override { return status_.ok() && position_ < entries_.size(); }
  void SeekToFirst() override { MoveTo(0); }
  void SeekToLast() override { MoveTo(entries_.empty() ? 0 : entries_.size() - 1); }
  void Seek(absl::string_view target) override {
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), target, [](const StoredEntry& entry, auto sought) {
          return CompareInternalKeys(entry.key, sought) < 0;
        });
    MoveTo(static_cast<size_t>(found - entries_.begin()));
  }
  void Next() override {
    FIRN_CHECK(Valid());
    MoveTo(position_ + 1);
  }
  void Prev() override {
    FIRN_CHECK(Valid());
    MoveTo(position_ == 0 ? entries_.size() : position_ - 1);
    if (!Valid()) status_ = absl::OkStatus();  // off the front, where no error waits
  }
  absl::string_view key() const override {
    FIRN_CHECK(Valid());
    return current_->key;
  }
  absl::string_view value() const override {
    FIRN_CHECK(Valid());
    return current_->value;
  }
  absl::Status status() const override { return status_; }
  // Runs of uneven sizes.
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override {
    FIRN_CHECK(Valid() && !run.empty());
    const size_t wanted = std::min(run.size(), 1 + runs_++ * 7 % kRunMax);
    size_t taken = 1;
    while (taken < wanted && position_ + taken < entries_.size() &&
           (limit.empty() || CompareInternalKeys(entries_[position_ + taken].key, limit) < 0)) {
      ++taken;
    }
    auto copies = std::make_unique<std::vector<StoredEntry>>(
        entries_.begin() + static_cast<ptrdiff_t>(position_),
        entries_.begin() + static_cast<ptrdiff_t>(position_ + taken));
    for (size_t i = 0; i < taken; ++i) run[i] = {(*copies)[i].key, (*copies)[i].value};
    MoveTo(position_ + taken - 1);
    run_ = std::move(copies);
    return taken;
  }

 private:
  void MoveTo(size_t position) {
    if (!status_.ok()) return;
    run_.reset();
    position_ = position;
    if (position_ < entries_.size()) {
      current_ = std::make_unique<StoredEntry>(entries_[position_]);
    } else {
      current_.reset();
      status_ = error_;
    }
  }

  std::vector<StoredEntry> entries_;
  const absl::Status error_;
  absl::Status status_;
  size_t position_;
  std::unique_ptr<StoredEntry> current_;
  std::unique_ptr<std::vector<StoredEntry>> run_;  // what the last run shows
  size_t runs_ = 0;
};

inline std::unique_ptr<InternalIterator> NewVectorIterator(std::vector<StoredEntry> entries) {
  return std::make_unique<VectorIterator>(std::move(entries));
}

// Everything from the first entry on.
inline std::vector<StoredEntry> ReadAll(InternalIterator& iterator) {
  std::vector<StoredEntry> entries;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    entries.push_back({std::string(iterator.key()), std::string(iterator.value())});
  }
  return entries;
}

}  // namespace firn

#endif  // FIRN_TESTS_SUPPORT_VECTOR_ITERATOR_H_
