#include "io/memory_file.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/check.h"

namespace firn {
namespace {

uint64_t NewOwner() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

PagedBytes::PagedBytes() : owner_(NewOwner()) {}

uint8_t* PagedBytes::MutablePage(size_t index) {
  std::shared_ptr<Page>& page = pages_[index];
  if (page == nullptr) {
    page = std::make_shared<Page>();
    page->owner = owner_;
  } else if (page->owner != owner_) {
    page = std::make_shared<Page>(*page);
    page->owner = owner_;
  }
  return page->bytes.data();
}

void PagedBytes::Read(uint64_t offset, absl::Span<uint8_t> target) const {
  FIRN_CHECK(offset <= size_ && target.size() <= size_ - offset);
  while (!target.empty()) {
    const size_t within = static_cast<size_t>(offset % kPageSize);
    const size_t count = std::min(kPageSize - within, target.size());
    const Page* const page = pages_[static_cast<size_t>(offset / kPageSize)].get();
    if (page == nullptr) {
      std::memset(target.data(), 0, count);
    } else {
      std::memcpy(target.data(), page->bytes.data() + within, count);
    }
    target.remove_prefix(count);
    offset += count;
  }
}

void PagedBytes::Write(uint64_t offset, ByteSpan bytes) {
  if (bytes.empty()) return;
  if (size_ < offset + bytes.size()) Resize(offset + bytes.size());
  while (!bytes.empty()) {
    const size_t within = static_cast<size_t>(offset % kPageSize);
    const size_t count = std::min(kPageSize - within, bytes.size());
    std::memcpy(MutablePage(static_cast<size_t>(offset / kPageSize)) + within, bytes.data(), count);
    bytes.remove_prefix(count);
    offset += count;
  }
}

void PagedBytes::Resize(uint64_t size) {
  const size_t within = static_cast<size_t>(size % kPageSize);
  const size_t last = static_cast<size_t>(size / kPageSize);
  // What is cut must read as zeroes if the file grows again.
  if (size < size_ && within != 0 && pages_[last] != nullptr) {
    std::memset(MutablePage(last) + within, 0, kPageSize - within);
  }
  pages_.resize(last + (within != 0 ? 1 : 0));
  size_ = size;
}

PagedBytes PagedBytes::Fork() {
  PagedBytes copy;
  copy.size_ = size_;
  copy.pages_ = pages_;
  owner_ = NewOwner();  // the pages now belong to nobody: both sides copy before they write
  return copy;
}

uint64_t MemoryFile::size() const {
  MutexLock lock(mutex_);
  return content_.size();
}

bool MemoryFile::Read(uint64_t offset, absl::Span<uint8_t> target) const {
  MutexLock lock(mutex_);
  if (offset > content_.size() || target.size() > content_.size() - offset) return false;
  content_.Read(offset, target);
  return true;
}

void MemoryFile::Remember(uint64_t offset, uint64_t length, uint64_t size_after) {
  if (tracking_ == Tracking::kNone) return;
  Change change{.offset = offset, .length = length, .size_before = content_.size()};
  change.size_after = size_after;
  const uint64_t old_limit = size_after < change.size_before
                                 ? change.size_before
                                 : std::min(offset + length, change.size_before);
  if (offset < old_limit) {
    std::string old_bytes(static_cast<size_t>(old_limit - offset), '\0');
    content_.Read(offset,
                  absl::MakeSpan(reinterpret_cast<uint8_t*>(old_bytes.data()), old_bytes.size()));
    change.old_bytes = std::make_shared<const std::string>(std::move(old_bytes));
  }
  unsynced_.push_back(std::move(change));
}

void MemoryFile::Write(uint64_t offset, absl::Span<const ByteSpan> pieces, uint64_t limit) {
  MutexLock lock(mutex_);
  uint64_t total = 0;
  for (const ByteSpan piece : pieces) total += piece.size();
  total = std::min(total, limit);
  if (total == 0) return;
  Remember(offset, total, std::max(content_.size(), offset + total));
  for (const ByteSpan piece : pieces) {
    const uint64_t count = std::min<uint64_t>(piece.size(), total);
    content_.Write(offset, piece.subspan(0, static_cast<size_t>(count)));
    offset += count;
    total -= count;
  }
}

void MemoryFile::Truncate(uint64_t size) {
  MutexLock lock(mutex_);
  if (size == content_.size()) return;
  Remember(std::min(size, content_.size()), 0, size);
  content_.Resize(size);
}

void MemoryFile::Sync() {
  MutexLock lock(mutex_);
  unsynced_.clear();
}

std::shared_ptr<MemoryFile> MemoryFile::Fork() {
  auto copy = std::make_shared<MemoryFile>(number_, tracking_);
  MutexLock lock(mutex_);
  MutexLock copy_lock(copy->mutex_);  // nobody else knows it yet
  copy->content_ = content_.Fork();
  copy->unsynced_ = unsynced_;
  return copy;
}

std::shared_ptr<MemoryFile> MemoryFile::AfterCrash(Random& random, Loss loss) {
  auto survivor = std::make_shared<MemoryFile>(number_, tracking_);
  MutexLock lock(mutex_);
  PagedBytes content = content_.Fork();
  if (loss != Loss::kKeepAll) {
    // Back to what is durable; the bytes of each change come to light on the way.
    std::vector<std::string> written(unsynced_.size());
    for (size_t i = unsynced_.size(); i-- > 0;) {
      const Change& change = unsynced_[i];
      FIRN_CHECK(content.size() == change.size_after);
      if (loss == Loss::kMix && change.length > 0) {
        written[i].resize(static_cast<size_t>(change.length));
        content.Read(change.offset, absl::MakeSpan(reinterpret_cast<uint8_t*>(written[i].data()),
                                                   written[i].size()));
      }
      content.Resize(change.size_before);
      if (change.old_bytes != nullptr) content.Write(change.offset, AsBytes(*change.old_bytes));
    }
    if (loss == Loss::kMix) {
      for (size_t i = 0; i < unsynced_.size(); ++i) {
        Redo(unsynced_[i], written[i], random, content);
      }
    }
  }
  MutexLock survivor_lock(survivor->mutex_);  // nobody else knows it yet
  survivor->content_ = std::move(content);
  return survivor;
}

void MemoryFile::Redo(const Change& change, const std::string& bytes, Random& random,
                      PagedBytes& content) {
  const uint64_t fate = random.Uniform(3);
  if (change.length == 0) {  // a truncation is in the journal or it is not
    if (fate != 0) content.Resize(change.size_after);
    return;
  }
  // Size and data are written back apart from each other: the new size may be there without them.
  if (change.size_after > content.size() && random.OneIn(4)) content.Resize(change.size_after);
  if (fate == 0) return;
  const uint64_t limit = change.offset + change.length;
  for (uint64_t at = change.offset; at < limit;) {
    const uint64_t sector_limit = std::min(limit, (at / kSectorSize + 1) * kSectorSize);
    if (fate == 1 || random.OneIn(2)) {
      content.Write(
          at, AsBytes(absl::string_view(bytes).substr(static_cast<size_t>(at - change.offset),
                                                      static_cast<size_t>(sector_limit - at))));
    }
    at = sector_limit;
  }
}

}  // namespace firn
