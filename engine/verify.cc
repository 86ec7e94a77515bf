#include "engine/verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "compaction/level_iterator.h"
#include "engine/batch_format.h"
#include "engine/manifest.h"
#include "engine/store_file.h"
#include "engine/version_edit.h"
#include "sstable/internal_key.h"
#include "wal/log_reader.h"

namespace firn {
namespace {

// One source of a keyspace's entries; those with a smaller depth are newer.
struct Source {
  std::unique_ptr<InternalIterator> iterator;
  std::string name;
};

class Verifier {
 public:
  Verifier(const VerifyInput& input, VerifyLevel level) : input_(input), level_(level) {}

  VerifyReport Run() {
    VerifyStoreFile();
    VerifyManifest();
    for (const auto& [id, keyspace] : input_.keyspaces) {
      if (keyspace->dropped()) continue;
      const std::shared_ptr<const Version> version = keyspace->version();
      VerifySegments(*keyspace, *version);
      if (level_ == VerifyLevel::kBlocks) VerifyAges(*keyspace, *version);
    }
    VerifyLogs();
    return std::move(report_);
  }

 private:
  void Damage(absl::string_view where, const absl::Status& status) {
    report_.damage.push_back(absl::StrCat(where, ": ", status.message()));
  }
  void Damage(const absl::Status& status) { report_.damage.emplace_back(status.message()); }

  void VerifyStoreFile() {
    ++report_.files;
    const absl::StatusOr<StoreFile> store = ReadStoreFile(input_.file_system, input_.directory);
    if (!store.ok()) Damage(store.status());
  }

  // Read again until no edit came in between, so that file and memory can be compared.
  void VerifyManifest() {
    constexpr int kAttempts = 8;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const auto [before, state] = input_.versions.point();
      const absl::StatusOr<FileNumber> current = ReadCurrent(input_.file_system, input_.directory);
      const absl::StatusOr<ReadManifest> read = LoadManifest(
          input_.file_system, input_.directory, before.number, before.synced_size);
      // The file is read to its end: past `before`, if an edit came or a new manifest was made
      // meanwhile. An edit in progress may be in the file and not in the position yet: point() waits.
      if (input_.versions.point().manifest != before) continue;
      report_.files += 2;
      report_.bytes += before.synced_size;
      if (!current.ok()) Damage(current.status());
      if (current.ok() && *current != before.number) {
        report_.damage.push_back(absl::StrCat("CURRENT names manifest ", current->value,
                                              ", but ", before.number.value, " is in force"));
      }
      if (!read.ok()) {
        Damage(read.status());
      } else if (!MakesSameState(read->state, *state)) {
        report_.damage.push_back(absl::StrCat("manifest ", before.number.value,
                                              " does not make the state in memory"));
      }
      return;
    }
    report_.notes.push_back("the manifest changed too often to be compared with memory");
  }

  static bool MakesSameState(const StoreState& read, const StoreState& state) {
    // The counter of files runs ahead of the manifest; the rest is equal.
    const auto encode = [](StoreState copy) {
      copy.next_file = FileNumber{UINT64_MAX >> 1};
      std::string all;
      for (const VersionEdit& edit : copy.AsEdits()) all += EncodeVersionEdit(edit);
      return all;
    };
    return encode(read) == encode(state);
  }

