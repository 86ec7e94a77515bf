#include "compaction/hashed_merge.h"

#include <map>

#include "base/clock.h"
#include "compaction/compaction_job.h"
#include "tests/compaction/hashed_fixture.h"

namespace firn {
namespace {

using testing::HasSubstr;

std::vector<StoredEntry> Sorted(std::vector<StoredEntry> entries) {
  std::sort(entries.begin(), entries.end(), InKeyOrder);
  return entries;
}

class HashedMergeTest : public testing::Test {
 protected:
  // Through the function that serves all layouts.
  JobResult Merge(const std::vector<SegmentPtr>& inputs, const Levels& levels,
                  std::vector<SequenceNumber> snapshots = {}) {
    return RunCompactionJob(fixture_.Context(std::move(snapshots)),
                            HashedFixture::MergeOf(inputs), levels, fixture_.directory);
  }
  std::vector<StoredEntry> ReadOutput(const JobResult& result) {
    EXPECT_OK(result.status);
    if (result.edit.added.empty()) return {};
    EXPECT_EQ(result.edit.added.size(), 1u);
    const SegmentMeta& output = *result.edit.added[0].segment;
    const auto reader = fixture_.Open(output);
    EXPECT_OK(reader);
    EXPECT_THAT((*reader)->Verify().problems, testing::IsEmpty());
    const auto entries = fixture_.Read(output);
    EXPECT_OK(entries);
    return *entries;
  }
  std::vector<StoredEntry> Unique(Random& random, size_t count, uint64_t first_sequence) {
    std::vector<StoredEntry> entries;
    for (size_t i = 0; i < count; ++i) {
      entries.push_back(MakePut(RandomBytes(random, HashedFixture::kWidth), first_sequence + i,
                                std::string(50, static_cast<char>('a' + i % 26))));
    }
    return entries;
  }

  HashedFixture fixture_;
};

TEST_F(HashedMergeTest, RecordsOfAnIngestedSegmentGetItsNumberAndHideOlderOnes) {
  Random random(801);
  const std::vector<StoredEntry> old_entries = Unique(random, 300, 1);
  std::vector<StoredEntry> file;
  std::vector<StoredEntry> expected(old_entries.begin() + 100, old_entries.end());
  for (size_t i = 0; i < 200; ++i) {  // half of them overwrite
    const std::string key = i < 100 ? std::string(UserKeyOf(old_entries[i].key))
                                    : RandomBytes(random, HashedFixture::kWidth);
    file.push_back(MakePut(key, 0, "new"));
    expected.push_back(MakePut(key, 500, "new"));
  }
  ASSERT_OK_AND_ASSIGN(const SegmentPtr old_segment, fixture_.WriteHashed(old_entries));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr stored, fixture_.WriteHashed(file));
  const auto ingested =
      std::make_shared<const SegmentMeta>(AsIngested(*stored, SequenceNumber{500}));
  const std::vector<SegmentPtr> inputs = {ingested, old_segment};
  EXPECT_EQ(ReadOutput(Merge(inputs, HashedFixture::LevelsOf(inputs))), Sorted(expected));
  // A snapshot from before keeps what it sees.
  for (size_t i = 0; i < 100; ++i) expected.push_back(old_entries[i]);
  EXPECT_EQ(ReadOutput(Merge(inputs, HashedFixture::LevelsOf(inputs), {SequenceNumber{499}})),
            Sorted(expected));
}

TEST_F(HashedMergeTest, ExtentsThatLoseNothingAreCopiedAsTheyAre) {
  Random random(800);
  const std::vector<StoredEntry> old_entries = Unique(random, 300, 1);
  const std::vector<StoredEntry> new_entries = Unique(random, 300, 301);
  ASSERT_OK_AND_ASSIGN(const SegmentPtr old_segment, fixture_.WriteHashed(old_entries));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr new_segment, fixture_.WriteHashed(new_entries));
  const JobResult result = Merge({new_segment, old_segment},
                                 HashedFixture::LevelsOf({new_segment, old_segment}));
  std::vector<StoredEntry> all = old_entries;
  all.insert(all.end(), new_entries.begin(), new_entries.end());
  EXPECT_EQ(ReadOutput(result), Sorted(all));
  EXPECT_EQ(result.entries_read, 600u);
  EXPECT_EQ(result.collected.passed, 600u);
  EXPECT_EQ(result.edit.removed.size(), 2u);
  EXPECT_EQ(result.bytes_read, old_segment->size + new_segment->size);
  const SegmentMeta& output = *result.edit.added[0].segment;
  EXPECT_EQ(result.bytes_written, output.size);
  EXPECT_EQ(result.created, (std::vector<FileNumber>{output.number}));
  // In the order of arrival, older ones first: the same bytes, extent by extent.
  ASSERT_OK_AND_ASSIGN(const auto merged, fixture_.Open(output));
  ASSERT_OK_AND_ASSIGN(const auto first, fixture_.Open(*old_segment));
  ASSERT_OK_AND_ASSIGN(const auto second, fixture_.Open(*new_segment));
  EXPECT_EQ(merged->extent_count(), first->extent_count() + second->extent_count());
  std::string merged_bytes;
  std::string input_bytes;
  for (uint32_t i = 0; i < merged->extent_count(); ++i) {
    const bool of_first = i < first->extent_count();
    ASSERT_OK(merged->ReadStored(i, 1, merged_bytes));
    ASSERT_OK((of_first ? first : second)
                  ->ReadStored(of_first ? i : i - first->extent_count(), 1, input_bytes));
    merged_bytes.resize(merged_bytes.size() - 4);  // the checksum, which knows its place
    input_bytes.resize(input_bytes.size() - 4);
    ASSERT_EQ(merged_bytes, input_bytes);
  }
}

