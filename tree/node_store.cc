#include "tree/node_store.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "tree/avl.h"

namespace firn {
namespace {

// What an entry costs beside the node: the list's and the map's copy of the key, the handle.
constexpr size_t kEntryOverhead = 2 * sizeof(Instance) + 96;
// Below this many entries shards would hold too unequal parts of the limit.
constexpr size_t kEntriesPerShardMin = 1024;

size_t ShardsFor(const NodeCache::Limits& limits) {
  constexpr size_t kTypicalEntry = 512;
  const size_t entries = std::min(limits.nodes.value_or(SIZE_MAX), limits.bytes / kTypicalEntry);
  size_t shards = 16;
  while (shards > 1 && entries / shards < kEntriesPerShardMin) shards /= 2;
  return shards;
}

// With a limit of nodes the least charge of an entry is so large that no more fit. With several
// shards each holds its part of them.
size_t BytesPerEntry(const NodeCache::Limits& limits) {
  if (limits.bytes == 0 || limits.nodes == size_t{0}) return 0;
  if (!limits.nodes.has_value()) return 1;
  return std::max<size_t>(1, (limits.bytes + *limits.nodes - 1) / *limits.nodes);
}

size_t CapacityFor(const NodeCache::Limits& limits) {
  if (BytesPerEntry(limits) == 0) return 0;
  if (!limits.nodes.has_value()) return limits.bytes;
  // Exactly `nodes` least charges, so that rounding does not cost an entry.
  return BytesPerEntry(limits) * *limits.nodes;
}

}  // namespace

size_t NodeCache::InstanceHash::operator()(const Instance& instance) const {
  return LoadFixed64(instance.label.data());
}

NodeCache::NodeCache(const Limits& limits)
    : cache_(CapacityFor(limits), ShardsFor(limits)),
      nodes_(limits.nodes),
      bytes_per_entry_(BytesPerEntry(limits)) {}

// Entries that are there keep the charge they came with. If they were charged less than new ones are,
// there may be more of them than the limit in nodes for a while: so a cache with such a limit starts
// anew.
void NodeCache::SetBytes(size_t bytes) {
  const Limits limits{.bytes = bytes, .nodes = nodes_};
  bytes_per_entry_.store(BytesPerEntry(limits), std::memory_order_relaxed);
  if (nodes_.has_value()) cache_.Clear();
  cache_.SetCapacity(CapacityFor(limits));
}

NodePtr NodeCache::Lookup(const Instance& instance) {
  if (!keeps_anything()) return NodePtr();
  const std::shared_ptr<const NodePtr> found = cache_.Lookup(instance);
  return found == nullptr ? NodePtr() : *found;
}

void NodeCache::Insert(const Instance& instance, NodePtr node) {
  if (!keeps_anything()) return;
  const size_t charge = std::max(bytes_per_entry_.load(std::memory_order_relaxed), node->memory_size() + kEntryOverhead);
  cache_.Insert(instance, std::make_shared<const NodePtr>(std::move(node)), charge);
}

NodeCache::Counters NodeCache::ToCounters(const CacheCounters& counters) {
  return {.hits = counters.hits,
          .misses = counters.misses,
          .evictions = counters.evictions,
          .nodes = counters.entries,
          .bytes = counters.charge};
}

absl::StatusOr<NodePtr> NodeStore::Resolve(const ChildRef& child) {
  const Instance instance{.label = child.label(), .tree = tree_, .birth = child.birth()};
  if (cache_ != nullptr) {
    NodePtr cached = cache_->Lookup(instance);
    if (cached) return cached;
  }
  FIRN_ASSIGN_OR_RETURN(NodePtr node, Load(instance));
  if (cache_ != nullptr) cache_->Insert(instance, node);
  return node;
}

absl::StatusOr<NodePtr> NodeStore::Load(const Instance& instance) const {
  if (counters_ != nullptr) counters_->loads.fetch_add(1, std::memory_order_relaxed);
  const absl::StatusOr<PinnedValue> row = nodes_.Get(EncodeInstanceKey(instance), snapshot_);
  if (absl::IsNotFound(row.status()) && ReasonOf(row.status()) == ErrorReason::kNone) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kMissingNode,
                     absl::StrCat("node ", LabelToHex(instance.label), ", born at checkpoint ",
                                  instance.birth, ", is not in keyspace nodes"));
  }
  FIRN_RETURN_IF_ERROR(row.status());
  FIRN_ASSIGN_OR_RETURN(NodePtr node, DecodeNode(instance.label, row->view()));
  FIRN_RETURN_IF_ERROR(CheckLabel(*node, instance.label));
  return node;
}

absl::Status CheckLabel(const Node& node, const Label& expected) {
  const Label actual = ComputeLabel(node);
  if (actual == expected) return absl::OkStatus();
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kLabelMismatch,
                   absl::StrCat("node ", LabelToHex(expected), " hashes to ", LabelToHex(actual)));
}

absl::Status WithPath(const absl::Status& status, const ChildRef& root, absl::string_view key,
                      NodeResolver& resolver) {
  const ErrorReason reason = ReasonOf(status);
  if (reason != ErrorReason::kMissingNode && reason != ErrorReason::kLabelMismatch &&
      reason != ErrorReason::kSerialization) {
    return status;
  }
  std::string path;
  ChildRef child = root;
  for (int depth = 0; depth < kTreeHeightMax; ++depth) {
    const absl::StatusOr<NodePtr> node = LoadNode(child, &resolver);
    if (!node.ok() || (*node)->is_leaf()) break;
    const bool left = key < (*node)->key();
    path.push_back(left ? 'L' : 'R');
    child = left ? (*node)->left() : (*node)->right();
  }
  return Annotate(status, absl::StrCat("tree with root ", LabelToHex(root.label()), ", key ",
                                       absl::BytesToHexString(key), ", path ",
                                       path.empty() ? "(the root)" : path));
}

}  // namespace firn
