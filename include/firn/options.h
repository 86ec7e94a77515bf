// firn/options.h: what can be chosen, in three groups: the store, a keyspace, a read. Every field
// has a default that suits a small service; each says its unit, range and what it costs.
#ifndef FIRN_OPTIONS_H_
#define FIRN_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace firn {

// When a write counts as done. Nothing is visible to readers before it is as durable as was asked.
enum class Durability : uint8_t {
  kVolatile = 1,  // no log record: a crash before Flush(keyspace) may lose any part of it. For bulk
                  // loads; the batch names one keyspace
  kBuffered = 2,  // survives a crash of the process, not of the machine; a later kSynced write or
                  // Sync() makes it durable
  kSynced = 3,    // on stable storage when the call returns
};

enum class Storage : uint8_t {
  kDisk = 1,    // io_uring where the kernel allows it, pread/pwrite otherwise
  kMemory = 2,  // the same code on files in memory: nothing survives the last handle
};

enum class OpenMode : uint8_t {
  kOpenOrCreate = 1,
  kOpenExisting = 2,  // NotFound/kNotAStore if there is no store
  kCreateNew = 3,     // AlreadyExists if there is one
};

// How a keyspace keeps its entries; fixed when it is created.
enum class KeyspaceLayout : uint8_t {
  kOrdered = 1,   // any keys; prefix-compressed sorted blocks, leveled compaction
  kHashed = 2,    // keys of one width, uniformly random, such as hashes, with one value for ever:
                  // putting a different one under a present key is the caller's error, and which of
                  // the two is read is then undefined. Records stand in the order they came; found
                  // through an index of fingerprints; tiered merges. Scans in key order are slow
  kSequence = 3,  // 8-byte big-endian keys that ascend from put to put; no removes but
                  // Database::DropBelow(). Written once, never merged
};

enum class Compression : uint8_t {
  kNone = 1,
  kLz4 = 2,  // a block is kept compressed only if that saves an eighth
};

// Called with one line (no newline) on what the store does: open, recovery, flush, compaction,
// slowdown, errors. May be called from any thread; must not call back into the database.
using LogSink = std::function<void(absl::string_view line)>;

struct Options {
  // --- the store
  OpenMode mode = OpenMode::kOpenOrCreate;
  Storage storage = Storage::kDisk;
  // Facts fixed at creation and written to the file FIRN; ignored when the store exists
  // (Database::identity() tells them). Keys and values: printable ASCII without '=' or line ends.
  std::map<std::string, std::string> identity;
  LogSink log_sink;  // none: silent

  // --- memory, bytes
  size_t memtable_size = size_t{64} << 20;  // [64 KiB, 4 GiB]; a keyspace is flushed at this size.
                                            // Larger: fewer merges, longer recovery
  size_t immutable_memtables_max = 2;       // [1, 16]; more wait for a flush, then writers slow down
  size_t block_cache_size = size_t{32} << 20;  // 0: no cache
  size_t open_segments_max = 512;           // [16, 65536]; each costs a descriptor and its index

  // --- disk and background work
  size_t log_size_max = size_t{256} << 20;  // [1 MiB, 64 GiB]; beyond it the keyspace that holds the
                                            // oldest log is flushed; bounds recovery time
  size_t segment_size = size_t{64} << 20;   // [64 KiB, 4 GiB]; target size of a segment file
  size_t level0_segments_merge = 4;         // [2, 64]; so many level-0 segments start a merge
  size_t level0_segments_slow = 12;         // from here on writers are slowed, smoothly
  size_t level0_segments_stop = 36;         // and here they wait
  size_t level1_size = size_t{256} << 20;   // [1 MiB, 1 TiB]; each deeper level is 10 times larger
  size_t background_threads = 2;            // [2, 64]; one of them only flushes
};

struct KeyspaceOptions {
  KeyspaceLayout layout = KeyspaceLayout::kOrdered;
  uint32_t key_width = 0;         // kHashed: bytes of every key, [8, 64]. Others: not used
  Compression compression = Compression::kLz4;
  size_t block_size = 4096;       // bytes before compression, [512, 1 MiB]; larger: smaller index and
                                  // better compression, more bytes read for a point lookup
  size_t compression_threshold = 1024;  // bytes; smaller blocks are stored as they are
  uint32_t filter_bits_per_key = 10;    // [0, 32]; 10 passes about 1 % of absent keys; 0: no filter
};

}  // namespace firn

#endif  // FIRN_OPTIONS_H_
