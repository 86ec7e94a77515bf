#include "firn/copy_database.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr char kWrittenLast[] = "metadata";
constexpr size_t kBatchBytes = size_t{1} << 20;

absl::Status CopyKeyspace(const Keyspace& from, const Snapshot& snapshot, Database& target,
                          const Keyspace& to) {
  WriteBatch batch;
  const std::unique_ptr<Iterator> iterator = from.NewIterator({.snapshot = snapshot});
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    batch.Put(to, iterator->key(), iterator->value());
    if (batch.encoded_size() < kBatchBytes) continue;
    FIRN_RETURN_IF_ERROR(target.Write(batch, Durability::kBuffered));
    batch.Clear();
  }
  FIRN_RETURN_IF_ERROR(iterator->status());
  return target.Write(batch, Durability::kBuffered);
}

}  // namespace

absl::Status CopyDatabase(Database& source, Database& target) {
  if (!target.ListKeyspaces().empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kKeyspaceExists,
                     absl::StrCat(target.path(), ": the target of a copy has no keyspaces, but has ",
                                  target.ListKeyspaces().front()));
  }
  const Snapshot snapshot = source.TakeSnapshot();
  std::vector<std::string> names = source.ListKeyspaces();
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name != kWrittenLast; });
  for (const std::string& name : names) {
    FIRN_ASSIGN_OR_RETURN(const Keyspace from, source.OpenKeyspace(name));
    if (name == kWrittenLast) FIRN_RETURN_IF_ERROR(target.Sync());
    FIRN_ASSIGN_OR_RETURN(const Keyspace to, target.CreateKeyspace(name, from.options()));
    FIRN_RETURN_IF_ERROR(CopyKeyspace(from, snapshot, target, to));
  }
  return target.Sync();
}

}  // namespace firn
