#include "sstable/block_batch.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "io/file_system.h"
#include "sstable/raw_block.h"
#include "sstable/segment_reader.h"

namespace firn {

bool BlockBatch::IsBefore(const Item& a, const Item& b) {
  if (a.reader != b.reader) return std::less<>()(a.reader, b.reader);
  return a.ordinal < b.ordinal;
}

void BlockBatch::Read() {
  if (items_.empty()) return;
  std::sort(items_.begin(), items_.end(), IsBefore);
  items_.erase(std::unique(items_.begin(), items_.end(),
                           [](const Item& a, const Item& b) {
                             return a.reader == b.reader && a.ordinal == b.ordinal;
                           }),
               items_.end());
  std::vector<BlockMemory> stored;
  std::vector<FileRead> reads;
  stored.reserve(items_.size());
  reads.reserve(items_.size());
  for (const Item& item : items_) {
    const BlockHandle handle = item.reader->HandleOf(item.ordinal);
    const auto size = static_cast<size_t>(handle.size) + kBlockTrailerSize;
    stored.push_back(NewBlockMemory(size));
    reads.push_back({.file = &item.reader->file(),
                     .request = {.offset = handle.offset,
                                 .target = absl::MakeSpan(stored.back().get(), size),
                                 .status = absl::OkStatus()}});
  }
  // The first error, which stands in its request too.
  reads[0].file->ReadTogether(absl::MakeSpan(reads)).IgnoreError();
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!reads[i].request.status.ok()) continue;
    absl::StatusOr<std::shared_ptr<const BlockContent>> content = items_[i].reader->TakeBlock(
        items_[i].ordinal, reads[i].request.target, std::move(stored[i]));
    if (content.ok()) items_[i].content = *std::move(content);
  }
}

std::shared_ptr<const BlockContent> BlockBatch::Find(const SegmentReader& reader,
                                                     size_t ordinal) const {
  const Item sought{&reader, ordinal, {}};
  const auto found = std::lower_bound(items_.begin(), items_.end(), sought, IsBefore);
  if (found == items_.end() || found->reader != &reader || found->ordinal != ordinal) return nullptr;
  return found->content;
}

}  // namespace firn
