// Histories of concurrent transactions, recorded and given to a checker (tests/support/
// transaction_history.h): 8 threads over few keys of a small, busy store, in rounds; between them the
// store is reopened, or the machine loses its power in the middle of one.
//
// FIRN_TRANSACTIONS: how many transactions in all (default 20,000; a full run takes 1,000,000).
//
// Keyspace "data" holds the keys that are present; a value is the id of its writer. Keyspace
// "versions" holds for every key that was ever written the writer of its present state, also if that
// is a removal, and is read beside the transaction, at its snapshot, so that it tells what was seen
// without being part of what is validated. Both are written together: they must never disagree.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/executor.h"
#include "base/random.h"
#include "engine/database.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/support/transaction_history.h"

namespace firn {
namespace {

constexpr int kThreads = 8;
constexpr int kKeys = 14;
constexpr uint64_t kTransactionsInRound = 2000;

uint64_t TransactionsAsked() {
  const char* const text = std::getenv("FIRN_TRANSACTIONS");
  uint64_t asked = 0;
  return text != nullptr && absl::SimpleAtoi(text, &asked) ? asked : 20'000;
}

std::string KeyOf(int key) { return std::string("key") + static_cast<char>('a' + key); }

struct State {
  uint64_t writer = 0;  // 0: never written
  bool present = false;
};

std::string Encode(const State& state) {
  return absl::StrCat(state.writer, state.present ? "+" : "-");
}

State Decode(absl::string_view text) {
  State state;
  EXPECT_TRUE(absl::SimpleAtoi(text.substr(0, text.size() - 1), &state.writer)) << text;
  state.present = text.back() == '+';
  return state;
}

// A database with threads of its own on a disk that can lose its power. Every second time it is opened it
// remembers so few writes that most transactions have to look into the store.
class Machine {
 public:
  explicit Machine(uint64_t seed)
      : disk_(MemoryFileSystemOptions{.seed = seed}), random_(seed) {
    options_.memtable_size = 32 << 10;
    options_.segment_size = 8 << 10;
    options_.log_size_max = 256 << 10;
    options_.open_segments_max = 16;
    options_.level0_segments_merge = 2;
    options_.level1_size = 32 << 10;
  }
  void Open() {
    executor_ = std::make_unique<ThreadExecutor>(ThreadExecutor::Threads{});
    Environment environment;
    environment.file_system = &disk_;
    environment.executor = executor_.get();
    environment.clock = &clock_;
    options_.transaction_memory = ++opened_ % 2 == 0 ? 600 : Options().transaction_memory;
    environment.new_random = [this] {
      const std::lock_guard<std::mutex> lock(random_mutex_);
      return random_.Next();
    };
    auto opened = DatabaseImpl::Open("store", options_, std::move(environment));
    ASSERT_OK(opened);
    database_ = *std::move(opened);
    data_ = database_->OpenOrCreateKeyspace("data", {.block_size = 512}).value();
    versions_ = database_->OpenOrCreateKeyspace("versions", {.block_size = 512}).value();
  }
  void Close() {
    data_ = versions_ = Keyspace();
    unknowns_ += database_->conflicts().unknowns();
    database_.reset();
    executor_.reset();
  }

  MemoryFileSystem& disk() { return disk_; }
  DatabaseImpl& database() { return *database_; }
  const Keyspace& data() const { return data_; }
  const Keyspace& versions() const { return versions_; }
  uint64_t unknowns() const { return unknowns_; }

 private:
  uint64_t opened_ = 0, unknowns_ = 0;
  MemoryFileSystem disk_;
  std::mutex random_mutex_;
  Random random_;
  SystemClock clock_;
  Options options_;
  std::unique_ptr<ThreadExecutor> executor_;
  std::unique_ptr<DatabaseImpl> database_;
  Keyspace data_, versions_;
};

// One transaction, as its thread lives it. False from Step(): the machine is gone.
class Client {
 public:
  Client(Machine& machine, Isolation isolation, Durability durability, uint64_t id,
         uint64_t thread, Random& random)
      : machine_(machine), isolation_(isolation), durability_(durability), random_(random) {
    record_.id = id;
    record_.thread = thread;
  }

  RecordedTransaction Run() {
    auto begun = machine_.database().BeginTransaction({.isolation = isolation_});
    if (!begun.ok()) return record_;
    transaction_ = *std::move(begun);
    if (!Look()) return record_;
    const uint64_t steps = 1 + random_.Uniform(5);
    for (uint64_t i = 0; i < steps; ++i) {
      if (random_.OneIn(2)) std::this_thread::yield();
      if (!Step()) return record_;
    }
    if (random_.OneIn(12)) return record_;  // rolled back by its destructor
    const absl::Status status = transaction_->Commit(durability_);
    record_.outcome = status.ok()                 ? Outcome::kCommitted
                      : absl::IsAborted(status) ? Outcome::kAborted
                                                  : Outcome::kUnknown;
    return record_;
  }

