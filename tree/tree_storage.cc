#include "tree/tree_storage.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/coding.h"
#include "base/status.h"
#include "base/types.h"
#include "tree/checkpoint.h"
#include "tree/node_codec.h"
#include "tree/storage_node.h"

namespace firn {
namespace {

constexpr TreeNumber kNoTree = 0;
constexpr size_t kBatchSizeLimit = 100'000;

LogEntry ToEntry(const OperationRecord& record) {
  LogEntry entry;
  entry.kind = record.kind;
  entry.tree = kNoTree;
  entry.time_ms = record.time_ms;
  entry.key = record.key;
  entry.value = record.value;
  entry.previous_value = record.previous_value;
  entry.digest_after = record.root_after;
  entry.digest_before = record.root_before;
  entry.metadata = record.metadata;
  return entry;
}

OperationRecord ToRecord(uint64_t number, LogEntry entry) {
  OperationRecord record;
  record.sequence = number;
  record.kind = entry.kind;
  record.time_ms = entry.time_ms;
  record.key = std::move(entry.key);
  record.value = std::move(entry.value);
  record.previous_value = std::move(entry.previous_value);
  record.root_before = entry.digest_before;
  record.root_after = entry.digest_after;
  record.metadata = std::move(entry.metadata);
  return record;
}

absl::Status CheckOperation(const OperationRecord& operation) {
  if (operation.key.size() > kLoggedKeySizeMax) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat("an operation's key has ", operation.key.size(),
                                  " bytes; the limit is ", kLoggedKeySizeMax));
  }
  if (operation.kind < OperationKind::kLookup ||
      operation.kind > OperationKind::kUnknownModification) {
    return InvalidArgument("an operation has no known kind");
  }
  return absl::OkStatus();
}

// What is stored must hash to its digest, unless digests are only names.
absl::StatusOr<NodeRecord> ReadNode(const Label& digest, absl::string_view row, DigestCheck check) {
  FIRN_ASSIGN_OR_RETURN(NodeRecord node, DecodeStorageNode(digest, row));
  const absl::Status checked = CheckNodeRecord(node, check);
  if (checked.ok()) return node;
  return MakeError(absl::StatusCode::kDataLoss, ReasonOf(checked), checked.message());
}

}  // namespace

TreeStorageImpl::TreeStorageImpl(std::unique_ptr<Database> database, TreeKeyspaces keyspaces,
                                 const TreeStorageOptions& options)
    : database_(std::move(database)),
      keyspaces_(std::move(keyspaces)),
      options_(options),
      log_(keyspaces_.operations, keyspaces_.indexes),
      queue_([this](absl::Span<AppendQueue::Request* const> requests) { AppendGroup(requests); }) {}

absl::StatusOr<std::unique_ptr<TreeStorageImpl>> TreeStorageImpl::Open(
    std::unique_ptr<Database> database, const TreeStorageOptions& options) {
  if (options.batch_size == 0 || options.batch_size > kBatchSizeLimit) {
    return InvalidOption("batch_size",
                         absl::StrCat(options.batch_size, " is not in [1, ", kBatchSizeLimit, "]"));
  }
  if (options.durability == Durability::kVolatile) {
    return InvalidOption("durability", "is kSynced or kBuffered");
  }
  FIRN_ASSIGN_OR_RETURN(const StoreContent content, ReadContent(*database));
  if (content == StoreContent::kTree) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                     "the store holds an authenticated tree, not plain tree storage");
  }
  FIRN_ASSIGN_OR_RETURN(TreeKeyspaces keyspaces, OpenTreeKeyspaces(
                            *database, options.compression_by_kind.value_or(
                                           SameCompression(options.compression))));
  if (content == StoreContent::kNone) {
    WriteBatch batch;
    batch.Put(keyspaces.metadata, ContentKey(), ContentValue(StoreContent::kStorage));
    FIRN_RETURN_IF_ERROR(database->Write(batch, Durability::kSynced));
  }
  std::unique_ptr<TreeStorageImpl> storage(
      new TreeStorageImpl(std::move(database), std::move(keyspaces), options));
  FIRN_RETURN_IF_ERROR(storage->LoadNumbers());
  return storage;
}

