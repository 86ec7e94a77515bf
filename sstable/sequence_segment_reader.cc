#include "sstable/sequence_segment_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"
#include "sstable/sequence_key.h"
#include "sstable/sequence_segment_iterator.h"
#include "sstable/sequence_segment_verifier.h"

namespace firn {
namespace {

uint64_t KeyNumber(absl::string_view internal_key) {
  return LoadBigEndian64(reinterpret_cast<const uint8_t*>(internal_key.data()));
}

bool IsSequencePut(absl::string_view internal_key) {
  return internal_key.size() == kSequenceKeySize + kInternalKeySuffixSize &&
         KindOf(internal_key) == EntryKind::kPut;
}

}  // namespace

absl::StatusOr<SequenceIndex> ReadSequenceIndex(const SegmentFrame& frame,
                                                absl::string_view path) {
  const SegmentProperties& properties = frame.properties;
  const uint64_t at = frame.footer.index.offset;
  if (frame.footer.filter.size > 0) {
    return CorruptionAt(path, frame.footer.filter.offset, "a sequence segment with a filter");
  }
  absl::StatusOr<SequenceIndex> index =
      SequenceIndex::Parse(frame.index_bytes(), frame.data_size());
  if (!index.ok()) {
    return Annotate(index.status(), absl::StrCat(path, ": index at offset ", at));
  }
  if (!IsSequencePut(properties.smallest) || !IsSequencePut(properties.largest)) {
    return CorruptionAt(path, frame.footer.properties.offset,
                        "the key range in the properties is not one of a sequence");
  }
  struct Fact {
    absl::string_view what;
    uint64_t expected;
    uint64_t found;
  };
  for (const Fact& fact :
       {Fact{"number of entries", index->record_count(), properties.entry_count},
        Fact{"number of keys", index->record_count(), properties.user_key_count},
        Fact{"number of tombstones", 0, properties.tombstone_count},
        Fact{"number of data blocks", index->size(), properties.data_block_count},
        Fact{"first key", index->first_key(0), KeyNumber(properties.smallest)}}) {
    if (fact.expected == fact.found) continue;
    return CorruptionAt(path, frame.footer.properties.offset,
                        absl::StrCat(fact.what, " in the properties"),
                        {.expected = fact.expected, .actual = fact.found});
  }
  return index;
}

absl::StatusOr<std::shared_ptr<const SegmentReader>> SequenceSegmentReader::Open(
    SegmentSource source) {
  FIRN_ASSIGN_OR_RETURN(SegmentFrame frame, ReadSegmentFrame(*source.file, source.footer));
  FIRN_RETURN_IF_ERROR(CompareSegmentMeta(
      source.expected, MetaOf(source.footer, frame.properties), source.file->path()));
  FIRN_ASSIGN_OR_RETURN(SequenceIndex index, ReadSequenceIndex(frame, source.file->path()));
  return std::shared_ptr<const SegmentReader>(new SequenceSegmentReader(
      std::move(source), std::move(frame.properties), std::move(index)));
}

SequenceSegmentReader::SequenceSegmentReader(SegmentSource source, SegmentProperties properties,
                                             SequenceIndex index)
    : SegmentReader(std::move(source), std::move(properties)),
      index_(std::move(index)),
      first_key_(index_.first_key(0)),
      last_key_(KeyNumber(properties_.largest)),
      slots_(cache_, meta_.id, index_.size()) {}

absl::Status SequenceSegmentReader::AnnotateBlockError(const absl::Status& status,
                                                       size_t block) const {
  return Annotate(status, absl::StrCat(path(), ": data block at offset ", index_.offset(block)));
}

std::optional<SequenceSegmentReader::Target> SequenceSegmentReader::Locate(
    absl::string_view user_key) const {
  if (user_key.size() != kSequenceKeySize) return std::nullopt;
  const uint64_t key = KeyNumber(user_key);
  if (key < first_key_ || key > last_key_) return std::nullopt;
  return Target{key, index_.BlockOf(key)};
}

std::optional<FoundEntry> SequenceSegmentReader::FindInBlock(const SequenceBlock& block,
                                                             uint64_t key,
                                                             SequenceNumber at_most) {
  const SequenceRecords records = block.records();
  const uint32_t position = records.LowerBound(key);
  if (position == records.count() || records.KeyAt(position) != key) return std::nullopt;
  const SequenceNumber sequence = records.SequenceAt(position);
  if (sequence > at_most) return std::nullopt;
  return FoundEntry{.kind = EntryKind::kPut,
                    .sequence = sequence,
                    .value = records.ValueAt(position),
                    .pin = block.shared_from_this()};
}

absl::Status SequenceSegmentReader::CheckAgainstIndex(size_t block,
                                                      const SequenceRecords& records) const {
  const bool is_last = block + 1 == index_.size();
  const uint64_t last = records.KeyAt(records.count() - 1);
  if (records.count() == index_.records(block) && records.first_key() == index_.first_key(block) &&
      (is_last ? last == last_key_ : last < index_.first_key(block + 1))) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      records.count(), " keys from ", records.first_key(), " to ", last, "; the index says ",
      index_.records(block), " from ", index_.first_key(block), ", below ",
      is_last ? last_key_ + 1 : index_.first_key(block + 1)));
}

