#include "tree/instance_ledger.h"

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tree/avl.h"
#include "tree/node_codec.h"

namespace firn {
namespace {

constexpr TreeParameters kParameters{.key_length = 4, .value_length = std::nullopt};

std::string Key(uint64_t i) {
  return std::string{'k', static_cast<char>(i >> 8), static_cast<char>(i), 'k'};
}

// Labels of the tree under `root`, with the births their references carry.
std::map<Label, uint64_t> LabelsOf(const ChildRef& root, const InstanceLedger& ledger) {
  std::map<Label, uint64_t> labels;
  std::vector<ChildRef> pending = {root};
  while (!pending.empty()) {
    const ChildRef child = pending.back();
    pending.pop_back();
    labels[child.label()] = ledger.BirthOf(child);
    if (child.node()->is_leaf()) continue;
    pending.push_back(child.node()->left());
    pending.push_back(child.node()->right());
  }
  return labels;
}

// The same tree with every birth set, as a checkpoint leaves it; all nodes stay in memory.
ChildRef WithBirths(const ChildRef& child, const std::map<Label, uint64_t>& births) {
  const uint64_t birth = births.at(child.label());
  const NodePtr& node = child.node();
  if (node->is_leaf()) return ChildRef(node, child.label(), birth);
  return ChildRef(Node::NewInternal(node->key(), node->balance(), WithBirths(node->left(), births),
                                    WithBirths(node->right(), births)),
                  child.label(), birth);
}

class History {
 public:
  History() {
    const ChildRef empty = EmptyTree(kParameters);
    Start(ChildRef(empty.node(), empty.label(), 1), 0, 1);
    ledger_->RecordFirst(prover_->root());
  }

  void Apply(const Operation& operation) { EXPECT_OK(prover_->Apply(operation)); }
  void EndBatch() {
    ledger_->Record(prover_->Changes());
    prover_->EndBatch();
  }
  // Compares the ledger with what a walk of both trees finds, and goes on from there.
  void Checkpoint() {
    const std::map<Label, uint64_t> now = LabelsOf(prover_->root(), *ledger_);
    std::map<Label, uint64_t> deaths;
    for (const auto& [label, birth] : stored_) {
      if (!now.contains(label)) deaths[label] = birth;
    }
    const std::map<Label, uint64_t> counted(ledger_->deaths().begin(), ledger_->deaths().end());
    EXPECT_EQ(counted, deaths);
    const uint64_t checkpoint = ledger_->next_checkpoint();
    for (const auto& [label, birth] : now) {
      const auto old = stored_.find(label);
      EXPECT_EQ(birth, old == stored_.end() ? checkpoint : old->second) << LabelToHex(label);
    }
    const uint8_t height = prover_->height();
    stored_ = now;
    Start(WithBirths(prover_->root(), now), height, checkpoint + 1);
  }

  const InstanceLedger& ledger() const { return *ledger_; }

 private:
  void Start(ChildRef root, uint8_t height, uint64_t next) {
    prover_ = std::make_unique<Prover>(
        kParameters, std::move(root), height, nullptr,
        Prover::Options{.recording = ProofRecording::kSkip, .birth = next});
    ledger_ = std::make_unique<InstanceLedger>(next);
  }

  std::unique_ptr<Prover> prover_;
  std::unique_ptr<InstanceLedger> ledger_;
  std::map<Label, uint64_t> stored_;
};

TEST(InstanceLedgerTest, CountsTheFirstLeafOfANewStoreAsDirty) {
  History history;
  EXPECT_EQ(history.ledger().dirty_nodes(), 1u);
  EXPECT_GT(history.ledger().dirty_bytes(), 0u);
  history.Checkpoint();
  EXPECT_EQ(history.ledger().dirty_nodes(), 0u);
  EXPECT_EQ(history.ledger().dirty_bytes(), 0u);
}

TEST(InstanceLedgerTest, AValueThatGoesAndComesBackBetweenCheckpointsNeitherDiesNorIsBorn) {
  History history;
  history.Apply(Operation::Insert(Key(1), "A"));
  history.Apply(Operation::Insert(Key(2), "x"));
  history.EndBatch();
  history.Checkpoint();
  history.Apply(Operation::Update(Key(1), "B"));
  history.EndBatch();
  EXPECT_FALSE(history.ledger().deaths().empty());
  history.Apply(Operation::Update(Key(1), "A"));
  history.EndBatch();
  EXPECT_TRUE(history.ledger().deaths().empty());
  EXPECT_FALSE(history.ledger().returned().empty());
  history.Checkpoint();
}

TEST(InstanceLedgerTest, ANodeThatReturnedCanDieAgain) {
  History history;
  history.Apply(Operation::Insert(Key(1), "A"));
  history.EndBatch();
  history.Checkpoint();
  for (const char* value : {"B", "A", "C"}) {
    history.Apply(Operation::Update(Key(1), value));
    history.EndBatch();
  }
  EXPECT_TRUE(history.ledger().returned().empty());
  EXPECT_FALSE(history.ledger().deaths().empty());
  history.Checkpoint();
}

TEST(InstanceLedgerTest, ANodeThatReturnsAfterACheckpointIsANewInstance) {
  History history;
  for (const char* value : {"A", "B", "A"}) {
    history.Apply(Operation::InsertOrUpdate(Key(1), value));
    history.EndBatch();
    history.Checkpoint();
  }
}

TEST(InstanceLedgerTest, AgreesWithAWalkOverRandomHistories) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    History history;
    for (int step = 0; step < 150; ++step) {
      const std::string key = Key(random.Uniform(30));
      for (uint64_t i = random.Uniform(4); i > 0; --i) {
        // Two values only: nodes return often.
        history.Apply(random.OneIn(3)
                          ? Operation::RemoveIfExists(key)
                          : Operation::InsertOrUpdate(key, random.OneIn(2) ? "A" : "B"));
      }
      history.EndBatch();
      if (random.OneIn(5)) history.Checkpoint();
    }
    history.Checkpoint();
  }
}

}  // namespace
}  // namespace firn
