#include "compaction/compaction_job.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "compaction/flush_job.h"
#include "compaction/leveled_picker.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::map<std::string, std::string> ValuesAt(std::vector<StoredEntry> entries, uint64_t sequence) {
  std::sort(entries.begin(), entries.end(), InKeyOrder);
  std::map<std::string, StoredEntry> visible;
  for (const StoredEntry& entry : entries) {
    if (SequenceOf(entry.key).value <= sequence) {
      visible.emplace(std::string(UserKeyOf(entry.key)), entry);
    }
  }
  std::map<std::string, std::string> values;
  for (const auto& [key, entry] : visible) {
    if (KindOf(entry.key) == EntryKind::kPut) values[key] = entry.value;
  }
  return values;
}

// A segment a level, newest first.
Levels Stack(SegmentFixture& fixture, const std::vector<std::vector<StoredEntry>>& contents) {
  LevelsEdit edit;
  for (size_t level = 0; level < contents.size(); ++level) {
    auto segments = fixture.Write(contents[level], 1 << 20);
    EXPECT_OK(segments);
    for (SegmentPtr& segment : *segments) {
      edit.added.push_back({LevelIndex{static_cast<uint32_t>(level)}, std::move(segment)});
    }
  }
  absl::StatusOr<Levels> levels = Levels().Apply(edit);
  EXPECT_OK(levels);
  return *std::move(levels);
}

TEST(CompactionJobTest, AMoveAndADropTouchNoFile) {
  SegmentFixture fixture;
  const Levels levels = Stack(fixture, {{MakePut("a", 1, "x")}});
  const uint64_t operations = fixture.file_system.operations();
  Compaction compaction;
  compaction.kind = CompactionKind::kMove;
  compaction.output_level = {1};
  compaction.inputs = levels.level0();
  JobResult result =
      RunCompactionJob(fixture.Context(1 << 20), compaction, levels, fixture.directory);
  ASSERT_OK(result.status);
  EXPECT_THAT(result.created, IsEmpty());
  EXPECT_EQ(result.bytes_read + result.bytes_written, 0);
  ASSERT_OK_AND_ASSIGN(const Levels moved, levels.Apply(result.edit));
  EXPECT_THAT(moved.level0(), IsEmpty());
  EXPECT_THAT(moved.level({1}), SizeIs(1));
  compaction.kind = CompactionKind::kDrop;
  result = RunCompactionJob(fixture.Context(1 << 20), compaction, levels, fixture.directory);
  ASSERT_OK_AND_ASSIGN(const Levels dropped, levels.Apply(result.edit));
  EXPECT_TRUE(dropped.empty());
  EXPECT_EQ(fixture.file_system.operations(), operations);
}

TEST(CompactionJobTest, ATombstoneGoesOnlyWhenNothingBelowCanHoldItsKey) {
  SegmentFixture fixture;
  const Levels levels = Stack(fixture, {{MakeTombstone("a", 10), MakeTombstone("m", 11)},
                                        {MakePut("a", 5, "x"), MakePut("b", 6, "y")},
                                        {MakePut("l", 1, "z"), MakePut("n", 2, "z")}});
  const RangePick pick = PickLeveledRange(levels, {}, {0}, {}, {});
  JobResult result =
      RunCompactionJob(fixture.Context(1 << 20), pick.compaction, levels, fixture.directory);
  ASSERT_OK(result.status);
  EXPECT_EQ(result.collected.tombstones, 1);
  EXPECT_EQ(result.collected.shadowed, 1);
  EXPECT_EQ(result.bytes_read, pick.compaction.input_bytes());
  ASSERT_THAT(result.edit.added, SizeIs(1));
  EXPECT_THAT(fixture.Read(*result.edit.added[0].segment),
              IsOkAndHolds(ElementsAre(MakePut("b", 6, "y"), MakeTombstone("m", 11))));
}

TEST(CompactionJobTest, AMergeOfTombstonesAloneMayLeaveNothing) {
  SegmentFixture fixture;
  const Levels levels = Stack(fixture, {{MakeTombstone("a", 10)}, {MakePut("a", 5, "x")}});
  JobResult result = RunCompactionJob(fixture.Context(1 << 20), PickLeveledRange(levels, {}, {0}, {}, {}).compaction,
                                      levels, fixture.directory);
  ASSERT_OK(result.status);
  EXPECT_THAT(result.created, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const Levels after, levels.Apply(result.edit));
  EXPECT_TRUE(after.empty());
}

