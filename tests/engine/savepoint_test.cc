#include "engine/savepoint.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SavepointTest : public ::testing::Test {
 protected:
  SavepointTest() : store_(memory_, 1) {
    EXPECT_OK(store_.Open());
    notes_ = store_.Open("notes");
  }
  void Put(absl::string_view key) { writes_.Put(notes_, key, "v"); }
  bool Has(absl::string_view key) { return writes_.Find(notes_, key) != nullptr; }

  MemoryFileSystem memory_;
  SteppedStore store_;
  Keyspace notes_;
  WriteSet writes_;
  ReadSet reads_;
  SavepointStack stack_{writes_, reads_};
};

TEST_F(SavepointTest, GoesBackToTheSamePointAgainAndAgain) {
  Put("a");
  ASSERT_OK(stack_.Create("one"));
  for (int i = 0; i < 3; ++i) {
    Put("b");
    reads_.AddPoint(KeyspaceId{notes_.id()}, "read");
    EXPECT_EQ(*stack_.ChangesSince("one"), 1u);
    ASSERT_OK(stack_.RollbackTo("one"));
    EXPECT_TRUE(Has("a"));
    EXPECT_FALSE(Has("b"));
    EXPECT_TRUE(reads_.empty());
    EXPECT_THAT(stack_.names(), ElementsAre("one"));
  }
}

TEST_F(SavepointTest, GoingBackForgetsTheLaterPointsAndTheirNamesAreFree) {
  ASSERT_OK(stack_.Create("one"));
  Put("a");
  ASSERT_OK(stack_.Create("two"));
  Put("b");
  ASSERT_OK(stack_.Create("three"));
  ASSERT_OK(stack_.RollbackTo("one"));
  EXPECT_THAT(stack_.names(), ElementsAre("one"));
  EXPECT_FALSE(Has("a"));
  EXPECT_THAT(stack_.RollbackTo("two"), HasReason(ErrorReason::kSavepointNotFound));
  ASSERT_OK(stack_.Create("two"));
}

TEST_F(SavepointTest, ReleasingKeepsTheWritesAndForgetsThatPointAndTheLaterOnes) {
  ASSERT_OK(stack_.Create("one"));
  Put("a");
  ASSERT_OK(stack_.Create("two"));
  Put("b");
  ASSERT_OK(stack_.Create("three"));
  ASSERT_OK(stack_.Release("two"));
  EXPECT_THAT(stack_.names(), ElementsAre("one"));
  EXPECT_EQ(*stack_.ChangesSince("one"), 2u);
  ASSERT_OK(stack_.Release("one"));
  EXPECT_THAT(stack_.names(), IsEmpty());
  EXPECT_TRUE(Has("a") && Has("b"));
  ASSERT_OK(stack_.Create("one"));
  EXPECT_EQ(*stack_.ChangesSince("one"), 0u);
}

TEST_F(SavepointTest, ANameIsTakenOnceAndAnUnknownOneIsNamed) {
  ASSERT_OK(stack_.Create("one"));
  const absl::Status twice = stack_.Create("one");
  EXPECT_THAT(twice, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("\"one\"")));
  EXPECT_THAT(twice, HasReason(ErrorReason::kSavepointExists));
  for (const absl::Status& status :
       {stack_.RollbackTo("zero"), stack_.Release("zero"), stack_.ChangesSince("zero").status()}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, HasSubstr("\"zero\"")));
    EXPECT_THAT(status, HasReason(ErrorReason::kSavepointNotFound));
  }
}

}  // namespace
}  // namespace firn
