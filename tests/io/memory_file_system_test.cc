#include "io/memory_file_system.h"

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

std::string Content(FileSystem& file_system, absl::string_view path) {
  auto content = ReadWholeFile(file_system, path, uint64_t{1} << 30);
  return content.ok() ? *content : std::string(content.status().ToString());
}

TEST(MemoryFileSystem, CountsEveryOperation) {
  MemoryFileSystem file_system;
  ASSERT_THAT(file_system.CreateDirectory("d"), IsOk());       // 0
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("d/a"));  // 1
  ASSERT_THAT(file->Append(AsBytes("x")), IsOk());             // 2
  ASSERT_THAT(file->WriteAndSync(1, {AsBytes("y")}), IsOk());  // 3
  ASSERT_THAT(file->Sync(), IsOk());                           // 4
  ASSERT_THAT(file->Truncate(1), IsOk());                      // 5
  ASSERT_THAT(file->Close(), IsOk());
  ASSERT_THAT(file_system.SyncDirectory("d"), IsOk());                // 6
  ASSERT_OK_AND_ASSIGN(auto reader, file_system.OpenForRead("d/a"));  // 7
  uint8_t byte = 0;
  ASSERT_THAT(reader->Read(0, absl::MakeSpan(&byte, 1)), IsOk());  // 8
  ASSERT_THAT(file_system.Stat("d/a"), IsOk());                    // 9
  EXPECT_EQ(file_system.operations(), 10u);
}

TEST(MemoryFileSystem, ReadsNeedNotCount) {
  MemoryFileSystem file_system({.crash_at_operation = 1, .count_reads = false});
  ASSERT_THAT(file_system.CreateDirectory("d"), IsOk());
  for (int i = 0; i < 5; ++i) ASSERT_THAT(file_system.List("d"), IsOk());
  EXPECT_EQ(file_system.operations(), 1u);
  EXPECT_THAT(file_system.CreateDirectory("e"), StatusIs(kUnavailable));
  EXPECT_THAT(file_system.List("d"), StatusIs(kUnavailable));
}

TEST(MemoryFileSystem, FromTheCrashOnEverythingFails) {
  MemoryFileSystem file_system({.crash_at_operation = 3});
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("a"));
  ASSERT_OK_AND_ASSIGN(auto reader, file_system.OpenForRead("a"));
  ASSERT_THAT(file->Append(AsBytes("x")), IsOk());
  EXPECT_FALSE(file_system.crashed());
  const absl::Status crash = file->Sync();
  EXPECT_EQ(crash.code(), kUnavailable);
  EXPECT_THAT(std::string(crash.message()), HasSubstr("crashed: sync a"));
  EXPECT_TRUE(file_system.crashed());
  EXPECT_THAT(file->Append(AsBytes("y")), StatusIs(kUnavailable));
  EXPECT_THAT(file->Close(), StatusIs(kUnavailable));
  uint8_t byte = 0;
  EXPECT_THAT(reader->Read(0, absl::MakeSpan(&byte, 1)), StatusIs(kUnavailable));
  ReadRequest request{.offset = 0, .target = absl::MakeSpan(&byte, 1), .status = {}};
  EXPECT_THAT(reader->ReadMany(absl::MakeSpan(&request, 1)), StatusIs(kUnavailable));
  EXPECT_THAT(request.status, StatusIs(kUnavailable));
  for (const absl::Status& status :
       {file_system.OpenForRead("a").status(), file_system.Create("b").status(),
        file_system.OpenForWrite("a").status(), file_system.Stat("a").status(),
        file_system.List("/").status(), file_system.CreateDirectory("d"),
        file_system.RemoveFile("a"), file_system.RemoveDirectory("d"), file_system.Rename("a", "b"),
        file_system.Link("a", "b"), file_system.SyncDirectory("/"),
        file_system.Lock("LOCK").status(), file_system.FreeSpace("/").status()}) {
    EXPECT_EQ(status.code(), kUnavailable) << status;
  }
  EXPECT_EQ(file_system.operations(), 4u);
}

TEST(MemoryFileSystem, AfterTheLossItCanBeUsedAgainAndOldHandlesCannot) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto lock, file_system.Lock("LOCK"));
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("a"));
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes("kept")}), IsOk());
  ASSERT_THAT(file_system.SyncDirectory("/"), IsOk());
  file_system.Crash();
  EXPECT_TRUE(file_system.crashed());
  file_system.LoseUnsyncedData();
  EXPECT_FALSE(file_system.crashed());
  EXPECT_THAT(file->WriteAndSync(0, {AsBytes("LATE")}), StatusIs(kUnavailable));
  EXPECT_THAT(file->Sync(), StatusIs(kUnavailable));
  EXPECT_EQ(Content(file_system, "a"), "kept");
  ASSERT_OK_AND_ASSIGN(auto lock_again, file_system.Lock("LOCK"));
  lock.reset();  // of a process that is long dead: frees nothing
  EXPECT_THAT(file_system.Lock("LOCK"), HasReason(ErrorReason::kLocked));
  file_system.CrashAtOperation(1);
  EXPECT_THAT(file_system.Stat("a"), IsOk());
  EXPECT_THAT(file_system.Stat("a"), StatusIs(kUnavailable));
}

