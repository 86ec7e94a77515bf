#include "engine/system_check.h"

#include "firn/presets.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = kMiB << 10;

TEST(SystemCheckTest, AMachineThatIsLargeEnoughIsNotWarnedOf) {
  EXPECT_THAT(MachineWarnings({.memory = 2 * kGiB, .disk_free = 20 * kGiB, .processors = 2}, {}),
              IsEmpty());
  const Options low = ExpandPreset(Preset::kLowMemory).store;
  EXPECT_THAT(MachineWarnings({.memory = 512 * kMiB, .disk_free = kGiB, .processors = 1}, low),
              IsEmpty());
  EXPECT_THAT(MachineWarnings({.memory = 0, .disk_free = kGiB, .processors = 0}, {}), IsEmpty())
      << "what is not known is not short";
}

TEST(SystemCheckTest, WhatIsShortIsNamedWithBothFigures) {
  EXPECT_THAT(MachineWarnings({.memory = 128 * kMiB, .disk_free = kGiB, .processors = 2}, {}),
              ElementsAre(HasSubstr("128 MiB of memory; firn asks for 512 MiB"),
                          HasSubstr("the options allow 272 MiB")));
  EXPECT_THAT(MachineWarnings({.memory = kGiB, .disk_free = 100 * kMiB, .processors = 2}, {}),
              ElementsAre(HasSubstr("the disk has 100 MiB free; logs and flushes alone may take 512")));
  EXPECT_THAT(MachineWarnings({.memory = kGiB, .disk_free = 100 * kMiB, .processors = 2},
                              {.storage = Storage::kMemory}),
              IsEmpty());
  EXPECT_THAT(MachineWarnings({.memory = kGiB, .disk_free = kGiB, .processors = 1},
                              {.background_threads = 8}),
              ElementsAre(HasSubstr("on one processor")));
  EXPECT_THAT(MachineWarnings({.memory = kGiB, .disk_free = kGiB, .processors = 2},
                              {.memory_budget = 2 * kGiB}),
              ElementsAre(HasSubstr("the options allow 2048 MiB")));
}

}  // namespace
}  // namespace firn
