#include "sstable/segment_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/hashed_segment_reader.h"
#include "sstable/ingested_segment_reader.h"
#include "sstable/ordered_segment_reader.h"
#include "sstable/segment_frame.h"
#include "sstable/sequence_segment_reader.h"

namespace firn {
namespace {

absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenFile(
    FileSystem& file_system, absl::string_view path, FileAccess access = FileAccess::kBuffered) {
  absl::StatusOr<std::unique_ptr<RandomAccessFile>> file =
      access == FileAccess::kDirect ? file_system.OpenForDirectRead(path)
                                    : file_system.OpenForRead(path);
  if (!file.ok() && absl::IsNotFound(file.status())) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kMissingFile,
                     absl::StrCat(path, ": this segment is named by the store and is not there: ",
                                  file.status().message()));
  }
  return file;
}

// The one place where a layout of a file becomes a reader.
absl::StatusOr<std::shared_ptr<const SegmentReader>> OpenLayout(SegmentSource source) {
  switch (source.footer.layout) {
    case SegmentLayout::kOrdered:
      return OrderedSegmentReader::Open(std::move(source));
    case SegmentLayout::kHashed:
      return HashedSegmentReader::Open(std::move(source));
    case SegmentLayout::kSequence:
      return SequenceSegmentReader::Open(std::move(source));
  }
  FIRN_CHECK(false);  // ParseSegmentFooter() refuses the others
}

}  // namespace

absl::Status CompareSegmentMeta(const SegmentMeta& expected, const SegmentMeta& found,
                                absl::string_view path) {
  struct Fact {
    absl::string_view what;
    uint64_t expected;
    uint64_t found;
  };
  const bool knows_blocks = expected.data_block_count > 0;
  for (const Fact& fact :
       {Fact{"segment id", expected.id, found.id}, Fact{"file size", expected.size, found.size},
        Fact{"number of entries", expected.entry_count, found.entry_count},
        Fact{"lowest sequence number", expected.sequence_min.value, found.sequence_min.value},
        Fact{"highest sequence number", expected.sequence_max.value, found.sequence_max.value},
        Fact{"number of blocks", knows_blocks ? expected.data_block_count : found.data_block_count,
             found.data_block_count},
        Fact{"number of tombstones",
             knows_blocks ? expected.tombstone_count : found.tombstone_count,
             found.tombstone_count},
        Fact{"bytes of keys and values", expected.raw_size == 0 ? found.raw_size : expected.raw_size,
             found.raw_size}}) {
    if (fact.expected == fact.found) continue;
    return CorruptionAt(path, found.size - kSegmentFooterSize,
                        absl::StrCat("not the segment of the manifest: ", fact.what),
                        {.expected = fact.expected, .actual = fact.found});
  }
  if (expected.smallest != found.smallest || expected.largest != found.largest) {
    return CorruptionAt(path, found.size - kSegmentFooterSize,
                        "not the segment of the manifest: its key range differs");
  }
  return absl::OkStatus();
}

bool SegmentReader::AddMissing(absl::string_view /*user_key*/, SequenceNumber /*at_most*/,
                               BlockBatch& /*batch*/) const {
  return false;
}

BlockHandle SegmentReader::HandleOf(size_t /*ordinal*/) const {
  FIRN_CHECK(false);  // nothing was added
}

absl::StatusOr<std::shared_ptr<const BlockContent>> SegmentReader::TakeBlock(
    size_t /*ordinal*/, ByteSpan /*stored*/, BlockMemory /*memory*/) const {
  FIRN_CHECK(false);  // nothing was added
}

void SegmentReader::GetManyCached(absl::Span<SegmentLookup* const> lookups,
                                  SequenceNumber at_most) const {
  for (SegmentLookup* const lookup : lookups) {
    lookup->needs_read = !GetCached(lookup->user_key, at_most, lookup->found);
  }
}

absl::StatusOr<std::shared_ptr<const SegmentReader>> SegmentReader::Open(
    FileSystem& file_system, absl::string_view path, const SegmentMeta& expected, BlockCache* cache,
    SegmentCounters* counters, FileAccess access, uint64_t index_bytes_max) {
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file,
                        OpenFile(file_system, path, access));
  if (file->size() != expected.size) {
    return CorruptionAt(path, std::min(file->size(), expected.size), "file size",
                        {.expected = expected.size, .actual = file->size()});
  }
  const absl::StatusOr<SegmentFooter> footer = ReadSegmentFooter(*file);
  if (ReasonOf(footer.status()) == ErrorReason::kNotAStore) {  // the manifest says that it is one
    return CorruptionAt(path, file->size(), footer.status().message());
  }
  FIRN_RETURN_IF_ERROR(footer.status());
  const bool is_ingested = expected.ingested_at.value > 0;
  FIRN_ASSIGN_OR_RETURN(
      std::shared_ptr<const SegmentReader> reader,
      OpenLayout({.file = std::move(file),
                  .footer = *footer,
                  .expected = is_ingested ? firn::AsStored(expected) : expected,
                  .cache = cache,
                  .counters = counters,
                  .index_bytes_max = index_bytes_max}));
  if (!is_ingested) return reader;
  return std::make_shared<const IngestedSegmentReader>(std::move(reader), expected);
}

absl::StatusOr<SegmentMeta> SegmentReader::ReadMeta(FileSystem& file_system,
                                                    absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file, OpenFile(file_system, path));
  FIRN_ASSIGN_OR_RETURN(const SegmentFooter footer, ReadSegmentFooter(*file));
  FIRN_ASSIGN_OR_RETURN(const SegmentFrame frame, ReadSegmentFrame(*file, footer));
  return MetaOf(footer, frame.properties);
}

SegmentReader::SegmentReader(SegmentSource source, SegmentProperties properties)
    : file_(std::move(source.file)),
      footer_(source.footer),
      meta_(std::move(source.expected)),
      properties_(std::move(properties)),
      cache_(source.cache),
      counters_(source.counters) {}

SegmentReader::SegmentReader(const SegmentReader& other, SegmentMeta meta)
    : file_(other.file_),
      footer_(other.footer_),
      meta_(std::move(meta)),
      properties_(other.properties_),
      cache_(other.cache_),
      counters_(other.counters_) {}

}  // namespace firn
