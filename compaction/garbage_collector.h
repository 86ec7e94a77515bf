// compaction/garbage_collector.h: an iterator that passes only what some snapshot can still see.
//
// For each user key the source shows versions newest first. Snapshots cut the sequence numbers into
// stripes: (0, s1], (s1, s2], ... (sn, infinity). Of the versions in one stripe only the newest can
// be seen by anyone; the others are dropped. A tombstone that is the newest of the lowest stripe
// hides only what lies below it, so it is dropped too when nothing below can hold its key.
// (A tombstone in a higher stripe stays: the versions below it in this very stream are seen by an
// older snapshot.)
#ifndef FIRN_COMPACTION_GARBAGE_COLLECTOR_H_
#define FIRN_COMPACTION_GARBAGE_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/types.h"
#include "sstable/internal_iterator.h"

namespace firn {

// Of which stripe `sequence` is: how many of the snapshots (ascending) are older than it.
size_t StripeOf(absl::Span<const SequenceNumber> snapshots, SequenceNumber sequence);

struct GarbageCollectorOptions {
  // Ascending, each once: every snapshot alive. Entries newer than all of them are seen by "now".
  std::vector<SequenceNumber> snapshots;
  // Whether an older version of the key may stand outside the source, below it. Asked with
  // ascending user keys.
  std::function<bool(absl::string_view user_key)> key_may_exist_below;
};

struct GarbageCollectorCounts {
  uint64_t passed = 0;
  uint64_t shadowed = 0;    // dropped: a newer version in the same stripe
  uint64_t tombstones = 0;  // dropped: nothing left to hide
};

// Forward only: SeekToFirst() and Next(); SeekToLast(), Seek() and Prev() are broken invariants
// (FIRN_CHECK). key() and value() are the source's views. A source entry with an unknown kind gives
// status() DataLoss.
class GarbageCollector final : public InternalIterator {
 public:
  GarbageCollector(std::unique_ptr<InternalIterator> source, GarbageCollectorOptions options);

  bool Valid() const override;
  void SeekToFirst() override;
  void Next() override;
  absl::string_view key() const override { return source_->key(); }
  absl::string_view value() const override { return source_->value(); }
  absl::Status status() const override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void Prev() override;

  const GarbageCollectorCounts& counts() const { return counts_; }

 private:
  // Moves the source to the next entry that passes, from where it stands (included).
  void SkipGarbage();

  std::unique_ptr<InternalIterator> source_;
  GarbageCollectorOptions options_;
  GarbageCollectorCounts counts_;
  absl::Status error_;
  std::string user_key_;  // of the last entry seen
  bool has_user_key_ = false;
  size_t last_stripe_ = 0;  // of that entry
};

}  // namespace firn

#endif  // FIRN_COMPACTION_GARBAGE_COLLECTOR_H_
