#include "tree/verifier.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "tree/label.h"
#include "tree/proof_format.h"

namespace firn {
namespace {

absl::Status Rejected(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidProof,
                   absl::StrCat("proof rejected: ", message));
}

absl::Status RejectedAt(size_t offset, absl::string_view message) {
  return Rejected(absl::StrCat("offset ", offset, ": ", message));
}

// Reads the tokens. Labels are computed on the way: the children of each internal token are complete.
class TokenReader {
 public:
  TokenReader(ByteSpan proof, const TreeParameters& parameters, Epoch epoch,
              std::optional<uint64_t> nodes_max)
      : reader_(proof), parameters_(parameters), epoch_(epoch), nodes_max_(nodes_max) {}

  // Up to and with the end marker.
  absl::StatusOr<ChildRef> ReadTree() {
    uint64_t nodes = 0;
    while (true) {
      token_offset_ = reader_.position();
      const std::optional<uint8_t> token = reader_.ReadByte();
      if (!token.has_value()) return Cut("the end-of-tree marker is missing");
      if (*token == kProofEndOfTree) break;
      ++nodes;
      if (nodes_max_.has_value() && nodes > *nodes_max_) {
        return RejectedAt(token_offset_,
                          absl::StrCat("more than ", *nodes_max_,
                                       " nodes, the most that so many operations can visit"));
      }
      FIRN_RETURN_IF_ERROR(ReadToken(*token));
    }
    if (stack_.size() != 1) {
      return RejectedAt(token_offset_,
                        absl::StrCat("the tokens make ", stack_.size(), " trees, not one"));
    }
    return std::move(stack_.front());
  }

  size_t position() const { return reader_.position(); }

 private:
  absl::Status Cut(absl::string_view what) const {
    return RejectedAt(token_offset_, absl::StrCat(what, "; the proof ends at offset ",
                                                  reader_.position() + reader_.remaining()));
  }

  absl::Status ReadToken(uint8_t token) {
    if (token == kProofLabel) return ReadLabel();
    if (token == kProofLeaf) return ReadLeaf();
    if (stack_.size() < 2) {
      return RejectedAt(token_offset_, "an internal node without two children before it");
    }
    ChildRef right = std::move(stack_.back());
    stack_.pop_back();
    ChildRef left = std::move(stack_.back());
    stack_.pop_back();
    const auto balance = static_cast<int8_t>(token);
    const Label label = InternalLabel(balance, left.label(), right.label());
    stack_.push_back(ChildRef(
        Node::NewInternal("", balance, std::move(left), std::move(right), epoch_), label, 0));
    return absl::OkStatus();
  }

  absl::Status ReadLabel() {
    Label label;
    const std::optional<ByteSpan> bytes = reader_.ReadBytes(label.size());
    if (!bytes.has_value()) return Cut("a label is cut off");
    std::copy(bytes->begin(), bytes->end(), label.begin());
    stack_.push_back(ChildRef(label, 0));
    next_key_ = absl::string_view();
    return absl::OkStatus();
  }

  absl::Status ReadLeaf() {
    LeafFields leaf;
    if (!next_key_.empty()) {
      leaf.key = next_key_;
    } else {
      const std::optional<absl::string_view> key = reader_.ReadText(parameters_.key_length);
      if (!key.has_value()) return Cut("a leaf's key is cut off");
      leaf.key = *key;
    }
    const std::optional<absl::string_view> next = reader_.ReadText(parameters_.key_length);
    if (!next.has_value()) return Cut("the next leaf's key is cut off");
    leaf.next = *next;
    size_t value_size = 0;
    if (parameters_.value_length.has_value()) {
      value_size = *parameters_.value_length;
    } else {
      const std::optional<uint32_t> length = reader_.ReadBigEndian32();
      if (!length.has_value()) return Cut("a value's length is cut off");
      value_size = *length;
    }
    const std::optional<absl::string_view> value = reader_.ReadText(value_size);
    if (!value.has_value())
      return Cut(absl::StrCat("a value of ", value_size, " bytes is cut off"));
    leaf.value = *value;
    stack_.push_back(ChildRef(Node::NewLeaf(leaf, epoch_), LeafLabel(leaf), 0));
    next_key_ = leaf.next;
    return absl::OkStatus();
  }

  ByteReader reader_;
  const TreeParameters& parameters_;
  const Epoch epoch_;
  const std::optional<uint64_t> nodes_max_;
  size_t token_offset_ = 0;
  std::vector<ChildRef> stack_;
  absl::string_view next_key_;  // of the previous leaf; empty after a label and at the start
};

}  // namespace

std::optional<uint64_t> ProofNodesMax(uint8_t height, const VerifierLimits& limits) {
  if (!limits.max_operations.has_value()) return std::nullopt;
  using Wide = unsigned __int128;  // the terms stay below 2^75
  const uint64_t operations = *limits.max_operations;
  const uint64_t deletions = limits.max_deletions.value_or(operations);
  // The smallest L with 2^L >= operations.
  const unsigned log =
      operations <= 1 ? 0 : 64 - static_cast<unsigned>(__builtin_clzll(operations - 1));
  const unsigned taller = 1 + std::max(unsigned{height}, log);
  const unsigned height_after = taller + taller / 2;
  const Wide nodes = (Wide{operations} + deletions) * (2 * unsigned{height} + 1) +
                     Wide{deletions} * height_after + 1;
  return nodes > UINT64_MAX ? UINT64_MAX : static_cast<uint64_t>(nodes);
}