absl::Status TreeStorageImpl::LoadNumbers() {
  FIRN_ASSIGN_OR_RETURN(const uint64_t last, log_.LastNumber(Snapshot()));
  last_sequence_.store(last, std::memory_order_release);
  if (last > 0) {
    FIRN_ASSIGN_OR_RETURN(const LogEntry entry, log_.Get(last, Snapshot()));
    last_root_ = entry.digest_after;
  }
  FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> row,
                        GetRow(keyspaces_.metadata, ReservedKey(), Snapshot()));
  reserved_ = last;
  if (row.has_value()) {
    ByteReader reader(*row);
    const std::optional<uint64_t> reserved = reader.ReadVarint64();
    if (!reserved.has_value() || !reader.empty()) {
      return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                       "row \"reserved\" of keyspace metadata is malformed");
    }
    reserved_ = std::max(reserved_, *reserved);
  }
  const CheckpointReader checkpoints(keyspaces_.checkpoints, Snapshot());
  FIRN_ASSIGN_OR_RETURN(const std::optional<Checkpoint> latest, checkpoints.Latest());
  if (latest.has_value()) last_checkpoint_ = latest->id;
  return absl::OkStatus();
}

uint64_t TreeStorageImpl::Now() const {
  return options_.now_milliseconds ? options_.now_milliseconds() : SystemClock().NowMilliseconds();
}

void TreeStorageImpl::ClaimDigests(absl::Span<const NodeRecord> nodes) {
  MutexLock lock(nodes_mutex_);
  const auto is_taken = [this](const NodeRecord& node) {
    nodes_mutex_.AssertHeld();
    return storing_.contains(node.digest);
  };
  while (std::any_of(nodes.begin(), nodes.end(), is_taken)) nodes_changed_.Wait(nodes_mutex_);
  for (const NodeRecord& node : nodes) storing_.insert(node.digest);
}

void TreeStorageImpl::ReleaseDigests(absl::Span<const NodeRecord> nodes) {
  MutexLock lock(nodes_mutex_);
  for (const NodeRecord& node : nodes) storing_.erase(node.digest);
  nodes_changed_.NotifyAll();
}

absl::Status TreeStorageImpl::StorePiece(absl::Span<const NodeRecord> nodes) {
  for (const NodeRecord& node : nodes) {
    FIRN_RETURN_IF_ERROR(CheckNodeRecord(node, options_.digest_check));
  }
  ClaimDigests(nodes);
  const absl::Status status = StoreClaimed(nodes);
  ReleaseDigests(nodes);
  return status;
}

