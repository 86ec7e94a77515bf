#include "engine/options_file.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "firn/option_names.h"
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
  EXPECT_THAT(text, HasSubstr("\n[store]\nstorage = \"disk\"\nmemory_budget = 0\n"
                              "memtable_size = 123456\n"));
  for (const OptionName& about : StoreOptionNames()) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\n", about.name, " = ")));
  }
  EXPECT_THAT(text, HasSubstr("\n[keyspaces.notes]\nlayout = \"ordered\"\ncompression = \"none\"\n"));
  EXPECT_THAT(text, HasSubstr("filter_bits_per_key = 10\n"));
}

TEST(OptionsFile, SpellsLayoutsAndCompressions) {
  EXPECT_EQ(LayoutName(KeyspaceLayout::kHashed), "hashed");
  EXPECT_EQ(LayoutName(KeyspaceLayout::kSequence), "sequence");
  EXPECT_EQ(CompressionName(Compression::kLz4), "lz4");
}

}  // namespace
}  // namespace firn
