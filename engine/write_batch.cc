#include "firn/write_batch.h"

#include <algorithm>

#include "base/types.h"
#include "engine/batch_format.h"
#include "engine/keyspace.h"

namespace firn {
namespace {

constexpr uint64_t kMixedStores = 2;  // a store's tag is odd

}  // namespace

bool WriteBatch::Fits(absl::string_view key, absl::string_view value) {
  const size_t size = std::max(key.size(), value.size());
  if (key.size() <= kKeySizeMax && value.size() <= kValueSizeMax) return true;
  ++count_;
  oversize_ = std::max(oversize_, size);
  return false;
}

// Whatever throws (memory that has run out) leaves the batch as it was.
template <typename Encode>
void WriteBatch::Add(Encode encode) {
  const size_t before = entries_.size();
  try {
    encode();
  } catch (...) {
    entries_.resize(before);
    throw;
  }
  ++count_;
}

void WriteBatch::Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value) {
  if (!Fits(key, value)) return;
  Add([&] { AppendPut(entries_, KeyspaceId{keyspace.id()}, key, value); });
  NoteStore(keyspace.empty() ? 0 : keyspace.impl()->store_tag());
}

void WriteBatch::Remove(const Keyspace& keyspace, absl::string_view key) {
  if (!Fits(key, "")) return;
  Add([&] { AppendRemove(entries_, KeyspaceId{keyspace.id()}, key); });
  NoteStore(keyspace.empty() ? 0 : keyspace.impl()->store_tag());
}

// Handles of two stores: the tag of none.
void WriteBatch::NoteStore(uint64_t tag) {
  if (tag == store_tag_ || tag == 0) return;
  store_tag_ = store_tag_ == 0 ? tag : kMixedStores;
}

void WriteBatch::Append(const WriteBatch& other) {
  const size_t count = other.count_;  // `other` may be this batch
  entries_.append(other.entries_);
  count_ += count;
  oversize_ = std::max(oversize_, other.oversize_);
  NoteStore(other.store_tag_);
}

void WriteBatch::Clear() {
  entries_.clear();
  count_ = 0;
  store_tag_ = 0;
  oversize_ = 0;
}

}  // namespace firn
