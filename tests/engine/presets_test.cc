#include "firn/presets.h"

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "firn/option_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

// As the manual writes it.
std::string Show(uint64_t value, OptionUnit unit) {
  if (unit != OptionUnit::kBytes && unit != OptionUnit::kBytesPerSecond) return absl::StrCat(value);
  const char* const suffixes[] = {"", " KiB", " MiB", " GiB", " TiB"};
  size_t power = 0;
  while (power < 4 && value > 0 && value % 1024 == 0) {
    value /= 1024;
    ++power;
  }
  return absl::StrCat(value, suffixes[power]);
}

std::string UnitName(OptionUnit unit) {
  switch (unit) {
    case OptionUnit::kBytes:
      return "bytes";
    case OptionUnit::kBytesPerSecond:
      return "bytes/s";
    case OptionUnit::kBits:
      return "bits";
    case OptionUnit::kSeconds:
      return "seconds";
    case OptionUnit::kCount:
      return "";
  }
  return "?";
}

std::string RangeOf(const OptionName& about) {
  return absl::StrCat(about.or_zero ? "0, " : "", Show(about.min, about.unit), " to ",
                      Show(about.max, about.unit));
}

// The cells of each row of docs/operations.md that begins with an option's name.
std::map<std::string, std::vector<std::string>> DocumentedOptions() {
  std::ifstream file(SourceRoot() + "/docs/operations.md");
  std::map<std::string, std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "| `")) continue;
    std::vector<std::string> cells;
    for (const absl::string_view cell : absl::StrSplit(line, '|')) {
      cells.emplace_back(absl::StripAsciiWhitespace(cell));
    }
    if (cells.size() != 11) continue;
    rows[cells[1].substr(1, cells[1].size() - 2)] = cells;
  }
  return rows;
}

template <typename Struct>
void ExpectRow(const std::map<std::string, std::vector<std::string>>& rows, const OptionName& about,
               Struct PresetOptions::*part) {
  const auto row = rows.find(std::string(about.name));
  ASSERT_NE(row, rows.end()) << about.name << " is not in the table";
  std::vector<std::string> expected = {UnitName(about.unit), RangeOf(about)};
  for (const Preset preset : AllPresets()) {
    const PresetOptions options = ExpandPreset(preset);
    expected.push_back(Show(GetOption(options.*part, about.name).value(), about.unit));
  }
  EXPECT_THAT(std::vector<std::string>(row->second.begin() + 2, row->second.begin() + 9),
              ElementsAreArray(expected))
      << about.name;
  EXPECT_FALSE(row->second[9].empty()) << about.name << " does not say what it costs";
}

TEST(Presets, ExpandToTheValuesThatTheManualHas) {
  const auto rows = DocumentedOptions();
  for (const OptionName& about : StoreOptionNames()) {
    ExpectRow(rows, about, &PresetOptions::store);
  }
  for (const OptionName& about : KeyspaceOptionNames()) {
    ExpectRow(rows, about, &PresetOptions::keyspace);
  }
  EXPECT_EQ(rows.size(), StoreOptionNames().size() + KeyspaceOptionNames().size());
}

TEST(Presets, AreAllValidAndDifferFromEachOther) {
  std::map<std::string, Preset> seen;
  for (const Preset preset : AllPresets()) {
    const PresetOptions options = ExpandPreset(preset);
    EXPECT_THAT(CheckOptions(options.store), IsOk()) << PresetName(preset);
    EXPECT_THAT(CheckKeyspaceOptions(options.keyspace), IsOk());
    std::string all;
    for (const OptionName& about : StoreOptionNames()) {
      absl::StrAppend(&all, GetOption(options.store, about.name).value(), " ");
    }
    EXPECT_TRUE(seen.emplace(all, preset).second) << PresetName(preset);
    ASSERT_OK_AND_ASSIGN(const Preset back, PresetNamed(PresetName(preset)));
    EXPECT_EQ(back, preset);
  }
}

TEST(Presets, BalancedIsTheDefaults) {
  const PresetOptions options = ExpandPreset(Preset::kBalanced);
  for (const OptionName& about : StoreOptionNames()) {
    EXPECT_EQ(GetOption(options.store, about.name).value(),
              GetOption(Options(), about.name).value());
  }
}

TEST(Presets, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(PresetNamed("fast"), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("read-heavy, bulk-load, low-memory")));
}

}  // namespace
}  // namespace firn
