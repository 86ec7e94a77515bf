#include "tree/authenticated_tree.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/status.h"
#include "tree/checkpoint.h"
#include "tree/label.h"
#include "tree/operation.h"
#include "tree/recovery.h"
#include "tree/tree_check.h"

namespace firn {
namespace {

constexpr size_t kMetadataKeySizeMax = 1024;

absl::Status Differ(absl::string_view whose, const TreeParameters& theirs,
                    const TreeParameters& wanted) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidArgument,
                   absl::StrCat(whose, " has ", DescribeParameters(theirs), "; asked for was ",
                                DescribeParameters(wanted)));
}

// What a new tree gets.
absl::StatusOr<StoredTree> NewTree(const Database& database, const TreeOptions& options) {
  FIRN_ASSIGN_OR_RETURN(const std::optional<TreeParameters> of_identity,
                        ParametersOfIdentity(database.identity()));
  StoredTree tree;
  tree.allowed = options.allowed.value_or(kAllowAll);
  tree.parameters = options.parameters.value_or(of_identity.value_or(TreeParameters()));
  if (of_identity.has_value() && *of_identity != tree.parameters) {
    return Differ("the store", *of_identity, tree.parameters);
  }
  return tree;
}

absl::StatusOr<StoredTree> ReadTree(const Database& database, const Keyspace& metadata,
                                    const TreeOptions& options) {
  FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> row,
                        GetRow(metadata, StoredTreeKey(kOnlyTree), {}));
  if (!row.has_value()) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                     "keyspace metadata does not tell the tree's parameters");
  }
  FIRN_ASSIGN_OR_RETURN(const StoredTree tree, DecodeStoredTree(*row));
  if (options.parameters.has_value() && *options.parameters != tree.parameters) {
    return Differ("the tree", tree.parameters, *options.parameters);
  }
  if (options.allowed.has_value() && *options.allowed != tree.allowed) {
    return InvalidArgument(absl::StrCat("the tree allows operations ", tree.allowed,
                                        "; asked for was ", *options.allowed));
  }
  FIRN_ASSIGN_OR_RETURN(const std::optional<TreeParameters> of_identity,
                        ParametersOfIdentity(database.identity()));
  if (of_identity.has_value() && *of_identity != tree.parameters) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
                     absl::StrCat("the file FIRN says ", DescribeParameters(*of_identity),
                                  ", keyspace metadata ", DescribeParameters(tree.parameters)));
  }
  return tree;
}

absl::Status CheckOptions(const TreeOptions& options) {
  if (options.parameters.has_value()) {
    FIRN_RETURN_IF_ERROR(CheckTreeParameters(*options.parameters));
  }
  if (options.allowed.has_value() && (*options.allowed == 0 || *options.allowed > kAllowAll)) {
    return InvalidOption("allowed", absl::StrCat(*options.allowed, " is not in [1, 7]"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<TreeStore>> OpenStore(Database& database,
                                                     const TreeOptions& options) {
  FIRN_RETURN_IF_ERROR(CheckOptions(options));
  FIRN_ASSIGN_OR_RETURN(const StoreContent content, ReadContent(database));
  if (content == StoreContent::kStorage) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                     "the store was made for plain tree storage and holds no tree of its own");
  }
  const bool is_new = content == StoreContent::kNone;
  if (is_new && options.mode == OpenMode::kOpenExisting) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotAStore,
                     "the store holds no tree");
  }
  if (!is_new && options.mode == OpenMode::kCreateNew) {
    return MakeError(absl::StatusCode::kAlreadyExists, ErrorReason::kInvalidArgument,
                     "the store holds a tree already");
  }
  StoredTree tree;
  if (is_new) {
    FIRN_ASSIGN_OR_RETURN(tree, NewTree(database, options));
  }
  FIRN_ASSIGN_OR_RETURN(const TreeKeyspaces keyspaces,
                        OpenTreeKeyspaces(database, options.compression));
  if (is_new) {
    WriteBatch batch;
    batch.Put(keyspaces.metadata, ContentKey(), ContentValue(StoreContent::kTree));
    batch.Put(keyspaces.metadata, StoredTreeKey(kOnlyTree), EncodeStoredTree(tree));
    FIRN_RETURN_IF_ERROR(database.Write(batch, Durability::kSynced));
  } else {
    FIRN_ASSIGN_OR_RETURN(tree, ReadTree(database, keyspaces.metadata, options));
  }
  const uint64_t reserved = database.ReserveMemory(options.node_cache_bytes);
  return std::make_shared<TreeStore>(
      database, keyspaces, tree,
      NodeCache::Limits{.bytes = reserved, .nodes = options.node_cache_nodes}, reserved);
}

