// The C API of proofs: digests, operations, verification. Links the core of the tree alone.
#include "tree/c_proof.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tree/label.h"

namespace firn {
namespace {

static_assert(sizeof(firn_digest) == 33);
static_assert(static_cast<int>(OperationKind::kUnknownModification) == FIRN_UNKNOWN_MODIFICATION);
static_assert(static_cast<int>(OperationKind::kRemove) == FIRN_REMOVE);

absl::StatusOr<TreeParameters> ParametersFromC(const firn_tree_parameters& parameters) {
  TreeParameters result;
  result.key_length = parameters.key_length;
  if (parameters.fixed_values != 0) {
    result.value_length = parameters.value_length;
  } else if (parameters.value_length != 0) {
    return InvalidArgument("value_length is given, but fixed_values is 0");
  }
  FIRN_RETURN_IF_ERROR(CheckTreeParameters(result));
  return result;
}

absl::StatusOr<VerifierLimits> LimitsFromC(const firn_option* options, size_t count) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  VerifierLimits limits;
  for (const NamedText& option : named) {
    FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(option));
    if (option.name == "max_operations") {
      limits.max_operations = number;
    } else if (option.name == "max_deletions") {
      limits.max_deletions = number;
    } else if (option.name == "proof_size_max") {
      limits.proof_size_max = number;
    } else {
      return UnknownOption(option);
    }
  }
  return limits;
}

}  // namespace

absl::StatusOr<Operation> FromC(const firn_operation& operation) {
  if (operation.kind < FIRN_LOOKUP || operation.kind > FIRN_UNKNOWN_MODIFICATION) {
    return InvalidArgument(absl::StrCat("operation kind ", operation.kind, " is outside [1, 8]"));
  }
  Operation result;
  result.kind = static_cast<OperationKind>(operation.kind);
  FIRN_ASSIGN_OR_RETURN(const absl::string_view key, FromC(operation.key, "an operation's key"));
  FIRN_ASSIGN_OR_RETURN(const absl::string_view value,
                        FromC(operation.value, "an operation's value"));
  result.key = std::string(key);
  result.value = std::string(value);
  result.delta = operation.delta;
  return result;
}

absl::StatusOr<std::vector<Operation>> FromC(const firn_operation* operations, size_t count) {
  if (count > 0) FIRN_RETURN_IF_ERROR(CheckGiven(operations, "operations"));
  std::vector<Operation> result(count);
  for (size_t i = 0; i < count; ++i) {
    FIRN_ASSIGN_OR_RETURN(result[i], FromC(operations[i]));
  }
  return result;
}

firn_operation ToC(const Operation& operation) {
  return {static_cast<firn_operation_kind>(operation.kind), ToC(operation.key),
          ToC(operation.value), operation.delta};
}

firn_digest ToC(const Digest& digest) {
  firn_digest result;
  std::copy(digest.bytes.begin(), digest.bytes.end(), std::begin(result.bytes));
  return result;
}

Digest FromC(const firn_digest& digest) {
  Digest result;
  std::copy(std::begin(digest.bytes), std::end(digest.bytes), result.bytes.begin());
  return result;
}

}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::ToC;

firn_code firn_empty_tree_digest(const firn_tree_parameters* parameters, firn_digest* digest,
                                 firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(digest, "digest"));
    *digest = {};
    FIRN_RETURN_IF_ERROR(CheckGiven(parameters, "parameters"));
    FIRN_ASSIGN_OR_RETURN(const firn::TreeParameters checked, firn::ParametersFromC(*parameters));
    *digest = ToC(firn::EmptyTreeDigest(checked));
    return absl::OkStatus();
  });
}

firn_code firn_digest_from_hex(firn_bytes hex, firn_digest* digest, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(digest, "digest"));
    *digest = {};
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(hex, "hex"));
    FIRN_ASSIGN_OR_RETURN(const firn::Digest parsed, firn::Digest::FromHex(text));
    *digest = ToC(parsed);
    return absl::OkStatus();
  });
}

size_t firn_old_values_size(const firn_old_values* values) {
  return values == nullptr ? 0 : values->values.size();
}
int firn_old_values_at(const firn_old_values* values, size_t index, firn_bytes* value) {
  const bool is_there =
      index < firn_old_values_size(values) && values->values[index].has_value();
  if (value != nullptr) *value = is_there ? ToC(*values->values[index]) : firn_bytes{nullptr, 0};
  return is_there ? 1 : 0;
}
void firn_old_values_free(firn_old_values* values) { delete values; }

firn_code firn_verify_proof(const firn_digest* start, firn_bytes proof,
                            const firn_tree_parameters* parameters,
                            const firn_operation* operations, size_t operation_count,
                            const firn_option* options, size_t option_count, firn_digest* digest,
                            firn_old_values** old_values, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    if (old_values != nullptr) *old_values = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(digest, "digest"));
    *digest = {};
    FIRN_RETURN_IF_ERROR(CheckGiven(start, "start"));
    FIRN_RETURN_IF_ERROR(CheckGiven(parameters, "parameters"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view bytes, FromC(proof, "proof"));
    FIRN_ASSIGN_OR_RETURN(const firn::TreeParameters checked, firn::ParametersFromC(*parameters));
    FIRN_ASSIGN_OR_RETURN(const std::vector<firn::Operation> performed,
                          FromC(operations, operation_count));
    FIRN_ASSIGN_OR_RETURN(const firn::VerifierLimits limits,
                          firn::LimitsFromC(options, option_count));
    const absl::Span<const uint8_t> span(reinterpret_cast<const uint8_t*>(bytes.data()),
                                         bytes.size());
    FIRN_ASSIGN_OR_RETURN(firn::VerifiedBatch verified,
                          firn::VerifyProof(FromC(*start), span, checked, performed, limits));
    if (old_values != nullptr) {
      *old_values = new firn_old_values{std::move(verified.old_values)};
    }
    *digest = ToC(verified.digest);
    return absl::OkStatus();
  });
}