// In the order of digests; the first of several records with one digest counts.
absl::Status TreeStorageImpl::StoreClaimed(absl::Span<const NodeRecord> nodes) {
  std::map<std::string, const NodeRecord*> by_key;
  for (const NodeRecord& node : nodes) by_key.emplace(EncodeStorageNodeKey(node.digest), &node);
  std::vector<absl::string_view> keys;
  for (const auto& [key, node] : by_key) keys.push_back(key);
  const std::vector<absl::StatusOr<PinnedValue>> present = keyspaces_.nodes.MultiGet(keys);
  WriteBatch batch;
  size_t i = 0;
  for (const auto& [key, node] : by_key) {
    const absl::Status& found = present[i++].status();
    if (found.ok()) continue;
    if (!absl::IsNotFound(found)) return found;
    if (node->time_ms != 0) {
      batch.Put(keyspaces_.nodes, key, EncodeStorageNode(*node));
      continue;
    }
    NodeRecord stamped = *node;
    stamped.time_ms = Now();
    batch.Put(keyspaces_.nodes, key, EncodeStorageNode(stamped));
  }
  FIRN_RETURN_IF_ERROR(database_->Write(batch, options_.durability));
  nodes_stored_.fetch_add(batch.count(), std::memory_order_relaxed);
  nodes_skipped_.fetch_add(nodes.size() - batch.count(), std::memory_order_relaxed);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::optional<NodeRecord>>> TreeStorageImpl::GetNodes(
    absl::Span<const Label> digests) const {
  std::vector<std::string> keys;
  keys.reserve(digests.size());
  for (const Label& digest : digests) keys.push_back(EncodeStorageNodeKey(digest));
  const std::vector<absl::string_view> views(keys.begin(), keys.end());
  const std::vector<absl::StatusOr<PinnedValue>> rows = keyspaces_.nodes.MultiGet(views);
  std::vector<std::optional<NodeRecord>> nodes(digests.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (absl::IsNotFound(rows[i].status()) && ReasonOf(rows[i].status()) == ErrorReason::kNone) {
      nodes_missed_.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    FIRN_RETURN_IF_ERROR(rows[i].status());
    FIRN_ASSIGN_OR_RETURN(nodes[i], ReadNode(digests[i], rows[i]->view(), options_.digest_check));
    nodes_read_.fetch_add(1, std::memory_order_relaxed);
  }
  return nodes;
}

absl::Status TreeStorageImpl::ScanNodes(absl::string_view first, absl::string_view last,
                                        const std::function<bool(const NodeRecord&)>& visit) const {
  if (first.size() > sizeof(Label) || last.size() > sizeof(Label)) {
    return InvalidArgument("a bound of a digest range is longer than a digest");
  }
  IteratorOptions options;
  options.begin = std::string(first);
  const std::unique_ptr<Iterator> rows = keyspaces_.nodes.NewIterator(options);
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    if (rows->key().substr(0, last.size()) > last) break;
    FIRN_ASSIGN_OR_RETURN(const Instance instance, DecodeInstanceKey(rows->key()));
    FIRN_ASSIGN_OR_RETURN(const NodeRecord node,
                          ReadNode(instance.label, rows->value(), options_.digest_check));
    nodes_read_.fetch_add(1, std::memory_order_relaxed);
    if (!visit(node)) return absl::OkStatus();
  }
  return rows->status();
}

absl::StatusOr<uint64_t> TreeStorageImpl::Reserve() {
  uint64_t number = 0;
  const auto reserve = [this, &number]() -> absl::Status {
    std::string row;
    PutVarint64(row, reserved_ + 1);
    WriteBatch batch;
    batch.Put(keyspaces_.metadata, ReservedKey(), row);
    FIRN_RETURN_IF_ERROR(database_->Write(batch, Durability::kBuffered));
    number = ++reserved_;
    return absl::OkStatus();
  };
  FIRN_RETURN_IF_ERROR(queue_.RunAlone(reserve));
  return number;
}

absl::StatusOr<uint64_t> TreeStorageImpl::Append(absl::Span<const OperationRecord> operations) {
  if (operations.empty()) return InvalidArgument("no operation to log");
  for (const OperationRecord& operation : operations) {
    FIRN_RETURN_IF_ERROR(CheckOperation(operation));
  }
  return queue_.Run(operations);
}

absl::Status TreeStorageImpl::CheckSequence(uint64_t sequence, uint64_t last) const {
  if (sequence == last + 1 || (sequence > last && sequence <= reserved_)) return absl::OkStatus();
  if (sequence > last) {
    return MakeError(
        absl::StatusCode::kOutOfRange, ErrorReason::kSequenceGap,
        absl::StrCat("operation ", sequence, " skips numbers: the next is ", last + 1));
  }
  const absl::Status found = log_.Get(sequence, Snapshot()).status();
  if (found.ok() || sequence > last_sequence()) {
    return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kSequenceTaken,
                     absl::StrCat("operation ", sequence, " is logged already"));
  }
  if (!absl::IsNotFound(found)) return found;
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kSequenceTaken,
                   absl::StrCat("operation ", sequence, " is below the last logged, ", last));
}

// Adds the request's operations after number `last`, which it moves on.
absl::Status TreeStorageImpl::AddToBatch(AppendQueue::Request& request, uint64_t& last,
                                         WriteBatch& batch) {
  std::optional<Digest> root = last_root_;
  uint64_t number = last;
  std::vector<OperationLog::TimeRun> runs;
  WriteBatch mine;
  for (const OperationRecord& record : request.operations) {
    const uint64_t sequence =
        record.sequence == 0 ? std::max(number, reserved_) + 1 : record.sequence;
    if (record.sequence != 0) FIRN_RETURN_IF_ERROR(CheckSequence(sequence, number));
    if (record.root_before.has_value() && options_.digest_check == DigestCheck::kVerify &&
        root.has_value() && *record.root_before != *root) {
      return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kStateMismatch,
                       absl::StrCat("operation ", sequence, " says that the root before it is ",
                                    record.root_before->ToHex(), "; it is ", root->ToHex()));
    }
    LogEntry entry = ToEntry(record);
    if (entry.time_ms == 0) entry.time_ms = Now();
    // The root before is the root after the entry before: only an exception is written down.
    if (sequence == number + 1 && root.has_value() && entry.digest_before == root) {
      entry.digest_before.reset();
    }
    log_.Append(sequence, entry, mine);
    if (!runs.empty() && runs.back().time_ms == entry.time_ms && sequence == number + 1) {
      ++runs.back().count;
    } else {
      runs.push_back({.tree = kNoTree, .time_ms = entry.time_ms, .first = sequence, .count = 1});
    }
    if (number == last) request.first = sequence;
    number = sequence;
    root = entry.digest_after;
  }
  for (const OperationLog::TimeRun& run : runs) log_.AppendTimeRun(run, mine);
  batch.Append(mine);
  last = number;
  last_root_ = root;
  return absl::OkStatus();
}

