#include "bench/store_folders.h"

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn::bench {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Readiness = StoreFolders::Readiness;

class StoreFoldersTest : public ::testing::Test {
 protected:
  StoreFoldersTest() {
    load_.keys = 100;
    load_.prepare = true;
    read_ = load_;
    read_.prepare = false;
    read_.access = Access::kRandRead;
    update_ = read_;
    update_.access = Access::kRandWrite;
  }
  // What an engine would do.
  void MakeStore(const Workload& job) {
    fs::create_directories(folders_.Path("firn", job));
    std::ofstream(folders_.Path("firn", job) + "/data") << "x";
  }
  void Load() {
    ASSERT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
    MakeStore(load_);
    ASSERT_OK(folders_.End("firn", load_));
  }

  TemporaryDirectory directory_;
  StoreFolders folders_{directory_.File("stores"), /*is_scratch=*/false};
  Workload load_, read_, update_;
  absl::Status made_ = folders_.MakeDirectory();
};

TEST_F(StoreFoldersTest, APreparedStoreIsMadeOnceAndReadManyTimes) {
  Load();
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kSkip));
  EXPECT_THAT(folders_.Begin("firn", read_), IsOkAndHolds(Readiness::kRun));
  ASSERT_OK(folders_.End("firn", read_));
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kSkip));
  // Another engine has its own.
  EXPECT_THAT(folders_.Begin("lmdb", load_), IsOkAndHolds(Readiness::kRun));
}

TEST_F(StoreFoldersTest, OtherRecordsAreAnotherStore) {
  Load();
  load_.keys = 200;
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
  EXPECT_FALSE(fs::exists(folders_.Path("firn", load_)));
}

TEST_F(StoreFoldersTest, AStoreThatWasWrittenToIsMadeAgain) {
  Load();
  EXPECT_THAT(folders_.Begin("firn", update_), IsOkAndHolds(Readiness::kRun));
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
}

TEST_F(StoreFoldersTest, AHalfLoadedStoreIsMadeAgainAndNotRead) {
  ASSERT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
  MakeStore(load_);
  EXPECT_THAT(folders_.Begin("firn", read_), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
}

TEST_F(StoreFoldersTest, ALoadThatIsNotPreparationIsAlwaysRun) {
  Load();
  load_.prepare = false;
  EXPECT_THAT(folders_.Begin("firn", load_), IsOkAndHolds(Readiness::kRun));
}

TEST_F(StoreFoldersTest, WithoutAStoreNothingCanBeRead) {
  EXPECT_THAT(folders_.Begin("firn", read_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("job before it")));
}

TEST_F(StoreFoldersTest, AFolderThatIsNotOursIsNeverTouched) {
  MakeStore(load_);
  EXPECT_THAT(folders_.Begin("firn", load_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not made by firn bench")));
  EXPECT_OK(folders_.Remove("firn", load_));
  EXPECT_TRUE(fs::exists(folders_.Path("firn", load_) + "/data"));
}

TEST_F(StoreFoldersTest, RemovingLeavesNothing) {
  Load();
  EXPECT_OK(folders_.Remove("firn", load_));
  EXPECT_TRUE(fs::is_empty(directory_.File("stores")));
}

TEST_F(StoreFoldersTest, ScratchGoesWithItsOwner) {
  const std::string path = directory_.File("scratch");
  {
    StoreFolders scratch(path, /*is_scratch=*/true);
    ASSERT_OK(scratch.MakeDirectory());
    EXPECT_TRUE(fs::exists(path));
    EXPECT_GT(scratch.FreeSpace(), 0u);
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace firn::bench
