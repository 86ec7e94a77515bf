#include "sstable/hashed_segment_index.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr uint64_t kPageBytesAtOnce = uint64_t{1} << 20;
constexpr size_t kPagesAtOnce = 16;  // of ForEach()
// The slots of pages are not those of the extents with the same numbers.
constexpr uint64_t kPagesOfSegment = 0x70616765735f6f66;

// Where the pages stand: `begin` is the end of the extents, the footer's index their limit.
absl::StatusOr<std::vector<BlockHandle>> PageHandles(const IndexRoot& root, uint64_t begin,
                                                     const BlockHandle& index,
                                                     absl::string_view path) {
  std::vector<BlockHandle> handles;
  uint64_t offset = begin;
  for (const std::vector<uint32_t>* sizes : {&root.table_page_sizes, &root.index_page_sizes}) {
    for (const uint32_t size : *sizes) {  // the sum of 32-bit sizes cannot wrap around
      handles.push_back({.offset = offset, .size = size});
      offset = handles.back().limit();
    }
  }
  if (offset != index.offset) {
    return CorruptionAt(path, index.offset, "where the pages of the index end",
                        {.expected = index.offset, .actual = offset});
  }
  // Each bucket has a count of a byte at least: so as many lines may be allocated.
  const uint64_t last = root.index_page_count() - 1;
  for (uint64_t i = 0; i <= last; ++i) {
    const uint64_t buckets = i < last ? kBucketsPerPage : root.bucket_count - last * kBucketsPerPage;
    if (root.index_page_sizes[i] < buckets) {
      return CorruptionAt(path, index.offset, absl::StrCat("size of index page ", i),
                          {.expected = buckets, .actual = root.index_page_sizes[i]});
    }
  }
  return handles;
}

// Reads the pages piece by piece, in their order.
absl::Status ReadPages(RandomAccessFile& file, uint64_t segment_id, BlockKind kind,
                       absl::Span<const BlockHandle> handles,
                       absl::FunctionRef<absl::Status(size_t, ByteSpan)> visit) {
  absl::Status status;
  for (size_t begin = 0; begin < handles.size() && status.ok();) {
    size_t limit = begin;
    uint64_t bytes = 0;
    while (limit < handles.size() && (limit == begin || bytes < kPageBytesAtOnce)) {
      bytes += handles[limit++].size;
    }
    ReadRawBlocks(file, segment_id, kind, handles.subspan(begin, limit - begin),
                  [&](size_t i, absl::StatusOr<RawBlock> block) {
                    if (!status.ok()) return;
                    status = block.status();
                    if (!status.ok()) return;
                    status = visit(begin + i, ByteSpan(block->bytes.get(), block->size));
                    if (status.ok()) return;
                    status = CorruptionAt(file.path(), handles[begin + i].offset, status.message());
                  });
    begin = limit;
  }
  return status;
}

absl::Status CheckAgainstProperties(const SegmentProperties& properties, const IndexRoot& root,
                                    uint64_t entry_count, absl::string_view path,
                                    uint64_t offset) {
  struct Fact {
    absl::string_view what;
    uint64_t expected;
    uint64_t actual;
  };
  for (const Fact& fact :
       {Fact{"number of entries", properties.entry_count, entry_count},
        Fact{"number of extents", properties.data_block_count, root.extent_count},
        Fact{"bytes of keys", properties.raw_key_size,
             entry_count * (root.key_size + kInternalKeySuffixSize)},
        Fact{"offset bits", LocationFormat::ForBlockSize(properties.block_size).offset_bits,
             root.location.offset_bits}}) {
    if (fact.expected == fact.actual) continue;
    return CorruptionAt(path, offset, absl::StrCat("index against properties: ", fact.what),
                        {.expected = fact.expected, .actual = fact.actual});
  }
  return absl::OkStatus();
}

}  // namespace

