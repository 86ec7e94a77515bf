#include "engine/version.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "sstable/internal_key.h"
#include "sstable/segment_writer.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;

struct Entry {
  std::string key;
  uint64_t sequence;
  EntryKind kind = EntryKind::kPut;
};

// Values name their place: "memtable 7" is the entry of sequence 7 in a memtable.
class VersionTest : public ::testing::Test {
 protected:
  VersionTest()
      : cache_(file_system_, 16, nullptr, nullptr), segments_(cache_, "k") {
    EXPECT_THAT(file_system_.CreateDirectory("k"), IsOk());
  }

  std::shared_ptr<Memtable> MakeMemtable(const std::vector<Entry>& entries) {
    std::shared_ptr<Memtable> memtable = Memtable::Create();
    for (const Entry& entry : entries) {
      memtable->Add(SequenceNumber{entry.sequence}, entry.kind, entry.key,
                    entry.kind == EntryKind::kPut ? absl::StrCat("memtable ", entry.sequence) : "");
    }
    return memtable;
  }
  // `entries` in the order of internal keys.
  SegmentPtr MakeSegment(const std::vector<Entry>& entries) {
    const FileNumber number{next_file_++};
    auto writer = SegmentWriter::Create(file_system_, segments_.PathOf(number), {}, number,
                                        number.value * 77);
    EXPECT_THAT(writer, IsOk());
    for (const Entry& entry : entries) {
      EXPECT_THAT((*writer)->Add(
                      EncodeInternalKey({entry.key, SequenceNumber{entry.sequence}, entry.kind}),
                      entry.kind == EntryKind::kPut ? absl::StrCat("segment ", entry.sequence) : ""),
                  IsOk());
    }
    return std::make_shared<const SegmentMeta>((*writer)->Finish().value());
  }
  std::shared_ptr<const Levels> MakeLevels(const std::vector<LevelSegment>& added) {
    return std::make_shared<const Levels>(Levels().Apply({added, {}}).value());
  }
  static std::string Show(const absl::StatusOr<PinnedValue>& value) {
    return value.ok() ? value->ToString() : absl::IsNotFound(value.status()) ? "-" : "error";
  }
  std::string Get(const Version& version, absl::string_view key, uint64_t sequence) {
    return Show(version.Get(key, SequenceNumber{sequence}, segments_));
  }

  MemoryFileSystem file_system_;
  SegmentCache cache_;
  SegmentDirectory segments_;
  uint64_t next_file_ = 1;
};

TEST_F(VersionTest, TheNewestVisibleEntryOfAllPartsDecides) {
  const Version version(
      MakeMemtable({{"a", 50}, {"gone", 51, EntryKind::kTombstone}}),
      {{MakeMemtable({{"a", 40}, {"b", 41}}), SequenceNumber{41}},
       {MakeMemtable({{"a", 30}, {"c", 31}}), SequenceNumber{31}}},
      MakeLevels({{LevelIndex{0}, MakeSegment({{"a", 20}, {"d", 21}})},
                  {LevelIndex{0}, MakeSegment({{"a", 15}, {"e", 16, EntryKind::kTombstone}})},
                  {LevelIndex{1}, MakeSegment({{"a", 5}, {"e", 6}, {"gone", 7}})},
                  {LevelIndex{2}, MakeSegment({{"f", 1}})},
                  {LevelIndex{2}, MakeSegment({{"g", 2}})}}));
  EXPECT_EQ(Get(version, "a", 100), "memtable 50");
  EXPECT_EQ(Get(version, "a", 49), "memtable 40");
  EXPECT_EQ(Get(version, "a", 39), "memtable 30");
  EXPECT_EQ(Get(version, "a", 29), "segment 20");
  EXPECT_EQ(Get(version, "a", 19), "segment 15");
  EXPECT_EQ(Get(version, "a", 14), "segment 5");
  EXPECT_EQ(Get(version, "a", 4), "-");
  EXPECT_EQ(Get(version, "gone", 100), "-");
  EXPECT_EQ(Get(version, "gone", 50), "segment 7");
  EXPECT_EQ(Get(version, "e", 100), "-");
  EXPECT_EQ(Get(version, "e", 15), "segment 6");
  EXPECT_EQ(Get(version, "g", 100), "segment 2");
  EXPECT_EQ(Get(version, "nothing", 100), "-");
  EXPECT_EQ(version.oldest_in_memory(), SequenceNumber{30});

  const std::vector<absl::string_view> keys = {"g", "a", "e", "gone", "x", "f", "b", "d", "c", "a"};
  for (const uint64_t sequence : {100u, 45u, 25u, 10u, 1u}) {
    const auto values = version.MultiGet(keys, SequenceNumber{sequence}, segments_);
    ASSERT_EQ(values.size(), keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(Show(values[i]), Get(version, keys[i], sequence)) << keys[i] << " at " << sequence;
    }
  }
}

