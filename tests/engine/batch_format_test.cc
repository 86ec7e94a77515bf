#include "engine/batch_format.h"

#include <string>
#include <vector>

#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

struct OwnedEntry {
  EntryKind kind;
  uint32_t keyspace;
  std::string key;
  std::string value;
  friend bool operator==(const OwnedEntry&, const OwnedEntry&) = default;
};

absl::StatusOr<std::vector<OwnedEntry>> Decode(ByteSpan entries) {
  std::vector<OwnedEntry> decoded;
  const absl::Status status = ForEachEntry(entries, [&](const BatchEntry& entry) {
    decoded.push_back({entry.kind, entry.keyspace.value, std::string(entry.key),
                       std::string(entry.value)});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return decoded;
}

void Append(std::string& entries, const OwnedEntry& entry) {
  if (entry.kind == EntryKind::kPut) {
    AppendPut(entries, {entry.keyspace}, entry.key, entry.value);
  } else {
    AppendRemove(entries, {entry.keyspace}, entry.key);
  }
}

std::string GroupOf(SequenceNumber first, uint32_t count, const std::string& entries) {
  const auto header = EncodeGroupHeader({.first_sequence = first, .count = count});
  return std::string(AsText(header)) + entries;
}

std::vector<OwnedEntry> RandomEntries(Random& random) {
  std::vector<OwnedEntry> entries(1 + random.Uniform(20));
  for (OwnedEntry& entry : entries) {
    entry.kind = random.OneIn(3) ? EntryKind::kTombstone : EntryKind::kPut;
    entry.keyspace = static_cast<uint32_t>(random.Next() >> random.Uniform(64));
    entry.key = RandomKey(random, 300);
    if (entry.kind == EntryKind::kPut) entry.value = RandomValue(random, 40000);
  }
  return entries;
}

TEST(BatchFormatTest, WhatIsEncodedIsDecoded) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const std::vector<OwnedEntry> entries = RandomEntries(random);
    std::string encoded;
    for (const OwnedEntry& entry : entries) Append(encoded, entry);
    EXPECT_THAT(Decode(AsBytes(encoded)), IsOkAndHolds(entries));

    const std::string payload =
        GroupOf({77}, static_cast<uint32_t>(entries.size()), encoded);
    ASSERT_OK_AND_ASSIGN(const Group group, DecodeGroup(AsBytes(payload)));
    EXPECT_EQ(group.header.first_sequence, SequenceNumber{77});
    EXPECT_EQ(group.header.count, entries.size());
    EXPECT_THAT(Decode(group.entries), IsOkAndHolds(entries));
  }
}

TEST(BatchFormatTest, NoEntriesAreNoError) {
  EXPECT_THAT(Decode({}), IsOkAndHolds(std::vector<OwnedEntry>{}));
}

TEST(BatchFormatTest, EveryTruncationOfAGroupIsRefused) {
  std::string entries;
  AppendPut(entries, {1}, "key", std::string(300, 'v'));
  AppendRemove(entries, {300}, "other key");
  const std::string payload = GroupOf({5}, 2, entries);
  EXPECT_OK(DecodeGroup(AsBytes(payload)));
  for (size_t size = 0; size < payload.size(); ++size) {
    SCOPED_TRACE(size);
    const auto group = DecodeGroup(AsBytes(payload).subspan(0, size));
    EXPECT_THAT(group, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(group, HasReason(ErrorReason::kSerialization));
  }
  EXPECT_THAT(DecodeGroup(AsBytes(payload + '\x02')), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(BatchFormatTest, ErrorsNameTheOffsetAndWhatWasFound) {
  std::string entries;
  AppendPut(entries, {1}, "k", "v");
  std::string bad = entries;
  bad.push_back('\x07');
  EXPECT_THAT(Decode(AsBytes(bad)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 6: entry kind: expected 1 or "
                                                              "2, found 7")));
  bad = entries;
  bad[2] = 100;
  EXPECT_THAT(Decode(AsBytes(bad)),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("offset 2: key past the end: expected 100 bytes, found 3")));
}

TEST(BatchFormatTest, SizesBeyondTheLimitsAreRefusedBeforeTheBytesAreLookedFor) {
  std::string entries;
  AppendRemove(entries, {1}, std::string(kKeySizeMax + 1, 'k'));
  EXPECT_THAT(Decode(AsBytes(entries)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("key size")));
  entries.clear();
  AppendRemove(entries, {1}, std::string(kKeySizeMax, 'k'));
  EXPECT_OK(Decode(AsBytes(entries)));
}

TEST(BatchFormatTest, HeadersThatCannotBeAreRefused) {
  std::string entries;
  AppendRemove(entries, {1}, "k");
  const std::string good = GroupOf(kMaxSequenceNumber, 1, entries);
  EXPECT_OK(DecodeGroup(AsBytes(good)));
  const auto refuses = [&](size_t offset, char byte, const char* what) {
    std::string bad = good;
    bad[offset] = byte;
    EXPECT_THAT(DecodeGroup(AsBytes(bad)), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(what)));
  };
  refuses(7, 1, "first sequence");
  refuses(8, 0, "without entries");
  refuses(8, 2, "run out");
  refuses(12, 1, "flags");
  refuses(15, 1, "flags");
  std::string miscounted = GroupOf({1}, 2, entries);
  EXPECT_THAT(DecodeGroup(AsBytes(miscounted)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("expected 2, found 1")));
  std::string zero = GroupOf({1}, 1, entries);
  zero[0] = 0;
  EXPECT_THAT(DecodeGroup(AsBytes(zero)), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(BatchFormatTest, AnErrorOfTheVisitorEndsTheWalk) {
  std::string entries;
  AppendRemove(entries, {1}, "a");
  AppendRemove(entries, {1}, "b");
  int visited = 0;
  EXPECT_THAT(ForEachEntry(AsBytes(entries),
                           [&](const BatchEntry&) {
                             ++visited;
                             return absl::AbortedError("enough");
                           }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(visited, 1);
}

TEST(BatchFormatTest, RandomDamageGivesAnErrorOrAGroupThatReadsThrough) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string entries;
    AppendPut(entries, {2}, RandomKey(random, 12), RandomKey(random, 30));
    AppendRemove(entries, {2}, RandomKey(random, 12));
    std::string payload = GroupOf({9}, 2, entries);
    for (uint64_t flips = random.Uniform(4) + 1; flips > 0; --flips) {
      payload[random.Uniform(payload.size())] = static_cast<char>(random.Next());
    }
    const auto group = DecodeGroup(AsBytes(payload));
    if (!group.ok()) continue;
    const auto decoded = Decode(group->entries);
    ASSERT_OK(decoded);
    EXPECT_EQ(decoded->size(), group->header.count);
  }
}

TEST(BatchFormatTest, ThePageInDocsIsWhatTheCodeWrites) {
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadGoldenHex("docs/formats/write_batch.md"));
  std::string entries;
  AppendPut(entries, {3}, "alice", "10");
  AppendRemove(entries, {300}, "bob");
  EXPECT_EQ(page, GroupOf({258}, 2, entries));
  EXPECT_OK(DecodeGroup(AsBytes(page)));
}

}  // namespace
}  // namespace firn