constexpr uint64_t kMetadataSizeMax = uint64_t{16} << 20;  // bytes, of a value or of a checkpoint's

absl::Status MetadataTooLarge(uint64_t size) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                   absl::StrCat("metadata of ", size, " bytes; at most ", kMetadataSizeMax));
}

// Databases whose tree is open. Two writers of one tree would number the same operations and write over
// each other's checkpoints.
absl::StatusOr<std::shared_ptr<const void>> ClaimTree(const Database& database) {
  static Mutex* const mutex = new Mutex;
  static std::set<const Database*>* const open = new std::set<const Database*>;
  MutexLock lock(*mutex);
  if (!open->insert(&database).second) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kLocked,
                     absl::StrCat(database.path(), ": its tree is open already in this process; "
                                  "use that one"));
  }
  return std::shared_ptr<const void>(&database, [](const void* claimed) {
    MutexLock closing(*mutex);
    open->erase(static_cast<const Database*>(claimed));
  });
}

uint8_t NeededPermission(const Evaluation& evaluation, const OldValue& old) {
  if (evaluation.effect == Effect::kNone) return 0;
  if (evaluation.effect == Effect::kRemove) return kAllowRemove;
  return old.has_value() ? kAllowUpdate : kAllowInsert;
}

std::optional<absl::string_view> ViewOf(const OldValue& value) {
  if (!value.has_value()) return std::nullopt;
  return absl::string_view(*value);
}

}  // namespace

TreeImpl::TreeImpl(std::shared_ptr<TreeStore> store, const TreeOptions& options)
    : store_(std::move(store)),
      digests_(options.digests),
      checkpoints_(options.checkpoints),
      now_milliseconds_(options.now_milliseconds),
      log_sink_(options.log_sink) {}

absl::StatusOr<std::unique_ptr<TreeImpl>> TreeImpl::Open(Database& database,
                                                         const TreeOptions& options) {
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<const void> claim, ClaimTree(database));
  FIRN_ASSIGN_OR_RETURN(std::shared_ptr<TreeStore> store, OpenStore(database, options));
  std::unique_ptr<TreeImpl> tree(new TreeImpl(std::move(store), options));
  tree->claim_ = std::move(claim);
  FIRN_RETURN_IF_ERROR(tree->Recover(options));
  return tree;
}

absl::Status TreeImpl::Recover(const TreeOptions& options) {
  FIRN_ASSIGN_OR_RETURN(RecoveredTree recovered, RecoverTree(store_));
  state_ = std::move(recovered.state);
  const Digest digest = state_->digest();
  if (options.expected_digest.has_value() && *options.expected_digest != digest) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kStateMismatch,
                     absl::StrCat("expected digest ", options.expected_digest->ToHex(),
                                  ", the store's last commit has ", digest.ToHex()));
  }
  totals_.operations_replayed = recovered.operations_replayed;
  last_checkpoint_ms_ =
      state_->latest_checkpoint().has_value() ? state_->latest_checkpoint()->time_ms : Now();
  Log(absl::StrCat("tree: opened at operation ", state_->position().operation, ", digest ",
                   digest.ToHex(), "; ", recovered.operations_replayed, " operations replayed"));
  Publish();
  return absl::OkStatus();
}

