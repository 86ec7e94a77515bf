#include "compaction/garbage_collector.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {

GarbageCollector::GarbageCollector(std::unique_ptr<InternalIterator> source,
                                   GarbageCollectorOptions options)
    : source_(std::move(source)), options_(std::move(options)) {
  FIRN_CHECK(options_.key_may_exist_below != nullptr);
  FIRN_CHECK(std::is_sorted(options_.snapshots.begin(), options_.snapshots.end()));
}

bool GarbageCollector::Valid() const { return error_.ok() && source_->Valid(); }

absl::Status GarbageCollector::status() const {
  return error_.ok() ? source_->status() : error_;
}

void GarbageCollector::SeekToFirst() {
  has_user_key_ = false;
  source_->SeekToFirst();
  SkipGarbage();
}

void GarbageCollector::Next() {
  FIRN_DCHECK(Valid());
  source_->Next();
  SkipGarbage();
}

void GarbageCollector::SeekToLast() { FIRN_CHECK(false); }
void GarbageCollector::Seek(absl::string_view /*target*/) { FIRN_CHECK(false); }
void GarbageCollector::Prev() { FIRN_CHECK(false); }

size_t StripeOf(absl::Span<const SequenceNumber> snapshots, SequenceNumber sequence) {
  return static_cast<size_t>(std::lower_bound(snapshots.begin(), snapshots.end(), sequence) -
                             snapshots.begin());
}

void GarbageCollector::SkipGarbage() {
  for (; Valid(); source_->Next()) {
    const std::optional<InternalKey> entry = DecodeInternalKey(source_->key());
    if (!entry.has_value()) {
      error_ = MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                         "merge: malformed internal key");
      return;
    }
    const size_t stripe = StripeOf(options_.snapshots, entry->sequence);
    const bool is_new_key = !has_user_key_ || entry->user_key != user_key_;
    if (is_new_key) {
      user_key_.assign(entry->user_key.data(), entry->user_key.size());
      has_user_key_ = true;
    } else if (stripe == last_stripe_) {
      ++counts_.shadowed;
      continue;
    }
    last_stripe_ = stripe;
    if (entry->kind == EntryKind::kTombstone && stripe == 0 &&
        !options_.key_may_exist_below(entry->user_key)) {
      ++counts_.tombstones;
      continue;
    }
    ++counts_.passed;
    return;
  }
}

}  // namespace firn
