#include "tests/crash/engine_workload.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/segment_builder.h"
#include "firn/ingest.h"
#include "sstable/sequence_key.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

std::string Describe(absl::string_view what, const absl::Status& status) {
  return absl::StrCat(what, ": ", status.ToString());
}

constexpr uint32_t kKeyWidth = 9;

// Of the one width that a hashed keyspace takes; "k00000012".
std::string FixedKey(char kind, uint64_t number) {
  return absl::StrCat(std::string(1, kind), absl::Dec(number, absl::kZeroPad8));
}

std::string SequenceKey(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

}  // namespace

// --- the life

EngineWorkload::EngineWorkload(FileSystem& file_system, uint64_t seed)
    : file_system_(file_system),
      random_(seed),
      hashed_(seed % 2 == 1),
      store_(file_system, seed) {}

void EngineWorkload::Run(int steps) {
  if (!OpenAll()) return;
  while (steps_done_ < steps && Step()) ++steps_done_;
}

void EngineWorkload::RunThroughFaults(int steps, Crash fault) {
  forgives_ = true;
  fault_ = fault;
  for (int attempt = 0; attempt < 3 && !main_created_; ++attempt) {
    if (!OpenAll()) Stop();
  }
  if (!main_created_) trouble_ = "the store could not be made although the fault is gone";
  while (trouble_.empty() && steps_done_ < steps && Step()) ++steps_done_;
}

void EngineWorkload::Stop() {
  snapshots_.clear();
  static_cast<void>(store_.Close());
}

// False: the machine is gone.
bool EngineWorkload::Note(const absl::Status& status) { return status.ok() || forgives_; }

bool EngineWorkload::OpenAll() {
  if (!store_.Open().ok()) return false;
  const KeyspaceOptions ordered{.block_size = 512};
  KeyspaceOptions hashed = ordered;
  hashed.layout = KeyspaceLayout::kHashed;
  hashed.key_width = kKeyWidth;
  KeyspaceOptions sequence = ordered;
  sequence.layout = KeyspaceLayout::kSequence;
  const std::pair<const char*, KeyspaceOptions> wanted[] = {
      {"a", ordered}, {"b", hashed_ ? hashed : ordered}, {"c", hashed_ ? hashed : ordered},
      {"s", sequence}};
  for (const auto& [name, options] : wanted) {
    if (!store_->OpenOrCreateKeyspace(name, options).ok()) return false;
  }
  main_created_ = true;
  return true;
}

bool EngineWorkload::Step() {
  const auto open = [&](const char* name) { return store_->OpenKeyspace(name).value(); };
  const uint64_t choice = random_.Uniform(100);
  if (choice < 42) return Write();
  if (choice < 50) return WriteVolatile();
  if (choice < 54) {
    const size_t written = volatile_written_;
    const absl::Status flushed = store_->Flush(open("c"));
    if (flushed.ok()) volatile_flushed_ = written;
    return Note(flushed);
  }
  if (choice < 58) return Note(store_->Flush(open(random_.OneIn(2) ? "a" : "b")));
  if (choice < 61) return Note(store_->Compact(open(random_.OneIn(2) ? "a" : "b"), "", ""));
  if (choice < 64) {
    const absl::Status synced = store_->Sync();
    if (synced.ok()) durable_ = acknowledged_;
    return Note(synced);
  }
  if (choice < 67) return ChangeExtra();
  if (choice < 68) return DropBelow();
  if (choice < 70) return Reopen();
  if (choice >= 97) return IngestFiles();
  if (choice < 73) {
    if (random_.OneIn(2)) {
      snapshots_.push_back(store_->TakeSnapshot());
    } else {
      snapshots_.clear();
    }
    return true;
  }
  static_cast<void>(store_.executor().Step());
  return true;
}

