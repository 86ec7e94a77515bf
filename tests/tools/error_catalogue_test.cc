// Every reason of firn/error.h is provoked where a program meets it, mostly by the public calls, and
// its code and words are looked at; a reason without a case fails the last test.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/coding.h"
#include "base/compression.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "firn/error.h"
#include "firn/proof.h"
#include "firn/tree_storage.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tree/storage_node.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

struct Case {
  absl::StatusCode code;
  std::vector<std::string> words;  // what the message must name
  std::function<absl::Status()> provoke;
};

Options InMemory() {
  Options options;
  options.storage = Storage::kMemory;
  return options;
}

// A store in memory whose files outlive it and whose disk can be told to fail.
struct FaultyStore {
  MemoryFileSystem disk;
  FaultInjectingFileSystem faulty{disk};
  SteppedStore store{faulty, 1};

  FaultyStore() {
    EXPECT_OK(store.Open());
    EXPECT_OK(store.Put("notes", "key", "value", Durability::kSynced));
  }
  absl::Status Reopen() {
    EXPECT_OK(store.Close());
    return store.Open();
  }
};

std::unique_ptr<Database> OpenDatabase() { return Database::Open("store", InMemory()).value(); }

std::unique_ptr<TreeStorage> OpenStorage(DigestCheck check = DigestCheck::kVerify) {
  TreeStorageOptions options;
  options.database = InMemory();
  options.digest_check = check;
  return TreeStorage::Open("store", options).value();
}

// A tree of 4-byte keys with one key "kkkk", whose value begins with the largest number.
struct OneKeyTree {
  std::unique_ptr<Database> database = OpenDatabase();
  std::unique_ptr<AuthenticatedTree> tree;

  static TreeOptions DefaultOptions() {
    TreeOptions options;
    options.parameters = TreeParameters{.key_length = 4, .value_length = 8};
    return options;
  }
  explicit OneKeyTree(const TreeOptions& options = DefaultOptions()) {
    tree = AuthenticatedTree::Open(*database, options).value();
    EXPECT_OK(tree->Apply(Operation::Insert("kkkk", "\x7f\xff\xff\xff\xff\xff\xff\xff")));
    EXPECT_OK(tree->Commit({}));
  }
};

absl::Status ApplyToOneKey(const Operation& operation) {
  OneKeyTree one;
  return one.tree->Apply(operation).status();
}

// --- the store

absl::Status AnAbsentKey() {
  const auto database = OpenDatabase();
  return database->CreateKeyspace("notes", {})->Get("absent").status();
}

absl::Status ASyncThatFails() {
  FaultyStore store;
  store.faulty.AddRule({.operation = FileOperation::kSync, .path_part = ".wal"});
  return store.store.Put("notes", "k", "v", Durability::kSynced);
}

absl::Status AWriteAfterASyncThatFailed() {
  FaultyStore store;
  store.faulty.AddRule({.operation = FileOperation::kSync, .path_part = ".wal"});
  EXPECT_FALSE(store.store.Put("notes", "k", "v", Durability::kSynced).ok());
  return store.store.Put("notes", "l", "v");
}

absl::Status AFlippedBitOfASegment() {
  FaultyStore store;
  EXPECT_OK(store.store->Flush(store.store.Open("notes")));
  store.store.options().block_cache_size = 0;
  EXPECT_OK(store.Reopen());
  store.faulty.AddRule({.operation = FileOperation::kRead,
                        .path_part = ".seg",
                        .count = FaultRule::kForever,
                        .effect = FaultEffect::kCorrupt});
  return store.store.Open("notes").Get("key").status();
}

absl::Status AFullDisk() {
  FaultyStore store;
  store.faulty.SetSpace(0);
  return store.store.Put("notes", "k", std::string(300 << 10, 'v'), Durability::kSynced);
}

absl::Status AFullKeyspace() {
  const auto database = OpenDatabase();
  const Keyspace notes = database->CreateKeyspace("notes", {.size_limit = 64 << 10}).value();
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    WriteBatch batch;
    batch.Put(notes, absl::StrCat(i), std::string(5000, 'v'));
    status = database->Write(batch, Durability::kBuffered);
  }
  return status;
}

