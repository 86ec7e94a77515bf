#include "sstable/hashed_segment_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/hashed_segment_iterator.h"
#include "sstable/hashed_segment_verifier.h"
#include "sstable/segment_frame.h"

namespace firn {

absl::StatusOr<std::shared_ptr<const SegmentReader>> HashedSegmentReader::Open(
    SegmentSource source) {
  FIRN_ASSIGN_OR_RETURN(SegmentFrame frame, ReadSegmentFrame(*source.file, source.footer));
  FIRN_RETURN_IF_ERROR(CompareSegmentMeta(
      source.expected, MetaOf(source.footer, frame.properties), source.file->path()));
  FIRN_ASSIGN_OR_RETURN(
      std::unique_ptr<const HashedSegmentIndex> index,
      HashedSegmentIndex::Read({.file = *source.file,
                                .footer = source.footer,
                                .properties = frame.properties,
                                .root = frame.index_bytes(),
                                .cache = source.cache,
                                .counters = source.counters,
                                .bytes_max = source.index_bytes_max}));
  return std::shared_ptr<const SegmentReader>(new HashedSegmentReader(
      std::move(source), std::move(frame.properties), std::move(index)));
}

HashedSegmentReader::HashedSegmentReader(SegmentSource source, SegmentProperties properties,
                                         std::unique_ptr<const HashedSegmentIndex> index)
    : SegmentReader(std::move(source), std::move(properties)),
      key_size_(index->key_size()),
      index_(std::move(index)),
      extent_offsets_(index_->extent_offsets()),
      slots_(cache_, meta_.id, extent_offsets_.size() - 1) {}

absl::Status HashedSegmentReader::AnnotateExtentError(const absl::Status& status,
                                                      uint32_t extent) const {
  return Annotate(status, absl::StrCat(path(), ": extent at offset ", extent_offsets_[extent]));
}

absl::StatusOr<HashedSegmentReader::Locations> HashedSegmentReader::Locate(uint64_t word) const {
  Locations locations;
  FIRN_RETURN_IF_ERROR(index_->Match(
      word, [&locations](uint32_t location) { locations.push_back(location); }));
  if (counters_ != nullptr) {
    counters_->filter_checks.Add(1);
    if (locations.empty()) counters_->filter_negatives.Add(1);
  }
  return locations;
}

absl::StatusOr<std::shared_ptr<const Extent>> HashedSegmentReader::MakeExtent(
    uint32_t extent, RawBlock block) const {
  absl::StatusOr<std::shared_ptr<const Extent>> made =
      Extent::Create(std::move(block.bytes), block.size);
  if (!made.ok()) return AnnotateExtentError(made.status(), extent);
  return made;
}

absl::StatusOr<std::shared_ptr<const Extent>> HashedSegmentReader::DecodeExtent(
    uint32_t extent, ByteSpan stored) const {
  FIRN_ASSIGN_OR_RETURN(RawBlock block, DecodeRawBlock(stored, BlockKind::kData,
                                                       AddressOf(ExtentHandle(extent)), path()));
  return MakeExtent(extent, std::move(block));
}

absl::StatusOr<std::shared_ptr<const Extent>> HashedSegmentReader::FetchExtent(
    uint32_t extent, CacheUse cache) const {
  std::vector<std::shared_ptr<const Extent>> extents = {FindCached(extent)};
  FIRN_RETURN_IF_ERROR(ReadMissing({extent}, cache, extents));
  return std::move(extents.front());
}

absl::Status HashedSegmentReader::ReadMissing(
    absl::Span<const uint32_t> numbers, CacheUse cache,
    std::vector<std::shared_ptr<const Extent>>& extents) const {
  std::vector<size_t> missing;
  std::vector<BlockHandle> handles;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (extents[i] != nullptr) continue;
    missing.push_back(i);
    handles.push_back(ExtentHandle(numbers[i]));
  }
  if (missing.empty()) return absl::OkStatus();
  absl::Status status;
  const uint64_t bytes = ReadRawBlocks(
      *file_, meta_.id, BlockKind::kData, handles,
      [&](size_t i, absl::StatusOr<RawBlock> block) {
        if (!status.ok()) return;
        status = block.status();
        if (!status.ok()) return;
        const uint32_t number = numbers[missing[i]];
        absl::StatusOr<std::shared_ptr<const Extent>> extent = MakeExtent(number, *std::move(block));
        status = extent.status();
        if (!status.ok()) return;
        if (cache == CacheUse::kFill) slots_.Insert(number, *extent);
        extents[missing[i]] = *std::move(extent);
      });
  if (counters_ != nullptr) {
    counters_->block_reads.Add(missing.size());
    counters_->block_bytes_read.Add(bytes);
  }
  return status;
}

