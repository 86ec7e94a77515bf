#include "tools/vectors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/blake2b.h"
#include "base/coding.h"
#include "base/status.h"
#include "tools/gzip_lines.h"
#include "tree/label.h"
#include "tree/packed_node.h"
#include "tree/verifier.h"

namespace firn {
namespace {

using Json = nlohmann::json;

// What the JSON library throws when a field is absent or of another type is turned into a Status in
// one place, ReplayLine().
std::string Text(const Json& object, const char* field) {
  return object.at(field).get<std::string>();
}
std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }
std::string Hex(ByteSpan bytes) { return Hex(AsText(bytes)); }
std::string Bytes(const Json& object, const char* field) {
  return absl::HexStringToBytes(Text(object, field));
}

// Numbers beyond 2^53 are strings.
std::optional<uint64_t> OptionalNumber(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return found->get<uint64_t>();
  uint64_t number = 0;
  if (!absl::SimpleAtoi(found->get<std::string>(), &number)) return std::nullopt;
  return number;
}

TreeParameters ParseParameters(const Json& object) {
  TreeParameters parameters{.key_length = object.at("key_length").get<uint32_t>()};
  if (const auto length = OptionalNumber(object, "value_length"); length.has_value()) {
    parameters.value_length = static_cast<uint32_t>(*length);
  }
  return parameters;
}

absl::Status Differs(absl::string_view what, absl::string_view expected, absl::string_view found) {
  if (expected == found) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(what, ": expected ", expected.substr(0, 400), ", found ", found.substr(0, 400)));
}

absl::StatusOr<Operation> MakeOperation(absl::string_view name, absl::string_view key) {
  for (uint8_t kind = 1; kind <= static_cast<uint8_t>(OperationKind::kUnknownModification);
       ++kind) {
    if (OperationKindName(static_cast<OperationKind>(kind)) != name) continue;
    Operation operation;
    operation.kind = static_cast<OperationKind>(kind);
    operation.key.assign(key.data(), key.size());
    return operation;
  }
  return InvalidArgument(absl::StrCat("unknown operation: ", name));
}

absl::StatusOr<Operation> ParseOperation(const Json& object) {
  FIRN_ASSIGN_OR_RETURN(Operation operation,
                        MakeOperation(Text(object, "op"), Bytes(object, "key")));
  if (object.contains("val")) operation.value = Bytes(object, "val");
  if (object.contains("delta") && !absl::SimpleAtoi(Text(object, "delta"), &operation.delta)) {
    return InvalidArgument("delta is not a 64-bit number");
  }
  return operation;
}

// An old value as the vectors write it.
std::string Result(const OldValue& old_value) {
  return old_value.has_value() ? absl::StrCat("\"", Hex(*old_value), "\"") : "null";
}

