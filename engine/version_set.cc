#include "engine/version_set.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "engine/file_names.h"

namespace firn {
namespace {

// A manifest is rolled (replaced by a fresh one of the present state) when it has grown by this
// and to several times its size at creation: so its length is bounded by the state, and rolling
// costs a constant share of all that is written.
constexpr uint64_t kManifestGrowthMin = uint64_t{4} << 20;
constexpr uint64_t kManifestGrowthFactor = 4;

}  // namespace

bool IsShortage(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  return reason == ErrorReason::kDiskFull ||
         (absl::IsResourceExhausted(status) && reason == ErrorReason::kIo);
}

VersionSet::VersionSet(FileSystem& file_system, absl::string_view directory, StoreState state,
                       std::function<uint64_t()> new_salt)
    : file_system_(file_system),
      directory_(directory),
      new_salt_(std::move(new_salt)),
      next_file_(state.next_file.value),
      state_(std::make_shared<const StoreState>(std::move(state))) {}

void VersionSet::RaiseFileNumber(FileNumber number) {
  uint64_t next = next_file_.load();
  while (next <= number.value && !next_file_.compare_exchange_weak(next, number.value + 1)) {
  }
}

std::shared_ptr<const StoreState> VersionSet::state() const {
  MutexLock lock(mutex_);
  return state_;
}

absl::Status VersionSet::error() const {
  MutexLock lock(mutex_);
  return error_;
}

ManifestPosition VersionSet::manifest_position() const {
  std::shared_ptr<Manifest> manifest;
  {
    MutexLock lock(mutex_);
    manifest = manifest_;
  }
  FIRN_CHECK(manifest != nullptr);
  return {manifest->number(), manifest->synced_size()};
}

// The present manifest holds the same state as the new one until the switch is known to be done,
// so a failure in between is harmless, provided that the old one is not appended to any more.
absl::Status VersionSet::Roll(const StoreState& state) {
  must_roll_ = true;
  const FileNumber number = NewFileNumber();
  StoreState numbered = state;
  numbered.next_file = FileNumber{next_file_.load()};
  absl::StatusOr<std::unique_ptr<Manifest>> created =
      Manifest::Create(file_system_, directory_, number, new_salt_(), numbered);
  if (!created.ok()) {
    // Nothing names it, and each retry on a full disk would leave another. (If the switch below fails,
    // CURRENT may name it.) What cannot be removed is an orphan, removed at the next open.
    static_cast<void>(file_system_.RemoveFile(JoinPath(directory_, ManifestName(number))));
    return created.status();
  }
  FIRN_RETURN_IF_ERROR(SwitchCurrent(file_system_, directory_, number));
  const std::shared_ptr<Manifest> before = std::exchange(writing_, *std::move(created));
  must_roll_ = false;
  {
    MutexLock lock(mutex_);
    manifest_ = writing_;
  }
  if (before == nullptr) return absl::OkStatus();
  // What is left of the old one on an error is an orphan, removed at the next open.
  static_cast<void>(
      file_system_.RemoveFile(JoinPath(directory_, ManifestName(before->number()))));
  return absl::OkStatus();
}

absl::Status VersionSet::StartManifest() {
  const Turn::Holder turn(turn_);
  return Roll(*state());
}

absl::Status VersionSet::Stick(absl::Status status) {
  if (status.ok()) return status;
  if (IsShortage(status)) {
    // Before a record was begun: nothing has happened. Inside one: it may be durable.
    if (writing_ == nullptr || writing_->error().ok()) return status;
    status = MakeError(absl::StatusCode::kUnavailable, ErrorReason::kIo, status.message());
  }
  MutexLock lock(mutex_);
  error_ = status;
  return status;
}

bool VersionSet::WantsRoll() const {
  if (must_roll_ || writing_ == nullptr) return true;
  const uint64_t size = writing_->synced_size();
  return size > writing_->size_at_creation() + kManifestGrowthMin &&
         size > writing_->size_at_creation() * kManifestGrowthFactor;
}

absl::Status VersionSet::Commit(
    absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
    SequenceNumber last_sequence, absl::FunctionRef<void(const StoreState&)> publish) {
  const Turn::Holder turn(turn_);
  return CommitInTurn(make, last_sequence, publish);
}

absl::Status VersionSet::CommitInTurn(
    absl::FunctionRef<absl::StatusOr<VersionEdit>(const StoreState&)> make,
    SequenceNumber last_sequence, absl::FunctionRef<void(const StoreState&)> publish) {
  FIRN_RETURN_IF_ERROR(error());
  const std::shared_ptr<const StoreState> before = state();
  FIRN_ASSIGN_OR_RETURN(VersionEdit edit, make(*before));
  // A roll takes a file number, so it comes before the edit that records the counter.
  if (WantsRoll()) FIRN_RETURN_IF_ERROR(Stick(Roll(*before)));
  edit.next_file = FileNumber{std::max(next_file_.load(), before->next_file.value)};
  edit.last_sequence = std::max(last_sequence, before->last_sequence);
  absl::StatusOr<StoreState> applied = before->Apply(edit);
  FIRN_CHECK(applied.ok());  // the edit is our own
  const auto after = std::make_shared<const StoreState>(*std::move(applied));
  FIRN_RETURN_IF_ERROR(Stick(writing_->Append(edit)));
  {
    MutexLock lock(mutex_);
    state_ = after;
  }
  publish(*after);
  return absl::OkStatus();
}

VersionSet::Point VersionSet::point() {
  const Turn::Holder turn(turn_);
  return {.manifest = manifest_position(), .state = state()};
}

absl::Status VersionSet::Close() {
  const Turn::Holder turn(turn_);
  FIRN_RETURN_IF_ERROR(error());
  return writing_ == nullptr || must_roll_ ? absl::OkStatus() : writing_->Close();
}

}  // namespace firn
