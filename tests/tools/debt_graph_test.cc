// The net debt graph of a real community currency (94,223 edges) through the command line, in every way
// that must end at the same known root: at once, killed and resumed, without io_uring, with little
// memory, one record a commit. The file is not part of the project: FIRN_DATA_DIR, else ../shared/data.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

constexpr char kRoot[] = "54f9a41f7d222e0e3b19caf9095b7ae5735ecd91d002fc2f6a9c976e1c9c709814";
constexpr uint64_t kEdges = 94'223;

std::string DataFile() {
  const char* folder = std::getenv("FIRN_DATA_DIR");
  const std::string path =
      std::string(folder == nullptr ? FIRN_SOURCE_ROOT "/../shared/data" : folder) +
      "/sarafu_debt_edges.txt";
  return std::filesystem::exists(path) ? path : "";
}

class DebtGraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    edges_ = DataFile();
    if (edges_.empty()) GTEST_SKIP() << "sarafu_debt_edges.txt is not there (FIRN_DATA_DIR)";
    ASSERT_EQ(Run({"create", store_}, ""), 0);
  }

  // Starts `firn ARGUMENTS`, its output going to a file.
  pid_t Start(const std::vector<std::string>& arguments, const char* io) {
    const pid_t child = fork();
    if (child != 0) return child;
    if (io[0] != '\0') setenv("FIRN_IO", io, 1);
    std::vector<char*> argv = {const_cast<char*>(FIRN_BINARY)};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (freopen(output_.c_str(), "w", stdout) == nullptr) _exit(98);
    execv(FIRN_BINARY, argv.data());
    _exit(99);
  }
  int Run(const std::vector<std::string>& arguments, const char* io) {
    int status = 0;
    waitpid(Start(arguments, io), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  nlohmann::json Output() {
    std::ifstream file(output_);
    return nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(file), {}), nullptr,
                                 false);
  }
  std::vector<std::string> ImportArguments(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"import",     store_,   edges_,    "--format", "edges",
                                          "--accounts", "pseudo", "--scale", "3",        "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  void ExpectRoot(const std::vector<std::string>& more, const char* io) {
    ASSERT_EQ(Run(ImportArguments(more), io), 0);
    const nlohmann::json report = Output();
    EXPECT_EQ(report.at("root"), kRoot);
    EXPECT_EQ(report.at("records"), kEdges);
    std::printf("%.0f records/s, %llu bytes on disk, write amplification %.2f, %s\n",
                report.at("records_per_second").get<double>(),
                static_cast<unsigned long long>(report.at("bytes_on_disk").get<uint64_t>()),
                report.at("write_amplification").get<double>(),
                report.at("io").get<std::string>().c_str());
  }

  TemporaryDirectory folder_;
  const std::string store_ = folder_.File("store");
  const std::string output_ = folder_.File("output");
  std::string edges_;
};

TEST_F(DebtGraphTest, EndsAtTheKnownRootInOneImport) {
  ExpectRoot({"--batch", "1000"}, "");
  ASSERT_EQ(Run({"verify", store_, "--json"}, ""), 0);
  EXPECT_EQ(Output().at("damage").size(), 0u);
  EXPECT_EQ(Output().at("root"), kRoot);
}

TEST_F(DebtGraphTest, EndsAtTheKnownRootWithoutIoUring) {
  ExpectRoot({"--batch", "1000"}, "posix");
  EXPECT_EQ(Output().at("io"), "posix");
}

TEST_F(DebtGraphTest, EndsAtTheKnownRootWithLittleMemory) {
  ExpectRoot({"--batch", "1000", "--memtable-size", "1MiB", "--node-cache-nodes", "100",
              "--checkpoint-every", "10000"},
             "");
}

// Buffered: 94,223 syncs take ten seconds on a quiet machine and many minutes on a busy one.
TEST_F(DebtGraphTest, EndsAtTheKnownRootWithOneRecordACommit) {
  ExpectRoot({"--batch", "1", "--durability", "buffered"}, "");
}

TEST_F(DebtGraphTest, EndsAtTheKnownRootAfterTwentyKillsAndResumes) {
  constexpr uint64_t kSeed = 94'223;
  Random random(kSeed);
  uint64_t last_keys = 0;
  useconds_t last_open_us = 50'000;
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed << ", kill " << kill_number);
    // Small batches, so that twenty lives do not reach the end. A life begins where the store is
    // open, however long this machine takes for that; every fourth one ends before.
    const pid_t child = Start(ImportArguments({"--batch", "20"}), "");
    const auto lifetime = static_cast<useconds_t>(random.Uniform(100'000));
    const useconds_t open_time = random.OneIn(4) ? 0 : last_open_us;
    usleep(open_time + lifetime);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    const auto opening = std::chrono::steady_clock::now();
    ASSERT_EQ(Run({"root", store_, "--json"}, ""), 0);
    last_open_us = static_cast<useconds_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                               std::chrono::steady_clock::now() - opening)
                                               .count());
    const uint64_t keys = Output().at("keys").get<uint64_t>();
    ASSERT_GE(keys, last_keys) << "a commit was lost";
    last_keys = keys;
  }
  std::printf("after 20 kills: %llu keys\n", static_cast<unsigned long long>(last_keys));
  EXPECT_GT(last_keys, 0u) << "no import lived long enough to commit";
  EXPECT_LT(last_keys, kEdges) << "the kills came too late to show anything";
  ExpectRoot({"--batch", "1000"}, "");
}

}  // namespace
}  // namespace firn
