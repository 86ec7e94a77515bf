#include "io/fault_plan.h"

#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

TEST(FaultPlan, TheFirstRuleThatHitsDecides) {
  const auto plan = std::make_shared<FaultPlan>(nullptr);
  plan->AddRule({.operation = FileOperation::kSync, .path_part = "log", .error_number = EIO});
  plan->AddRule({.path_part = "log", .count = 2, .error_number = ENOSPC});
  EXPECT_THAT(plan->Check(FileOperation::kSync, "a.log"), HasReason(ErrorReason::kIo));
  EXPECT_THAT(plan->Check(FileOperation::kSync, "a.log"), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(plan->Check(FileOperation::kSync, "other"), IsOk());
  EXPECT_THAT(plan->Check(FileOperation::kWrite, "a.log"), HasReason(ErrorReason::kDiskFull));
  EXPECT_THAT(plan->Check(FileOperation::kWrite, "a.log"), IsOk());
}

TEST(FaultPlan, AnAccountTakesNoMoreThanThereIsAndGivesItBack) {
  const auto plan = std::make_shared<FaultPlan>(nullptr);
  plan->SetSpace(100);
  auto first = plan->Occupy("a", 10);
  EXPECT_EQ(first, plan->Occupy("a", 999)) << "one account a file";
  EXPECT_EQ(first->GrowTo(70), 70u);
  auto second = plan->Occupy("b", 0);
  EXPECT_EQ(second->GrowTo(50), 40u);
  EXPECT_EQ(first->GrowTo(60), 60u) << "not growing";
  first->ShrinkTo(20);
  EXPECT_EQ(plan->space(), 50u);
  second.reset();
  plan->Forget("b");
  EXPECT_EQ(plan->space(), 90u);
}

TEST(FaultPlan, CountsFromManyThreads) {
  const auto plan = std::make_shared<FaultPlan>(nullptr);
  plan->AddRule({.skip = 100, .count = 50});
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        if (!plan->Check(FileOperation::kRead, "a").ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 50);
  EXPECT_EQ(plan->operations(), 2000u);
  EXPECT_EQ(plan->hits(0), 50u);
}

}  // namespace
}  // namespace firn
