#include "sstable/merging_iterator.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

// Fails once it has shown `good` entries, in either direction.
class FailingIterator final : public InternalIterator {
 public:
  FailingIterator(std::shared_ptr<const Block> block, int good)
      : inner_(std::move(block)), left_(good) {}
  bool Valid() const override { return status_.ok() && inner_.Valid(); }
  void SeekToFirst() override {
    After([&] { inner_.SeekToFirst(); });
  }
  void SeekToLast() override {
    After([&] { inner_.SeekToLast(); });
  }
  void Seek(absl::string_view target) override {
    After([&] { inner_.Seek(target); });
  }
  void Next() override {
    After([&] { inner_.Next(); });
  }
  void Prev() override {
    After([&] { inner_.Prev(); });
  }
  absl::string_view key() const override { return inner_.key(); }
  absl::string_view value() const override { return inner_.value(); }
  absl::Status status() const override { return status_; }

 private:
  template <typename Move>
  void After(Move move) {
    if (left_-- > 0) {
      move();
    } else {
      status_ = absl::DataLossError("rotten");
    }
  }
  OwningBlockIterator inner_;
  int left_;
  absl::Status status_;
};

// As a memtable that is being written: after the next seek an entry appears.
class GrowingIterator final : public InternalIterator {
 public:
  GrowingIterator(Model entries, std::string new_key)
      : entries_(std::move(entries)), at_(entries_.end()), new_key_(std::move(new_key)) {}
  bool Valid() const override { return at_ != entries_.end(); }
  void SeekToFirst() override { at_ = entries_.begin(); }
  void SeekToLast() override { at_ = entries_.empty() ? entries_.end() : std::prev(entries_.end()); }
  void Seek(absl::string_view target) override {
    at_ = entries_.lower_bound(std::string(target));
    entries_.emplace(new_key_, "new");
  }
  void Next() override { ++at_; }
  void Prev() override { at_ = at_ == entries_.begin() ? entries_.end() : std::prev(at_); }
  absl::string_view key() const override { return at_->first; }
  absl::string_view value() const override { return at_->second; }
  absl::Status status() const override { return absl::OkStatus(); }

 private:
  Model entries_;
  Model::const_iterator at_;
  const std::string new_key_;
};

std::unique_ptr<InternalIterator> Over(const Model& model) {
  return std::make_unique<OwningBlockIterator>(BuildBlock(model));
}

std::vector<std::string> Values(InternalIterator& iterator, bool forward) {
  std::vector<std::string> values;
  if (forward) {
    for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
      values.emplace_back(iterator.value());
    }
  } else {
    for (iterator.SeekToLast(); iterator.Valid(); iterator.Prev()) {
      values.emplace_back(iterator.value());
    }
  }
  EXPECT_OK(iterator.status());
  return values;
}

TEST(MergingIteratorTest, OfNothingIsEmpty) {
  const auto merged = NewMergingIterator({});
  merged->SeekToFirst();
  EXPECT_FALSE(merged->Valid());
  merged->Seek(Key("a", 1));
  EXPECT_FALSE(merged->Valid());
  EXPECT_OK(merged->status());
}

TEST(MergingIteratorTest, ShowsTheSameKeyOfEachInputLowerIndexFirst) {
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  inputs.push_back(Over({{Key("a", 1), "a0"}, {Key("b", 5), "b0"}}));
  inputs.push_back(Over({{Key("b", 5), "b1"}, {Key("c", 1), "c1"}}));
  inputs.push_back(Over({{Key("b", 7), "newer"}, {Key("b", 5), "b2"}}));
  const auto merged = NewMergingIterator(std::move(inputs));
  EXPECT_THAT(Values(*merged, true), ElementsAre("a0", "newer", "b0", "b1", "b2", "c1"));
  EXPECT_THAT(Values(*merged, false), ElementsAre("c1", "b2", "b1", "b0", "newer", "a0"));
}

