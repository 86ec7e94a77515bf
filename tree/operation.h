// tree/operation.h: what an operation does to the value under its key.
#ifndef FIRN_TREE_OPERATION_H_
#define FIRN_TREE_OPERATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"

namespace firn {

enum class Effect : uint8_t {
  kNone,    // nothing changes
  kStore,   // `value` is stored, even if it equals the old one
  kRemove,  // the key, which is present, is removed
};

struct Evaluation {
  Effect effect = Effect::kNone;
  // For kStore; points into the operation, the old value or `buffer`.
  absl::string_view value;
};

// Decides what `operation` does where `old` is the value present, or none. `buffer` holds the value
// that an addition makes. Errors: NotFound/kKeyNotFound, AlreadyExists/kKeyExists,
// InvalidArgument/kIllegalValue, OutOfRange/kOverflow (the sum is negative or leaves 64 bits).
absl::StatusOr<Evaluation> Evaluate(const Operation& operation,
                                    std::optional<absl::string_view> old,
                                    const TreeParameters& parameters, std::string& buffer);

}  // namespace firn

#endif  // FIRN_TREE_OPERATION_H_
