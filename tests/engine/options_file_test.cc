#include "engine/options_file.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(OptionsFile, ShowsEveryOptionInForce) {
  MemoryFileSystem file_system;
  ASSERT_THAT(file_system.CreateDirectory("s"), IsOk());
  Options options;
  options.memtable_size = 123456;
  ASSERT_THAT(WriteOptionsFile(file_system, "s", options,
                               {{"notes", {.compression = Compression::kNone}}}),
              IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string text,
                       ReadWholeFile(file_system, "s/OPTIONS.toml", 1 << 20));
  EXPECT_THAT(text, HasSubstr("\n[store]\nstorage = \"disk\"\nmemtable_size = 123456\n"));
  EXPECT_THAT(text, HasSubstr("\n[keyspaces.notes]\nlayout = \"ordered\"\ncompression = \"none\"\n"));
  EXPECT_THAT(text, HasSubstr("filter_bits_per_key = 10\n"));
}

TEST(OptionsFile, EveryRangeIsCheckedByName) {
  EXPECT_THAT(CheckOptions({}), IsOk());
  const auto refused = [](const char* name, const Options& options) {
    EXPECT_THAT(CheckOptions(options),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(name)));
  };
  refused("memtable_size", {.memtable_size = 1});
  refused("immutable_memtables_max", {.immutable_memtables_max = 17});
  refused("open_segments_max", {.open_segments_max = 1});
  refused("log_size_max", {.log_size_max = 1});
  refused("segment_size", {.segment_size = 1});
  refused("level0_segments_merge", {.level0_segments_merge = 1});
  refused("level0_segments_slow", {.level0_segments_slow = 1});
  refused("level0_segments_stop", {.level0_segments_slow = 12, .level0_segments_stop = 12});
  refused("level1_size", {.level1_size = 1});
  refused("background_threads", {.background_threads = 1});
}

TEST(OptionsFile, KeyspaceOptionsAreCheckedByName) {
  EXPECT_THAT(CheckKeyspaceOptions({}), IsOk());
  EXPECT_THAT(CheckKeyspaceOptions({.block_size = 100}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("block_size")));
  EXPECT_THAT(CheckKeyspaceOptions({.filter_bits_per_key = 33}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("filter_bits_per_key")));
  EXPECT_THAT(CheckKeyspaceOptions({.layout = static_cast<KeyspaceLayout>(9)}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("layout")));
  EXPECT_EQ(LayoutName(KeyspaceLayout::kHashed), "hashed");
  EXPECT_EQ(LayoutName(KeyspaceLayout::kSequence), "sequence");
  EXPECT_EQ(CompressionName(Compression::kLz4), "lz4");
}

}  // namespace
}  // namespace firn
