// tests/engine/stepped_store.h: a database on a machine of one thread, whose chance and time come from
// a seed, with memtables, logs and segments so small that a few writes make it busy.
#ifndef FIRN_TESTS_ENGINE_STEPPED_STORE_H_
#define FIRN_TESTS_ENGINE_STEPPED_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/database.h"
#include "io/file_system.h"

namespace firn {

inline Options TinyOptions() {
  Options options;
  options.memtable_size = 6 << 10;
  options.immutable_memtables_max = 2;
  options.block_cache_size = 64 << 10;
  options.open_segments_max = 16;
  options.log_size_max = 96 << 10;
  options.segment_size = 2 << 10;
  options.level0_segments_merge = 2;
  options.level0_segments_slow = 8;
  options.level0_segments_stop = 12;
  options.level1_size = 6 << 10;
  return options;
}

class SteppedStore {
 public:
  SteppedStore(FileSystem& file_system, uint64_t seed, const Options& options = TinyOptions(),
               absl::string_view directory = "store")
      : file_system_(file_system),
        options_(options),
        directory_(directory),
        executor_(seed),
        random_(seed + 1) {
    options_.log_sink = [this](absl::string_view line) { lines_.emplace_back(line); };
  }
  ~SteppedStore() { static_cast<void>(Close()); }

  absl::Status Open() {
    Environment environment;
    environment.file_system = &file_system_;
    environment.executor = &executor_;
    environment.clock = &clock_;
    environment.new_random = [this] { return random_.Next(); };
    FIRN_ASSIGN_OR_RETURN(database_,
                          DatabaseImpl::Open(directory_, options_, std::move(environment)));
    return absl::OkStatus();
  }
  // Closes and forgets the database; what closing said.
  absl::Status Close() {
    if (database_ == nullptr) return absl::OkStatus();
    const absl::Status closed = database_->Close();
    database_ = nullptr;
    executor_.Drain();
    return closed;
  }
  DatabaseImpl* get() { return database_.get(); }
  DatabaseImpl* operator->() { return database_.get(); }
  SteppedExecutor& executor() { return executor_; }
  ManualClock& clock() { return clock_; }
  Options& options() { return options_; }  // for the next Open()
  const std::vector<std::string>& lines() const { return lines_; }

  Keyspace Open(absl::string_view name) {
    return database_->OpenOrCreateKeyspace(name, {.block_size = 512}).value();
  }
  absl::Status Put(absl::string_view keyspace, absl::string_view key, absl::string_view value,
                   Durability durability = Durability::kBuffered) {
    WriteBatch batch;
    batch.Put(Open(keyspace), key, value);
    return database_->Write(batch, durability);
  }
  // The value, "(absent)", or the error.
  std::string Get(absl::string_view keyspace, absl::string_view key) {
    const auto value = Open(keyspace).Get(key);
    if (value.ok()) return value->ToString();
    return absl::IsNotFound(value.status()) ? "(absent)" : value.status().ToString();
  }

 private:
  FileSystem& file_system_;
  Options options_;
  const std::string directory_;
  std::vector<std::string> lines_;
  SteppedExecutor executor_;
  ManualClock clock_;
  Random random_;
  std::unique_ptr<DatabaseImpl> database_;
};

// The keyspace's entries, or what went wrong.
inline absl::StatusOr<std::map<std::string, std::string>> ReadAll(const Keyspace& keyspace,
                                                                  const Snapshot& snapshot = {}) {
  std::map<std::string, std::string> content;
  const std::unique_ptr<Iterator> iterator = keyspace.NewIterator({.snapshot = snapshot});
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    content.emplace(iterator->key(), iterator->value());
  }
  FIRN_RETURN_IF_ERROR(iterator->status());
  return content;
}

}  // namespace firn

#endif  // FIRN_TESTS_ENGINE_STEPPED_STORE_H_
