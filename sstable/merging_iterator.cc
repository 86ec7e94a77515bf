#include "sstable/merging_iterator.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

enum class Direction : uint8_t { kForward, kBackward };

class EmptyIterator final : public InternalIterator {
 public:
  bool Valid() const override { return false; }
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(absl::string_view) override {}
  void Next() override {}
  void Prev() override {}
  absl::string_view key() const override { return absl::string_view(); }
  absl::string_view value() const override { return absl::string_view(); }
  absl::Status status() const override { return absl::OkStatus(); }
};

// Invariants, while valid:
//   1. Every input stands at its first entry after (forward) or before (backward) what was passed.
//   2. tree_[0] is the winner; tree_[n], for n in [1, k), the loser of the match at inner node n of
//      a tournament whose leaves k + i are the inputs i (children of n: 2n and 2n + 1).
class MergingIterator final : public InternalIterator {
 public:
  explicit MergingIterator(std::vector<std::unique_ptr<InternalIterator>> inputs)
      : tree_(inputs.size()) {
    inputs_.reserve(inputs.size());
    for (std::unique_ptr<InternalIterator>& input : inputs) {
      inputs_.push_back(Input{.iterator = std::move(input)});
    }
  }

  bool Valid() const override { return valid_; }

  void SeekToFirst() override {
    MoveAll(Direction::kForward, [](InternalIterator& input) { input.SeekToFirst(); });
  }
  void SeekToLast() override {
    MoveAll(Direction::kBackward, [](InternalIterator& input) { input.SeekToLast(); });
  }
  void Seek(absl::string_view target) override {
    if (status_.ok() && inputs_.size() > 1) {
      AnnounceSeek(target, SeekStage::kPlace);
      AnnounceSeek(target, SeekStage::kContent);
    }
    MoveAll(Direction::kForward, [target](InternalIterator& input) { input.Seek(target); });
  }
  void AnnounceSeek(absl::string_view target, SeekStage stage) override {
    for (Input& input : inputs_) input.iterator->AnnounceSeek(target, stage);
  }

  void Next() override {
    if (!status_.ok()) return;
    FIRN_DCHECK(valid_);
    if (direction_ == Direction::kBackward && !TurnForward()) return;
    inputs_[tree_[0]].iterator->Next();
    AfterMoveOfWinner();
  }

  void Prev() override {
    if (!status_.ok()) return;
    FIRN_DCHECK(valid_);
    if (direction_ == Direction::kForward && !TurnBackward()) return;
    inputs_[tree_[0]].iterator->Prev();
    AfterMoveOfWinner();
  }

  absl::string_view key() const override { return inputs_[tree_[0]].key; }
  absl::string_view value() const override { return inputs_[tree_[0]].iterator->value(); }
  absl::Status status() const override { return status_; }

  // What the winner has before the next of the others.
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override {
    FIRN_DCHECK(valid_);
    const size_t winner = tree_[0];
    Input& input = inputs_[winner];
    if (run.size() == 1 || wins_ < kWinsBeforeRun || direction_ == Direction::kBackward) {
      run.front() = {input.key, input.iterator->value()};
      return 1;
    }
    // The second is one of those that lost to the winner itself.
    for (size_t n = (inputs_.size() + winner) / 2; n >= 1; n /= 2) {
      const Input& loser = inputs_[tree_[n]];
      if (loser.valid && (limit.empty() || CompareInternalKeys(loser.key, limit) < 0)) {
        limit = loser.key;
      }
    }
    const size_t size = input.iterator->TakeRun(run, limit);
    input.key = input.iterator->key();
    return size;
  }

 private:
  // Where inputs alternate, looking for a run costs more than it brings.
  static constexpr uint32_t kWinsBeforeRun = 4;

  struct Input {
    std::unique_ptr<InternalIterator> iterator;
    absl::string_view key;  // a copy of iterator->key(): spares a virtual call a comparison
    bool valid = false;
  };

  // Takes over where an input stands; false if it failed, which fails the whole.
  bool Refresh(Input& input) {
    input.valid = input.iterator->Valid();
    if (input.valid) {
      input.key = input.iterator->key();
      return true;
    }
    status_ = input.iterator->status();
    if (status_.ok()) return true;
    valid_ = false;
    return false;
  }

  template <typename Move>
  void MoveAll(Direction direction, Move move) {
    if (!status_.ok()) return;
    direction_ = direction;
    for (Input& input : inputs_) {
      move(*input.iterator);
      if (!Refresh(input)) return;
    }
    RebuildTree();
  }