// Extents of 64 bytes hold one record each; in a segment whose records may begin anywhere below 16 MiB
// 2048 of them can be located.
TEST_F(HashedMergeTest, WhatOneSegmentCannotLocateBecomesSeveralInTheOrderOfAge) {
  Random random(801);
  std::vector<SegmentPtr> newest_first;
  std::vector<StoredEntry> all;
  for (uint64_t i = 0; i < 5; ++i) {
    const std::vector<StoredEntry> entries = Unique(random, 700, 1 + 700 * i);
    all.insert(all.end(), entries.begin(), entries.end());
    ASSERT_OK_AND_ASSIGN(SegmentPtr segment, fixture_.WriteHashed(entries, 64));
    ASSERT_EQ(segment->data_block_count, 700u);
    newest_first.insert(newest_first.begin(), std::move(segment));
  }
  JobContext context = fixture_.Context();
  context.sink.segment.block_size = size_t{16} << 20;
  const JobResult result =
      RunCompactionJob(context, HashedFixture::MergeOf(newest_first),
                       HashedFixture::LevelsOf(newest_first), fixture_.directory);
  ASSERT_OK(result.status);
  ASSERT_EQ(result.edit.added.size(), 3u);
  EXPECT_EQ(result.created.size(), 3u);
  std::vector<StoredEntry> merged;
  uint64_t last = 0;
  uint64_t bytes = 0;
  for (const LevelSegment& added : result.edit.added) {
    EXPECT_GT(added.segment->sequence_min.value, last);
    last = added.segment->sequence_max.value;
    bytes += added.segment->size;
    ASSERT_OK_AND_ASSIGN(const auto reader, fixture_.Open(*added.segment));
    EXPECT_THAT(reader->Verify().problems, testing::IsEmpty());
    ASSERT_OK_AND_ASSIGN(const auto entries, fixture_.Read(*added.segment));
    merged.insert(merged.end(), entries.begin(), entries.end());
  }
  EXPECT_EQ(result.bytes_written, bytes);
  EXPECT_EQ(Sorted(merged), Sorted(all));
}

// As Compact() does it where all there is comes to more than one segment may hold.
TEST_F(HashedMergeTest, TombstonesReachTheOldestOfManySegments) {
  Random random(802);
  std::vector<StoredEntry> entries = Unique(random, 1000, 1);
  std::vector<StoredEntry> tombstones;
  for (size_t i = 0; i < 500; ++i) {
    tombstones.push_back(MakeTombstone(std::string(UserKeyOf(entries[i].key)), 3000 + i));
  }
  ASSERT_OK_AND_ASSIGN(const SegmentPtr oldest, fixture_.WriteHashed(entries));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr middle,
                       fixture_.WriteHashed(Unique(random, 1000, 1001)));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr newest, fixture_.WriteHashed(tombstones));
  Compaction compaction = HashedFixture::MergeOf({newest, middle, oldest});
  compaction.output_bytes_max = middle->size + newest->size;
  const JobResult result =
      RunCompactionJob(fixture_.Context(), compaction,
                       HashedFixture::LevelsOf({newest, middle, oldest}), fixture_.directory);
  ASSERT_OK(result.status);
  ASSERT_EQ(result.edit.added.size(), 2u);
  EXPECT_EQ(result.edit.added[0].segment->entry_count, 500u);
  EXPECT_EQ(result.edit.added[1].segment->entry_count, 1000u);
  EXPECT_EQ(result.collected.tombstones, 500u);
}

