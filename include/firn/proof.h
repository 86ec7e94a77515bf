// firn/proof.h: digests, operations and proofs of the authenticated AVL+ tree, and the verifier.
// Usable without any database: link firn_tree_core and base alone.
//
// The tree, its labels and its proof bytes are those of Ergo's scrypto (Reyzin, Meshkov,
// Chepurnoy, Ivanov, "Improving Authenticated Dynamic Dictionaries, with Applications to
// Cryptocurrencies", IACR ePrint 2016/994), bit for bit.
#ifndef FIRN_PROOF_H_
#define FIRN_PROOF_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace firn {

// BLAKE2b-256 of a node: 32 bytes.
using Label = std::array<uint8_t, 32>;

// What is published: the root's label and the height of the tree, 33 bytes.
struct Digest {
  std::array<uint8_t, 33> bytes{};

  static Digest From(const Label& root, uint8_t height);
  // 66 hex digits, either case. InvalidArgument otherwise.
  static absl::StatusOr<Digest> FromHex(absl::string_view hex);
  std::string ToHex() const;  // lower case
  Label label() const;
  uint8_t height() const { return bytes[32]; }
  friend bool operator==(const Digest&, const Digest&) = default;
};

// Fixed for the life of a tree; not part of the digest or of proofs, so both sides must agree.
struct TreeParameters {
  uint32_t key_length = 32;              // bytes, in [1, 255]
  std::optional<uint32_t> value_length;  // bytes, at most 16 MiB; none: values of any length
  friend bool operator==(const TreeParameters&, const TreeParameters&) = default;
};

// The digest of a tree without keys. `parameters` must be in range.
Digest EmptyTreeDigest(const TreeParameters& parameters);

// Values are stored in operation logs: never renumbered.
enum class OperationKind : uint8_t {
  kLookup = 1,
  kInsert = 2,          // fails if present
  kUpdate = 3,          // fails if absent
  kInsertOrUpdate = 4,  //
  kRemove = 5,          // fails if absent
  kRemoveIfExists = 6,  //
  kUpdateLongBy = 7,    // adds `delta` to the value's first 8 bytes (signed, big-endian)
  kUnknownModification = 8,
};
// "lookup", "insert", "update", "insertOrUpdate", "remove", "removeIfExists", "updateLongBy",
// "unknown".
absl::string_view OperationKindName(OperationKind kind);

// One operation. Legal keys have exactly key_length bytes and are neither all 00 nor all FF.
struct Operation {
  OperationKind kind = OperationKind::kLookup;
  std::string key;
  std::string value;  // kInsert, kUpdate, kInsertOrUpdate
  int64_t delta = 0;  // kUpdateLongBy

  static Operation Lookup(absl::string_view key);
  static Operation Insert(absl::string_view key, absl::string_view value);
  static Operation Update(absl::string_view key, absl::string_view value);
  static Operation InsertOrUpdate(absl::string_view key, absl::string_view value);
  static Operation Remove(absl::string_view key);
  static Operation RemoveIfExists(absl::string_view key);
  static Operation UpdateLongBy(absl::string_view key, int64_t delta);
  static Operation UnknownModification(absl::string_view key);
};

// The value under the key before an operation; none if it was absent.
using OldValue = std::optional<std::string>;

// What a verifier accepts at most. Memory is bounded by 16 times the proof's size where keys have 32
// bytes or more (honest proofs need about 5), otherwise by 200 bytes for each node that the proof shows,
// beside its values; max_operations bounds the nodes. Time is bounded by the proof's size for the
// construction and each operation.
struct VerifierLimits {
  // With it, a proof with more nodes than an honest one for so many operations is rejected.
  std::optional<uint64_t> max_operations;
  // Keys removed among them; max_operations if absent. Alone it has no effect.
  std::optional<uint64_t> max_deletions;
  size_t proof_size_max = size_t{64} << 20;  // bytes; a longer proof is rejected unread
};

// The result of verifying a batch.
struct VerifiedBatch {
  std::vector<OldValue> old_values;  // one an operation
  Digest digest;                     // after all of them
};

// Checks that `operations`, in this order, applied to the tree with digest `start`, give the
// returned values and digest. `start` must be trusted; everything else may be hostile.
// InvalidArgument/kInvalidProof says what is wrong and where in the proof.
// Not an identity: bytes after the last direction, or nodes shown in excess, are accepted.
absl::StatusOr<VerifiedBatch> VerifyProof(const Digest& start, absl::Span<const uint8_t> proof,
                                          const TreeParameters& parameters,
                                          absl::Span<const Operation> operations,
                                          const VerifierLimits& limits);

}  // namespace firn

#endif  // FIRN_PROOF_H_
