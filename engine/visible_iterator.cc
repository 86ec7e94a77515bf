#include "engine/visible_iterator.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// So many versions of one key are stepped over one by one before a seek leaves the key at once.
constexpr int kStepsBeforeSeek = 8;

// Neighbours mostly differ in their last bytes: then a load decides, and no call.
bool AreEqual(absl::string_view a, absl::string_view b) {
  if (a.size() != b.size()) return false;
  constexpr size_t kTail = sizeof(uint64_t);
  if (a.size() >= kTail) {
    uint64_t tail_a;
    uint64_t tail_b;
    std::memcpy(&tail_a, a.data() + a.size() - kTail, kTail);
    std::memcpy(&tail_b, b.data() + b.size() - kTail, kTail);
    if (tail_a != tail_b) return false;
    if (a.size() == kTail) return true;
  }
  return a == b;
}

// In front of all versions of `user_key`; empty if there is none.
std::string FirstKeyOf(const std::optional<std::string>& user_key) {
  if (!user_key.has_value()) return std::string();
  return EncodeInternalKey(
      {.user_key = *user_key, .sequence = kMaxSequenceNumber, .kind = kKindForSeek});
}

class VisibleIterator final : public Iterator {
 public:
  explicit VisibleIterator(VisibleIteratorParts parts)
      : pins_(std::move(parts.pins)),
        snapshot_(std::move(parts.snapshot)),
        sequence_(parts.sequence),
        begin_(std::move(parts.begin)),
        limit_(std::move(parts.limit)),
        source_(std::move(parts.source)),
        limit_key_(FirstKeyOf(limit_)) {}

  bool Valid() const override { return valid_; }
  absl::string_view key() const override {
    FIRN_DCHECK(valid_);
    return forward_ ? run_[at_].key : absl::string_view(saved_key_);
  }
  absl::string_view value() const override {
    FIRN_DCHECK(valid_);
    return forward_ ? run_[at_].value : absl::string_view(saved_value_);
  }
  absl::Status status() const override { return error_.ok() ? source_->status() : error_; }

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void SeekForPrev(absl::string_view target) override;
  void Next() override {
    if (at_ + 1 < shown_) {
      ++at_;
    } else {
      NextRun();
    }
  }
  void Prev() override;

 private:
  enum class Skip : uint8_t { kNothing, kSavedKey };

  // Next() where the run ends, or backward.
  void NextRun();
  // Keeps in run_ what a reader sees of the source's next run.
  void TakeRun();

  // To the first entry of `user_key` that `at_most` may see; past its entries if that is 0.
  void SeekSource(absl::string_view user_key, SequenceNumber at_most);
  // To the last entry before all of `user_key`, or to the source's last if there is none at or
  // after it.
  void SeekSourceBefore(absl::string_view user_key);
  // From where the source stands to the first key that a reader sees; entries of saved_key_ are
  // passed over if so asked.
  void FindForward(Skip skip);
  // From where the source stands back to the last key that a reader sees.
  void FindBackward();
  // The entry under the source; none (and error_) if it is malformed.
  std::optional<InternalKey> Decode();
  void FailMalformed();
  // To no entry.
  void Leave() {
    valid_ = false;
    at_ = 0;
    shown_ = 0;
  }
  void SaveKey(absl::string_view user_key) { saved_key_.assign(user_key.data(), user_key.size()); }

  const std::vector<std::shared_ptr<const void>> pins_;  // before source_: released after it
  const Snapshot snapshot_;
  const SequenceNumber sequence_;
  const std::string begin_;
  const std::optional<std::string> limit_;
  const std::unique_ptr<InternalIterator> source_;

  bool valid_ = false;
  // Forward: the current entry is run_[at_], and the source stands at the last of the entries that
  // were taken with it; the rest of saved_key_ is hidden if hiding_. Backward: before all entries of the current
  // key, which is saved with its value.
  bool forward_ = true;
  std::string saved_key_;
  std::string saved_value_;
  std::string target_;  // reused for seeks
  absl::Status error_;
  const std::string limit_key_;  // the first internal key that limit_ could have; empty: no limit

