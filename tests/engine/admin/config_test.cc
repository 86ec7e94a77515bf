#include "engine/admin/config.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "firn/option_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(Config, ReadsEveryOptionOfAStoreAndOfKeyspaces) {
  std::string text = "[store]\nstorage = \"memory\"\n";
  for (const OptionName& about : StoreOptionNames()) {
    absl::StrAppend(&text, about.name, " = ", about.max, "\n");
  }
  absl::StrAppend(&text, "[keyspaces.notes]\nlayout = \"hashed\"\ncompression = \"lz4\"\n");
  for (const OptionName& about : KeyspaceOptionNames()) {
    absl::StrAppend(&text, about.name, " = ", about.max, "\n");
  }
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(text, "F.toml"));
  EXPECT_EQ(config.store.storage, Storage::kMemory);
  for (const OptionName& about : StoreOptionNames()) {
    EXPECT_EQ(GetOption(config.store, about.name).value(), about.max) << about.name;
  }
  const KeyspaceOptions& notes = config.keyspaces.at("notes");
  EXPECT_EQ(notes.layout, KeyspaceLayout::kHashed);
  EXPECT_EQ(notes.compression, Compression::kLz4);
  for (const OptionName& about : KeyspaceOptionNames()) {
    EXPECT_EQ(GetOption(notes, about.name).value(), about.max) << about.name;
  }
}

TEST(Config, CodecsAreNamedAndTheirLevelsChecked) {
  for (const auto& [word, codec] : {std::pair("none", Compression::kNone),
                                    std::pair("lz4", Compression::kLz4),
                                    std::pair("lz4hc", Compression::kLz4Hc)}) {
    ASSERT_OK_AND_ASSIGN(
        const Config config,
        ParseConfig(absl::StrCat("[keyspace]\ncompression = \"", word, "\"\n"), "F.toml"));
    EXPECT_EQ(config.keyspace.compression, codec);
  }
  EXPECT_THAT(ParseConfig("[keyspace]\ncompression = \"lz4hc\"\ncompression_level = 13\n", "F.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("compression_level")));
  EXPECT_THAT(ParseConfig("[keyspace]\ncompression = \"snappy\"\n", "F.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("F.toml:2")));
}

TEST(Config, OptionsOfCachesMayStandInTheirTableButNotContradict) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(R"(
[cache]
compression_threshold = "2 KiB"
block_cache_size = "1 MiB"
[keyspaces.notes]
layout = "ordered"
)",
                                                        "F.toml"));
  EXPECT_EQ(config.keyspace.compression_threshold, 2048u);
  EXPECT_EQ(config.keyspaces.at("notes").compression_threshold, 2048u);
  EXPECT_EQ(config.store.block_cache_size, size_t{1} << 20);
  EXPECT_OK(ParseConfig("[cache]\ncompression_threshold = 2048\n"
                        "[keyspace]\ncompression_threshold = \"2 KiB\"\n",
                        "F.toml"));
  EXPECT_THAT(ParseConfig("[cache]\ncompression_threshold = 2048\n"
                          "[keyspace]\ncompression_threshold = 1024\n",
                          "F.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("F.toml:2: option compression_threshold: 2048 in [cache], but 1024 "
                                 "in [keyspace]")));
  EXPECT_THAT(ParseConfig("[cache]\ncompresion_threshold = 1\n", "F.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("did you mean compression_threshold?")));
}

TEST(Config, APresetIsTheGroundThatTheRestStandsOn) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig(R"(
preset = "read-heavy"
[store]
block_cache_size = "1 GB"
[keyspace]
block_size = "8KiB"
[keyspaces.a]
filter_bits_per_key = 3
)",
                                                        "F.toml"));
  EXPECT_EQ(config.preset, Preset::kReadHeavy);
  EXPECT_EQ(config.store.block_cache_size, size_t{1} << 30);
  EXPECT_EQ(config.store.open_segments_max, 4096u);
  EXPECT_EQ(config.keyspace.filter_bits_per_key, 14u);
  EXPECT_EQ(config.keyspaces.at("a").block_size, 8192u);
  EXPECT_EQ(config.keyspaces.at("a").filter_bits_per_key, 3u);
}

