// tests/engine/edit_examples.h: segments and edits for tests of the manifest's modules.
#ifndef FIRN_TESTS_ENGINE_EDIT_EXAMPLES_H_
#define FIRN_TESTS_ENGINE_EDIT_EXAMPLES_H_

#include <string>

#include "absl/strings/string_view.h"
#include "base/types.h"
#include "engine/version_edit.h"
#include "sstable/internal_key.h"
#include "sstable/segment_meta.h"

namespace firn {

inline SegmentMeta ExampleSegment(uint64_t number, absl::string_view smallest,
                                  absl::string_view largest, uint64_t sequence) {
  SegmentMeta segment;
  segment.number = FileNumber{number};
  segment.id = 0x1122334455667788 + number;
  segment.size = 4096 * number;
  segment.entry_count = 2;
  segment.smallest = EncodeInternalKey({smallest, SequenceNumber{sequence}, EntryKind::kPut});
  segment.largest = EncodeInternalKey({largest, SequenceNumber{sequence}, EntryKind::kTombstone});
  segment.sequence_min = SequenceNumber{sequence};
  segment.sequence_max = SequenceNumber{sequence};
  return segment;
}

inline VersionEdit CreateNotes() {
  VersionEdit edit;
  edit.next_keyspace = KeyspaceId{2};
  edit.added_keyspaces.push_back({KeyspaceId{1}, "notes", {}});
  return edit;
}

// A flush of keyspace 1: one segment on level 0, the floor raised.
inline VersionEdit FlushEdit(const SegmentMeta& segment) {
  VersionEdit edit;
  edit.next_file = FileNumber{segment.number.value + 1};
  edit.last_sequence = segment.sequence_max;
  edit.added_segments.push_back({KeyspaceId{1}, LevelIndex{0}, segment});
  edit.flushed.push_back({KeyspaceId{1}, segment.sequence_max});
  return edit;
}

}  // namespace firn

#endif  // FIRN_TESTS_ENGINE_EDIT_EXAMPLES_H_