absl::Status TreeImpl::CheckAllowed(const Operation& operation) {
  if (store_->tree.allowed == kAllowAll || operation.kind == OperationKind::kLookup) {
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(CheckKey(operation.key, store_->tree.parameters));
  FIRN_ASSIGN_OR_RETURN(const OldValue old, state_->prover().Find(operation.key));
  FIRN_ASSIGN_OR_RETURN(const Evaluation evaluation,
                        Evaluate(operation, ViewOf(old), store_->tree.parameters, buffer_));
  if ((NeededPermission(evaluation, old) & ~store_->tree.allowed) == 0) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kOperationRefused,
                   absl::StrCat("the tree was made without permission for this ",
                                OperationKindName(operation.kind)));
}

absl::StatusOr<OldValue> TreeImpl::Apply(const Operation& operation,
                                         std::optional<uint64_t> time_ms) {
  if (staging_.operations().empty()) FIRN_RETURN_IF_ERROR(FinishBegunCheckpoint());
  FIRN_RETURN_IF_ERROR(CheckAllowed(operation));
  absl::StatusOr<OldValue> old = state_->prover().Apply(operation);
  if (!old.ok()) {
    NodeStore nodes = store_->NodesAt(Snapshot());
    return WithPath(old.status(), state_->root(), operation.key, nodes);
  }
  try {
    FIRN_RETURN_IF_ERROR(Stage(operation, *old, time_ms));
  } catch (...) {  // out of memory: the prover is ahead of what would be logged
    Discard();
    throw;
  }
  return old;
}

absl::Status TreeImpl::Stage(const Operation& operation, const OldValue& old,
                             std::optional<uint64_t> time_ms) {
  StagedOperation staged{.operation = operation, .old_value = old, .time_ms = time_ms};
  FIRN_ASSIGN_OR_RETURN(const Evaluation evaluation,
                        Evaluate(operation, ViewOf(old), store_->tree.parameters, buffer_));
  staged.effect = evaluation.effect;
  if (evaluation.effect == Effect::kStore) staged.new_value = std::string(evaluation.value);
  if (digests_ == DigestPolicy::kPerOperation && operation.kind != OperationKind::kLookup) {
    staged.digest = state_->prover().digest();
  }
  staging_.Add(std::move(staged));
  return absl::OkStatus();
}

absl::StatusOr<CommitResult> TreeImpl::Commit(const CommitOptions& options) {
  if (options.durability != Durability::kSynced && options.durability != Durability::kBuffered) {
    Discard();
    return InvalidArgument("a commit is kSynced or kBuffered");
  }
  absl::StatusOr<CommitResult> result = CommitStaged(options);
  if (!result.ok()) {
    Discard();
    return result;
  }
  staging_.Clear();
  CheckpointIfDue(*result);
  Publish();
  return result;
}

absl::StatusOr<CommitResult> TreeImpl::CommitStaged(const CommitOptions& options) {
  if (staging_.operations().empty()) FIRN_RETURN_IF_ERROR(FinishBegunCheckpoint());
  Prover& prover = state_->prover();
  const LogPosition before = state_->position();
  const uint64_t logged = staging_.logged_operations();
  CommitResult result;
  result.digest = prover.digest();
  result.commit_number = before.commit + (logged > 0 ? 1 : 0);
  result.first_operation = before.operation + 1;
  result.last_operation = before.operation + logged;
  if (options.proof == WantProof::kYes) {
    // The writer's prover records nothing, since most commits are not proved: a scratch one does.
    std::vector<Operation> operations;
    for (const StagedOperation& staged : staging_.operations()) {
      operations.push_back(staged.operation);
    }
    NodeStore nodes = store_->NodesAt(Snapshot());
    FIRN_ASSIGN_OR_RETURN(TreeProof proof,
                          ProveOn(state_->root(), state_->digest(), std::move(operations),
                                  store_->tree.parameters, nodes));
    FIRN_CHECK(proof.digest == result.digest);
    proof.operation_number = before.operation;
    result.proof = std::move(proof);
  }
  FIRN_ASSIGN_OR_RETURN(
      WriteBatch batch,
      staging_.Build(*store_, {.before = before,
                               .digest = result.digest,
                               .time_ms = options.time_ms.has_value() ? *options.time_ms : Now()}));
  if (options.extra != nullptr) batch.Append(*options.extra);
  FIRN_RETURN_IF_ERROR(store_->database.Write(batch, options.durability));
  if (logged > 0) {
    state_->EndBatch({.operation = result.last_operation,
                      .commit = result.commit_number,
                      .keys = before.keys + static_cast<uint64_t>(staging_.key_difference())});
    ++totals_.commits;
    totals_.operations_applied += logged;
  } else {
    prover.DiscardBatch();  // lookups alone
  }
  return result;
}

