#include "engine/file_names.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "sstable/segment_format.h"

namespace firn {
namespace {

TEST(FileNames, AreMadeAndParsed) {
  EXPECT_EQ(ManifestName(FileNumber{12}), "MANIFEST-000012");
  EXPECT_EQ(ParseManifestName("MANIFEST-000012"), FileNumber{12});
  EXPECT_EQ(ManifestName(FileNumber{12345678}), "MANIFEST-12345678");
  EXPECT_EQ(ParseManifestName("MANIFEST-12345678"), FileNumber{12345678});
  EXPECT_EQ(SegmentName(FileNumber{51}), "000051.seg");
  EXPECT_EQ(SegmentName(FileNumber{51}), SegmentFileName(FileNumber{51}));
  EXPECT_EQ(ParseSegmentName("000051.seg"), FileNumber{51});
  EXPECT_EQ(SegmentPath("dir", "notes", FileNumber{51}), "dir/notes/000051.seg");
}

TEST(FileNames, OnlyWhatTheMakerMakesIsParsed) {
  for (const char* name : {"", "MANIFEST-", "MANIFEST-12", "MANIFEST-0000012", "MANIFEST-000000",
                           "MANIFEST-00001x", "MANIFEST-+00012", "manifest-000012",
                           "MANIFEST-000012.tmp", "MANIFEST-99999999999999999999"}) {
    EXPECT_EQ(ParseManifestName(name), std::nullopt) << name;
  }
  for (const char* name : {"51.seg", "000051.seg.tmp", "000051", ".seg", "00 051.seg"}) {
    EXPECT_EQ(ParseSegmentName(name), std::nullopt) << name;
  }
}

TEST(FileNames, KeyspaceNamesAreFolderNamesThatTheStoreDoesNotNeed) {
  EXPECT_TRUE(IsKeyspaceName("notes"));
  EXPECT_TRUE(IsKeyspaceName("a-b_9"));
  EXPECT_TRUE(IsKeyspaceName(std::string(64, 'x')));
  EXPECT_FALSE(IsKeyspaceName(std::string(65, 'x')));
  for (const char* name : {"", "wal", "quarantine", "Notes", "a b", "a/b", "..", "FIRN", "CURRENT"}) {
    EXPECT_FALSE(IsKeyspaceName(name)) << name;
  }
}

}  // namespace
}  // namespace firn