  size_t at_ = 0;
  size_t shown_ = 0;           // in run_: user keys and values; 0 unless valid and forward
  size_t taken_ = 0;           // of the source for them
  size_t run_wanted_ = 1;      // grows with use: who wants one entry pays for one
  int steps_ = 0;              // entries that were passed over since one was decided
  bool hiding_ = false;
  bool hidden_last_ = false;   // was the last of steps_ hidden, not too new?
  bool malformed_ = false;     // so is the entry behind the run
  std::array<EntryView, kRunMax> run_;
};

void VisibleIterator::SeekSource(absl::string_view user_key, SequenceNumber at_most) {
  target_.clear();
  AppendInternalKey(target_, {.user_key = user_key, .sequence = at_most, .kind = kKindForSeek});
  source_->Seek(target_);
}

void VisibleIterator::SeekSourceBefore(absl::string_view user_key) {
  SeekSource(user_key, kMaxSequenceNumber);
  if (source_->Valid()) {
    source_->Prev();
  } else if (source_->status().ok()) {
    source_->SeekToLast();
  }
}

std::optional<InternalKey> VisibleIterator::Decode() {
  const std::optional<InternalKey> entry = DecodeInternalKey(source_->key());
  if (!entry.has_value()) FailMalformed();
  return entry;
}

void VisibleIterator::FailMalformed() {
  Leave();
  error_ = MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     "iterator: malformed internal key");
}

void VisibleIterator::SeekToFirst() { Seek(begin_); }

void VisibleIterator::SeekToLast() {
  Leave();
  if (!error_.ok()) return;
  forward_ = false;
  if (limit_.has_value()) {
    SeekSourceBefore(*limit_);
  } else {
    source_->SeekToLast();
  }
  FindBackward();
}

void VisibleIterator::Seek(absl::string_view target) {
  Leave();
  if (!error_.ok()) return;
  forward_ = true;
  const absl::string_view from = target < begin_ ? absl::string_view(begin_) : target;
  if (from.empty()) {
    source_->SeekToFirst();
  } else {
    SeekSource(from, sequence_);
  }
  FindForward(Skip::kNothing);
}

void VisibleIterator::SeekForPrev(absl::string_view target) {
  if (limit_.has_value() && target >= *limit_) return SeekToLast();
  Leave();
  if (!error_.ok()) return;
  forward_ = false;
  // No sequence number is 0, so this is past all entries of the key.
  SeekSource(target, SequenceNumber{0});
  if (source_->Valid()) {
    source_->Prev();
  } else if (source_->status().ok()) {
    source_->SeekToLast();
  }
  FindBackward();
}

void VisibleIterator::NextRun() {
  if (!valid_) return;
  if (forward_) {
    if (malformed_) return FailMalformed();
    source_->Next();  // what hides the rest of the key is saved
    return FindForward(Skip::kSavedKey);
  }
  forward_ = true;
  SeekSource(saved_key_, SequenceNumber{0});
  FindForward(Skip::kNothing);
}

void VisibleIterator::Prev() {
  if (!valid_) return;
  if (forward_) {
    if (at_ > 0) {
      --at_;
      return;
    }
    forward_ = false;
    SaveKey(run_[0].key);
    const bool one = taken_ == 1;
    if (one) {
      source_->Prev();  // mostly enough: the entry was the key's first
      if (source_->Valid() && UserKeyOf(source_->key()) == saved_key_) SeekSourceBefore(saved_key_);
    } else {
      SeekSourceBefore(saved_key_);
    }
  }
  FindBackward();
}

