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
#include "sstable/sequence_key.h"
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

constexpr uint32_t kKeyWidth = 8;

// `fixed_width`: all keys have kKeyWidth bytes, so that every layout for any order takes them.
KeyspaceOptions DrawKeyspaceOptions(Random& random, bool fixed_width) {
  KeyspaceOptions options;
  options.compression = random.OneIn(2) ? Compression::kLz4 : Compression::kNone;
  options.block_size = size_t{512} << random.Uniform(4);
  options.compression_threshold = random.OneIn(2) ? 0 : 1024;
  if (fixed_width) {
    options.layout = random.OneIn(3) ? KeyspaceLayout::kOrdered : KeyspaceLayout::kHashed;
    options.key_width = kKeyWidth;
  }
  options.filter_bits_per_key = random.OneIn(3) ? 0 : static_cast<uint32_t>(random.Uniform(20));
  return options;
}

// Lives one history. What is read goes into a digest, to be compared between options.
class History {
 public:
  History(uint64_t seed, uint64_t options_seed)
      : fixed_width_(seed % 2 == 0),
        random_(seed),
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
    ASSERT_THAT(store_->CreateKeyspace(name, DrawKeyspaceOptions(options_random_, fixed_width_)),
                IsOk());
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

  std::string Key() {
    std::string key = RandomKey(random_, 6);
    if (fixed_width_) key.resize(kKeyWidth, 'x');
    return key;
  }

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

  const bool fixed_width_;
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

// A history of keys that ascend, which every layout takes, with old ones dropped: by DropBelow() from
// a sequence, one by one from the others.
void LiveAscending(uint64_t seed, uint64_t options_seed, KeyspaceLayout layout, size_t& digest) {
  Random random(seed);
  Random options_random(options_seed);
  MemoryFileSystem file_system;
  SteppedStore store(file_system, options_seed, DrawOptions(options_random));
  ASSERT_THAT(store.Open(), IsOk());
  KeyspaceOptions options = DrawKeyspaceOptions(options_random, false);
  options.layout = layout;
  options.key_width = kKeyWidth;
  ASSERT_THAT(store->CreateKeyspace("s", options), IsOk());
  const auto key_of = [](uint64_t number) {
    std::string key(kSequenceKeySize, '\0');
    StoreSequenceKey(key.data(), number);
    return key;
  };
  Content model;
  uint64_t last = 0;
  uint64_t bound = 0;
  for (int step = 0; step < 400; ++step) {
    Keyspace keyspace = store.Open("s");
    const uint64_t choice = random.Uniform(100);
    if (choice < 50) {
      WriteBatch batch;
      for (uint64_t i = 1 + random.Uniform(8); i > 0; --i) {
        last += random.OneIn(4) ? 1 + random.Uniform(1000) : 1;
        model[key_of(last)] = RandomValue(random, 600);
        batch.Put(keyspace, key_of(last), model[key_of(last)]);
      }
      ASSERT_THAT(store->Write(batch, Durability::kBuffered), IsOk());
    } else if (choice < 65) {
      const std::string key = key_of(random.Uniform(last + 2));
      const auto value = keyspace.Get(key);
      ASSERT_EQ(value.ok(), model.count(key) > 0) << value.status();
      if (value.ok()) {
        ASSERT_EQ(value->view(), model[key]);
      }
    } else if (choice < 70) {
      const auto found = ReadAll(keyspace);
      ASSERT_THAT(found, IsOk());
      ASSERT_EQ(*found, model);
    } else if (choice < 74) {
      bound = std::max(bound, random.Uniform(last + 1));
      const auto limit = model.lower_bound(key_of(bound));
      if (layout == KeyspaceLayout::kSequence) {
        ASSERT_THAT(store->DropBelow(keyspace, key_of(bound)), IsOk());
      } else {
        WriteBatch batch;
        for (auto old = model.begin(); old != limit; ++old) batch.Remove(keyspace, old->first);
        ASSERT_THAT(store->Write(batch, Durability::kBuffered), IsOk());
      }
      model.erase(model.begin(), limit);
    } else if (choice < 80) {
      ASSERT_THAT(store->Flush(keyspace), IsOk());
    } else if (choice < 82) {
      ASSERT_THAT(store->Compact(keyspace, "", ""), IsOk());
    } else if (choice < 85) {
      keyspace = Keyspace();  // it must not outlive its database
      ASSERT_THAT(store.Close(), IsOk());
      store.options() = DrawOptions(options_random);
      ASSERT_THAT(store.Open(), IsOk());
    } else {
      static_cast<void>(store.executor().Step());
    }
  }
  const auto found = ReadAll(store.Open("s"));
  ASSERT_THAT(found, IsOk());
  ASSERT_EQ(*found, model);
  for (const auto& [key, value] : *found) digest = digest * 31 + std::hash<std::string>()(value);
  const auto report = store->Verify(VerifyLevel::kBlocks);
  ASSERT_THAT(report, IsOk());
  ASSERT_TRUE(report->clean()) << report->damage.front();
  ASSERT_THAT(store.Close(), IsOk());
}

TEST(EngineHistory, AscendingKeysReadTheSameInEveryLayout) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    std::optional<size_t> expected;
    for (const KeyspaceLayout layout :
         {KeyspaceLayout::kOrdered, KeyspaceLayout::kHashed, KeyspaceLayout::kSequence}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ", layout ", static_cast<int>(layout)));
      size_t digest = 0;
      LiveAscending(seed, seed * 100 + static_cast<uint64_t>(layout), layout, digest);
      if (::testing::Test::HasFatalFailure()) return;
      if (expected.has_value()) {
        ASSERT_EQ(digest, *expected);
      }
      expected = digest;
    }
  }
}

}  // namespace
}  // namespace firn
