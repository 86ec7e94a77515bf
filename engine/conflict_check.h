// engine/conflict_check.h: whether a transaction lost against a write above its snapshot.
// docs/decisions/0050 argues it.
//
// Asked by the leader of the commit queue when it numbers a group, in order, so that every write
// with a lower number has been seen: applied ones, those in flight, and earlier members of the group.
// It answers from RecentWrites alone, which records while a transaction is open (and a little longer,
// so that short transactions in a row do not start it anew); it reads no disk.
//
// What RecentWrites does not reach back to is "unknown": the transaction then looks into the store
// itself, on its own thread, up to the number published by then (FindNewerWrite), and asks again
// from there.
// The store can answer that: as long as the transaction keeps its snapshot, flush and compaction
// keep, of the versions of a key above it, the newest, tombstones included.
//
// Correctness rests on the floors of RecentWrites, which only leaders change. The count of open
// transactions, changed by anyone, only decides what is remembered: a leader that reads it late
// makes an answer "unknown", never wrong.
#ifndef FIRN_ENGINE_CONFLICT_CHECK_H_
#define FIRN_ENGINE_CONFLICT_CHECK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "base/types.h"
#include "engine/read_set.h"
#include "engine/recent_writes.h"

namespace firn {

class KeyspaceImpl;

enum class ConflictVerdict : uint8_t {
  kNone = 0,      // not asked yet
  kClear = 1,     // nobody came first
  kConflict = 2,  // `keyspace` and `key` say where; no key: entries of the keyspace were dropped
  kUnknown = 3,   // writes to `keyspace` up to `floor` may be forgotten
  kNotAscending = 4,  // a put of a sequence keyspace is not above the last one
};

// The question of one commit, and the answer. Lives on the committing thread.
struct ConflictQuery {
  // Writes up to it are known not to conflict: at first the snapshot's number.
  SequenceNumber after;
  const ReadSet* reads = nullptr;  // beside the keys that are written
  std::vector<const KeyspaceImpl*> read_keyspaces;  // those of the reads
  uint64_t drops_seen = 0;  // the context's `drops` before the snapshot

  ConflictVerdict verdict = ConflictVerdict::kNone;
  KeyspaceId keyspace;
  std::optional<std::string> key;
  SequenceNumber floor;
};

class ConflictCheck {
 public:
  // `published`: the last visible number.
  explicit ConflictCheck(const std::atomic<uint64_t>& published, size_t bytes_max)
      : published_(published), recent_(bytes_max) {}

  // --- Transactions, from any thread. Enter() before the snapshot is taken; what it returned is
  // given back to Leave() at the end.
  SequenceNumber Enter() ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave(SequenceNumber entered) ABSL_LOCKS_EXCLUDED(mutex_);
  // A number never given before, to seed chance with.
  uint64_t NextTicket() { return next_ticket_.fetch_add(1, std::memory_order_relaxed); }
  // Questions that RecentWrites could not answer.
  uint64_t unknowns() const { return unknowns_.load(std::memory_order_relaxed); }
  // Memory of the keys that are remembered.
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  size_t open() const { return open_count_.load(std::memory_order_relaxed); }

  // --- The leader, for each group in order.
  // False: nothing has to be checked or recorded. `last`: the last number before the group.
  bool BeginGroup(SequenceNumber last, SequenceNumber published, uint64_t entries);
  // Sets the verdict on the writes `encoded` and the reads of `query`; true if kClear.
  bool Check(absl::string_view encoded, ConflictQuery& query);
  // These writes are numbered from `first` on.
  void Record(absl::string_view encoded, SequenceNumber first);

  // Alone in the commit queue: keys of `keyspace` that nobody lists were written, up to number `last`. A
  // transaction with an older snapshot that is asked about this keyspace has to look into the store.
  void NoteUnlisted(KeyspaceId keyspace, SequenceNumber last);

  // So many entries are recorded after the last transaction has ended.
  static constexpr uint64_t kLingerEntries = 4096;

 private:
  bool CheckKey(KeyspaceId keyspace, absl::string_view key, ConflictQuery& query);
  bool CheckRange(const RangeRead& range, ConflictQuery& query);
  bool Reaches(KeyspaceId keyspace, ConflictQuery& query);

  const std::atomic<uint64_t>& published_;
  std::atomic<uint64_t> next_ticket_{1};
  std::atomic<uint64_t> unknowns_{0};
  std::atomic<size_t> open_count_{0};
  std::atomic<size_t> bytes_{0};  // of recent_
  std::atomic<uint64_t> oldest_{UINT64_MAX};  // number that an open transaction entered at

  // The leader's: whoever leads next sees it, for the lead changes hands under the queue's lock.
  RecentWrites recent_;
  uint64_t lingered_ = 0;

  mutable Mutex mutex_;
  std::multiset<uint64_t> entered_ ABSL_GUARDED_BY(mutex_);
};

// Looks into the store: a key in [begin, limit) with a version above `after`. Any thread; reads disk.
absl::StatusOr<std::optional<std::string>> FindNewerWrite(KeyspaceImpl& keyspace,
                                                          const std::string& begin,
                                                          const std::optional<std::string>& limit,
                                                          SequenceNumber after);

}  // namespace firn

#endif  // FIRN_ENGINE_CONFLICT_CHECK_H_
