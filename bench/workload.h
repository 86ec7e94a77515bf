// bench/workload.h: the description of one job, in fio's words where fio has a word for it, and the
// table of all words: command line, job files and their help are made from it.
//
// docs/benchmarks_howto.md explains them to users.
#ifndef FIRN_BENCH_WORKLOAD_H_
#define FIRN_BENCH_WORKLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bench/generator.h"
#include "firn/options.h"

namespace firn::bench {

// fio's rw=.
enum class Access : uint8_t {
  kWrite = 1,      // new records in the order of their ordinals
  kRandWrite = 2,  // other values for present records
  kRead = 3,       // all records in key order
  kRandRead = 4,   // point reads, or short scans
  kRandMix = 5,    // rwmixread % reads, the rest writes
  kOpen = 6,       // opens, reads one record, closes
};

// What a write of a mix does.
enum class MixedWrite : uint8_t {
  kUpdate = 1,  // another value for a present record
  kInsert = 2,  // a new record
  kModify = 3,  // reads a record, then updates it
};

enum class RateProcess : uint8_t { kLinear = 1, kPoisson = 2 };

// How a job's store ends.
enum class Ending : uint8_t {
  kClose = 1,
  kKill = 2,  // the process is killed with SIGKILL, the store open
};

struct Workload {
  std::string name = "job";
  std::string description;
  std::string row;  // of the table of results

  // What is done.
  Access access = Access::kWrite;
  MixedWrite mixed_write = MixedWrite::kUpdate;
  uint64_t read_percent = 50;
  uint64_t jobs = 1;        // threads
  uint64_t batch = 1;       // records a commit
  uint64_t multiget = 1;    // keys a read
  uint64_t scan_max = 0;    // reads are scans of 1 to so many records; 0: point reads
  uint64_t absent_percent = 0;
  double zipf = 0;  // 0: uniform

  // How much: the first of these to be reached ends the job; 0: none.
  uint64_t keys = 0;        // records in the store
  uint64_t size = 0;        // bytes of records: another way of saying `keys`
  uint64_t calls = 0;       // over all threads
  uint64_t runtime_us = 0;
  bool time_based = false;  // `keys` does not end a job that writes
  uint64_t ramp_us = 0;     // not counted
  uint64_t offset = 0;      // first ordinal that rw=write writes

  // Durability: 0 buffered; N: one commit in N of a thread is synced.
  uint64_t sync_every = 0;

  // Open loop, a thread: calls a second; or that share of what the job before this one reached.
  double rate = 0;
  double rate_share_percent = 0;
  RateProcess rate_process = RateProcess::kLinear;

  // Records and how they are kept.
  RecordShape shape;
  KeyspaceLayout layout = KeyspaceLayout::kOrdered;
  bool compress = true;
  uint64_t filter_bits = 10;
  uint64_t cache = uint64_t{1} << 30;
  uint64_t memtable = uint64_t{64} << 20;
  uint64_t memtables = 3;
  uint64_t log_size = uint64_t{1} << 30;
  uint64_t memory_budget = 0;  // of firn; 0: none

  // Around the job.
  std::string store = "store";  // folder, shared with the other jobs of the file that name it
  bool prepare = false;         // is skipped if its store is there; its figures are not compared
  bool keep = false;            // the store stays after the last round
  bool settle = false;          // the time until background work is done counts
  bool warm = false;            // every record is read once before the time runs
  bool invalidate = false;      // the store's pages are dropped from the page cache before
  uint64_t memory_limit = 0;    // bytes; runs in a memory cgroup of that size
  Ending ending = Ending::kClose;
  bool hiccup = false;          // a thread that measures the machine's own pauses
  bool less_clock = false;      // one call in 64 is timed
  bool verify = true;           // values read are compared with what was written
  std::string yardstick;        // words for fio, which is run beside the engines
  std::vector<std::string> compare = {"iops"};  // metrics whose ratios are printed

  bool reads() const { return access != Access::kWrite && access != Access::kRandWrite; }
  bool writes() const {
    return access == Access::kWrite || access == Access::kRandWrite || access == Access::kRandMix;
  }
  // Records in the store once it is loaded.
  uint64_t record_count() const;
  // What decides the bytes of a store that this job loads: two jobs with the same text leave the
  // same store.
  std::string StoreText() const;
};

// One word of a job.
struct Word {
  const char* name;
  const char* also;  // another name, or null
  const char* group;
  const char* help;
  bool is_flag;  // may stand alone, which means 1
};

absl::Span<const Word> Words();

// Sets one word. InvalidArgument: an unknown word (naming the nearest known one) or a bad value.
absl::Status SetWord(Workload& workload, absl::string_view word, absl::string_view value);

// What no single word can tell. InvalidArgument naming the words that do not fit together.
absl::Status CheckWorkload(const Workload& workload);

// The candidate that is spelled most like `word`; empty if none is near.
std::string Nearest(absl::string_view word, absl::Span<const std::string> candidates);

}  // namespace firn::bench

#endif  // FIRN_BENCH_WORKLOAD_H_