absl::Status AFolderWithoutAStore() {
  TemporaryDirectory folder;
  Options options;
  options.mode = OpenMode::kOpenExisting;
  return Database::Open(folder.File("nowhere"), options).status();
}

absl::Status AStoreOfALaterFormat() {
  FaultyStore store;
  EXPECT_OK(store.store.Close());
  const std::string text = ReadWholeFile(store.disk, "store/FIRN", 1 << 20).value();
  EXPECT_OK(WriteFileAtomically(store.disk, "store/FIRN",
                                absl::StrReplaceAll(text, {{"format = 2", "format = 3"}})));
  return store.store.Open();
}

absl::Status AStoreThatIsOpen() {
  FaultyStore store;
  return SteppedStore(store.disk, 2).Open();
}

absl::Status AnOptionOutOfRange() {
  Options options = InMemory();
  options.memtable_size = 1;
  return Database::Open("store", options).status();
}

absl::Status AnImpossibleName() {
  return OpenDatabase()->CreateKeyspace("Notes", {}).status();
}

absl::Status ACallAfterClose() {
  const auto database = OpenDatabase();
  EXPECT_OK(database->Close());
  return database->Sync();
}

absl::Status AnUnknownKeyspace() { return OpenDatabase()->OpenKeyspace("notes").status(); }

absl::Status AKeyspaceTwice() {
  const auto database = OpenDatabase();
  EXPECT_OK(database->CreateKeyspace("notes", {}));
  return database->CreateKeyspace("notes", {}).status();
}

absl::Status ADroppedKeyspace() {
  const auto database = OpenDatabase();
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  EXPECT_OK(database->DropKeyspace("notes"));
  return notes.Get("k").status();
}

