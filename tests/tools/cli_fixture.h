// tests/tools/cli_fixture.h: runs the firn program as a user would, in a folder of its own.
#ifndef FIRN_TESTS_TOOLS_CLI_FIXTURE_H_
#define FIRN_TESTS_TOOLS_CLI_FIXTURE_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/temporary_directory.h"

namespace firn {

struct Result {
  int code = -1;  // 128 + signal if it died
  std::string out, err;
};

inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline std::string Fill(const char* byte, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += byte;
  return text;
}

class CliTest : public ::testing::Test {
 protected:
  // `environment` stands before the program's name: variables, or a command and a pipe.
  Result Run(const std::string& arguments, const std::string& environment = "",
             const std::string& input = "</dev/null") {
    const std::string out = folder_.File("out");
    const std::string err = folder_.File("err");
    const std::string command = environment + " '" FIRN_BINARY "' " + arguments + " >'" + out +
                                "' 2>'" + err + "' " + input;
    const int status = std::system(command.c_str());
    Result result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    result.out = Slurp(out);
    result.err = Slurp(err);
    return result;
  }
  nlohmann::json RunJson(const std::string& arguments, const std::string& environment = "") {
    const Result result = Run(arguments + " --json", environment);
    EXPECT_EQ(result.code, 0) << arguments << "\n" << result.err;
    return nlohmann::json::parse(result.out, nullptr, false);
  }
  std::string RootOf(const std::string& store) {
    return RunJson("root " + store).at("root").get<std::string>();
  }
  std::string Write(const std::string& name, const std::string& content) {
    std::ofstream(folder_.File(name), std::ios::binary) << content;
    return folder_.File(name);
  }
  std::string NewStore(const std::string& flags = "") {
    const std::string store = folder_.File("store" + std::to_string(stores_++));
    EXPECT_EQ(Run("create " + store + " " + flags).code, 0);
    return store;
  }
  // The first file with that suffix below `folder`.
  static std::string FindFile(const std::string& folder, const std::string& suffix) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string path = entry.path().string();
      if (path.size() >= suffix.size() &&
          path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0) {
        return path;
      }
    }
    return "";
  }
  static void FlipByte(const std::string& path, std::uintmax_t offset) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 0x40));
  }
  // CURRENT holds the manifest's name and a checksum.
  static std::string ManifestOf(const std::string& store) {
    const std::string current = Slurp(store + "/CURRENT");
    return store + "/" + current.substr(0, current.find(' '));
  }
  std::string Edges(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += std::to_string(i % 97) + " " + std::to_string(i % 89 + 100) + " " +
              std::to_string(i) + ".25\n";
    }
    return Write("edges" + std::to_string(count) + ".txt", text);
  }

  TemporaryDirectory folder_;
  int stores_ = 0;
};

}  // namespace firn

#endif  // FIRN_TESTS_TOOLS_CLI_FIXTURE_H_
