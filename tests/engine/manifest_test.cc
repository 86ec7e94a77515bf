#include "engine/manifest.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/edit_examples.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

class ManifestTest : public ::testing::Test {
 protected:
  ManifestTest() { EXPECT_THAT(file_system_.CreateDirectory("s"), IsOk()); }
  std::unique_ptr<Manifest> Create(uint64_t number, const StoreState& state) {
    return Manifest::Create(file_system_, "s", FileNumber{number}, 99, state).value();
  }
  MemoryFileSystem file_system_;
};

TEST_F(ManifestTest, GivesBackTheStateAndTheEditsAfterIt) {
  ASSERT_OK_AND_ASSIGN(const StoreState state, StoreState().Apply(CreateNotes()));
  const auto manifest = Create(3, state);
  ASSERT_THAT(manifest->Append(FlushEdit(ExampleSegment(4, "a", "m", 9))), IsOk());
  ASSERT_OK_AND_ASSIGN(const ReadManifest read,
                       LoadManifest(file_system_, "s", FileNumber{3}, manifest->synced_size()));
  EXPECT_EQ(read.state.keyspaces.at(KeyspaceId{1}).levels->segment_count(), 1u);
  EXPECT_EQ(read.edits, 3u);
  EXPECT_EQ(read.ending, LogEnding::kUnclosed);
  ASSERT_THAT(manifest->Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(const ReadManifest closed,
                       LoadManifest(file_system_, "s", FileNumber{3}, 0));
  EXPECT_EQ(closed.ending, LogEnding::kClosed);
}

TEST_F(ManifestTest, ThatIsShorterThanALogSaysIsDamaged) {
  const auto manifest = Create(3, StoreState());
  EXPECT_THAT(LoadManifest(file_system_, "s", FileNumber{3}, manifest->synced_size() + 4096),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("MANIFEST-000003")));
}

TEST_F(ManifestTest, ThatIsMissingIsNamed) {
  EXPECT_THAT(LoadManifest(file_system_, "s", FileNumber{8}, 0),
              HasReason(ErrorReason::kMissingFile));
}

TEST_F(ManifestTest, AnEditThatContradictsTheStateIsDamageWithItsOffset) {
  const auto manifest = Create(3, StoreState());
  ASSERT_THAT(manifest->Append(FlushEdit(ExampleSegment(4, "a", "m", 9))), IsOk());
  EXPECT_THAT(LoadManifest(file_system_, "s", FileNumber{3}, 0),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 8192")));
}

TEST_F(ManifestTest, CurrentNamesOneManifest) {
  EXPECT_THAT(ReadCurrent(file_system_, "s"), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(SwitchCurrent(file_system_, "s", FileNumber{12}), IsOk());
  EXPECT_THAT(ReadCurrent(file_system_, "s"), IsOkAndHolds(FileNumber{12}));
  ASSERT_THAT(SwitchCurrent(file_system_, "s", FileNumber{13}), IsOk());
  EXPECT_THAT(ReadCurrent(file_system_, "s"), IsOkAndHolds(FileNumber{13}));
}

TEST_F(ManifestTest, NoByteOfCurrentMayChange) {
  const std::string good = EncodeCurrent(FileNumber{12});
  ASSERT_OK_AND_ASSIGN(const std::string page, ReadGoldenHex("docs/formats/store.md", "current"));
  EXPECT_EQ(good, page);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_THAT(DecodeCurrent("s/CURRENT", bad),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("s/CURRENT")));
    EXPECT_FALSE(DecodeCurrent("s/CURRENT", good.substr(0, i)).ok());
  }
}

}  // namespace
}  // namespace firn