std::shared_ptr<const SequenceBlock> SequenceSegmentReader::FindCached(size_t block) const {
  // Nothing but blocks of this segment was put into its slots.
  return std::static_pointer_cast<const SequenceBlock>(slots_.Find(block));
}

void SequenceSegmentReader::CountReads(size_t blocks, uint64_t bytes) const {
  if (counters_ == nullptr) return;
  counters_->block_reads.Add(blocks);
  counters_->block_bytes_read.Add(bytes);
}

SequenceSegmentReader::ReadOutcomes SequenceSegmentReader::ReadBlocks(
    absl::Span<const size_t> blocks) const {
  std::vector<BlockHandle> handles;
  handles.reserve(blocks.size());
  for (const size_t block : blocks) handles.push_back(index_.handle(block));
  ReadOutcomes outcomes;
  outcomes.reserve(blocks.size());
  const uint64_t bytes = ReadRawBlocks(
      *file_, meta_.id, BlockKind::kData, handles, [&](size_t i, absl::StatusOr<RawBlock> raw) {
        if (!raw.ok()) {
          outcomes.emplace_back(raw.status());
          return;
        }
        auto made = SequenceBlock::Create(std::move(raw->bytes), raw->size);
        absl::Status status = made.status();
        if (made.ok()) status = CheckAgainstIndex(blocks[i], (*made)->records());
        if (status.ok()) {
          outcomes.push_back(*std::move(made));
        } else {
          outcomes.emplace_back(AnnotateBlockError(status, blocks[i]));
        }
      });
  CountReads(handles.size(), bytes);
  return outcomes;
}

absl::StatusOr<std::shared_ptr<const SequenceBlock>> SequenceSegmentReader::ReadBlock(
    size_t block) const {
  std::shared_ptr<const SequenceBlock> cached = FindCached(block);
  if (cached != nullptr) return cached;
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const SequenceBlock> read,
                        std::move(ReadBlocks({block}).front()));
  slots_.Insert(block, read);
  return read;
}

absl::StatusOr<std::optional<FoundEntry>> SequenceSegmentReader::Get(absl::string_view user_key,
                                                                     SequenceNumber at_most) const {
  const std::optional<Target> target = Locate(user_key);
  if (!target.has_value()) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SequenceBlock> block,
                        ReadBlock(target->block));
  return FindInBlock(*block, target->key, at_most);
}

bool SequenceSegmentReader::GetCached(absl::string_view user_key, SequenceNumber at_most,
                                      std::optional<FoundEntry>& found) const {
  found.reset();
  const std::optional<Target> target = Locate(user_key);
  if (!target.has_value()) return true;
  const BlockContent* const content = slots_.Look(target->block);
  if (content == nullptr) return false;
  found = FindInBlock(*static_cast<const SequenceBlock*>(content), target->key, at_most);
  return true;
}