void TreeImpl::Discard() {
  staging_.Clear();
  state_->prover().DiscardBatch();
}

absl::StatusOr<Digest> TreeImpl::StagedDigest() { return state_->prover().digest(); }

absl::Status TreeImpl::StageMetadata(absl::string_view key, absl::string_view value) {
  if (key.empty() || key.size() > kMetadataKeySizeMax) {
    return InvalidArgument("a metadata key has 1 to 1024 bytes");
  }
  if (value.size() > kMetadataSizeMax) return MetadataTooLarge(value.size());
  staging_.SetMetadata(key, value);
  return absl::OkStatus();
}

std::optional<CheckpointReason> TreeImpl::DueCheckpoint() const {
  const std::optional<Checkpoint>& latest = state_->latest_checkpoint();
  const uint64_t since =
      state_->position().operation - (latest.has_value() ? latest->last_operation : 0);
  if (since == 0) return std::nullopt;
  if (checkpoints_.every_commit) return CheckpointReason::kEveryCommit;
  if (checkpoints_.operations != 0 && since >= checkpoints_.operations) {
    return CheckpointReason::kOperations;
  }
  if (checkpoints_.dirty_bytes != 0 && state_->ledger().dirty_bytes() >= checkpoints_.dirty_bytes) {
    return CheckpointReason::kDirtyBytes;
  }
  // A clock that was set back does not count as time that has passed.
  if (const uint64_t now = Now(); checkpoints_.milliseconds != 0 && now > last_checkpoint_ms_ &&
                                  now - last_checkpoint_ms_ >= checkpoints_.milliseconds) {
    return CheckpointReason::kTime;
  }
  return std::nullopt;
}

void TreeImpl::CheckpointIfDue(CommitResult& result) {
  const std::optional<CheckpointReason> reason = DueCheckpoint();
  if (!reason.has_value()) return;
  const absl::StatusOr<Checkpoint> checkpoint =
      state_->MakeCheckpoint({.reason = *reason, .time_ms = Now(), .metadata = {}});
  if (!checkpoint.ok()) {
    result.checkpoint_status = checkpoint.status();
    Log(absl::StrCat("tree: the checkpoint after operation ", state_->position().operation,
                     " failed: ", checkpoint.status().message()));
    return;
  }
  last_checkpoint_ms_ = checkpoint->time_ms;
  result.checkpoint = checkpoint->id;
}

absl::Status TreeImpl::FinishBegunCheckpoint() {
  if (!state_->begun().has_value()) return absl::OkStatus();
  const Checkpoint begun = *state_->begun();
  FIRN_RETURN_IF_ERROR(Annotate(state_->FinishCheckpoint(begun),
                                absl::StrCat("checkpoint ", begun.id, " is not finished")));
  last_checkpoint_ms_ = begun.time_ms;
  Publish();
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint> TreeImpl::MakeCheckpoint(
    const std::map<std::string, std::string>& metadata) {
  if (!staging_.empty()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kInvalidArgument,
                     "commit or discard what is staged before a checkpoint");
  }
  uint64_t metadata_size = 0;
  for (const auto& [name, text] : metadata) metadata_size += name.size() + text.size();
  if (metadata_size > kMetadataSizeMax) return MetadataTooLarge(metadata_size);
  FIRN_RETURN_IF_ERROR(FinishBegunCheckpoint());
  const std::optional<Checkpoint>& latest = state_->latest_checkpoint();
  if (latest.has_value() && latest->commit_number == state_->position().commit) return *latest;
  FIRN_ASSIGN_OR_RETURN(
      Checkpoint checkpoint,
      state_->MakeCheckpoint(
          {.reason = CheckpointReason::kRequested, .time_ms = Now(), .metadata = metadata}));
  last_checkpoint_ms_ = checkpoint.time_ms;
  Publish();
  return checkpoint;
}

