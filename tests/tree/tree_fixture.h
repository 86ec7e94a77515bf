// tests/tree/tree_fixture.h: a tree on a database that can be closed and opened again, and the model
// it is compared with: a prover in memory.
#ifndef FIRN_TESTS_TREE_TREE_FIXTURE_H_
#define FIRN_TESTS_TREE_TREE_FIXTURE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/random.h"
#include "firn/authenticated_tree.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tree/prover.h"

namespace firn {

// Small trees that return to earlier values.
inline TreeParameters SmallParameters() {
  return TreeParameters{.key_length = 4, .value_length = std::nullopt};
}

inline std::string SmallKey(uint64_t i) {
  return std::string{'k', static_cast<char>(i >> 8), static_cast<char>(i), 'k'};
}

// Checkpoints only on request, so that a test decides.
inline TreeOptions ManualOptions() {
  TreeOptions options;
  options.parameters = SmallParameters();
  options.checkpoints = {.operations = 0, .milliseconds = 0, .dirty_bytes = 0};
  options.now_milliseconds = [] { return uint64_t{1'700'000'000'000}; };
  return options;
}

// The tree, the database under it and the machine under that.
class TreeFixture {
 public:
  explicit TreeFixture(TreeOptions options = ManualOptions(), Options database_options = {})
      : machine_(std::make_unique<MemoryMachine>()),
        options_(std::move(options)),
        database_options_(std::move(database_options)) {
    Open();
  }

  void Open() {
    absl::StatusOr<std::unique_ptr<Database>> database = machine_->Open(database_options_);
    ASSERT_OK(database);
    database_ = std::move(*database);
    absl::StatusOr<std::unique_ptr<AuthenticatedTree>> tree =
        AuthenticatedTree::Open(*database_, options_);
    ASSERT_OK(tree);
    tree_ = std::move(*tree);
  }
  void Close() {
    tree_.reset();
    if (database_ != nullptr) {
      EXPECT_OK(database_->Close());
    }
    database_.reset();
  }
  void Reopen() {
    Close();
    Open();
  }
  // Opens the tree again on the open database.
  absl::StatusOr<std::unique_ptr<AuthenticatedTree>> OpenTreeAgain() {
    tree_.reset();
    return AuthenticatedTree::Open(*database_, options_);
  }

  // A commit of its own.
  CommitResult Commit(const std::vector<Operation>& operations) {
    for (const Operation& operation : operations) EXPECT_OK(tree_->Apply(operation));
    absl::StatusOr<CommitResult> result = tree_->Commit({});
    EXPECT_OK(result);
    return result.ok() ? *result : CommitResult();
  }
  void Write(const WriteBatch& batch) { EXPECT_OK(database_->Write(batch, Durability::kSynced)); }

  // As damage would: one row of the operations, a sequence that no client can change, becomes
  // `record`, or goes (none). The keyspace is made anew: earlier handles of it are of no use.
  void SetOperation(absl::string_view key, const std::optional<std::string>& record) {
    std::map<std::string, std::string> rows;
    KeyspaceOptions options;
    {
      const Keyspace old = database_->OpenKeyspace("operations").value();
      options = old.options();
      const auto row = old.NewIterator();
      for (row->SeekToFirst(); row->Valid(); row->Next()) {
        rows[std::string(row->key())] = std::string(row->value());
      }
      EXPECT_OK(row->status());
    }
    rows.erase(std::string(key));
    if (record.has_value()) rows[std::string(key)] = *record;
    EXPECT_OK(database_->DropKeyspace("operations"));
    const Keyspace fresh = database_->CreateKeyspace("operations", options).value();
    WriteBatch batch;
    for (const auto& [row_key, value] : rows) batch.Put(fresh, row_key, value);
    Write(batch);
  }

  AuthenticatedTree& tree() { return *tree_; }
  Database& database() { return *database_; }
  TreeOptions& options() { return options_; }

 private:
  std::unique_ptr<TestMachine> machine_;
  TreeOptions options_;
  Options database_options_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<AuthenticatedTree> tree_;
};

// What the tree must be.
class TreeModel {
 public:
  explicit TreeModel(const TreeParameters& parameters = SmallParameters())
      : parameters_(parameters),
        prover_(std::make_unique<Prover>(parameters, EmptyTree(parameters), 0, nullptr)) {}

  absl::StatusOr<OldValue> Apply(const Operation& operation) {
    absl::StatusOr<OldValue> old = prover_->Apply(operation);
    if (!old.ok()) return old;
    absl::StatusOr<OldValue> now = prover_->Find(operation.key);
    EXPECT_OK(now);
    if (now->has_value()) {
      entries_[operation.key] = **now;
    } else {
      entries_.erase(operation.key);
    }
    return old;
  }
  void EndBatch() { prover_->EndBatch(); }
  Digest digest() { return prover_->digest(); }
  const std::map<std::string, std::string>& entries() const { return entries_; }

 private:
  const TreeParameters parameters_;
  std::unique_ptr<Prover> prover_;
  std::map<std::string, std::string> entries_;
};

// An operation that may fail: small keys, few values, so that nodes die and return.
inline Operation RandomSmallOperation(Random& random, uint64_t keys) {
  const std::string key = SmallKey(random.Uniform(keys));
  const std::string value(random.Uniform(3), random.OneIn(2) ? 'A' : 'B');
  switch (random.Uniform(10)) {
    case 0:
      return Operation::Insert(key, value);
    case 1:
      return Operation::Update(key, value);
    case 2:
      return Operation::Remove(key);
    case 3:
      return Operation::RemoveIfExists(key);
    case 4:
      return Operation::Lookup(key);
    case 5:
      return Operation::UnknownModification(key);
    case 6: {
      return Operation::UpdateLongBy(key, static_cast<int64_t>(random.Uniform(5)) - 2);
    }
    default:
      return Operation::InsertOrUpdate(key, value);
  }
}

// Verifies `proof` as a stranger with the digest alone would.
inline void ExpectProves(const TreeProof& proof, const Digest& start,
                         const TreeParameters& parameters = SmallParameters()) {
  ASSERT_EQ(proof.start, start);
  absl::StatusOr<VerifiedBatch> verified =
      VerifyProof(start, AsBytes(proof.proof), parameters, proof.operations, {});
  ASSERT_OK(verified);
  EXPECT_EQ(verified->old_values, proof.old_values);
  EXPECT_EQ(verified->digest, proof.digest);
}

}  // namespace firn

#endif  // FIRN_TESTS_TREE_TREE_FIXTURE_H_
