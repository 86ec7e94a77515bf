// Every public call that touches the disk, on a disk that fails at each operation in turn (once, from
// then on for ever, halfway, or by a flipped bit): it returns a Status with a reason, the process goes
// on, and once the disk is well again the store opens and is clean. What was acknowledged is compared
// by the crash tests (tests/crash/); here the calls themselves are the subject.
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/database.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "firn/tree_storage.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

// One thread, files in memory behind a disk that fails on order.
class Machine {
 public:
  absl::StatusOr<std::unique_ptr<Database>> Open() {
    Environment environment;
    environment.file_system = &faulty_;
    environment.executor = &executor_;
    environment.clock = &clock_;
    environment.new_random = [this] { return random_.Next(); };
    Options options = TinyOptions();
    options.block_cache_size = 0;  // every read asks the disk
    FIRN_ASSIGN_OR_RETURN(auto impl, DatabaseImpl::Open("store", options, std::move(environment)));
    return std::make_unique<Database>(std::move(impl));
  }
  FaultInjectingFileSystem& faulty() { return faulty_; }
  void Drain() { executor_.Drain(); }

 private:
  MemoryFileSystem disk_{MemoryFileSystemOptions{.track_unsynced = false}};
  FaultInjectingFileSystem faulty_{disk_};
  SteppedExecutor executor_{7};
  ManualClock clock_;
  Random random_{8};
};

// What each call returned, over all runs.
class Calls {
 public:
  // True if the call succeeded. An error must say where it comes from.
  bool Saw(const std::string& call, const absl::Status& status) {
    Count& count = counts_[call];
    ++count.calls;
    if (status.ok()) return true;
    ++count.errors;
    EXPECT_NE(ReasonOf(status), ErrorReason::kNone) << call << ": " << status;
    EXPECT_FALSE(status.message().empty()) << call;
    return false;
  }
  template <typename T>
  bool Saw(const std::string& call, const absl::StatusOr<T>& result) {
    return Saw(call, result.status());
  }
  std::vector<std::string> NeverFailed() const {
    std::vector<std::string> names;
    for (const auto& [name, count] : counts_) {
      if (count.errors == 0) names.push_back(name);
    }
    return names;
  }
  size_t calls() const { return counts_.size(); }

 private:
  struct Count {
    uint64_t calls = 0;
    uint64_t errors = 0;
  };
  std::map<std::string, Count> counts_;
};

void FlushAll(Calls& calls, Database& database) {
  for (const std::string& name : database.ListKeyspaces()) {
    const absl::StatusOr<Keyspace> keyspace = database.OpenKeyspace(name);
    if (keyspace.ok()) calls.Saw("Flush", database.Flush(*keyspace));
  }
}

void ReadKeyspace(Calls& calls, const Keyspace& keyspace) {
  calls.Saw("Get", keyspace.Get("k1"));
  const std::vector<absl::string_view> keys = {"k2", "k3"};
  for (const auto& value : keyspace.MultiGet(keys)) calls.Saw("MultiGet", value);
  const std::unique_ptr<Iterator> iterator = keyspace.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
  }
  calls.Saw("Iterator forwards", iterator->status());
  const std::unique_ptr<Iterator> backwards = keyspace.NewIterator();
  for (backwards->SeekToLast(); backwards->Valid(); backwards->Prev()) {
  }
  calls.Saw("Iterator backwards", backwards->status());
}

// Verify() lists what it cannot read, too.
absl::Status WhatWasFound(const absl::StatusOr<VerifyReport>& report) {
  if (!report.ok() || report->clean()) return report.status();
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption, report->damage[0]);
}

void LiveWithKeyspaces(Calls& calls, Machine& machine) {
  const auto opened = machine.Open();
  if (!calls.Saw("Database::Open", opened)) return;
  Database& database = **opened;
  const auto created = database.CreateKeyspace("notes", {});
  calls.Saw("CreateKeyspace", created);
  const Keyspace notes = created.ok() ? *created : Keyspace();  // calls on an empty one fail too
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) batch.Put(notes, absl::StrCat("k", i), std::string(900, 'v'));
  calls.Saw("Write volatile", database.Write(batch, Durability::kVolatile));
  calls.Saw("Write buffered", database.Write(batch, Durability::kBuffered));
  calls.Saw("Write synced", database.Write(batch, Durability::kSynced));
  calls.Saw("Sync", database.Sync());
  FlushAll(calls, database);
  if (database.Write(batch, Durability::kBuffered).ok()) {
    calls.Saw("Compact", database.Compact(notes, "", ""));
    ReadKeyspace(calls, notes);
  }
  calls.Saw("OpenOrCreateKeyspace", database.OpenOrCreateKeyspace("more", {}));
  calls.Saw("DropKeyspace", database.DropKeyspace("more"));
  calls.Saw("WaitForBackgroundWork", database.WaitForBackgroundWork());
  calls.Saw("Verify files", WhatWasFound(database.Verify(VerifyLevel::kFiles)));
  calls.Saw("Verify blocks", WhatWasFound(database.Verify(VerifyLevel::kBlocks)));
  EXPECT_FALSE(database.statistics().io.empty());
  calls.Saw("Database::Close", database.Close());
}

