// Random histories of writes, snapshots, flushes, compactions, reopenings and drops against a plain model
// of versions. The same history is lived under different options and must read the same under all.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using Content = std::map<std::string, std::string>;
using Model = std::map<std::string, Content>;  // by keyspace

Options DrawOptions(Random& random) {
  Options options;
  options.memtable_size = size_t{1} << (10 + random.Uniform(8));
  options.immutable_memtables_max = 1 + random.Uniform(3);
  options.block_cache_size = random.OneIn(3) ? 0 : size_t{1} << (10 + random.Uniform(10));
  options.open_segments_max = 1 + random.Uniform(32);
  options.log_size_max = size_t{64} << (10 + random.Uniform(5));
  options.segment_size = size_t{1} << (9 + random.Uniform(9));
  options.level0_segments_merge = 2 + random.Uniform(4);
  options.level0_segments_slow = options.level0_segments_merge + 2;
  options.level0_segments_stop = options.level0_segments_slow + 4;
  options.level1_size = size_t{1} << (12 + random.Uniform(8));
  return options;
}

KeyspaceOptions DrawKeyspaceOptions(Random& random) {
  KeyspaceOptions options;
  options.compression = random.OneIn(2) ? Compression::kLz4 : Compression::kNone;
  options.block_size = size_t{512} << random.Uniform(4);
  options.compression_threshold = random.OneIn(2) ? 0 : 1024;
  options.filter_bits_per_key = random.OneIn(3) ? 0 : static_cast<uint32_t>(random.Uniform(20));
  return options;
}

// Lives one history. What is read goes into a digest, to be compared between options.
class History {
 public:
  History(uint64_t seed, uint64_t options_seed)
      : random_(seed),
        options_random_(options_seed),
        store_(file_system_, options_seed, DrawOptions(options_random_)) {}