TEST(MemoryFileSystem, HandlesMayOutliveIt) {
  std::unique_ptr<WritableFile> file;
  std::unique_ptr<DirectoryLock> lock;
  {
    MemoryFileSystem file_system;
    ASSERT_OK_AND_ASSIGN(file, file_system.Create("a"));
    ASSERT_OK_AND_ASSIGN(lock, file_system.Lock("LOCK"));
  }
  EXPECT_THAT(file->Append(AsBytes("x")), IsOk());
  EXPECT_EQ(file->size(), 1u);
}

// A little journal as an engine would keep it: whole records in one file, and a CURRENT file.
struct Acknowledged {
  int records = 0;
  int current = -1;
  bool log_exists = false;
};

Acknowledged RunWorkload(FileSystem& file_system) {
  Acknowledged acknowledged;
  auto log = file_system.Create("log");
  if (!log.ok()) return acknowledged;
  if (!file_system.SyncDirectory("/").ok()) return acknowledged;
  acknowledged.log_exists = true;
  for (int i = 0; i < 6; ++i) {
    const std::string record(1000, static_cast<char>('a' + i));
    if (i % 2 == 0) {
      if (!(*log)->WriteAndSync((*log)->size(), {AsBytes(record)}).ok()) return acknowledged;
    } else {
      if (!(*log)->Append(AsBytes(record)).ok()) return acknowledged;
      if (!(*log)->Sync().ok()) return acknowledged;
    }
    acknowledged.records = i + 1;
    if (!WriteFileAtomically(file_system, "CURRENT", absl::StrCat(i)).ok()) return acknowledged;
    acknowledged.current = i;
  }
  return acknowledged;
}

void ExpectHolds(const Acknowledged& acknowledged, FileSystem& file_system) {
  auto log = ReadWholeFile(file_system, "log", 1 << 20);
  if (acknowledged.log_exists) {
    ASSERT_THAT(log, IsOk());
  }
  if (log.ok()) {
    ASSERT_GE(log->size(), static_cast<size_t>(acknowledged.records) * 1000);
    for (size_t i = 0; i < static_cast<size_t>(acknowledged.records) * 1000; ++i) {
      ASSERT_EQ((*log)[i], static_cast<char>('a' + i / 1000));
    }
  }
  auto current = ReadWholeFile(file_system, "CURRENT", 10);
  if (acknowledged.current >= 0) {
    ASSERT_THAT(current, IsOk());
  }
  if (current.ok()) {
    int number = -1;
    ASSERT_TRUE(absl::SimpleAtoi(*current, &number)) << "torn: " << *current;
    ASSERT_GE(number, acknowledged.current);
    ASSERT_LE(number, acknowledged.current + 1);
  }
}

TEST(MemoryFileSystem, WhatWasAcknowledgedSurvivesACrashAtEveryOperation) {
  uint64_t points = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    for (uint64_t crash_at = 0;; ++crash_at) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, " crash at ", crash_at));
      MemoryFileSystem file_system({.seed = seed, .crash_at_operation = crash_at});
      const Acknowledged acknowledged = RunWorkload(file_system);
      const bool was_hit = file_system.crashed();
      file_system.LoseUnsyncedData();
      ExpectHolds(acknowledged, file_system);
      if (HasFatalFailure()) return;
      ++points;
      if (!was_hit) break;
    }
  }
  EXPECT_GT(points, 1000u);
}

// The simulator is of use only if it finds the usual mistakes. Each mistake must be caught.
bool SurvivesAllCrashes(const std::function<bool(FileSystem&)>& write,
                        const std::function<bool(FileSystem&)>& holds) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    MemoryFileSystem file_system({.seed = seed});
    if (!write(file_system)) return false;
    file_system.LoseUnsyncedData();
    if (!holds(file_system)) return false;
  }
  return true;
}

TEST(MemoryFileSystem, FindsAMissingFileSyncADirectorySyncLeftOutAndAnOverwriteInPlace) {
  const auto is_new = [](FileSystem& fs) { return Content(fs, "a") == "new"; };
  const auto write = [](FileSystem& fs, bool syncs_file, bool syncs_directory) {
    auto file = fs.Create("a");
    if (!file.ok() || !(*file)->Append(AsBytes("new")).ok()) return false;
    if (syncs_file && !(*file)->Sync().ok()) return false;
    return !syncs_directory || fs.SyncDirectory("/").ok();
  };
  EXPECT_TRUE(SurvivesAllCrashes([&](FileSystem& fs) { return write(fs, true, true); }, is_new));
  EXPECT_FALSE(SurvivesAllCrashes([&](FileSystem& fs) { return write(fs, false, true); }, is_new));
  EXPECT_FALSE(SurvivesAllCrashes([&](FileSystem& fs) { return write(fs, true, false); }, is_new));
  const std::string old_content(4096, 'o');
  const std::string new_content(4096, 'n');
  EXPECT_FALSE(SurvivesAllCrashes(
      [&](FileSystem& fs) {
        auto file = fs.Create("a");
        return file.ok() && (*file)->WriteAndSync(0, {AsBytes(old_content)}).ok() &&
               fs.SyncDirectory("/").ok() && (*file)->Write(0, {AsBytes(new_content)}).ok();
      },
      [&](FileSystem& fs) {
        const std::string content = Content(fs, "a");
        return content == old_content || content == new_content;
      }));
}