TEST(MergingIteratorTest, TurnsAroundAtEveryEntryAlsoAmongEqualKeys) {
  std::vector<std::string> all;
  const auto make = [] {
    std::vector<std::unique_ptr<InternalIterator>> inputs;
    for (int i = 0; i < 4; ++i) {
      Model model;
      for (const char* key : {"a", "b", "c"}) model[Key(key, 3)] = key + std::to_string(i);
      model[Key("d", static_cast<uint64_t>(i))] = absl::StrCat("d", i);
      inputs.push_back(Over(model));
    }
    return NewMergingIterator(std::move(inputs));
  };
  all = Values(*make(), true);
  ASSERT_EQ(all.size(), 16u);
  for (size_t turn = 1; turn < all.size(); ++turn) {
    const auto merged = make();
    merged->SeekToFirst();
    for (size_t i = 0; i < turn; ++i) merged->Next();
    ASSERT_EQ(merged->value(), all[turn]);
    merged->Prev();
    ASSERT_TRUE(merged->Valid());
    ASSERT_EQ(merged->value(), all[turn - 1]);
    merged->Next();
    ASSERT_EQ(merged->value(), all[turn]);
    std::vector<std::string> back;
    for (; merged->Valid(); merged->Prev()) back.emplace_back(merged->value());
    EXPECT_THAT(back, ElementsAreArray(all.rend() - static_cast<ptrdiff_t>(turn) - 1, all.rend()));
  }
}

TEST(MergingIteratorTest, TurnsAroundWhileAnInputGrows) {
  // Behind all entries, between two, and in front of the present one.
  for (const char* new_key : {"g", "d", "bb"}) {
    std::vector<std::unique_ptr<InternalIterator>> inputs;
    inputs.push_back(std::make_unique<GrowingIterator>(
        Model{{Key("b", 1), "b"}, {Key("e", 1), "e"}}, Key(new_key, 9)));
    inputs.push_back(Over({{Key("a", 1), "a"}, {Key("c", 1), "c"}, {Key("f", 1), "f"}}));
    const auto merged = NewMergingIterator(std::move(inputs));
    merged->SeekToFirst();
    while (merged->Valid() && merged->value() != (absl::string_view(new_key) == "g" ? "f" : "c")) {
      merged->Next();
    }
    ASSERT_TRUE(merged->Valid());
    std::vector<std::string> back;
    for (merged->Prev(); merged->Valid(); merged->Prev()) back.emplace_back(merged->value());
    EXPECT_OK(merged->status()) << new_key;
    std::erase(back, "new");
    if (absl::string_view(new_key) == "g") {
      EXPECT_THAT(back, ElementsAre("e", "c", "b", "a"));
    } else {
      EXPECT_THAT(back, ElementsAre("b", "a"));
    }
  }
}

TEST(MergingIteratorTest, AnErrorOfAnInputIsAnErrorOfTheWholeAndStays) {
  const Model model = {{Key("a", 1), "a"}, {Key("c", 1), "c"}, {Key("e", 1), "e"}};
  const Model other = {{Key("b", 1), "b"}, {Key("d", 1), "d"}};
  for (int good = 0; good < 4; ++good) {
    std::vector<std::unique_ptr<InternalIterator>> inputs;
    inputs.push_back(Over(other));
    inputs.push_back(std::make_unique<FailingIterator>(BuildBlock(model), good));
    const auto merged = NewMergingIterator(std::move(inputs));
    int shown = 0;
    for (merged->SeekToFirst(); merged->Valid(); merged->Next()) ++shown;
    EXPECT_EQ(shown, good == 0 ? 0 : 2 * good - 1);
    EXPECT_THAT(merged->status(), StatusIs(absl::StatusCode::kDataLoss));
    merged->SeekToFirst();
    EXPECT_FALSE(merged->Valid());
    merged->Seek(Key("a", 1));
    EXPECT_FALSE(merged->Valid());
    EXPECT_THAT(merged->status(), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(MergingIteratorTest, AnErrorWhileTurningIsReported) {
  const Model model = {{Key("a", 1), "a"}, {Key("c", 1), "c"}};
  const Model other = {{Key("b", 1), "b"}, {Key("d", 1), "d"}};
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  inputs.push_back(Over(other));
  inputs.push_back(std::make_unique<FailingIterator>(BuildBlock(model), 2));
  const auto merged = NewMergingIterator(std::move(inputs));
  merged->SeekToFirst();
  merged->Next();  // at "b"; the failing input stands at "c"
  ASSERT_EQ(merged->value(), "b");
  merged->Prev();
  EXPECT_FALSE(merged->Valid());
  EXPECT_THAT(merged->status(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace firn