  void Run(int steps) {
    ASSERT_THAT(store_.Open(), IsOk());
    for (const char* const name : {"a", "b"}) Create(name);
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) Step();
    CheckAll();
    const auto report = store_->Verify(VerifyLevel::kBlocks);
    ASSERT_THAT(report, IsOk());
    ASSERT_TRUE(report->clean()) << report->damage.front();
    snapshots_.clear();
    ASSERT_THAT(store_.Close(), IsOk());
  }
  size_t digest() const { return digest_; }

 private:
  struct Taken {
    Snapshot snapshot;
    Model model;
  };

  void Create(const std::string& name) {
    ASSERT_THAT(store_->CreateKeyspace(name, DrawKeyspaceOptions(options_random_)), IsOk());
    model_[name];
  }

  // Draws from random_ the same number of times whatever the options are.
  void Step() {
    const uint64_t choice = random_.Uniform(100);
    const std::string name = random_.OneIn(2) ? "a" : "b";
    if (choice < 50) return Write();
    if (choice < 65) return CheckKey(name, Key());
    if (choice < 72) return CheckScan(name);
    if (choice < 75) return CheckMany(name);
    if (choice < 79) {
      snapshots_.push_back({store_->TakeSnapshot(), model_});
      return;
    }
    if (choice < 83) {
      if (!snapshots_.empty()) {
        snapshots_.erase(snapshots_.begin() +
                         static_cast<ptrdiff_t>(random_.Uniform(snapshots_.size())));
      }
      return;
    }
    if (choice < 86) {
      ASSERT_THAT(store_->Flush(store_.Open(name)), IsOk());
    }
    if (choice == 86) {
      ASSERT_THAT(store_->Compact(store_.Open(name), "", ""), IsOk());
    }
    if (choice == 87) {
      const std::string begin = Key();
      ASSERT_THAT(store_->Compact(store_.Open(name), begin, begin + "\xff"), IsOk());
    }
    if (choice == 88) Reopen();
    if (choice == 89 && random_.OneIn(3)) {
      for (Taken& taken : snapshots_) taken.model.erase("b");
      ASSERT_THAT(store_->DropKeyspace("b"), IsOk());
      model_.erase("b");
      Create("b");
    }
    if (choice >= 90) {
      for (uint64_t i = options_random_.Uniform(4); i > 0; --i) {
        static_cast<void>(store_.executor().Step());
      }
    }
  }

  std::string Key() { return RandomKey(random_, 6); }

  void Write() {
    WriteBatch batch;
    const bool is_volatile = random_.OneIn(8);
    const std::string only = random_.OneIn(2) ? "a" : "b";
    for (uint64_t i = random_.Uniform(6); i > 0; --i) {
      const std::string drawn = random_.OneIn(2) ? "a" : "b";
      const std::string& name = is_volatile ? only : drawn;
      const std::string key = Key();
      if (random_.OneIn(4)) {
        batch.Remove(store_.Open(name), key);
        model_[name].erase(key);
      } else {
        const std::string value = RandomValue(random_, 2000);
        batch.Put(store_.Open(name), key, value);
        model_[name][key] = value;
      }
    }
    const Durability logged = random_.OneIn(3) ? Durability::kSynced : Durability::kBuffered;
    ASSERT_THAT(store_->Write(batch, is_volatile ? Durability::kVolatile : logged), IsOk());
  }

  void Reopen() {
    snapshots_.clear();  // they must not outlive their database
    ASSERT_THAT(store_.Close(), IsOk());
    store_.options() = DrawOptions(options_random_);
    ASSERT_THAT(store_.Open(), IsOk());
  }

  // Now, or at one of the snapshots.
  Taken Moment() {
    const uint64_t choice = random_.Uniform(snapshots_.size() + 1);
    return choice == snapshots_.size() ? Taken{Snapshot(), model_} : snapshots_[choice];
  }

  void Absorb(absl::string_view text) {
    digest_ = digest_ * 31 + std::hash<std::string>()(std::string(text));
  }

  void CheckKey(const std::string& name, const std::string& key) {
    const Taken moment = Moment();
    const auto keyspace = moment.model.find(name);
    if (keyspace == moment.model.end()) return;  // dropped since
    const auto expected = keyspace->second.find(key);
    const auto value = store_.Open(name).Get(key, moment.snapshot);
    if (expected == keyspace->second.end()) {
      ASSERT_TRUE(absl::IsNotFound(value.status())) << value.status();
    } else {
      ASSERT_THAT(value, IsOk());
      ASSERT_EQ(value->view(), expected->second);
      Absorb(value->view());
    }
  }

  void CheckMany(const std::string& name) {
    const Taken moment = Moment();
    const auto keyspace = moment.model.find(name);
    if (keyspace == moment.model.end()) return;
    std::vector<std::string> keys(random_.Uniform(20));
    for (std::string& key : keys) key = Key();
    const std::vector<absl::string_view> views(keys.begin(), keys.end());
    const auto values = store_.Open(name).MultiGet(views, moment.snapshot);
    ASSERT_EQ(values.size(), keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto expected = keyspace->second.find(keys[i]);
      ASSERT_EQ(values[i].ok(), expected != keyspace->second.end());
      if (values[i].ok()) {
        ASSERT_EQ(values[i]->view(), expected->second);
      }
    }
  }

  void CheckScan(const std::string& name) {
    const Taken moment = Moment();
    const auto keyspace = moment.model.find(name);
    if (keyspace == moment.model.end()) return;
    IteratorOptions options;
    options.snapshot = moment.snapshot;
    if (random_.OneIn(2)) options.begin = Key();
    if (random_.OneIn(2)) options.limit = Key();
    const auto begin = keyspace->second.lower_bound(options.begin);
    auto limit = options.limit.has_value() ? keyspace->second.lower_bound(*options.limit)
                                           : keyspace->second.end();
    if (options.limit.has_value() && *options.limit <= options.begin) limit = begin;
    const auto iterator = store_.Open(name).NewIterator(options);
    iterator->SeekToFirst();
    for (auto expected = begin; expected != limit; ++expected, iterator->Next()) {
      ASSERT_TRUE(iterator->Valid()) << iterator->status();
      ASSERT_EQ(iterator->key(), expected->first);
      ASSERT_EQ(iterator->value(), expected->second);
    }
    ASSERT_FALSE(iterator->Valid());
    iterator->SeekToLast();
    for (auto expected = limit; expected != begin; iterator->Prev()) {
      --expected;
      ASSERT_TRUE(iterator->Valid()) << iterator->status();
      ASSERT_EQ(iterator->key(), expected->first);
      Absorb(iterator->key());
    }
    ASSERT_FALSE(iterator->Valid());
    ASSERT_THAT(iterator->status(), IsOk());
    // From a key in the middle, one way and back.
    const std::string target = Key();
    iterator->Seek(target);
    if (iterator->Valid()) {
      const std::string there(iterator->key());
      ASSERT_GE(there, target);
      iterator->Prev();
      if (iterator->Valid()) {
        ASSERT_LT(iterator->key(), target);
        iterator->Next();
        ASSERT_TRUE(iterator->Valid());
        ASSERT_EQ(iterator->key(), there);
      }
    }
  }

  void CheckAll() {
    for (const auto& [name, content] : model_) {
      const auto found = ReadAll(store_.Open(name));
      ASSERT_THAT(found, IsOk());
      ASSERT_EQ(*found, content);
    }
  }

  Random random_;
  Random options_random_;
  MemoryFileSystem file_system_;
  SteppedStore store_;
  Model model_;
  std::vector<Taken> snapshots_;
  size_t digest_ = 0;
};

TEST(EngineHistory, ReadsLikeAMapOfVersionsUnderAnyOptions) {
  constexpr uint64_t kHistories = 30;
  constexpr uint64_t kVariants = 3;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    std::optional<size_t> digest;
    for (uint64_t variant = 0; variant < kVariants; ++variant) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", options ", variant));
      History history(seed, seed * 100 + variant);
      history.Run(700);
      if (::testing::Test::HasFatalFailure()) return;
      if (digest.has_value()) {
        ASSERT_EQ(history.digest(), *digest);
      }
      digest = history.digest();
    }
  }
}

}  // namespace
}  // namespace firn
