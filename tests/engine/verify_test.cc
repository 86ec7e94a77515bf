#include "engine/verify.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() : store_(file_system_, 1) {
    EXPECT_THAT(store_.Open(), IsOk());
    for (int i = 0; i < 100; ++i) {
      EXPECT_THAT(store_.Put("notes", absl::StrCat("k", i), std::string(200, 'v')), IsOk());
    }
    EXPECT_THAT(store_->Flush(store_.Open("notes")), IsOk());
    EXPECT_THAT(store_->WaitForBackgroundWork(), IsOk());
    EXPECT_THAT(store_.Put("notes", "in the log", "v", Durability::kSynced), IsOk());
  }
  std::vector<std::string> Damage(VerifyLevel level) {
    const auto report = store_->Verify(level);
    EXPECT_THAT(report, IsOk());
    return report->damage;
  }
  std::string OneOf(const std::string& directory, const std::string& part) {
    const std::vector<std::string> names = file_system_.List(directory).value();
    for (const std::string& name : names) {
      if (absl::StrContains(name, part)) return JoinPath(directory, name);
    }
    return "";
  }
  void Flip(const std::string& path, uint64_t offset) {
    auto file = file_system_.OpenForRead(path).value();
    uint8_t byte = 0;
    ASSERT_THAT(file->Read(offset, absl::MakeSpan(&byte, 1)), IsOk());
    byte ^= 0x10;
    auto writer = file_system_.OpenForWrite(path).value();
    ASSERT_THAT(writer->WriteAndSync(offset, {ByteSpan(&byte, 1)}), IsOk());
  }

  MemoryFileSystem file_system_;
  SteppedStore store_;
};

TEST_F(VerifyTest, AWholeStoreIsCleanAndEverythingIsCounted) {
  const auto files = store_->Verify(VerifyLevel::kFiles);
  ASSERT_THAT(files, IsOk());
  EXPECT_THAT(files->damage, IsEmpty());
  EXPECT_EQ(files->entries, 0u);
  const auto blocks = store_->Verify(VerifyLevel::kBlocks);
  ASSERT_THAT(blocks, IsOk());
  EXPECT_THAT(blocks->damage, IsEmpty());
  EXPECT_EQ(blocks->files, files->files);
  EXPECT_GE(blocks->entries, 101u);
  EXPECT_GT(blocks->blocks, 10u);
  EXPECT_THAT(blocks->notes, Contains(HasSubstr("the store is open")));
}

TEST_F(VerifyTest, ADamagedBlockIsFoundByReadingBlocks) {
  const std::string path = OneOf("store/notes", ".seg");
  Flip(path, 40);
  EXPECT_THAT(Damage(VerifyLevel::kFiles), IsEmpty());
  EXPECT_THAT(Damage(VerifyLevel::kBlocks), Contains(HasSubstr(path)));
}

TEST_F(VerifyTest, AMissingSegmentIsFound) {
  const std::string path = OneOf("store/notes", ".seg");
  ASSERT_THAT(file_system_.RemoveFile(path), IsOk());
  EXPECT_THAT(Damage(VerifyLevel::kFiles), Contains(HasSubstr(path)));
}

TEST_F(VerifyTest, ADamagedLogRecordIsFound) {
  const std::string path = OneOf("store/wal", ".wal");
  Flip(path, 4096 + 60);
  EXPECT_THAT(Damage(VerifyLevel::kBlocks), ElementsAre(HasSubstr(path)));
}

TEST_F(VerifyTest, DamageOfTheSmallFilesIsFound) {
  Flip("store/FIRN", 20);
  Flip("store/CURRENT", 3);
  Flip(OneOf("store", "MANIFEST"), 4096 + 60);
  EXPECT_THAT(Damage(VerifyLevel::kFiles),
              ElementsAre(HasSubstr("FIRN"), HasSubstr("CURRENT"), HasSubstr("MANIFEST")));
}

TEST_F(VerifyTest, AnOlderEntryAboveANewerOneIsFound) {
  // As no writer does it: an entry with an old number, long after newer ones were flushed.
  Memtable& active = store_.Open("notes").impl()->active();
  active.Add(SequenceNumber{1}, EntryKind::kPut, "k7", "old");
  EXPECT_THAT(Damage(VerifyLevel::kBlocks), Contains(HasSubstr("above a newer one of its key")));
}

}  // namespace
}  // namespace firn
