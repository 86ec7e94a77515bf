#include "sstable/block_builder.h"

#include <algorithm>

#include "base/check.h"
#include "base/coding.h"
#include "sstable/internal_key.h"
#include "sstable/segment_format.h"

namespace firn {
namespace {

size_t SharedPrefixSize(absl::string_view a, absl::string_view b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t size = 0;
  while (size < limit && a[size] == b[size]) ++size;
  return size;
}

}  // namespace

BlockBuilder::BlockBuilder(uint32_t restart_interval) : restart_interval_(restart_interval) {
  FIRN_CHECK(restart_interval > 0);
}

void BlockBuilder::Add(absl::string_view internal_key, absl::string_view value) {
  FIRN_CHECK(!finished_);
  FIRN_DCHECK(entry_count_ == 0 || CompareInternalKeys(last_key_, internal_key) < 0);
  FIRN_CHECK(buffer_.size() + EntrySizeMax(internal_key, value) <= kBlockSizeMax);
  const bool is_restart = entry_count_ % restart_interval_ == 0;
  if (is_restart) restarts_.push_back(static_cast<uint32_t>(buffer_.size()));
  const size_t shared = is_restart ? 0 : SharedPrefixSize(last_key_, internal_key);
  PutVarint32(buffer_, static_cast<uint32_t>(shared));
  PutVarint32(buffer_, static_cast<uint32_t>(internal_key.size() - shared));
  PutVarint32(buffer_, static_cast<uint32_t>(value.size()));
  buffer_.append(internal_key.data() + shared, internal_key.size() - shared);
  buffer_.append(value.data(), value.size());
  last_key_.assign(internal_key.data(), internal_key.size());
  ++entry_count_;
}

ByteSpan BlockBuilder::Finish() {
  FIRN_CHECK(!finished_ && entry_count_ > 0);
  for (const uint32_t restart : restarts_) PutFixed32(buffer_, restart);
  PutFixed32(buffer_, static_cast<uint32_t>(restarts_.size()));
  finished_ = true;
  return AsBytes(buffer_);
}

void BlockBuilder::Reset() {
  buffer_.clear();
  restarts_.clear();
  last_key_.clear();
  entry_count_ = 0;
  finished_ = false;
}

uint64_t BlockBuilder::EntrySizeMax(absl::string_view internal_key, absl::string_view value) {
  return 3 * kMaxVarint32Size + internal_key.size() + value.size() + 4;
}

}  // namespace firn
