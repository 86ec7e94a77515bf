#include "firn/option_names.h"

#include <set>
#include <string>
#include <vector>

#include "base/compression.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

auto Refused(const std::string& text) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text));
}

TEST(OptionNames, EveryRangeIsCheckedByName) {
  EXPECT_THAT(CheckOptions({}), IsOk());
  for (const OptionName& about : StoreOptionNames()) {
    Options options;
    const std::string name(about.name);
    EXPECT_THAT(SetOption(options, name, about.max + 1), Refused(name));
    EXPECT_EQ(GetOption(options, name).value(), GetOption(Options(), name).value()) << name;
    if (about.min > 1) {
      EXPECT_THAT(SetOption(options, name, about.min - 1), Refused(name));
    }
    EXPECT_THAT(SetOption(options, name, about.max), IsOk());
    EXPECT_EQ(GetOption(options, name).value(), about.max);
    EXPECT_THAT(SetOption(options, name, about.min), IsOk());
    EXPECT_EQ(GetOption(options, name).value(), about.min);
    const auto zero = SetOption(options, name, 0);
    EXPECT_EQ(zero.ok(), about.or_zero || about.min == 0) << name;
  }
  EXPECT_THAT(CheckOptions({.memtable_size = 1}), Refused("memtable_size"));
  EXPECT_THAT(CheckOptions({.memory_budget = 1 << 20}), Refused("neither 0 nor in [16777216"));
  EXPECT_THAT(CheckOptions({.background_threads = 1}), Refused("background_threads"));
}

TEST(OptionNames, KeyspaceOptionsAreCheckedByName) {
  EXPECT_THAT(CheckKeyspaceOptions({}), IsOk());
  EXPECT_THAT(CheckKeyspaceOptions({.block_size = 100}), Refused("block_size"));
  EXPECT_THAT(CheckKeyspaceOptions({.filter_bits_per_key = 33}), Refused("filter_bits_per_key"));
  EXPECT_THAT(CheckKeyspaceOptions({.layout = static_cast<KeyspaceLayout>(9)}), Refused("layout"));
  EXPECT_THAT(CheckKeyspaceOptions({.compression = static_cast<Compression>(9)}),
              Refused("compression"));
  EXPECT_THAT(CheckKeyspaceOptions({.layout = KeyspaceLayout::kHashed}), Refused("key_width"));
  EXPECT_THAT(CheckKeyspaceOptions({.layout = KeyspaceLayout::kHashed, .key_width = 65}),
              Refused("key_width"));
  EXPECT_THAT(CheckKeyspaceOptions({.layout = KeyspaceLayout::kHashed, .key_width = 32}), IsOk());
  EXPECT_THAT(CheckKeyspaceOptions({.size_limit = 1000}), Refused("size_limit"));
}

TEST(OptionNames, EachCodecHasLevelsOfItsOwn) {
  struct Case {
    Compression codec;
    uint32_t level_max;
  };
  std::vector<Case> cases = {
      {Compression::kNone, 0}, {Compression::kLz4, 65537}, {Compression::kLz4Hc, 12}};
  if (HasCompression(CompressionKind::kZstd)) {
    cases.push_back({Compression::kZstd, 19});
  } else {
    EXPECT_THAT(CheckCompression({Compression::kZstd, 0}), Refused("not in this build"));
  }
  for (const Case& one : cases) {
    EXPECT_THAT(CheckCompression({one.codec, 0}), IsOk());
    EXPECT_THAT(CheckCompression({one.codec, one.level_max}), IsOk());
    EXPECT_THAT(CheckCompression({one.codec, one.level_max + 1}), Refused("compression_level"));
    EXPECT_THAT(CheckKeyspaceOptions({.compression = one.codec,
                                      .compression_level = one.level_max + 1}),
                Refused("compression_level"));
  }
}

TEST(OptionNames, DifferencesAreNamedWithBothValues) {
  EXPECT_TRUE(KeyspaceOptionDifferences({}, {}).empty());
  const KeyspaceOptions asked{.layout = KeyspaceLayout::kHashed,
                              .key_width = 32,
                              .compression = Compression::kLz4Hc,
                              .compression_level = 5,
                              .block_size = 8192,
                              .size_limit = uint64_t{1} << 20};
  EXPECT_THAT(KeyspaceOptionDifferences({}, asked),
              ::testing::ElementsAre("layout is ordered, hashed was asked for",
                                     "compression is lz4, lz4hc was asked for",
                                     "compression_level is 0, 5 was asked for",
                                     "block_size is 4096, 8192 was asked for"));
}

TEST(OptionNames, WhatTwoOptionsAskOfEachOtherIsChecked) {
  EXPECT_THAT(CheckOptions({.level0_segments_merge = 20}), Refused("level0_segments_slow"));
  EXPECT_THAT(CheckOptions({.level0_segments_slow = 12, .level0_segments_stop = 12}),
              Refused("level0_segments_stop"));
  EXPECT_THAT(CheckKeyspaceOptions({.size_soft_limit = 2 << 20, .size_limit = 1 << 20}),
              Refused("size_soft_limit"));
  EXPECT_THAT(CheckKeyspaceOptions({.size_soft_limit = 2 << 20, .size_limit = 0}), IsOk());
}

TEST(OptionNames, AWordThatIsNoNameGetsTheNearestOneSuggested) {
  Options options;
  EXPECT_THAT(SetOption(options, "memtable_sise", 1), Refused("did you mean memtable_size?"));
  EXPECT_THAT(SetOption(options, "block_cahce_size", 1), Refused("did you mean block_cache_size?"));
  EXPECT_THAT(SetOption(options, "colour", 1), Refused("colour"));
  EXPECT_EQ(NearestName("colour", {"memtable_size", "segment_size"}), "");
  EXPECT_EQ(NearestName("ab", {"ba", "xyz"}), "ba");
  KeyspaceOptions keyspace;
  EXPECT_THAT(SetOption(keyspace, "blocksize", 1), Refused("did you mean block_size?"));
  EXPECT_THAT(GetOption(keyspace, "blocksize").status(), Refused("did you mean block_size?"));
}

TEST(OptionNames, NoNameStandsTwice) {
  std::set<std::string> names;
  for (const OptionName& about : StoreOptionNames()) names.emplace(about.name);
  for (const OptionName& about : KeyspaceOptionNames()) names.emplace(about.name);
  EXPECT_EQ(names.size(), StoreOptionNames().size() + KeyspaceOptionNames().size());
}

}  // namespace
}  // namespace firn