bool EngineWorkload::Write() {
  Batch batch;
  const size_t number = batches_.size() + 1;
  batch.push_back({"a", "last", absl::StrCat(number)});
  batch.push_back({"s", SequenceKey(number), RandomBytes(random_, random_.Uniform(100))});
  const uint64_t count = random_.Uniform(5);
  for (uint64_t i = 0; i < count; ++i) {
    std::string keyspace = random_.OneIn(2) ? "a" : "b";
    const bool has_extra = !extras_.empty() && extras_.back().created && !extras_.back().drop_tried;
    if (has_extra && random_.OneIn(4)) keyspace = extras_.back().name;
    const std::string key = FixedKey('k', random_.Uniform(60));
    if (random_.OneIn(5)) {
      batch.push_back({keyspace, key, std::nullopt});
    } else {
      const size_t size = random_.OneIn(16) ? 9000 : random_.Uniform(400);
      batch.push_back({keyspace, key, absl::StrCat(number, ":", RandomBytes(random_, size))});
    }
  }
  WriteBatch write;
  for (const Entry& entry : batch) {
    const Keyspace keyspace = store_->OpenKeyspace(entry.keyspace).value();
    if (entry.value.has_value()) {
      write.Put(keyspace, entry.key, *entry.value);
    } else {
      write.Remove(keyspace, entry.key);
    }
  }
  const Durability durability = random_.OneIn(3) ? Durability::kSynced : Durability::kBuffered;
  const absl::Status status = store_->Write(write, durability);
  if (status.ok() && acknowledged_ != batches_.size()) {
    trouble_ = absl::StrCat("a write was acknowledged after one that failed, without a reopening ",
                            "in between: ", last_failure_);
  }
  if (!status.ok()) last_failure_ = status.ToString();
  if (absl::IsResourceExhausted(status)) return forgives_;  // nothing was written
  batches_.push_back(std::move(batch));
  if (!status.ok()) return Note(status);
  acknowledged_ = batches_.size();
  if (durability == Durability::kSynced) durable_ = acknowledged_;
  return true;
}

bool EngineWorkload::WriteVolatile() {
  const Keyspace c = store_->OpenKeyspace("c").value();
  WriteBatch write;
  for (uint64_t i = 0; i <= random_.Uniform(6); ++i) {
    volatile_.emplace_back(FixedKey('v', volatile_.size()),
                           RandomBytes(random_, random_.Uniform(200)));
    write.Put(c, volatile_.back().first, volatile_.back().second);
  }
  const absl::Status status = store_->Write(write, Durability::kVolatile);
  if (status.ok() && volatile_written_ + write.count() == volatile_.size()) {
    volatile_written_ = volatile_.size();
  }
  return Note(status);
}

absl::StatusOr<std::string> EngineWorkload::BuildFile(
    const std::map<std::string, std::string>& records) {
  const absl::Status made = file_system_.CreateDirectory("load");
  if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  const std::string path = absl::StrCat("load/", ++files_built_);
  FIRN_ASSIGN_OR_RETURN(const auto builder,
                        SegmentBuilder::Impl::Create(file_system_, nullptr, path,
                                                     {.block_size = 512}, random_.Next(), 1));
  for (const auto& [key, value] : records) FIRN_RETURN_IF_ERROR(builder->Put(key, value));
  FIRN_RETURN_IF_ERROR(builder->Finish().status());
  return path;
}

bool EngineWorkload::IngestFiles() {
  Batch batch;
  const size_t number = batches_.size() + 1;
  std::map<std::string, std::string> files[2];
  files[1]["last"] = absl::StrCat(number);
  for (auto& records : files) {
    for (uint64_t i = random_.Uniform(8); i < 8; ++i) {
      records[FixedKey('k', random_.Uniform(60))] =
          absl::StrCat(number, ":", RandomBytes(random_, random_.Uniform(300)));
    }
    for (const auto& [key, value] : records) batch.push_back({"a", key, value});
  }
  std::vector<std::string> paths;
  for (const auto& records : files) {
    if (records.empty()) continue;
    const absl::StatusOr<std::string> path = BuildFile(records);
    if (!path.ok()) return Note(path.status());
    paths.push_back(*path);
  }
  const IngestMode mode = static_cast<IngestMode>(1 + random_.Uniform(3));
  const absl::Status status =
      store_->IngestSegments(store_->OpenKeyspace("a").value(), paths, {.mode = mode}).status();
  if (status.ok() && acknowledged_ != batches_.size()) {
    trouble_ = absl::StrCat("files were ingested after a write that failed, without a reopening ",
                            "in between: ", last_failure_);
  }
  // Before the edit is tried a failure leaves everything as it was, but whether it was tried only a
  // sticking error tells.
  if (!status.ok() && store_->Sync().ok()) return Note(status);
  batches_.push_back(std::move(batch));
  if (!status.ok()) {
    last_failure_ = status.ToString();
    return Note(status);
  }
  acknowledged_ = batches_.size();
  durable_ = acknowledged_;
  return true;
}