TEST(CompactionJobTest, AMissingInputIsAnErrorAndLeavesNoSegmentNamed) {
  SegmentFixture fixture;
  const Levels levels = Stack(fixture, {{MakePut("a", 10, "x")}, {MakePut("a", 5, "x")}});
  ASSERT_OK(fixture.file_system.RemoveFile(
      fixture.directory.PathOf(levels.level({1})[0]->number)));
  JobResult result = RunCompactionJob(fixture.Context(1 << 20), PickLeveledRange(levels, {}, {0}, {}, {}).compaction,
                                      levels, fixture.directory);
  EXPECT_THAT(result.status, HasReason(ErrorReason::kMissingFile));
  EXPECT_THAT(result.edit.added, IsEmpty());
}

void FailEverywhere(size_t parts) {
  bool was_hit = true;
  for (uint64_t crash_at = 0; was_hit; ++crash_at) {
    SCOPED_TRACE(crash_at);
    SegmentFixture fixture({.seed = crash_at});
    std::vector<StoredEntry> above;
    std::vector<StoredEntry> below;
    for (uint64_t i = 1; i <= 300; ++i) {
      below.push_back(MakePut(std::to_string(i), i, std::string(20, 'o')));
      above.push_back(MakePut(std::to_string(i), 1000 + i, std::string(20, 'n')));
    }
    const Levels levels = Stack(fixture, {above, below});
    const Compaction compaction = PickLeveledRange(levels, {}, {0}, {}, {}).compaction;
    ASSERT_OK(fixture.file_system.SyncDirectory(DirectoryOf("segments")));
    fixture.file_system.CrashAtOperation(crash_at);
    JobContext context = fixture.Context(2 << 10);
    context.parts_max = parts;
    context.part_bytes_min = 1;
    const JobResult result = RunCompactionJob(context, compaction, levels, fixture.directory);
    was_hit = fixture.file_system.crashed();
    EXPECT_EQ(result.status.ok(), !was_hit);
    if (was_hit) {
      EXPECT_THAT(result.edit.added, IsEmpty());
      fixture.file_system.LoseUnsyncedData();
      ASSERT_OK_AND_ASSIGN(const auto names, fixture.file_system.List("segments"));
      for (const std::string& name : names) {  // the inputs are numbers 1 and 2
        const bool is_named = std::any_of(
            result.created.begin(), result.created.end(),
            [&name](FileNumber number) { return SegmentFileName(number) == name; });
        EXPECT_TRUE(is_named || name < SegmentFileName(FileNumber{3})) << name;
      }
    } else {
      EXPECT_GT(result.created.size(), 1);
      EXPECT_GT(crash_at, 10);
    }
  }
}

TEST(CompactionJobTest, FailsWhereverTheFileSystemFailsAndNamesItsFiles) { FailEverywhere(1); }
TEST(CompactionJobTest, FailsAsAWholeWhereverAPartFails) { FailEverywhere(4); }

TEST(CompactionJobTest, CutIntoPartsAMergeGivesWhatOneGives) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    SegmentFixture fixture;
    std::vector<std::vector<StoredEntry>> contents(3);
    for (uint64_t i = 0; i < 900; ++i) {
      std::vector<StoredEntry>& level = contents[i / 300];
      const std::string key = RandomKey(random, 3);
      level.push_back(random.OneIn(4) ? MakeTombstone(key, 1000 - i)
                                      : MakePut(key, 1000 - i, RandomKey(random, 40)));
    }
    const Levels levels = Stack(fixture, contents);
    const Compaction compaction = PickLeveledRange(levels, {}, {0}, {}, {}).compaction;
    const auto run = [&](size_t parts) {
      std::vector<std::thread> threads;
      JobContext context = fixture.Context(1 << 20, {{400}, {850}});
      context.parts_max = parts;
      context.part_bytes_min = 1;
      context.helpers = [&threads](std::function<void()> helper) {
        threads.emplace_back(std::move(helper));
      };
      JobResult result = RunCompactionJob(context, compaction, levels, fixture.directory);
      for (std::thread& thread : threads) thread.join();
      return result;
    };
    const JobResult whole = run(1);
    const JobResult cut = run(4);
    ASSERT_OK(whole.status);
    ASSERT_OK(cut.status);
    EXPECT_THAT(whole.edit.added, SizeIs(1));
    EXPECT_THAT(cut.edit.added, SizeIs(4));
    EXPECT_EQ(cut.entries_read, whole.entries_read);
    EXPECT_EQ(cut.collected.passed, whole.collected.passed);
    EXPECT_EQ(cut.collected.shadowed, whole.collected.shadowed);
    EXPECT_EQ(cut.collected.tombstones, whole.collected.tombstones);
    ASSERT_OK_AND_ASSIGN(const Levels after_whole, levels.Apply(whole.edit));
    ASSERT_OK_AND_ASSIGN(const Levels after_cut, levels.Apply(cut.edit));
    ASSERT_OK_AND_ASSIGN(const auto expected, fixture.ReadLevels(after_whole));
    ASSERT_OK_AND_ASSIGN(const auto found, fixture.ReadLevels(after_cut));
    EXPECT_EQ(found, expected);
  }
}

