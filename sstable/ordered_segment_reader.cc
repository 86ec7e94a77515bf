#include "sstable/ordered_segment_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/ordered_segment_iterator.h"
#include "sstable/ordered_segment_verifier.h"

namespace firn {

absl::StatusOr<std::shared_ptr<const SegmentReader>> OrderedSegmentReader::Open(
    SegmentSource source) {
  FIRN_ASSIGN_OR_RETURN(OrderedSegmentTail tail,
                        ReadOrderedSegmentTail(*source.file, source.footer));
  FIRN_RETURN_IF_ERROR(CompareSegmentMeta(source.expected, MetaOf(tail), source.file->path()));
  return std::shared_ptr<const SegmentReader>(
      new OrderedSegmentReader(std::move(source), std::move(tail)));
}

OrderedSegmentReader::OrderedSegmentReader(SegmentSource source, OrderedSegmentTail tail)
    : SegmentReader(std::move(source), std::move(tail.properties)),
      index_(std::move(tail.index)),
      filter_(std::move(tail.filter)),
      slots_(cache_, meta_.id, index_.size()) {}

std::shared_ptr<const Block> OrderedSegmentReader::FindCached(size_t position) const {
  // Nothing but blocks of this segment was put into its slots.
  return std::static_pointer_cast<const Block>(slots_.Find(position));
}

bool OrderedSegmentReader::FilterMayContain(absl::string_view user_key) const {
  if (!filter_.present()) return true;
  const bool may_contain = filter_.MayContain(user_key);
  if (counters_ != nullptr) {
    counters_->filter_checks.Add(1);
    if (!may_contain) counters_->filter_negatives.Add(1);
  }
  return may_contain;
}

absl::Status OrderedSegmentReader::AnnotateBlockError(const absl::Status& status,
                                               const BlockHandle& handle) const {
  return Annotate(status, absl::StrCat(path(), ": data block at offset ", handle.offset));
}

absl::StatusOr<std::shared_ptr<const Block>> OrderedSegmentReader::MakeBlock(
    RawBlock raw, const BlockHandle& handle) const {
  absl::StatusOr<std::shared_ptr<const Block>> block =
      Block::Create(std::move(raw.bytes), raw.size);
  if (!block.ok()) return AnnotateBlockError(block.status(), handle);
  return block;
}

std::vector<absl::StatusOr<std::shared_ptr<const Block>>> OrderedSegmentReader::ReadDataBlocks(
    absl::Span<const BlockHandle> handles) const {
  std::vector<absl::StatusOr<std::shared_ptr<const Block>>> blocks;
  blocks.reserve(handles.size());
  const uint64_t bytes = ReadRawBlocks(
      *file_, meta_.id, BlockKind::kData, handles, [&](size_t i, absl::StatusOr<RawBlock> raw) {
        if (raw.ok()) {
          blocks.push_back(MakeBlock(*std::move(raw), handles[i]));
        } else {
          blocks.push_back(raw.status());
        }
      });
  if (counters_ != nullptr) {
    counters_->block_reads.Add(handles.size());
    counters_->block_bytes_read.Add(bytes);
  }
  return blocks;
}

absl::StatusOr<std::shared_ptr<const Block>> OrderedSegmentReader::ReadDataBlock(
    size_t position) const {
  std::shared_ptr<const Block> cached = FindCached(position);
  if (cached != nullptr) return cached;
  const BlockHandle handle = index_.handle(position);
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const Block> block,
                        std::move(ReadDataBlocks({handle}).front()));
  slots_.Insert(position, block);
  return block;
}

absl::StatusOr<std::optional<FoundEntry>> OrderedSegmentReader::FindInBlock(
    const LookupKey& target, std::shared_ptr<const Block> block, const BlockHandle& handle) const {
  BlockIterator entry(block.get());
  entry.Seek(target.encoded());
  if (!entry.status().ok()) return AnnotateBlockError(entry.status(), handle);
  // Past the end of this block no version of the key follows: see ShortestSeparator().
  if (!entry.Valid() || UserKeyOf(entry.key()) != target.user_key()) {
    if (counters_ != nullptr && filter_.present()) counters_->filter_false_positives.Add(1);
    return std::nullopt;
  }
  return FoundEntry{.kind = KindOf(entry.key()),
                    .sequence = SequenceOf(entry.key()),
                    .value = entry.value(),
                    .pin = std::move(block)};
}

absl::StatusOr<std::optional<FoundEntry>> OrderedSegmentReader::Get(absl::string_view user_key,
                                                             SequenceNumber at_most) const {
  if (!FilterMayContain(user_key)) return std::nullopt;
  const LookupKey target(user_key, at_most);
  const size_t position = index_.Seek(target.encoded());
  if (position == index_.size()) return std::nullopt;
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const Block> block, ReadDataBlock(position));
  return FindInBlock(target, std::move(block), index_.handle(position));
}

bool OrderedSegmentReader::GetCached(absl::string_view user_key, SequenceNumber at_most,
                                     std::optional<FoundEntry>& found) const {
  found.reset();
  if (!FilterMayContain(user_key)) return true;
  const LookupKey target(user_key, at_most);
  const size_t position = index_.Seek(target.encoded());
  if (position == index_.size()) return true;
  const BlockContent* const content = slots_.Look(position);
  if (content == nullptr) return false;
  BlockIterator entry(static_cast<const Block*>(content));
  entry.Seek(target.encoded());
  if (!entry.status().ok()) return false;
  if (!entry.Valid() || UserKeyOf(entry.key()) != user_key) {
    if (counters_ != nullptr && filter_.present()) counters_->filter_false_positives.Add(1);
    return true;
  }
  found = FoundEntry{.kind = KindOf(entry.key()),
                     .sequence = SequenceOf(entry.key()),
                     .value = entry.value(),
                     .pin = content->shared_from_this()};
  return true;
}

