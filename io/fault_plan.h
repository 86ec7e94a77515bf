// io/fault_plan.h: which operation meets which fault, and how much room is left on the disk. Shared by
// a FaultInjectingFileSystem and its open files.
#ifndef FIRN_IO_FAULT_PLAN_H_
#define FIRN_IO_FAULT_PLAN_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "io/fault_injecting_file_system.h"

namespace firn {

// What one operation meets.
struct Fault {
  FaultEffect effect;
  absl::Status error;  // for the effects that return one
  uint64_t random;     // which bit is flipped: differs from hit to hit, and is the same in each run
};

// Thread-safe.
class FaultPlan : public std::enable_shared_from_this<FaultPlan> {
 public:
  // The bytes that one file occupies of the limited space. Shared by its names and open files; the
  // last of them gives the bytes back. Thread-safe.
  class Occupied {
   public:
    Occupied(std::weak_ptr<FaultPlan> plan, uint64_t bytes)
        : plan_(std::move(plan)), bytes_(bytes) {}
    ~Occupied();
    // Makes room for growing to `size` bytes and returns how many the file may have: fewer where
    // the space is short.
    uint64_t GrowTo(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);
    void ShrinkTo(uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);

   private:
    const std::weak_ptr<FaultPlan> plan_;  // which holds the accounts of all names
    Mutex mutex_;                          // taken before the plan's
    uint64_t bytes_ ABSL_GUARDED_BY(mutex_);
  };
  using OccupiedPointer = std::shared_ptr<Occupied>;

  // `clock` null: delays sleep for real.
  explicit FaultPlan(Clock* clock) : clock_(clock == nullptr ? system_clock_ : *clock) {}

  // Counts the operation, sleeps if it is to be delayed, and says what it meets.
  std::optional<Fault> Meet(FileOperation operation, absl::string_view path)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // As Meet() for an operation that has no half and no bytes: an error or OK.
  absl::Status Check(FileOperation operation, absl::string_view path) ABSL_LOCKS_EXCLUDED(mutex_);

  size_t AddRule(FaultRule rule) ABSL_LOCKS_EXCLUDED(mutex_);
  void ClearRules() ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t hits(size_t number) const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t count(FileOperation operation) const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t operations() const ABSL_LOCKS_EXCLUDED(mutex_);

  void SetSpace(std::optional<uint64_t> bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<uint64_t> space() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The account of the file at `path`, begun with `size` if it has none yet.
  OccupiedPointer Occupy(absl::string_view path, uint64_t size) ABSL_LOCKS_EXCLUDED(mutex_);
  // A name is gone, was changed, or is a second one of a file: the accounts follow.
  void Forget(absl::string_view path) ABSL_LOCKS_EXCLUDED(mutex_);
  void Move(absl::string_view from, absl::string_view to) ABSL_LOCKS_EXCLUDED(mutex_);
  void Share(absl::string_view from, absl::string_view to) ABSL_LOCKS_EXCLUDED(mutex_);

  void KeepOldBytes() { keeps_old_bytes_.store(true); }
  bool keeps_old_bytes() const { return keeps_old_bytes_.load(); }

 private:
  struct Rule {
    FaultRule rule;
    uint64_t matched = 0;
    uint64_t hits = 0;
  };
  uint64_t Take(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  SystemClock system_clock_;
  Clock& clock_;
  std::atomic<bool> keeps_old_bytes_{false};
  mutable Mutex mutex_;
  std::vector<Rule> rules_ ABSL_GUARDED_BY(mutex_);
  std::array<uint64_t, kFileOperations> counts_ ABSL_GUARDED_BY(mutex_) = {};
  std::optional<uint64_t> space_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, OccupiedPointer, std::less<>> occupied_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace firn

#endif  // FIRN_IO_FAULT_PLAN_H_
