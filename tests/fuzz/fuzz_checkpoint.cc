// Any bytes give a checkpoint, a death or a Status; what is read is written as the same bytes.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/types.h"
#include "tree/checkpoint.h"
#include "tree/tree_keyspaces.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view record = firn::AsText(firn::ByteSpan(data, size));
  const absl::StatusOr<firn::Checkpoint> checkpoint = firn::DecodeCheckpoint(1, record);
  if (checkpoint.ok()) FIRN_CHECK(firn::EncodeCheckpoint(*checkpoint) == record);
  const absl::StatusOr<firn::Death> death = firn::DecodeDeathKey(record);
  if (death.ok()) FIRN_CHECK(firn::EncodeDeathKey(*death) == record);
  const absl::StatusOr<firn::CheckpointKey> key = firn::DecodeCheckpointKey(record);
  if (key.ok()) FIRN_CHECK(firn::EncodeCheckpointKey(*key) == record);
  const absl::StatusOr<firn::StoredTree> tree = firn::DecodeStoredTree(record);
  if (tree.ok()) FIRN_CHECK(firn::EncodeStoredTree(*tree) == record);
  return 0;
}
