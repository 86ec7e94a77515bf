#include "engine/yield_gate.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace firn {
namespace {

using Pass = YieldGate::Pass;
constexpr uint64_t kLong = YieldGate::kLostUs + 1;
constexpr uint64_t kPause = YieldGate::kPauseMinUs;

TEST(YieldGateTest, IsOpenWhileYieldsAreShort) {
  YieldGate gate;
  for (uint64_t now = 1; now < 1000; ++now) {
    EXPECT_EQ(gate.Enter(now), Pass::kOpen);
    EXPECT_TRUE(gate.Took(Pass::kOpen, YieldGate::kLostUs, now));
    gate.Leave(Pass::kOpen, now);
  }
}

TEST(YieldGateTest, OneLongYieldShutsItForAllAndOneWriterTriesAgain) {
  YieldGate gate;
  EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, 100));
  EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, 101));  // another writer, at the same time
  EXPECT_EQ(gate.Enter(100 + kPause - 1), Pass::kNo);
  EXPECT_EQ(gate.Enter(100 + kPause), Pass::kTrial);
  EXPECT_EQ(gate.Enter(100 + kPause), Pass::kNo);
  gate.Leave(Pass::kTrial, 100 + kPause + 50);
  EXPECT_EQ(gate.Enter(100 + kPause + 51), Pass::kOpen);
}

TEST(YieldGateTest, ThePauseGrowsWhileTrialsFail) {
  YieldGate gate;
  uint64_t now = 100;
  EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, now));
  uint64_t pause = kPause;
  uint64_t longest = 0;
  for (int trial = 0; trial < 12; ++trial) {
    EXPECT_EQ(gate.Enter(now + pause - 1), Pass::kNo) << trial;
    now += pause;
    ASSERT_EQ(gate.Enter(now), Pass::kTrial) << trial;
    now += kLong;
    EXPECT_FALSE(gate.Took(Pass::kTrial, kLong, now));
    pause = 0;
    while (gate.Enter(now + pause) == Pass::kNo) pause += 1000;
    EXPECT_GE(pause, longest);
    longest = pause;
    EXPECT_FALSE(gate.Took(Pass::kTrial, kLong, now += pause));
    pause = std::min(2 * longest, YieldGate::kPauseMaxUs);
  }
  EXPECT_EQ(longest, YieldGate::kPauseMaxUs);
}

// A flush computes for a tenth of a second, every second.
TEST(YieldGateTest, WhatStayedOpenForLongShutsForTheShortestTimeAgain) {
  YieldGate gate;
  uint64_t now = 100;
  EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, now));
  now += kPause;
  ASSERT_EQ(gate.Enter(now), Pass::kTrial);
  EXPECT_FALSE(gate.Took(Pass::kTrial, kLong, now));
  now += YieldGate::kPauseMaxUs;
  ASSERT_EQ(gate.Enter(now), Pass::kTrial);
  gate.Leave(Pass::kTrial, now);
  now += YieldGate::kPauseMaxUs;
  EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, now));
  EXPECT_EQ(gate.Enter(now + kPause - 1), Pass::kNo);
  EXPECT_EQ(gate.Enter(now + kPause), Pass::kTrial);
}

TEST(YieldGateTest, WhatOpensAndShutsAtOnceIsLeftShutForLongerAndLonger) {
  YieldGate gate;
  uint64_t now = 100;
  uint64_t last = 0;
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(gate.Took(Pass::kOpen, kLong, now));
    uint64_t pause = 0;
    while (gate.Enter(now + pause) == Pass::kNo) pause += 1000;
    now += pause;
    gate.Leave(Pass::kTrial, now);
    now += 500;
    if (i > 1) {
      EXPECT_GT(pause, last) << i;
    }
    last = pause;
  }
}

}  // namespace
}  // namespace firn
