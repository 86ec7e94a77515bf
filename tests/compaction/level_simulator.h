// tests/compaction/level_simulator.h: flushes and compactions without a file: a segment is the list of
// its keys and versions, and one entry is one byte. For pickers: shows what they would do, what it
// costs, and whether they ever bring levels or versions into disorder.
#ifndef FIRN_TESTS_COMPACTION_LEVEL_SIMULATOR_H_
#define FIRN_TESTS_COMPACTION_LEVEL_SIMULATOR_H_

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "compaction/levels.h"
#include "compaction/leveled_picker.h"
#include "compaction/picker.h"
#include "gtest/gtest.h"
#include "sstable/internal_key.h"
#include "tests/support/status_matchers.h"

namespace firn {

inline std::string NumberKey(uint64_t number) {
  std::string key;
  PutBigEndian64(key, number);
  return key;
}

class LevelSimulator {
 public:
  using Versions = std::map<uint64_t, uint64_t>;  // key -> sequence number

  LevelSimulator(PickerOptions options, decltype(Picker::pick) picker)
      : options_(options), picker_(picker) {}

  // A memtable of `keys`, each with the next sequence number.
  void Flush(const std::vector<uint64_t>& keys) {
    Versions versions;
    for (const uint64_t key : keys) versions[key] = ++last_sequence_;
    flushed_ += versions.size();
    Replace({.added = {{LevelIndex{0}, NewSegment(versions)}}});
  }

  // A memtable of tombstones.
  void FlushRemoves(const std::vector<uint64_t>& keys) {
    for (size_t i = 0; i < keys.size(); ++i) removes_.insert(last_sequence_ + 1 + i);
    Flush(keys);
  }

  // Picks and begins a compaction; false if the picker has none.
  bool Start() { return Begin(picker_(levels_, options_, Running())); }
  // Begins a step of a compaction asked for by hand.
  bool StartRange(const UserKeyRange& range, LevelIndex level) {
    return Begin(PickLeveledRange(levels_, range, level, options_, Running()).compaction);
  }

  // Ends the n-th of the running ones.
  void Finish(size_t n) {
    auto compaction = std::next(running_.begin(), static_cast<std::ptrdiff_t>(n));
    Run(*compaction);
    running_.erase(compaction);
  }
  void Run(const Compaction& compaction) {
    LevelsEdit edit = compaction.Edit();
    if (compaction.kind == CompactionKind::kMerge) {
      ++merges_;
      for (SegmentPtr& segment : Merge(compaction)) {
        written_ += segment->size;
        edit.added.push_back({compaction.output_level, std::move(segment)});
      }
    } else {
      ++moves_;
    }
    Replace(edit);
  }
  void RunAll() {
    while (Start()) Finish(0);
  }

