#include "engine/store_state.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/edit_examples.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

StoreState WithNotes() { return StoreState().Apply(CreateNotes()).value(); }

TEST(StoreState, EditsAddUp) {
  ASSERT_OK_AND_ASSIGN(StoreState state,
                       WithNotes().Apply(FlushEdit(ExampleSegment(4, "a", "m", 9))));
  const KeyspaceState& notes = state.keyspaces.at(KeyspaceId{1});
  EXPECT_EQ(notes.name, "notes");
  EXPECT_EQ(notes.flushed, SequenceNumber{9});
  ASSERT_EQ(notes.levels->level0().size(), 1u);
  EXPECT_EQ(state.next_file, FileNumber{5});
  EXPECT_EQ(state.last_sequence, SequenceNumber{9});
  VersionEdit mark;
  mark.volatile_marks.push_back({KeyspaceId{1}, SequenceNumber{9}});
  ASSERT_OK_AND_ASSIGN(state, state.Apply(mark));
  EXPECT_EQ(state.keyspaces.at(KeyspaceId{1}).volatile_since, SequenceNumber{9});
  VersionEdit drop;
  drop.dropped_keyspaces.push_back(KeyspaceId{1});
  ASSERT_OK_AND_ASSIGN(state, state.Apply(drop));
  EXPECT_TRUE(state.keyspaces.empty());
  EXPECT_EQ(state.next_keyspace, KeyspaceId{2});
}

TEST(StoreState, AMovedSegmentKeepsItsPointer) {
  const SegmentMeta segment = ExampleSegment(4, "a", "m", 9);
  ASSERT_OK_AND_ASSIGN(const StoreState before, WithNotes().Apply(FlushEdit(segment)));
  VersionEdit move;
  move.removed_segments.push_back({KeyspaceId{1}, FileNumber{4}});
  move.added_segments.push_back({KeyspaceId{1}, LevelIndex{1}, segment});
  ASSERT_OK_AND_ASSIGN(const StoreState after, before.Apply(move));
  EXPECT_EQ(after.keyspaces.at(KeyspaceId{1}).levels->level(LevelIndex{1}).front(),
            before.keyspaces.at(KeyspaceId{1}).levels->level0().front());
}

TEST(StoreState, RefusesEditsThatContradictIt) {
  ASSERT_OK_AND_ASSIGN(const StoreState state,
                       WithNotes().Apply(FlushEdit(ExampleSegment(4, "a", "m", 9))));
  const auto refused = [&](const VersionEdit& edit, const char* why) {
    EXPECT_THAT(state.Apply(edit), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(why)));
  };
  refused(CreateNotes(), "there already");
  VersionEdit edit;
  edit.next_file = FileNumber{3};
  refused(edit, "falls");
  edit = VersionEdit{};
  edit.last_sequence = SequenceNumber{8};
  refused(edit, "falls");
  edit = VersionEdit{};
  edit.added_keyspaces.push_back({KeyspaceId{2}, "more", {}});
  refused(edit, "next id");
  edit = VersionEdit{};
  edit.dropped_keyspaces.push_back(KeyspaceId{5});
  refused(edit, "does not exist");
  edit = VersionEdit{};
  edit.removed_segments.push_back({KeyspaceId{1}, FileNumber{77}});
  refused(edit, "notes");
  edit = VersionEdit{};
  edit.removed_segments.push_back({KeyspaceId{9}, FileNumber{77}});
  refused(edit, "does not exist");
  edit = VersionEdit{};
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, ExampleSegment(5, "a", "b", 3)});
  refused(edit, "next file");
  edit.next_file = FileNumber{6};
  edit.added_segments.front().segment = ExampleSegment(5, "a", "b", 10);
  refused(edit, "above the last");
  edit = VersionEdit{};
  edit.flushed.push_back({KeyspaceId{1}, SequenceNumber{8}});
  refused(edit, "floor");
  edit.flushed.front().sequence = SequenceNumber{10};
  refused(edit, "floor");
}

TEST(StoreState, CanBeMadeAgainFromItsOwnEdits) {
  StoreState state = WithNotes();
  for (uint64_t number = 4; number < 400; ++number) {
    ASSERT_OK_AND_ASSIGN(state, state.Apply(FlushEdit(ExampleSegment(number, "a", "m", number))));
  }
  VersionEdit mark;
  mark.volatile_marks.push_back({KeyspaceId{1}, SequenceNumber{3}});
  ASSERT_OK_AND_ASSIGN(state, state.Apply(mark));
  StoreState again;
  const std::vector<VersionEdit> edits = state.AsEdits();
  EXPECT_GT(edits.size(), 3u);
  for (const VersionEdit& edit : edits) {
    ASSERT_OK_AND_ASSIGN(again, again.Apply(edit));
  }
  const auto encode = [](const StoreState& of) {
    std::string all;
    for (const VersionEdit& edit : of.AsEdits()) all += EncodeVersionEdit(edit);
    return all;
  };
  EXPECT_EQ(encode(again), encode(state));
}

}  // namespace
}  // namespace firn
