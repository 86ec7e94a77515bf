#include "engine/database.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/status.h"
#include "engine/batch_format.h"
#include "engine/call_guard.h"
#include "engine/file_names.h"
#include "engine/ingest.h"
#include "engine/options_file.h"
#include "engine/system_check.h"
#include "engine/verify.h"
#include "engine/write_request.h"
#include "firn/option_names.h"
#include "io/memory_allowed.h"
#include "io/memory_file_system.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

// The folder of a store in memory: nobody else sees it.
constexpr char kMemoryDirectory[] = "store";

struct SystemParts {
  std::unique_ptr<FileSystem> file_system;
  SystemClock clock;
  std::unique_ptr<ThreadExecutor> executor;
};

}  // namespace

// --- opening

absl::StatusOr<Environment> DatabaseImpl::SystemEnvironment(const Options& options) {
  auto parts = std::make_shared<SystemParts>();
  Environment environment;
  if (options.storage == Storage::kMemory) {
    parts->file_system = std::make_unique<MemoryFileSystem>(
        MemoryFileSystemOptions{.track_unsynced = false});
  } else {
    FIRN_ASSIGN_OR_RETURN(parts->file_system, NewDiskFileSystem(&environment.io_reason));
  }
  parts->executor = std::make_unique<ThreadExecutor>(
      ThreadExecutor::Threads{.flush = 1, .compact = options.background_threads - 1});
  environment.file_system = parts->file_system.get();
  environment.executor = parts->executor.get();
  environment.clock = &parts->clock;
  environment.new_random = RandomSalt;
  environment.tick_us = 1'000'000;
  environment.owned = std::move(parts);
  return environment;
}

DatabaseImpl::DatabaseImpl(absl::string_view path, const Options& options, Environment environment)
    : path_(path),
      given_options_(options),
      shares_(DivideMemory(options)),
      options_(WithinBudget(options)),
      environment_(std::move(environment)),
      directory_(options.storage == Storage::kMemory ? std::string(kMemoryDirectory) : path_),
      blocks_(options_.block_cache_size),
      segments_(*environment_.file_system, options_.open_segments_max, &blocks_,
                &counters_.segments,
                options_.direct_segment_reads ? FileAccess::kDirect : FileAccess::kBuffered,
                shares_.indexes),
      reading_{segments_, snapshots_, counters_, blocks_.epochs()},
      conflicts_(reading_.published, options_.transaction_memory),
      space_(*environment_.file_system, directory_, options_.free_space_min,
             [this](absl::string_view line) { Say(line); }),
      obsolete_(*environment_.file_system, segments_),
      table_(std::make_shared<const KeyspaceTable>()),
      block_cache_size_(options_.block_cache_size) {}

absl::StatusOr<std::unique_ptr<DatabaseImpl>> DatabaseImpl::Open(absl::string_view path,
                                                                 const Options& options,
                                                                 Environment environment) {
  std::unique_ptr<DatabaseImpl> database(
      new DatabaseImpl(path, options, std::move(environment)));
  FIRN_RETURN_IF_ERROR(database->Recover());
  return database;
}

