// sstable/segment_reader.h: point lookups, iteration and verification of one segment, whatever its
// layout. Open() is the one place that knows which layouts there are (segment_reader.cc).
//
// Every byte is checked before it is believed; errors name the file and the offset.
#ifndef FIRN_SSTABLE_SEGMENT_READER_H_
#define FIRN_SSTABLE_SEGMENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/counter.h"
#include "base/types.h"
#include "io/file_system.h"
#include "sstable/block_batch.h"
#include "sstable/block_cache.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/segment_format.h"
#include "sstable/segment_meta.h"
#include "sstable/segment_properties.h"

namespace firn {

// What readers count; one for a whole store or keyspace. For people, not for decisions.
struct SegmentCounters {
  Counter filter_checks;           // lookups that asked a filter
  Counter filter_negatives;        // of those, the filter said no
  Counter filter_false_positives;  // of those, it said yes, and the key had no entry
  Counter block_reads;             // data blocks read from the file
  Counter block_bytes_read;        // their bytes as stored
};

// The newest entry of a key that a lookup may see; a tombstone is an answer too.
struct FoundEntry {
  EntryKind kind = EntryKind::kPut;
  SequenceNumber sequence;
  absl::string_view value;          // lives as long as `pin`
  std::shared_ptr<const void> pin;  // the block
};

// One key of a lookup of many, with room for its answer.
struct SegmentLookup {
  absl::string_view user_key;
  std::optional<FoundEntry> found;
  bool needs_read = false;  // GetManyCached(): the answer is not in memory
  // For GetMany(), the same in all of its lookups: blocks that were read already; may be null.
  const BlockBatch* fetched = nullptr;
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

// A data block (extent, in the hashed layout), for dump.
struct SegmentBlock {
  BlockHandle handle;
  // Ordered, sequence: an encoded internal key at or after the block's last. Hashed: empty.
  std::string limit_key;
};

// What a reader is made from: an open file whose footer was read, and whose size is that of the
// manifest. `cache` and `counters` may be null, and outlive the reader and its iterators.
struct SegmentSource {
  std::unique_ptr<RandomAccessFile> file;
  SegmentFooter footer;
  SegmentMeta expected;
  BlockCache* cache = nullptr;
  SegmentCounters* counters = nullptr;
  // A larger index stays on disk, in pages, where the layout can do that.
  uint64_t index_bytes_max = UINT64_MAX;
};

// Thread-safe. Iterators keep their reader alive.
class SegmentReader : public std::enable_shared_from_this<SegmentReader> {
 public:
  // `cache` and `counters` may be null, and must outlive the reader and its iterators. kDirect: reads
  // go past the page cache, where the file system can do that. `index_bytes_max`: see SegmentSource.
  // Errors: those of ParseSegmentFooter(), DataLoss (damaged, or not the segment that `expected`
  // describes), NotFound/kMissingFile (no file).
  static absl::StatusOr<std::shared_ptr<const SegmentReader>> Open(
      FileSystem& file_system, absl::string_view path, const SegmentMeta& expected,
      BlockCache* cache, SegmentCounters* counters = nullptr,
      FileAccess access = FileAccess::kBuffered, uint64_t index_bytes_max = UINT64_MAX);
  // What the file says of itself: for repair and dump, where no manifest can be asked. Checks
  // footer, properties and the checksums of index and filter only.
  static absl::StatusOr<SegmentMeta> ReadMeta(FileSystem& file_system, absl::string_view path);

  virtual ~SegmentReader() = default;

