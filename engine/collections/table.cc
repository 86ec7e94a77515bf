#include "firn/table.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {

absl::Status UndecodableBytes(absl::string_view what, absl::string_view bytes) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("a table's ", bytes.size(), " bytes are no ", what));
}

namespace table_internal {

absl::StatusOr<std::optional<PinnedValue>> NoneIfAbsent(absl::StatusOr<PinnedValue> found) {
  if (found.ok()) return std::optional<PinnedValue>(*std::move(found));
  if (absl::IsNotFound(found.status())) return std::optional<PinnedValue>();
  return found.status();
}

absl::StatusOr<bool> CompareAndSet(Transaction& transaction, const Keyspace& keyspace,
                                   const std::string& key,
                                   const std::optional<std::string>& expected,
                                   const std::optional<std::string>& desired) {
  FIRN_ASSIGN_OR_RETURN(const std::optional<PinnedValue> found,
                        NoneIfAbsent(transaction.GetForUpdate(keyspace, key)));
  if (found.has_value() != expected.has_value()) return false;
  if (found.has_value() && found->view() != absl::string_view(*expected)) return false;
  if (desired.has_value()) {
    FIRN_RETURN_IF_ERROR(transaction.Put(keyspace, key, *desired));
  } else if (expected.has_value()) {
    FIRN_RETURN_IF_ERROR(transaction.Remove(keyspace, key));
  }
  return true;
}

}  // namespace table_internal
}  // namespace firn