absl::Status AKeyOverItsLimit() {
  const auto database = OpenDatabase();
  WriteBatch batch;
  batch.Put(database->CreateKeyspace("notes", {}).value(), std::string(70'000, 'k'), "v");
  return database->Write(batch, Durability::kSynced);
}

absl::Status AFileThatIsGone() {
  FaultyStore store;
  EXPECT_OK(store.store.Close());
  EXPECT_OK(store.disk.RemoveFile("store/CURRENT"));
  return store.store.Open();
}

absl::Status ARecordOfGarbage() {
  const auto storage = OpenStorage();
  WriteBatch batch;
  batch.Put(storage->database().OpenKeyspace("nodes").value(), EncodeStorageNodeKey(Label{0xab}),
            "garbage");
  EXPECT_OK(storage->database().Write(batch, Durability::kSynced));
  return storage->GetNode(Label{0xab}).status();
}

absl::Status AnUnknownCompression() {
  return Uncompress(static_cast<CompressionKind>(9), AsBytes("bytes"), 5).status();
}

// --- transactions

absl::Status ATransactionThatLost() {
  const auto database = OpenDatabase();
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  const auto transaction = database->BeginTransaction({}).value();
  EXPECT_OK(transaction->Put(notes, "account", "mine"));
  WriteBatch batch;
  batch.Put(notes, "account", "another's");
  EXPECT_OK(database->Write(batch, Durability::kSynced));
  return transaction->Commit();
}

absl::Status AWriteAfterARollback() {
  const auto database = OpenDatabase();
  const Keyspace notes = database->CreateKeyspace("notes", {}).value();
  const auto transaction = database->BeginTransaction({}).value();
  EXPECT_OK(transaction->Rollback());
  return transaction->Put(notes, "k", "v");
}

absl::Status ASavepointTwice() {
  const auto database = OpenDatabase();
  const auto transaction = database->BeginTransaction({}).value();
  EXPECT_OK(transaction->CreateSavepoint("before"));
  return transaction->CreateSavepoint("before");
}

absl::Status AnUnknownSavepoint() {
  const auto database = OpenDatabase();
  return database->BeginTransaction({}).value()->RollbackToSavepoint("nowhere");
}

// --- the authenticated tree

absl::Status AProofOfNoise() {
  return VerifyProof(EmptyTreeDigest({}), AsBytes("noise"), {}, {}, {}).status();
}

absl::Status ACheckpointWithoutItsRoot() {
  CheckpointRecord checkpoint;
  checkpoint.digest = Digest::From(Label{0xab}, 1);
  return OpenStorage()->StoreCheckpoint(checkpoint).status();
}

absl::Status ANodeUnderAnothersDigest() {
  NodeRecord node;
  node.digest = Label{0xab};
  node.key = "key";
  node.value = "value";
  node.next_key = "next";
  return OpenStorage()->StoreNode(node);
}

absl::Status AnUnexpectedDigest() {
  OneKeyTree one;
  one.tree.reset();
  TreeOptions options;
  options.expected_digest = Digest::From(Label{0xab}, 1);
  return AuthenticatedTree::Open(*one.database, options).status();
}

absl::Status LogNumbers(const std::vector<uint64_t>& numbers) {
  const auto storage = OpenStorage();
  absl::Status status;
  for (const uint64_t number : numbers) {
    EXPECT_OK(status);
    OperationRecord operation;
    operation.sequence = number;
    operation.key = "key";
    status = storage->LogOperation(operation).status();
  }
  return status;
}

absl::Status ACheckpointThatNeverWas() {
  OneKeyTree one;
  return one.tree->GetCheckpoint(7).status();
}

absl::Status AForbiddenRemoval() {
  TreeOptions options = OneKeyTree::DefaultOptions();
  options.allowed = kAllowInsert;
  OneKeyTree one(options);
  return one.tree->Apply(Operation::Remove("kkkk")).status();
}

void AddStoreCases(std::map<ErrorReason, Case>& cases) {
  using enum absl::StatusCode;
  cases = {
      {ErrorReason::kNone, {kNotFound, {}, AnAbsentKey}},
      {ErrorReason::kIo, {kUnavailable, {".wal", "Input/output error"}, ASyncThatFails}},
      {ErrorReason::kCorruption, {kDataLoss, {"notes/", ".seg", "offset"}, AFlippedBitOfASegment}},
      {ErrorReason::kDiskFull, {kResourceExhausted, {"wal/", "No space left"}, AFullDisk}},
      {ErrorReason::kKeyspaceFull,
       {kResourceExhausted, {"notes", "65536", "size_limit"}, AFullKeyspace}},
      {ErrorReason::kNotAStore, {kNotFound, {"nowhere", "no store"}, AFolderWithoutAStore}},
      {ErrorReason::kFormatVersion,
       {kFailedPrecondition, {"store/FIRN", "version 3"}, AStoreOfALaterFormat}},
      {ErrorReason::kLocked, {kFailedPrecondition, {"store/LOCK"}, AStoreThatIsOpen}},
      {ErrorReason::kInvalidOption,
       {kInvalidArgument, {"memtable_size", "1", "65536"}, AnOptionOutOfRange}},
      {ErrorReason::kInvalidArgument, {kInvalidArgument, {"Notes", "a-z0-9"}, AnImpossibleName}},
      {ErrorReason::kClosed, {kFailedPrecondition, {"closed"}, ACallAfterClose}},
      {ErrorReason::kPoisoned,
       {kUnavailable, {"reopen", "Input/output error"}, AWriteAfterASyncThatFailed}},
      {ErrorReason::kKeyspaceNotFound, {kNotFound, {"notes"}, AnUnknownKeyspace}},
      {ErrorReason::kKeyspaceExists, {kAlreadyExists, {"notes"}, AKeyspaceTwice}},
      {ErrorReason::kKeyspaceDropped, {kFailedPrecondition, {"notes", "dropped"}, ADroppedKeyspace}},
      {ErrorReason::kTooLarge, {kInvalidArgument, {"key", "70000"}, AKeyOverItsLimit}},
      {ErrorReason::kMissingFile, {kDataLoss, {"store/CURRENT"}, AFileThatIsGone}},
      {ErrorReason::kSerialization, {kDataLoss, {"ab00"}, ARecordOfGarbage}},
      {ErrorReason::kUnsupported, {kInvalidArgument, {"compression 9"}, AnUnknownCompression}},
  };
}

void AddTransactionCases(std::map<ErrorReason, Case>& cases) {
  using enum absl::StatusCode;
  cases.insert({
      {ErrorReason::kConflict, {kAborted, {"notes", "account"}, ATransactionThatLost}},
      {ErrorReason::kTransactionEnded,
       {kFailedPrecondition, {"rolled back"}, AWriteAfterARollback}},
      {ErrorReason::kSavepointExists, {kAlreadyExists, {"before"}, ASavepointTwice}},
      {ErrorReason::kSavepointNotFound, {kNotFound, {"nowhere"}, AnUnknownSavepoint}},
  });
}

void AddTreeCases(std::map<ErrorReason, Case>& cases) {
  using enum absl::StatusCode;
  const auto apply = [](Operation operation) {
    return [operation = std::move(operation)] { return ApplyToOneKey(operation); };
  };
  const std::string eight(8, '\0');
  cases.insert({
      {ErrorReason::kKeyNotFound,
       {kNotFound, {"update", "61616161"}, apply(Operation::Update("aaaa", eight))}},
      {ErrorReason::kKeyExists,
       {kAlreadyExists, {"insert", "6b6b6b6b"}, apply(Operation::Insert("kkkk", eight))}},
      {ErrorReason::kIllegalKey,
       {kInvalidArgument, {"key", "5", "4"}, apply(Operation::Insert("12345", eight))}},
      {ErrorReason::kIllegalValue,
       {kInvalidArgument, {"value", "3", "8"}, apply(Operation::Insert("aaaa", "123"))}},
      {ErrorReason::kInvalidProof, {kInvalidArgument, {"proof"}, AProofOfNoise}},
      {ErrorReason::kMissingNode, {kFailedPrecondition, {"ab00"}, ACheckpointWithoutItsRoot}},
      {ErrorReason::kLabelMismatch, {kInvalidArgument, {"ab00"}, ANodeUnderAnothersDigest}},
      {ErrorReason::kStateMismatch, {kDataLoss, {"expected", "ab00"}, AnUnexpectedDigest}},
      {ErrorReason::kSequenceGap,
       {kOutOfRange, {"operation 5", "2"}, [] { return LogNumbers({1, 5}); }}},
      {ErrorReason::kSequenceTaken,
       {kAlreadyExists, {"operation 1"}, [] { return LogNumbers({1, 2, 1}); }}},
      {ErrorReason::kOverflow, {kOutOfRange, {"1"}, apply(Operation::UpdateLongBy("kkkk", 1))}},
      {ErrorReason::kNotRetained, {kNotFound, {"checkpoint 7"}, ACheckpointThatNeverWas}},
      {ErrorReason::kOperationRefused,
       {kFailedPrecondition, {"remove", "permission"}, AForbiddenRemoval}},
  });
}

const std::map<ErrorReason, Case>& Cases() {
  static const std::map<ErrorReason, Case> cases = [] {
    std::map<ErrorReason, Case> all;
    AddStoreCases(all);
    AddTransactionCases(all);
    AddTreeCases(all);
    return all;
  }();
  return cases;
}

std::string NameOf(ErrorReason reason) { return std::string(ErrorReasonName(reason)); }

std::vector<ErrorReason> ReasonsWithACase() {
  std::vector<ErrorReason> reasons;
  for (const auto& [reason, unused] : Cases()) reasons.push_back(reason);
  return reasons;
}

class ErrorCatalogueTest : public ::testing::TestWithParam<ErrorReason> {};

TEST_P(ErrorCatalogueTest, HasItsCodeItsReasonAndNamesWhatIsNeeded) {
  const Case& expected = Cases().at(GetParam());
  const absl::Status status = expected.provoke();
  EXPECT_THAT(status, StatusIs(expected.code));
  EXPECT_THAT(status, HasReason(GetParam()));
  for (const std::string& word : expected.words) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(word));
  }
}

INSTANTIATE_TEST_SUITE_P(Err01, ErrorCatalogueTest, ::testing::ValuesIn(ReasonsWithACase()),
                         [](const auto& instance) { return NameOf(instance.param); });

// Numbers without a word are not in the enum: EveryReasonHasAWordOfItsOwn of status_test.cc.
TEST(ErrorCatalogue, EveryReasonHasACase) {
  size_t reasons = 0;
  for (uint32_t number = 0; number <= UINT16_MAX; ++number) {
    const auto reason = static_cast<ErrorReason>(number);
    if (ErrorReasonName(reason) == "unknown") continue;
    ++reasons;
    EXPECT_TRUE(Cases().contains(reason)) << number << ": " << ErrorReasonName(reason);
  }
  EXPECT_EQ(reasons, Cases().size());
}

}  // namespace
}  // namespace firn
