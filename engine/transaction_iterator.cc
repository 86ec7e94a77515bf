#include "engine/transaction_iterator.h"

#include <iterator>
#include <utility>

#include "base/check.h"

namespace firn {
namespace {

// The least key behind `key`.
std::string Behind(absl::string_view key) {
  std::string behind(key);
  behind.push_back('\0');
  return behind;
}

}  // namespace

TransactionIterator::TransactionIterator(std::shared_ptr<TransactionView> transaction,
                                         const Keyspace& keyspace, std::unique_ptr<Iterator> base,
                                         std::string begin, std::optional<std::string> limit)
    : transaction_(std::move(transaction)),
      keyspace_(keyspace),
      base_(std::move(base)),
      begin_(std::move(begin)),
      limit_(std::move(limit)) {}

bool TransactionIterator::Valid() const { return valid_ && transaction_->CheckReadable().ok(); }

absl::Status TransactionIterator::status() const {
  if (!error_.ok()) return error_;
  const absl::Status readable = transaction_->CheckReadable();
  return readable.ok() ? base_->status() : readable;
}

absl::string_view TransactionIterator::value() const {
  FIRN_DCHECK(valid_);
  return own_ != nullptr ? absl::string_view(*own_) : base_->value();
}

bool TransactionIterator::Begin() {
  valid_ = false;
  own_ = nullptr;
  if (error_.ok()) error_ = transaction_->CheckReadable();
  return error_.ok();
}

void TransactionIterator::Show(absl::string_view key, WriteSet::Value own) {
  key_.assign(key.data(), key.size());
  own_ = std::move(own);
  valid_ = true;
}

void TransactionIterator::NoteRange(absl::string_view begin,
                                    const std::optional<std::string>& limit) {
  ReadSet* const reads = transaction_->reads_to_check();
  if (reads == nullptr) return;
  if (begin < absl::string_view(begin_)) begin = begin_;
  if (range_.has_value() && epoch_ == reads->epoch()) {
    reads->WidenRange(*range_, begin, limit);
  } else {
    range_ = reads->AddRange({KeyspaceId{keyspace_.id()}, std::string(begin), limit});
    epoch_ = reads->epoch();
  }
}

// --- forward

// The first key at or after `begin`.
void TransactionIterator::ShowForward(const std::string& begin) {
  const WriteSet::Keys* const own = transaction_->writes().KeysOf(keyspace_);
  WriteSet::Keys::const_iterator next;
  if (own != nullptr) next = own->lower_bound(begin);
  while (true) {
    const bool has_own =
        own != nullptr && next != own->end() && (!limit_.has_value() || next->first < *limit_);
    const bool has_base = base_->Valid();
    if (!has_own && !has_base) break;
    if (has_own && (!has_base || absl::string_view(next->first) <= base_->key())) {
      if (next->second != nullptr) {
        Show(next->first, next->second);
        break;
      }
      // Removed by the transaction.
      if (has_base && absl::string_view(next->first) == base_->key()) base_->Next();
      ++next;
      continue;
    }
    Show(base_->key(), nullptr);
    break;
  }
  NoteRange(begin, valid_ ? std::optional<std::string>(Behind(key_)) : limit_);
}

void TransactionIterator::Seek(absl::string_view target) {
  const std::string from(target < absl::string_view(begin_) ? begin_ : target);
  if (!Begin()) return;
  range_ = std::nullopt;
  direction_ = Direction::kForward;
  base_->Seek(from);
  ShowForward(from);
}

void TransactionIterator::SeekToFirst() { Seek(begin_); }

void TransactionIterator::Next() {
  FIRN_DCHECK(valid_);
  if (!Begin()) return;
  if (direction_ == Direction::kBackward) {
    base_->Seek(key_);
    direction_ = Direction::kForward;
  }
  if (base_->Valid() && base_->key() == absl::string_view(key_)) base_->Next();
  ShowForward(Behind(key_));
}

// --- backward

// The last key before `end`; none: the last of all.
void TransactionIterator::ShowBackward(const std::optional<std::string>& end) {
  const WriteSet::Keys* const own = transaction_->writes().KeysOf(keyspace_);
  WriteSet::Keys::const_iterator behind;  // own keys before it are still to come
  if (own != nullptr) behind = end.has_value() ? own->lower_bound(*end) : own->end();
  while (true) {
    const bool has_own = own != nullptr && behind != own->begin() &&
                         std::prev(behind)->first >= begin_;
    const bool has_base = base_->Valid();
    if (!has_own && !has_base) break;
    if (has_own && (!has_base || absl::string_view(std::prev(behind)->first) >= base_->key())) {
      --behind;
      if (behind->second != nullptr) {
        Show(behind->first, behind->second);
        break;
      }
      if (has_base && absl::string_view(behind->first) == base_->key()) base_->Prev();
      continue;
    }
    Show(base_->key(), nullptr);
    break;
  }
  NoteRange(valid_ ? absl::string_view(key_) : absl::string_view(begin_), end);
}

void TransactionIterator::SeekForPrev(absl::string_view target) {
  if (limit_.has_value() && target >= absl::string_view(*limit_)) {
    SeekToLast();
    return;
  }
  const std::string from(target);
  if (!Begin()) return;
  range_ = std::nullopt;
  direction_ = Direction::kBackward;
  base_->SeekForPrev(from);
  ShowBackward(Behind(from));
}

void TransactionIterator::SeekToLast() {
  if (!Begin()) return;
  range_ = std::nullopt;
  direction_ = Direction::kBackward;
  base_->SeekToLast();
  ShowBackward(limit_);
}

void TransactionIterator::Prev() {
  FIRN_DCHECK(valid_);
  if (!Begin()) return;
  if (direction_ == Direction::kForward) {
    base_->SeekForPrev(key_);
    direction_ = Direction::kBackward;
  }
  if (base_->Valid() && base_->key() == absl::string_view(key_)) base_->Prev();
  ShowBackward(std::optional<std::string>(key_));
}

}  // namespace firn