TEST(Config, AnEmptyFileIsTheDefaults) {
  ASSERT_OK_AND_ASSIGN(const Config config, ParseConfig("", "F.toml"));
  EXPECT_EQ(config.store.memtable_size, Options().memtable_size);
}

TEST(Config, WhatIsWrongIsNamedWithItsLine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[store]\nmemtable_sise = 1\n", "F.toml:2: option memtable_sise: no such option; did you "
                                       "mean memtable_size?"},
      {"[store]\n\nmemtable_size = 1\n", "F.toml:3: option memtable_size: 1 is outside"},
      {"[store]\nmemtable_size = -1\n", "memtable_size: below 0"},
      {"[store]\nmemtable_size = true\n", "memtable_size: neither a number"},
      {"[store]\nmemtable_size = 1.5\n", "memtable_size: neither a number"},
      {"[store]\nmemtable_size = \"64 MX\"\n", "memtable_size: \"64 MX\" has a unit"},
      {"[store]\nmemtable_size = 65536\nmemtable_size = 65536\n", "F.toml:3: "},
      {"[store]\nstorage = \"tape\"\n", "F.toml:2: option storage: none of \"disk\", \"memory\""},
      {"[store]\nlevel0_segments_slow = 2\n", "F.toml: option level0_segments_slow: 2 is below"},
      {"[stores]\n", "F.toml:1: option stores: no such option; did you mean store?"},
      {"store = 1\n", "store: not a table"},
      {"preset = \"fast\"\n", "F.toml:1: option preset: \"fast\" is none of balanced"},
      {"preset = 7\n", "preset: not a text"},
      {"[keyspace]\nlayout = \"flat\"\n", "layout: none of"},
      {"[keyspace]\ncompression = 1\n", "compression: none of \"none\", \"lz4\""},
      {"[keyspaces.notes]\nlayout = \"hashed\"\n", "F.toml:1: option key_width"},
      {"[keyspaces.notes]\nsize_limit = 5\n", "F.toml:2: option size_limit: 5 is neither 0"},
      {"[keyspaces]\nnotes = 1\n", "notes: not a table"},
      {"[store\n", "F.toml:1: "},
  };
  for (const auto& [text, message] : cases) {
    const auto config = ParseConfig(text, "F.toml");
    EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message))) << text;
    EXPECT_THAT(config.status(), HasReason(ErrorReason::kInvalidOption)) << text;
  }
}

TEST(Config, SizesHaveUnitsOfPowersOf1024) {
  const std::vector<std::pair<const char*, uint64_t>> sizes = {
      {"0", 0},          {"17", 17},          {"17B", 17},           {"1kB", 1024},
      {"1KB", 1024},     {"1KiB", 1024},      {"1 MB", 1 << 20},     {"64 MiB", 64 << 20},
      {"1GB", 1 << 30},  {"3GiB", 3ull << 30}, {"1TB", 1ull << 40},  {"16 TiB", 16ull << 40},
  };
  for (const auto& [text, bytes] : sizes) {
    ASSERT_OK_AND_ASSIGN(const uint64_t parsed, ParseSize(text));
    EXPECT_EQ(parsed, bytes) << text;
  }
  for (const char* const text : {"", "MB", "1.5GB", "-1", "1 PB", "1Mb", "1MiBs", "1K", "0x10",
                                 "99999999999999999999", "99999999999TiB", " 1"}) {
    EXPECT_THAT(ParseSize(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(text)));
  }
}

TEST(Config, ReadsFilesAndSaysWhichIsMissing) {
  TemporaryDirectory folder;
  EXPECT_THAT(ReadConfig(folder.File("none.toml")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none.toml")));
  std::ofstream(folder.File("a.toml")) << "[store]\nbackground_threads = 5\n";
  ASSERT_OK_AND_ASSIGN(const Config config, ReadConfig(folder.File("a.toml")));
  EXPECT_EQ(config.store.background_threads, 5u);
}

}  // namespace
}  // namespace firn
