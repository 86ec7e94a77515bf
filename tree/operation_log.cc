#include "tree/operation_log.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/coding.h"
#include "base/status.h"
#include "firn/iterator.h"

namespace firn {
namespace {

enum class IndexKind : uint8_t { kTime = 1, kKey = 2 };

std::string IndexPrefix(TreeNumber tree, IndexKind kind) {
  std::string key;
  PutBigEndian32(key, tree);
  key.push_back(static_cast<char>(kind));
  return key;
}

std::string TimeKey(TreeNumber tree, uint64_t time_ms, uint64_t first) {
  std::string key = IndexPrefix(tree, IndexKind::kTime);
  PutBigEndian64(key, time_ms);
  PutBigEndian64(key, first);
  return key;
}

std::string KeyKey(TreeNumber tree, absl::string_view key, uint64_t number) {
  std::string row_key = IndexPrefix(tree, IndexKind::kKey);
  row_key.push_back(static_cast<char>(key.size() >> 8));
  row_key.push_back(static_cast<char>(key.size() & 0xff));
  row_key.append(key.data(), key.size());
  PutBigEndian64(row_key, number);
  return row_key;
}

absl::Status BadIndexRow() {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   "malformed row in keyspace indexes");
}

// An index row led to an operation that is not there.
absl::Status Dangling(uint64_t number) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSequenceGap,
                   absl::StrCat("the index names operation ", number, ", which is not in the log"));
}

}  // namespace

void OperationLog::Append(uint64_t number, const LogEntry& entry, WriteBatch& batch) const {
  FIRN_CHECK(number != 0 && entry.key.size() <= kLoggedKeySizeMax);
  std::string record;
  EncodeLogEntry(entry, record);
  batch.Put(operations_, EncodeOperationKey(number), record);
  batch.Put(indexes_, KeyKey(entry.tree, entry.key, number), "");
}

void OperationLog::AppendTimeRun(const TimeRun& run, WriteBatch& batch) const {
  FIRN_CHECK(run.count != 0);
  std::string count;
  PutVarint64(count, run.count);
  batch.Put(indexes_, TimeKey(run.tree, run.time_ms, run.first), count);
}

absl::StatusOr<uint64_t> OperationLog::LastNumber(const Snapshot& snapshot) const {
  IteratorOptions options;
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> rows = operations_.NewIterator(options);
  rows->SeekToLast();
  FIRN_RETURN_IF_ERROR(rows->status());
  if (!rows->Valid()) return uint64_t{0};
  return DecodeOperationKey(rows->key());
}

absl::StatusOr<LogEntry> OperationLog::Get(uint64_t number, const Snapshot& snapshot) const {
  const absl::StatusOr<PinnedValue> row = operations_.Get(EncodeOperationKey(number), snapshot);
  if (absl::IsNotFound(row.status()) && ReasonOf(row.status()) == ErrorReason::kNone) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotRetained,
                     absl::StrCat("there is no operation ", number));
  }
  FIRN_RETURN_IF_ERROR(row.status());
  return DecodeLogEntry(number, row->view());
}

absl::Status OperationLog::Read(uint64_t first, uint64_t last, const Snapshot& snapshot,
                                const Visitor& visit) const {
  if (first > last) return absl::OkStatus();
  IteratorOptions options;
  options.begin = EncodeOperationKey(first);
  if (last != UINT64_MAX) options.limit = EncodeOperationKey(last + 1);
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> rows = operations_.NewIterator(options);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    FIRN_ASSIGN_OR_RETURN(const uint64_t number, DecodeOperationKey(rows->key()));
    FIRN_ASSIGN_OR_RETURN(LogEntry entry, DecodeLogEntry(number, rows->value()));
    FIRN_ASSIGN_OR_RETURN(const bool go_on, visit(number, std::move(entry)));
    if (!go_on) return absl::OkStatus();
  }
  return rows->status();
}

absl::Status OperationLog::ReadByTime(TreeNumber tree, TimeRange range, const Snapshot& snapshot,
                                      const Visitor& visit) const {
  if (range.begin_ms >= range.limit_ms) return absl::OkStatus();
  IteratorOptions options;
  options.begin = TimeKey(tree, range.begin_ms, 0);
  options.limit = TimeKey(tree, range.limit_ms, 0);
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> rows = indexes_.NewIterator(options);
  bool go_on = true;
  for (rows->SeekToFirst(); go_on && rows->Valid(); rows->Next()) {
    ByteReader key(rows->key().substr(options.begin.size() - 16));
    ByteReader value(rows->value());
    const std::optional<uint64_t> time = key.ReadBigEndian64();
    const std::optional<uint64_t> first = key.ReadBigEndian64();
    const std::optional<uint64_t> count = value.ReadVarint64();
    if (!time.has_value() || !first.has_value() || !key.empty() || !count.has_value() ||
        *count == 0 || *count > UINT64_MAX - *first || !value.empty()) {
      return BadIndexRow();
    }
    uint64_t expected = *first;
    FIRN_RETURN_IF_ERROR(Read(*first, *first + (*count - 1), snapshot,
                              [&](uint64_t number, LogEntry entry) -> absl::StatusOr<bool> {
                                if (number != expected) return Dangling(expected);
                                ++expected;
                                FIRN_ASSIGN_OR_RETURN(go_on, visit(number, std::move(entry)));
                                return go_on;
                              }));
    if (go_on && expected != *first + *count) return Dangling(expected);
  }
  return rows->status();
}

absl::Status OperationLog::ReadByKey(TreeNumber tree, absl::string_view key,
                                     const Snapshot& snapshot, const Visitor& visit) const {
  if (key.size() > kLoggedKeySizeMax) return absl::OkStatus();
  IteratorOptions options;
  options.begin = KeyKey(tree, key, 0);
  options.limit = KeyKey(tree, key, UINT64_MAX);
  options.snapshot = snapshot;
  const std::unique_ptr<Iterator> rows = indexes_.NewIterator(options);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (rows->key().size() != options.begin.size()) return BadIndexRow();
    const uint64_t number = LoadBigEndian64(AsBytes(rows->key().substr(rows->key().size() - 8)));
    absl::StatusOr<LogEntry> entry = Get(number, snapshot);
    if (absl::IsNotFound(entry.status())) return Dangling(number);
    FIRN_RETURN_IF_ERROR(entry.status());
    FIRN_ASSIGN_OR_RETURN(const bool go_on, visit(number, std::move(*entry)));
    if (!go_on) return absl::OkStatus();
  }
  return rows->status();
}

}  // namespace firn
