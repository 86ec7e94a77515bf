// engine/keyspace.h: one LSM tree: its options, its folder and its present version. The public
// firn::Keyspace is a handle on it.
//
// The version is replaced, never changed, by two parties: the write path (a full memtable becomes
// immutable) and the background (new levels, flushed memtables go). Both do so under `mutex_`, which
// is held for the moment of the exchange. A reader that finds its answer in memory looks at the
// present version inside a guard of the epochs, and takes no lock; one that must read from disk or
// keeps the version (an iterator) copies the pointer under the lock.
#ifndef FIRN_ENGINE_KEYSPACE_H_
#define FIRN_ENGINE_KEYSPACE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/epoch.h"
#include "base/mutex.h"
#include "base/types.h"
#include "compaction/layout_work.h"
#include "engine/entry_rules.h"
#include "engine/keyspace_size.h"
#include "engine/memtable.h"
#include "engine/snapshot_registry.h"
#include "engine/statistics.h"
#include "engine/store_state.h"
#include "engine/version.h"
#include "firn/keyspace.h"
#include "sstable/segment_cache.h"

namespace firn {

// What the keyspaces of a database share. Outlives them.
struct ReadContext {
  SegmentCache& segments;
  SnapshotRegistry& snapshots;
  EngineCounters& counters;
  Epochs& epochs;  // of the block cache: what a reader sees without a count
  std::atomic<uint64_t> published{0};  // the last visible sequence number
  std::atomic<uint64_t> drops{0};      // how often entries went without a sequence number
  uint64_t store_tag = 0;              // of the store, not 0, once it is known
  std::atomic<bool> closed{false};
};

class KeyspaceImpl : public std::enable_shared_from_this<KeyspaceImpl> {
 public:
  // `directory`: the keyspace's own folder.
  KeyspaceImpl(ReadContext& context, KeyspaceId id, const KeyspaceState& state,
               absl::string_view directory);

  KeyspaceId id() const { return id_; }
  const std::string& name() const { return name_; }
  const KeyspaceOptions& options() const { return options_; }
  // Of what is written from now on.
  CompressionChoice compression() const {
    const uint64_t packed = compression_.load(std::memory_order_relaxed);
    return {static_cast<Compression>(packed >> 32), static_cast<uint32_t>(packed)};
  }
  void SetCompression(const CompressionChoice& choice) {
    compression_.store(uint64_t{static_cast<uint8_t>(choice.codec)} << 32 | choice.level,
                       std::memory_order_relaxed);
  }
  // True once: what differs between its options and those asked for is told in the log.
  bool TakeDifferencesTold() { return !differences_told_.exchange(true); }
  // What the background does for its layout.
  const LayoutWork& work() const { return work_; }
  SegmentDirectory& segments() { return segments_; }
  std::shared_ptr<const Version> version() const ABSL_LOCKS_EXCLUDED(mutex_);

  bool BelongsTo(const ReadContext& context) const { return &context_ == &context; }
  uint64_t store_tag() const { return context_.store_tag; }

  // --- readers: see firn/keyspace.h. Thread-safe.
  absl::StatusOr<PinnedValue> Get(absl::string_view key, const Snapshot& snapshot);
  std::vector<absl::StatusOr<PinnedValue>> MultiGet(absl::Span<const absl::string_view> keys,
                                                    const Snapshot& snapshot);
  std::unique_ptr<Iterator> NewIterator(const IteratorOptions& options);
  absl::StatusOr<uint64_t> ApproximateSize(absl::string_view begin, absl::string_view limit);
  KeyspaceStatistics statistics() const;
  // OK, kClosed or kKeyspaceDropped.
  absl::Status Check() const;
  // Also InvalidArgument for a snapshot of another database.
  absl::Status CheckRead(const Snapshot& snapshot) const;
  void MarkDropped() {
    BeginDrop();
    dropped_.store(true, std::memory_order_release);
    EndDrop();
  }
  bool dropped() const { return dropped_.load(std::memory_order_acquire); }

  // --- its size: of memtables that hold something, and segments
  uint64_t size() const;
  KeyspaceSize& size_limits() { return size_limits_; }

