#include "firn/write_batch.h"

#include "base/types.h"
#include "engine/batch_format.h"

namespace firn {

void WriteBatch::Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value) {
  AppendPut(entries_, KeyspaceId{keyspace.id()}, key, value);
  ++count_;
}

void WriteBatch::Remove(const Keyspace& keyspace, absl::string_view key) {
  AppendRemove(entries_, KeyspaceId{keyspace.id()}, key);
  ++count_;
}

void WriteBatch::Append(const WriteBatch& other) {
  const size_t count = other.count_;  // `other` may be this batch
  entries_.append(other.entries_);
  count_ += count;
}

void WriteBatch::Clear() {
  entries_.clear();
  count_ = 0;
}

}  // namespace firn
