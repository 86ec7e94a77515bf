#include "compaction/shadowed_records.h"

#include <set>

#include "tests/compaction/hashed_fixture.h"

namespace firn {
namespace {

absl::Status DoNotPace(uint64_t) { return absl::OkStatus(); }

// Internal keys of the records at these locations.
std::multiset<std::string> KeysAt(const HashedSegmentReader& reader,
                                  const std::vector<uint32_t>& locations) {
  std::multiset<std::string> keys;
  const LocationFormat format = reader.index().location();
  for (const uint32_t location : locations) {
    const auto extents = reader.FetchExtents({format.ExtentOf(location)}, CacheUse::kProbe);
    EXPECT_OK(extents);
    ExtentRecord record;
    EXPECT_OK(reader.ParseRecord(*extents->front(), location, record));
    keys.insert(EncodeInternalKey({record.user_key, record.sequence, record.kind}));
  }
  return keys;
}

TEST(ShadowedRecordsTest, AreThoseThatTheGarbageCollectorDrops) {
  for (uint64_t seed = 700; seed < 730; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    HashedFixture fixture;
    std::vector<StoredEntry> all;
    std::vector<std::shared_ptr<const HashedSegmentReader>> inputs;
    for (uint64_t i = 0, count = 1 + random.Uniform(6); i < count; ++i) {
      ASSERT_OK_AND_ASSIGN(const SegmentPtr segment,
                           fixture.WriteRandom(random, 1 + random.Uniform(600), all));
      ASSERT_OK_AND_ASSIGN(auto reader, fixture.Open(*segment));
      inputs.push_back(std::move(reader));
    }
    std::vector<SequenceNumber> snapshots;
    for (uint64_t i = random.Uniform(4); i > 0; --i) {
      snapshots.push_back({random.Uniform(fixture.sequence() + 5)});
    }
    std::sort(snapshots.begin(), snapshots.end());
    snapshots.erase(std::unique(snapshots.begin(), snapshots.end()), snapshots.end());

    ASSERT_OK_AND_ASSIGN(const ShadowedRecords found,
                         FindShadowedRecords(inputs, snapshots, DoNotPace,
                                             random.OneIn(2) ? 1 + random.Uniform(50) : 1 << 18));
    std::multiset<std::string> dropped;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<uint32_t>& locations = found.locations[i];
      EXPECT_TRUE(std::is_sorted(locations.begin(), locations.end()));
      dropped.merge(KeysAt(*inputs[i], locations));
    }
    std::multiset<std::string> expected;
    for (const StoredEntry& entry : all) expected.insert(entry.key);
    for (const StoredEntry& entry : CollectGarbage(all, snapshots, true)) expected.erase(entry.key);
    EXPECT_EQ(dropped, expected);
  }
}

TEST(ShadowedRecordsTest, TheSameEntryInTwoInputsIsKeptOnce) {
  HashedFixture fixture;
  const std::string key(HashedFixture::kWidth, 'k');
  std::vector<std::shared_ptr<const HashedSegmentReader>> inputs;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture.WriteHashed({MakePut(key, 5, "v")}));
    ASSERT_OK_AND_ASSIGN(auto reader, fixture.Open(*segment));
    inputs.push_back(std::move(reader));
  }
  ASSERT_OK_AND_ASSIGN(const ShadowedRecords found, FindShadowedRecords(inputs, {}, DoNotPace));
  EXPECT_EQ(found.locations[0].size(), 1u);
  EXPECT_EQ(found.locations[1].size(), 1u);
  EXPECT_TRUE(found.locations[2].empty());
}

TEST(ShadowedRecordsTest, UniqueKeysCostAlmostNoReads) {
  Random random(31);
  HashedFixture fixture;
  std::vector<std::shared_ptr<const HashedSegmentReader>> inputs;
  uint64_t sequence = 0;
  for (int i = 0; i < 8; ++i) {
    std::vector<StoredEntry> entries;
    for (int j = 0; j < 4000; ++j) {
      entries.push_back(MakePut(RandomBytes(random, HashedFixture::kWidth), ++sequence, "v"));
    }
    ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture.WriteHashed(entries));
    ASSERT_OK_AND_ASSIGN(auto reader, fixture.Open(*segment));
    inputs.push_back(std::move(reader));
  }
  uint64_t bytes = 0;
  const auto pace = [&bytes](uint64_t read) {
    bytes += read;
    return absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const ShadowedRecords found, FindShadowedRecords(inputs, {}, pace));
  for (const auto& locations : found.locations) EXPECT_TRUE(locations.empty());
  // 32,000 records of about 40 bytes; one in 400 is looked at, with its extent of 256 bytes.
  EXPECT_LT(bytes, 60'000u);
}

TEST(ShadowedRecordsTest, LargeExtentsAreNotReadAllAtOnce) {
  HashedFixture fixture;
  Random random(810);
  std::vector<std::string> keys;
  for (int i = 0; i < 24; ++i) keys.push_back(RandomBytes(random, HashedFixture::kWidth));
  std::vector<std::shared_ptr<const HashedSegmentReader>> inputs;
  for (uint64_t input = 0; input < 2; ++input) {
    std::vector<StoredEntry> entries;
    for (size_t i = 0; i < keys.size(); ++i) {
      entries.push_back(MakePut(keys[i], 100 * input + i + 1, RandomBytes(random, 100 << 10)));
    }
    ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture.WriteHashed(entries));
    ASSERT_OK_AND_ASSIGN(auto reader, fixture.Open(*segment));
    inputs.push_back(std::move(reader));
  }
  uint64_t most = 0;
  const auto pace = [&most](uint64_t read) {
    most = std::max(most, read);
    return absl::OkStatus();
  };
  ASSERT_OK_AND_ASSIGN(const ShadowedRecords found, FindShadowedRecords(inputs, {}, pace));
  EXPECT_EQ(found.locations[0].size(), keys.size());
  EXPECT_GT(most, 0u);
  EXPECT_LE(most, 1u << 20);
}

TEST(ShadowedRecordsTest, TheFirstErrorOfThePacerEndsIt) {
  Random random(32);
  HashedFixture fixture;
  std::vector<StoredEntry> all;
  ASSERT_OK_AND_ASSIGN(const SegmentPtr segment, fixture.WriteRandom(random, 500, all));
  ASSERT_OK_AND_ASSIGN(const auto reader, fixture.Open(*segment));
  const auto pace = [](uint64_t) { return absl::CancelledError("enough"); };
  EXPECT_THAT(FindShadowedRecords({reader}, {}, pace).status(),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace firn