const IndexPage* HashedSegmentIndex::Pages::Find(size_t number) const {
  const auto at = std::lower_bound(pages_.begin(), pages_.end(), number,
                                   [](const auto& page, size_t wanted) { return page.first < wanted; });
  return at == pages_.end() || at->first != number ? nullptr : at->second.get();
}

HashedSegmentIndex::HashedSegmentIndex(const HashedIndexSource& source, const IndexRoot& root,
                                       std::vector<BlockHandle> page_handles)
    : file_(source.file),
      segment_id_(source.footer.id),
      counters_(source.counters),
      key_size_(root.key_size),
      location_(root.location),
      bucket_count_(root.bucket_count),
      extent_count_(root.extent_count),
      extent_offsets_{0},
      page_handles_(std::move(page_handles)),
      slots_(std::make_unique<const BlockSlots>(source.cache, segment_id_ ^ kPagesOfSegment,
                                                page_handles_.size())) {}

absl::StatusOr<std::unique_ptr<const HashedSegmentIndex>> HashedSegmentIndex::Read(
    const HashedIndexSource& source) {
  RandomAccessFile& file = source.file;
  const SegmentProperties& properties = source.properties;
  const BlockHandle& root_handle = source.footer.index;
  const absl::StatusOr<IndexRoot> root = ParseIndexRoot(source.root);
  if (!root.ok()) return CorruptionAt(file.path(), root_handle.offset, root.status().message());
  FIRN_ASSIGN_OR_RETURN(std::vector<BlockHandle> handles,
                        PageHandles(*root, properties.data_size, root_handle, file.path()));
  const size_t table_pages = root->table_page_count();
  std::unique_ptr<HashedSegmentIndex> result(new HashedSegmentIndex(
      source, *root, {handles.begin() + static_cast<std::ptrdiff_t>(table_pages), handles.end()}));
  FIRN_RETURN_IF_ERROR(ReadPages(
      file, source.footer.id, BlockKind::kExtentTable,
      absl::MakeConstSpan(handles).subspan(0, table_pages), [&](size_t i, ByteSpan page) {
        const uint64_t count =
            std::min(kExtentsPerPage, root->extent_count - uint64_t{i} * kExtentsPerPage);
        return ParseExtentTablePage(page, count, properties.data_size, result->extent_offsets_);
      }));
  if (result->extent_offsets_.back() != properties.data_size) {
    return CorruptionAt(file.path(), handles.front().offset, "where the extents end",
                        {.expected = properties.data_size, .actual = result->extent_offsets_.back()});
  }
  uint64_t entry_count = properties.entry_count;  // believed until the pages are read
  if (root->bucket_count <= source.bytes_max / sizeof(IndexLine)) {
    FIRN_ASSIGN_OR_RETURN(result->resident_, result->ReadResident());
    entry_count = result->resident_->entry_count();
    result->page_handles_ = {};
    result->slots_ = nullptr;
  }
  FIRN_RETURN_IF_ERROR(
      CheckAgainstProperties(properties, *root, entry_count, file.path(), root_handle.offset));
  return result;
}

size_t HashedSegmentIndex::memory_usage() const {
  size_t usage = sizeof(*this) + extent_offsets_.capacity() * sizeof(uint64_t) +
                 page_handles_.capacity() * sizeof(BlockHandle);
  if (resident_ != nullptr) usage += resident_->memory_usage();
  if (slots_ != nullptr) usage += slots_->memory_usage();
  return usage;
}

uint64_t HashedSegmentIndex::BucketsOn(size_t page) const {
  return std::min(kBucketsPerPage, bucket_count_ - uint64_t{page} * kBucketsPerPage);
}

absl::StatusOr<std::shared_ptr<const HashedIndex>> HashedSegmentIndex::ReadResident() const {
  const auto index = std::make_shared<HashedIndex>(bucket_count_, extent_count_, location_);
  FIRN_RETURN_IF_ERROR(ReadPages(file_, segment_id_, BlockKind::kIndexPage, page_handles_,
                                 [&](size_t, ByteSpan page) { return index->AddPage(page); }));
  return index;
}