 private:
  // The state of every key at the snapshot, read beside the transaction.
  bool Look() {
    const std::unique_ptr<Iterator> iterator =
        machine_.versions().NewIterator({.snapshot = transaction_->snapshot()});
    std::map<std::string, State> found;
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      found[std::string(iterator->key())] = Decode(iterator->value());
    }
    for (int key = 0; key < kKeys; ++key) states_[key] = found[KeyOf(key)];
    return iterator->status().ok();
  }

  bool Step() {
    const int key = static_cast<int>(random_.Uniform(kKeys));
    switch (random_.Uniform(10)) {
      case 0:
      case 1:
        return Get(key);
      case 2:
        return MultiGet();
      case 3:
        return Scan(key, static_cast<int>(random_.Uniform(kKeys + 1)));
      case 4:
        return TryAndUndo(key);
      case 5:
        return Write(key, false);
      default:
        return Write(key, true);
    }
  }

  // `seen`: none if the key was absent.
  void Saw(int key, const std::optional<std::string>& seen) {
    const auto own = own_.find(key);
    const State& expected = own != own_.end() ? own->second : states_.at(key);
    EXPECT_EQ(seen, expected.present ? std::optional<std::string>(absl::StrCat(expected.writer))
                                     : std::nullopt)
        << "transaction " << record_.id << ", key " << key;
    if (own == own_.end()) record_.reads[key] = expected.writer;
  }

  bool Take(int key, const absl::StatusOr<PinnedValue>& value) {
    if (!value.ok() && !absl::IsNotFound(value.status())) return false;
    Saw(key, value.ok() ? std::optional<std::string>(value->ToString()) : std::nullopt);
    return true;
  }

  bool Get(int key) { return Take(key, transaction_->Get(machine_.data(), KeyOf(key))); }

  bool MultiGet() {
    const int a = static_cast<int>(random_.Uniform(kKeys));
    const int b = static_cast<int>(random_.Uniform(kKeys));
    const std::string first = KeyOf(a), second = KeyOf(b);
    const auto values = transaction_->MultiGet(machine_.data(), {first, second});
    return Take(a, values[0]) && Take(b, values[1]);
  }

  // [begin, limit), in one direction or the other.
  bool Scan(int begin, int limit) {
    const auto iterator = transaction_->NewIterator(
        machine_.data(), {.begin = KeyOf(begin), .limit = KeyOf(limit)});
    std::map<std::string, std::string> found;
    const bool forward = random_.OneIn(2);
    forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    while (iterator->Valid()) {
      found.emplace(iterator->key(), iterator->value());
      forward ? iterator->Next() : iterator->Prev();
    }
    if (!iterator->status().ok()) return false;
    for (int key = begin; key < limit; ++key) {
      const auto value = found.find(KeyOf(key));
      Saw(key, value == found.end() ? std::nullopt : std::optional<std::string>(value->second));
      if (value != found.end()) found.erase(value);
    }
    EXPECT_TRUE(found.empty()) << "a key outside the bounds";
    return true;
  }

  bool Write(int key, bool present) {
    const State state{record_.id, present};
    const absl::Status data =
        present ? transaction_->Put(machine_.data(), KeyOf(key), absl::StrCat(record_.id))
                : transaction_->Remove(machine_.data(), KeyOf(key));
    if (!data.ok() || !transaction_->Put(machine_.versions(), KeyOf(key), Encode(state)).ok()) {
      return false;
    }
    own_[key] = state;
    record_.writes[key] = states_.at(key).writer;
    return true;
  }

  // What happens behind a savepoint and is undone leaves no trace, reads included.
  bool TryAndUndo(int key) {
    const auto own = own_;
    const RecordedTransaction record = record_;
    if (!transaction_->CreateSavepoint("try").ok()) return false;
    for (int i = 0; i < 2; ++i) {
      if (!Write(key, random_.OneIn(2)) || !Get((key + 1) % kKeys)) return false;
      if (!transaction_->RollbackToSavepoint("try").ok()) return false;
      own_ = own;
      record_ = record;
    }
    return transaction_->ReleaseSavepoint("try").ok();
  }

  Machine& machine_;
  const Isolation isolation_;
  const Durability durability_;
  Random& random_;
  std::unique_ptr<Transaction> transaction_;
  RecordedTransaction record_;
  std::map<int, State> states_;  // at the snapshot
  std::map<int, State> own_;
};

// The rounds of one isolation.
class Histories {
 public:
  Histories(Isolation isolation, uint64_t seed)
      : isolation_(isolation), seed_(seed), random_(seed), machine_(seed) {}

  void Run(uint64_t transactions) {
    machine_.Open();
    while (recorded_ < transactions && !::testing::Test::HasFailure()) Round(random_.Uniform(3));
    machine_.Close();
  }
  uint64_t committed() const { return committed_; }
  uint64_t aborted() const { return aborted_; }
  uint64_t unknown() const { return unknown_; }
  uint64_t crashes() const { return crashes_; }
  uint64_t looks() const { return machine_.unknowns(); }  // into the store
  uint64_t not_serializable() const { return not_serializable_; }

