// tree/record_store.h: the flat copy of a tree's entries in the keyspace "records": one lookup answers
// what the tree would need a path for. Key: tree number (4 bytes, big-endian), key. Value: rank
// (varint), then the value's bytes.
//
// The rank is the number of the operation that inserted the key: entries sorted by it were inserted in
// that order.
#ifndef FIRN_TREE_RECORD_STORE_H_
#define FIRN_TREE_RECORD_STORE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/keyspace.h"
#include "firn/snapshot.h"
#include "firn/write_batch.h"
#include "tree/node_codec.h"

namespace firn {

struct TreeRecord {
  uint64_t rank = 0;
  std::string value;
  friend bool operator==(const TreeRecord&, const TreeRecord&) = default;
};

std::string EncodeRecordKey(TreeNumber tree, absl::string_view key);
std::string EncodeRecord(const TreeRecord& record);

// Views into the row: as long as that lives.
struct RecordView {
  uint64_t rank = 0;
  absl::string_view value;
};
// DataLoss/kSerialization.
absl::StatusOr<RecordView> DecodeRecord(absl::string_view row);
// The tree's key in a row's key. DataLoss/kSerialization.
absl::StatusOr<absl::string_view> DecodeRecordKey(TreeNumber tree, absl::string_view row_key);

// None if there is no such key.
absl::StatusOr<std::optional<TreeRecord>> GetRecord(const Keyspace& records, TreeNumber tree,
                                                absl::string_view key, const Snapshot& snapshot);

// The records of `tree` with keys in [begin, limit); empty limit: to the last.
std::unique_ptr<Iterator> NewRecordIterator(const Keyspace& records, TreeNumber tree,
                                            absl::string_view begin, absl::string_view limit,
                                            const Snapshot& snapshot);

}  // namespace firn

#endif  // FIRN_TREE_RECORD_STORE_H_