  // The newest entry of `user_key` whose sequence number is at most `at_most`, without a copy of
  // the value; none if the segment has none.
  virtual absl::StatusOr<std::optional<FoundEntry>> Get(absl::string_view user_key,
                                                        SequenceNumber at_most) const = 0;
  // Get() if it needs no read, into `found`; false if it does, or if what is cached is damaged (Get()
  // says how). Inside a guard of the cache's epochs(): then no count that readers share is touched,
  // but for the pin of an entry that was found.
  virtual bool GetCached(absl::string_view user_key, SequenceNumber at_most,
                         std::optional<FoundEntry>& found) const = 0;
  // GetCached() of each, with `needs_read` for its false. A layout that knows where a key would be asks
  // for the memory of all keys at once. Inside a guard as GetCached().
  virtual void GetManyCached(absl::Span<SegmentLookup* const> lookups,
                             SequenceNumber at_most) const;
  // Adds to `batch` the blocks that GetMany() of this key would read. True: it may find the key here, so
  // that segments with older entries are not to be asked yet. A layout that does not know says false.
  virtual bool AddMissing(absl::string_view user_key, SequenceNumber at_most,
                          BlockBatch& batch) const;
  // For BlockBatch, in layouts whose AddMissing() adds something: where a block stands, and what it is,
  // checked and put into the cache, when it has been read as `stored`, which begins in `memory`.
  virtual BlockHandle HandleOf(size_t ordinal) const;
  virtual absl::StatusOr<std::shared_ptr<const BlockContent>> TakeBlock(size_t ordinal,
                                                                        ByteSpan stored,
                                                                        BlockMemory memory) const;

  // Get() of each, with all blocks that are not cached read in one submission. Fastest if the keys
  // ascend. After an error no answer is to be used.
  virtual absl::Status GetMany(absl::Span<SegmentLookup* const> lookups,
                               SequenceNumber at_most) const = 0;

  // In the order of internal keys, whatever the order in the file.
  virtual std::unique_ptr<InternalIterator> NewIterator(
      const SegmentReadOptions& options = {}) const = 0;

  // Reads the whole file, past the cache: checksums, order, counts, key and sequence ranges, the
  // index, and that the filter knows every key. Goes on after a bad block.
  virtual SegmentReport Verify() const = 0;

  // Bytes that the reader holds: index and filter.
  virtual size_t memory_usage() const = 0;
  // About how many bytes of the file hold user keys in [begin, limit).
  virtual uint64_t ApproximateSize(absl::string_view begin, absl::string_view limit) const = 0;

  // For dump. All data blocks, in the order of the file.
  virtual std::vector<SegmentBlock> Blocks() const = 0;
  // Calls `visit` with internal key and value of each entry of one block, in the order of the file,
  // until it returns false. The size of the block once decompressed, or what is wrong with it.
  virtual absl::StatusOr<size_t> VisitBlock(
      const BlockHandle& handle,
      absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const = 0;

  // The reader of the records as the file has them: another one only if this segment was ingested.
  virtual std::shared_ptr<const SegmentReader> AsStored() const { return shared_from_this(); }

  const SegmentMeta& meta() const { return meta_; }
  const SegmentFooter& footer() const { return footer_; }
  const SegmentProperties& properties() const { return properties_; }
  const std::string& path() const { return file_->path(); }
  RandomAccessFile& file() const { return *file_; }

 protected:
  SegmentReader(SegmentSource source, SegmentProperties properties);
  // Another reader of the same file.
  SegmentReader(const SegmentReader& other, SegmentMeta meta);

  BlockAddress AddressOf(const BlockHandle& handle) const { return {meta_.id, handle.offset}; }

  const std::shared_ptr<RandomAccessFile> file_;
  const SegmentFooter footer_;
  const SegmentMeta meta_;
  const SegmentProperties properties_;
  BlockCache* const cache_;
  SegmentCounters* const counters_;
};

// DataLoss if `found`, which a file of `path` says of itself, is not `expected`. The number is only a
// name. Every layout's Open() calls it.
absl::Status CompareSegmentMeta(const SegmentMeta& expected, const SegmentMeta& found,
                                absl::string_view path);

}  // namespace firn

#endif  // FIRN_SSTABLE_SEGMENT_READER_H_