void TreeStorageImpl::AppendGroup(absl::Span<AppendQueue::Request* const> requests) {
  const std::optional<Digest> root_before = last_root_;
  uint64_t last = last_sequence();
  WriteBatch batch;
  uint64_t operations = 0;
  for (AppendQueue::Request* const request : requests) {
    request->status = AddToBatch(*request, last, batch);
    if (request->status.ok()) operations += request->operations.size();
  }
  const absl::Status written = database_->Write(batch, options_.durability);
  if (written.ok()) {
    last_sequence_.store(last, std::memory_order_release);
    reserved_ = std::max(reserved_, last);
    operations_logged_.fetch_add(operations, std::memory_order_relaxed);
    return;
  }
  last_root_ = root_before;
  for (AppendQueue::Request* const request : requests) {
    if (request->status.ok()) request->status = written;
  }
}

OperationLog::Visitor TreeStorageImpl::Collect(std::vector<OperationRecord>& records,
                                               size_t limit) const {
  return [this, &records, limit](uint64_t number, LogEntry entry) -> absl::StatusOr<bool> {
    if (records.size() >= limit) return false;
    OperationRecord record = ToRecord(number, std::move(entry));
    if (!record.root_before.has_value() && number > 1) {
      if (!records.empty() && records.back().sequence == number - 1) {
        record.root_before = records.back().root_after;
      } else {
        const absl::StatusOr<LogEntry> before = log_.Get(number - 1, Snapshot());
        if (!before.ok() && !absl::IsNotFound(before.status())) return before.status();
        if (before.ok()) record.root_before = before->digest_after;
      }
    }
    records.push_back(std::move(record));
    return records.size() < limit;
  };
}

absl::StatusOr<uint64_t> TreeStorageImpl::StoreCheckpoint(CheckpointRecord record) {
  if (options_.digest_check == DigestCheck::kVerify) {
    const Label root = record.digest.label();
    FIRN_ASSIGN_OR_RETURN(const std::vector<std::optional<NodeRecord>> node, GetNodes({root}));
    if (!node[0].has_value()) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, ErrorReason::kMissingNode,
          absl::StrCat("the checkpoint's root ", LabelToHex(root), " is not among the nodes"));
    }
  }
  const auto store = [this, &record]() -> absl::Status {
    if (record.id == 0) record.id = last_checkpoint_ + 1;
    if (record.time_ms == 0) record.time_ms = Now();
    Checkpoint checkpoint;
    checkpoint.time_ms = record.time_ms;
    checkpoint.digest = record.digest;
    checkpoint.last_operation = record.last_sequence;
    checkpoint.node_count = record.node_count;
    checkpoint.metadata = record.metadata;
    const std::string key = EncodeCheckpointKey({.state = CheckpointState::kMade, .id = record.id});
    const std::string value = EncodeCheckpoint(checkpoint);
    FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> present,
                          GetRow(keyspaces_.checkpoints, key, Snapshot()));
    if (present.has_value()) {
      if (*present == value) return absl::OkStatus();
      return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kInvalidArgument,
                       absl::StrCat("checkpoint ", record.id, " holds another record"));
    }
    WriteBatch batch;
    batch.Put(keyspaces_.checkpoints, key, value);
    FIRN_RETURN_IF_ERROR(database_->Write(batch, options_.durability));
    last_checkpoint_ = std::max(last_checkpoint_, record.id);
    checkpoints_stored_.fetch_add(1, std::memory_order_relaxed);
    return absl::OkStatus();
  };
  FIRN_RETURN_IF_ERROR(queue_.RunAlone(store));
  return record.id;
}

TreeStorageStatistics TreeStorageImpl::statistics() const {
  TreeStorageStatistics statistics;
  statistics.nodes_stored = nodes_stored_.load(std::memory_order_relaxed);
  statistics.nodes_skipped = nodes_skipped_.load(std::memory_order_relaxed);
  statistics.nodes_read = nodes_read_.load(std::memory_order_relaxed);
  statistics.nodes_missed = nodes_missed_.load(std::memory_order_relaxed);
  statistics.operations_logged = operations_logged_.load(std::memory_order_relaxed);
  statistics.last_sequence = last_sequence();
  statistics.checkpoints_stored = checkpoints_stored_.load(std::memory_order_relaxed);
  statistics.compression = keyspaces_.nodes.options().compression;
  statistics.batch_size = options_.batch_size;
  statistics.block_cache_size = options_.database.block_cache_size;
  statistics.database = database_->statistics();
  return statistics;
}

}  // namespace firn
