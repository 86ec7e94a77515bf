#include "engine/savepoint.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn {

absl::StatusOr<size_t> SavepointStack::Find(absl::string_view name) const {
  for (size_t i = savepoints_.size(); i > 0; --i) {
    if (savepoints_[i - 1].name == name) return i - 1;
  }
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kSavepointNotFound,
                   absl::StrCat("no savepoint \"", name, "\""));
}

absl::Status SavepointStack::Create(absl::string_view name) {
  if (Find(name).ok()) {
    return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kSavepointExists,
                     absl::StrCat("there is a savepoint \"", name, "\" already"));
  }
  if (savepoints_.empty()) writes_.StartUndoLog();
  savepoints_.push_back({std::string(name), writes_.undo_position(), reads_.mark()});
  return absl::OkStatus();
}

absl::Status SavepointStack::RollbackTo(absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(const size_t index, Find(name));
  savepoints_.resize(index + 1);
  writes_.UndoTo(savepoints_.back().undo_position);
  reads_.ForgetSince(savepoints_.back().reads);
  return absl::OkStatus();
}

absl::Status SavepointStack::Release(absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(const size_t index, Find(name));
  savepoints_.resize(index);
  if (savepoints_.empty()) writes_.StopUndoLog();
  return absl::OkStatus();
}

absl::StatusOr<size_t> SavepointStack::ChangesSince(absl::string_view name) const {
  FIRN_ASSIGN_OR_RETURN(const size_t index, Find(name));
  return writes_.undo_position() - savepoints_[index].undo_position;
}

std::vector<std::string> SavepointStack::names() const {
  std::vector<std::string> names;
  for (const Savepoint& savepoint : savepoints_) names.push_back(savepoint.name);
  return names;
}

}  // namespace firn
