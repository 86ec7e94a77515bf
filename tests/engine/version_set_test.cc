#include "engine/version_set.h"

#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/edit_examples.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class VersionSetTest : public ::testing::Test {
 protected:
  VersionSetTest() : faulty_(memory_) {
    EXPECT_THAT(memory_.CreateDirectory("s"), IsOk());
    versions_ = std::make_unique<VersionSet>(faulty_, "s", StoreState(), [] { return 5; });
    EXPECT_THAT(versions_->StartManifest(), IsOk());
  }
  absl::Status Commit(const VersionEdit& edit) {
    return versions_->Commit([&](const StoreState&) { return edit; }, SequenceNumber{0},
                             [](const StoreState&) {});
  }
  VersionEdit AddKeyspace(const std::string& name) {
    VersionEdit edit;
    const KeyspaceId id = versions_->state()->next_keyspace;
    edit.next_keyspace = KeyspaceId{id.value + 1};
    edit.added_keyspaces.push_back({id, name, {}});
    return edit;
  }
  StoreState Reload() {
    const FileNumber current = ReadCurrent(memory_, "s").value();
    return LoadManifest(memory_, "s", current, 0).value().state;
  }
  MemoryFileSystem memory_;
  FaultInjectingFileSystem faulty_;
  std::unique_ptr<VersionSet> versions_;
};

TEST_F(VersionSetTest, AnEditIsDurableBeforeItIsPublished) {
  bool published = false;
  ASSERT_THAT(versions_->Commit([&](const StoreState&) { return AddKeyspace("notes"); },
                                SequenceNumber{7},
                                [&](const StoreState& state) {
                                  published = true;
                                  EXPECT_EQ(state.keyspaces.size(), 1u);
                                  EXPECT_EQ(Reload().keyspaces.size(), 1u);
                                }),
              IsOk());
  EXPECT_TRUE(published);
  EXPECT_EQ(versions_->state()->last_sequence, SequenceNumber{7});
  EXPECT_EQ(Reload().last_sequence, SequenceNumber{7});
}

TEST_F(VersionSetTest, AnErrorOfTheMakerChangesNothing) {
  EXPECT_THAT(versions_->Commit([](const StoreState&) { return absl::AbortedError("no"); },
                                SequenceNumber{0}, [](const StoreState&) { FAIL(); }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(Commit(AddKeyspace("notes")), IsOk());
}

TEST_F(VersionSetTest, AFailedAppendSticks) {
  faulty_.AddRule({.operation = FileOperation::kSync, .path_part = "MANIFEST"});
  EXPECT_THAT(Commit(AddKeyspace("notes")), HasReason(ErrorReason::kIo));
  EXPECT_THAT(Commit(AddKeyspace("notes")), HasReason(ErrorReason::kIo));
  EXPECT_THAT(versions_->error(), HasReason(ErrorReason::kIo));
  EXPECT_TRUE(versions_->state()->keyspaces.empty());
}

TEST_F(VersionSetTest, AFullDiskIsNoFailure) {
  int i = 0;
  faulty_.SetSpace(0);
  absl::Status status;
  while (status.ok()) {
    status = Commit(AddKeyspace(absl::StrCat("k", i++)));
    ASSERT_LT(i, 100000);
  }
  EXPECT_THAT(status, HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(versions_->error(), IsOk());
  faulty_.ClearSpace();
  EXPECT_THAT(Commit(AddKeyspace("again")), IsOk());
  EXPECT_EQ(Reload().keyspaces.size(), versions_->state()->keyspaces.size());
}

TEST_F(VersionSetTest, ARollThatFindsNoRoomLeavesNoFile) {
  const auto manifests = [&] {
    int count = 0;
    const std::vector<std::string> names = memory_.List("s").value();
    for (const std::string& name : names) count += absl::StartsWith(name, "MANIFEST") ? 1 : 0;
    return count;
  };
  ASSERT_EQ(manifests(), 1);
  // Wherever it fails before CURRENT is to name it.
  for (const FileOperation operation :
       {FileOperation::kWrite, FileOperation::kSync, FileOperation::kSyncDirectory}) {
    faulty_.AddRule({.operation = operation,
                     .path_part = "s",
                     .count = FaultRule::kForever,
                     .error_number = ENOSPC});
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(versions_->StartManifest(), HasReason(ErrorReason::kDiskFull));
    }
    faulty_.ClearRules();
    EXPECT_EQ(manifests(), 1);
  }
  EXPECT_THAT(versions_->StartManifest(), IsOk());
  EXPECT_EQ(manifests(), 1);
}

TEST_F(VersionSetTest, AFullDiskInsideARecordIsAFailure) {
  faulty_.AddRule({.operation = FileOperation::kSync, .path_part = "MANIFEST", .error_number = ENOSPC});
  EXPECT_THAT(Commit(AddKeyspace("notes")), HasReason(ErrorReason::kIo));
  EXPECT_THAT(versions_->error(), HasReason(ErrorReason::kIo));
}

TEST_F(VersionSetTest, ALongManifestIsRolled) {
  const FileNumber first = versions_->manifest_position().number;
  ASSERT_THAT(Commit(AddKeyspace("notes")), IsOk());
  for (int i = 0; i < 1500; ++i) {
    VersionEdit edit;
    edit.volatile_marks.push_back({KeyspaceId{1}, SequenceNumber{0}});
    ASSERT_THAT(Commit(edit), IsOk());
  }
  EXPECT_GT(versions_->manifest_position().number, first);
  EXPECT_EQ(ReadCurrent(memory_, "s").value(), versions_->manifest_position().number);
  EXPECT_EQ(Reload().keyspaces.size(), 1u);
  ASSERT_OK_AND_ASSIGN(const auto names, memory_.List("s"));
  EXPECT_EQ(names.size(), 2u) << "CURRENT and one manifest";
}

TEST_F(VersionSetTest, FileNumbersAreNeverUsedAgain) {
  const FileNumber number = versions_->NewFileNumber();
  EXPECT_EQ(versions_->NewFileNumber(), FileNumber{number.value + 1});
  versions_->RaiseFileNumber(FileNumber{500});
  versions_->RaiseFileNumber(FileNumber{100});
  EXPECT_EQ(versions_->NewFileNumber(), FileNumber{501});
  ASSERT_THAT(Commit(VersionEdit()), IsOk());
  EXPECT_GT(Reload().next_file, FileNumber{501});
}

TEST_F(VersionSetTest, ThreadsCommitOneAtATime) {
  ASSERT_THAT(Commit(AddKeyspace("notes")), IsOk());
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const FileNumber number = versions_->NewFileNumber();
        EXPECT_THAT(versions_->Commit(
                        [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
                          VersionEdit edit;
                          edit.added_segments.push_back(
                              {KeyspaceId{1}, LevelIndex{0},
                               ExampleSegment(number.value, "a", "b",
                                              state.last_sequence.value)});
                          return edit;
                        },
                        SequenceNumber{0}, [](const StoreState&) {}),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Reload().keyspaces.at(KeyspaceId{1}).levels->segment_count(), 80u);
}

}  // namespace
}  // namespace firn
