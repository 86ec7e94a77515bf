#include "tree/operation.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "tree/label.h"

namespace firn {
namespace {

// Bytes of a value that UpdateLongBy reads as a number.
constexpr size_t kNumberSize = 8;

Operation MakeOperation(OperationKind kind, absl::string_view key, absl::string_view value,
                        int64_t delta) {
  Operation operation;
  operation.kind = kind;
  operation.key.assign(key.data(), key.size());
  operation.value.assign(value.data(), value.size());
  operation.delta = delta;
  return operation;
}

absl::Status KeyNotFound(const Operation& operation) {
  return MakeError(absl::StatusCode::kNotFound, ErrorReason::kKeyNotFound,
                   absl::StrCat(OperationKindName(operation.kind),
                                ": key not in the tree: ", absl::BytesToHexString(operation.key)));
}

absl::StatusOr<Evaluation> StoreValue(absl::string_view value, const TreeParameters& parameters) {
  FIRN_RETURN_IF_ERROR(CheckValue(value, parameters));
  return Evaluation{.effect = Effect::kStore, .value = value};
}

absl::StatusOr<Evaluation> EvaluateAddition(const Operation& operation,
                                            std::optional<absl::string_view> old,
                                            const TreeParameters& parameters, std::string& buffer) {
  if (operation.delta == 0) {
    return old.has_value() ? StoreValue(*old, parameters) : Evaluation{};
  }
  int64_t sum = operation.delta;
  if (old.has_value()) {
    if (old->size() < kNumberSize) {
      return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kIllegalValue,
                       absl::StrCat("updateLongBy: the value has ", old->size(),
                                    " bytes, a number needs ", kNumberSize));
    }
    const auto number = static_cast<int64_t>(LoadBigEndian64(AsBytes(*old)));
    if (__builtin_add_overflow(number, operation.delta, &sum) || sum < 0) {
      return MakeError(
          absl::StatusCode::kOutOfRange, ErrorReason::kOverflow,
          absl::StrCat("updateLongBy: ", number, " + ", operation.delta, " is not in [0, 2^63)"));
    }
    if (sum == 0) return Evaluation{.effect = Effect::kRemove};
  } else if (operation.delta < 0) {
    return KeyNotFound(operation);
  }
  buffer.clear();
  PutBigEndian64(buffer, static_cast<uint64_t>(sum));
  return StoreValue(buffer, parameters);
}

}  // namespace

absl::string_view OperationKindName(OperationKind kind) {
  switch (kind) {
    case OperationKind::kLookup:
      return "lookup";
    case OperationKind::kInsert:
      return "insert";
    case OperationKind::kUpdate:
      return "update";
    case OperationKind::kInsertOrUpdate:
      return "insertOrUpdate";
    case OperationKind::kRemove:
      return "remove";
    case OperationKind::kRemoveIfExists:
      return "removeIfExists";
    case OperationKind::kUpdateLongBy:
      return "updateLongBy";
    case OperationKind::kUnknownModification:
      return "unknown";
  }
  return "invalid";
}

Operation Operation::Lookup(absl::string_view key) {
  return MakeOperation(OperationKind::kLookup, key, "", 0);
}
Operation Operation::Insert(absl::string_view key, absl::string_view value) {
  return MakeOperation(OperationKind::kInsert, key, value, 0);
}
Operation Operation::Update(absl::string_view key, absl::string_view value) {
  return MakeOperation(OperationKind::kUpdate, key, value, 0);
}
Operation Operation::InsertOrUpdate(absl::string_view key, absl::string_view value) {
  return MakeOperation(OperationKind::kInsertOrUpdate, key, value, 0);
}
Operation Operation::Remove(absl::string_view key) {
  return MakeOperation(OperationKind::kRemove, key, "", 0);
}
Operation Operation::RemoveIfExists(absl::string_view key) {
  return MakeOperation(OperationKind::kRemoveIfExists, key, "", 0);
}
Operation Operation::UpdateLongBy(absl::string_view key, int64_t delta) {
  return MakeOperation(OperationKind::kUpdateLongBy, key, "", delta);
}
Operation Operation::UnknownModification(absl::string_view key) {
  return MakeOperation(OperationKind::kUnknownModification, key, "", 0);
}

Digest Digest::From(const Label& root, uint8_t height) {
  Digest digest;
  std::copy(root.begin(), root.end(), digest.bytes.begin());
  digest.bytes[32] = height;
  return digest;
}

absl::StatusOr<Digest> Digest::FromHex(absl::string_view hex) {
  Digest digest;
  const bool is_hex = std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (hex.size() != 2 * digest.bytes.size() || !is_hex) {
    return InvalidArgument(absl::StrCat("a digest is ", 2 * digest.bytes.size(),
                                        " hex digits; found ", hex.size(), " characters",
                                        is_hex ? "" : ", not all of them hex digits"));
  }
  const std::string bytes = absl::HexStringToBytes(hex);
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

std::string Digest::ToHex() const { return absl::BytesToHexString(AsText(ByteSpan(bytes))); }

Label Digest::label() const {
  Label label;
  std::copy_n(bytes.begin(), label.size(), label.begin());
  return label;
}

Digest EmptyTreeDigest(const TreeParameters& parameters) {
  const SentinelLeaf leaf = MakeSentinelLeaf(parameters);
  return Digest::From(LeafLabel({.key = leaf.key, .value = leaf.value, .next = leaf.next}), 0);
}

absl::StatusOr<Evaluation> Evaluate(const Operation& operation,
                                    std::optional<absl::string_view> old,
                                    const TreeParameters& parameters, std::string& buffer) {
  switch (operation.kind) {
    case OperationKind::kLookup:
      return Evaluation{};
    case OperationKind::kInsert:
      if (old.has_value()) {
        return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kKeyExists,
                         absl::StrCat("insert: key is in the tree already: ",
                                      absl::BytesToHexString(operation.key)));
      }
      return StoreValue(operation.value, parameters);
    case OperationKind::kUpdate:
      if (!old.has_value()) return KeyNotFound(operation);
      return StoreValue(operation.value, parameters);
    case OperationKind::kInsertOrUpdate:
      return StoreValue(operation.value, parameters);
    case OperationKind::kRemove:
      if (!old.has_value()) return KeyNotFound(operation);
      return Evaluation{.effect = Effect::kRemove};
    case OperationKind::kRemoveIfExists:
      if (!old.has_value()) return Evaluation{};
      return Evaluation{.effect = Effect::kRemove};
    case OperationKind::kUpdateLongBy:
      return EvaluateAddition(operation, old, parameters, buffer);
    case OperationKind::kUnknownModification:
      return old.has_value() ? StoreValue(*old, parameters) : Evaluation{};
  }
  return InvalidArgument(
      absl::StrCat("no such operation kind: ", static_cast<unsigned>(operation.kind)));
}

}  // namespace firn
