// tree/node_store.h: the nodes of a tree in the keyspace "nodes", at a snapshot, behind a cache that
// all snapshots share (an instance never changes, so one copy serves all).
//
// Invariants:
//   1. A node that is returned hashes to the label it was asked for. What does not is DataLoss/
//      kLabelMismatch; what is not there is DataLoss/kMissingNode. Nothing is ever made up.
//   2. A cached node holds no other node in memory: its children are unresolved.
#ifndef FIRN_TREE_NODE_STORE_H_
#define FIRN_TREE_NODE_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "base/sharded_lru_cache.h"
#include "firn/keyspace.h"
#include "firn/snapshot.h"
#include "tree/node.h"
#include "tree/node_codec.h"

namespace firn {

// Thread-safe. Limited in bytes and in nodes: each entry is charged the larger of its shares of both
// limits, so neither is passed.
class NodeCache {
 public:
  struct Limits {
    size_t bytes = 0;
    std::optional<size_t> nodes;  // none: only the bytes count
  };
  explicit NodeCache(const Limits& limits);

  // The node of `instance`; null if it is not here.
  NodePtr Lookup(const Instance& instance);
  // `node`'s children must be unresolved.
  void Insert(const Instance& instance, NodePtr node);

  // Changes the limit in bytes; what no longer fits goes at once. The limit in nodes stays as it was.
  void SetBytes(size_t bytes);

  bool keeps_anything() const { return bytes_per_entry_.load(std::memory_order_relaxed) != 0; }
  struct Counters {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
    uint64_t nodes = 0;
    uint64_t bytes = 0;  // at least; entries charged by number count with that share
  };
  Counters counters() const { return ToCounters(cache_.Counters()); }

 private:
  struct InstanceHash {
    // A label is random: any eight bytes of it are a hash, and the rest of the key adds nothing.
    size_t operator()(const Instance& instance) const;
  };
  static Counters ToCounters(const CacheCounters& counters);

  ShardedLruCache<Instance, NodePtr, InstanceHash> cache_;
  const std::optional<size_t> nodes_;  // the limit
  std::atomic<size_t> bytes_per_entry_;  // the least charge of an entry; 0: nothing is kept
};

// How often a keyspace was read. Thread-safe.
struct NodeCounters {
  std::atomic<uint64_t> loads{0};
};

// Thread-safe as far as its parts are: any number of threads may share one.
class NodeStore final : public NodeResolver {
 public:
  // `cache` and `counters` must outlive the store; a null cache reads everything from the keyspace.
  NodeStore(Keyspace nodes, TreeNumber tree, Snapshot snapshot, NodeCache* cache,
            NodeCounters* counters)
      : nodes_(std::move(nodes)),
        tree_(tree),
        snapshot_(std::move(snapshot)),
        cache_(cache),
        counters_(counters) {}

  absl::StatusOr<NodePtr> Resolve(const ChildRef& child) override;

 private:
  absl::StatusOr<NodePtr> Load(const Instance& instance) const;

  const Keyspace nodes_;
  const TreeNumber tree_;
  const Snapshot snapshot_;
  NodeCache* const cache_;
  NodeCounters* const counters_;
};

// The label of a node whose children are unresolved equals `expected`, else DataLoss/kLabelMismatch
// naming both.
absl::Status CheckLabel(const Node& node, const Label& expected);

// `status`, if it says that a node is missing or damaged, with the tree's root and the way from it
// to `key` as far as it can be walked ("RLL": right, left, left) before its message.
absl::Status WithPath(const absl::Status& status, const ChildRef& root, absl::string_view key,
                      NodeResolver& resolver);

}  // namespace firn

#endif  // FIRN_TREE_NODE_STORE_H_
