// tree/tree_view.h: what stands behind a firn::TreeView: a root that never changes, the engine's
// snapshot of the same commit, and what is needed to load nodes.
#ifndef FIRN_TREE_TREE_VIEW_H_
#define FIRN_TREE_TREE_VIEW_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/authenticated_tree.h"
#include "tree/node.h"
#include "tree/tree_state.h"

namespace firn {

// Where Get() and Scan() look.
enum class ViewSource : uint8_t {
  kRecords,  // the keyspace "records" at the snapshot: the tree as of that commit
  kNodes,    // the tree itself: an older root, which the records have left behind
};

// Immutable, thread-safe.
class TreeViewImpl {
 public:
  struct State {
    ChildRef root;
    Digest digest;
    LogPosition position;
    Snapshot snapshot;
    ViewSource source = ViewSource::kRecords;
  };
  TreeViewImpl(std::shared_ptr<TreeStore> store, State state)
      : store_(std::move(store)), state_(std::move(state)) {}

  const State& state() const { return state_; }
  absl::StatusOr<OldValue> Get(absl::string_view key) const;
  using EntryVisitor = std::function<bool(absl::string_view key, absl::string_view value)>;
  absl::Status Scan(absl::string_view begin, absl::string_view limit,
                    const EntryVisitor& visit) const;
  absl::StatusOr<TreeProof> Prove(std::vector<Operation> operations) const;

 private:
  absl::Status ScanRecords(absl::string_view begin, absl::string_view limit,
                           const EntryVisitor& visit) const;
  absl::Status ScanNodes(absl::string_view begin, absl::string_view limit,
                         const EntryVisitor& visit) const;

  const std::shared_ptr<TreeStore> store_;
  const State state_;
};

// Performs `operations` on the tree under `root` without a trace anywhere, and proves them.
absl::StatusOr<TreeProof> ProveOn(const ChildRef& root, const Digest& digest,
                                  std::vector<Operation> operations,
                                  const TreeParameters& parameters, NodeResolver& resolver);

}  // namespace firn

#endif  // FIRN_TREE_TREE_VIEW_H_
