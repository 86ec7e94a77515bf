// tests/engine/background_fixture.h: a stepped store on files that fail when told to.
#ifndef FIRN_TESTS_ENGINE_BACKGROUND_FIXTURE_H_
#define FIRN_TESTS_ENGINE_BACKGROUND_FIXTURE_H_

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/status_matchers.h"

namespace firn {

class BackgroundWorkTest : public ::testing::Test {
 protected:
  BackgroundWorkTest() : faulty_(memory_), store_(faulty_, 1) {
    EXPECT_THAT(store_.Open(), IsOk());
  }
  // Until a write fails or `count` are done.
  absl::Status Fill(int count, Durability durability = Durability::kBuffered) {
    for (int i = 0; i < count; ++i) {
      const absl::Status status =
          store_.Put("notes", absl::StrCat("k", i), std::string(500, 'v'), durability);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  void Restart(LogSink sink) {
    ASSERT_THAT(store_.Close(), IsOk());
    store_.options().log_sink = std::move(sink);
    ASSERT_THAT(store_.Open(), IsOk());
  }
  uint64_t Level0() { return store_->statistics().keyspaces[0].levels[0].segments; }

  MemoryFileSystem memory_;
  FaultInjectingFileSystem faulty_;
  SteppedStore store_;
};

}  // namespace firn

#endif  // FIRN_TESTS_ENGINE_BACKGROUND_FIXTURE_H_