void TreeImpl::Publish() {
  TreeViewImpl::State state{.root = state_->root(),
                            .digest = state_->digest(),
                            .position = state_->position(),
                            .snapshot = store_->database.TakeSnapshot(),
                            .source = ViewSource::kRecords};
  std::shared_ptr<const TreeView> view = std::make_shared<const TreeView>(
      std::make_unique<const TreeViewImpl>(store_, std::move(state)));
  totals_.checkpoints_made = state_->counts().checkpoints;
  totals_.nodes_written = state_->counts().written.nodes;
  totals_.deaths_written = state_->counts().written.deaths;
  totals_.dirty_nodes = state_->ledger().dirty_nodes();
  totals_.dirty_bytes = state_->ledger().dirty_bytes();
  {
    MutexLock lock(mutex_);
    view_.swap(view);
    published_ = totals_;
  }
  // The view before, if nobody else holds it, goes here: outside the lock.
}

std::shared_ptr<const TreeView> TreeImpl::view() const {
  MutexLock lock(mutex_);
  return view_;
}

TreeStatistics TreeImpl::statistics() const {
  TreeStatistics statistics;
  {
    MutexLock lock(mutex_);
    statistics = published_;
  }
  const NodeCache::Counters cache = store_->cache.counters();
  statistics.node_loads = store_->counters.loads.load(std::memory_order_relaxed);
  statistics.node_cache_hits = cache.hits;
  statistics.node_cache_misses = cache.misses;
  statistics.node_cache_evictions = cache.evictions;
  statistics.node_cache_nodes = cache.nodes;
  statistics.node_cache_bytes = cache.bytes;
  return statistics;
}

// What the cache gives up goes back to the budget, and what it gains comes out of it, before the
// cache grows.
uint64_t TreeImpl::SetNodeCacheSize(uint64_t bytes) {
  MutexLock lock(cache_size_mutex_);
  const uint64_t held = store_->reserved.load();
  if (bytes < held) store_->cache.SetBytes(bytes);
  store_->database.ReturnMemory(held);
  const uint64_t granted = store_->database.ReserveMemory(bytes);
  store_->reserved.store(granted);
  if (granted != bytes || bytes >= held) store_->cache.SetBytes(granted);
  return granted;
}

absl::StatusOr<std::shared_ptr<const TreeView>> TreeImpl::ViewAtCheckpoint(uint64_t id) const {
  const Snapshot snapshot = store_->database.TakeSnapshot();
  FIRN_ASSIGN_OR_RETURN(const std::optional<Checkpoint> checkpoint,
                        CheckpointReader(store_->keyspaces.checkpoints, snapshot).Get(id));
  if (!checkpoint.has_value()) {
    return MakeError(absl::StatusCode::kNotFound, ErrorReason::kNotRetained,
                     absl::StrCat("there is no checkpoint ", id));
  }
  TreeViewImpl::State state{.root = ChildRef(checkpoint->digest.label(), checkpoint->root_birth),
                            .digest = checkpoint->digest,
                            .position = {.operation = checkpoint->last_operation,
                                         .commit = checkpoint->commit_number,
                                         .keys = checkpoint->node_count / 2},
                            .snapshot = snapshot,
                            .source = ViewSource::kNodes};
  return std::make_shared<const TreeView>(
      std::make_unique<const TreeViewImpl>(store_, std::move(state)));
}

uint64_t TreeImpl::Now() const {
  return now_milliseconds_ ? now_milliseconds_() : SystemClock().NowMilliseconds();
}

void TreeImpl::Log(absl::string_view line) const {
  if (log_sink_) log_sink_(line);
}

}  // namespace firn