absl::Status DatabaseImpl::Recover() {
  const uint64_t begin = environment_.clock->MonotonicMicroseconds();
  FIRN_ASSIGN_OR_RETURN(
      OpenedFolder folder,
      OpenFolder({*environment_.file_system, *environment_.executor, directory_,
                  environment_.new_random},
                 options_));
  lock_ = std::move(folder.lock);
  store_ = folder.store;
  reading_.store_tag = Hash64(store_.id) | 1;
  auto table = std::make_shared<KeyspaceTable>();
  for (const auto& [id, keyspace] : folder.state.keyspaces) {
    (*table)[id] = std::make_shared<KeyspaceImpl>(reading_, id, keyspace, FolderOf(keyspace.name));
  }
  FIRN_RETURN_IF_ERROR(CheckSegments(*table));
  FIRN_ASSIGN_OR_RETURN(ReplayedLogs replayed, ReplayLogs(*environment_.file_system, folder, *table,
                                                          options_.memtable_size));
  {
    MutexLock lock(mutex_);
    table_ = table;
  }
  counters_.recovered_batches = replayed.batches;
  counters_.recovered_bytes = replayed.bytes;
  FIRN_RETURN_IF_ERROR(StartWriting(folder, replayed));
  recovered_ = true;
  counters_.recovery_us = environment_.clock->MonotonicMicroseconds() - begin;
  Say(absl::StrCat("opened ", path_, " on ", environment_.file_system->name(), ": ",
                   table->size(), " keyspaces, ", replayed.batches,
                   " groups of writes replayed, last number ", last_sequence()));
  background_->ScheduleAll();
  if (environment_.tick_us > 0) {
    SayWarnings();
    ticker_ = std::make_unique<Ticker>(std::chrono::microseconds(environment_.tick_us),
                                       [this] { Tick(); });
  }
  return absl::OkStatus();
}

// What the machine is short of; of a test's machine nothing is said.
void DatabaseImpl::SayWarnings() const {
  const absl::StatusOr<uint64_t> free = environment_.file_system->FreeSpace(directory_);
  const MachineFacts facts{.memory = ReadMemoryAllowed(),
                           .disk_free = free.ok() ? *free : UINT64_MAX,
                           .processors = std::thread::hardware_concurrency()};
  for (const std::string& warning : MachineWarnings(facts, options_)) {
    Say(absl::StrCat("warning: ", warning));
  }
}

// The state goes into a manifest of its own, and the logs that were read are closed by the header of
// a new one: from then on nothing depends on where a torn tail is seen to end.
absl::Status DatabaseImpl::StartWriting(OpenedFolder& folder, const ReplayedLogs& replayed) {
  StoreState state = folder.state;
  state.last_sequence = std::max(state.last_sequence, replayed.last_sequence);
  for (auto& [id, keyspace] : state.keyspaces) {
    if (!keyspace.volatile_since.has_value()) continue;
    Say(absl::StrCat("keyspace ", keyspace.name, ": volatile writes above number ",
                     keyspace.volatile_since->value, " that were not flushed are gone"));
    keyspace.volatile_since = std::nullopt;
    table()->at(id)->TakeVolatileMark(kMaxSequenceNumber);
  }
  reading_.published.store(state.last_sequence.value, std::memory_order_release);
  for (const FoundLog& log : folder.chain) {
    FIRN_RETURN_IF_ERROR(folder.logs->SyncLog(log.header.number));
  }
  const FileNumber greatest = folder.greatest_file;
  MakeParts(folder, replayed, std::move(state));
  versions_->RaiseFileNumber(greatest);
  FIRN_RETURN_IF_ERROR(WithSpareSpace([this] { return versions_->StartManifest(); }));
  FIRN_RETURN_IF_ERROR(WithSpareSpace([this] { return PersistOptions(); }));
  FIRN_RETURN_IF_ERROR(
      WithSpareSpace([this] { return log_->Switch(0, SequenceNumber{last_sequence()}); }));
  FIRN_RETURN_IF_ERROR(background_->RetireLogs());
  FIRN_ASSIGN_OR_RETURN(const std::vector<std::string> removed,
                        RemoveOrphans(*environment_.file_system, directory_, *versions_->state(),
                                      versions_->manifest_position().number));
  for (const std::string& file : removed) Say(absl::StrCat("removed without use: ", file));
  return absl::OkStatus();
}

// On a full disk a store is opened with the space of its spare logs.
absl::Status DatabaseImpl::WithSpareSpace(absl::FunctionRef<absl::Status()> step) {
  while (true) {
    const absl::Status status = step();
    if (ReasonOf(status) != ErrorReason::kDiskFull) return status;
    FIRN_ASSIGN_OR_RETURN(const bool given, log_->GiveBackSpare());
    if (!given) return status;
    Say("the disk is full: a spare log was given back to open the store");
  }
}

