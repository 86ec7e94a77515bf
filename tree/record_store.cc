#include "tree/record_store.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"

namespace firn {

std::string EncodeRecordKey(TreeNumber tree, absl::string_view key) {
  std::string row_key;
  row_key.reserve(4 + key.size());
  PutBigEndian32(row_key, tree);
  row_key.append(key.data(), key.size());
  return row_key;
}

std::string EncodeRecord(const TreeRecord& record) {
  std::string row;
  PutVarint64(row, record.rank);
  row.append(record.value);
  return row;
}

absl::StatusOr<RecordView> DecodeRecord(absl::string_view row) {
  ByteReader reader(row);
  const std::optional<uint64_t> rank = reader.ReadVarint64();
  if (!rank.has_value()) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     "row of keyspace records without a rank");
  }
  return RecordView{.rank = *rank, .value = AsText(reader.rest())};
}

absl::StatusOr<absl::string_view> DecodeRecordKey(TreeNumber tree, absl::string_view row_key) {
  if (row_key.size() < 4 || LoadBigEndian32(AsBytes(row_key)) != tree) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     "key of keyspace records does not begin with the tree's number");
  }
  return row_key.substr(4);
}

absl::StatusOr<std::optional<TreeRecord>> GetRecord(const Keyspace& records, TreeNumber tree,
                                                absl::string_view key, const Snapshot& snapshot) {
  const absl::StatusOr<PinnedValue> row = records.Get(EncodeRecordKey(tree, key), snapshot);
  if (absl::IsNotFound(row.status()) && ReasonOf(row.status()) == ErrorReason::kNone) {
    return std::optional<TreeRecord>();
  }
  FIRN_RETURN_IF_ERROR(row.status());
  FIRN_ASSIGN_OR_RETURN(const RecordView view, DecodeRecord(row->view()));
  return std::optional<TreeRecord>(TreeRecord{.rank = view.rank, .value = std::string(view.value)});
}

std::unique_ptr<Iterator> NewRecordIterator(const Keyspace& records, TreeNumber tree,
                                            absl::string_view begin, absl::string_view limit,
                                            const Snapshot& snapshot) {
  IteratorOptions options;
  options.begin = EncodeRecordKey(tree, begin);
  options.limit = limit.empty() ? EncodeRecordKey(tree + 1, "") : EncodeRecordKey(tree, limit);
  options.snapshot = snapshot;
  return records.NewIterator(options);
}

}  // namespace firn