TEST(MemoryFileSystem, TheCrashingOperationIsDoneInPartBySeed) {
  std::set<size_t> sizes;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    MemoryFileSystem file_system({.seed = seed});
    ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("a"));
    ASSERT_THAT(file_system.SyncDirectory("/"), IsOk());
    file_system.CrashAtOperation(0);
    ASSERT_FALSE(file->WriteAndSync(0, {AsBytes(std::string(4000, 'x'))}).ok());
    file_system.LoseUnsyncedData();
    sizes.insert(file_system.Stat("a")->size);
  }
  EXPECT_TRUE(sizes.contains(0));
  EXPECT_TRUE(sizes.contains(4000));
  EXPECT_GT(sizes.size(), 10u) << "parts of it, too";
}

TEST(MemoryFileSystem, TheSameSeedGivesTheSameLoss) {
  const auto run = [](uint64_t seed) {
    MemoryFileSystem file_system({.seed = seed});
    std::string trace;
    for (int i = 0; i < 20; ++i) {
      auto file = file_system.Create(absl::StrCat(i));
      EXPECT_THAT((*file)->Append(AsBytes(std::string(3000, 'x'))), IsOk());
    }
    file_system.LoseUnsyncedData();
    const std::vector<std::string> names = *file_system.List("/");
    for (const std::string& name : names) trace += name + ":" + Content(file_system, name);
    return trace;
  };
  std::set<std::string> traces;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(run(seed), run(seed));
    traces.insert(run(seed));
  }
  EXPECT_GT(traces.size(), 5u);
}

TEST(MemoryFileSystem, AForkGoesItsOwnWayAndReseedGivesItAnotherFuture) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("a"));
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes("durable")}), IsOk());
  ASSERT_THAT(file_system.SyncDirectory("/"), IsOk());
  ASSERT_THAT(file->Write(0, {AsBytes("CHANGED")}), IsOk());
  ASSERT_OK_AND_ASSIGN(auto lock, file_system.Lock("LOCK"));
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto fork = file_system.Fork();
    EXPECT_EQ(Content(*fork, "a"), "CHANGED");
    EXPECT_THAT(fork->Lock("LOCK"), IsOk());
    fork->Reseed(seed);
    fork->LoseUnsyncedData();
    outcomes.insert(Content(*fork, "a"));
    ASSERT_OK_AND_ASSIGN(auto forked_file, fork->OpenForWrite("a"));
    ASSERT_THAT(forked_file->Write(0, {AsBytes("X")}), IsOk());
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"durable", "CHANGED"}));
  EXPECT_EQ(Content(file_system, "a"), "CHANGED");
  EXPECT_THAT(file->Sync(), IsOk()) << "handles stay with the original";
}

TEST(MemoryFileSystem, ForksAreWholeWhileThreadsWrite) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto first, file_system.Create("first"));
  ASSERT_OK_AND_ASSIGN(auto second, file_system.Create("second"));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      // A fork that shows the second must show the first.
      EXPECT_THAT(first->Append(AsBytes("x")), IsOk());
      EXPECT_THAT(second->WriteAndSync(second->size(), {AsBytes("y")}), IsOk());
    }
    stop = true;
  });
  std::thread reader([&] {
    while (!stop) EXPECT_THAT(ReadWholeFile(file_system, "first", 1 << 20), IsOk());
  });
  do {
    const auto fork = file_system.Fork();
    const uint64_t second_size = fork->Stat("second")->size;
    const uint64_t first_size = fork->Stat("first")->size;
    EXPECT_LE(second_size, first_size);
    EXPECT_LE(first_size, second_size + 1);
    std::unique_ptr<WritableFile> forked = *fork->OpenForWrite("first");
    EXPECT_THAT(forked->Append(AsBytes("fork")), IsOk());
  } while (!stop);
  writer.join();
  reader.join();
  EXPECT_EQ(Content(file_system, "first"), std::string(2000, 'x'));
}

TEST(MemoryFileSystem, CostsOfAppendSyncAndForkDoNotGrowWithTheFile) {
  MemoryFileSystem file_system;
  ASSERT_OK_AND_ASSIGN(auto file, file_system.Create("log"));
  const std::string block(4096, 'x');
  // Quadratic behaviour would copy 16 GB here and take many seconds.
  for (int i = 0; i < 4000; ++i) {
    ASSERT_THAT(file->WriteAndSync(file->size(), {AsBytes(block)}), IsOk());
    if (i % 100 == 0) {
      const auto fork = file_system.Fork();
      ASSERT_EQ(fork->Stat("log")->size, file->size());
    }
  }
  EXPECT_EQ(file->size(), 4000u * 4096);
}

}  // namespace
}  // namespace firn