bool OrderedSegmentReader::AddMissing(absl::string_view user_key, SequenceNumber at_most,
                                      BlockBatch& batch) const {
  if (filter_.present() && !filter_.MayContain(user_key)) return false;
  const size_t position = index_.Seek(LookupKey(user_key, at_most).encoded());
  if (position == index_.size()) return false;
  if (!slots_.Contains(position)) batch.Add(*this, position);
  return true;
}

absl::StatusOr<std::shared_ptr<const BlockContent>> OrderedSegmentReader::TakeBlock(
    size_t ordinal, ByteSpan stored, BlockMemory memory) const {
  const BlockHandle handle = index_.handle(ordinal);
  if (counters_ != nullptr) {
    counters_->block_reads.Add(1);
    counters_->block_bytes_read.Add(stored.size());
  }
  FIRN_ASSIGN_OR_RETURN(RawBlock raw, DecodeRawBlock(stored, BlockKind::kData, AddressOf(handle),
                                                     path(), std::move(memory)));
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const Block> block, MakeBlock(std::move(raw), handle));
  slots_.Insert(ordinal, block);
  return block;
}

absl::Status OrderedSegmentReader::GetMany(absl::Span<SegmentLookup* const> lookups,
                                    SequenceNumber at_most) const {
  struct Candidate {
    SegmentLookup* lookup;
    size_t position;
    std::shared_ptr<const Block> block;
  };
  std::vector<Candidate> candidates;
  std::vector<size_t> missing;
  for (SegmentLookup* lookup : lookups) {
    lookup->found.reset();
    if (!FilterMayContain(lookup->user_key)) continue;
    const LookupKey target(lookup->user_key, at_most);
    const size_t position = index_.Seek(target.encoded());
    if (position == index_.size()) continue;
    // Neighbours share a block: it is looked up once.
    if (!candidates.empty() && candidates.back().position == position) {
      candidates.push_back({lookup, position, candidates.back().block});
      continue;
    }
    std::shared_ptr<const BlockContent> read;
    if (lookup->fetched != nullptr) read = lookup->fetched->Find(*this, position);
    candidates.push_back({lookup, position,
                          read == nullptr ? FindCached(position)
                                          : std::static_pointer_cast<const Block>(std::move(read))});
    if (candidates.back().block == nullptr) missing.push_back(position);
  }
  std::sort(missing.begin(), missing.end());
  missing.erase(std::unique(missing.begin(), missing.end()), missing.end());

  std::vector<BlockHandle> handles;
  handles.reserve(missing.size());
  for (const size_t position : missing) handles.push_back(index_.handle(position));
  const std::vector<absl::StatusOr<std::shared_ptr<const Block>>> read = ReadDataBlocks(handles);
  for (size_t i = 0; i < read.size(); ++i) {
    FIRN_RETURN_IF_ERROR(read[i].status());
    slots_.Insert(missing[i], *read[i]);
  }
  for (Candidate& candidate : candidates) {
    if (candidate.block == nullptr) {
      const auto found = std::lower_bound(missing.begin(), missing.end(), candidate.position);
      candidate.block = *read[static_cast<size_t>(found - missing.begin())];
    }
    FIRN_ASSIGN_OR_RETURN(
        candidate.lookup->found,
        FindInBlock(LookupKey(candidate.lookup->user_key, at_most), std::move(candidate.block),
                    index_.handle(candidate.position)));
  }
  return absl::OkStatus();
}

std::unique_ptr<InternalIterator> OrderedSegmentReader::NewIterator(
    const SegmentReadOptions& options) const {
  return std::make_unique<OrderedSegmentIterator>(
      std::static_pointer_cast<const OrderedSegmentReader>(shared_from_this()), options);
}

SegmentReport OrderedSegmentReader::Verify() const { return OrderedSegmentVerifier(*this).Run(); }

std::vector<SegmentBlock> OrderedSegmentReader::Blocks() const {
  std::vector<SegmentBlock> blocks;
  blocks.reserve(index_.size());
  for (size_t i = 0; i < index_.size(); ++i) {
    blocks.push_back({index_.handle(i), std::string(index_.separator(i))});
  }
  return blocks;
}

absl::StatusOr<size_t> OrderedSegmentReader::VisitBlock(
    const BlockHandle& handle,
    absl::FunctionRef<bool(absl::string_view, absl::string_view)> visit) const {
  FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const Block> block,
                        std::move(ReadDataBlocks({handle}).front()));
  BlockIterator entry(block.get());
  entry.SeekToFirst();
  while (entry.Valid() && visit(entry.key(), entry.value())) entry.Next();
  if (!entry.status().ok()) return AnnotateBlockError(entry.status(), handle);
  return block->bytes().size();
}

uint64_t OrderedSegmentReader::ApproximateSize(absl::string_view begin, absl::string_view limit) const {
  const auto offset_of = [this](absl::string_view user_key) {
    const size_t position = index_.Seek(LookupKey(user_key, kMaxSequenceNumber).encoded());
    return position == index_.size() ? properties_.data_size
                                          : index_.handle(position).offset;
  };
  const uint64_t from = offset_of(begin);
  const uint64_t to = offset_of(limit);
  return to > from ? to - from : 0;
}

}  // namespace firn
