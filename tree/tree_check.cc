#include "tree/tree_check.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tree/avl.h"
#include "tree/checkpoint.h"
#include "tree/label.h"
#include "tree/record_store.h"

namespace firn {
namespace {

constexpr size_t kDamageListed = 100;

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

// The log: numbers and commits without gaps, a digest at each commit's end, the view's at the last.
absl::Status CheckLog(const TreeStore& store, const TreeViewImpl::State& view,
                      const std::vector<Checkpoint>& checkpoints, TreeVerifyReport& report) {
  uint64_t expected = 1;
  uint64_t commit = 1;
  std::optional<Digest> digest;
  auto checkpoint = checkpoints.rbegin();  // the oldest
  FIRN_RETURN_IF_ERROR(store.log.Read(
      1, UINT64_MAX, view.snapshot, [&](uint64_t number, LogEntry entry) -> absl::StatusOr<bool> {
        ++report.operations;
        if (number != expected) {
          AddDamage(report,
                    absl::StrCat("log: operation ", expected, " is missing; next is ", number));
        }
        expected = number + 1;
        if (entry.commit_number != commit) {
          AddDamage(report, absl::StrCat("log: operation ", number, " is of commit ",
                                         entry.commit_number, ", expected ", commit));
          commit = entry.commit_number;
        }
        digest = entry.digest_after;
        if (!entry.ends_commit) return true;
        ++commit;
        if (!digest.has_value()) {
          AddDamage(report,
                    absl::StrCat("log: operation ", number, " ends its commit and has no digest"));
        }
        while (checkpoint != checkpoints.rend() && checkpoint->last_operation < number) {
          ++checkpoint;
        }
        for (; checkpoint != checkpoints.rend() && checkpoint->last_operation == number;
             ++checkpoint) {
          if (digest.has_value() && *digest != checkpoint->digest) {
            AddDamage(report, absl::StrCat("checkpoint ", checkpoint->id, " has digest ",
                                           checkpoint->digest.ToHex(), ", operation ", number,
                                           " has ", digest->ToHex()));
          }
        }
        return true;
      }));
  if (expected != view.position.operation + 1 || commit != view.position.commit + 1) {
    AddDamage(report, absl::StrCat("log: ends at operation ", expected - 1, " of commit ",
                                   commit - 1, ", the tree is at operation ",
                                   view.position.operation, " of commit ", view.position.commit));
  }
  if (digest.has_value() && *digest != view.digest) {
    AddDamage(report, absl::StrCat("log: ends with digest ", digest->ToHex(), ", the tree has ",
                                   view.digest.ToHex()));
  }
  return absl::OkStatus();
}

// Every node that checkpoint `checkpoint` was the first to hold is there. Nodes with an earlier birth
// are of the checkpoint before as well, and so were looked at with that one.
void CheckBornNodes(const Checkpoint& checkpoint, bool is_oldest, NodeResolver& nodes,
                    TreeVerifyReport& report) {
  std::vector<ChildRef> pending = {ChildRef(checkpoint.digest.label(), checkpoint.root_birth)};
  while (!pending.empty()) {
    const ChildRef child = std::move(pending.back());
    pending.pop_back();
    if (child.birth() > checkpoint.id) {
      AddDamage(report,
                absl::StrCat("checkpoint ", checkpoint.id, ": node ", LabelToHex(child.label()),
                             " was born after it, at ", child.birth()));
      continue;
    }
    if (!is_oldest && child.birth() != checkpoint.id) continue;
    const absl::StatusOr<NodePtr> node = nodes.Resolve(child);
    if (!node.ok()) {
      AddDamage(report, absl::StrCat("checkpoint ", checkpoint.id, ": ", node.status().message()));
      continue;
    }
    ++report.nodes;
    if ((*node)->is_leaf()) continue;
    pending.push_back((*node)->right());
    pending.push_back((*node)->left());
  }
}

}  // namespace

void AddDamage(TreeVerifyReport& report, absl::string_view what) {
  ++report.damage_count;
  if (report.damage.size() < kDamageListed) report.damage.emplace_back(what);
}

void TreeWalk::Damage(absl::string_view what) {
  AddDamage(report_, absl::StrCat(subject_.name, ": ", what));
}

absl::Status TreeWalk::Run() {
  if (records_ != nullptr) records_->SeekToFirst();
  FIRN_ASSIGN_OR_RETURN(const std::optional<Subtree> whole, Check(subject_.root, 0));
  if (records_ != nullptr) {
    FIRN_RETURN_IF_ERROR(SkipRecordsBelow(std::string(parameters_.key_length + 1, '\xff')));
    FIRN_RETURN_IF_ERROR(records_->status());
  }
  if (unreadable_) return absl::OkStatus();
  if (next_key_ != MakeSentinelLeaf(parameters_).next) {
    Damage("the last leaf does not end the chain of next keys");
  }
  if (nodes_seen_ != subject_.node_count) {
    Damage(absl::StrCat("has ", nodes_seen_, " nodes, expected ", subject_.node_count));
  }
  if (whole.has_value() && whole->height != subject_.digest.height()) {
    Damage(absl::StrCat("is ", whole->height, " high, its digest says ", subject_.digest.height()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TreeWalk::Subtree>> TreeWalk::Check(const ChildRef& child, int depth) {
  const auto unreadable = [this](absl::string_view why) {
    Damage(why);
    unreadable_ = true;
    after_gap_ = true;
    next_key_.reset();
    return std::optional<Subtree>();
  };
  if (depth > kTreeHeightMax) return unreadable("a path is longer than a tree can be high");
  const absl::StatusOr<NodePtr> loaded = LoadNode(child, &nodes_);
  if (!loaded.ok()) return unreadable(loaded.status().message());
  const Node& node = **loaded;
  ++nodes_seen_;
  ++report_.nodes;
  if (const absl::Status label = CheckLabel(node, child.label()); !label.ok()) {
    Damage(label.message());
  }
  if (node.key().size() != parameters_.key_length) {
    return unreadable(absl::StrCat("node ", LabelToHex(child.label()), " has a key of ",
                                   node.key().size(), " bytes"));
  }
  if (!node.is_leaf()) return CheckInternal(node, child, depth);
  FIRN_RETURN_IF_ERROR(CheckLeaf(node));
  return std::optional<Subtree>(Subtree{.height = 0, .least_key = std::string(node.key())});
}

absl::StatusOr<std::optional<TreeWalk::Subtree>> TreeWalk::CheckInternal(const Node& node,
                                                                         const ChildRef& child,
                                                                         int depth) {
  FIRN_ASSIGN_OR_RETURN(const std::optional<Subtree> left, Check(node.left(), depth + 1));
  FIRN_ASSIGN_OR_RETURN(const std::optional<Subtree> right, Check(node.right(), depth + 1));
  if (right.has_value() && right->least_key != node.key()) {
    Damage(absl::StrCat("node ", LabelToHex(child.label()), " has routing key ", Hex(node.key()),
                        ", the least key on its right is ", Hex(right->least_key)));
  }
  if (!left.has_value() || !right.has_value()) return std::optional<Subtree>();
  const int difference = right->height - left->height;
  if (difference != node.balance() || difference < -1 || difference > 1) {
    Damage(absl::StrCat("node ", LabelToHex(child.label()), " has balance ", node.balance(),
                        ", its subtrees differ by ", difference));
  }
  return std::optional<Subtree>(
      Subtree{.height = 1 + std::max(left->height, right->height), .least_key = left->least_key});
}

absl::Status TreeWalk::CheckLeaf(const Node& leaf) {
  const SentinelLeaf sentinel = MakeSentinelLeaf(parameters_);
  if (leaf.next() <= leaf.key()) {
    Damage(absl::StrCat("leaf ", Hex(leaf.key()), " names ", Hex(leaf.next()), " as the next"));
  }
  if (first_leaf_ && !after_gap_ && leaf.key() != sentinel.key) {
    Damage(absl::StrCat("the first leaf is ", Hex(leaf.key()), ", not the sentinel"));
  }
  if (next_key_.has_value() && *next_key_ != leaf.key()) {
    Damage(absl::StrCat("leaf ", Hex(leaf.key()), " follows one that names ", Hex(*next_key_)));
  }
  if (!CheckValue(leaf.value(), parameters_).ok()) {
    Damage(
        absl::StrCat("leaf ", Hex(leaf.key()), " has a value of ", leaf.value().size(), " bytes"));
  }
  first_leaf_ = false;
  next_key_ = std::string(leaf.next());
  if (leaf.key() != sentinel.key) {
    ++report_.leaves;
    if (records_ != nullptr) FIRN_RETURN_IF_ERROR(CompareRecord(leaf));
  }
  after_gap_ = false;
  return absl::OkStatus();
}

absl::Status TreeWalk::CompareRecord(const Node& leaf) {
  FIRN_RETURN_IF_ERROR(SkipRecordsBelow(leaf.key()));
  const bool found = records_->Valid() && records_->key() == EncodeRecordKey(kOnlyTree, leaf.key());
  if (!found) {
    Damage(absl::StrCat("leaf ", Hex(leaf.key()), " has no record"));
    return records_->status();
  }
  ++report_.records;
  const absl::StatusOr<RecordView> record = DecodeRecord(records_->value());
  if (!record.ok()) {
    Damage(record.status().message());
  } else if (record->value != leaf.value()) {
    Damage(absl::StrCat("the record of ", Hex(leaf.key()), " has another value than its leaf"));
  }
  records_->Next();
  return records_->status();
}

absl::Status TreeWalk::SkipRecordsBelow(absl::string_view key) {
  const std::string limit = EncodeRecordKey(kOnlyTree, key);
  for (; records_->Valid() && records_->key() < limit; records_->Next()) {
    ++report_.records;
    if (!after_gap_) {
      Damage(absl::StrCat("the record of ", Hex(records_->key().substr(4)), " has no leaf"));
    }
  }
  return records_->status();
}

absl::StatusOr<TreeVerifyReport> CheckTree(TreeStore& store, const TreeViewImpl& view,
                                           TreeVerifyLevel level) {
  const TreeViewImpl::State& state = view.state();
  TreeVerifyReport report;
  report.digest = state.digest;
  // Without the cache: what is looked at is what the keyspace holds.
  NodeStore nodes(store.keyspaces.nodes, kOnlyTree, state.snapshot, nullptr, nullptr);
  const TreeWalk::Subject present{.name = "tree",
                                  .root = state.root,
                                  .digest = state.digest,
                                  .node_count = 2 * state.position.keys + 1};
  const std::unique_ptr<Iterator> records =
      NewRecordIterator(store.keyspaces.records, kOnlyTree, "", "", state.snapshot);
  FIRN_RETURN_IF_ERROR(
      TreeWalk(present, store.tree.parameters, nodes, records.get(), report).Run());

  const CheckpointReader reader(store.keyspaces.checkpoints, state.snapshot);
  FIRN_ASSIGN_OR_RETURN(const std::vector<Checkpoint> checkpoints, reader.List());
  report.checkpoints = checkpoints.size();
  // The present root in stored form is the newest checkpoint's: no need to walk it twice.
  if (!checkpoints.empty() &&
      (state.root.resolved() || checkpoints.front().digest != state.digest)) {
    const Checkpoint& newest = checkpoints.front();
    const TreeWalk::Subject subject{.name = absl::StrCat("checkpoint ", newest.id),
                                    .root = ChildRef(newest.digest.label(), newest.root_birth),
                                    .digest = newest.digest,
                                    .node_count = newest.node_count};
    TreeVerifyReport walked;
    FIRN_RETURN_IF_ERROR(TreeWalk(subject, store.tree.parameters, nodes, nullptr, walked).Run());
    report.nodes += walked.nodes;
    for (const std::string& damage : walked.damage) AddDamage(report, damage);
    report.damage_count += walked.damage_count - walked.damage.size();
  }
  if (level == TreeVerifyLevel::kAllCheckpoints) {
    for (size_t i = checkpoints.size(); i-- > 1;) {
      CheckBornNodes(checkpoints[i], i + 1 == checkpoints.size(), nodes, report);
    }
  }
  FIRN_RETURN_IF_ERROR(CheckLog(store, state, checkpoints, report));
  return report;
}

}  // namespace firn
