// firn bench as its users meet it: exit codes, help, both outputs.
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BenchCliTest : public ::testing::Test {
 protected:
  struct Result {
    int code = -1;
    std::string out, err;
  };

  Result Run(const std::string& arguments) {
    const std::string command = "cd '" + folder_.path() + "' && '" FIRN_BINARY "' bench " +
                                arguments + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), Read("out"),
            Read("err")};
  }
  std::string Read(const std::string& name) {
    std::ifstream file(folder_.File(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.File(name)) << text;
    return name;
  }

  TemporaryDirectory folder_;
};

TEST_F(BenchCliTest, HelpNamesTheWords) {
  const Result result = Run("--help");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("JOBFILE"), HasSubstr("--rw"), HasSubstr("--iodepth"),
                    HasSubstr("--fdatasync"), HasSubstr("--rate_iops"), HasSubstr("--peers")));
}

TEST_F(BenchCliTest, AJobFromTheCommandLinePrintsAsFioAndLeavesNothing) {
  const Result result = Run("--name=mine --rw=write --keys=500 --batch=50 --settle");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("mine: (jobs=1, round 1/1): engine=firn: err=0"),
                                HasSubstr("write: IOPS="), HasSubstr("clat percentiles"),
                                HasSubstr("mine: iops")));
  int entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    entries += entry.path().filename() == "out" || entry.path().filename() == "err" ? 0 : 1;
  }
  EXPECT_EQ(entries, 0);
}

TEST_F(BenchCliTest, ABaselineThatIsNotReachedIsANegativeAnswer) {
  const std::string words = "--name=mine --rw=write --keys=500 --batch=50 --preset low-memory";
  const Result first = Run(words + " --output-format=json");
  ASSERT_EQ(first.code, 0) << first.err;
  nlohmann::json document = nlohmann::json::parse(first.out, nullptr, false);
  ASSERT_TRUE(document.is_object());
  EXPECT_EQ(document.at("jobs")[0].at("engine"), "firn-low-memory");
  nlohmann::json& figure = document["comparisons"][0]["engines"][0]["value"]["median"];
  const double reached = figure.get<double>();
  figure = reached / 1000;
  Write("slow.json", document.dump());
  const Result better = Run(words + " --baseline slow.json");
  EXPECT_EQ(better.code, 0) << better.err;
  EXPECT_THAT(better.out, HasSubstr("against the baseline"));
  figure = reached * 1000;
  Write("fast.json", document.dump());
  const Result worse = Run(words + " --baseline fast.json --tolerance 50");
  EXPECT_EQ(worse.code, 1);
  EXPECT_THAT(worse.out, HasSubstr("WORSE"));
  EXPECT_EQ(Run(words + " --baseline " + Write("none.json", "{}")).code, 2);
}

TEST_F(BenchCliTest, JsonIsOneDocument) {
  const std::string file = Write("a.fio", "[load]\nkeys=500\nbatch=50\n[get]\nkeys=500\n"
                                          "rw=randread\nnumber_ios=100\ncompare=records,clat_p99\n");
  const Result result = Run(file + " --output-format=json --rounds 2 --peers lmdb");
  ASSERT_EQ(result.code, 0) << result.err;
  const nlohmann::json document = nlohmann::json::parse(result.out, nullptr, false);
  ASSERT_TRUE(document.is_object()) << result.out;
  const size_t engines = 2 - document.at("skipped").size();
  EXPECT_EQ(document.at("jobs").size(), 2 * 2 * engines);
  EXPECT_EQ(document.at("comparisons").size(), 3u);
  EXPECT_EQ(document.at("comparisons")[1].at("metric"), "records");
  EXPECT_GT(document.at("jobs")[0].at("write").at("iops").get<double>(), 0);
  EXPECT_TRUE(document.at("machine").contains("processors"));
}

TEST_F(BenchCliTest, TheReportHasATableAndAPlotForEachJob) {
  Write("c.fio", "[c1_try]\nrow=C1\ndescription=commits & <more>\nkeys=200\nbatch=10\n"
                 "compare=iops,clat_p99\n");
  std::filesystem::create_directories(folder_.File("results"));
  ASSERT_EQ(Run("c.fio --rounds 2 --json").code, 0);
  std::filesystem::rename(folder_.File("out"), folder_.File("results/c.json"));
  const std::string report = "python3 '" FIRN_SOURCE_ROOT "/bench/report.py' '" +
                             folder_.File("results") + "' '" + folder_.File("page.md") + "'";
  ASSERT_EQ(std::system(report.c_str()), 0);
  EXPECT_THAT(Read("page.md"), AllOf(HasSubstr("## C1"), HasSubstr("| iops (more is better) |"),
                                     HasSubstr("![c1_try](page/c1_try.svg)")));
  EXPECT_THAT(Read("page/c1_try.svg"), AllOf(HasSubstr("<svg"), HasSubstr("firn")));
  EXPECT_THAT(Read("page/c1_try_latency.svg"), HasSubstr("polyline"));
}

TEST_F(BenchCliTest, BadInputIsExitCodeTwoWithTheReason) {
  EXPECT_EQ(Run("").code, 2);
  EXPECT_EQ(Run("--nonsense=1").code, 2);
  EXPECT_EQ(Run("--rw=write --keys=10 --output-format=xml").code, 2);
  EXPECT_EQ(Run("--rw=write --keys=10 --rounds=0").code, 2);
  Result result = Run("--rw=sideways --keys=10");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("rw is one of"));
  result = Run("--rw=write --keys=10 --peers=rocksbd");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("nearest is rocksdb"));
  result = Run("no_such.fio");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("no_such.fio"));
  result = Run(Write("bad.fio", "[a]\nkeys=10\nbatchh=3\n"));
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("bad.fio: line 3"), HasSubstr("batch")));
}

TEST_F(BenchCliTest, AStoreThatIsNotThereIsAnError) {
  const Result result = Run("--rw=randread --keys=10 --number_ios=5");
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("job before it"));
}

TEST_F(BenchCliTest, SomeoneElsesFolderIsLeftAlone) {
  std::filesystem::create_directories(folder_.File("d/firn-store"));
  Write("d/firn-store/precious", "x");
  const Result result = Run("--rw=write --keys=10 --directory d");
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(Read("d/firn-store/precious"), "x");
}

}  // namespace
}  // namespace firn
