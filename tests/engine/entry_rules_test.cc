#include "engine/entry_rules.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;

TEST(EntryRulesTest, EachLayoutAsksWhatItsSegmentsNeed) {
  const EntryRules ordered = RulesFor({});
  EXPECT_OK(ordered.Check(EntryKind::kTombstone, "any key", "k"));
  EXPECT_FALSE(ordered.ascending);

  const EntryRules hashed = RulesFor({.layout = KeyspaceLayout::kHashed, .key_width = 10});
  EXPECT_OK(hashed.Check(EntryKind::kPut, "0123456789", "k"));
  EXPECT_OK(hashed.Check(EntryKind::kTombstone, "0123456789", "k"));
  EXPECT_THAT(hashed.Check(EntryKind::kPut, "01234567890", "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("11 bytes; its keys have 10")));

  const EntryRules sequence = RulesFor({.layout = KeyspaceLayout::kSequence});
  EXPECT_TRUE(sequence.ascending);
  EXPECT_OK(sequence.Check(EntryKind::kPut, "01234567", "k"));
  EXPECT_THAT(sequence.Check(EntryKind::kPut, "0123456", "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("7 bytes")));
  EXPECT_THAT(sequence.Check(EntryKind::kTombstone, "01234567", "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("DropBelow")));
}

TEST(AscendingKeysTest, ARunIsTakenWholeOrNotAtAll) {
  AscendingKeys keys;
  EXPECT_OK(keys.Take({.first = 0, .last = 5}, "k"));
  EXPECT_THAT(keys.Take({.first = 5, .last = 9}, "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key 5 is not above 5")));
  EXPECT_EQ(keys.last(), 5u);
  EXPECT_OK(keys.Take({.first = 6, .last = 6}, "k"));
  keys.RaiseBound(0);
  EXPECT_EQ(keys.last(), 6u);
  keys.RaiseBound(100);
  EXPECT_THAT(keys.Take({.first = 99, .last = 99}, "k"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key 99 is not above 99")));
  EXPECT_OK(keys.Take({.first = 100, .last = 100}, "k"));
  keys.Raise(3);
  EXPECT_EQ(keys.last(), 100u);
}

}  // namespace
}  // namespace firn