TEST_F(HashedMergeTest, AMergeThatReclaimsLosesWhatNewerSegmentsHideAndTombstonesOfAbsentKeys) {
  Random random(803);
  const std::vector<StoredEntry> oldest_entries = Unique(random, 400, 1);
  std::vector<StoredEntry> middle_entries = Unique(random, 200, 1001);
  for (size_t i = 0; i < 100; ++i) {  // of keys that the oldest has, and of keys that nobody has
    middle_entries.push_back(
        MakeTombstone(std::string(UserKeyOf(oldest_entries[i].key)), 1300 + i));
    middle_entries.push_back(
        MakeTombstone(RandomBytes(random, HashedFixture::kWidth), 1500 + i));
  }
  std::vector<StoredEntry> newest_entries;
  for (size_t i = 0; i < 50; ++i) {
    newest_entries.push_back(
        MakePut(std::string(UserKeyOf(middle_entries[i].key)), 2000 + i, "new"));
    newest_entries.push_back(
        MakeTombstone(std::string(UserKeyOf(oldest_entries[200 + i].key)), 2100 + i));
  }
  ASSERT_OK_AND_ASSIGN(const SegmentPtr oldest, fixture_.WriteHashed(oldest_entries));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr middle, fixture_.WriteHashed(middle_entries));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr newest, fixture_.WriteHashed(newest_entries));
  const auto reclaim = [&](const SegmentPtr& input, std::vector<SegmentPtr> newer,
                           const Levels& levels, std::vector<SequenceNumber> snapshots = {}) {
    Compaction compaction = HashedFixture::MergeOf({input});
    compaction.reclaims = true;
    compaction.newer = std::move(newer);
    return RunCompactionJob(fixture_.Context(std::move(snapshots)), compaction, levels,
                            fixture_.directory);
  };
  const Levels levels = HashedFixture::LevelsOf({newest, middle, oldest});
  // The oldest loses what the two above it hide: 100 and 50.
  const JobResult first = reclaim(oldest, {newest, middle}, levels);
  std::vector<StoredEntry> expected(oldest_entries.begin() + 100, oldest_entries.begin() + 200);
  expected.insert(expected.end(), oldest_entries.begin() + 250, oldest_entries.end());
  EXPECT_EQ(ReadOutput(first), Sorted(expected));
  EXPECT_EQ(first.edit.removed, (std::vector<FileNumber>{oldest->number}));
  // While it stands there as it was, tombstones that it needs stay.
  const JobResult too_early = reclaim(middle, {newest}, levels);
  expected.assign(middle_entries.begin() + 50, middle_entries.begin() + 200);
  for (size_t i = 200; i < 400; i += 2) expected.push_back(middle_entries[i]);
  EXPECT_EQ(ReadOutput(too_early), Sorted(expected));
  // Afterwards they go too.
  const SegmentPtr rewritten = first.edit.added[0].segment;
  const JobResult second = reclaim(middle, {newest},
                                   HashedFixture::LevelsOf({newest, middle, rewritten}));
  expected.assign(middle_entries.begin() + 50, middle_entries.begin() + 200);
  EXPECT_EQ(ReadOutput(second), Sorted(expected));
  // A snapshot between keeps all that it sees.
  const JobResult held = reclaim(oldest, {newest, middle}, levels, {SequenceNumber{1000}});
  EXPECT_EQ(ReadOutput(held), Sorted(oldest_entries));
}

TEST_F(HashedMergeTest, VersionsAndTombstonesThatNobodySeesGo) {
  const std::string k(12, 'k');
  const std::string l(12, 'l');
  const std::string m(12, 'm');
  ASSERT_OK_AND_ASSIGN(const SegmentPtr old_segment,
                       fixture_.WriteHashed({MakePut(k, 1, "k1"), MakePut(l, 2, "l2"),
                                             MakePut(m, 3, "m")}));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr new_segment,
                       fixture_.WriteHashed({MakePut(k, 4, "k4"), MakeTombstone(l, 5),
                                             MakePut(m, 6, "m")}));
  const Levels levels = HashedFixture::LevelsOf({new_segment, old_segment});
  const JobResult result = Merge({new_segment, old_segment}, levels);
  EXPECT_EQ(ReadOutput(result), (std::vector<StoredEntry>{MakePut(k, 4, "k4"), MakePut(m, 6, "m")}));
  EXPECT_EQ(result.collected.shadowed, 3u);
  EXPECT_EQ(result.collected.tombstones, 1u);
  EXPECT_EQ(result.collected.passed, 2u);
  // A snapshot before the new segment sees the old versions.
  const JobResult kept = Merge({new_segment, old_segment}, levels, {{3}});
  EXPECT_EQ(ReadOutput(kept).size(), 6u);
}

