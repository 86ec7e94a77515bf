// engine/version.h: what one keyspace consists of at a moment: memtables and levels. Immutable, but
// for the entries that a writer adds to the active memtable, which readers hide by reading at a
// sequence number.
//
// Order of search: active memtable, immutable ones newest first, level 0 newest first, then one
// candidate segment a level. Everything in one of these is newer than everything in the next, so
// the first entry found at or below the number decides; a tombstone is an answer.
//
// A reader pins its version first and takes the visible number second: so all that is visible and
// was not written after the version was replaced is in it, and what is not in it is newer than all
// that is: the reader sees the keyspace as of one moment, either way.
#ifndef FIRN_ENGINE_VERSION_H_
#define FIRN_ENGINE_VERSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "compaction/levels.h"
#include "engine/memtable.h"
#include "engine/segment_table.h"
#include "firn/keyspace.h"
#include "sstable/internal_iterator.h"
#include "sstable/segment_cache.h"
#include "sstable/segment_reader.h"

namespace firn {

// A memtable that waits for its flush.
struct ImmutableMemtable {
  std::shared_ptr<const Memtable> memtable;
  // Every entry of the keyspace up to it is in this memtable or in an older one: what the flush
  // raises the keyspace's floor to.
  SequenceNumber floor;
};

class Version {
 public:
  // Readers of segments that `previous` (may be null) knows are known here too; of more than
  // `readers_max` segments none is (engine/segment_table.h).
  Version(std::shared_ptr<Memtable> active, std::vector<ImmutableMemtable> immutables,
          std::shared_ptr<const Levels> levels, const Version* previous = nullptr,
          size_t readers_max = SIZE_MAX);

  const std::shared_ptr<Memtable>& active() const { return active_; }
  const std::vector<ImmutableMemtable>& immutables() const { return immutables_; }  // newest first
  const std::shared_ptr<const Levels>& levels() const { return levels_; }
  // The least sequence number in any of its memtables; none if they are empty.
  std::optional<SequenceNumber> oldest_in_memory() const;
  size_t memtable_bytes() const;

  // The newest value of `key` at or below `sequence`; NotFound with an empty message if there is
  // none or a tombstone. No lock across I/O, no copy of the value.
  absl::StatusOr<PinnedValue> Get(absl::string_view key, SequenceNumber sequence,
                                  SegmentDirectory& segments) const;
  // Get() if it needs no read from disk, else none. Inside a guard of the block cache's epochs().
  std::optional<absl::StatusOr<PinnedValue>> GetCached(absl::string_view key,
                                                       SequenceNumber sequence) const;
  // GetCached() of each, for up to kManyMax keys at once: `found` (a tombstone is one) or none, and
  // `needs_read` for what GetCached() has no answer to. Structure after structure for all keys, so that
  // their cache misses overlap. Inside a guard as GetCached().
  static constexpr size_t kManyMax = 128;
  void GetManyCached(absl::Span<SegmentLookup> lookups, SequenceNumber sequence) const;
  // One result a key, in the order of `keys`. The blocks of one segment are read together.
  std::vector<absl::StatusOr<PinnedValue>> MultiGet(absl::Span<const absl::string_view> keys,
                                                    SequenceNumber sequence,
                                                    SegmentDirectory& segments) const;
  // Every entry of every part that may hold keys in [begin, limit), merged. `segments` must outlive
  // the iterator, which does not pin this version: the caller does.
  absl::StatusOr<std::unique_ptr<InternalIterator>> NewIterator(
      absl::string_view begin, const std::optional<std::string>& limit,
      SegmentDirectory& segments) const;

 private:
  class Batch;
  class CachedBatch;

  template <typename Visitor>
  void VisitSegments(absl::string_view key, Visitor visit) const;
  std::optional<absl::StatusOr<PinnedValue>> FindInMemory(absl::string_view key,
                                                          SequenceNumber sequence) const;

  const std::shared_ptr<Memtable> active_;
  const std::vector<ImmutableMemtable> immutables_;
  const std::shared_ptr<const Levels> levels_;
  const SegmentTable table_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_VERSION_H_