  void VerifySegments(KeyspaceImpl& keyspace, const Version& version) {
    const Levels& levels = *version.levels();
    const absl::Status invariants = levels.CheckInvariants();
    if (!invariants.ok()) Damage(absl::StrCat("keyspace ", keyspace.name()), invariants);
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : levels.level(LevelIndex{level})) {
        VerifySegment(keyspace, *segment);
      }
    }
  }

  void VerifySegment(KeyspaceImpl& keyspace, const SegmentMeta& segment) {
    ++report_.files;
    const std::string path = keyspace.segments().PathOf(segment.number);
    const absl::StatusOr<FileInfo> info = input_.file_system.Stat(path);
    if (!info.ok()) return Damage(info.status());
    if (info->size != segment.size) {
      return Damage(CorruptionAt(path, info->size, "size against the manifest",
                                 {.expected = segment.size, .actual = info->size}));
    }
    const absl::StatusOr<SegmentMeta> meta = SegmentReader::ReadMeta(input_.file_system, path);
    if (!meta.ok()) return Damage(meta.status());
    if (meta->id != segment.id) {
      return Damage(CorruptionAt(path, segment.size, "segment id against the manifest",
                                 {.expected = segment.id, .actual = meta->id}));
    }
    if (level_ == VerifyLevel::kFiles) return;
    const auto reader = SegmentReader::Open(input_.file_system, path, segment, nullptr);
    if (!reader.ok()) return Damage(reader.status());
    const SegmentReport found = (*reader)->Verify();
    report_.blocks += found.data_blocks;
    report_.entries += found.entries;
    report_.bytes += found.bytes;
    for (const absl::Status& problem : found.problems) Damage(problem);
  }

  absl::StatusOr<std::vector<Source>> SourcesOf(KeyspaceImpl& keyspace, const Version& version) {
    const SegmentReadOptions options{.cache = CacheUse::kProbe};
    std::vector<Source> sources;
    sources.push_back({version.active()->NewIterator(), "the active memtable"});
    for (const ImmutableMemtable& immutable : version.immutables()) {
      sources.push_back({immutable.memtable->NewIterator(), "a memtable"});
    }
    for (const SegmentPtr& segment : version.levels()->level0()) {
      FIRN_ASSIGN_OR_RETURN(const auto reader, keyspace.segments().Get(*segment));
      sources.push_back({reader->NewIterator(options), reader->path()});
    }
    for (uint32_t level = 1; level < kLevelCount; ++level) {
      const std::vector<SegmentPtr>& segments = version.levels()->level(LevelIndex{level});
      if (segments.empty()) continue;
      sources.push_back({NewLevelIterator(segments, keyspace.segments(), options),
                         absl::StrCat("level ", level)});
    }
    return sources;
  }

  // Walks all sources at once in the order of internal keys, in which the versions of a key come
  // newest first: their depths must then never fall.
  void VerifyAges(KeyspaceImpl& keyspace, const Version& version) {
    absl::StatusOr<std::vector<Source>> sources = SourcesOf(keyspace, version);
    if (!sources.ok()) return Damage(sources.status());
    for (Source& source : *sources) source.iterator->SeekToFirst();
    std::string user_key;
    std::optional<size_t> depth;  // of the version before, of the same key
    while (true) {
      std::optional<size_t> least;
      for (size_t i = 0; i < sources->size(); ++i) {
        const InternalIterator& iterator = *(*sources)[i].iterator;
        if (!iterator.Valid()) continue;
        if (!least.has_value() ||
            CompareInternalKeys(iterator.key(), (*sources)[*least].iterator->key()) < 0) {
          least = i;
        }
      }
      if (!least.has_value()) break;
      InternalIterator& iterator = *(*sources)[*least].iterator;
      const absl::string_view key = UserKeyOf(iterator.key());
      if (depth.has_value() && key == user_key && *least < *depth) {
        report_.damage.push_back(absl::StrCat(
            "keyspace ", keyspace.name(), ": an entry with number ",
            SequenceOf(iterator.key()).value, " stands in ", (*sources)[*least].name,
            ", above a newer one of its key in ", (*sources)[*depth].name));
      }
      user_key.assign(key.data(), key.size());
      depth = *least;
      iterator.Next();
    }
    for (const Source& source : *sources) {
      if (!source.iterator->status().ok()) Damage(source.iterator->status());
    }
  }

  void VerifyLogs() {
    const std::vector<ActiveLog::Extent> extents = input_.log.extents();
    for (const ActiveLog::Extent& extent : extents) {
      ++report_.files;
      const absl::Status status = VerifyLog(extent);
      if (status.ok()) continue;
      // A log that was retired meanwhile is no longer a log.
      if (input_.log.Keeps(extent.number)) Damage(status);
    }
    report_.notes.push_back(
        "the store is open: of the newest log only what is on stable storage was read; damage to "
        "its last flush could not be told from a flush that was cut short");
  }

  absl::Status VerifyLog(const ActiveLog::Extent& extent) {
    LogReaderOptions options;
    options.number = extent.number;
    options.final_end = extent.end;
    FIRN_ASSIGN_OR_RETURN(
        const std::unique_ptr<LogReader> reader,
        LogReader::Open(input_.file_system, input_.log.files().PathOf(extent.number), options));
    if (level_ == VerifyLevel::kFiles) return absl::OkStatus();
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const std::optional<LogRecord> record, reader->Next());
      if (!record.has_value()) break;
      const absl::StatusOr<Group> group = DecodeGroup(record->payload);
      if (!group.ok()) {
        return Annotate(group.status(), absl::StrCat(reader->path(), ": offset ", record->offset));
      }
      ++report_.blocks;
      report_.entries += group->header.count;
      report_.bytes += record->limit - record->offset;
    }
    return absl::OkStatus();
  }

  const VerifyInput& input_;
  const VerifyLevel level_;
  VerifyReport report_;
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyStore(const VerifyInput& input, VerifyLevel level) {
  if (level != VerifyLevel::kFiles && level != VerifyLevel::kBlocks) {
    return InvalidArgument("an unknown level of verification");
  }
  return Verifier(input, level).Run();
}

}  // namespace firn
