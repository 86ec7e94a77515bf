#include "tools/store_layout.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "firn/database.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

std::string RoleOf(const std::vector<LayoutEntry>& entries, const std::string& path) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const LayoutEntry& entry) { return entry.path == path; });
  return found == entries.end() ? "(not listed)" : found->is_known() ? found->role : "(unknown)";
}

TEST(StoreLayoutTest, EveryFileOfAStoreHasARoleAndOthersAreNamedAndStay) {
  const TemporaryDirectory folder;
  const std::string store = folder.File("store");
  {
    ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(store, {}));
    ASSERT_OK_AND_ASSIGN(const Keyspace notes, database->CreateKeyspace("notes", {}));
    WriteBatch batch;
    batch.Put(notes, "k", "v");
    ASSERT_THAT(database->Write(batch, Durability::kSynced), IsOk());
    ASSERT_THAT(database->Flush(notes), IsOk());
    ASSERT_THAT(database->Close(), IsOk());
  }
  std::string reason;
  ASSERT_OK_AND_ASSIGN(const auto file_system, NewDiskFileSystem(&reason));
  ASSERT_OK_AND_ASSIGN(std::vector<LayoutEntry> entries, ListLayout(*file_system, store));
  size_t segments = 0, logs = 0, manifests = 0;
  for (const LayoutEntry& entry : entries) {
    EXPECT_TRUE(entry.is_known()) << entry.path;
    segments += entry.role == "segment of keyspace notes";
    logs += entry.role.find("log") != std::string::npos;
    manifests += entry.role.find("manifest: ") == 0;
  }
  EXPECT_EQ(segments, 1u);
  EXPECT_GE(logs, 1u);
  EXPECT_EQ(manifests, 1u);
  EXPECT_THAT(RoleOf(entries, "FIRN"), HasSubstr("what the folder is"));
  EXPECT_THAT(RoleOf(entries, "OPTIONS.toml"), HasSubstr("options in force"));

  std::ofstream(store + "/readme.txt") << "mine";
  std::ofstream(store + "/notes/000051.bak") << "mine";
  std::ofstream(store + "/wal/7.wal") << "a number that firn does not write so";
  std::ofstream(store + "/FIRN.tmp") << "";
  std::filesystem::create_directory(store + "/Other Folder");
  ASSERT_OK_AND_ASSIGN(entries, ListLayout(*file_system, store));
  for (const char* const path : {"readme.txt", "notes/000051.bak", "wal/7.wal", "Other Folder/"}) {
    EXPECT_EQ(RoleOf(entries, path), "(unknown)") << path;
    EXPECT_TRUE(std::filesystem::exists(store + "/" + path));
  }
  EXPECT_THAT(RoleOf(entries, "FIRN.tmp"), HasSubstr("interrupted"));
}

TEST(StoreLayoutTest, AFolderThatIsNoStoreIsRefused) {
  const TemporaryDirectory folder;
  std::ofstream(folder.File("readme.txt")) << "mine";
  std::string reason;
  ASSERT_OK_AND_ASSIGN(const auto file_system, NewDiskFileSystem(&reason));
  EXPECT_THAT(ListLayout(*file_system, std::filesystem::path(folder.File("x")).parent_path().string()),
              HasReason(ErrorReason::kNotAStore));
}

}  // namespace
}  // namespace firn
