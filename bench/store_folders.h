// bench/store_folders.h: where the engines' stores are during a benchmark: DIRECTORY/ENGINE-STORE, with
// a note DIRECTORY/ENGINE-STORE.note beside it that says what was loaded. A folder without a note is not
// ours and is never touched.
//
// A note is one line: "partial" while a store is loaded, "loaded TEXT" when it is whole and unchanged
// (TEXT: Workload::StoreText()), "changed" once a job has written to it that did not load it.
#ifndef FIRN_BENCH_STORE_FOLDERS_H_
#define FIRN_BENCH_STORE_FOLDERS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/workload.h"

namespace firn::bench {

class StoreFolders {
 public:
  // With `is_scratch` the directory is ours, too, and goes with this object.
  StoreFolders(std::string directory, bool is_scratch);
  ~StoreFolders();
  StoreFolders(const StoreFolders&) = delete;
  StoreFolders& operator=(const StoreFolders&) = delete;

  absl::Status MakeDirectory();
  std::string Path(absl::string_view engine, const Workload& job) const;

  enum class Readiness : uint8_t { kRun = 1, kSkip = 2 };
  // Before a job: removes the old store if the job makes a new one, and finds the one that it needs.
  // kSkip: the job prepares a store that is there already. FailedPrecondition: nothing there to work
  // on, or something that is not ours.
  absl::StatusOr<Readiness> Begin(absl::string_view engine, const Workload& job);
  // After a job that has succeeded.
  absl::Status End(absl::string_view engine, const Workload& job);
  // Removes a store with its note, if it is there and ours.
  absl::Status Remove(absl::string_view engine, const Workload& job);

  // Bytes free for us in the directory's file system.
  uint64_t FreeSpace() const;
  bool is_scratch() const { return is_scratch_; }
  const std::string& directory() const { return directory_; }

 private:
  const std::string directory_;
  const bool is_scratch_;
};

// A job that writes records from ordinal 0 on makes the store anew.
bool MakesStore(const Workload& job);

}  // namespace firn::bench

#endif  // FIRN_BENCH_STORE_FOLDERS_H_