void DatabaseImpl::MakeParts(OpenedFolder& folder, ReplayedLogs replayed, StoreState state) {
  const auto keyspaces = [this] { return table(); };
  versions_ = std::make_unique<VersionSet>(*environment_.file_system, directory_, std::move(state),
                                           environment_.new_random);
  log_ = std::make_unique<ActiveLog>(std::move(folder.logs), *versions_,
                                     std::move(replayed.sealed), replayed.previous);
  background_ = std::make_unique<BackgroundWork>(BackgroundParts{
      *environment_.file_system, *environment_.executor, *environment_.clock, options_, directory_,
      *versions_, *log_, obsolete_, reading_, counters_, environment_.new_random, keyspaces,
      [this](const absl::Status& status) { queue_->Poison(status); },
      [this](absl::string_view line) { Say(line); }, space_});
  write_path_ = std::make_unique<WritePath>(
      WritePathParts{*environment_.clock, options_, *versions_, *log_, *background_, reading_,
                     counters_, conflicts_, space_, shares_, keyspaces});
  queue_ = std::make_unique<CommitQueue>(*write_path_, *environment_.clock,
                                         SequenceNumber{last_sequence()},
                                         CommitQueueOptions{.flushes_in_flight = 2});
}

// --- closing

DatabaseImpl::~DatabaseImpl() {
  const absl::Status closed = Close();
  if (!closed.ok()) Say(absl::StrCat("closing failed: ", closed.ToString()));
}

absl::Status DatabaseImpl::CheckNotClosed() const {
  return reading_.closed.load(std::memory_order_acquire) ? CallGuard::Closed() : absl::OkStatus();
}

absl::Status DatabaseImpl::Close() {
  {
    MutexLock lock(mutex_);
    if (closing_) {
      while (!closed_) call_ended_.Wait(mutex_);
      return close_status_;
    }
    closing_ = true;
    reading_.closed.store(true, std::memory_order_release);
    while (calls_ > 0) call_ended_.Wait(mutex_);
  }
  const absl::Status status = CloseOnce();
  MutexLock lock(mutex_);
  closed_ = true;
  close_status_ = status;
  call_ended_.NotifyAll();
  return status;
}

absl::Status DatabaseImpl::CloseOnce() {
  if (background_ == nullptr) return absl::OkStatus();  // recovery ended before anything was written
  if (!recovered_) {
    background_->Stop();
    return absl::OkStatus();
  }
  absl::Status status = queue_->error();
  // A clean close is no crash: what has no log record is flushed first.
  for (const auto& [id, keyspace] : *table()) {
    if (status.ok() && keyspace->volatile_marked()) status = FlushKeyspace(keyspace);
  }
  ticker_ = nullptr;
  background_->Stop();
  log_->StopPreparing();  // the lock goes below: nothing may touch the folder then
  if (status.ok()) status = queue_->error();
  if (status.ok()) status = log_->Close(SequenceNumber{last_sequence()});
  if (status.ok()) status = versions_->Close();
  reading_.epochs.Drain();
  const absl::Status collected = obsolete_.Collect();
  if (status.ok()) status = collected;
  lock_ = nullptr;
  if (status.ok()) Say(absl::StrCat("closed ", path_));
  return status;
}

// --- writing

absl::Status DatabaseImpl::Write(const WriteBatch& batch, Durability durability,
                                 ConflictQuery* transaction) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  if (batch.empty()) return absl::OkStatus();
  if (batch.store_tag() != 0 && batch.store_tag() != reading_.store_tag) {
    return InvalidArgument("a batch with a keyspace handle of another store");
  }
  const uint64_t begin = environment_.clock->MonotonicMicroseconds();
  WriteRequest request;
  request.table = table();
  FIRN_RETURN_IF_ERROR(FillRequest(batch, durability, request));
  FIRN_RETURN_IF_ERROR(CheckSizes(request.limited));
  request.transaction = transaction;
  const KeyspaceImpl::VolatileWrite in_progress(request.volatile_keyspace);
  FIRN_RETURN_IF_ERROR(queue_->Commit(request));
  counters_.write_us.Add(environment_.clock->MonotonicMicroseconds() - begin);
  return absl::OkStatus();
}

