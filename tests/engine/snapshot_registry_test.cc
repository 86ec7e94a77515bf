#include "engine/snapshot_registry.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(SnapshotRegistryTest, ASnapshotIsListedUntilItsLastCopyIsGone) {
  SnapshotRegistry registry;
  std::atomic<uint64_t> published{7};
  EXPECT_EQ(registry.Oldest(), std::nullopt);
  Snapshot first = registry.Take(published);
  EXPECT_EQ(first.sequence(), 7);
  Snapshot copy = first;
  first = Snapshot();
  EXPECT_THAT(registry.All(), ElementsAre(SequenceNumber{7}));
  copy = Snapshot();
  EXPECT_THAT(registry.All(), IsEmpty());
  EXPECT_EQ(registry.count(), 0);
}

TEST(SnapshotRegistryTest, NumbersAreListedOnceInOrder) {
  SnapshotRegistry registry;
  std::atomic<uint64_t> published{5};
  const Snapshot one = registry.Take(published);
  std::optional<Snapshot> two = registry.Take(published);
  published = 9;
  const Snapshot three = registry.Take(published);
  EXPECT_THAT(registry.All(), ElementsAre(SequenceNumber{5}, SequenceNumber{9}));
  EXPECT_EQ(registry.Oldest(), SequenceNumber{5});
  EXPECT_EQ(registry.count(), 3);
  two.reset();
  EXPECT_THAT(registry.All(), ElementsAre(SequenceNumber{5}, SequenceNumber{9}));
}

TEST(SnapshotRegistryTest, ASnapshotOfAnEmptyStoreIsNotAnEmptyHandle) {
  SnapshotRegistry registry;
  const std::atomic<uint64_t> published{0};
  const Snapshot snapshot = registry.Take(published);
  EXPECT_FALSE(snapshot.empty());
  EXPECT_EQ(snapshot.sequence(), 0);
  EXPECT_EQ(registry.Oldest(), SequenceNumber{0});
}

TEST(SnapshotRegistryTest, AHandleMayOutliveTheRegistry) {
  const std::atomic<uint64_t> published{3};
  auto registry = std::make_unique<SnapshotRegistry>();
  const Snapshot snapshot = registry->Take(published);
  registry.reset();
  EXPECT_EQ(snapshot.sequence(), 3);
}

// The promise to collectors: fix the input's newest number, then list; whoever holds a snapshot after that
// is in the list or has at least that number.
TEST(SnapshotRegistryTest, ASnapshotThatIsNotListedIsNotOlderThanWhatWasFixedBefore) {
  SnapshotRegistry registry;
  std::atomic<uint64_t> published{1};
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> held{0};  // the number of the reader's snapshot; 0: none
  std::thread reader([&] {
    while (!stop.load()) {
      const Snapshot snapshot = registry.Take(published);
      held.store(snapshot.sequence());
      if (snapshot.sequence() % 16 == 0) std::this_thread::yield();
      held.store(0);  // before it is released
    }
  });
  uint64_t failures = 0;
  for (uint64_t overlaps = 0; overlaps < 2000;) {
    const uint64_t fixed = published.fetch_add(1) + 1;
    const std::vector<SequenceNumber> all = registry.All();
    const uint64_t number = held.load();
    if (number == 0) continue;
    ++overlaps;
    const bool listed = std::find(all.begin(), all.end(), SequenceNumber{number}) != all.end();
    if (number < fixed && !listed) ++failures;
  }
  stop.store(true);
  reader.join();
  EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace firn
