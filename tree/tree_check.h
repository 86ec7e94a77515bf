// tree/tree_check.h: walks everything that a tree's store holds and compares what must agree; behind
// `firn verify --level tree`.
#ifndef FIRN_TREE_TREE_CHECK_H_
#define FIRN_TREE_TREE_CHECK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/authenticated_tree.h"
#include "firn/iterator.h"
#include "tree/tree_state.h"
#include "tree/tree_view.h"

namespace firn {

// Checks one tree from its root: labels, routing keys, order, balances, the next chain, key and value
// lengths, height and node count; and, if wanted, that the records are its leaves. One use.
class TreeWalk {
 public:
  struct Subject {
    std::string name;  // for messages, e.g. "checkpoint 3"
    ChildRef root;
    Digest digest;
    uint64_t node_count = 0;  // as it should be
  };
  // `records` may be null. All must outlive the walk.
  TreeWalk(const Subject& subject, const TreeParameters& parameters, NodeResolver& nodes,
           Iterator* records, TreeVerifyReport& report)
      : subject_(subject),
        parameters_(parameters),
        nodes_(nodes),
        records_(records),
        report_(report) {}

  // An error only if the records cannot be read.
  absl::Status Run();

 private:
  struct Subtree {
    int height = 0;
    std::string least_key;
  };
  // None if something below could not be read.
  absl::StatusOr<std::optional<Subtree>> Check(const ChildRef& child, int depth);
  absl::StatusOr<std::optional<Subtree>> CheckInternal(const Node& node, const ChildRef& child,
                                                       int depth);
  absl::Status CheckLeaf(const Node& leaf);
  absl::Status CompareRecord(const Node& leaf);
  absl::Status SkipRecordsBelow(absl::string_view key);
  void Damage(absl::string_view what);

  const Subject& subject_;
  const TreeParameters& parameters_;
  NodeResolver& nodes_;
  Iterator* const records_;
  TreeVerifyReport& report_;
  uint64_t nodes_seen_ = 0;
  bool unreadable_ = false;              // somewhere
  bool after_gap_ = false;               // since the last leaf a subtree could not be read
  std::optional<std::string> next_key_;  // what the next leaf must be
  bool first_leaf_ = true;
};

// The whole of VerifyTree(): the view's tree with the records, the newest checkpoint's, the log, and,
// by level, every other checkpoint.
absl::StatusOr<TreeVerifyReport> CheckTree(TreeStore& store, const TreeViewImpl& view,
                                           TreeVerifyLevel level);

// Adds one sentence, or only counts it when a hundred are there.
void AddDamage(TreeVerifyReport& report, absl::string_view what);

}  // namespace firn

#endif  // FIRN_TREE_TREE_CHECK_H_