  // Does input `a` come out before input `b`? Exhausted inputs come last.
  bool Precedes(size_t a, size_t b) const {
    const Input& left = inputs_[a];
    const Input& right = inputs_[b];
    if (!left.valid || !right.valid) return left.valid || (!right.valid && a < b);
    const int order = CompareInternalKeys(left.key, right.key);
    const bool before = order != 0 ? order < 0 : a < b;
    return before == (direction_ == Direction::kForward);
  }

  // Plays the whole tournament: k - 1 matches.
  void RebuildTree() {
    const size_t k = inputs_.size();
    winners_.resize(2 * k);
    for (size_t i = 0; i < k; ++i) winners_[k + i] = i;
    for (size_t n = k - 1; n >= 1; --n) {
      const size_t left = winners_[2 * n];
      const size_t right = winners_[2 * n + 1];
      const bool left_wins = Precedes(left, right);
      winners_[n] = left_wins ? left : right;
      tree_[n] = left_wins ? right : left;
    }
    tree_[0] = winners_[1];
    valid_ = inputs_[tree_[0]].valid;
    wins_ = 0;
  }

  // The winner stands elsewhere now: replays its matches, from its leaf to the root.
  void AfterMoveOfWinner() {
    size_t winner = tree_[0];
    if (!Refresh(inputs_[winner])) return;
    for (size_t n = (inputs_.size() + winner) / 2; n >= 1; n /= 2) {
      if (Precedes(tree_[n], winner)) std::swap(tree_[n], winner);
    }
    wins_ = winner == tree_[0] ? wins_ + 1 : 0;
    tree_[0] = winner;
    valid_ = inputs_[winner].valid;
  }

  // Whether `key` of input i comes out after the present entry (turning_key_) on the way back.
  bool IsBehind(size_t i, size_t present, absl::string_view key) const {
    const int order = CompareInternalKeys(key, turning_key_);
    return order != 0 ? order < 0 : i < present;
  }

  // From "all others at or after the present key" to "before it", and back. The present input
  // stays; of an equal key elsewhere the index decides on which side it stands. False on error.
  bool TurnBackward() {
    const size_t present = tree_[0];
    turning_key_.assign(inputs_[present].key.data(), inputs_[present].key.size());
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (i == present) continue;
      InternalIterator& iterator = *inputs_[i].iterator;
      iterator.Seek(turning_key_);
      if (!iterator.Valid()) {
        if (!iterator.status().ok()) return Refresh(inputs_[i]);
        iterator.SeekToLast();
      }
      // Mostly one step. More where an input grows meanwhile, as a memtable does: entries may have
      // come in between the seek and the step.
      while (iterator.Valid() && !IsBehind(i, present, iterator.key())) iterator.Prev();
      if (!Refresh(inputs_[i])) return false;
    }
    return FinishTurn(Direction::kBackward, present);
  }

  bool TurnForward() {
    const size_t present = tree_[0];
    turning_key_.assign(inputs_[present].key.data(), inputs_[present].key.size());
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (i == present) continue;
      InternalIterator& iterator = *inputs_[i].iterator;
      iterator.Seek(turning_key_);
      if (iterator.Valid() && i < present &&
          CompareInternalKeys(iterator.key(), turning_key_) == 0) {
        iterator.Next();
      }
      if (!Refresh(inputs_[i])) return false;
    }
    return FinishTurn(Direction::kForward, present);
  }

  bool FinishTurn(Direction direction, size_t present) {
    direction_ = direction;
    RebuildTree();
    if (tree_[0] == present) return true;  // nothing is nearer to the present key than itself
    // Unless an input is out of order: damage that no checksum shows.
    valid_ = false;
    status_ = MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                        "an input of a merge is out of order");
    return false;
  }

  std::vector<Input> inputs_;
  std::vector<size_t> tree_;
  std::vector<size_t> winners_;  // of each match while the tree is rebuilt; kept for its memory
  std::string turning_key_;
  Direction direction_ = Direction::kForward;
  uint32_t wins_ = 0;  // of the present winner in a row
  bool valid_ = false;
  absl::Status status_;
};

}  // namespace

std::unique_ptr<InternalIterator> NewMergingIterator(
    std::vector<std::unique_ptr<InternalIterator>> inputs) {
  if (inputs.empty()) return std::make_unique<EmptyIterator>();
  if (inputs.size() == 1) return std::move(inputs.front());
  return std::make_unique<MergingIterator>(std::move(inputs));
}

}  // namespace firn