// The verifier's half of an operation: the proof chooses directions, and leaves must fit the key.
class Verifier::Side final : public AvlSide {
 public:
  explicit Side(Verifier& verifier) : verifier_(verifier), first_bit_(verifier.bits_used_) {}

  absl::StatusOr<const Node*> Load(const ChildRef& child) override {
    if (!child.resolved()) return Broken("a node that it needs is not shown, only its label");
    return child.node().get();
  }

  absl::StatusOr<bool> GoLeft(const Node& /*node*/, absl::string_view /*key*/) override {
    const size_t index = verifier_.bits_used_;
    const size_t offset = verifier_.directions_offset_ + index / 8;
    if (offset >= verifier_.proof_.size()) return Broken("the directions have come to an end");
    const bool left = IsLeft(index);
    if (!left) verifier_.last_right_ = index;
    ++verifier_.bits_used_;
    return left;
  }

  absl::StatusOr<bool> IsPresent(const Node& leaf, absl::string_view key) override {
    if (key == leaf.key()) return true;
    if (leaf.key() < key && key < leaf.next()) return false;
    return Broken("the directions lead to a leaf that does not surround the key");
  }

  int Replay(size_t depth) override {
    const size_t index = first_bit_ + depth;
    if (index == verifier_.last_right_) return 0;
    return index > verifier_.last_right_ || IsLeft(index) ? -1 : 1;
  }

  void Visit(const ChildRef& /*child*/, const Node& /*node*/) override {}

  absl::Status Broken(absl::string_view what) override {
    return RejectedAt(verifier_.directions_offset_ + verifier_.bits_used_ / 8,
                      absl::StrCat("operation ", verifier_.operations_, ", direction bit ",
                                   verifier_.bits_used_, ": ", what));
  }

 private:
  bool IsLeft(size_t index) const {
    return (verifier_.proof_[verifier_.directions_offset_ + index / 8] >> (index % 8) & 1) != 0;
  }

  Verifier& verifier_;
  const size_t first_bit_;
};

Verifier::Verifier(const TreeParameters& parameters, AvlTree tree, Epoch epoch, ByteSpan proof,
                   size_t directions_offset)
    : parameters_(parameters),
      tree_(std::move(tree)),
      epoch_(epoch),
      proof_(proof),
      directions_offset_(directions_offset) {}

absl::StatusOr<Verifier> Verifier::Create(const Digest& start, ByteSpan proof,
                                          const TreeParameters& parameters,
                                          const VerifierLimits& limits) {
  FIRN_RETURN_IF_ERROR(CheckTreeParameters(parameters));
  if (proof.size() > limits.proof_size_max) {
    return Rejected(
        absl::StrCat(proof.size(), " bytes, at most ", limits.proof_size_max, " are accepted"));
  }
  const Epoch epoch = NextEpoch();
  TokenReader reader(proof, parameters, epoch, ProofNodesMax(start.height(), limits));
  FIRN_ASSIGN_OR_RETURN(ChildRef root, reader.ReadTree());
  if (root.label() != start.label()) {
    return Rejected("the tree that it shows does not hash to the starting digest");
  }
  return Verifier(parameters, AvlTree{.root = std::move(root), .height = start.height()}, epoch,
                  proof, reader.position());
}

absl::StatusOr<OldValue> Verifier::Perform(const Operation& operation) {
  FIRN_RETURN_IF_ERROR(dead_);
  Side side(*this);
  absl::StatusOr<AvlResult> result =
      algorithm_.Perform(operation, parameters_, {.epoch = epoch_, .birth = 0}, side, tree_);
  if (!result.ok()) {
    dead_ =
        ReasonOf(result.status()) == ErrorReason::kInvalidProof
            ? std::move(result).status()
            : Rejected(absl::StrCat("operation ", operations_, ": ", result.status().message()));
  } else if (tree_.height < 0 || tree_.height > kTreeHeightMax) {
    dead_ = Rejected(absl::StrCat("operation ", operations_, ": the height becomes ", tree_.height,
                                  ", which no digest can hold"));
  }
  if (!dead_.ok()) {
    tree_.root = ChildRef();  // half altered, perhaps
    return dead_;
  }
  ++operations_;
  return std::move(result->old_value);
}

absl::StatusOr<Digest> Verifier::digest() {
  FIRN_RETURN_IF_ERROR(dead_);
  CompleteLabels(tree_.root);
  return Digest::From(tree_.root.label(), static_cast<uint8_t>(tree_.height));
}

absl::StatusOr<VerifiedBatch> VerifyProof(const Digest& start, absl::Span<const uint8_t> proof,
                                          const TreeParameters& parameters,
                                          absl::Span<const Operation> operations,
                                          const VerifierLimits& limits) {
  FIRN_ASSIGN_OR_RETURN(Verifier verifier, Verifier::Create(start, proof, parameters, limits));
  VerifiedBatch batch;
  batch.old_values.reserve(operations.size());
  for (const Operation& operation : operations) {
    FIRN_ASSIGN_OR_RETURN(OldValue old_value, verifier.Perform(operation));
    batch.old_values.push_back(std::move(old_value));
  }
  FIRN_ASSIGN_OR_RETURN(batch.digest, verifier.digest());
  return batch;
}

}  // namespace firn
