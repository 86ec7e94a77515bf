#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/options_file.h"
#include "engine/version_edit.h"
#include "engine/batch_format.h"
#include "tools/dump_files.h"
#include "wal/log_reader.h"
#include "wal/record_format.h"

namespace firn {
namespace {

absl::StatusOr<LogHeader> ReadHeader(FileSystem& file_system, const std::string& path) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file,
                        file_system.OpenForRead(path));
  if (file->size() < kLogBlockSize) {
    return CorruptionAt(path, file->size(), "the file ends inside the header of a log");
  }
  std::vector<uint8_t> block(kLogBlockSize);
  FIRN_RETURN_IF_ERROR(file->Read(0, absl::MakeSpan(block)));
  return DecodeLogHeader(block, path);
}

void DumpHeader(const LogHeader& header, const std::string& path, uint64_t size,
                const DumpSink& sink) {
  sink(absl::StrFormat("%s: %s %d, %d bytes, salt %016x, header checksum good", path,
                       header.kind == LogKind::kManifest ? "manifest" : "log of writes",
                       header.number.value, size, header.salt));
  sink(absl::StrFormat("  previous log %d ends at %d with sequence number %d; manifest %d synced to "
                       "%d",
                       header.previous.number.value, header.previous.end.size,
                       header.previous.end.last_sequence.value, header.manifest.number.value,
                       header.manifest.synced_size));
}

// One line an entry; false once `options.limit` were shown.
absl::StatusOr<bool> DumpBatch(ByteSpan payload, const DumpOptions& options, uint64_t& shown,
                               const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const Group group, DecodeGroup(payload));
  uint64_t sequence = group.header.first_sequence.value;
  bool more = true;
  FIRN_RETURN_IF_ERROR(ForEachEntry(group.entries, [&](const BatchEntry& entry) {
    if (options.limit != 0 && shown == options.limit) more = false;
    if (!more) return absl::OkStatus();
    ++shown;
    sink(absl::StrCat("    @", sequence++, " keyspace ", entry.keyspace.value, " ",
                      entry.kind == EntryKind::kTombstone ? "remove " : "put ",
                      ShowBytes(entry.key, options),
                      entry.kind == EntryKind::kTombstone
                          ? ""
                          : absl::StrCat(" = ", ShowBytes(entry.value, options))));
    return absl::OkStatus();
  }));
  return more;
}

absl::Status DumpEdit(ByteSpan payload, const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const VersionEdit edit, DecodeVersionEdit(AsText(payload)));
  if (edit.next_file.has_value()) sink(absl::StrCat("    next file ", edit.next_file->value));
  if (edit.next_keyspace.has_value()) {
    sink(absl::StrCat("    next keyspace ", edit.next_keyspace->value));
  }
  if (edit.last_sequence.has_value()) {
    sink(absl::StrCat("    last sequence number ", edit.last_sequence->value));
  }
  for (const VersionEdit::AddKeyspace& added : edit.added_keyspaces) {
    sink(absl::StrCat("    add keyspace ", added.id.value, " \"", added.name, "\", layout ",
                      LayoutName(added.options.layout)));
  }
  for (const VersionEdit::DropBelow& drop : edit.bounds) {
    sink(absl::StrCat("    keyspace ", drop.keyspace.value, ": keys below ", drop.bound,
                      " are gone"));
  }
  for (const KeyspaceId dropped : edit.dropped_keyspaces) {
    sink(absl::StrCat("    drop keyspace ", dropped.value));
  }
  for (const VersionEdit::RemoveSegment& removed : edit.removed_segments) {
    sink(absl::StrCat("    keyspace ", removed.keyspace.value, ": remove segment ",
                      removed.number.value));
  }
  for (const VersionEdit::AddSegment& added : edit.added_segments) {
    sink(absl::StrFormat("    keyspace %d: add segment %d at level %d: %d bytes, %d entries, id "
                         "%016x, sequence numbers %d to %d%s",
                         added.keyspace.value, added.segment.number.value, added.level.value,
                         added.segment.size, added.segment.entry_count, added.segment.id,
                         added.segment.sequence_min.value, added.segment.sequence_max.value,
                         added.segment.ingested_at.value > 0 ? ", ingested" : ""));
  }
  for (const VersionEdit::Flushed& flushed : edit.flushed) {
    sink(absl::StrCat("    keyspace ", flushed.keyspace.value, ": flushed through ",
                      flushed.sequence.value));
  }
  for (const VersionEdit::Volatile& mark : edit.volatile_marks) {
    sink(absl::StrCat("    keyspace ", mark.keyspace.value,
                      mark.since.has_value()
                          ? absl::StrCat(": volatile writes since ", mark.since->value)
                          : ": no volatile writes any more"));
  }
  return absl::OkStatus();
}

absl::string_view EndingText(LogEnding ending) {
  switch (ending) {
    case LogEnding::kClosed:
      return "a closing record: the log was closed";
    case LogEnding::kFinal:
      return "where the next log's header says";
    case LogEnding::kUnclosed:
      return "unwritten space: the log was not closed";
    case LogEnding::kTorn:
      return "pieces of a flush that did not complete: a torn tail";
  }
  return "unknown";
}

}  // namespace

absl::Status DumpLog(FileSystem& file_system, const std::string& path, const DumpOptions& options,
                     const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const LogHeader header, ReadHeader(file_system, path));
  LogReaderOptions reader_options;
  reader_options.kind = header.kind;
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<LogReader> reader,
                        LogReader::Open(file_system, path, reader_options));
  DumpHeader(header, path, reader->file_size(), sink);
  uint64_t shown = 0;
  uint64_t records = 0;
  while (true) {
    const absl::StatusOr<std::optional<LogRecord>> record = reader->Next();
    if (!record.ok()) {
      sink(absl::StrCat("  BAD: ", record.status().message()));
      return record.status();
    }
    if (!record->has_value()) break;
    const LogRecord& found = **record;
    sink(absl::StrFormat("  record %d at %d: %d bytes, sequence numbers %d to %d, synced to %d, "
                         "checksums good",
                         records++, found.offset, found.payload.size(),
                         found.sequences.first.value, found.sequences.last.value,
                         found.synced_size));
    if (options.entries) {
      if (header.kind == LogKind::kManifest) {
        FIRN_RETURN_IF_ERROR(DumpEdit(found.payload, sink));
      } else {
        FIRN_ASSIGN_OR_RETURN(const bool more, DumpBatch(found.payload, options, shown, sink));
        if (!more) return absl::OkStatus();
      }
    } else if (options.limit != 0 && records == options.limit) {
      sink("  ...");
      return absl::OkStatus();
    }
  }
  sink(absl::StrFormat("  ends at %d, by %s", reader->end().size,
                       std::string(EndingText(reader->ending()))));
  return absl::OkStatus();
}

}  // namespace firn