TEST_F(VersionTest, ACachedGetAnswersWhatNeedsNoReadAndNothingElse) {
  BlockCache blocks(1 << 20);
  SegmentCache cache(file_system_, 16, &blocks, nullptr);
  SegmentDirectory segments(cache, "k");
  const auto levels = MakeLevels({{LevelIndex{0}, MakeSegment({{"a", 20}, {"d", 21}})},
                                  {LevelIndex{1}, MakeSegment({{"a", 5}, {"x", 6}})}});
  const auto show = [](const Version& version, absl::string_view key, uint64_t sequence) {
    const auto found = version.GetCached(key, SequenceNumber{sequence});
    return found.has_value() ? Show(*found) : "needs a read";
  };
  const Epochs::Guard guard(blocks.epochs());
  const auto expect_many_as_one = [&](const Version& version) {
    for (const uint64_t sequence : {100u, 19u, 4u}) {
      SegmentLookup lookups[Version::kManyMax];
      const std::vector<absl::string_view> keys = {"x", "m", "a", "zzz", "d", "a", "c", "m"};
      for (size_t i = 0; i < std::size(lookups); ++i) lookups[i].user_key = keys[i % keys.size()];
      version.GetManyCached(absl::MakeSpan(lookups), SequenceNumber{sequence});
      for (const SegmentLookup& lookup : lookups) {
        std::string seen = "-";
        if (lookup.found.has_value()) seen = std::string(lookup.found->value);
        if (lookup.needs_read) seen = "needs a read";
        EXPECT_EQ(seen, show(version, lookup.user_key, sequence)) << lookup.user_key;
      }
    }
  };
  const Version version(MakeMemtable({{"m", 50}}), {}, levels);
  expect_many_as_one(version);
  EXPECT_EQ(show(version, "m", 100), "memtable 50");
  EXPECT_EQ(show(version, "zzz", 100), "-");  // in no segment's range
  EXPECT_EQ(show(version, "d", 100), "needs a read");
  EXPECT_EQ(Show(version.Get("d", SequenceNumber{100}, segments)), "segment 21");
  EXPECT_EQ(show(version, "d", 100), "segment 21");
  EXPECT_EQ(show(version, "a", 100), "segment 20");
  EXPECT_EQ(show(version, "a", 19), "needs a read");  // the older segment was not asked yet
  EXPECT_EQ(Show(version.Get("x", SequenceNumber{100}, segments)), "segment 6");
  EXPECT_EQ(show(version, "a", 19), "segment 5");
  EXPECT_EQ(show(version, "a", 4), "-");
  expect_many_as_one(version);

  // The next version knows the readers of this one; without room for readers none is kept.
  const Version next(MakeMemtable({}), {}, levels, &version);
  EXPECT_EQ(show(next, "x", 100), "segment 6");
  const Version crowded(MakeMemtable({}), {}, levels, &version, 1);
  EXPECT_EQ(Show(crowded.Get("x", SequenceNumber{100}, segments)), "segment 6");
  EXPECT_EQ(show(crowded, "x", 100), "needs a read");
  expect_many_as_one(crowded);
  blocks.SetCapacity(0);
  EXPECT_EQ(show(next, "x", 100), "needs a read");
}

TEST_F(VersionTest, AValueOutlivesItsVersion) {
  PinnedValue in_memory;
  PinnedValue on_disk;
  {
    const Version version(MakeMemtable({{"m", 9}}), {},
                          MakeLevels({{LevelIndex{1}, MakeSegment({{"s", 4}})}}));
    in_memory = version.Get("m", SequenceNumber{10}, segments_).value();
    on_disk = version.Get("s", SequenceNumber{10}, segments_).value();
  }
  EXPECT_EQ(in_memory.view(), "memtable 9");
  EXPECT_EQ(on_disk.view(), "segment 4");
}

TEST_F(VersionTest, AnIteratorMergesOnlyThePartsInItsRange) {
  const Version version(
      MakeMemtable({{"b", 50}}), {},
      MakeLevels({{LevelIndex{0}, MakeSegment({{"a", 20}, {"c", 21}})},
                  {LevelIndex{1}, MakeSegment({{"b", 6}})},
                  {LevelIndex{1}, MakeSegment({{"x", 7}})}}));
  ASSERT_OK_AND_ASSIGN(const auto iterator, version.NewIterator("a", "c", segments_));
  std::vector<uint64_t> sequences;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    sequences.push_back(SequenceOf(iterator->key()).value);
  }
  EXPECT_THAT(iterator->status(), IsOk());
  EXPECT_THAT(sequences, ElementsAre(20, 50, 6, 21));
}

TEST_F(VersionTest, ADamagedSegmentIsAnErrorOfItsKeysAlone) {
  const SegmentPtr bad = MakeSegment({{"s", 4}});
  ASSERT_THAT(file_system_.RemoveFile(segments_.PathOf(bad->number)), IsOk());
  const Version version(MakeMemtable({{"m", 9}}), {}, MakeLevels({{LevelIndex{1}, bad}}));
  EXPECT_EQ(Get(version, "m", 10), "memtable 9");
  EXPECT_EQ(Get(version, "a", 10), "-");
  EXPECT_THAT(version.Get("s", SequenceNumber{10}, segments_), HasReason(ErrorReason::kMissingFile));
  const auto values = version.MultiGet({"s", "m", "a"}, SequenceNumber{10}, segments_);
  EXPECT_EQ(Show(values[0]), "error");
  EXPECT_EQ(Show(values[1]), "memtable 9");
  EXPECT_EQ(Show(values[2]), "-");
}

}  // namespace
}  // namespace firn