absl::Status DatabaseImpl::AwaitWritesInFlight() {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  return queue_->Exclusive([](SequenceNumber) { return absl::OkStatus(); });
}

absl::Status DatabaseImpl::Sync() {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(queue_->error());
  const absl::Status synced = log_->Sync();
  if (!synced.ok()) queue_->Poison(synced);
  return synced;
}

// --- background

absl::Status DatabaseImpl::CheckHandle(const Keyspace& keyspace) const {
  if (keyspace.empty()) return InvalidArgument("an empty keyspace handle");
  if (!keyspace.impl()->BelongsTo(reading_)) {
    return InvalidArgument(absl::StrCat("the handle of keyspace ", keyspace.name(),
                                        " belongs to another database"));
  }
  return keyspace.impl()->Check();
}

absl::Status DatabaseImpl::FlushKeyspace(const std::shared_ptr<KeyspaceImpl>& keyspace) {
  FIRN_RETURN_IF_ERROR(background_->ResumeIfRoom());
  SequenceNumber floor;
  FIRN_RETURN_IF_ERROR(queue_->Exclusive([&](SequenceNumber) {
    floor = write_path_->SwitchMemtable(keyspace);
    return absl::OkStatus();
  }));
  FIRN_RETURN_IF_ERROR(background_->AwaitFlush(keyspace, floor));
  if (!keyspace->volatile_marked()) return absl::OkStatus();
  // The flush itself could not clear it: a volatile write was in progress then. As there, the mark is
  // taken in the turn of the edit, so that one set meanwhile is recorded after it.
  bool unmarked = false;
  const auto make = [&](const StoreState& state) -> absl::StatusOr<VersionEdit> {
    unmarked = state.keyspaces.count(keyspace->id()) > 0 && keyspace->TakeVolatileMark(floor);
    if (!unmarked) return absl::CancelledError("nothing to clear");
    VersionEdit edit;
    edit.volatile_marks.push_back({keyspace->id(), std::nullopt});
    return edit;
  };
  const absl::Status status = CommitEdit(make, [](const StoreState&) {});
  if (status.ok() || absl::IsCancelled(status)) return absl::OkStatus();
  if (unmarked) keyspace->SetVolatileMarked();
  return status;
}

absl::Status DatabaseImpl::Flush(const Keyspace& keyspace) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  return FlushKeyspace(keyspace.impl());
}

absl::Status DatabaseImpl::Compact(const Keyspace& keyspace, absl::string_view begin,
                                   absl::string_view limit) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  FIRN_RETURN_IF_ERROR(FlushKeyspace(keyspace.impl()));
  UserKeyRange range;
  range.smallest = begin;
  if (!limit.empty()) range.largest = limit;
  return background_->CompactRange(keyspace.impl(), range);
}

absl::Status DatabaseImpl::DropBelow(const Keyspace& keyspace, absl::string_view key) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  KeyspaceImpl& target = *keyspace.impl();
  if (!target.rules().ascending) {
    return InvalidArgument(absl::StrCat("keyspace ", target.name(),
                                        ": DropBelow() is for the sequence layout"));
  }
  FIRN_RETURN_IF_ERROR(target.rules().Check(EntryKind::kPut, key, target.name()));
  const uint64_t bound = LoadSequenceKey(key);
  FIRN_RETURN_IF_ERROR(background_->DropBelow(keyspace.impl(), bound));
  // Keys below the bound are as good as taken.
  return queue_->Exclusive([&](SequenceNumber) {
    target.ascending().RaiseBound(bound);
    return absl::OkStatus();
  });
}

