#include "sstable/hashed_segment_writer.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// A batch is at most 64 MiB, so no entry of a store comes near this.
constexpr uint64_t kValueSizeMax = kBlockSizeMax / 2;

}  // namespace

absl::Status HashedSegmentWriter::CheckOptions(const SegmentOptions& options) {
  if (options.key_width < kHashedKeySizeMin || options.key_width > kHashedKeySizeMax) {
    return InvalidOption("key_width", absl::StrCat(options.key_width, " is not in [",
                                                   kHashedKeySizeMin, ", ", kHashedKeySizeMax, "]"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<HashedSegmentWriter>> HashedSegmentWriter::CreateHashed(
    FileSystem& file_system, absl::string_view path, const SegmentOptions& options,
    FileNumber number, uint64_t id) {
  FIRN_CHECK(options.layout == SegmentLayout::kHashed);
  FIRN_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> writer,
                        SegmentWriter::Create(file_system, path, options, number, id));
  return absl::WrapUnique(static_cast<HashedSegmentWriter*>(writer.release()));
}

HashedSegmentWriter::HashedSegmentWriter(std::unique_ptr<SegmentOutput> output,
                                         const SegmentOptions& options, FileNumber number)
    : SegmentWriter(std::move(output), options, number),
      location_(LocationFormat::ForBlockSize(options.block_size)) {}

uint64_t HashedSegmentWriter::EstimatedSize() const {
  return output_->offset() + (extent_.empty() ? 0 : extent_.size());
}

absl::Status HashedSegmentWriter::AddEntry(absl::string_view internal_key,
                                           absl::string_view value) {
  const std::optional<InternalKey> key = DecodeInternalKey(internal_key);
  if (!key.has_value()) return RefuseEntry("has no internal key");
  if (key->user_key.size() != options_.key_width) {
    return RefuseEntry(absl::StrCat("has a key of ", key->user_key.size(), " bytes instead of ",
                                    options_.key_width));
  }
  if (value.size() > kValueSizeMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat(path(), ": a value of ", value.size(), " bytes is over ",
                                  kValueSizeMax));
  }
  if (!extent_.empty() &&
      extent_.size() + ExtentBuilder::RecordSizeMax(key->user_key, value) > options_.block_size) {
    FIRN_RETURN_IF_ERROR(FinishExtent());
  }
  pending_.push_back({HashedWord(key->user_key), extent_.Add(*key, value)});
  CountEntry(internal_key, value);
  CountKeyRange(internal_key);
  return absl::OkStatus();
}

void HashedSegmentWriter::CountKeyRange(absl::string_view internal_key) {
  const uint64_t prefix = LoadBigEndian64(reinterpret_cast<const uint8_t*>(internal_key.data()));
  if (prefix <= smallest_prefix_ &&
      (prefix < smallest_prefix_ || properties_.smallest.empty() ||
       CompareInternalKeys(internal_key, properties_.smallest) < 0)) {
    smallest_prefix_ = prefix;
    properties_.smallest.assign(internal_key.data(), internal_key.size());
  }
  if (prefix >= largest_prefix_ &&
      (prefix > largest_prefix_ || properties_.largest.empty() ||
       CompareInternalKeys(internal_key, properties_.largest) > 0)) {
    largest_prefix_ = prefix;
    properties_.largest.assign(internal_key.data(), internal_key.size());
  }
}

absl::Status HashedSegmentWriter::TakeInExtent(const BlockHandle& handle) {
  if (extent_sizes_.size() >= location_.extents_max()) {
    return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                     absl::StrCat(path(), ": a segment of over ", location_.extents_max(),
                                  " extents"));
  }
  extent_sizes_.push_back(static_cast<uint32_t>(handle.size));
  ++properties_.data_block_count;
  properties_.data_size = output_->offset();
  return absl::OkStatus();
}

absl::Status HashedSegmentWriter::FinishExtent() {
  FIRN_ASSIGN_OR_RETURN(const BlockHandle handle,
                        output_->AppendBlock(extent_.Finish(), BlockKind::kData));
  const auto number = static_cast<uint32_t>(extent_sizes_.size());
  FIRN_RETURN_IF_ERROR(TakeInExtent(handle));
  for (const PendingRecord& record : pending_) {
    index_.Add(record.word, location_.Pack(number, record.offset));
  }
  pending_.clear();
  extent_.Reset();
  return absl::OkStatus();
}

absl::Status HashedSegmentWriter::AddExtent(const Extent& extent, ByteSpan stored,
                                            CompressionKind compression) {
  return AddBy([&] { return AddExtentChecked(extent, stored, compression); });
}

absl::Status HashedSegmentWriter::AddExtentChecked(const Extent& extent, ByteSpan stored,
                                                   CompressionKind compression) {
  copied_.clear();
  ExtentCursor cursor(extent, options_.key_width);
  while (cursor.Next()) {
    const ExtentRecord& record = cursor.record();
    if (record.offset >= options_.block_size && record.offset > kExtentHeaderSize) {
      return RefuseEntry(absl::StrCat("begins at ", record.offset, " of an extent"));
    }
    scratch_key_.clear();
    AppendInternalKey(scratch_key_, {record.user_key, record.sequence, record.kind});
    CountEntry(scratch_key_, record.value);
    CountKeyRange(scratch_key_);
    copied_.push_back({HashedWord(record.user_key), record.offset});
  }
  FIRN_RETURN_IF_ERROR(Annotate(cursor.status(), path()));
  FIRN_ASSIGN_OR_RETURN(
      const BlockHandle handle,
      output_->AppendStored(stored, {.kind = BlockKind::kData,
                                     .compression = compression,
                                     .raw_size = static_cast<uint32_t>(extent.bytes().size())}));
  const auto number = static_cast<uint32_t>(extent_sizes_.size());
  FIRN_RETURN_IF_ERROR(TakeInExtent(handle));
  for (const PendingRecord& record : copied_) {
    index_.Add(record.word, location_.Pack(number, record.offset));
  }
  return absl::OkStatus();
}

absl::Status HashedSegmentWriter::AppendExtentTable(IndexRoot& root) {
  std::string page;
  for (size_t begin = 0; begin < extent_sizes_.size(); begin += kExtentsPerPage) {
    const size_t limit = std::min<size_t>(begin + kExtentsPerPage, extent_sizes_.size());
    page.clear();
    for (size_t i = begin; i < limit; ++i) PutVarint32(page, extent_sizes_[i]);
    FIRN_ASSIGN_OR_RETURN(const BlockHandle handle,
                          output_->AppendBlock(AsBytes(page), BlockKind::kExtentTable));
    root.table_page_sizes.push_back(static_cast<uint32_t>(handle.size));
  }
  return absl::OkStatus();
}

absl::StatusOr<SegmentFooter> HashedSegmentWriter::FinishData() {
  if (!extent_.empty()) FIRN_RETURN_IF_ERROR(FinishExtent());
  IndexRoot root{.key_size = options_.key_width,
                 .location = location_,
                 .extent_count = extent_sizes_.size()};
  FIRN_RETURN_IF_ERROR(AppendExtentTable(root));
  FIRN_ASSIGN_OR_RETURN(
      const HashedIndexBuilder::Result index,
      index_.Finish([&](ByteSpan page) -> absl::Status {
        FIRN_ASSIGN_OR_RETURN(const BlockHandle handle,
                              output_->AppendBlock(page, BlockKind::kIndexPage));
        root.index_page_sizes.push_back(static_cast<uint32_t>(handle.size));
        return absl::OkStatus();
      }));
  root.bucket_count = index.bucket_count;
  properties_.user_key_count = index.distinct_keys;
  SegmentFooter footer{.layout = SegmentLayout::kHashed};
  const std::string root_bytes = EncodeIndexRoot(root);
  FIRN_ASSIGN_OR_RETURN(footer.index, output_->AppendBlock(AsBytes(root_bytes), BlockKind::kIndex));
  return footer;
}

}  // namespace firn
