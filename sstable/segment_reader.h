// sstable/segment_reader.h: point lookups, iteration and verification of one segment.
//
// Open() reads footer, properties, index and filter, holds them against what the manifest says
// (SegmentMeta), and keeps index and filter in memory. Data blocks come through the block cache.
// Every byte is checked before it is believed; errors name the file and the offset.
#ifndef FIRN_SSTABLE_SEGMENT_READER_H_
#define FIRN_SSTABLE_SEGMENT_READER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/block.h"
#include "sstable/block_cache.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_tail.h"

namespace firn {

// What readers count; one for a whole store or keyspace. Relaxed: for people, not for decisions.
struct SegmentCounters {
  std::atomic<uint64_t> filter_checks{0};     // lookups that asked a filter
  std::atomic<uint64_t> filter_negatives{0};  // of those, the filter said no
  std::atomic<uint64_t> filter_false_positives{
      0};  // of those, it said yes, and the key had no entry
  std::atomic<uint64_t> block_cache_hits{0};
  std::atomic<uint64_t> block_cache_misses{0};
  std::atomic<uint64_t> block_reads{0};       // data blocks read from the file
  std::atomic<uint64_t> block_bytes_read{0};  // their bytes as stored
};

// The newest entry of a key that a lookup may see; a tombstone is an answer too.
struct FoundEntry {
  EntryKind kind = EntryKind::kPut;
  SequenceNumber sequence;
  absl::string_view value;          // lives as long as `pin`
  std::shared_ptr<const void> pin;  // the block
};

// One key of GetMany(), with room for its answer.
struct SegmentLookup {
  absl::string_view user_key;
  std::optional<FoundEntry> found;
};

enum class CacheUse : uint8_t {
  kFill = 1,   // blocks that were read go into the cache
  kProbe = 2,  // use what is cached, add nothing: compactions and verification
};

struct SegmentReadOptions {
  CacheUse cache = CacheUse::kFill;
  // Bytes that an iterator reads ahead at most. It begins with one block and doubles with each
  // sequential one; 0: never more than the block that is needed.
  size_t readahead_max = size_t{256} << 10;
};

// What Verify() saw. `problems` names each bad place, the first of them first.
struct SegmentReport {
  uint64_t data_blocks = 0;
  uint64_t entries = 0;
  uint64_t bytes = 0;  // read and checked
  std::vector<absl::Status> problems;
};

// A data block as the index names it, for dump.
struct SegmentBlock {
  BlockHandle handle;
  std::string separator;  // encoded internal key, at or after the block's last
};

// Thread-safe. Iterators keep their reader alive.
class SegmentReader : public std::enable_shared_from_this<SegmentReader> {
 public:
  // `cache` and `counters` may be null, and must outlive the reader and its iterators.
  // Errors: those of ParseSegmentFooter(), DataLoss (damaged, or not the segment that `expected`
  // describes), NotFound/kMissingFile (no file).
  static absl::StatusOr<std::shared_ptr<const SegmentReader>> Open(
      FileSystem& file_system, absl::string_view path, const SegmentMeta& expected,
      BlockCache* cache, SegmentCounters* counters = nullptr);
  // What the file says of itself: for repair and dump, where no manifest can be asked. Checks
  // footer and properties only.
  static absl::StatusOr<SegmentMeta> ReadMeta(FileSystem& file_system, absl::string_view path);

  // The newest entry of `user_key` whose sequence number is at most `at_most`, without a copy of
  // the value; none if the segment has none. Reads one block at most.
  absl::StatusOr<std::optional<FoundEntry>> Get(absl::string_view user_key,
                                                SequenceNumber at_most) const;
  // Get() of each, with all blocks that are not cached read in one submission. Fastest if the keys
  // ascend. After an error no answer is to be used.
  absl::Status GetMany(absl::Span<SegmentLookup* const> lookups, SequenceNumber at_most) const;

  std::unique_ptr<InternalIterator> NewIterator(const SegmentReadOptions& options = {}) const;

  // Reads the whole file, past the cache: checksums, order, counts, key and sequence ranges, the
  // index's separators, and that the filter knows every key. Goes on after a bad block.
  SegmentReport Verify() const;

  const SegmentMeta& meta() const { return meta_; }
  const SegmentFooter& footer() const { return tail_.footer; }
  const SegmentProperties& properties() const { return tail_.properties; }
  const std::string& path() const { return file_->path(); }
  // All data blocks, in order.
  std::vector<SegmentBlock> Blocks() const;
  // One data block, verified. Uses the cache.
  absl::StatusOr<std::shared_ptr<const Block>> ReadDataBlock(const BlockHandle& handle,
                                                             CacheUse cache) const;
  // Several, in one submission, each with its own outcome. Past the cache.
  std::vector<absl::StatusOr<std::shared_ptr<const Block>>> ReadDataBlocks(
      absl::Span<const BlockHandle> handles) const;
  // Bytes that the reader holds: index and filter.
  size_t memory_usage() const { return tail_.index.memory_usage() + tail_.filter.memory_usage(); }
  // About how many bytes of the file hold user keys in [begin, limit).
  uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const;

 private:
  friend class SegmentIterator;
  friend class SegmentVerifier;

  SegmentReader(std::unique_ptr<RandomAccessFile> file, const SegmentMeta& meta, SegmentTail tail,
                BlockCache* cache, SegmentCounters* counters);

  BlockAddress AddressOf(const BlockHandle& handle) const { return {meta_.id, handle.offset}; }
  std::shared_ptr<const Block> FindCached(const BlockHandle& handle) const;
  bool IsCached(const BlockHandle& handle) const;  // counts as nothing
  void InsertCached(const BlockHandle& handle, std::shared_ptr<const Block> block) const;
  bool FilterMayContain(absl::string_view user_key) const;
  // The entry of `target` in `block`, the one at `handle`.
  absl::StatusOr<std::optional<FoundEntry>> FindInBlock(const LookupKey& target,
                                                        std::shared_ptr<const Block> block,
                                                        const BlockHandle& handle) const;
  // An error that a BlockIterator found, with the file and the block's offset.
  absl::Status AnnotateBlockError(const absl::Status& status, const BlockHandle& handle) const;
  // The verified block that was read as `bytes` (with its trailer). Takes over `owned` as the
  // block's memory if it is the same bytes and they need no decompression.
  absl::StatusOr<std::shared_ptr<const Block>> DecodeBlock(ByteSpan bytes,
                                                           const BlockHandle& handle,
                                                           std::unique_ptr<uint8_t[]> owned) const;

  const std::unique_ptr<RandomAccessFile> file_;
  const SegmentMeta meta_;
  const SegmentTail tail_;
  BlockCache* const cache_;
  SegmentCounters* const counters_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_READER_H_
