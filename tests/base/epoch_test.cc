#include "base/epoch.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace firn {
namespace {

// Sets a flag when it is destroyed.
std::shared_ptr<const void> Flagging(std::atomic<bool>& gone) {
  return std::shared_ptr<const void>(&gone, [](const void* flag) {
    static_cast<std::atomic<bool>*>(const_cast<void*>(flag))->store(true);
  });
}

TEST(EpochTest, WithoutAGuardGarbageGoesAtTheNextCollect) {
  std::atomic<bool> gone{false};
  Epochs epochs;
  epochs.Retire(Flagging(gone));
  epochs.Collect();
  EXPECT_TRUE(gone);
  EXPECT_EQ(epochs.pending(), 0);
}

TEST(EpochTest, LargeGarbageGoesAfterAFewObjectsSmallAfterMany) {
  Epochs epochs;
  size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    epochs.Retire(std::make_shared<int>(i), size_t{300} << 10);
    most = std::max(most, epochs.pending_bytes());
  }
  EXPECT_LE(most, size_t{2} << 20);
  epochs.Collect();
  EXPECT_EQ(epochs.pending_bytes(), 0);
  for (int i = 0; i < 20; ++i) epochs.Retire(std::make_shared<int>(i), 100);
  EXPECT_EQ(epochs.pending(), 20);
  EXPECT_EQ(epochs.pending_bytes(), 2000);
}

TEST(EpochTest, AGuardKeepsWhatWasRetiredAfterItBegan) {
  std::atomic<bool> gone{false};
  Epochs epochs;
  {
    const Epochs::Guard guard(epochs);
    epochs.Retire(Flagging(gone));
    epochs.Collect();
    EXPECT_FALSE(gone);
    EXPECT_EQ(epochs.pending(), 1);
  }
  epochs.Collect();
  EXPECT_TRUE(gone);
}

TEST(EpochTest, AGuardDoesNotKeepWhatWasRetiredBefore) {
  std::atomic<bool> gone{false};
  Epochs epochs;
  epochs.Retire(Flagging(gone));
  const Epochs::Guard guard(epochs);
  epochs.Collect();
  EXPECT_TRUE(gone);
}

TEST(EpochTest, OnlyTheOutermostOfNestedGuardsCounts) {
  std::atomic<bool> gone{false};
  Epochs epochs;
  {
    const Epochs::Guard outer(epochs);
    epochs.Retire(Flagging(gone));
    { const Epochs::Guard inner(epochs); }
    epochs.Collect();
    EXPECT_FALSE(gone);
  }
  epochs.Collect();
  EXPECT_TRUE(gone);
}

TEST(EpochTest, AGuardOfAnotherThreadCounts) {
  std::atomic<bool> gone{false};
  Epochs epochs;
  std::atomic<int> step{0};
  std::thread reader([&] {
    const Epochs::Guard guard(epochs);
    step = 1;
    while (step != 2) std::this_thread::yield();
  });
  while (step != 1) std::this_thread::yield();
  epochs.Retire(Flagging(gone));
  epochs.Collect();
  EXPECT_FALSE(gone);
  step = 2;
  reader.join();
  epochs.Collect();
  EXPECT_TRUE(gone);
}

TEST(EpochTest, ManyRetiredObjectsAreCollectedWithoutBeingAsked) {
  std::vector<std::atomic<bool>> gone(1000);
  Epochs epochs;
  for (std::atomic<bool>& flag : gone) epochs.Retire(Flagging(flag));
  EXPECT_LT(epochs.pending(), 100);
  EXPECT_TRUE(gone[0]);
}

TEST(EpochTest, DestructionDropsWhatIsLeft) {
  std::atomic<bool> gone{false};
  {
    Epochs epochs;
    epochs.Retire(Flagging(gone));
  }
  EXPECT_TRUE(gone);
}

// A cell holds its own negation beside a number: a reader that saw freed memory would not find it so
// (and the sanitizers would say it at once).
TEST(EpochTest, ReadersNeverSeeAnObjectThatWasDropped) {
  struct Cell {
    explicit Cell(uint64_t n) : number(n), negation(~n) {}
    ~Cell() { number = negation = 0; }
    std::atomic<uint64_t> number;
    std::atomic<uint64_t> negation;
  };
  Epochs epochs;
  auto owner = std::make_shared<const Cell>(0);
  std::atomic<const Cell*> present{owner.get()};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> bad{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      uint64_t last = 0;
      while (!stop) {
        const Epochs::Guard guard(epochs);
        const Cell* const cell = present.load();
        const uint64_t number = cell->number;
        if (cell->negation != ~number || number < last) ++bad;
        last = number;
      }
    });
  }
  for (uint64_t n = 1; n <= 20000; ++n) {
    auto fresh = std::make_shared<const Cell>(n);
    present.store(fresh.get());
    epochs.Retire(std::exchange(owner, std::move(fresh)));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(bad, 0);
  epochs.Collect();
  EXPECT_EQ(epochs.pending(), 0);
}

}  // namespace
}  // namespace firn