TEST_F(HashedMergeTest, ATombstoneStaysWhileAnOlderSegmentIsLeftOut) {
  const std::string k(12, 'k');
  ASSERT_OK_AND_ASSIGN(const SegmentPtr oldest, fixture_.WriteHashed({MakePut(k, 1, "k")}));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr middle, fixture_.WriteHashed({MakeTombstone(k, 2)}));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr newest,
                       fixture_.WriteHashed({MakePut(std::string(12, 'n'), 3, "n")}));
  const Levels levels = HashedFixture::LevelsOf({oldest, middle, newest});
  EXPECT_EQ(ReadOutput(Merge({newest, middle}, levels)).size(), 2u);
  EXPECT_EQ(ReadOutput(Merge({newest, middle, oldest}, levels)).size(), 1u);
  // A newer segment that is left out does not matter.
  EXPECT_TRUE(ReadOutput(Merge({middle, oldest}, levels)).empty());
}

TEST_F(HashedMergeTest, NothingIsWrittenWhenNothingStays) {
  const std::string k(12, 'k');
  ASSERT_OK_AND_ASSIGN(const SegmentPtr segment,
                       fixture_.WriteHashed({MakePut(k, 1, "v"), MakeTombstone(k, 2)}));
  const JobResult result = Merge({segment}, HashedFixture::LevelsOf({segment}));
  ASSERT_OK(result.status);
  EXPECT_TRUE(result.edit.added.empty());
  EXPECT_EQ(result.edit.removed.size(), 1u);
  EXPECT_TRUE(result.created.empty());
}

// Segments of a random history, merged by parts and again, under snapshots: what each snapshot and
// "now" sees is what the model says, and garbage is what the collector's rule calls so.
TEST_F(HashedMergeTest, EverySnapshotSeesTheSameAfterAnyMerges) {
  for (uint64_t seed = 810; seed < 835; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    HashedFixture fixture;
    std::vector<StoredEntry> all;
    std::vector<SegmentPtr> segments;  // oldest first
    for (uint64_t i = 0, count = 2 + random.Uniform(7); i < count; ++i) {
      ASSERT_OK_AND_ASSIGN(SegmentPtr segment,
                           fixture.WriteRandom(random, 1 + random.Uniform(300), all));
      segments.push_back(std::move(segment));
    }
    std::vector<SequenceNumber> snapshots;
    for (uint64_t i = random.Uniform(4); i > 0; --i) {
      snapshots.push_back({1 + random.Uniform(fixture.sequence())});
    }
    std::sort(snapshots.begin(), snapshots.end());
    snapshots.erase(std::unique(snapshots.begin(), snapshots.end()), snapshots.end());

    while (segments.size() > 1) {
      const size_t begin = random.Uniform(segments.size());
      const size_t limit = begin + 1 + random.Uniform(segments.size() - begin);
      const auto at = [&segments](size_t i) {
        return segments.begin() + static_cast<std::ptrdiff_t>(i);
      };
      std::vector<SegmentPtr> inputs(at(begin), at(limit));
      std::reverse(inputs.begin(), inputs.end());
      const Levels levels = HashedFixture::LevelsOf(segments);
      const JobResult result = RunHashedMerge(fixture.Context(snapshots),
                                              HashedFixture::MergeOf(inputs), levels,
                                              fixture.directory);
      ASSERT_OK(result.status);
      std::vector<StoredEntry> input_entries;
      for (const SegmentPtr& input : inputs) {
        ASSERT_OK_AND_ASSIGN(const auto entries, fixture.Read(*input));
        input_entries.insert(input_entries.end(), entries.begin(), entries.end());
      }
      const std::vector<StoredEntry> expected =
          CollectGarbage(input_entries, snapshots, begin > 0);
      EXPECT_EQ(result.collected.passed, expected.size());
      EXPECT_EQ(result.entries_read, input_entries.size());
      segments.erase(at(begin), at(limit));
      if (!result.edit.added.empty()) {
        const SegmentPtr output = result.edit.added[0].segment;
        ASSERT_OK_AND_ASSIGN(const auto reader, fixture.Open(*output));
        ASSERT_THAT(reader->Verify().problems, testing::IsEmpty());
        ASSERT_OK_AND_ASSIGN(const auto entries, fixture.Read(*output));
        ASSERT_EQ(entries, expected);
        segments.insert(at(begin), output);
      } else {
        ASSERT_TRUE(expected.empty());
      }
    }

    std::vector<SequenceNumber> views = snapshots;
    views.push_back(kMaxSequenceNumber);
    std::map<std::string, std::vector<StoredEntry>> by_key;
    for (const StoredEntry& entry : all) {
      by_key[std::string(UserKeyOf(entry.key))].push_back(entry);
    }
    for (const SequenceNumber view : views) {
      for (const auto& [key, versions] : by_key) {
        const StoredEntry* visible = nullptr;
        for (const StoredEntry& version : versions) {
          if (SequenceOf(version.key) <= view) visible = &version;
        }
        std::optional<FoundEntry> found;
        for (const SegmentPtr& segment : segments) {
          ASSERT_OK_AND_ASSIGN(const auto reader, fixture.Open(*segment));
          ASSERT_OK_AND_ASSIGN(found, reader->Get(key, view));
        }
        const bool is_there = visible != nullptr && KindOf(visible->key) == EntryKind::kPut;
        ASSERT_EQ(found.has_value() && found->kind == EntryKind::kPut, is_there);
        if (is_there) {
          ASSERT_EQ(found->value, visible->value);
        }
      }
    }
  }
}