std::vector<std::string> SortedHex(const std::vector<Label>& labels) {
  std::vector<std::string> sorted;
  for (const Label& label : labels) sorted.push_back(Hex(ByteSpan(label)));
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

class Replay {
 public:
  Replay(const VectorOptions& options, const VectorProgress& progress)
      : options_(options), progress_(progress) {}

  // Counts the line; an error means that the file is not one of vectors.
  absl::Status Line(absl::string_view place, const std::string& line) {
    absl::Status status = ReplayLine(line);
    if (ReasonOf(status) == ErrorReason::kSerialization) return Annotate(status, place);
    if (status.ok()) {
      ++counts_.passed;
    } else {
      Fail(absl::StrCat(place, ": ", status.message()));
    }
    return absl::OkStatus();
  }

  VectorCounts Finish(absl::string_view place) && {
    if (const absl::Status status = FinishNodes(); !status.ok()) {
      Fail(absl::StrCat(place, ": ", status.message()));
    }
    return std::move(counts_);
  }

 private:
  void Fail(std::string message) {
    ++counts_.failed;
    if (counts_.failures.size() < options_.failures_max) {
      counts_.failures.push_back(std::move(message));
    }
  }

  void CountOperation() {
    if (++counts_.operations % 1000 == 0 && progress_) progress_(counts_);
  }

  absl::Status ReplayLine(const std::string& line) {
    try {
      const Json object = Json::parse(line);
      const std::string type = Text(object, "type");
      if (type != "node") FIRN_RETURN_IF_ERROR(FinishNodes());
      if (type == "case") return Case(object);
      if (type == "bound") return Bound(object);
      if (type == "verify") return Verify(object);
      if (type == "scale") return Scale(object);
      if (tree_ == nullptr) return Serialization("a case must come first");
      if (type == "batch") return Batch(object);
      if (type == "rollback") return Rollback(object);
      if (type == "node") return Node(object);
      return Serialization(absl::StrCat("unknown type of vector: ", type));
    } catch (const Json::exception& error) {
      return Serialization(error.what());
    }
  }

  static absl::Status Serialization(absl::string_view what) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kSerialization, what);
  }

  absl::Status MakeTree(const TreeParameters& parameters) {
    FIRN_RETURN_IF_ERROR(CheckTreeParameters(parameters));
    parameters_ = parameters;
    if (!options_.make_tree) {
      tree_ = NewMemoryVectorTree(parameters);
      return absl::OkStatus();
    }
    tree_.reset();  // a store may be open only once
    FIRN_ASSIGN_OR_RETURN(tree_, options_.make_tree(parameters));
    return absl::OkStatus();
  }

  absl::Status CheckDigest(absl::string_view what, const std::string& expected) {
    FIRN_ASSIGN_OR_RETURN(const Digest digest, tree_->digest());
    return Differs(what, expected, digest.ToHex());
  }

  absl::Status Case(const Json& object) {
    FIRN_RETURN_IF_ERROR(MakeTree(ParseParameters(object)));
    FIRN_RETURN_IF_ERROR(Differs("digest of the empty tree", Text(object, "digest"),
                                 EmptyTreeDigest(parameters_).ToHex()));
    return CheckDigest("digest", Text(object, "digest"));
  }

  absl::Status Batch(const Json& object) {
    FIRN_RETURN_IF_ERROR(CheckDigest("start", Text(object, "start")));
    std::vector<Operation> successful;
    std::vector<const Json*> expected;
    for (const Json& described : object.at("ops")) {
      FIRN_ASSIGN_OR_RETURN(Operation operation, ParseOperation(described));
      const absl::StatusOr<OldValue> old_value = tree_->Apply(operation);
      CountOperation();
      const std::string name =
          absl::StrCat("operation ", Text(described, "op"), " ", Text(described, "key"));
      const Json& result = described.at("res");
      const std::string wanted = result.contains("ok") ? result.at("ok").dump() : "failure";
      FIRN_RETURN_IF_ERROR(Differs(name, wanted, old_value.ok() ? Result(*old_value) : "failure"));
      FIRN_RETURN_IF_ERROR(
          CheckDigest(absl::StrCat("digest after ", name), Text(described, "dig")));
      if (!old_value.ok()) continue;
      successful.push_back(std::move(operation));
      expected.push_back(&described);
    }
    FIRN_RETURN_IF_ERROR(CheckDifference(object));
    FIRN_ASSIGN_OR_RETURN(const std::vector<uint8_t> proof, tree_->EndBatch());
    FIRN_RETURN_IF_ERROR(Differs("proof", Text(object, "proof"), Hex(proof)));
    FIRN_RETURN_IF_ERROR(CheckDigest("end", Text(object, "end")));
    if (options_.check_invariants) {
      FIRN_ASSIGN_OR_RETURN(const VectorTree::Nodes nodes, tree_->nodes());
      FIRN_RETURN_IF_ERROR(CheckInvariants(nodes.tree, parameters_, nodes.resolver));
    }
    VerifierLimits limits;
    FIRN_RETURN_IF_ERROR(VerifyBatch(object, proof, successful, expected, limits));
    limits.max_operations = OptionalNumber(object, "n_ok");
    limits.max_deletions = OptionalNumber(object, "n_del");
    return VerifyBatch(object, proof, successful, expected, limits);
  }

  absl::Status VerifyBatch(const Json& object, ByteSpan proof,
                           const std::vector<Operation>& operations,
                           const std::vector<const Json*>& expected,
                           const VerifierLimits& limits) const {
    FIRN_ASSIGN_OR_RETURN(const Digest start, Digest::FromHex(Text(object, "start")));
    FIRN_ASSIGN_OR_RETURN(Verifier verifier, Verifier::Create(start, proof, parameters_, limits));
    for (size_t i = 0; i < operations.size(); ++i) {
      FIRN_ASSIGN_OR_RETURN(const OldValue old_value, verifier.Perform(operations[i]));
      FIRN_RETURN_IF_ERROR(Differs(absl::StrCat("verified result of operation ", i),
                                   expected[i]->at("res").at("ok").dump(), Result(old_value)));
      FIRN_ASSIGN_OR_RETURN(const Digest digest, verifier.digest());
      FIRN_RETURN_IF_ERROR(Differs(absl::StrCat("verified digest after operation ", i),
                                   Text(*expected[i], "dig"), digest.ToHex()));
    }
    FIRN_ASSIGN_OR_RETURN(const Digest end, verifier.digest());
    return Differs("verified end", Text(object, "end"), end.ToHex());
  }

  absl::Status CheckDifference(const Json& object) {
    if (!object.contains("gone")) return absl::OkStatus();
    FIRN_ASSIGN_OR_RETURN(const VectorTree::Difference difference, tree_->BatchDifference());
    const Json gone = SortedHex(difference.gone);
    const Json added = SortedHex(difference.added);
    FIRN_RETURN_IF_ERROR(Differs("labels gone", object.at("gone").dump(), gone.dump()));
    return Differs("labels added", object.at("added").dump(), added.dump());
  }

  absl::Status Rollback(const Json& object) {
    FIRN_RETURN_IF_ERROR(tree_->Rollback(static_cast<size_t>(object.at("to").get<int64_t>() + 1)));
    return CheckDigest("digest after the rollback", Text(object, "digest"));
  }

  absl::Status Node(const Json& object) {
    if (!nodes_.has_value()) {
      FIRN_ASSIGN_OR_RETURN(nodes_, tree_->nodes());
      pending_ = {{nodes_->tree.root, 0}};
    }
    if (pending_.empty()) return absl::InternalError("the tree has no such node");
    const auto [child, depth] = pending_.back();
    pending_.pop_back();
    FIRN_ASSIGN_OR_RETURN(const NodePtr node, LoadNode(child, nodes_->resolver));
    if (!node->is_leaf()) {
      pending_.push_back({node->right(), depth + 1});
      pending_.push_back({node->left(), depth + 1});
    }
    FIRN_RETURN_IF_ERROR(Differs("depth", object.at("depth").dump(), absl::StrCat(depth)));
    FIRN_RETURN_IF_ERROR(Differs("label", Text(object, "label"), Hex(ByteSpan(child.label()))));
    FIRN_RETURN_IF_ERROR(
        Differs("computed label", Text(object, "label"), Hex(ByteSpan(ComputeLabel(*node)))));
    FIRN_RETURN_IF_ERROR(Differs("key", Text(object, "key"), Hex(node->key())));
    FIRN_RETURN_IF_ERROR(
        Differs("kind", Text(object, "kind"), node->is_leaf() ? "leaf" : "internal"));
    if (node->is_leaf()) {
      FIRN_RETURN_IF_ERROR(Differs("value", Text(object, "val"), Hex(node->value())));
      FIRN_RETURN_IF_ERROR(Differs("next", Text(object, "next"), Hex(node->next())));
    } else {
      FIRN_RETURN_IF_ERROR(
          Differs("balance", object.at("balance").dump(), absl::StrCat(int{node->balance()})));
      FIRN_RETURN_IF_ERROR(
          Differs("left", Text(object, "left"), Hex(ByteSpan(node->left().label()))));
      FIRN_RETURN_IF_ERROR(
          Differs("right", Text(object, "right"), Hex(ByteSpan(node->right().label()))));
    }
    const std::vector<uint8_t> packed = PackNode(*node, parameters_);
    FIRN_RETURN_IF_ERROR(Differs("packed", Text(object, "packed"), Hex(packed)));
    FIRN_ASSIGN_OR_RETURN(const UnpackedNode unpacked, UnpackNode(packed, parameters_));
    return Differs("packed again", Text(object, "packed"),
                   Hex(PackNode(*unpacked.node, parameters_)));
  }

  // All nodes must have been listed.
  absl::Status FinishNodes() {
    const bool complete = pending_.empty();
    nodes_.reset();
    pending_.clear();
    return complete ? absl::OkStatus()
                    : absl::InternalError("the tree has more nodes than were listed before");
  }

  static absl::Status Bound(const Json& object) {
    const VerifierLimits limits{.max_operations = OptionalNumber(object, "max_ops"),
                                .max_deletions = OptionalNumber(object, "max_del")};
    const auto height = object.at("height").get<uint8_t>();
    return Differs("greatest number of nodes",
                   absl::StrCat(OptionalNumber(object, "max_nodes").value_or(0)),
                   absl::StrCat(ProofNodesMax(height, limits).value_or(0)));
  }

  static absl::Status Verify(const Json& object) {
    const Json& outcome = object.at("outcome");
    const bool accept = outcome.at("accept").get<bool>();
    const bool at_construction = !accept && Text(outcome, "stage") == "construct";
    const std::string proof = Bytes(object, "proof");
    const VerifierLimits limits{.max_operations = OptionalNumber(object, "max_ops"),
                                .max_deletions = OptionalNumber(object, "max_del")};
    // A digest of another size than 33 bytes does not get as far as the verifier.
    const absl::StatusOr<Digest> start = Digest::FromHex(Text(object, "start"));
    if (!start.ok() && at_construction) return absl::OkStatus();
    FIRN_RETURN_IF_ERROR(start.status());
    absl::StatusOr<Verifier> verifier =
        Verifier::Create(*start, AsBytes(proof), ParseParameters(object), limits);
    FIRN_RETURN_IF_ERROR(Differs("construction", at_construction ? "rejected" : "accepted",
                                 verifier.ok() ? "accepted" : "rejected"));
    if (at_construction) return absl::OkStatus();
    const size_t rejected_at = accept ? object.at("ops").size() : outcome.at("op").get<size_t>();
    for (size_t i = 0; i < object.at("ops").size(); ++i) {
      FIRN_ASSIGN_OR_RETURN(const Operation operation, ParseOperation(object.at("ops").at(i)));
      const absl::StatusOr<OldValue> old_value = verifier->Perform(operation);
      if (i >= rejected_at) {  // once dead, it stays dead
        const bool rejected = !old_value.ok() && !verifier->digest().ok() &&
                              ReasonOf(old_value.status()) == ErrorReason::kInvalidProof;
        FIRN_RETURN_IF_ERROR(
            Differs(absl::StrCat("operation ", i), "rejected", rejected ? "rejected" : "accepted"));
        continue;
      }
      FIRN_RETURN_IF_ERROR(Annotate(old_value.status(), absl::StrCat("operation ", i)));
      FIRN_RETURN_IF_ERROR(Differs(absl::StrCat("result of operation ", i),
                                   outcome.at("res").at(i).at("ok").dump(), Result(*old_value)));
      FIRN_ASSIGN_OR_RETURN(const Digest digest, verifier->digest());
      FIRN_RETURN_IF_ERROR(Differs(absl::StrCat("digest after operation ", i),
                                   outcome.at("dig").at(i).get<std::string>(), digest.ToHex()));
    }
    if (!accept) return absl::OkStatus();
    FIRN_ASSIGN_OR_RETURN(const Digest end, verifier->digest());
    return Differs("end", Text(outcome, "end"), end.ToHex());
  }

  absl::Status Scale(const Json& object) {
    FIRN_RETURN_IF_ERROR(MakeTree(ParseParameters(object)));
    const std::string seed = Bytes(object, "seed");
    for (const Json& step : object.at("steps")) FIRN_RETURN_IF_ERROR(ScaleStep(step, seed));
    return absl::OkStatus();
  }

  absl::Status ScaleStep(const Json& step, const std::string& seed) {
    const auto limit = step.at("to").get<uint64_t>();
    const auto stride = step.at("stride").get<uint64_t>();
    const auto batch = step.at("batch").get<uint64_t>();
    const auto revision = step.at("rev").get<uint64_t>();
    Blake2b256 proofs_hash;
    uint64_t proof_bytes = 0;
    std::vector<Operation> operations;
    const auto end_batch = [&]() -> absl::Status {
      FIRN_ASSIGN_OR_RETURN(const std::vector<uint8_t> proof, tree_->EndBatch());
      proofs_hash.Update(proof);
      proof_bytes += proof.size();
      FIRN_ASSIGN_OR_RETURN(const Digest end, tree_->digest());
      const VerifierLimits limits{.max_operations = operations.size()};
      FIRN_ASSIGN_OR_RETURN(const VerifiedBatch verified,
                            VerifyProof(scale_start_, proof, parameters_, operations, limits));
      operations.clear();
      return Differs("verified digest", end.ToHex(), verified.digest.ToHex());
    };
    for (uint64_t i = step.at("from").get<uint64_t>(); i < limit; i += stride) {
      if (operations.empty()) {
        FIRN_ASSIGN_OR_RETURN(scale_start_, tree_->digest());
      }
      FIRN_ASSIGN_OR_RETURN(Operation operation,
                            MakeOperation(Text(step, "op"), ScaleKey(seed, i)));
      operation.value = ScaleValue(seed, i, revision);
      FIRN_RETURN_IF_ERROR(tree_->Apply(operation).status());
      CountOperation();
      operations.push_back(std::move(operation));
      if (operations.size() == batch) FIRN_RETURN_IF_ERROR(end_batch());
    }
    if (!operations.empty()) FIRN_RETURN_IF_ERROR(end_batch());
    FIRN_RETURN_IF_ERROR(
        Differs("sum of proof lengths", step.at("proof_bytes").dump(), absl::StrCat(proof_bytes)));
    FIRN_RETURN_IF_ERROR(
        Differs("hash of the proofs", Text(step, "proofs_hash"), Hex(proofs_hash.Finish())));
    return CheckDigest("digest after a step", Text(step, "digest"));
  }

  static std::string HashOf(const std::string& message) {
    const Blake2b256Hash hash = HashBlake2b256(AsBytes(message));
    return std::string(hash.begin(), hash.end());
  }
  std::string ScaleKey(const std::string& seed, uint64_t index) const {
    std::string key;
    for (const char part : {'\x00', '\x01'}) {
      std::string message = seed + part;
      PutBigEndian64(message, index);
      key += HashOf(message);
    }
    key.resize(parameters_.key_length);
    return key;
  }
  std::string ScaleValue(const std::string& seed, uint64_t index, uint64_t revision) const {
    std::string message = seed + '\x02';
    PutBigEndian64(message, index);
    PutBigEndian64(message, revision);
    std::string value = HashOf(message);
    value.resize(parameters_.value_length.value_or(static_cast<uint32_t>(index % 33)));
    return value;
  }

  const VectorOptions& options_;
  const VectorProgress& progress_;
  VectorCounts counts_;
  TreeParameters parameters_;
  std::unique_ptr<VectorTree> tree_;
  std::optional<VectorTree::Nodes> nodes_;         // while node lines are read
  std::vector<std::pair<ChildRef, int>> pending_;  // nodes still to come, with their depth
  Digest scale_start_;                             // of the present batch
};

}  // namespace

absl::StatusOr<VectorCounts> ReplayVectors(const std::string& path, const VectorOptions& options,
                                           const VectorProgress& progress) {
  FIRN_ASSIGN_OR_RETURN(GzipLines lines, GzipLines::Open(path));
  Replay replay(options, progress);
  std::string line;
  while (true) {
    FIRN_ASSIGN_OR_RETURN(const bool found, lines.Next(line));
    if (!found) break;
    if (line.empty()) continue;
    FIRN_RETURN_IF_ERROR(replay.Line(absl::StrCat(path, ":", lines.line_number()), line));
  }
  return std::move(replay).Finish(absl::StrCat(path, ":", lines.line_number()));
}

}  // namespace firn
