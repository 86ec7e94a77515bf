#include "tree/instance_ledger.h"

#include "base/check.h"

namespace firn {

void InstanceLedger::RecordFirst(const ChildRef& root) {
  FIRN_CHECK(dirty_nodes_ == 0 && IsDirty(root));
  dirty_nodes_ = 1;
  dirty_bytes_ = root.node()->memory_size();
}

void InstanceLedger::Record(const BatchChanges& changes) {
  for (const ChildRef& child : changes.gone) {
    if (!IsDirty(child)) {
      deaths_.emplace(child.label(), child.birth());
      continue;
    }
    FIRN_CHECK(child.resolved() && dirty_nodes_ > 0);
    --dirty_nodes_;
    dirty_bytes_ -= child.node()->memory_size();
    if (const auto returned = returned_.find(child.label()); returned != returned_.end()) {
      deaths_.emplace(child.label(), returned->second);
      returned_.erase(returned);
    }
  }
  for (const ChildRef& child : changes.added) {
    FIRN_CHECK(child.resolved() && IsDirty(child));
    ++dirty_nodes_;
    dirty_bytes_ += child.node()->memory_size();
    if (const auto dead = deaths_.find(child.label()); dead != deaths_.end()) {
      returned_.emplace(child.label(), dead->second);
      deaths_.erase(dead);
    }
  }
}

uint64_t InstanceLedger::BirthOf(const ChildRef& child) const {
  if (!IsDirty(child)) return child.birth();
  const auto returned = returned_.find(child.label());
  return returned == returned_.end() ? next_checkpoint_ : returned->second;
}

}  // namespace firn
