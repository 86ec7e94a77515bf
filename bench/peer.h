// bench/peer.h: an engine as the benchmark sees it. Every engine gets the same records with the same
// durability through the same calls, and copies values out the same way: into the caller's string.
#ifndef FIRN_BENCH_PEER_H_
#define FIRN_BENCH_PEER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/options.h"

namespace firn::bench {

enum class Sync : uint8_t {
  kBuffered = 1,  // survives the process
  kSynced = 2,    // survives the machine
};

// What all engines are told; each makes the best of it.
struct PeerOptions {
  std::string path;  // a folder; made if absent
  KeyspaceLayout layout = KeyspaceLayout::kOrdered;
  bool ascending_keys = false;  // keys are written in their order
  bool compress = true;
  uint64_t filter_bits = 10;
  uint64_t cache = 0;      // bytes
  uint64_t memtable = 0;   // bytes
  uint64_t memtables = 3;  // together `memtables` * `memtable` bytes of write buffers
  uint64_t log_size = 0;   // bytes of log that may wait for a flush
  uint64_t memory_budget = 0;  // of firn, bytes; 0: none
  uint64_t threads = 1;    // sessions at most
  bool synced = false;     // will synced commits be asked for?
  uint64_t data_size = 0;  // bytes of records expected, for engines that have to know
};

struct ReadResult {
  bool found = false;
  std::string value;  // its memory is used again by the next read
};

using Visitor = absl::FunctionRef<void(absl::string_view key, absl::string_view value)>;

// What one thread does with an engine. One thread at a time; must not outlive its Peer.
class Session {
 public:
  virtual ~Session() = default;
  // Adds a record to the batch that the next Commit() applies as one.
  virtual void Put(absl::string_view key, absl::string_view value) = 0;
  virtual absl::Status Commit(Sync sync) = 0;
  // Absent is no error.
  virtual absl::Status Get(absl::string_view key, ReadResult& result) = 0;
  // As many results as keys, by whatever the engine has for reading many.
  virtual absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                                absl::Span<ReadResult> results) = 0;
  // Visits at most `records_max` records from `begin` on, in key order. Returns how many.
  virtual absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                        Visitor visit) = 0;
};

// An open store.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual absl::StatusOr<std::unique_ptr<Session>> NewSession() = 0;
  // Writes what is in memory to where it stays, synced, and returns when no background work is due.
  // No compaction is asked for that the engine does not find due.
  virtual absl::Status Settle() = 0;
  // All sessions must be gone.
  virtual absl::Status Close() = 0;
  // What the engine counted, for the report: name and number.
  virtual std::vector<std::pair<std::string, double>> Figures() { return {}; }
};

using PeerFactory = absl::StatusOr<std::unique_ptr<Peer>> (*)(const PeerOptions& options);

struct EngineEntry {
  const char* name;
  PeerFactory open;        // null: not in this build
  const char* why_absent;  // if so
};

// All engines there are, firn first; those that this build lacks are listed with the reason.
absl::Span<const EngineEntry> Engines();
// Null if there is none of that name.
const EngineEntry* FindEngine(absl::string_view name);

}  // namespace firn::bench

#endif  // FIRN_BENCH_PEER_H_