  // --- what its layout asks of entries
  const EntryRules& rules() const { return rules_; }
  // In the order of sequence numbers: the commit queue's Validate, recovery, and whoever is alone in
  // the queue.
  AscendingKeys& ascending() { return ascending_; }
  // Keys below it are gone, for snapshots too; only grows. Sequence layout.
  uint64_t bound() const { return bound_.load(std::memory_order_acquire); }
  void SetBound(uint64_t bound) {
    BeginDrop();
    bound_.store(bound, std::memory_order_release);
    EndDrop();
  }
  // Whether entries went (it was dropped, or its bound was raised) since the context's `drops` was
  // `since`, or are just going: readers that began then may have seen both states.
  bool DroppedSince(uint64_t since) const { return last_drop_.load() > since; }

  // --- whoever applies writes, in their order, or is alone in the commit queue.
  Memtable& active() { return *active_; }
  // The active memtable becomes immutable, unless it is empty: `floor` is the last sequence number
  // given out. True if it was switched.
  bool SwitchMemtable(SequenceNumber floor) ABSL_LOCKS_EXCLUDED(mutex_);

  // --- whoever publishes an edit.
  // New levels; memtables whose floor is at or below `flushed` go.
  void Install(std::shared_ptr<const Levels> levels, SequenceNumber flushed)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // As Install(), of segments whose entries are newer than all there is: later writes go into a fresh
  // memtable, so that whoever pinned the version before sees neither. The active one becomes immutable
  // with `floor`, unless it is empty. By whoever is alone in the commit queue.
  void InstallNewer(std::shared_ptr<const Levels> levels, SequenceNumber floor)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // --- kVolatile writes. The keyspace must be marked in the manifest before one of them takes effect,
  // and stay so until all are in segments.
  class VolatileWrite {  // one in progress
   public:
    explicit VolatileWrite(KeyspaceImpl* keyspace);  // null: none
    ~VolatileWrite();
    VolatileWrite(const VolatileWrite&) = delete;
    VolatileWrite& operator=(const VolatileWrite&) = delete;

   private:
    KeyspaceImpl* const keyspace_;
  };
  bool volatile_marked() const ABSL_LOCKS_EXCLUDED(mutex_);
  void SetVolatileMarked() ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteVolatile(SequenceNumber last) ABSL_LOCKS_EXCLUDED(mutex_);  // took effect
  // In the turn of an edit that raises the floor to `flushed`: whether the mark goes with it.
  bool TakeVolatileMark(SequenceNumber flushed) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Pins the version first and takes the number second: see engine/version.h.
  struct View {
    std::shared_ptr<const Version> version;
    SequenceNumber sequence;
  };
  View ViewAt(const Snapshot& snapshot) const;
  bool IsBelowBound(absl::string_view key) const;
  std::string BoundKey() const;  // empty: there is none
  SequenceNumber SequenceAt(const Snapshot& snapshot) const;
  void BeginDrop() { last_drop_.store(UINT64_MAX); }
  void EndDrop() { last_drop_.store(context_.drops.fetch_add(1) + 1); }
  // Makes `version` the present one; the old one, for Epochs::Retire() without the lock.
  std::shared_ptr<const Version> Exchange(std::shared_ptr<const Version> version)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Retire(std::shared_ptr<const Version> version);

  ReadContext& context_;
  const KeyspaceId id_;
  const std::string name_;
  const KeyspaceOptions options_;
  const LayoutWork& work_;
  const EntryRules rules_;
  KeyspaceSize size_limits_;
  std::atomic<uint64_t> compression_{0};  // codec, level
  std::atomic<bool> differences_told_{false};
  AscendingKeys ascending_;
  std::atomic<uint64_t> bound_;
  SegmentDirectory segments_;
  std::atomic<bool> dropped_{false};
  std::atomic<uint64_t> last_drop_{0};  // the context's `drops` then; UINT64_MAX: under way
  std::shared_ptr<Memtable> active_;  // the version's; belongs to the role of the write path

  mutable Mutex mutex_;
  std::shared_ptr<const Version> version_ ABSL_GUARDED_BY(mutex_);
  std::atomic<const Version*> present_;  // version_, for readers inside a guard
  bool volatile_marked_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t volatile_writes_ ABSL_GUARDED_BY(mutex_) = 0;     // in progress
  SequenceNumber volatile_last_ ABSL_GUARDED_BY(mutex_){0};  // that took effect
};

// The keyspaces of a database at a moment; replaced, never changed.
using KeyspaceTable = absl::flat_hash_map<KeyspaceId, std::shared_ptr<KeyspaceImpl>>;

}  // namespace firn

#endif  // FIRN_ENGINE_KEYSPACE_H_