bool EngineWorkload::DropBelow() {
  // What is lost and made again must still be above it.
  const uint64_t bound = random_.Uniform(durable_ + 1);
  bound_tried_ = std::max(bound_tried_, bound);
  const absl::Status status =
      store_->DropBelow(store_->OpenKeyspace("s").value(), SequenceKey(bound));
  if (status.ok()) bound_known_ = std::max(bound_known_, bound);
  return Note(status);
}

bool EngineWorkload::ChangeExtra() {
  const bool drop = !extras_.empty() && extras_.back().created && !extras_.back().drop_tried;
  if (drop) {
    extras_.back().drop_tried = true;
    const absl::Status status = store_->DropKeyspace(extras_.back().name);
    extras_.back().dropped = status.ok();
    return Note(status);
  }
  extras_.push_back({absl::StrCat("d", extras_.size())});
  const absl::StatusOr<Keyspace> created = store_->CreateKeyspace(extras_.back().name, {});
  extras_.back().created = created.ok();
  if (!created.ok()) extras_.back().drop_tried = true;  // not to be written to
  return Note(created.status());
}

bool EngineWorkload::Reopen() {
  snapshots_.clear();
  const absl::Status closed = store_.Close();
  if (closed.ok()) volatile_flushed_ = volatile_written_;
  absl::Status opened = store_.Open();
  if (!opened.ok() && forgives_) opened = store_.Open();
  if (!opened.ok()) {
    if (forgives_) trouble_ = Describe("reopening", opened);
    return false;
  }
  if (forgives_) {
    // The fault may strike this very look; a second one must then find all well.
    if (!CheckOpen(*store_.get(), fault_).empty()) {
      trouble_ = CheckOpen(*store_.get(), fault_);
    }
  }
  // Whether a failed batch came back is settled now.
  absl::StatusOr<PinnedValue> last = store_->OpenKeyspace("a")->Get("last");
  if (!last.ok() && forgives_) last = store_->OpenKeyspace("a")->Get("last");
  uint64_t number = 0;
  if (last.ok() && !absl::SimpleAtoi(last->view(), &number)) return false;
  batches_.resize(static_cast<size_t>(number));
  acknowledged_ = batches_.size();
  durable_ = batches_.size();
  if (!closed.ok()) {
    // What was volatile may be gone: only what was flushed is known to be there.
    volatile_.resize(volatile_flushed_);
    volatile_written_ = volatile_flushed_;
  }
  return trouble_.empty();
}

// --- the look

EngineWorkload::Content EngineWorkload::ContentAt(const std::string& keyspace,
                                                  size_t batches) const {
  Content content;
  for (size_t i = 0; i < batches; ++i) {
    for (const Entry& entry : batches_[i]) {
      if (entry.keyspace != keyspace) continue;
      if (entry.value.has_value()) {
        content[entry.key] = *entry.value;
      } else {
        content.erase(entry.key);
      }
    }
  }
  return content;
}

std::string EngineWorkload::CheckVolatile(DatabaseImpl& database) const {
  const absl::StatusOr<Keyspace> keyspace = database.OpenKeyspace("c");
  if (!keyspace.ok()) return Describe("keyspace c", keyspace.status());
  const auto content = ReadAll(*keyspace);
  if (!content.ok()) return Describe("reading c", content.status());
  for (size_t i = 0; i < volatile_flushed_; ++i) {
    if (content->count(volatile_[i].first) == 0) {
      return absl::StrCat("flushed volatile entry ", volatile_[i].first, " is lost");
    }
  }
  for (const auto& [key, value] : *content) {
    uint64_t number = 0;
    const bool known = absl::SimpleAtoi(key.substr(1), &number) &&
                       (number >= volatile_.size() || volatile_[number].second == value);
    if (!known) return absl::StrCat("volatile entry ", key, " has a value nobody wrote");
  }
  return "";
}