absl::StatusOr<std::shared_ptr<const HashedIndex>> HashedSegmentIndex::Whole() const {
  if (is_resident()) return resident_;
  return ReadResident();
}

absl::StatusOr<std::shared_ptr<const IndexPage>> HashedSegmentIndex::MakePage(size_t number,
                                                                              RawBlock block) const {
  absl::StatusOr<std::shared_ptr<const IndexPage>> page = IndexPage::Create(
      std::move(block.bytes), block.size, BucketsOn(number), extent_count_, location_);
  if (page.ok()) return page;
  return CorruptionAt(file_.path(), page_handles_[number].offset, page.status().message());
}

absl::StatusOr<HashedSegmentIndex::Pages> HashedSegmentIndex::Fetch(absl::Span<const size_t> numbers,
                                                                    CacheUse cache) const {
  Pages result;
  std::vector<size_t> missing;  // places in result.pages_
  std::vector<BlockHandle> handles;
  for (const size_t number : numbers) {
    // Nothing but pages of this index was put into its slots.
    auto page = std::static_pointer_cast<const IndexPage>(slots_->Find(number));
    if (page == nullptr) {
      missing.push_back(result.pages_.size());
      handles.push_back(page_handles_[number]);
    }
    result.pages_.emplace_back(number, std::move(page));
  }
  if (missing.empty()) return result;
  absl::Status status;
  const uint64_t bytes = ReadRawBlocks(
      file_, segment_id_, BlockKind::kIndexPage, handles,
      [&](size_t i, absl::StatusOr<RawBlock> block) {
        if (!status.ok()) return;
        status = block.status();
        if (!status.ok()) return;
        auto& [number, target] = result.pages_[missing[i]];
        absl::StatusOr<std::shared_ptr<const IndexPage>> page = MakePage(number, *std::move(block));
        status = page.status();
        if (!status.ok()) return;
        if (cache == CacheUse::kFill) slots_->Insert(number, *page);
        target = *std::move(page);
      });
  if (counters_ != nullptr) {
    counters_->block_reads.Add(missing.size());
    counters_->block_bytes_read.Add(bytes);
  }
  FIRN_RETURN_IF_ERROR(status);
  return result;
}

absl::StatusOr<HashedSegmentIndex::Pages> HashedSegmentIndex::PagesOf(
    absl::Span<const uint64_t> words) const {
  if (is_resident()) return Pages();
  std::vector<size_t> numbers;
  numbers.reserve(words.size());
  for (const uint64_t word : words) numbers.push_back(PageOf(bucket_of(word)));
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return Fetch(numbers, CacheUse::kFill);
}

absl::Status HashedSegmentIndex::ForEach(
    uint64_t begin, uint64_t limit, CacheUse cache,
    absl::FunctionRef<void(uint64_t, const IndexEntry&)> visit) const {
  const auto visit_bucket = [&](const auto& entries, uint64_t number, uint64_t bucket) {
    entries.ForEach(number, [&](const IndexEntry& entry) { visit(bucket, entry); });
  };
  if (is_resident()) {
    for (uint64_t bucket = begin; bucket < limit; ++bucket) {
      visit_bucket(*resident_, bucket, bucket);
    }
    return absl::OkStatus();
  }
  for (uint64_t bucket = begin; bucket < limit;) {
    std::vector<size_t> numbers;
    for (size_t page = PageOf(bucket); page <= PageOf(limit - 1) && numbers.size() < kPagesAtOnce;) {
      numbers.push_back(page++);
    }
    FIRN_ASSIGN_OR_RETURN(const Pages pages, Fetch(numbers, cache));
    for (; bucket < limit && PageOf(bucket) <= numbers.back(); ++bucket) {
      visit_bucket(*pages.Find(PageOf(bucket)), bucket % kBucketsPerPage, bucket);
    }
  }
  return absl::OkStatus();
}

}  // namespace firn
