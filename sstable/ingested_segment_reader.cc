#include "sstable/ingested_segment_reader.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

class IngestedSegmentIterator final : public InternalIterator {
 public:
  IngestedSegmentIterator(std::unique_ptr<InternalIterator> stored, SequenceNumber sequence)
      : stored_(std::move(stored)), sequence_(sequence) {}

  bool Valid() const override { return stored_->Valid(); }
  void SeekToFirst() override {
    stored_->SeekToFirst();
    TakeKey();
  }
  void SeekToLast() override {
    stored_->SeekToLast();
    TakeKey();
  }
  void Seek(absl::string_view target) override {
    stored_->Seek(EncodeInternalKey({UserKeyOf(target), kMaxSequenceNumber, kKindForSeek}));
    TakeKey();
    // Of each user key there is one record, so this is one step at most.
    if (Valid() && CompareInternalKeys(key_, target) < 0) Next();
  }
  void Next() override {
    stored_->Next();
    TakeKey();
  }
  void Prev() override {
    stored_->Prev();
    TakeKey();
  }
  absl::string_view key() const override { return key_; }
  absl::string_view value() const override { return stored_->value(); }
  absl::Status status() const override { return stored_->status(); }

 private:
  void TakeKey() {
    if (!stored_->Valid()) return;
    const absl::string_view key = stored_->key();
    key_.assign(key.data(), key.size());
    StoreFixed64(reinterpret_cast<uint8_t*>(key_.data()) + key_.size() - kInternalKeySuffixSize,
                 sequence_.value << 8 | static_cast<uint64_t>(KindOf(key)));
  }

  const std::unique_ptr<InternalIterator> stored_;
  const SequenceNumber sequence_;
  std::string key_;
};

}  // namespace

IngestedSegmentReader::IngestedSegmentReader(std::shared_ptr<const SegmentReader> stored,
                                             SegmentMeta meta)
    : SegmentReader(*stored, std::move(meta)), stored_(std::move(stored)) {
  FIRN_CHECK(meta_.ingested_at.value > 0 && stored_->properties().sequence_max.value == 0);
}

absl::StatusOr<std::optional<FoundEntry>> IngestedSegmentReader::Get(
    absl::string_view user_key, SequenceNumber at_most) const {
  if (at_most < meta_.ingested_at) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(std::optional<FoundEntry> found, stored_->Get(user_key, at_most));
  SetSequence(found);
  return found;
}

bool IngestedSegmentReader::GetCached(absl::string_view user_key, SequenceNumber at_most,
                                      std::optional<FoundEntry>& found) const {
  found.reset();
  if (at_most < meta_.ingested_at) return true;
  const bool answered = stored_->GetCached(user_key, at_most, found);
  SetSequence(found);
  return answered;
}

void IngestedSegmentReader::GetManyCached(absl::Span<SegmentLookup* const> lookups,
                                          SequenceNumber at_most) const {
  if (at_most < meta_.ingested_at) {
    for (SegmentLookup* const lookup : lookups) {
      lookup->found.reset();
      lookup->needs_read = false;
    }
    return;
  }
  stored_->GetManyCached(lookups, at_most);
  for (SegmentLookup* const lookup : lookups) SetSequence(lookup->found);
}

bool IngestedSegmentReader::AddMissing(absl::string_view user_key, SequenceNumber at_most,
                                       BlockBatch& batch) const {
  return at_most >= meta_.ingested_at && stored_->AddMissing(user_key, at_most, batch);
}

absl::Status IngestedSegmentReader::GetMany(absl::Span<SegmentLookup* const> lookups,
                                            SequenceNumber at_most) const {
  if (at_most < meta_.ingested_at) {
    for (SegmentLookup* const lookup : lookups) lookup->found.reset();
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(stored_->GetMany(lookups, at_most));
  for (SegmentLookup* const lookup : lookups) SetSequence(lookup->found);
  return absl::OkStatus();
}

std::unique_ptr<InternalIterator> IngestedSegmentReader::NewIterator(
    const SegmentReadOptions& options) const {
  return std::make_unique<IngestedSegmentIterator>(stored_->NewIterator(options),
                                                   meta_.ingested_at);
}

}  // namespace firn
