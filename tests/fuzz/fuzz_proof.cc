// The verifier against hostile proofs, in two ways, chosen by the first byte:
//   even  the bytes are a proof, and the digest is the one it hashes to, so that the operations run;
//   odd   the bytes say which operations are performed and where their honest proof is altered: what is
//         accepted must be true.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "base/types.h"
#include "tree/label.h"
#include "tree/proof_format.h"
#include "tree/prover.h"
#include "tree/verifier.h"

namespace firn {
namespace {

// The label of the tree that a proof shows, read without regard for anything else.
std::optional<Label> RootLabel(ByteSpan proof, const TreeParameters& parameters) {
  ByteReader reader(proof);
  std::vector<Label> stack;
  std::optional<absl::string_view> previous;
  while (const std::optional<uint8_t> token = reader.ReadByte()) {
    if (*token == kProofEndOfTree) break;
    if (*token == kProofLabel) {
      const auto bytes = reader.ReadBytes(sizeof(Label));
      if (!bytes.has_value()) return std::nullopt;
      std::copy(bytes->begin(), bytes->end(), stack.emplace_back().begin());
      previous.reset();
    } else if (*token == kProofLeaf) {
      const auto key = previous.has_value() ? previous : reader.ReadText(parameters.key_length);
      const auto next = reader.ReadText(parameters.key_length);
      const auto length =
          parameters.value_length.has_value() ? parameters.value_length : reader.ReadBigEndian32();
      const auto value = reader.ReadText(length.value_or(0));
      if (!key || !next || !length || !value) return std::nullopt;
      stack.push_back(LeafLabel({.key = *key, .value = *value, .next = *next}));
      previous = next;
    } else {
      if (stack.size() < 2) return std::nullopt;
      const Label right = stack.back();
      stack.pop_back();
      stack.back() = InternalLabel(static_cast<int8_t>(*token), stack.back(), right);
    }
  }
  if (stack.empty()) return std::nullopt;
  return stack.back();
}

Operation ReadOperation(ByteReader& reader, const TreeParameters& parameters) {
  Operation operation;
  const uint8_t kind = reader.ReadByte().value_or(0);
  operation.kind = static_cast<OperationKind>(1 + kind % 8);
  operation.key =
      std::string(parameters.key_length, static_cast<char>(reader.ReadByte().value_or(9)));
  operation.value = std::string(parameters.value_length.value_or(kind / 8u % 12), '\0');
  operation.delta = static_cast<int8_t>(kind);
  return operation;
}

void HostileProof(ByteReader reader, const TreeParameters& parameters) {
  std::vector<Operation> operations;
  for (int i = 0; i < 4; ++i) operations.push_back(ReadOperation(reader, parameters));
  const uint8_t height = reader.ReadByte().value_or(0);
  const ByteSpan proof = reader.rest();
  const Digest start = Digest::From(RootLabel(proof, parameters).value_or(Label{}), height);
  (void)VerifyProof(start, proof, parameters, operations, {});
  (void)VerifyProof(start, proof, parameters, operations, {.max_operations = 4});
}

void AlteredProof(ByteReader reader, const TreeParameters& parameters) {
  Prover prover(parameters, EmptyTree(parameters), 0, nullptr);
  for (int i = 0; i < 24; ++i) {
    prover
        .Apply(Operation::InsertOrUpdate(
            std::string(parameters.key_length, static_cast<char>(10 * i + 5)),
            std::string(parameters.value_length.value_or(8), '\0')))
        .IgnoreError();
  }
  prover.EndBatch();
  const Digest start = prover.digest();
  std::vector<Operation> operations;
  std::vector<OldValue> old_values;
  for (int i = 0; i < 4; ++i) {
    Operation operation = ReadOperation(reader, parameters);
    absl::StatusOr<OldValue> old_value = prover.Apply(operation);
    if (!old_value.ok()) continue;
    operations.push_back(std::move(operation));
    old_values.push_back(std::move(*old_value));
  }
  const Digest end = prover.digest();
  std::vector<uint8_t> proof = prover.GenerateProof();
  const auto honest =
      VerifyProof(start, proof, parameters, operations, {.max_operations = operations.size()});
  FIRN_CHECK(honest.ok() && honest->old_values == old_values && honest->digest == end);
  while (reader.remaining() >= 3) {
    const size_t at = *reader.ReadFixed16() % proof.size();
    proof[at] = *reader.ReadByte();
  }
  const auto altered = VerifyProof(start, proof, parameters, operations, {});
  FIRN_CHECK(!altered.ok() || (altered->old_values == old_values && altered->digest == end));
}

}  // namespace
}  // namespace firn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;
  if (size == 0) return 0;
  TreeParameters parameters{.key_length = 1u + data[0] / 2 % 4};
  if (data[0] >= 128) parameters.value_length = 8;
  const ByteReader reader(ByteSpan(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    HostileProof(reader, parameters);
  } else {
    AlteredProof(reader, parameters);
  }
  return 0;
}