std::string EngineWorkload::CheckOpen(DatabaseImpl& database, Crash crash) const {
  const std::vector<std::string> names = database.ListKeyspaces();
  const auto exists = [&](const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (!main_created_) return "";
  size_t number = 0;
  {
    const absl::StatusOr<PinnedValue> last = database.OpenKeyspace("a")->Get("last");
    uint64_t found = 0;
    if (last.ok() && !absl::SimpleAtoi(last->view(), &found)) return "a strange last batch";
    if (!last.ok() && !absl::IsNotFound(last.status())) return Describe("last", last.status());
    number = static_cast<size_t>(found);
  }
  const size_t least = crash == Crash::kMachine ? durable_ : acknowledged_;
  if (number < least || number > batches_.size()) {
    return absl::StrCat("batch ", number, " is the last, not one of ", least, " to ",
                        batches_.size());
  }
  std::vector<std::string> logged = {"a", "b"};
  for (const Extra& extra : extras_) {
    if (extra.created && !extra.drop_tried && !exists(extra.name)) {
      return absl::StrCat("keyspace ", extra.name, " is lost");
    }
    if (extra.dropped && exists(extra.name)) {
      return absl::StrCat("keyspace ", extra.name, " is back");
    }
    if (exists(extra.name)) logged.push_back(extra.name);
  }
  for (const std::string& name : logged) {
    const absl::StatusOr<Keyspace> keyspace = database.OpenKeyspace(name);
    if (!keyspace.ok()) return Describe(name, keyspace.status());
    const auto content = ReadAll(*keyspace);
    if (!content.ok()) return Describe(absl::StrCat("reading ", name), content.status());
    if (*content != ContentAt(name, number)) {
      return absl::StrCat("keyspace ", name, " is not as batch ", number, " left it");
    }
  }
  const std::string wrong = CheckSequence(database, number);
  return wrong.empty() ? CheckVolatile(database) : wrong;
}

std::string EngineWorkload::CheckSequence(DatabaseImpl& database, size_t number) const {
  const absl::StatusOr<Keyspace> keyspace = database.OpenKeyspace("s");
  if (!keyspace.ok()) return Describe("s", keyspace.status());
  const auto content = ReadAll(*keyspace);
  if (!content.ok()) return Describe("reading s", content.status());
  // One of the bounds that were asked for, and not one before the last that was acknowledged.
  for (uint64_t bound = bound_known_; bound <= bound_tried_; ++bound) {
    Content expected = ContentAt("s", number);
    expected.erase(expected.begin(), expected.lower_bound(SequenceKey(bound)));
    if (*content == expected) return "";
  }
  return absl::StrCat("keyspace s is not as batch ", number, " and a bound of ", bound_known_,
                      " to ", bound_tried_, " left it");
}

std::string EngineWorkload::Check(FileSystem& file_system, Crash crash) const {
  for (int round = 0; round < 2; ++round) {
    SteppedStore store(file_system, 77 + static_cast<uint64_t>(round));
    const absl::Status opened = store.Open();
    if (!opened.ok()) return Describe("reopening", opened);
    const std::string found = CheckOpen(*store.get(), crash);
    if (!found.empty()) return absl::StrCat(found, " (reopening ", round + 1, ")");
    const absl::StatusOr<VerifyReport> report = store->Verify(VerifyLevel::kBlocks);
    if (!report.ok()) return Describe("verify", report.status());
    if (!report->clean()) return absl::StrCat("verify: ", report->damage.front());
    if (round == 0) {
      const absl::Status idle = store->WaitForBackgroundWork();
      if (!idle.ok()) return Describe("background work after reopening", idle);
    }
    const absl::Status closed = store.Close();
    if (!closed.ok()) return Describe("closing", closed);
  }
  return "";
}

}  // namespace firn
