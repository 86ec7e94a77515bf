#include "compaction/parallel_parts.h"

#include <memory>
#include <optional>

#include "base/mutex.h"

namespace firn {
namespace {

// Outlives the job as long as a helper is still to come.
struct Parts {
  explicit Parts(size_t all) : count(all) {}

  // A part that nobody has begun.
  std::optional<size_t> Take() ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(mutex);
    if (next == count) return std::nullopt;
    return next++;
  }
  void Finished() ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(mutex);
    if (++finished == count) changed.NotifyAll();
  }

  const size_t count;
  Mutex mutex;
  CondVar changed;
  size_t next ABSL_GUARDED_BY(mutex) = 0;
  size_t finished ABSL_GUARDED_BY(mutex) = 0;
};

// `run` is not touched once every part is taken.
void Work(Parts& parts, absl::FunctionRef<void(size_t)> run) {
  while (const std::optional<size_t> part = parts.Take()) {
    run(*part);
    parts.Finished();
  }
}

}  // namespace

void RunParts(size_t parts, const HelperSink& helpers, absl::FunctionRef<void(size_t)> run) {
  const auto shared = std::make_shared<Parts>(parts);
  if (helpers != nullptr) {
    for (size_t i = 1; i < parts; ++i) helpers([shared, run] { Work(*shared, run); });
  }
  Work(*shared, run);
  MutexLock lock(shared->mutex);
  while (shared->finished < parts) shared->changed.Wait(shared->mutex);
}

}  // namespace firn