// The first error of a transaction's calls.
absl::Status Transact(Transaction& transaction, const Keyspace& notes) {
  for (const char* const key : {"k1", "absent"}) {
    const absl::Status found = transaction.GetForUpdate(notes, key).status();
    if (!found.ok() && !absl::IsNotFound(found)) return found;
  }
  const std::unique_ptr<Iterator> iterator = transaction.NewIterator(notes);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
  }
  FIRN_RETURN_IF_ERROR(iterator->status());
  FIRN_RETURN_IF_ERROR(transaction.CreateSavepoint("before"));
  FIRN_RETURN_IF_ERROR(transaction.Put(notes, "k1", "undone"));
  FIRN_RETURN_IF_ERROR(transaction.RollbackToSavepoint("before"));
  return transaction.Put(notes, "k1", "new");
}

void LiveWithTransactions(Calls& calls, Machine& machine) {
  const auto opened = machine.Open();
  if (!opened.ok()) return;
  Database& database = **opened;
  const auto notes = database.CreateKeyspace("notes", {});
  if (!notes.ok()) return;
  WriteBatch batch;
  for (int i = 0; i < 5; ++i) batch.Put(*notes, absl::StrCat("k", i), std::string(900, 'v'));
  if (!database.Write(batch, Durability::kBuffered).ok()) return;
  FlushAll(calls, database);
  const auto transaction = database.BeginTransaction({.isolation = Isolation::kSerializable});
  if (transaction.ok()) {
    calls.Saw("Transaction reads and writes", Transact(**transaction, *notes));
    if (!(*transaction)->ended() && (*transaction)->write_count() > 0) {
      calls.Saw("Transaction::Commit", (*transaction)->Commit());
    }
  }
  calls.Saw("RunInTransaction", database.RunInTransaction(
                                    [&](Transaction& again) { return Transact(again, *notes); }, {}));
  static_cast<void>(database.Close());
}

void ReadTree(Calls& calls, const AuthenticatedTree& tree) {
  calls.Saw("GetMetadata", tree.GetMetadata("fact"));
  calls.Saw("LatestCheckpoint", tree.LatestCheckpoint());
  calls.Saw("ListCheckpoints", tree.ListCheckpoints());
  const auto old = tree.ViewAtCheckpoint(1);
  if (calls.Saw("ViewAtCheckpoint", old)) calls.Saw("Prove of old", (*old)->Prove({"k001"}));
  calls.Saw("GetOperations", tree.GetOperations(1, 100, 100));
  calls.Saw("GetOperationsByTime", tree.GetOperationsByTime(0, UINT64_MAX, 100));
  calls.Saw("History", tree.History("k001", 100));
  calls.Saw("VerifyTree", tree.VerifyTree(TreeVerifyLevel::kAllCheckpoints));
  const std::shared_ptr<const TreeView> view = tree.view();
  calls.Saw("TreeView::Get", view->Get("k001"));
  calls.Saw("TreeView::Scan",
            view->Scan("", "", [](absl::string_view, absl::string_view) { return true; }));
  calls.Saw("Prove", view->Prove({"k001"}));
  calls.Saw("ProveOperations", view->ProveOperations({Operation::Remove("k001")}));
}

void LiveWithATree(Calls& calls, Machine& machine) {
  const auto opened = machine.Open();
  if (!opened.ok()) return;
  Database& database = **opened;
  TreeOptions options;
  options.parameters = TreeParameters{.key_length = 4, .value_length = std::nullopt};
  options.node_cache_bytes = 0;
  auto tree = AuthenticatedTree::Open(database, options);
  if (calls.Saw("AuthenticatedTree::Open", tree)) {
    for (int i = 1; i <= 6; ++i) {
      calls.Saw("Apply", (*tree)->Apply(Operation::InsertOrUpdate(absl::StrCat("k00", i), "v")));
    }
    calls.Saw("StageMetadata", (*tree)->StageMetadata("fact", "known"));
    calls.Saw("StagedDigest", (*tree)->StagedDigest());
    calls.Saw("Commit", (*tree)->Commit({}));
    calls.Saw("MakeCheckpoint", (*tree)->MakeCheckpoint());
    FlushAll(calls, database);
    if ((*tree)->statistics().checkpoints_made == 1) ReadTree(calls, **tree);
    calls.Saw("Apply", (*tree)->Apply(Operation::InsertOrUpdate("k003", "w")));
    (*tree)->Discard();
  }
  tree = absl::CancelledError("closed");
  static_cast<void>(database.Close());
}