void VisibleIterator::FindForward(Skip skip) {
  Leave();
  malformed_ = false;
  steps_ = 0;
  if (skip == Skip::kNothing) {
    hiding_ = false;
    run_wanted_ = 1;
  }
  while (source_->Valid()) {
    if (limit_.has_value() && UserKeyOf(source_->key()) >= *limit_) return;
    TakeRun();
    if (!error_.ok()) return;
    if (shown_ > 0) {
      valid_ = true;
      return;
    }
    if (steps_ > kStepsBeforeSeek) {
      steps_ = 0;
      // Hidden: past the key. Too new: to the newest version that can be seen. The key is copied
      // first, for the seek may free the block it stands in.
      const std::string user_key(UserKeyOf(source_->key()));
      SeekSource(user_key, hidden_last_ ? SequenceNumber{0} : sequence_);
      continue;
    }
    source_->Next();
  }
}

void VisibleIterator::TakeRun() {
  const size_t wanted = std::min(run_wanted_, kRunMax);
  run_wanted_ = 4 * wanted;
  taken_ = source_->TakeRun(absl::MakeSpan(run_.data(), wanted), limit_key_);
  absl::string_view decided = saved_key_;  // the rest of it is hidden, if hiding_
  for (size_t i = 0; i < taken_; ++i) {
    const absl::string_view key = run_[i].key;
    if (!IsInternalKey(key)) {
      malformed_ = true;
      break;
    }
    const absl::string_view user_key = UserKeyOf(key);
    hidden_last_ = hiding_ && AreEqual(user_key, decided);
    if (hidden_last_ || SequenceOf(key) > sequence_) {
      ++steps_;
      continue;
    }
    decided = user_key;
    hiding_ = true;
    steps_ = 0;
    if (KindOf(key) == EntryKind::kPut) run_[shown_++] = {user_key, run_[i].value};
  }
  // The next move takes the views away.
  if (hiding_ && decided.data() != saved_key_.data()) SaveKey(decided);
  if (malformed_ && shown_ == 0) FailMalformed();
}

void VisibleIterator::FindBackward() {
  Leave();
  bool has_key = false;    // saved_key_ is the key being looked at
  bool has_value = false;  // its newest visible version so far is a put, in saved_value_
  int steps = 0;           // visible versions of it that were walked
  while (source_->Valid()) {
    const std::optional<InternalKey> entry = Decode();
    if (!entry.has_value()) return;
    if (has_value && entry->user_key != saved_key_) break;
    if (entry->user_key < begin_) break;
    if (entry->sequence > sequence_) {
      source_->Prev();
      continue;
    }
    if (!has_key || entry->user_key != saved_key_) {
      SaveKey(entry->user_key);
      has_key = true;
      steps = 0;
    }
    if (++steps > kStepsBeforeSeek) {
      // To the version that decides, then in front of the key.
      SeekSource(saved_key_, sequence_);
      if (!source_->Valid()) break;
      const std::optional<InternalKey> newest = Decode();
      if (!newest.has_value()) return;
      has_value = newest->kind == EntryKind::kPut;
      if (has_value) saved_value_.assign(source_->value().data(), source_->value().size());
      has_key = false;
      SeekSourceBefore(saved_key_);
      continue;
    }
    has_value = entry->kind == EntryKind::kPut;
    if (has_value) saved_value_.assign(source_->value().data(), source_->value().size());
    source_->Prev();
  }
  valid_ = has_value && source_->status().ok();
}

class EmptyIterator final : public Iterator {
 public:
  explicit EmptyIterator(absl::Status status) : status_(std::move(status)) {}
  bool Valid() const override { return false; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(absl::string_view /*target*/) override {}
  void SeekForPrev(absl::string_view /*target*/) override {}
  void Next() override {}
  void Prev() override {}
  absl::string_view key() const override { return {}; }
  absl::string_view value() const override { return {}; }
  absl::Status status() const override { return status_; }

 private:
  const absl::Status status_;
};

}  // namespace

std::unique_ptr<Iterator> NewVisibleIterator(VisibleIteratorParts parts) {
  FIRN_CHECK(parts.source != nullptr);
  return std::make_unique<VisibleIterator>(std::move(parts));
}

std::unique_ptr<Iterator> NewEmptyIterator(absl::Status status) {
  return std::make_unique<EmptyIterator>(std::move(status));
}

}  // namespace firn
