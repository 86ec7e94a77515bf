#include "tree/checkpoint_writer.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "tree/checkpoint.h"

namespace firn {
namespace {

// What a batch adds to an entry: kind, keyspace, two lengths, and something to spare.
constexpr size_t kEntryFraming = 24;

// The node with references in place of its children.
NodePtr WithoutChildren(const NodePtr& node, ChildBirths births) {
  if (node->is_leaf()) return node;
  return Node::NewInternal(node->key(), node->balance(),
                           ChildRef(node->left().label(), births.left),
                           ChildRef(node->right().label(), births.right));
}

}  // namespace

CheckpointWay WayFor(const InstanceLedger& ledger) {
  // A record is shorter than the node in memory.
  const uint64_t nodes =
      ledger.dirty_bytes() + ledger.dirty_nodes() * (kInstanceKeySize + kEntryFraming);
  const uint64_t deaths = ledger.deaths().size() * (kDeathKeySize + kEntryFraming);
  return nodes + deaths <= kCheckpointPieceSize ? CheckpointWay::kAtomic : CheckpointWay::kPieces;
}

absl::StatusOr<CheckpointCounts> CheckpointWriter::Write(const Checkpoint& checkpoint,
                                                         CheckpointWay way) {
  FIRN_CHECK(checkpoint.id == ledger_.next_checkpoint());
  way_ = way;
  const std::string begun_key =
      EncodeCheckpointKey({.state = CheckpointState::kBegun, .id = checkpoint.id});
  const std::string made_key =
      EncodeCheckpointKey({.state = CheckpointState::kMade, .id = checkpoint.id});
  const std::string record = EncodeCheckpoint(checkpoint);
  if (way == CheckpointWay::kPieces) {
    WriteBatch begin;
    begin.Put(keyspaces_.checkpoints, begun_key, record);
    FIRN_RETURN_IF_ERROR(database_.Write(begin, Durability::kSynced));
  }
  FIRN_RETURN_IF_ERROR(AddNodes());
  FIRN_RETURN_IF_ERROR(AddDeaths());
  if (way == CheckpointWay::kPieces) {
    FIRN_RETURN_IF_ERROR(database_.Flush(keyspaces_.nodes));
    FIRN_RETURN_IF_ERROR(database_.Flush(keyspaces_.deaths));
    batch_.Remove(keyspaces_.checkpoints, begun_key);
  }
  batch_.Put(keyspaces_.checkpoints, made_key, record);
  FIRN_RETURN_IF_ERROR(database_.Write(batch_, Durability::kSynced));
  return counts_;
}

// Depth first, so that a child stands beside its parent where the order of writing is kept.
absl::Status CheckpointWriter::AddNodes() {
  std::vector<const ChildRef*> pending = {&root_};
  while (!pending.empty()) {
    const ChildRef& child = *pending.back();
    pending.pop_back();
    if (!ledger_.IsDirty(child)) continue;
    FIRN_CHECK(child.resolved());
    // One that returned is stored already, and so is its whole subtree.
    if (ledger_.BirthOf(child) != ledger_.next_checkpoint()) continue;
    FIRN_RETURN_IF_ERROR(AddNode(child));
    if (child.node()->is_leaf()) continue;
    pending.push_back(&child.node()->right());
    pending.push_back(&child.node()->left());
  }
  return way_ == CheckpointWay::kPieces ? WritePiece() : absl::OkStatus();
}

absl::Status CheckpointWriter::AddNode(const ChildRef& child) {
  const NodePtr& node = child.node();
  ChildBirths births;
  if (!node->is_leaf()) {
    births = {.left = ledger_.BirthOf(node->left()), .right = ledger_.BirthOf(node->right())};
  }
  const Instance instance{
      .label = child.label(), .tree = kOnlyTree, .birth = ledger_.next_checkpoint()};
  record_.clear();
  EncodeNode(*node, births, record_);
  batch_.Put(keyspaces_.nodes, EncodeInstanceKey(instance), record_);
  ++counts_.nodes;
  if (cache_.keeps_anything()) cache_.Insert(instance, WithoutChildren(node, births));
  return WritePieceIfFull();
}

absl::Status CheckpointWriter::AddDeaths() {
  for (const auto& [label, birth] : ledger_.deaths()) {
    const Death death{.checkpoint = ledger_.next_checkpoint(),
                      .instance = {.label = label, .tree = kOnlyTree, .birth = birth}};
    batch_.Put(keyspaces_.deaths, EncodeDeathKey(death), "");
    ++counts_.deaths;
    FIRN_RETURN_IF_ERROR(WritePieceIfFull());
  }
  return way_ == CheckpointWay::kPieces ? WritePiece() : absl::OkStatus();
}

absl::Status CheckpointWriter::WritePieceIfFull() {
  // The largest record of fixed shape is far below the margin; a large value makes a large piece.
  constexpr size_t kMargin = 4096;
  if (way_ == CheckpointWay::kAtomic) return absl::OkStatus();
  if (batch_.encoded_size() + kMargin < kCheckpointPieceSize) return absl::OkStatus();
  return WritePiece();
}

absl::Status CheckpointWriter::WritePiece() {
  if (batch_.empty()) return absl::OkStatus();
  FIRN_RETURN_IF_ERROR(database_.Write(batch_, Durability::kVolatile));
  batch_.Clear();
  return absl::OkStatus();
}

}  // namespace firn
