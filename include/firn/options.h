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
  kLz4 = 2,    // a block is kept compressed only if that saves an eighth
  kLz4Hc = 3,  // the same form, made with more effort: a few percent smaller, written several times
               // slower, read as fast
  kZstd = 4,   // smaller still, read several times slower; only in builds with libzstd
};

// A codec and how hard it tries. Level 0: the codec's default. kLz4: acceleration, [1, 65537], faster
// and larger the higher. kLz4Hc: [1, 12], default 9; kZstd: [1, 19], default 3: smaller and slower the
// higher. kNone: 0 alone.
struct CompressionChoice {
  Compression codec = Compression::kLz4;
  uint32_t level = 0;
  friend bool operator==(const CompressionChoice&, const CompressionChoice&) = default;
};

// Of the keyspaces of a tree, when they are made; Database::SetCompression() changes one of them later.
struct TreeCompression {
  CompressionChoice nodes;        // keyspace nodes
  CompressionChoice operations;   // operations, indexes
  CompressionChoice checkpoints;  // checkpoints, deaths
  CompressionChoice records;      // records, metadata
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
  // All of it together: memtables, block cache, what transactions remember, indexes of segments, and
  // the fixed cost of logs and threads. 0, or [16 MiB, 16 TiB]. 0: the sum of the parts below, each on
  // its own, so that memory grows with the keyspaces written to. Otherwise each part is cut to its
  // share (engine/memory_budget.h): memtables are flushed earlier, so that more is merged, and the
  // cache holds less.
  uint64_t memory_budget = 0;
  size_t memtable_size = size_t{64} << 20;  // [64 KiB, 4 GiB]; a keyspace is flushed at this size.
                                            // Larger: fewer merges, longer recovery
  size_t immutable_memtables_max = 2;       // [1, 16]; more wait for a flush, then writers slow down
  size_t block_cache_size = size_t{32} << 20;  // [0, 1 TiB]; 0: no cache, every read asks the disk.
                                               // Covers the indexes and filters of open segments,
                                               // but a quarter of it is always for blocks
  size_t open_segments_max = 512;           // [16, 65536]; each costs a descriptor and its index
  size_t transaction_memory = size_t{16} << 20;  // [64 KiB, 4 GiB]; keys written while a transaction
                                                 // is open. Less: commits look into the store more
                                                 // often, which reads it

  // --- disk and background work
  uint64_t free_space_min = uint64_t{8} << 20;  // bytes, [0, 1 TiB]; writes are refused before the
                                                // disk has less free, beside what flushes need.
                                                // Larger: more of the disk is never used
  uint64_t background_io_rate = 0;          // bytes a second that merges read and write (flushes
                                            // are free); 0: as fast as they can, or [1 MiB, 1 TiB].
                                            // Too low: writers wait for the merges
  size_t log_size_max = size_t{256} << 20;  // [1 MiB, 64 GiB]; beyond it the keyspace that holds the
                                            // oldest log is flushed; bounds recovery time
  size_t segment_size = size_t{64} << 20;   // [64 KiB, 4 GiB]; target size of a segment file.
                                            // Larger: fewer files, longer merges
  size_t level0_segments_merge = 4;         // [2, 64]; so many level-0 segments start a merge. More:
                                            // fewer bytes merged, more segments to look into
  size_t level0_segments_slow = 12;         // [level0_segments_merge, 4096]; from here on writers
                                            // are slowed, smoothly. More: reads and scans get slower
  size_t level0_segments_stop = 36;         // (level0_segments_slow, 65536]; and here they wait
  size_t level1_size = size_t{256} << 20;   // [1 MiB, 1 TiB]; each deeper level is 10 times larger.
                                            // Larger: fewer levels, larger merges into the first
  size_t background_threads = 2;            // [2, 64]; one of them only flushes
  uint64_t compaction_interval_s = 3600;    // seconds, 0 (never) or [1, 31 days]; so often what too few
                                            // writes left unmerged on level 0 is merged all the same.
                                            // Shorter: more bytes are written, fewer segments stay
  uint64_t reader_age_warning_s = 600;      // seconds, 0 (never) or [1, 31 days]; a snapshot, iterator
                                            // or transaction that is older is warned of in log and
                                            // statistics, for it keeps old versions on the disk
  bool direct_segment_reads = false;        // segments are read past the page cache, where the file
                                            // system can do that: no memory beside the block cache,
                                            // and less work a read where data is far larger than
                                            // memory. What the block cache has lost is read again
};

struct KeyspaceOptions {
  KeyspaceLayout layout = KeyspaceLayout::kOrdered;
  uint32_t key_width = 0;         // kHashed: bytes of every key, [8, 64]. Others: not used
  Compression compression = Compression::kLz4;
  uint32_t compression_level = 0;  // see CompressionChoice
  size_t block_size = 4096;       // bytes before compression, [512, 1 MiB]; larger: smaller index and
                                  // better compression, more bytes read for a point lookup
  size_t compression_threshold = 1024;  // bytes; smaller blocks are stored as they are
  uint32_t filter_bits_per_key = 10;    // [0, 32]; 10 passes about 1 % of absent keys; 0: no filter
  // What the keyspace may hold, in bytes of memtables and segments, old versions included; each 0 (no
  // limit) or [64 KiB, 16 TiB]. Database::SetSizeLimits() changes them. Above the soft one (at most
  // the other) a warning goes to the log sink and statistics; above the other puts are refused, while
  // reads, removes and DropBelow() go on, until merges have made room. Costs a look a write.
  uint64_t size_soft_limit = 0;
  uint64_t size_limit = 0;
};

// What a keyspace may hold, in bytes, as in KeyspaceOptions; 0: no limit.
struct SizeLimits {
  uint64_t soft = 0;
  uint64_t hard = 0;
};

}  // namespace firn

#endif  // FIRN_OPTIONS_H_
