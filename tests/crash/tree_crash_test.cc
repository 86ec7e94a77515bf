// Every operation of the file system is once the last one of a tree's workload with checkpoints of
// both kinds, flushes and log switches; then once more inside the recovery from it. Whatever the crash
// leaves of unsynced writes: acknowledged commits are there, no half commit is, the digest is the one
// that was logged, and the tree verifies.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firn/authenticated_tree.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/test_machine.h"
#include "tests/tree/tree_fixture.h"

namespace firn {
namespace {

// Small enough for flushes, merges and log switches to happen.
Options SmallDatabase() {
  Options options;
  options.memtable_size = size_t{64} << 10;
  options.log_size_max = size_t{1} << 20;
  options.segment_size = size_t{64} << 10;
  options.level1_size = size_t{1} << 20;
  return options;
}

// What was done, and how much of it was acknowledged as synced.
struct Acknowledged {
  std::vector<Digest> digests = {EmptyTreeDigest(SmallParameters())};  // after commit i
  uint64_t synced = 0;                                                 // commits
  uint64_t attempted = 0;                                              // commits
};

// The operations of commit `commit`, the same at each call. Values of 30 KiB make a checkpoint of
// several pieces every so often, those of a few bytes one of a single batch; some values return.
std::vector<Operation> OperationsOf(uint64_t commit) {
  Random random(commit);
  std::vector<Operation> operations;
  const bool large = commit % 12 < 6;
  for (int i = 0; i < 8; ++i) {
    const std::string key = SmallKey(random.Uniform(50));
    const char letter = random.OneIn(2) ? 'A' : 'B';
    operations.push_back(
        random.OneIn(6) ? Operation::RemoveIfExists(key)
                        : Operation::InsertOrUpdate(key, std::string(large ? 30'000 : 5, letter)));
  }
  return operations;
}

constexpr uint64_t kCommits = 20;
constexpr uint64_t kCommitsPerCheckpoint = 6;

TreeOptions WorkloadOptions() {
  TreeOptions options = ManualOptions();
  options.node_cache_nodes = 50;
  return options;
}

// Digests that an uninterrupted run gives, by commit.
std::vector<Digest> ExpectedDigests() {
  TreeModel model;
  std::vector<Digest> digests = {model.digest()};
  for (uint64_t commit = 1; commit <= kCommits; ++commit) {
    for (const Operation& operation : OperationsOf(commit)) EXPECT_OK(model.Apply(operation));
    model.EndBatch();
    digests.push_back(model.digest());
  }
  return digests;
}

// Goes on from where the tree stands, until done or until anything fails.
void RunWorkload(SteppedMachine& machine, Acknowledged& acknowledged) {
  absl::StatusOr<std::unique_ptr<Database>> database = machine.Open(SmallDatabase());
  if (!database.ok()) return;
  {
    absl::StatusOr<std::unique_ptr<AuthenticatedTree>> tree =
        AuthenticatedTree::Open(**database, WorkloadOptions());
    if (!tree.ok()) return;
    for (uint64_t commit = (*tree)->view()->commit_number() + 1; commit <= kCommits; ++commit) {
      for (const Operation& operation : OperationsOf(commit)) {
        if (!(*tree)->Apply(operation).ok()) return;
      }
      CommitOptions options;
      options.durability = commit % 3 == 0 ? Durability::kBuffered : Durability::kSynced;
      if (!(*tree)->StageMetadata("position", std::to_string(commit)).ok()) return;
      acknowledged.attempted = std::max(acknowledged.attempted, commit);
      if (!(*tree)->Commit(options).ok()) return;
      if (options.durability == Durability::kSynced) acknowledged.synced = commit;
      if (commit % kCommitsPerCheckpoint == 0) {
        if (!(*tree)->MakeCheckpoint().ok()) return;
        acknowledged.synced = commit;  // its record was synced after the commit
      }
    }
    if ((*tree)->MakeCheckpoint().ok()) acknowledged.synced = kCommits;
  }
  (void)(*database)->Close();
}

// Opens what a crash left. False: the file system crashed again meanwhile.
bool ExpectHolds(SteppedMachine& machine, const Acknowledged& acknowledged,
                 const std::vector<Digest>& expected) {
  absl::StatusOr<std::unique_ptr<Database>> database = machine.Open(SmallDatabase());
  if (machine.file_system().crashed()) return false;
  EXPECT_OK(database);
  if (!database.ok()) return true;
  {
    absl::StatusOr<std::unique_ptr<AuthenticatedTree>> tree =
        AuthenticatedTree::Open(**database, WorkloadOptions());
    if (machine.file_system().crashed()) return false;
    EXPECT_OK(tree);
    if (!tree.ok()) return true;
    const auto view = (*tree)->view();
    EXPECT_GE(view->commit_number(), acknowledged.synced);
    EXPECT_LE(view->commit_number(), acknowledged.attempted);
    if (view->commit_number() <= kCommits) {
      EXPECT_EQ(view->digest(), expected[view->commit_number()]);
    }
    EXPECT_EQ(view->operation_number(), 8 * view->commit_number());
    if (view->commit_number() > 0) {
      EXPECT_EQ((*tree)->GetMetadata("position").value(), std::to_string(view->commit_number()));
    }
    const absl::StatusOr<TreeVerifyReport> report =
        (*tree)->VerifyTree(TreeVerifyLevel::kAllCheckpoints);
    if (machine.file_system().crashed()) return false;
    EXPECT_OK(report);
    if (report.ok()) {
      EXPECT_TRUE(report->clean()) << report->damage[0];
    }
  }
  (void)(*database)->Close();
  return !machine.file_system().crashed();
}

// Runs the workload with operation `crash_at` as the last one, and returns the machine's disk.
std::unique_ptr<MemoryFileSystem> CrashedDisk(uint64_t seed, uint64_t crash_at,
                                              Acknowledged& acknowledged, bool& was_hit) {
  SteppedMachine machine(std::make_unique<MemoryFileSystem>(MemoryFileSystemOptions{
                             .seed = seed, .crash_at_operation = crash_at, .count_reads = false}),
                         seed);
  RunWorkload(machine, acknowledged);
  was_hit = machine.file_system().crashed();
  machine.file_system().LoseUnsyncedData();
  return machine.file_system().Fork();
}

TEST(TreeCrashTest, EveryOperationMayBeTheLast) {
  const std::vector<Digest> expected = ExpectedDigests();
  uint64_t points = 0;
  for (uint64_t crash_at = 0;; ++crash_at) {
    SCOPED_TRACE(crash_at);
    Acknowledged acknowledged;
    bool was_hit = false;
    std::unique_ptr<MemoryFileSystem> disk = CrashedDisk(1, crash_at, acknowledged, was_hit);
    SteppedMachine machine(std::move(disk), crash_at);
    EXPECT_TRUE(ExpectHolds(machine, acknowledged, expected));
    if (::testing::Test::HasFailure()) break;
    // And it goes on to the same end.
    if (crash_at % 7 == 0) {
      RunWorkload(machine, acknowledged);
      EXPECT_EQ(acknowledged.synced, kCommits);
      EXPECT_TRUE(ExpectHolds(machine, acknowledged, expected));
    }
    ++points;
    if (!was_hit) break;
  }
  EXPECT_GT(points, 200u);
  RecordProperty("points", static_cast<int>(points));
}

TEST(TreeCrashTest, EveryOperationOfTheRecoveryMayBeTheLastToo) {
  const std::vector<Digest> expected = ExpectedDigests();
  uint64_t points = 0;
  for (uint64_t crash_at = 40; !::testing::Test::HasFailure(); crash_at += 61) {
    Acknowledged acknowledged;
    bool was_hit = false;
    const std::unique_ptr<MemoryFileSystem> disk = CrashedDisk(2, crash_at, acknowledged, was_hit);
    if (!was_hit) break;
    for (uint64_t second = 0;; ++second) {
      SCOPED_TRACE(testing::Message() << crash_at << ", then " << second);
      SteppedMachine machine(disk->Fork(), second);
      machine.file_system().Reseed(second);
      machine.file_system().CrashAtOperation(second);
      const bool whole = ExpectHolds(machine, acknowledged, expected);
      ++points;
      if (whole) break;
      machine.file_system().LoseUnsyncedData();
      SteppedMachine again(machine.file_system().Fork(), second);
      EXPECT_TRUE(ExpectHolds(again, acknowledged, expected));
      if (::testing::Test::HasFailure()) break;
    }
  }
  EXPECT_GT(points, 50u);
  RecordProperty("points", static_cast<int>(points));
}

}  // namespace
}  // namespace firn
