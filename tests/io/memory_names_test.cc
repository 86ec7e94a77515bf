#include "io/memory_names.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::UnorderedElementsAre;

constexpr auto kTracked = MemoryFile::Tracking::kUnsyncedChanges;

std::shared_ptr<MemoryFile> NewFile(uint64_t number, absl::string_view content) {
  auto file = std::make_shared<MemoryFile>(number, kTracked);
  file->Write(0, {AsBytes(content)}, content.size());
  file->Sync();
  return file;
}

// "a=1 b=2": the names in the folder d with their files' numbers.
std::string Describe(const MemoryNames& names) {
  auto listed = names.List("d");
  if (!listed.ok()) return "no folder";
  std::vector<std::string> parts;
  for (const std::string& name : *listed) {
    auto file = names.FindFile("d/" + name);
    parts.push_back(file.ok() ? name + "=" + std::to_string((*file)->number()) : name + "/");
  }
  return absl::StrJoin(parts, " ");
}

// All that crashes may leave of the folder d after `changes`.
std::set<std::string> Outcomes(const std::function<void(MemoryNames&)>& changes) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    MemoryNames names(kTracked);
    EXPECT_THAT(names.AddDirectory("d"), IsOk());
    EXPECT_THAT(names.SyncDirectory("/"), IsOk());
    changes(names);
    Random random(seed);
    outcomes.insert(Describe(names.AfterCrash(random)));
  }
  return outcomes;
}

TEST(MemoryNames, AnUnsyncedCreationMayVanish) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
              }),
              UnorderedElementsAre("", "a=1"));
}

TEST(MemoryNames, ASyncedCreationStays) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d"), IsOk());
              }),
              UnorderedElementsAre("a=1"));
}

TEST(MemoryNames, SyncOfAnotherFolderDoesNotHelp) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddDirectory("e"), IsOk());
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("e"), IsOk());
                ASSERT_THAT(names.SyncDirectory("/"), IsOk());
              }),
              UnorderedElementsAre("", "a=1"));
}

TEST(MemoryNames, AnUnsyncedRenameLeavesTheOldOrTheNew) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.AddFile("d/b", NewFile(2, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d"), IsOk());
                ASSERT_THAT(names.Rename("d/a", "d/b"), IsOk());
              }),
              UnorderedElementsAre("a=1 b=2", "b=1"));
}

TEST(MemoryNames, AChainOfRenamesNeverLeavesAFileUnderTwoNames) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d"), IsOk());
                ASSERT_THAT(names.Rename("d/a", "d/b"), IsOk());
                ASSERT_THAT(names.Rename("d/b", "d/c"), IsOk());
              }),
              UnorderedElementsAre("a=1", "b=1", "c=1"));
}

TEST(MemoryNames, UnsyncedRemovalsSurviveInAnyCombination) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.AddFile("d/b", NewFile(2, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d"), IsOk());
                ASSERT_THAT(names.RemoveFile("d/a"), IsOk());
                ASSERT_THAT(names.RemoveFile("d/b"), IsOk());
              }),
              UnorderedElementsAre("a=1 b=2", "b=2", "a=1", ""));
}

TEST(MemoryNames, ANameUsedAgainIsTheOldFileTheNewOrNone) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d"), IsOk());
                ASSERT_THAT(names.RemoveFile("d/a"), IsOk());
                ASSERT_THAT(names.AddFile("d/a", NewFile(2, "")), IsOk());
              }),
              UnorderedElementsAre("a=1", "", "a=2"));
}

TEST(MemoryNames, AFolderWhoseNameWasNotSyncedTakesItsFilesWithIt) {
  EXPECT_THAT(Outcomes([](MemoryNames& names) {
                ASSERT_THAT(names.AddDirectory("d/e"), IsOk());
                ASSERT_THAT(names.AddFile("d/e/a", NewFile(1, "")), IsOk());
                ASSERT_THAT(names.SyncDirectory("d/e"), IsOk());
              }),
              UnorderedElementsAre("", "e/"));
}

TEST(MemoryNames, ARenameBetweenFoldersIsDurableWithEitherOfThem) {
  for (const char* const synced : {"d", "e"}) {
    EXPECT_THAT(Outcomes([&](MemoryNames& names) {
                  ASSERT_THAT(names.AddDirectory("e"), IsOk());
                  ASSERT_THAT(names.SyncDirectory("/"), IsOk());
                  ASSERT_THAT(names.AddFile("e/a", NewFile(1, "")), IsOk());
                  ASSERT_THAT(names.SyncDirectory("e"), IsOk());
                  ASSERT_THAT(names.Rename("e/a", "d/a"), IsOk());
                  ASSERT_THAT(names.SyncDirectory(synced), IsOk());
                }),
                UnorderedElementsAre("a=1"));
  }
}

TEST(MemoryNames, LinksStayLinksThroughForkAndCrash) {
  MemoryNames names(kTracked);
  ASSERT_THAT(names.AddFile("a", NewFile(1, "x")), IsOk());
  ASSERT_THAT(names.Link("a", "b"), IsOk());
  ASSERT_THAT(names.SyncDirectory("/"), IsOk());
  MemoryNames fork = names.Fork();
  EXPECT_EQ(*fork.FindFile("a"), *fork.FindFile("b"));
  EXPECT_NE(*fork.FindFile("a"), *names.FindFile("a"));
  Random random(3);
  MemoryNames survivor = fork.AfterCrash(random);
  EXPECT_EQ(*survivor.FindFile("a"), *survivor.FindFile("b"));
}

TEST(MemoryNames, AForkCarriesUnsyncedChanges) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    MemoryNames names(kTracked);
    ASSERT_THAT(names.AddDirectory("d"), IsOk());
    ASSERT_THAT(names.SyncDirectory("/"), IsOk());
    ASSERT_THAT(names.AddFile("d/a", NewFile(1, "")), IsOk());
    MemoryNames fork = names.Fork();
    ASSERT_THAT(names.SyncDirectory("d"), IsOk());  // of the original, not of the fork
    Random random(seed);
    outcomes.insert(Describe(fork.AfterCrash(random)));
  }
  EXPECT_THAT(outcomes, UnorderedElementsAre("", "a=1"));
}

TEST(MemoryNames, PathsMayBeWrittenInSeveralWays) {
  MemoryNames names(kTracked);
  ASSERT_THAT(names.AddDirectory("/d"), IsOk());
  ASSERT_THAT(names.AddFile("./d//a", NewFile(1, "")), IsOk());
  EXPECT_THAT(names.FindFile("d/a"), IsOk());
  EXPECT_THAT(names.FindFile("/d/./a"), IsOk());
  EXPECT_FALSE(names.FindFile("d/../d/a").ok());
  EXPECT_FALSE(names.FindFile("").ok());
  EXPECT_FALSE(names.RemoveDirectory("/").ok());
  EXPECT_TRUE(names.Stat(".")->is_directory);
}

}  // namespace
}  // namespace firn