// A history of flushes and compactions against a model that keeps every entry: no snapshot alive and no
// reader of "now" can tell the difference, at any moment.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  void Run() {
    for (int step = 0; step < 60; ++step) {
      const uint64_t move = random_.Uniform(8);
      if (move < 3) {
        Flush();
      } else if (move < 6) {
        Compact(PickLeveled(levels_, kOptions, {}));
      } else if (move == 6) {
        const LevelIndex level{static_cast<uint32_t>(random_.Uniform(levels_.deepest().value + 1))};
        const std::string a = RandomKey(random_, 2);
        const std::string b = RandomKey(random_, 2);
        Compact(PickLeveledRange(levels_, {std::min(a, b), std::max(a, b)}, level, {}, {}).compaction);
      } else if (random_.OneIn(2)) {
        snapshots_.insert(sequence_);
      } else if (!snapshots_.empty()) {
        snapshots_.erase(snapshots_.begin());
      }
      if (::testing::Test::HasFatalFailure()) return;
      ExpectSameAsModel();
      if (::testing::Test::HasFailure()) return;
    }
  }

 private:
  static constexpr PickerOptions kOptions = {
      .level0_segments_merge = 3, .level1_size = 3000, .multiplier = 3, .segment_size = 1000};

  std::vector<SequenceNumber> Snapshots() const {
    std::vector<SequenceNumber> snapshots;
    for (const uint64_t sequence : snapshots_) snapshots.push_back({sequence});
    return snapshots;
  }
  void Flush() {
    std::vector<StoredEntry> entries;
    for (uint64_t n = 1 + random_.Uniform(40); n > 0; --n) {
      const std::string key = RandomKey(random_, 2);
      ++sequence_;
      entries.push_back(random_.OneIn(3) ? MakeTombstone(key, sequence_)
                                         : MakePut(key, sequence_, RandomKey(random_, 20)));
    }
    model_.insert(model_.end(), entries.begin(), entries.end());
    Install(RunFlushJob(fixture_.Context(1000, Snapshots()),
                        {.source = NewVectorIterator(entries), .sequence_max = {sequence_}}));
  }
  void Compact(const Compaction& compaction) {
    if (compaction.kind == CompactionKind::kNothing) return;
    JobContext context = fixture_.Context(1000, Snapshots());
    context.parts_max = 1 + random_.Uniform(4);
    context.part_bytes_min = 500;
    Install(RunCompactionJob(context, compaction, levels_, fixture_.directory));
  }
  void Install(const JobResult& result) {
    ASSERT_OK(result.status);
    ASSERT_OK_AND_ASSIGN(levels_, levels_.Apply(result.edit));
  }
  void ExpectSameAsModel() {
    ASSERT_OK_AND_ASSIGN(const std::vector<StoredEntry> stored, fixture_.ReadLevels(levels_));
    EXPECT_EQ(ValuesAt(stored, sequence_), ValuesAt(model_, sequence_));
    for (const uint64_t snapshot : snapshots_) {
      EXPECT_EQ(ValuesAt(stored, snapshot), ValuesAt(model_, snapshot)) << snapshot;
    }
  }

  Random random_;
  SegmentFixture fixture_;
  Levels levels_;
  std::vector<StoredEntry> model_;
  std::set<uint64_t> snapshots_;
  uint64_t sequence_ = 0;
};

TEST(CompactionJobTest, NoReaderCanTellThatAnythingWasMerged) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    History(seed).Run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace firn