  // A newer version of a key never stands below an older one.
  void ExpectVersionsInOrder() const {
    Versions newest_so_far;
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : levels_.level({level})) {
        for (const auto& [key, sequence] : content_.at(segment->number.value)) {
          const auto [above, is_new] = newest_so_far.emplace(key, sequence);
          ASSERT_TRUE(is_new || above->second > sequence)
              << "key " << key << ": " << sequence << " on level " << level << " below "
              << above->second;
          above->second = sequence;
        }
      }
    }
  }
  // What a read of everything finds.
  Versions Newest() const {
    Versions newest;
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      for (const SegmentPtr& segment : levels_.level({level})) {
        for (const auto& version : content_.at(segment->number.value)) newest.insert(version);
      }
    }
    for (auto version = newest.begin(); version != newest.end();) {
      version = removes_.count(version->second) > 0 ? newest.erase(version) : std::next(version);
    }
    return newest;
  }

  const Levels& levels() const { return levels_; }
  const std::list<Compaction>& running() const { return running_; }
  uint64_t last_sequence() const { return last_sequence_; }
  uint64_t merges() const { return merges_; }
  uint64_t moves() const { return moves_; }
  // Entries written to segments for each one flushed; the flush itself counts.
  double WriteAmplification() const {
    return static_cast<double>(flushed_ + written_) / static_cast<double>(flushed_);
  }

 private:
  std::vector<const Compaction*> Running() const {
    std::vector<const Compaction*> running;
    for (const Compaction& compaction : running_) running.push_back(&compaction);
    return running;
  }
  bool Begin(Compaction pick) {
    if (pick.kind == CompactionKind::kNothing) return false;
    ExpectSound(pick);
    running_.push_back(std::move(pick));
    return true;
  }

  SegmentPtr NewSegment(const Versions& versions) {
    FIRN_CHECK(!versions.empty());
    auto meta = std::make_shared<SegmentMeta>();
    meta->number = {++last_number_};
    meta->size = versions.size();
    meta->entry_count = versions.size();
    meta->data_block_count = versions.size();
    meta->sequence_min = {UINT64_MAX};
    for (const auto& [key, sequence] : versions) {
      meta->tombstone_count += removes_.count(sequence);
      meta->sequence_min = std::min(meta->sequence_min, SequenceNumber{sequence});
      meta->sequence_max = std::max(meta->sequence_max, SequenceNumber{sequence});
    }
    const auto internal = [](const auto& version) {
      return EncodeInternalKey(
          {.user_key = NumberKey(version.first), .sequence = {version.second}});
    };
    meta->smallest = internal(*versions.begin());
    meta->largest = internal(*versions.rbegin());
    content_[last_number_] = versions;
    return meta;
  }

  std::vector<SegmentPtr> Merge(const Compaction& compaction) {
    Versions merged;
    for (const auto* inputs : {&compaction.inputs, &compaction.output_inputs}) {
      for (const SegmentPtr& segment : *inputs) {
        for (const auto& [key, sequence] : content_.at(segment->number.value)) {
          uint64_t& newest = merged[key];
          newest = std::max(newest, sequence);
        }
      }
    }
    if (compaction.reclaims) Reclaim(compaction, merged);
    std::vector<SegmentPtr> outputs;
    Versions output;
    for (const auto& version : merged) {
      output.insert(output.end(), version);
      if (output.size() < options_.segment_size) continue;
      outputs.push_back(NewSegment(output));
      output.clear();
    }
    if (!output.empty()) outputs.push_back(NewSegment(output));
    return outputs;
  }

  // Drops what newer segments hide, and tombstones of keys that no older one has.
  void Reclaim(const Compaction& compaction, Versions& merged) {
    const auto stands_in = [&](const SegmentPtr& segment, uint64_t key) {
      return content_.at(segment->number.value).count(key) > 0;
    };
    for (auto version = merged.begin(); version != merged.end();) {
      bool is_hidden = false;
      for (const SegmentPtr& newer : compaction.newer) {
        is_hidden = is_hidden || stands_in(newer, version->first);
      }
      bool is_needed = removes_.count(version->second) == 0;
      for (const SegmentPtr& other : levels_.level0()) {
        is_needed = is_needed || (other->sequence_max < compaction.inputs[0]->sequence_min &&
                                  stands_in(other, version->first));
      }
      version = is_hidden || !is_needed ? merged.erase(version) : std::next(version);
    }
  }

  void Replace(const LevelsEdit& edit) {
    ASSERT_OK_AND_ASSIGN(levels_, levels_.Apply(edit));
  }

  // What must hold of every choice, whatever the picker.
  void ExpectSound(const Compaction& pick) const {
    ASSERT_FALSE(pick.inputs.empty());
    ASSERT_FALSE(pick.reason.empty());
    std::set<uint64_t> held;
    for (const Compaction& other : running_) {
      for (const SegmentPtr& segment : other.inputs) held.insert(segment->number.value);
      for (const SegmentPtr& segment : other.output_inputs) held.insert(segment->number.value);
    }
    ExpectOnLevel(pick.inputs, pick.source_level, held);
    ExpectOnLevel(pick.output_inputs, pick.output_level, held);
    for (const Compaction& other : running_) {
      ASSERT_FALSE(pick.output_level.value > 0 && other.output_level == pick.output_level &&
                   other.smallest <= pick.largest && pick.smallest <= other.largest)
          << "two compactions write one range";
    }
    if (pick.output_level != pick.source_level) {
      const auto overlapping = levels_.Overlapping(
          pick.output_level, {.smallest = pick.smallest, .largest = pick.largest});
      ASSERT_EQ(overlapping, pick.output_inputs);
    }
    if (pick.kind == CompactionKind::kMove) { ASSERT_TRUE(pick.output_inputs.empty()); }
  }
  void ExpectOnLevel(const std::vector<SegmentPtr>& segments, LevelIndex level,
                     const std::set<uint64_t>& held) const {
    const std::vector<SegmentPtr>& all = levels_.level(level);
    for (const SegmentPtr& segment : segments) {
      ASSERT_NE(std::find(all.begin(), all.end(), segment), all.end());
      ASSERT_FALSE(held.contains(segment->number.value));
    }
  }

  const PickerOptions options_;
  const decltype(Picker::pick) picker_;
  Levels levels_;
  std::map<uint64_t, Versions> content_;  // by segment number
  std::list<Compaction> running_;
  std::set<uint64_t> removes_;  // sequence numbers of tombstones
  uint64_t last_sequence_ = 0;
  uint64_t last_number_ = 0;
  uint64_t flushed_ = 0;
  uint64_t written_ = 0;
  uint64_t merges_ = 0;
  uint64_t moves_ = 0;
};

}  // namespace firn

#endif  // FIRN_TESTS_COMPACTION_LEVEL_SIMULATOR_H_
