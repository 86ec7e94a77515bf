// Beside the C program (c_api_test.c): what needs the sources or the C++ API to be compared with.
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "firn/c.h"
#include "firn/c_bridge.h"
#include "firn/option_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::IsEmpty;

struct Option {
  std::string name, value;
};

// Opens (or makes) a store with these options; the error is printed if that fails.
firn_database* Open(const std::string& path, const std::vector<Option>& options) {
  std::vector<firn_option> raw;
  for (const Option& option : options) {
    raw.push_back({firn_text(option.name.c_str()), firn_text(option.value.c_str())});
  }
  firn_database* database = nullptr;
  firn_error* error = nullptr;
  EXPECT_EQ(firn_database_open(firn_text(path.c_str()), raw.data(), raw.size(), &database, &error),
            FIRN_OK)
      << firn_error_message(error);
  firn_error_free(error);
  return database;
}

std::set<std::string> Matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

// "name = value" of one section of OPTIONS.toml.
std::map<std::string, std::string> Section(const std::string& path, const std::string& section) {
  std::map<std::string, std::string> fields;
  bool is_inside = false;
  const std::string file = ReadSourceFile(path + "/OPTIONS.toml").value();
  for (const absl::string_view line : absl::StrSplit(file, '\n')) {
    if (!line.empty() && line[0] == '[') is_inside = line == absl::StrCat("[", section, "]");
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(" = ", 1));
    if (is_inside && parts.size() == 2) fields[parts[0]] = parts[1];
  }
  return fields;
}

// A number in range, other than `present`, that goes with the other options' defaults.
uint64_t Another(const OptionName& option, uint64_t present) {
  const uint64_t next = present + (option.unit == OptionUnit::kBytes ? 4096 : 1);
  return next >= option.min && next <= option.max ? next : option.min;
}

TEST(CApiTest, SetsEveryFieldOfTheOptionsFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/store";
  std::vector<Option> options;
  std::map<std::string, std::string> expected = {{"storage", "\"disk\""}};
  for (const OptionName& option : StoreOptionNames()) {
    const uint64_t value = Another(option, GetOption(Options(), option.name).value());
    options.push_back({std::string(option.name), absl::StrCat(value)});
    expected[options.back().name] = options.back().value;
  }
  firn_database* const database = Open(path, options);
  ASSERT_NE(database, nullptr);
  std::vector<Option> texts = {{"layout", "ordered"}, {"compression", "lz4hc"}};
  std::map<std::string, std::string> expected_keyspace = {{"layout", "\"ordered\""},
                                                          {"compression", "\"lz4hc\""}};
  for (const OptionName& option : KeyspaceOptionNames()) {
    if (option.name == "key_width") continue;  // of the hashed layout alone
    const bool is_soft = option.name == "size_soft_limit";
    const uint64_t present = GetOption(KeyspaceOptions(), option.name).value();
    const uint64_t value = is_soft ? option.min : Another(option, present);
    texts.push_back({std::string(option.name), absl::StrCat(value)});
    expected_keyspace[texts.back().name] = texts.back().value;
  }
  std::vector<firn_option> raw;
  for (const Option& option : texts) {
    raw.push_back({firn_text(option.name.c_str()), firn_text(option.value.c_str())});
  }
  firn_keyspace* keyspace = nullptr;
  firn_error* error = nullptr;
  EXPECT_EQ(firn_keyspace_create(database, firn_text("notes"), raw.data(), raw.size(), &keyspace,
                                 &error),
            FIRN_OK)
      << firn_error_message(error);
  firn_keyspace_free(keyspace);
  EXPECT_EQ(firn_database_close(database, nullptr), FIRN_OK);
  firn_database_free(database);
  firn_database_free(Open(path, options));  // the file tells the keyspaces that an open found
  EXPECT_EQ(Section(path, "store"), expected);
  EXPECT_EQ(Section(path, "keyspaces.notes"), expected_keyspace);
}

TEST(CStatisticsTest, NamesEveryFieldOfStatistics) {
  const TemporaryDirectory directory;
  firn_database* const database = Open(directory.path() + "/store", {});
  const Keyspace keyspace = DatabaseOf(*database)->CreateKeyspace("notes", {}).value();
  WriteBatch batch;
  batch.Put(keyspace, "a", "1");
  ASSERT_TRUE(DatabaseOf(*database)->Write(batch, Durability::kSynced).ok());
  ASSERT_TRUE(DatabaseOf(*database)->Flush(keyspace).ok());
  char* text = nullptr;
  size_t size = 0;
  ASSERT_EQ(firn_database_statistics(database, &text, &size, nullptr), FIRN_OK);
  std::set<std::string> named;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(text, size), '\n')) {
    const std::string name(line.substr(0, line.find(' ')));
    for (const absl::string_view part : absl::StrSplit(name, '.')) named.insert(std::string(part));
  }
  firn_free(text);
  // Members look like "  uint64_t writes = 0;", "  MemoryPart indexes;" or "p50 = 0, p99 = 0".
  const std::string header = ReadSourceFile("include/firn/statistics.h").value();
  std::set<std::string> members = Matches(header, R"(\n  [\w:<>]+ (\w+)(?: = \w+)?[;,])");
  members.merge(Matches(header, R"(, (\w+) = 0)"));
  EXPECT_GT(members.size(), 45u);
  std::vector<std::string> missing;
  for (const std::string& member : members) {
    if (member != "name" && !named.contains(member)) missing.push_back(member);
  }
  EXPECT_THAT(missing, IsEmpty());
  firn_database_free(database);
}

TEST(CApiTest, EveryCallIsMadeByTheTestPrograms) {
  const std::string programs = absl::StrCat(ReadSourceFile("tests/engine/c_api_test.c").value(),
                                            ReadSourceFile("tests/engine/c_collections_test.c").value(),
                                            ReadSourceFile("tests/engine/c_reads_test.c").value(),
                                            ReadSourceFile("tests/engine/c_transaction_test.c").value(),
                                            ReadSourceFile("tests/tree/c_api_test.c").value(),
                                            ReadSourceFile("tests/tree/c_view_test.c").value(),
                                            ReadSourceFile("tests/tree/c_checkpoint_test.c").value(),
                                            ReadSourceFile("tests/tree/c_proof_test.c").value());
  std::set<std::string> calls;
  for (const char* const header : {"include/firn/c.h", "include/firn/c_tree.h"}) {
    calls.merge(Matches(ReadSourceFile(header).value(), R"(FIRN_C_EXPORT [^;(]*?\b(firn_\w+)\()"));
  }
  EXPECT_GT(calls.size(), 120u);
  std::vector<std::string> missing;
  for (const std::string& call : calls) {
    if (programs.find(call + "(") == std::string::npos) missing.push_back(call);
  }
  EXPECT_THAT(missing, IsEmpty());
}

}  // namespace
}  // namespace firn
