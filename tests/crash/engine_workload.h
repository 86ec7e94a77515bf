// tests/crash/engine_workload.h: a small, busy life of a store, drawn from a seed, and what must be
// found of it after a crash.
//
// Batches over the keyspaces a, b and a changing d<n> are numbered; each writes its number under the
// key "last" in a. Whatever number is found there after a crash, all keyspaces must hold exactly what
// the batches up to it make: no half batch, no gap. The number itself must not lie below the last batch
// that was acknowledged as durable. Keyspace s, of the sequence layout, holds an entry a batch, from a
// bound on. Keyspace c takes kVolatile loads: what was flushed must be there. Some batches come as two
// segment files that are built outside of the store and ingested into a: such a batch is durable as
// soon as it is acknowledged, with all before it.
#ifndef FIRN_TESTS_CRASH_ENGINE_WORKLOAD_H_
#define FIRN_TESTS_CRASH_ENGINE_WORKLOAD_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/random.h"
#include "engine/database.h"
#include "io/file_system.h"
#include "tests/engine/stepped_store.h"

namespace firn {

class EngineWorkload {
 public:
  EngineWorkload(FileSystem& file_system, uint64_t seed);

  // What may be lost: what was not durable (the machine stopped, or a failed sync dropped it), or
  // nothing that was acknowledged (the machine lived on).
  enum class Crash : uint8_t { kMachine, kProcess };

  // Until `steps` are done, or a call fails as it does when the machine is gone.
  void Run(int steps);
  // As Run(), for a file system whose faults go away: failures are part of the story.
  void RunThroughFaults(int steps, Crash fault);
  // The process ends (the destructors run), whatever the machine does.
  void Stop();

  // Reopens on `file_system`, twice, and looks. A wrong finding; empty if all is well.
  std::string Check(FileSystem& file_system, Crash crash) const;

  int steps_done() const { return steps_done_; }
  size_t batches() const { return batches_.size(); }
  const std::string& trouble() const { return trouble_; }

 private:
  using Content = std::map<std::string, std::string>;
  struct Entry {
    std::string keyspace;
    std::string key;
    std::optional<std::string> value;
  };
  using Batch = std::vector<Entry>;
  struct Extra {  // a keyspace d<n>
    std::string name;
    bool created = false;  // acknowledged
    bool drop_tried = false;
    bool dropped = false;  // acknowledged
  };

  bool Step();  // false: the machine is gone
  bool OpenAll();
  bool Write();
  bool WriteVolatile();
  bool DropBelow();
  bool IngestFiles();
  absl::StatusOr<std::string> BuildFile(const std::map<std::string, std::string>& records);
  bool ChangeExtra();
  bool Reopen();
  bool Note(const absl::Status& status);
  Content ContentAt(const std::string& keyspace, size_t batches) const;
  std::string CheckOpen(DatabaseImpl& database, Crash crash) const;
  std::string CheckVolatile(DatabaseImpl& database) const;
  std::string CheckSequence(DatabaseImpl& database, size_t number) const;

  FileSystem& file_system_;
  Random random_;
  const bool hashed_;  // the layout of b and c
  SteppedStore store_;
  bool forgives_ = false;  // faults go away
  Crash fault_ = Crash::kMachine;
  int steps_done_ = 0;
  std::string trouble_;
  std::string last_failure_;  // of a write

  std::vector<Batch> batches_;   // tried, in order
  size_t acknowledged_ = 0;      // of them
  size_t durable_ = 0;           // of them
  bool main_created_ = false;    // a, b and c
  std::vector<Extra> extras_;
  std::vector<std::pair<std::string, std::string>> volatile_;  // tried, in order
  size_t volatile_written_ = 0;                                // acknowledged since the last loss
  size_t volatile_flushed_ = 0;
  std::vector<Snapshot> snapshots_;
  uint64_t files_built_ = 0;
  uint64_t bound_tried_ = 0;  // of s
  uint64_t bound_known_ = 0;  // acknowledged
};

}  // namespace firn

#endif  // FIRN_TESTS_CRASH_ENGINE_WORKLOAD_H_
