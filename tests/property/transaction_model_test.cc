// Transactions of one thread, several open at a time, with savepoints, against a plain model: what each
// reads, and whether it commits. The model knows every write since each snapshot, so that neither a
// missed conflict nor a needless one passes.
#include <algorithm>
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
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using Place = std::pair<std::string, std::string>;  // keyspace, key
using Content = std::map<Place, std::string>;
using Writes = std::map<Place, std::optional<std::string>>;

struct Range {
  std::string keyspace, begin;
  std::optional<std::string> limit;
};

// What a savepoint brings back.
struct Pending {
  Writes writes;
  std::vector<Place> points;
  std::vector<Range> ranges;
  size_t changes = 0;  // puts and removes that were not undone
};

struct Open {
  std::unique_ptr<Transaction> transaction;
  Content snapshot;
  size_t written_before = 0;  // of Model::written
  Pending pending;
  std::vector<std::pair<std::string, Pending>> savepoints;

  Content Seen() const {
    Content seen = snapshot;
    for (const auto& [place, value] : pending.writes) {
      if (value.has_value()) seen[place] = *value;
      if (!value.has_value()) seen.erase(place);
    }
    return seen;
  }
};

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed), store_(memory_, seed) {}

  void Run(int steps) {
    ASSERT_OK(store_.Open());
    for (int i = 0; i < steps && !::testing::Test::HasFatalFailure(); ++i) Step();
    open_.clear();
    ASSERT_OK(store_.Close());
  }
  int commits() const { return commits_; }
  int conflicts() const { return conflicts_; }

 private:
  std::string Name() { return random_.OneIn(2) ? "a" : "b"; }
  std::string Key() { return std::string(1, static_cast<char>('a' + random_.Uniform(26))); }

  void Step() {
    if (random_.OneIn(30)) return PlainWrite();
    if (random_.OneIn(60)) {
      ASSERT_OK(store_->Flush(store_.Open(Name())));
      ASSERT_OK(store_->Compact(store_.Open(Name()), "", ""));
    }
    if (random_.OneIn(300)) {
      open_.clear();
      ASSERT_OK(store_.Close());
      ASSERT_OK(store_.Open());
    }
    static_cast<void>(store_.executor().Step());
    if (open_.size() < 4 && (open_.empty() || random_.OneIn(10))) return Begin();
    Open& open = open_[random_.Uniform(open_.size())];
    const uint64_t choice = random_.Uniform(100);
    if (choice < 30) return Write(open);
    if (choice < 45) return Read(open);
    if (choice < 52) return Scan(open);
    if (choice < 60) return CreateSavepoint(open);
    if (choice < 68) return RollbackTo(open);
    if (choice < 72) return Release(open);
    if (choice < 84) return End(open);
    CheckSavepoints(open);
  }

  void PlainWrite() {
    const Place place{Name(), Key()};
    const std::string value = absl::StrCat("plain", ++values_);
    ASSERT_OK(store_.Put(place.first, place.second, value));
    content_[place] = value;
    written_.push_back(place);
  }

  void Begin() {
    const Isolation isolation =
        random_.OneIn(2) ? Isolation::kSnapshot : Isolation::kSerializable;
    open_.push_back({store_->BeginTransaction({.isolation = isolation}).value(), content_,
                     written_.size(), {}, {}});
  }

  void Write(Open& open) {
    const Place place{Name(), Key()};
    if (random_.OneIn(4)) {
      ASSERT_OK(open.transaction->Remove(store_.Open(place.first), place.second));
      open.pending.writes[place] = std::nullopt;
    } else {
      const std::string value = absl::StrCat("v", ++values_);
      ASSERT_OK(open.transaction->Put(store_.Open(place.first), place.second, value));
      open.pending.writes[place] = value;
    }
    ++open.pending.changes;
    ASSERT_EQ(open.transaction->write_count(), open.pending.writes.size());
  }

  void Expect(const Open& open, const Place& place, const absl::StatusOr<PinnedValue>& value) {
    const Content seen = open.Seen();
    const auto expected = seen.find(place);
    if (expected == seen.end()) {
      ASSERT_THAT(value.status(), StatusIs(absl::StatusCode::kNotFound));
    } else {
      ASSERT_OK(value);
      ASSERT_EQ(value->view(), expected->second);
    }
  }

  void Read(Open& open) {
    const std::string name = Name();
    const Keyspace keyspace = store_.Open(name);
    const std::vector<std::string> keys = {Key(), Key()};
    const bool update = random_.OneIn(4);
    const bool noted = update || open.transaction->isolation() == Isolation::kSerializable;
    if (update) {
      for (const std::string& key : keys) {
        Expect(open, {name, key}, open.transaction->GetForUpdate(keyspace, key));
      }
    } else {
      const auto values = open.transaction->MultiGet(keyspace, {keys[0], keys[1]});
      for (size_t i = 0; i < 2; ++i) Expect(open, {name, keys[i]}, values[i]);
      Expect(open, {name, keys[0]}, open.transaction->Get(keyspace, keys[0]));
    }
    for (const std::string& key : keys) {
      // What it has written is checked as a write, as long as it has.
      if (noted && !open.pending.writes.contains({name, key})) {
        open.pending.points.push_back({name, key});
      }
    }
  }

  void Scan(Open& open) {
    const Range range{Name(), random_.OneIn(3) ? "" : Key(),
                      random_.OneIn(3) ? std::nullopt : std::optional<std::string>(Key())};
    std::vector<std::pair<std::string, std::string>> expected, found;
    for (const auto& [place, value] : open.Seen()) {
      if (place.first != range.keyspace || place.second < range.begin) continue;
      if (range.limit.has_value() && place.second >= *range.limit) continue;
      expected.emplace_back(place.second, value);
    }
    const auto iterator = open.transaction->NewIterator(
        store_.Open(range.keyspace), {.begin = range.begin, .limit = range.limit});
    const bool forward = random_.OneIn(2);
    forward ? iterator->SeekToFirst() : iterator->SeekToLast();
    while (iterator->Valid()) {
      found.emplace_back(iterator->key(), iterator->value());
      forward ? iterator->Next() : iterator->Prev();
    }
    ASSERT_OK(iterator->status());
    if (!forward) std::reverse(found.begin(), found.end());
    ASSERT_EQ(found, expected);
    if (open.transaction->isolation() == Isolation::kSerializable) {
      open.pending.ranges.push_back(range);
    }
  }

  void CreateSavepoint(Open& open) {
    const std::string name = absl::StrCat("s", random_.Uniform(6));
    const bool taken = std::any_of(open.savepoints.begin(), open.savepoints.end(),
                                   [&](const auto& savepoint) { return savepoint.first == name; });
    const absl::Status status = open.transaction->CreateSavepoint(name);
    ASSERT_EQ(status.ok(), !taken);
    if (!taken) open.savepoints.emplace_back(name, open.pending);
  }

  void RollbackTo(Open& open) {
    if (open.savepoints.empty()) return;
    open.savepoints.resize(1 + random_.Uniform(open.savepoints.size()));
    ASSERT_OK(open.transaction->RollbackToSavepoint(open.savepoints.back().first));
    open.pending = open.savepoints.back().second;
    ASSERT_EQ(open.transaction->write_count(), open.pending.writes.size());
  }

  void Release(Open& open) {
    if (open.savepoints.empty()) return;
    const size_t index = random_.Uniform(open.savepoints.size());
    ASSERT_OK(open.transaction->ReleaseSavepoint(open.savepoints[index].first));
    open.savepoints.resize(index);
  }

  void CheckSavepoints(Open& open) {
    std::vector<std::string> names;
    for (const auto& [name, pending] : open.savepoints) {
      names.push_back(name);
      ASSERT_THAT(open.transaction->ChangesSince(name),
                  IsOkAndHolds(open.pending.changes - pending.changes));
    }
    ASSERT_EQ(open.transaction->savepoint_names(), names);
  }

  bool Conflicts(const Open& open) const {
    const Pending& pending = open.pending;
    if (pending.writes.empty()) return false;
    for (size_t i = open.written_before; i < written_.size(); ++i) {
      const Place& place = written_[i];
      if (pending.writes.contains(place)) return true;
      if (std::count(pending.points.begin(), pending.points.end(), place) > 0) return true;
      for (const Range& range : pending.ranges) {
        if (range.keyspace == place.first && place.second >= range.begin &&
            (!range.limit.has_value() || place.second < *range.limit)) {
          return true;
        }
      }
    }
    return false;
  }

  void End(Open& open) {
    if (random_.OneIn(5)) {
      ASSERT_OK(open.transaction->Rollback());
    } else {
      const bool expected = Conflicts(open);
      const absl::Status status = open.transaction->Commit(Durability::kBuffered);
      ASSERT_EQ(absl::IsAborted(status), expected) << status;
      if (expected) {
        ++conflicts_;
      } else {
        ASSERT_OK(status);
        ++commits_;
        for (const auto& [place, value] : open.pending.writes) {
          if (value.has_value()) content_[place] = *value;
          if (!value.has_value()) content_.erase(place);
          written_.push_back(place);
        }
      }
    }
    std::swap(open, open_.back());
    open_.pop_back();
    for (const std::string name : {"a", "b"}) {
      ASSERT_OK_AND_ASSIGN(const auto all, ReadAll(store_.Open(name)));
      for (const auto& [key, value] : all) ASSERT_EQ(content_[Place(name, key)], value);
      ASSERT_EQ(static_cast<ptrdiff_t>(all.size()),
                std::count_if(content_.begin(), content_.end(),
                              [&](const auto& entry) { return entry.first.first == name; }));
    }
  }

  Random random_;
  MemoryFileSystem memory_;
  SteppedStore store_;
  Content content_;
  std::vector<Place> written_;  // in order
  std::vector<Open> open_;
  uint64_t values_ = 0;
  int commits_ = 0, conflicts_ = 0;
};

TEST(TransactionModel, ReadsAndCommitsAreThoseOfThePlainModel) {
  int commits = 0, conflicts = 0;
  for (uint64_t seed = 1; seed <= 40 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Life life(seed);
    life.Run(1200);
    commits += life.commits();
    conflicts += life.conflicts();
  }
  EXPECT_GT(commits, 500);
  EXPECT_GT(conflicts, 100);
}

}  // namespace
}  // namespace firn
