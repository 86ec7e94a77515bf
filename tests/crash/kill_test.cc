// A process that commits synced batches to a real folder, and says on a pipe what was acknowledged, is
// killed with SIGKILL at random moments. After every reopen: everything acknowledged is there, no half
// batch is, the root is the one that a plain prover in memory gives for the same commits, and
// verification finds nothing.
//
// FIRN_KILLS sets how often (200; 40 under a sanitizer), FIRN_KILL_SEED the seed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/blake2b.h"
#include "base/coding.h"
#include "base/random.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tree/prover.h"

namespace firn {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kDefaultKills = 40;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr uint64_t kDefaultKills = 40;
#else
constexpr uint64_t kDefaultKills = 200;
#endif
#else
constexpr uint64_t kDefaultKills = 200;
#endif

constexpr uint64_t kKillsPerStore = 20;
constexpr uint64_t kKeys = 400;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::string BigEndian(uint64_t number) {
  std::string text;
  PutBigEndian64(text, number);
  return text;
}

// What commit `number` does, the same in the writer and in the model. Some operations fail.
std::vector<Operation> OperationsOf(uint64_t seed, uint64_t number) {
  Random random(seed * 1'000'003 + number);
  std::vector<Operation> operations;
  for (uint64_t i = 1 + random.Uniform(20); i > 0; --i) {
    const std::string key(
        AsText(HashBlake2b256(AsBytes(BigEndian(random.Uniform(kKeys))))));
    const std::string value = BigEndian(random.Next()).substr(0, random.Uniform(9));
    switch (random.Uniform(4)) {
      case 0:
        operations.push_back(Operation::Remove(key));
        break;
      case 1:
        operations.push_back(Operation::Insert(key, value));
        break;
      default:
        operations.push_back(Operation::InsertOrUpdate(key, value));
    }
  }
  // Never empty of successful operations.
  operations.push_back(Operation::InsertOrUpdate(
      AsText(HashBlake2b256(AsBytes(std::string("always")))), BigEndian(number)));
  return operations;
}

struct Store {
  std::unique_ptr<Database> database;
  Keyspace left, right;
  std::unique_ptr<AuthenticatedTree> tree;
};

absl::StatusOr<Store> OpenStore(const std::string& path) {
  Options options;
  options.memtable_size = size_t{64} << 10;  // flushes, merges and log switches all the time
  options.log_size_max = size_t{1} << 20;
  options.segment_size = size_t{64} << 10;
  options.level1_size = size_t{1} << 20;
  Store store;
  FIRN_ASSIGN_OR_RETURN(store.database, Database::Open(path, options));
  FIRN_ASSIGN_OR_RETURN(store.left, store.database->OpenOrCreateKeyspace("left", {}));
  FIRN_ASSIGN_OR_RETURN(store.right, store.database->OpenOrCreateKeyspace("right", {}));
  TreeOptions tree_options;
  tree_options.node_cache_nodes = 100;
  tree_options.checkpoints.operations = 300;
  FIRN_ASSIGN_OR_RETURN(store.tree, AuthenticatedTree::Open(*store.database, tree_options));
  return store;
}

struct Acknowledgement {
  uint64_t commit = 0;
  uint64_t last_operation = 0;
  Digest digest;
};

absl::StatusOr<Acknowledgement> CommitNext(Store& store, uint64_t seed) {
  const uint64_t number = store.tree->view()->commit_number() + 1;
  for (const Operation& operation : OperationsOf(seed, number)) {
    const absl::StatusOr<OldValue> result = store.tree->Apply(operation);
    if (absl::IsDataLoss(result.status())) return result.status();
  }
  WriteBatch both;
  both.Put(store.left, BigEndian(number), std::string(200, 'l'));
  both.Put(store.right, BigEndian(number), std::string(100, 'r'));
  CommitOptions commit;
  commit.extra = &both;
  FIRN_ASSIGN_OR_RETURN(const CommitResult committed, store.tree->Commit(commit));
  FIRN_RETURN_IF_ERROR(committed.checkpoint_status);
  return Acknowledgement{committed.commit_number, committed.last_operation, committed.digest};
}

// The child: commits until it is killed.
[[noreturn]] void RunWriter(const std::string& path, uint64_t seed, int pipe_end) {
  absl::StatusOr<Store> store = OpenStore(path);
  if (!store.ok()) {
    std::fprintf(stderr, "writer: %s\n", std::string(store.status().message()).c_str());
    _exit(3);
  }
  while (true) {
    const absl::StatusOr<Acknowledgement> done = CommitNext(*store, seed);
    if (!done.ok()) {
      std::fprintf(stderr, "writer: %s\n", std::string(done.status().message()).c_str());
      _exit(4);
    }
    if (write(pipe_end, &*done, sizeof(*done)) != static_cast<ssize_t>(sizeof(*done))) _exit(5);
  }
}

enum class Since : uint8_t {
  kStart,        // hits creation and recovery
  kFirstCommit,  // hits commits, flushes, merges and checkpoints, however slow the machine
};

// Lets a writer run for `microseconds`, kills it; the last thing it acknowledged, if any.
std::optional<Acknowledgement> RunAndKill(const std::string& path, uint64_t seed, Since since,
                                          useconds_t microseconds) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    RunWriter(path, seed, ends[1]);
  }
  close(ends[1]);
  std::optional<Acknowledgement> last;
  Acknowledgement read_one;
  if (since == Since::kFirstCommit &&
      read(ends[0], &read_one, sizeof(read_one)) == static_cast<ssize_t>(sizeof(read_one))) {
    last = read_one;
  }
  usleep(microseconds);
  kill(child, SIGKILL);
  while (read(ends[0], &read_one, sizeof(read_one)) == static_cast<ssize_t>(sizeof(read_one))) {
    last = read_one;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "the writer ended by itself with code " << WEXITSTATUS(status);
  return last;
}

