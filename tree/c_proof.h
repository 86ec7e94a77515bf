// tree/c_proof.h: what the two halves of the tree's C API share: operations and old values as C has
// them. Core: no database is known here.
#ifndef FIRN_TREE_C_PROOF_H_
#define FIRN_TREE_C_PROOF_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/c_support.h"
#include "firn/c_tree.h"
#include "firn/proof.h"

struct firn_old_values {
  std::vector<firn::OldValue> values;
};

namespace firn {

absl::StatusOr<Operation> FromC(const firn_operation& operation);
absl::StatusOr<std::vector<Operation>> FromC(const firn_operation* operations, size_t count);
// The bytes are views into `operation`.
firn_operation ToC(const Operation& operation);
firn_digest ToC(const Digest& digest);
Digest FromC(const firn_digest& digest);

}  // namespace firn

#endif  // FIRN_TREE_C_PROOF_H_