NodeRecord Named(uint8_t name) {
  NodeRecord node;
  node.digest = Label{name};
  node.key = absl::StrCat("key", name);
  node.value = "value";
  return node;
}

void ReadStorage(Calls& calls, const TreeStorage& storage) {
  calls.Saw("GetNode", storage.GetNode(Label{1}));
  calls.Saw("BatchGetNodes", storage.BatchGetNodes({Label{1}, Label{2}}));
  calls.Saw("GetNodesByDigestRange", storage.GetNodesByDigestRange("", "\xff", 10));
  calls.Saw("ScanNodes", storage.ScanNodes([](const NodeRecord&) { return true; }));
  calls.Saw("storage GetOperations", storage.GetOperations(1, 9, 10));
  calls.Saw("GetOperationsByTimeRange", storage.GetOperationsByTimeRange(0, UINT64_MAX, 10));
  calls.Saw("GetOperationsByKey", storage.GetOperationsByKey("key", 10));
  calls.Saw("storage GetCheckpoint", storage.GetCheckpoint(1));
  calls.Saw("GetLatestCheckpoint", storage.GetLatestCheckpoint());
  calls.Saw("storage ListCheckpoints", storage.ListCheckpoints());
}

void LiveWithAStorage(Calls& calls, Machine& machine) {
  auto database = machine.Open();
  if (!database.ok()) return;
  TreeStorageOptions options;
  options.digest_check = DigestCheck::kTrust;
  const auto opened = TreeStorage::Open(std::move(*database), options);
  if (!calls.Saw("TreeStorage::Open", opened)) return;
  TreeStorage& storage = **opened;
  calls.Saw("StoreNode", storage.StoreNode(Named(1)));
  const std::vector<NodeRecord> nodes = {Named(2), Named(3)};
  calls.Saw("BatchStoreNodes", storage.BatchStoreNodes(nodes));
  calls.Saw("NextSequenceNumber", storage.NextSequenceNumber());
  OperationRecord operation;
  operation.key = "key";
  calls.Saw("LogOperation", storage.LogOperation(operation));
  const std::vector<OperationRecord> operations = {operation, operation};
  calls.Saw("BatchLogOperations", storage.BatchLogOperations(operations));
  const auto checkpoint = storage.StoreCheckpoint(CheckpointRecord());
  calls.Saw("StoreCheckpoint", checkpoint);
  FlushAll(calls, storage.database());
  if (checkpoint.ok()) ReadStorage(calls, storage);
  calls.Saw("storage Compact", storage.Compact());
  calls.Saw("TreeStorage::Close", storage.Close());
}

using Life = void (*)(Calls&, Machine&);

// Runs `life` once for each place of the fault, one in `step`.
void RunWithFaults(Life life, FaultRule fault, uint64_t step, Calls& calls, uint64_t& faults) {
  for (fault.skip = 0;; fault.skip += step) {
    Machine machine;
    const size_t rule = machine.faulty().AddRule(fault);
    life(calls, machine);
    machine.Drain();
    const bool was_hit = machine.faulty().hits(rule) > 0;
    machine.faulty().ClearRules();
    if (fault.effect != FaultEffect::kCorrupt) {
      ASSERT_OK_AND_ASSIGN(const auto database, machine.Open());
      ASSERT_OK_AND_ASSIGN(const VerifyReport report, database->Verify(VerifyLevel::kBlocks));
      ASSERT_TRUE(report.clean()) << "fault " << fault.skip << ": " << report.damage[0];
    }
    if (!was_hit) return;
    ++faults;
  }
}

TEST(EveryCall, ReturnsAStatusWhateverTheDiskDoes) {
  const std::vector<FaultRule> kinds = {
      {.effect = FaultEffect::kFail},
      {.count = FaultRule::kForever, .effect = FaultEffect::kFail},
      {.count = FaultRule::kForever, .effect = FaultEffect::kShorten},
      {.count = FaultRule::kForever, .effect = FaultEffect::kFail, .error_number = ENOSPC},
      {.effect = FaultEffect::kCorrupt},
  };
  Calls calls;
  uint64_t faults = 0;
  for (const Life life : {LiveWithKeyspaces, LiveWithTransactions, LiveWithATree, LiveWithAStorage}) {
    for (size_t i = 0; i < kinds.size() && !HasFatalFailure(); ++i) {
      RunWithFaults(life, kinds[i], i == 0 ? 1 : 5, calls, faults);
    }
  }
  std::cout << faults << " faults, " << calls.calls() << " calls\n";
  EXPECT_GT(faults, 300u);
  // These ask no disk; all others met the fault and said so.
  EXPECT_THAT(calls.NeverFailed(), ::testing::ElementsAre("StageMetadata", "StagedDigest"));
}

}  // namespace
}  // namespace firn
