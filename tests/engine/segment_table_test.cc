#include "engine/segment_table.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

SegmentPtr MakeMeta(uint64_t number, absl::string_view smallest, absl::string_view largest,
                    uint64_t sequence) {
  SegmentMeta meta;
  meta.number = FileNumber{number};
  meta.id = number * 31;
  meta.entry_count = 2;
  meta.smallest = EncodeInternalKey({smallest, SequenceNumber{sequence}, EntryKind::kPut});
  meta.largest = EncodeInternalKey({largest, SequenceNumber{sequence}, EntryKind::kPut});
  meta.sequence_min = meta.sequence_max = SequenceNumber{sequence};
  return std::make_shared<const SegmentMeta>(std::move(meta));
}

// Keys over a small alphabet around 8 bytes, so that prefixes are often equal where keys are not.
std::string RandomKey(Random& random) {
  std::string key(6 + random.Uniform(5), 'a');
  for (char& c : key) c = static_cast<char>('a' + random.Uniform(2));
  return key;
}

TEST(SegmentTableTest, FindsTheSameCandidatesAsTheLevelsDo) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> keys;
    for (int i = 0; i < 20; ++i) keys.push_back(RandomKey(random));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    LevelsEdit edit;
    uint64_t number = 1;
    for (size_t i = 0; i + 1 < keys.size(); i += 2) {
      edit.added.push_back({LevelIndex{1}, MakeMeta(number++, keys[i], keys[i + 1], 5)});
    }
    edit.added.push_back({LevelIndex{0}, MakeMeta(number++, keys[2], keys[5], 9)});
    const Levels levels = Levels().Apply(edit).value();
    const SegmentTable table(levels, nullptr, 100);
    for (int i = 0; i < 50; ++i) {
      const std::string key = RandomKey(random);
      const SegmentMeta* const expected = levels.Candidate(LevelIndex{1}, key);
      const SegmentTable::Entry* const found =
          table.Candidate(LevelIndex{1}, key, KeyPrefix(key));
      EXPECT_EQ(found == nullptr ? nullptr : &found->meta(), expected) << key;
      const SegmentTable::Entry& newest = table.level(LevelIndex{0}).front();
      EXPECT_EQ(newest.Holds(key, KeyPrefix(key)), key >= keys[2] && key <= keys[5]) << key;
    }
    EXPECT_EQ(table.Candidate(LevelIndex{2}, keys[0], KeyPrefix(keys[0])), nullptr);
  }
}

}  // namespace
}  // namespace firn
