#include "firn/write_batch.h"

#include "base/types.h"
#include "engine/batch_format.h"
#include "engine/keyspace.h"

namespace firn {
namespace {

constexpr uint64_t kMixedStores = 2;  // a store's tag is odd

}  // namespace

void WriteBatch::Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value) {
  AppendPut(entries_, KeyspaceId{keyspace.id()}, key, value);
  ++count_;
  NoteStore(keyspace.empty() ? 0 : keyspace.impl()->store_tag());
}

void WriteBatch::Remove(const Keyspace& keyspace, absl::string_view key) {
  AppendRemove(entries_, KeyspaceId{keyspace.id()}, key);
  ++count_;
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
  NoteStore(other.store_tag_);
}

void WriteBatch::Clear() {
  entries_.clear();
  count_ = 0;
  store_tag_ = 0;
}

}  // namespace firn
