#include "sstable/hashed_index_page.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("index page: ", what));
}

}  // namespace

absl::Status CheckLocation(LocationFormat format, uint64_t extent_count, uint32_t location) {
  if (format.ExtentOf(location) >= extent_count) {
    return Damaged(absl::StrCat("an entry names extent ", format.ExtentOf(location), " of ",
                                extent_count));
  }
  if (format.OffsetOf(location) < 16) return Damaged("an entry names the header of an extent");
  return absl::OkStatus();
}

absl::StatusOr<IndexPageSizes> ParseIndexPageSizes(ByteSpan page, uint64_t bucket_count) {
  ByteReader counts(page);
  IndexPageSizes sizes;
  for (uint64_t bucket = 0; bucket < bucket_count; ++bucket) {
    const std::optional<uint32_t> count = counts.ReadVarint32();
    if (!count.has_value()) return Damaged("counts are cut off");
    sizes.entry_count += *count;
  }
  if (counts.remaining() != sizes.entry_count * kIndexEntrySize) {
    return Damaged("entries of another number");
  }
  sizes.entries_offset = counts.position();
  return sizes;
}

absl::StatusOr<std::shared_ptr<const IndexPage>> IndexPage::Create(BlockMemory bytes, size_t size,
                                                                   uint64_t bucket_count,
                                                                   uint64_t extent_count,
                                                                   LocationFormat location) {
  const ByteSpan page(bytes.get(), size);
  FIRN_ASSIGN_OR_RETURN(const IndexPageSizes sizes, ParseIndexPageSizes(page, bucket_count));
  for (size_t at = sizes.entries_offset; at < size; at += kIndexEntrySize) {
    FIRN_RETURN_IF_ERROR(CheckLocation(location, extent_count, LoadFixed32(&page[at + 2])));
  }
  return MakeBlockContent<IndexPage>(std::move(bytes), size,
                                     static_cast<uint32_t>(sizes.entries_offset));
}

}  // namespace firn
