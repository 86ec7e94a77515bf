#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/segment_reader.h"
#include "tools/dump_files.h"

namespace firn {
namespace {

std::string ShowKey(absl::string_view encoded, const DumpOptions& options) {
  const std::optional<InternalKey> key = DecodeInternalKey(encoded);
  if (!key.has_value()) return absl::StrCat("not an internal key: ", ShowBytes(encoded, options));
  return absl::StrCat(ShowBytes(key->user_key, options), " @", key->sequence.value,
                      key->kind == EntryKind::kTombstone ? " tombstone" : "");
}

void DumpProperties(const SegmentReader& segment, const DumpOptions& options,
                    const DumpSink& sink) {
  const SegmentFooter& footer = segment.footer();
  const SegmentProperties& properties = segment.properties();
  sink(absl::StrFormat("%s: segment, %d bytes, id %016x, layout %s", segment.path(),
                       footer.file_size, footer.id,
                       std::string(SegmentLayoutName(footer.layout))));
  sink(absl::StrFormat("  footer at %d, checksum good", footer.file_size - kSegmentFooterSize));
  sink(absl::StrFormat("  index at %d (%d bytes), filter at %d (%d bytes), properties at %d (%d "
                       "bytes), checksums good",
                       footer.index.offset, footer.index.size, footer.filter.offset,
                       footer.filter.size, footer.properties.offset, footer.properties.size));
  sink(absl::StrFormat("  number %d, keyspace %d, from %s, at %d ms",
                       properties.number.value, properties.keyspace.value, properties.origin,
                       properties.created_ms));
  // A hashed segment counts its keys by bucket and fingerprint (docs/formats/segment_hashed.md).
  const absl::string_view about = footer.layout == SegmentLayout::kHashed ? "about " : "";
  sink(absl::StrFormat("  %d entries (%d tombstones) of %s%d keys in %d data blocks of %d bytes; raw: "
                       "keys %d, values %d",
                       properties.entry_count, properties.tombstone_count, about,
                       properties.user_key_count, properties.data_block_count,
                       properties.data_size, properties.raw_key_size, properties.raw_value_size));
  sink(absl::StrFormat("  sequence numbers %d to %d", properties.sequence_min.value,
                       properties.sequence_max.value));
  sink(absl::StrCat("  smallest ", ShowKey(properties.smallest, options)));
  sink(absl::StrCat("  largest  ", ShowKey(properties.largest, options)));
}

}  // namespace

absl::Status DumpSegment(FileSystem& file_system, const std::string& path,
                         const DumpOptions& options, const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const SegmentMeta meta, SegmentReader::ReadMeta(file_system, path));
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> segment,
                        SegmentReader::Open(file_system, path, meta, nullptr));
  DumpProperties(*segment, options, sink);
  absl::Status damage;
  uint64_t shown = 0;
  const std::vector<SegmentBlock> blocks = segment->Blocks();
  for (size_t i = 0; i < blocks.size(); ++i) {
    const BlockHandle& handle = blocks[i].handle;
    std::vector<std::string> entries;
    bool limit_reached = false;
    const absl::StatusOr<size_t> raw_size =
        segment->VisitBlock(handle, [&](absl::string_view key, absl::string_view value) {
          if (!options.entries) return false;
          limit_reached = options.limit != 0 && shown == options.limit;
          if (limit_reached) return false;
          ++shown;
          entries.push_back(
              absl::StrCat("    ", ShowKey(key, options), " = ", ShowBytes(value, options)));
          return true;
        });
    sink(absl::StrFormat(
        "  block %d at %d: %d bytes stored%s%s", i, handle.offset, handle.size,
        raw_size.ok() ? absl::StrCat(", ", *raw_size, " raw, checksum good") : ", BAD",
        blocks[i].limit_key.empty()
            ? ""
            : absl::StrCat(", keys up to ", ShowKey(blocks[i].limit_key, options))));
    for (const std::string& entry : entries) sink(entry);
    if (!raw_size.ok()) {
      sink(absl::StrCat("    ", raw_size.status().message()));
      damage.Update(raw_size.status());
      continue;
    }
    if (limit_reached) return damage;
    if (!options.entries && options.limit != 0 && i + 1 == options.limit) {
      sink(absl::StrCat("  ... ", blocks.size() - i - 1, " more blocks"));
      return damage;
    }
  }
  return damage;
}

}  // namespace firn
