// tests/layering_test.cc: holds the shape of the project (docs/architecture.md): which folder may
// include which, one test a source file, no long files or functions. It reads the sources
// themselves, so it needs no list of files.
//
// Exceptions stand in the ratchets below. They only shrink: a listed file that has become shorter
// than its entry fails the test until the entry is lowered or removed.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"

namespace firn {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

constexpr size_t kFileLinesMax = 600;
constexpr size_t kFunctionLinesMax = 70;

// path -> lines that it has and may not exceed. New entries need a reason in the commit.
const std::map<std::string, size_t>& LongFiles() {
  static const auto* files = new std::map<std::string, size_t>{};
  return *files;
}

// "path: first line of the function" -> lines.
const std::map<std::string, size_t>& LongFunctions() {
  static const auto* functions = new std::map<std::string, size_t>{};
  return *functions;
}

// The modules of the tree's core: pure algorithm, no database (the rest of tree/ is the store).
const std::set<std::string>& TreeCoreModules() {
  static const auto* modules = new std::set<std::string>{
      "avl", "c_proof", "label", "node", "operation", "packed_node", "proof_format", "prover", "verifier"};
  return *modules;
}

struct Source {
  std::string path;  // from the root, e.g. "wal/log_reader.cc"
  std::vector<std::string> lines;
};

const std::vector<std::string>& Folders() {
  static const auto* folders = new std::vector<std::string>{
      "include/firn", "base",  "io",    "wal",   "sstable", "compaction",
      "engine",       "tree",  "tools", "bench", "tests",   "examples"};
  return *folders;
}

std::vector<Source> ReadSources() {
  std::vector<Source> sources;
  const fs::path root = SourceRoot();
  for (const std::string& folder : Folders()) {
    if (!fs::exists(root / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc" && extension != ".c") continue;
      Source source{fs::relative(entry.path(), root).string(), {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      sources.push_back(std::move(source));
    }
  }
  std::sort(sources.begin(), sources.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return sources;
}

const std::vector<Source>& Sources() {
  static const auto* sources = new std::vector<Source>(ReadSources());
  return *sources;
}

std::string ModuleOf(absl::string_view path) {  // "tree/node.h" -> "node"
  return fs::path(std::string(path)).stem().string();
}

// The row of the table that a file belongs to. Sub-folders have rows of their own.
std::string RowOf(absl::string_view path) {
  static const auto* sub_folders = new std::vector<std::string>{
      "engine/collections", "engine/admin", "tree/admin", "tools/records", "include/firn"};
  for (const std::string& folder : *sub_folders) {
    if (absl::StartsWith(path, folder + "/")) return folder;
  }
  const std::string folder(path.substr(0, path.find('/')));
  if (folder == "tree") return TreeCoreModules().contains(ModuleOf(path)) ? "tree core" : "tree store";
  return folder;
}

// The table of docs/architecture.md. Each row may also include itself; "*" is everything. A row
// named by a path to a header stands for that header alone.
const std::map<std::string, std::set<std::string>>& MayInclude() {
  static const auto* table = new std::map<std::string, std::set<std::string>>{
      {"include/firn", {}},
      {"base", {"firn/error.h", "firn/c.h"}},
      {"io", {"base"}},
      {"wal", {"io", "base"}},
      {"sstable", {"io", "base"}},
      {"compaction", {"sstable", "io", "base"}},
      {"engine", {"compaction", "sstable", "wal", "io", "base", "include/firn"}},
      {"engine/collections", {"include/firn", "base"}},
      {"engine/admin", {"include/firn", "base"}},
      {"tree core", {"base", "firn/proof.h", "firn/c.h", "firn/c_tree.h"}},
      {"tree store", {"tree core", "io", "base", "include/firn"}},
      {"tree/admin", {"include/firn", "base"}},
      {"tools", {"*"}},
      {"tools/records", {"include/firn", "base"}},
      {"bench", {"*"}},
      {"tests", {"*"}},
      {"examples", {"include/firn"}},
  };
  return *table;
}

// Whose header an include is: a row of the table, or "" if it is not one of ours.
std::string RowOfInclude(const std::string& header) {
  const std::string first = header.substr(0, header.find('/'));
  if (first == "firn") return "include/firn";
  static const auto* ours = new std::set<std::string>{
      "base", "io", "wal", "sstable", "compaction", "engine", "tree", "tools", "bench", "tests",
      "examples"};
  return ours->contains(first) ? RowOf(header) : "";
}

struct Include {
  std::string header;
  size_t line;
};

std::vector<Include> IncludesOf(const Source& source) {
  static const auto* pattern = new std::regex(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::vector<Include> includes;
  for (size_t i = 0; i < source.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(source.lines[i], match, *pattern)) includes.push_back({match[1], i + 1});
  }
  return includes;
}

bool IsAllowed(const std::string& row, const Include& include) {
  const std::string target = RowOfInclude(include.header);
  if (target.empty() || target == row) return true;
  const std::set<std::string>& allowed = MayInclude().at(row);
  return allowed.contains("*") || allowed.contains(target) || allowed.contains(include.header);
}

// Other people's libraries, and the only files that may know them.
struct Library {
  const char* headers;  // regular expression of the header's name
  const char* users;    // regular expression of the including file's path
};
constexpr Library kLibraries[] = {
    {"liburing\\.h", "io/uring.*"},
    {"lz4.*\\.h", "base/compression\\..*"},
    {"(gtest|gmock)/.*", "tests/.*"},
    {"rapidcheck.*", "tests/.*"},
    {"benchmark/.*", "bench/.*"},
    {"(CLI|nlohmann|fmt|spdlog)/.*", "(tools|tests|bench)/.*"},
    {"zlib\\.h", "(tools|tests)/.*"},
    {"toml\\+\\+.*|toml\\.hpp|prometheus/.*", "(tools|tests|engine/admin)/.*"},
    {"(rocksdb|leveldb)/.*|lmdb\\.h|sqlite3\\.h|ini\\.h", "bench/.*"},
    // Its locks are not built for ThreadSanitizer: base/mutex.h instead.
    {"absl/synchronization/.*", "nothing"},
    // The operating system is reached through io/ alone, but for the scheduling of threads.
    {"fcntl\\.h|unistd\\.h|sys/.*|linux/.*|dirent\\.h|fstream|filesystem",
     "(io|tools|bench|tests|examples|engine/admin)/.*|base/(futex|time_slice)\\..*"},
};

TEST(LayeringTest, ReadsTheSources) {
  EXPECT_GT(Sources().size(), 20u);
  for (const Source& source : Sources()) {
    EXPECT_TRUE(MayInclude().contains(RowOf(source.path))) << source.path;
  }
}

TEST(LayeringTest, AFolderIncludesOnlyWhatTheTableAllows) {
  std::vector<std::string> violations;
  for (const Source& source : Sources()) {
    for (const Include& include : IncludesOf(source)) {
      if (IsAllowed(RowOf(source.path), include)) continue;
      violations.push_back(absl::StrCat(source.path, ":", include.line, " (", RowOf(source.path),
                                        ") includes ", include.header));
    }
  }
  EXPECT_THAT(violations, IsEmpty());
}

TEST(LayeringTest, ALibraryIsKnownOnlyWhereItBelongs) {
  std::vector<std::string> violations;
  for (const Library& library : kLibraries) {
    const std::regex headers(library.headers);
    const std::regex users(library.users);
    for (const Source& source : Sources()) {
      if (std::regex_match(source.path, users)) continue;
      for (const Include& include : IncludesOf(source)) {
        if (!std::regex_match(include.header, headers)) continue;
        violations.push_back(
            absl::StrCat(source.path, ":", include.line, " includes ", include.header));
      }
    }
  }
  EXPECT_THAT(violations, IsEmpty());
}

TEST(LayeringTest, IncludesOfOursAreWrittenFromTheRootAndExist) {
  std::vector<std::string> violations;
  const fs::path root = SourceRoot();
  for (const Source& source : Sources()) {
    for (const Include& include : IncludesOf(source)) {
      const bool is_relative = absl::StartsWith(include.header, ".");
      const std::string row = RowOfInclude(include.header);
      const fs::path file = row == "include/firn" ? root / "include" / include.header
                                                  : root / include.header;
      if (!is_relative && (row.empty() || fs::exists(file))) continue;
      violations.push_back(
          absl::StrCat(source.path, ":", include.line, " includes ", include.header));
    }
  }
  EXPECT_THAT(violations, IsEmpty());
}

TEST(LayeringTest, EverySourceFileHasATest) {
  static const auto* folders =
      new std::set<std::string>{"base", "io", "wal", "sstable", "compaction", "engine", "tree"};
  std::vector<std::string> missing;
  for (const Source& source : Sources()) {
    const absl::string_view path = source.path;
    if (!folders->contains(std::string(path.substr(0, path.find('/'))))) continue;
    if (!absl::EndsWith(path, ".cc")) continue;
    // The C API is tested by programs in C.
    const std::string test = absl::StrCat("tests/", path.substr(0, path.size() - 3), "_test.c");
    const fs::path root = SourceRoot();
    if (!fs::exists(root / (test + "c")) && !fs::exists(root / test)) missing.push_back(test + "c");
  }
  EXPECT_THAT(missing, IsEmpty());
}

// A source or test that no meson.build names is not built, and checks nothing.
TEST(LayeringTest, EveryFileIsBuilt) {
  std::vector<std::string> left_out;
  for (const Source& source : Sources()) {
    if (absl::EndsWith(source.path, ".h")) continue;
    const fs::path file = source.path;
    bool is_named = false;
    for (fs::path folder = file.parent_path(); !is_named; folder = folder.parent_path()) {
      const absl::StatusOr<std::string> build = ReadSourceFile((folder / "meson.build").string());
      const std::string name = file.lexically_relative(folder.empty() ? "." : folder).string();
      // The name itself, or its stem where a foreach adds the ending.
      is_named = build.ok() && (absl::StrContains(*build, name) ||
                                absl::StrContains(*build, absl::StrCat("'", ModuleOf(name), "'")));
      if (folder.empty()) break;
    }
    if (!is_named && absl::StartsWith(source.path, "tests/support/")) {
      const absl::StatusOr<std::string> build = ReadSourceFile("tests/base/meson.build");
      is_named = build.ok() && absl::StrContains(*build, file.filename().string());
    }
    if (!is_named) left_out.push_back(source.path);
  }
  EXPECT_THAT(left_out, IsEmpty());
}

// Compares what is with the ratchet: too long and not listed, longer than listed, or shorter than
// listed (then the list has to follow).
void ExpectRatchet(const std::map<std::string, size_t>& found, size_t limit,
                   const std::map<std::string, size_t>& listed) {
  for (const auto& [name, lines] : found) {
    const auto entry = listed.find(name);
    if (entry == listed.end()) {
      EXPECT_LE(lines, limit) << name << ": too long; look for the second idea in it";
    } else {
      EXPECT_EQ(lines, entry->second) << name << ": the ratchet says otherwise; it only goes down";
      EXPECT_GT(lines, limit) << name << ": short enough now; take it off the ratchet";
    }
  }
  for (const auto& [name, lines] : listed) {
    EXPECT_TRUE(found.contains(name)) << name << " is on the ratchet (" << lines << ") but gone";
  }
}

TEST(LayeringTest, FilesAreShortOrOnTheRatchet) {
  std::map<std::string, size_t> lengths;
  for (const Source& source : Sources()) lengths[source.path] = source.lines.size();
  ExpectRatchet(lengths, kFileLinesMax, LongFiles());
}

// The functions of a file that begin at the left margin, as all do that are not written inside a
// class: a line that is not indented, up to the next "}" that is not either. Name -> lines.
std::map<std::string, size_t> FunctionsOf(const Source& source) {
  std::map<std::string, size_t> functions;
  size_t begin = 0;
  bool is_inside = false;
  for (size_t i = 0; i < source.lines.size(); ++i) {
    const std::string& line = source.lines[i];
    if (line == "}" && is_inside) {
      functions[absl::StrCat(source.path, ": ", source.lines[begin])] = i + 1 - begin;
    }
    if (line.empty() || line[0] == ' ' || absl::StartsWith(line, "namespace")) continue;
    const bool is_code = std::isalpha(static_cast<unsigned char>(line[0])) != 0;
    // A second unindented line, as after "template <...>", goes on with the same function.
    if (is_code && !(is_inside && i == begin + 1)) begin = i;
    is_inside = is_code;
  }
  return functions;
}

TEST(LayeringTest, FunctionsFitOnOneScreenOrAreOnTheRatchet) {
  std::map<std::string, size_t> lengths;
  for (const Source& source : Sources()) {
    if (!absl::StartsWith(source.path, "tests/")) lengths.merge(FunctionsOf(source));
  }
  EXPECT_GT(lengths.size(), 50u);
  ExpectRatchet(lengths, kFunctionLinesMax, LongFunctions());
}

TEST(LayeringTest, NothingIsLeftToDo) {
  static const auto* pattern = new std::regex(R"(\b(TO)(DO)\b|\bFIX(ME)\b|\bXX(X)\b)");
  std::vector<std::string> found;
  for (const Source& source : Sources()) {
    for (size_t i = 0; i < source.lines.size(); ++i) {
      if (std::regex_search(source.lines[i], *pattern)) {
        found.push_back(absl::StrCat(source.path, ":", i + 1));
      }
    }
  }
  EXPECT_THAT(found, IsEmpty());
}

}  // namespace
}  // namespace firn