absl::StatusOr<IngestReport> DatabaseImpl::IngestSegments(const Keyspace& keyspace,
                                                          absl::Span<const std::string> paths,
                                                          const IngestOptions& options) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(CheckHandle(keyspace));
  if (options.mode < IngestMode::kCopy || options.mode > IngestMode::kMove) {
    return InvalidOption("mode", "none of kCopy, kLink, kMove");
  }
  if (options_.storage == Storage::kMemory) {
    return InvalidArgument("a store in memory has no folder to take files into");
  }
  FIRN_RETURN_IF_ERROR(background_->ResumeIfRoom());
  Ingest ingest({*environment_.file_system, *versions_, *log_, *background_, *queue_, *write_path_,
                 conflicts_, reading_, space_, [this](absl::string_view line) { Say(line); },
                 [this](const std::shared_ptr<KeyspaceImpl>& target) { return FlushKeyspace(target); }},
                keyspace.impl(), options.mode);
  return ingest.Run(paths);
}

absl::Status DatabaseImpl::WaitForBackgroundWork() {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  FIRN_RETURN_IF_ERROR(background_->ResumeIfRoom());
  return background_->AwaitIdle();
}

// --- looking at it

absl::StatusOr<VerifyReport> DatabaseImpl::Verify(VerifyLevel level) {
  const CallGuard guard(*this);
  FIRN_RETURN_IF_ERROR(guard.status());
  const std::shared_ptr<const KeyspaceTable> keyspaces = table();
  return VerifyStore({*environment_.file_system, directory_, *versions_, *log_, *keyspaces}, level);
}

void DatabaseImpl::Say(absl::string_view line) const {
  if (options_.log_sink) options_.log_sink(line);
}

// --- firn/database.h

absl::StatusOr<std::unique_ptr<Database>> Database::Open(absl::string_view path,
                                                         const Options& options) {
  FIRN_RETURN_IF_ERROR(CheckOptions(options));
  FIRN_ASSIGN_OR_RETURN(Environment environment, DatabaseImpl::SystemEnvironment(options));
  FIRN_ASSIGN_OR_RETURN(auto impl, DatabaseImpl::Open(path, options, std::move(environment)));
  return std::make_unique<Database>(std::move(impl));
}

Database::Database(std::unique_ptr<DatabaseImpl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;
absl::Status Database::Close() { return impl_->Close(); }
absl::Status Database::Write(const WriteBatch& batch, Durability durability) {
  return impl_->Write(batch, durability);
}
absl::Status Database::Sync() { return impl_->Sync(); }
Snapshot Database::TakeSnapshot() { return impl_->TakeSnapshot(); }
uint64_t Database::last_sequence() const { return impl_->last_sequence(); }
absl::Status Database::Flush(const Keyspace& keyspace) { return impl_->Flush(keyspace); }
absl::Status Database::Compact(const Keyspace& keyspace, absl::string_view begin,
                               absl::string_view limit) {
  return impl_->Compact(keyspace, begin, limit);
}
absl::Status Database::DropBelow(const Keyspace& keyspace, absl::string_view key) {
  return impl_->DropBelow(keyspace, key);
}
absl::StatusOr<IngestReport> Database::IngestSegments(const Keyspace& keyspace,
                                                      absl::Span<const std::string> paths,
                                                      const IngestOptions& options) {
  return impl_->IngestSegments(keyspace, paths, options);
}
absl::Status Database::WaitForBackgroundWork() { return impl_->WaitForBackgroundWork(); }
absl::StatusOr<VerifyReport> Database::Verify(VerifyLevel level) { return impl_->Verify(level); }
const std::map<std::string, std::string>& Database::identity() const { return impl_->identity(); }
const std::string& Database::store_id() const { return impl_->store_id(); }
const std::string& Database::path() const { return impl_->path(); }

}  // namespace firn