absl::StatusOr<std::vector<std::shared_ptr<const Extent>>> HashedSegmentReader::FetchExtents(
    absl::Span<const uint32_t> extents, CacheUse cache, const BlockBatch* batch) const {
  std::vector<std::shared_ptr<const Extent>> fetched;
  fetched.reserve(extents.size());
  for (const uint32_t extent : extents) {
    std::shared_ptr<const BlockContent> read;
    if (batch != nullptr) read = batch->Find(*this, extent);
    fetched.push_back(read == nullptr ? FindCached(extent)
                                      : std::static_pointer_cast<const Extent>(std::move(read)));
  }
  FIRN_RETURN_IF_ERROR(ReadMissing(extents, cache, fetched));
  return fetched;
}

absl::Status HashedSegmentReader::ReadStored(uint32_t first, uint32_t count,
                                             std::string& bytes) const {
  const uint64_t offset = extent_offsets_[first];
  bytes.resize(extent_offsets_[first + count] - offset);
  return file_->Read(offset, absl::MakeSpan(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()));
}

absl::Status HashedSegmentReader::NoRecordAt(uint32_t location) const {
  return CorruptionAt(path(), extent_offsets_[index_->location().ExtentOf(location)],
                      absl::StrCat("the index names a record at ",
                                   index_->location().OffsetOf(location),
                                   " of the extent, where there is none"));
}

absl::Status HashedSegmentReader::ParseRecord(const Extent& extent, uint32_t location,
                                              ExtentRecord& record) const {
  const uint32_t offset = index_->location().OffsetOf(location);
  if (extent.ParseRecord(offset, key_size_, record)) return absl::OkStatus();
  return NoRecordAt(location);
}

HashedSegmentReader::Match HashedSegmentReader::Consider(const Extent& extent, uint32_t location,
                                                         absl::string_view user_key,
                                                         SequenceNumber at_most,
                                                         std::optional<FoundEntry>& found) const {
  ExtentRecord record;
  if (!extent.ParseRecord(index_->location().OffsetOf(location), key_size_, record)) {
    return Match::kDamaged;
  }
  if (record.user_key != user_key) return Match::kOther;
  if (record.sequence > at_most) return Match::kVersion;
  if (found.has_value() && found->sequence >= record.sequence) return Match::kVersion;
  found = FoundEntry{.kind = record.kind,
                     .sequence = record.sequence,
                     .value = record.value,
                     .pin = extent.shared_from_this()};
  return Match::kVersion;
}

absl::StatusOr<std::optional<FoundEntry>> HashedSegmentReader::Get(absl::string_view user_key,
                                                                   SequenceNumber at_most) const {
  std::optional<FoundEntry> found;
  if (user_key.size() != key_size_) return found;
  FIRN_ASSIGN_OR_RETURN(const Locations locations, Locate(HashedWord(user_key)));
  bool is_here = false;
  for (const uint32_t location : locations) {
    FIRN_ASSIGN_OR_RETURN(
        const std::shared_ptr<const Extent> extent,
        FetchExtent(index_->location().ExtentOf(location), CacheUse::kFill));
    const Match match = Consider(*extent, location, user_key, at_most, found);
    if (match == Match::kDamaged) return NoRecordAt(location);
    is_here = is_here || match == Match::kVersion;
  }
  if (counters_ != nullptr && !locations.empty() && !is_here) {
    counters_->filter_false_positives.Add(1);
  }
  return found;
}

bool HashedSegmentReader::GetCached(absl::string_view user_key, SequenceNumber at_most,
                                    std::optional<FoundEntry>& found) const {
  found.reset();
  if (user_key.size() != key_size_) return true;
  uint32_t candidates = 0;
  bool is_here = false;
  bool is_cached = true;
  const bool knows = index_->MatchCached(HashedWord(user_key), [&](uint32_t location) {
    ++candidates;
    const BlockContent* const content =
        is_cached ? slots_.Look(index_->location().ExtentOf(location)) : nullptr;
    if (content == nullptr) {
      is_cached = false;
      return;
    }
    const Match match =
        Consider(*static_cast<const Extent*>(content), location, user_key, at_most, found);
    if (match == Match::kDamaged) is_cached = false;
    is_here = is_here || match == Match::kVersion;
  });
  if (!knows || !is_cached) return false;  // Get() counts
  if (counters_ != nullptr) {
    counters_->filter_checks.Add(1);
    if (candidates == 0) counters_->filter_negatives.Add(1);
    if (candidates > 0 && !is_here) counters_->filter_false_positives.Add(1);
  }
  return true;
}