absl::Status SequenceSegmentReader::GetMany(absl::Span<SegmentLookup* const> lookups,
                                            SequenceNumber at_most) const {
  struct Candidate {
    SegmentLookup* lookup;
    Target target;
    std::shared_ptr<const SequenceBlock> block;
  };
  std::vector<Candidate> candidates;
  std::vector<size_t> missing;
  for (SegmentLookup* lookup : lookups) {
    lookup->found.reset();
    const std::optional<Target> target = Locate(lookup->user_key);
    if (!target.has_value()) continue;
    // Neighbours share a block: it is looked up once.
    if (!candidates.empty() && candidates.back().target.block == target->block) {
      candidates.push_back({lookup, *target, candidates.back().block});
      continue;
    }
    candidates.push_back({lookup, *target, FindCached(target->block)});
    if (candidates.back().block == nullptr) missing.push_back(target->block);
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());
  const ReadOutcomes read = ReadBlocks(missing);
  for (size_t i = 0; i < read.size(); ++i) {
    FIRN_RETURN_IF_ERROR(read[i].status());
    slots_.Insert(missing[i], *read[i]);
  }
  for (Candidate& candidate : candidates) {
    if (candidate.block == nullptr) {
      const auto found = std::lower_bound(missing.begin(), missing.end(), candidate.target.block);
      candidate.block = *read[static_cast<size_t>(found - missing.begin())];
    }
    candidate.lookup->found = FindInBlock(*candidate.block, candidate.target.key, at_most);
  }
  return absl::OkStatus();
}

std::unique_ptr<InternalIterator> SequenceSegmentReader::NewIterator(
    const SegmentReadOptions& options) const {
  return std::make_unique<SequenceSegmentIterator>(
      std::static_pointer_cast<const SequenceSegmentReader>(shared_from_this()), options);
}

SegmentReport SequenceSegmentReader::Verify() const { return SequenceSegmentVerifier(*this).Run(); }

uint64_t SequenceSegmentReader::ApproximateSize(absl::string_view begin,
                                                absl::string_view limit) const {
  const auto offset_of = [this](absl::string_view user_key) -> uint64_t {
    const std::optional<uint64_t> key = LoadSequenceKeyAtOrAfter(user_key);
    if (!key.has_value() || *key > last_key_) return properties_.data_size;
    return index_.offset(index_.BlockOf(*key));
  };
  const uint64_t from = offset_of(begin);
  const uint64_t to = offset_of(limit);
  return to > from ? to - from : 0;
}

std::vector<SegmentBlock> SequenceSegmentReader::Blocks() const {
  std::vector<SegmentBlock> blocks;
  blocks.reserve(index_.size());
  for (size_t i = 0; i < index_.size(); ++i) {
    std::string limit_key = properties_.largest;
    if (i + 1 < index_.size()) {  // the number before the next block's: nothing is above it here
      char user_key[kSequenceKeySize];
      StoreSequenceKey(user_key, index_.first_key(i + 1) - 1);
      limit_key = EncodeInternalKey(
          {.user_key = absl::string_view(user_key, sizeof(user_key)), .sequence = {0}});
    }
    blocks.push_back({index_.handle(i), std::move(limit_key)});
  }
  return blocks;
}

absl::StatusOr<size_t> SequenceSegmentReader::VisitBlock(
    const BlockHandle& handle,
    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const {
  size_t number = 0;
  while (number < index_.size() && index_.offset(number) < handle.offset) ++number;
  if (number == index_.size() || index_.handle(number) != handle) {
    return InvalidArgument(absl::StrCat(path(), ": no block at offset ", handle.offset));
  }
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SequenceBlock> block,
                        std::move(ReadBlocks({number}).front()));
  const SequenceRecords records = block->records();
  char key[kSequenceKeySize + kInternalKeySuffixSize];
  for (uint32_t i = 0; i < records.count(); ++i) {
    StoreSequenceInternalKey(key, records.KeyAt(i), records.SequenceAt(i));
    if (!visit(absl::string_view(key, sizeof(key)), records.ValueAt(i))) break;
  }
  return block->bytes().size();
}

}  // namespace firn
