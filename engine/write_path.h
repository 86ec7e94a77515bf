// engine/write_path.h: what a commit does to the database: back-pressure, room in memtables and log,
// one log record a group, entries into memtables, the published number. The commit queue
// (engine/commit_queue.h) says when.
#ifndef FIRN_ENGINE_WRITE_PATH_H_
#define FIRN_ENGINE_WRITE_PATH_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/types.h"
#include "engine/active_log.h"
#include "engine/background_work.h"
#include "engine/commit_queue.h"
#include "engine/conflict_check.h"
#include "engine/entry_rules.h"
#include "engine/keyspace.h"
#include "engine/memory_budget.h"
#include "engine/statistics.h"
#include "engine/version_set.h"
#include "engine/write_throttle.h"
#include "firn/options.h"

namespace firn {

// One Database::Write() on its way. The keyspaces of its entries were all found in `table`.
struct WriteRequest : CommitRequest {
  std::shared_ptr<const KeyspaceTable> table;
  KeyspaceImpl* volatile_keyspace = nullptr;  // kVolatile: the only keyspace it names
  // Of each keyspace whose keys must ascend: those of this batch.
  struct Ascent {
    KeyspaceImpl* keyspace = nullptr;
    AscendingKeys::Run run;
  };
  std::vector<Ascent> ascents;
  std::vector<KeyspaceImpl*> limited;         // with a size limit, and puts in this batch
  ConflictQuery* transaction = nullptr;       // what it must not have lost against; null: nothing
};

struct WritePathParts {
  Clock& clock;
  const Options& options;
  VersionSet& versions;
  ActiveLog& log;
  BackgroundWork& background;
  ReadContext& reading;
  EngineCounters& counters;
  ConflictCheck& conflicts;
  SpaceWatch& space;
  const MemoryShares& shares;
  std::function<std::shared_ptr<const KeyspaceTable>()> keyspaces;
};

// Called by the commit queue alone, as its picture says; every request is a WriteRequest.
class WritePath final : public CommitTarget {
 public:
  explicit WritePath(WritePathParts parts);

  absl::StatusOr<Room> Prepare(const CommitBatch& batch) override;
  absl::Status MakeRoom(const CommitBatch& batch) override;
  void Validate(const CommitBatch& batch) override;
  absl::Status Reserve(CommitBatch& batch) override;
  absl::Status WriteLog(const CommitBatch& batch) override;
  absl::Status Settle(const CommitBatch& batch) override;
  void Apply(const CommitRequest& request) override;
  void Publish(SequenceNumber last_sequence) override;

  // Alone in the commit queue: the keyspace's active memtable becomes immutable and is flushed in the
  // background. The floor that this flush will raise the keyspace to.
  SequenceNumber SwitchMemtable(const std::shared_ptr<KeyspaceImpl>& keyspace);

 private:
  absl::Status HoldBack(const CommitBatch& batch);
  // Whether a group of `memory` bytes goes without a delay, judged by the last look at the debt and
  // what went since; false: take a look. With thousands of keyspaces a look costs more than a group.
  bool GoesUnseen(uint64_t bytes, uint64_t memory);
  bool NeedsMark(const CommitBatch& batch) const;
  // Of the keyspaces with entries in the oldest sealed log: whose active memtable must be flushed for
  // the logs to get shorter. Null if the logs are short enough or a flush is on its way.
  std::shared_ptr<KeyspaceImpl> LogPinner() const;
  // With a memory budget: while the active memtables are too large together, the largest goes.
  void SwitchLargest();
  absl::Status MarkVolatile(const CommitBatch& batch);
  // Tells a memtable that fills up for the first time what to expect: so a writer waits once, early, for
  // its table to grow, and not for the last doubling of half a million entries.
  void ExpectMore(Memtable& active);
  SequenceNumber published() const {
    return SequenceNumber{parts_.reading.published.load(std::memory_order_acquire)};
  }

  const WritePathParts parts_;
  const WriteThrottleLimits limits_;
  std::atomic<bool> memtable_is_full_{false};
  OwedDelay owed_delay_;  // of whoever prepares a group: one at a time
  const Memtable* told_ = nullptr;  // by ExpectMore(); of the group that takes effect
  uint64_t all_active_bytes_ = 0;  // of the leader's last look, and what went since
  WriteDebt last_debt_;            // of that look
  uint64_t unseen_bytes_ = 0;      // of groups since
  std::atomic<uint32_t> unseen_groups_{UINT32_MAX};  // of these; UINT32_MAX: a look is needed
  // No active memtable has entries up to this one: so sealed logs up to it wait for flushes only.
  mutable std::atomic<uint64_t> unpinned_{0};
};

}  // namespace firn

#endif  // FIRN_ENGINE_WRITE_PATH_H_