TEST_F(HashedMergeTest, DamageInAnInputEndsItAndNamesThePlace) {
  Random random(801);
  ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture_.WriteHashed(Unique(random, 100, 1)));
  const std::string path = fixture_.directory.PathOf(segment->number);
  ASSERT_OK_AND_ASSIGN(const auto file, fixture_.file_system.OpenForWrite(path));
  const uint8_t damage[3] = {1, 2, 3};
  ASSERT_OK(file->Write(600, {ByteSpan(damage, 3)}));
  const JobResult result = Merge({segment}, HashedFixture::LevelsOf({segment}));
  EXPECT_THAT(result.status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(absl::StrCat(path, ": offset "))));
  EXPECT_EQ(result.created.size(), 1u);  // for the caller to remove
}

TEST_F(HashedMergeTest, InputsOfAnotherLayoutOrKeySizeAreRefused) {
  Random random(802);
  ASSERT_OK_AND_ASSIGN(const SegmentPtr hashed, fixture_.WriteHashed(Unique(random, 10, 1)));
  ASSERT_OK_AND_ASSIGN(const auto ordered, fixture_.Write({MakePut("k", 20, "v")}, 1 << 20));
  EXPECT_THAT(Merge({ordered[0], hashed}, HashedFixture::LevelsOf({ordered[0], hashed})).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("one key size")));
  ASSERT_OK_AND_ASSIGN(const SegmentPtr wider,
                       fixture_.WriteHashed({MakePut(std::string(20, 'w'), 30, "v")}, 256, 20));
  EXPECT_THAT(Merge({wider, hashed}, HashedFixture::LevelsOf({wider, hashed})).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("one key size")));
}

TEST_F(HashedMergeTest, ACancelledMergeEndsAndTheBudgetIsChargedForReadingAndWriting) {
  Random random(803);
  ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture_.WriteHashed(Unique(random, 20'000, 1)));
  const Levels levels = HashedFixture::LevelsOf({segment});
  const std::atomic<bool> cancelled{true};
  JobContext context = fixture_.Context();
  context.cancelled = &cancelled;
  EXPECT_THAT(
      RunHashedMerge(context, HashedFixture::MergeOf({segment}), levels, fixture_.directory).status,
      StatusIs(absl::StatusCode::kCancelled));

  ManualClock clock;
  IoBudget budget(clock, 0);
  context = fixture_.Context();
  context.io_budget = &budget;
  ASSERT_OK(RunHashedMerge(context, HashedFixture::MergeOf({segment}), levels, fixture_.directory)
                .status);
  ASSERT_OK_AND_ASSIGN(const auto reader, fixture_.Open(*segment));
  const uint64_t data = reader->properties().data_size;
  EXPECT_GT(budget.charged_bytes(), 2 * data - (300 << 10));
  EXPECT_LE(budget.charged_bytes(), 2 * data + (300 << 10));
}

TEST_F(HashedMergeTest, AnOutputThatCannotBeCreatedIsAnErrorAndIsNamed) {
  Random random(804);
  ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture_.WriteHashed(Unique(random, 100, 1)));
  JobContext context = fixture_.Context();
  context.sink.directory = "nowhere";
  const JobResult result = RunHashedMerge(context, HashedFixture::MergeOf({segment}),
                                          HashedFixture::LevelsOf({segment}), fixture_.directory);
  EXPECT_FALSE(result.status.ok());
  EXPECT_EQ(result.created.size(), 1u);
}

}  // namespace
}  // namespace firn