// The tree that the same commits give in memory.
class Model {
 public:
  explicit Model(uint64_t seed)
      : seed_(seed), prover_(TreeParameters{}, EmptyTree(TreeParameters{}), 0, nullptr) {}

  const Digest& AdvanceTo(uint64_t commit) {
    for (; commit_ < commit; ++commit_) {
      for (const Operation& operation : OperationsOf(seed_, commit_ + 1)) {
        if (prover_.Apply(operation).ok()) ++operations_;
      }
      digest_ = prover_.digest();
      prover_.EndBatch();
    }
    return digest_;
  }

 private:
  const uint64_t seed_;
  Prover prover_;
  uint64_t commit_ = 0;
  uint64_t operations_ = 0;
  Digest digest_ = EmptyTreeDigest(TreeParameters{});
};

void CheckPairs(const Store& store, uint64_t commits) {
  for (const Keyspace* keyspace : {&store.left, &store.right}) {
    uint64_t count = 0;
    const std::unique_ptr<Iterator> row = keyspace->NewIterator();
    for (row->SeekToFirst(); row->Valid(); row->Next()) {
      ASSERT_EQ(row->key(), BigEndian(++count)) << keyspace->name();
    }
    ASSERT_THAT(row->status(), IsOk());
    ASSERT_EQ(count, commits) << keyspace->name() << ": rows and commits are written as one";
  }
}

void CheckStore(const std::string& path, const std::optional<Acknowledgement>& acknowledged,
                Model& model) {
  ASSERT_OK_AND_ASSIGN(Store store, OpenStore(path));
  {
    const std::shared_ptr<const TreeView> view = store.tree->view();
    if (acknowledged.has_value()) {
      ASSERT_GE(view->commit_number(), acknowledged->commit) << "an acknowledged commit is lost";
      ASSERT_OK_AND_ASSIGN(const std::vector<LoggedOperation> logged,
                           store.tree->GetOperations(acknowledged->last_operation,
                                                     acknowledged->last_operation, 1));
      ASSERT_EQ(logged.size(), 1u);
      ASSERT_EQ(logged[0].digest, acknowledged->digest) << "not the root that was acknowledged";
      // One commit at most was under way when the writer died.
      ASSERT_LE(view->commit_number(), acknowledged->commit + 1);
    }
    ASSERT_EQ(view->digest().ToHex(), model.AdvanceTo(view->commit_number()).ToHex());
    CheckPairs(store, view->commit_number());
  }
  ASSERT_OK_AND_ASSIGN(const TreeVerifyReport tree,
                       store.tree->VerifyTree(TreeVerifyLevel::kNewest));
  ASSERT_THAT(tree.damage, ::testing::IsEmpty());
  ASSERT_OK_AND_ASSIGN(const VerifyReport files, store.database->Verify(VerifyLevel::kBlocks));
  ASSERT_THAT(files.damage, ::testing::IsEmpty());
  store.tree.reset();
  ASSERT_THAT(store.database->Close(), IsOk());
}

TEST(KillTest, NothingAcknowledgedIsLostToSigkill) {
  const uint64_t kills = FromEnvironment("FIRN_KILLS", kDefaultKills);
  const uint64_t seed = FromEnvironment("FIRN_KILL_SEED", 20260101);
  Random random(seed);
  uint64_t acknowledged_kills = 0;
  uint64_t commits = 0;
  for (uint64_t done = 0; done < kills;) {
    const TemporaryDirectory folder;
    const std::string path = folder.File("store");
    const uint64_t store_seed = random.Next();
    Model model(store_seed);
    for (uint64_t i = 0; i < kKillsPerStore && done < kills; ++i, ++done) {
      const Since since = random.OneIn(4) ? Since::kStart : Since::kFirstCommit;
      const auto lifetime = static_cast<useconds_t>(random.Uniform(50'000));
      const std::optional<Acknowledgement> last = RunAndKill(path, store_seed, since, lifetime);
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", kill " << done);
      ASSERT_NO_FATAL_FAILURE(CheckStore(path, last, model));
      if (last.has_value()) {
        ++acknowledged_kills;
        commits = std::max(commits, last->commit);
      }
    }
  }
  std::printf("%llu kills, %llu of them after an acknowledged commit; up to %llu commits in a store\n",
              static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(acknowledged_kills),
              static_cast<unsigned long long>(commits));
  // A run in which the writers never came to commit has shown nothing.
  EXPECT_GT(acknowledged_kills, kills / 4);
}

}  // namespace
}  // namespace firn
