#include "compaction/job.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/coding.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::SizeIs;

std::vector<StoredEntry> Many(uint64_t count) {
  Random random(count);
  std::vector<StoredEntry> entries;
  for (uint64_t i = 1; i <= count; ++i) {
    std::string key;
    PutBigEndian64(key, i);
    entries.push_back(MakePut(key, i, RandomBytes(random, 1000)));
  }
  return entries;
}

JobStream StreamOf(std::unique_ptr<InternalIterator> source) {
  JobStream stream;
  stream.source = std::move(source);
  stream.key_may_exist_below = [](absl::string_view) { return true; };
  stream.output_level = {2};
  stream.passes = 2;
  return stream;
}

// Calls back at the n-th entry.
class CallingIterator final : public InternalIterator {
 public:
  CallingIterator(std::vector<StoredEntry> entries, uint64_t call_at, std::function<void()> call)
      : inner_(std::move(entries)), left_(call_at), call_(std::move(call)) {}
  bool Valid() const override { return inner_.Valid(); }
  void SeekToFirst() override { inner_.SeekToFirst(); }
  void SeekToLast() override { inner_.SeekToLast(); }
  void Seek(absl::string_view target) override { inner_.Seek(target); }
  void Next() override {
    if (left_-- == 0) call_();
    inner_.Next();
  }
  void Prev() override { inner_.Prev(); }
  absl::string_view key() const override { return inner_.key(); }
  absl::string_view value() const override { return inner_.value(); }
  absl::Status status() const override { return inner_.status(); }

 private:
  VectorIterator inner_;
  uint64_t left_;
  std::function<void()> call_;
};

TEST(JobTest, TheResultNamesTheNewSegmentsOnTheirLevel) {
  SegmentFixture fixture;
  JobResult result;
  RunJobStream(fixture.Context(64 << 10), StreamOf(NewVectorIterator(Many(500))), result);
  ASSERT_OK(result.status);
  EXPECT_GT(result.edit.added.size(), 1);
  EXPECT_EQ(result.created.size(), result.edit.added.size());
  uint64_t bytes = 0;
  for (const LevelSegment& added : result.edit.added) {
    EXPECT_EQ(added.level, LevelIndex{2});
    bytes += added.segment->size;
  }
  EXPECT_EQ(result.bytes_written, bytes);
  EXPECT_EQ(result.entries_read, 500);
}

TEST(JobTest, AJobThatIsCancelledEndsSoonAndNamesItsFiles) {
  SegmentFixture fixture;
  std::atomic<bool> cancelled{false};
  JobContext context = fixture.Context(64 << 10);
  context.cancelled = &cancelled;
  JobResult result;
  RunJobStream(context, StreamOf(std::make_unique<CallingIterator>(
                            Many(3000), 300, [&] { cancelled.store(true); })),
               result);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LT(result.entries_read, 600);
  EXPECT_FALSE(result.created.empty());
  EXPECT_THAT(fixture.file_system.List("segments"), IsOkAndHolds(SizeIs(result.created.size())));

  JobResult at_once;
  RunJobStream(context, StreamOf(NewVectorIterator(Many(10))), at_once);
  EXPECT_THAT(at_once.status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(at_once.created.empty());
}

TEST(JobTest, TheBudgetIsChargedForEachPass) {
  SegmentFixture fixture;
  ManualClock clock;
  const uint64_t start_us = clock.MonotonicMicroseconds();
  IoBudget budget(clock, 1'000'000);
  JobContext context = fixture.Context(64 << 10);
  context.io_budget = &budget;
  JobResult result;
  RunJobStream(context, StreamOf(NewVectorIterator(Many(1000))), result);
  ASSERT_OK(result.status);
  // About a thousand bytes an entry, read and written; what is left at the end is not charged.
  EXPECT_GT(budget.charged_bytes(), 1'700'000);
  EXPECT_LT(budget.charged_bytes(), 2'200'000);
  EXPECT_GT(clock.MonotonicMicroseconds() - start_us, 1'500'000);
}

TEST(JobTest, AnErrorOfTheSourceIsAnErrorOfTheJob) {
  SegmentFixture fixture;
  JobResult result;
  RunJobStream(fixture.Context(64 << 10),
               StreamOf(std::make_unique<VectorIterator>(Many(10), absl::DataLossError("block"))),
               result);
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(result.edit.added.empty());
}

}  // namespace
}  // namespace firn
