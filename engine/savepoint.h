// engine/savepoint.h: the named points that a transaction can go back to, as a stack: each knows how
// much had been written and read when it was made.
#ifndef FIRN_ENGINE_SAVEPOINT_H_
#define FIRN_ENGINE_SAVEPOINT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/read_set.h"
#include "engine/write_set.h"

namespace firn {

// Over the sets of one transaction, which must outlive it. One thread at a time.
class SavepointStack {
 public:
  SavepointStack(WriteSet& writes, ReadSet& reads) : writes_(writes), reads_(reads) {}

  // See firn/transaction.h.
  absl::Status Create(absl::string_view name);
  absl::Status RollbackTo(absl::string_view name);
  absl::Status Release(absl::string_view name);
  absl::StatusOr<size_t> ChangesSince(absl::string_view name) const;
  std::vector<std::string> names() const;
  size_t size() const { return savepoints_.size(); }
  // Without a word to the sets, which are cleared as well.
  void Clear() { savepoints_.clear(); }

 private:
  struct Savepoint {
    std::string name;
    size_t undo_position = 0;
    ReadSet::Mark reads;
  };

  absl::StatusOr<size_t> Find(absl::string_view name) const;

  WriteSet& writes_;
  ReadSet& reads_;
  std::vector<Savepoint> savepoints_;  // oldest first
};

}  // namespace firn

#endif  // FIRN_ENGINE_SAVEPOINT_H_