uint64_t HashedSegmentReader::LocateAll(absl::Span<SegmentLookup* const> lookups,
                                        const HashedSegmentIndex::Pages* pages,
                                        Candidates& candidates) const {
  for (const SegmentLookup* lookup : lookups) {
    if (lookup->user_key.size() == key_size_) index_->Prefetch(HashedWord(lookup->user_key));
  }
  uint64_t checked = 0;
  for (SegmentLookup* lookup : lookups) {
    lookup->found.reset();
    lookup->needs_read = false;
    if (lookup->user_key.size() != key_size_) continue;
    const uint64_t word = HashedWord(lookup->user_key);
    const auto add = [&](uint32_t location) {
      candidates.push_back({.lookup = lookup, .extent = nullptr, .location = location});
    };
    lookup->needs_read =
        pages == nullptr ? !index_->MatchCached(word, add) : !index_->Match(word, *pages, add);
    if (!lookup->needs_read) ++checked;
  }
  return checked;
}

HashedSegmentReader::Match HashedSegmentReader::ConsiderRun(absl::Span<const Candidate> run,
                                                            SequenceNumber at_most) const {
  Match result = Match::kOther;
  for (const Candidate& candidate : run) {
    const Match match = Consider(*candidate.extent, candidate.location, candidate.lookup->user_key,
                                 at_most, candidate.lookup->found);
    if (match == Match::kDamaged) return match;
    if (match == Match::kVersion) result = match;
  }
  return result;
}

void HashedSegmentReader::GetManyCached(absl::Span<SegmentLookup* const> lookups,
                                        SequenceNumber at_most) const {
  // Each round touches memory that the round before asked for, of all keys at once.
  const LocationFormat format = index_->location();
  Candidates candidates;
  uint64_t checked = LocateAll(lookups, nullptr, candidates);
  for (const Candidate& candidate : candidates) {
    slots_.PrefetchSlot(format.ExtentOf(candidate.location));
  }
  uint64_t hits = 0;
  for (Candidate& candidate : candidates) {
    candidate.extent =
        static_cast<const Extent*>(slots_.Peek(format.ExtentOf(candidate.location)));
    if (candidate.extent == nullptr) continue;
    ++hits;
    const uint8_t* const record = candidate.extent->data() + format.OffsetOf(candidate.location);
    __builtin_prefetch(candidate.extent, 1);
    __builtin_prefetch(record);
    __builtin_prefetch(record + 64);
    __builtin_prefetch(record + 128);
  }
  slots_.CountLooks(hits, candidates.size() - hits);
  uint64_t positives = 0;
  uint64_t false_positives = 0;
  for (size_t begin = 0, limit = 0; begin < candidates.size(); begin = limit) {
    SegmentLookup* const lookup = candidates[begin].lookup;
    for (; limit < candidates.size() && candidates[limit].lookup == lookup; ++limit) {
      if (candidates[limit].extent == nullptr) {
        lookup->needs_read = true;
      } else {
        candidates[limit].extent->Touch();
      }
    }
    if (!lookup->needs_read) {
      const Match match =
          ConsiderRun(absl::MakeConstSpan(&candidates[begin], limit - begin), at_most);
      if (match == Match::kDamaged) {  // Get() says it in full
        lookup->found.reset();
        lookup->needs_read = true;
      }
      if (match == Match::kOther) ++false_positives;
    }
    if (lookup->needs_read) {
      --checked;  // whoever reads counts
    } else {
      ++positives;
    }
  }
  if (counters_ == nullptr) return;
  counters_->filter_checks.Add(checked);
  counters_->filter_negatives.Add(checked - positives);
  if (false_positives > 0) counters_->filter_false_positives.Add(false_positives);
}

bool HashedSegmentReader::AddMissing(absl::string_view user_key, SequenceNumber /*at_most*/,
                                     BlockBatch& batch) const {
  if (user_key.size() != key_size_) return false;
  bool may_be_here = false;
  const auto guard = cache_ == nullptr ? std::optional<Epochs::Guard>()
                                       : std::optional<Epochs::Guard>(std::in_place, cache_->epochs());
  const bool knows = index_->MatchCached(HashedWord(user_key), [&](uint32_t location) {
    const uint32_t extent = index_->location().ExtentOf(location);
    if (!slots_.Contains(extent)) batch.Add(*this, extent);
    may_be_here = true;
  });
  return may_be_here || !knows;  // without the page GetMany() reads that first, and then the extents
}

absl::StatusOr<std::shared_ptr<const BlockContent>> HashedSegmentReader::TakeBlock(
    size_t ordinal, ByteSpan stored, BlockMemory memory) const {
  const auto extent = static_cast<uint32_t>(ordinal);
  if (counters_ != nullptr) {
    counters_->block_reads.Add(1);
    counters_->block_bytes_read.Add(stored.size());
  }
  FIRN_ASSIGN_OR_RETURN(
      RawBlock block, DecodeRawBlock(stored, BlockKind::kData, AddressOf(ExtentHandle(extent)),
                                     path(), std::move(memory)));
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const Extent> made, MakeExtent(extent, std::move(block)));
  slots_.Insert(extent, made);
  return made;
}

