// tests/tree/map_resolver.h: a node store for tests, a map from label to packed bytes, which can be
// told to fail.
#ifndef FIRN_TESTS_TREE_MAP_RESOLVER_H_
#define FIRN_TESTS_TREE_MAP_RESOLVER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "tree/node.h"
#include "tree/packed_node.h"

namespace firn {

class MapResolver final : public NodeResolver {
 public:
  explicit MapResolver(const TreeParameters& parameters) : parameters_(parameters) {}

  absl::StatusOr<NodePtr> Resolve(const ChildRef& child) override {
    ++calls_;
    if (fail_at_ == calls_) return absl::UnavailableError("told to fail");
    const auto found = nodes_.find(child.label());
    if (found == nodes_.end()) return absl::NotFoundError("no such node");
    absl::StatusOr<UnpackedNode> unpacked = UnpackNode(found->second, parameters_);
    if (!unpacked.ok()) return std::move(unpacked).status();
    return std::move(unpacked->node);
  }

  // Stores what is in memory under `root`, whose labels are known.
  void Store(const ChildRef& root) {
    std::vector<const ChildRef*> pending = {&root};
    while (!pending.empty()) {
      const ChildRef* const child = pending.back();
      pending.pop_back();
      if (!child->resolved()) continue;
      nodes_[child->label()] = PackNode(*child->node(), parameters_);
      if (child->node()->is_leaf()) continue;
      pending.push_back(&child->node()->left());
      pending.push_back(&child->node()->right());
    }
  }
  void Remove(const Label& label) { nodes_.erase(label); }

  // The n-th call from now on fails, once; from 1.
  void FailAt(uint64_t call) {
    calls_ = 0;
    fail_at_ = call;
  }
  void FailNever() { fail_at_.reset(); }
  uint64_t calls() const { return calls_; }
  const std::map<Label, std::vector<uint8_t>>& nodes() const { return nodes_; }
  std::map<Label, std::vector<uint8_t>>& mutable_nodes() { return nodes_; }

 private:
  const TreeParameters parameters_;
  std::map<Label, std::vector<uint8_t>> nodes_;
  uint64_t calls_ = 0;
  std::optional<uint64_t> fail_at_;
};

}  // namespace firn

#endif  // FIRN_TESTS_TREE_MAP_RESOLVER_H_
