// Keyspaces that come and go while others are written to.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class DatabaseKeyspacesTest : public testing::Test {
 protected:
  DatabaseKeyspacesTest() : store_(memory_, 1) { EXPECT_THAT(store_.Open(), IsOk()); }

  MemoryFileSystem memory_;
  SteppedStore store_;
};

TEST_F(DatabaseKeyspacesTest, ManyAreListedInOrderAndComeBackWithWhatTheyHold) {
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) {
    names.push_back(absl::StrCat("k", 100 + i));
    ASSERT_THAT(store_.Put(names.back(), "key", names.back()), IsOk());
  }
  EXPECT_THAT(store_->ListKeyspaces(), testing::ElementsAreArray(names));
  ASSERT_THAT(store_.Close(), IsOk());
  ASSERT_THAT(store_.Open(), IsOk());
  EXPECT_THAT(store_->ListKeyspaces(), testing::ElementsAreArray(names));
  for (const std::string& name : names) EXPECT_EQ(store_.Get(name, "key"), name);
}

// The look at the background's debt is shared by many groups: what one keyspace owes is noticed though
// most groups are of another.
TEST_F(DatabaseKeyspacesTest, OneThatIsBusyIsHeldBackAmongManyThatAreNot) {
  for (int i = 0; i < 20; ++i) ASSERT_THAT(store_.Put(absl::StrCat("quiet", i), "k", "v"), IsOk());
  for (int i = 0; i < 1500; ++i) {
    const std::string keyspace = i % 3 == 0 ? "busy" : absl::StrCat("quiet", i % 20);
    const size_t size = i % 3 == 0 ? 500 : 5;
    ASSERT_THAT(store_.Put(keyspace, absl::StrCat("k", i), std::string(size, 'v')), IsOk());
    ASSERT_LE(store_.Open("busy").impl()->version()->immutables().size(), 3u);
    ASSERT_LE(store_.Open("busy").impl()->version()->memtable_bytes(), 5u * (6 << 10));
  }
  EXPECT_GT(store_->statistics().slowdown_us, 0u);
}

TEST_F(DatabaseKeyspacesTest, ADroppedOneIsGoneAndItsNameIsFree) {
  ASSERT_THAT(store_.Put("notes", "k", "old"), IsOk());
  ASSERT_THAT(store_->Flush(store_.Open("notes")), IsOk());
  ASSERT_THAT(store_->DropKeyspace("notes"), IsOk());
  EXPECT_THAT(store_->OpenKeyspace("notes").status(), HasReason(ErrorReason::kKeyspaceNotFound));
  EXPECT_THAT(store_->DropKeyspace("notes"), HasReason(ErrorReason::kKeyspaceNotFound));
  EXPECT_EQ(store_.Get("notes", "k"), "(absent)");
  EXPECT_THAT(store_->CreateKeyspace("notes", {}).status(),
              HasReason(ErrorReason::kKeyspaceExists));
}

}  // namespace
}  // namespace firn