absl::Status HashedSegmentReader::GetMany(absl::Span<SegmentLookup* const> lookups,
                                          SequenceNumber at_most) const {
  const LocationFormat format = index_->location();
  std::vector<uint64_t> words;
  if (!index_->is_resident()) {
    for (const SegmentLookup* const lookup : lookups) {
      if (lookup->user_key.size() == key_size_) words.push_back(HashedWord(lookup->user_key));
    }
  }
  FIRN_ASSIGN_OR_RETURN(const HashedSegmentIndex::Pages pages, index_->PagesOf(words));
  Candidates candidates;
  const uint64_t checked = LocateAll(lookups, &pages, candidates);
  std::vector<uint32_t> numbers;
  numbers.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    numbers.push_back(format.ExtentOf(candidate.location));
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const Extent>> extents,
                        FetchExtents(numbers, CacheUse::kFill,
                                     lookups.empty() ? nullptr : lookups.front()->fetched));
  uint64_t positives = 0;
  uint64_t false_positives = 0;
  for (size_t i = 0; i < candidates.size();) {
    SegmentLookup* const lookup = candidates[i].lookup;
    bool is_here = false;
    for (; i < candidates.size() && candidates[i].lookup == lookup; ++i) {
      const uint32_t location = candidates[i].location;
      const auto at =
          std::lower_bound(numbers.begin(), numbers.end(), format.ExtentOf(location));
      const Match match = Consider(*extents[static_cast<size_t>(at - numbers.begin())], location,
                                   lookup->user_key, at_most, lookup->found);
      if (match == Match::kDamaged) return NoRecordAt(location);
      is_here = is_here || match == Match::kVersion;
    }
    ++positives;
    if (!is_here) ++false_positives;
  }
  if (counters_ != nullptr) {
    counters_->filter_checks.Add(checked);
    counters_->filter_negatives.Add(checked - positives);
    counters_->filter_false_positives.Add(false_positives);
  }
  return absl::OkStatus();
}

std::unique_ptr<InternalIterator> HashedSegmentReader::NewIterator(
    const SegmentReadOptions& options) const {
  return std::make_unique<HashedSegmentIterator>(
      std::static_pointer_cast<const HashedSegmentReader>(shared_from_this()), options);
}

SegmentReport HashedSegmentReader::Verify() const { return HashedSegmentVerifier(*this).Run(); }

size_t HashedSegmentReader::memory_usage() const {
  return index_->memory_usage() + slots_.memory_usage();
}

std::vector<SegmentBlock> HashedSegmentReader::Blocks() const {
  std::vector<SegmentBlock> blocks;
  blocks.reserve(extent_count());
  for (uint32_t i = 0; i < extent_count(); ++i) blocks.push_back({ExtentHandle(i), ""});
  return blocks;
}

absl::StatusOr<size_t> HashedSegmentReader::VisitBlock(
    const BlockHandle& handle,
    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const {
  const auto at = std::lower_bound(extent_offsets_.begin(), extent_offsets_.end(), handle.offset);
  const auto number = static_cast<uint32_t>(at - extent_offsets_.begin());
  if (number >= extent_count() || ExtentHandle(number) != handle) {
    return InvalidArgument(absl::StrCat(path(), ": no extent at offset ", handle.offset));
  }
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const Extent> extent,
                        FetchExtent(number, CacheUse::kProbe));
  ExtentCursor cursor(*extent, key_size_);
  std::string key;
  while (cursor.Next()) {
    const ExtentRecord& record = cursor.record();
    key.clear();
    AppendInternalKey(key, {record.user_key, record.sequence, record.kind});
    if (!visit(key, record.value)) return extent->bytes().size();
  }
  if (!cursor.status().ok()) return AnnotateExtentError(cursor.status(), number);
  return extent->bytes().size();
}

uint64_t HashedSegmentReader::ApproximateSize(absl::string_view begin,
                                              absl::string_view limit) const {
  // Uniform keys: as much of the data as the range has of all keys. A short key ends in zeroes.
  const auto place = [](absl::string_view user_key) {
    uint8_t bytes[8] = {};
    std::copy_n(user_key.begin(), std::min<size_t>(user_key.size(), 8), bytes);
    return LoadBigEndian64(bytes);
  };
  const uint64_t from = place(begin);
  const uint64_t to = place(limit);
  if (to <= from) return 0;
  return static_cast<uint64_t>(
      (static_cast<unsigned __int128>(to - from) * properties_.data_size) >> 64);
}

}  // namespace firn
