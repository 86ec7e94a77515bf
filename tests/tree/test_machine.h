// tests/tree/test_machine.h: databases for the tests of the tree's store: on disk and on files in
// memory, both of which can be reopened, and a machine that a crash test steps through.
#ifndef FIRN_TESTS_TREE_TEST_MACHINE_H_
#define FIRN_TESTS_TREE_TEST_MACHINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "engine/database.h"
#include "firn/database.h"
#include "io/memory_file_system.h"
#include "tests/support/temporary_directory.h"

namespace firn {

// A place where a database can be opened again and again.
class TestMachine {
 public:
  virtual ~TestMachine() = default;
  virtual absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options) = 0;
  absl::StatusOr<std::unique_ptr<Database>> Open() { return Open(Options()); }
};

class DiskMachine final : public TestMachine {
 public:
  using TestMachine::Open;
  absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options) override {
    return Database::Open(directory_.File("store"), options);
  }

 private:
  TemporaryDirectory directory_;
};

// Files live as long as the machine; background work runs on threads.
class MemoryMachine final : public TestMachine {
 public:
  using TestMachine::Open;
  absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options) override {
    auto executor = std::make_shared<ThreadExecutor>(ThreadExecutor::Threads{});
    Environment environment;
    environment.file_system = &file_system_;
    environment.executor = executor.get();
    environment.clock = &clock_;
    environment.new_random = [random = std::make_shared<Random>(++opened_)] {
      return random->Next();
    };
    environment.owned = std::move(executor);
    absl::StatusOr<std::unique_ptr<DatabaseImpl>> impl =
        DatabaseImpl::Open("store", options, std::move(environment));
    if (!impl.ok()) return impl.status();
    return std::make_unique<Database>(std::move(*impl));
  }

 private:
  MemoryFileSystem file_system_{MemoryFileSystemOptions{.track_unsynced = false}};
  SystemClock clock_;
  uint64_t opened_ = 0;
};

// One thread; background work is stepped in an order drawn from the seed; the file system can crash.
class SteppedMachine final : public TestMachine {
 public:
  using TestMachine::Open;
  SteppedMachine(std::unique_ptr<MemoryFileSystem> file_system, uint64_t seed)
      : file_system_(std::move(file_system)), executor_(seed), random_(seed) {}

  absl::StatusOr<std::unique_ptr<Database>> Open(const Options& options) override {
    Environment environment;
    environment.file_system = file_system_.get();
    environment.executor = &executor_;
    environment.clock = &clock_;
    environment.new_random = [this] { return random_.Next(); };
    absl::StatusOr<std::unique_ptr<DatabaseImpl>> impl =
        DatabaseImpl::Open("store", options, std::move(environment));
    if (!impl.ok()) return impl.status();
    return std::make_unique<Database>(std::move(*impl));
  }

  MemoryFileSystem& file_system() { return *file_system_; }
  SteppedExecutor& executor() { return executor_; }
  ManualClock& clock() { return clock_; }

 private:
  std::unique_ptr<MemoryFileSystem> file_system_;
  SteppedExecutor executor_;
  ManualClock clock_;
  Random random_;
};

// A database in memory that is gone with its handle.
inline std::unique_ptr<Database> OpenMemoryDatabase() {
  Options options;
  options.storage = Storage::kMemory;
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open("store", options);
  return database.ok() ? std::move(*database) : nullptr;
}

}  // namespace firn

#endif  // FIRN_TESTS_TREE_TEST_MACHINE_H_