 private:
  // How it ends: 0 as it is, 1 by reopening, 2 by a loss of power in its middle.
  void Round(uint64_t end) {
    SCOPED_TRACE(absl::StrCat("seed ", seed_, ", round ", ++rounds_));
    TransactionHistory history;
    history.before = versions_;
    if (end == 2) {
      ASSERT_OK(machine_.database().Sync());  // what is lost is this round's alone
      machine_.disk().CrashAtOperation(random_.Uniform(1500));
    }
    std::vector<std::vector<RecordedTransaction>> recorded(kThreads);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i, seed = random_.Next()] {
        Random random(seed);
        for (uint64_t n = 0; n < kTransactionsInRound / kThreads; ++n) {
          if (machine_.disk().crashed()) break;
          // A commit that was acknowledged as kBuffered may be lost with the power.
          const bool buffered = end != 2 && random.OneIn(8);
          recorded[i].push_back(Client(machine_, isolation_,
                                       buffered ? Durability::kBuffered : Durability::kSynced,
                                       next_id_.fetch_add(1), i, random)
                                    .Run());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (end != 0) {
      machine_.Close();
      if (end == 2) {
        ++crashes_;
        machine_.disk().LoseUnsyncedData();
      }
      machine_.Open();
      if (::testing::Test::HasFatalFailure()) std::abort();  // nothing to go on with
    }
    for (auto& part : recorded) {
      history.transactions.insert(history.transactions.end(), part.begin(), part.end());
    }
    ReadAll();
    history.after = versions_;
    Judge(history);
  }

  void ReadAll() {
    std::map<std::string, std::string> data;
    const auto iterator = machine_.data().NewIterator();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      data.emplace(iterator->key(), iterator->value());
    }
    ASSERT_OK(iterator->status());
    for (int key = 0; key < kKeys; ++key) {
      const auto stored = machine_.versions().Get(KeyOf(key));
      ASSERT_TRUE(stored.ok() || absl::IsNotFound(stored.status())) << stored.status();
      const State state = stored.ok() ? Decode(stored->view()) : State{};
      if (state.writer != 0) versions_[key] = state.writer;
      if (state.writer == 0) versions_.erase(key);
      EXPECT_EQ(data.count(KeyOf(key)), state.present ? 1u : 0u) << "key " << key;
      if (state.present) {
        EXPECT_EQ(data[KeyOf(key)], absl::StrCat(state.writer));
      }
    }
  }

  void Judge(const TransactionHistory& history) {
    recorded_ += history.transactions.size();
    for (const RecordedTransaction& transaction : history.transactions) {
      if (transaction.outcome == Outcome::kCommitted) ++committed_;
      if (transaction.outcome == Outcome::kAborted) ++aborted_;
      if (transaction.outcome == Outcome::kUnknown) ++unknown_;
    }
    const bool serializable = CheckHistory(history, HistoryLevel::kSerializable).empty();
    not_serializable_ += serializable ? 0 : 1;
    EXPECT_EQ(CheckHistory(history, isolation_ == Isolation::kSnapshot
                                        ? HistoryLevel::kSnapshot
                                        : HistoryLevel::kSerializable),
              "");
  }

  const Isolation isolation_;
  const uint64_t seed_;
  Random random_;
  Machine machine_;
  std::atomic<uint64_t> next_id_{1};
  std::map<int, uint64_t> versions_;  // at the end of the last round
  uint64_t rounds_ = 0, recorded_ = 0, committed_ = 0, aborted_ = 0, unknown_ = 0, crashes_ = 0;
  uint64_t not_serializable_ = 0;
};

void ExpectLively(const Histories& histories) {
  std::printf("%llu committed, %llu aborted, %llu unknown, %llu looks, %llu losses of power\n",
              static_cast<unsigned long long>(histories.committed()),
              static_cast<unsigned long long>(histories.aborted()),
              static_cast<unsigned long long>(histories.unknown()),
              static_cast<unsigned long long>(histories.looks()),
              static_cast<unsigned long long>(histories.crashes()));
  EXPECT_GT(histories.committed(), 0u);
  EXPECT_GT(histories.aborted(), 0u);
  EXPECT_GT(histories.looks(), 0u);
}

TEST(TransactionHistories, SnapshotIsolationHoldsAndWriteSkewHappens) {
  Histories histories(Isolation::kSnapshot, 1);
  histories.Run(TransactionsAsked() / 2);
  ExpectLively(histories);
  EXPECT_GT(histories.not_serializable(), 0u) << "histories too tame to tell the levels apart";
}

TEST(TransactionHistories, SerializableHistoriesHaveAnOrder) {
  Histories histories(Isolation::kSerializable, 2);
  histories.Run(TransactionsAsked() / 2);
  ExpectLively(histories);
  EXPECT_EQ(histories.not_serializable(), 0u);
}

}  // namespace
}  // namespace firn
