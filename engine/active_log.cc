#include "engine/active_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace firn {

ActiveLog::ActiveLog(std::unique_ptr<LogFiles> files, VersionSet& versions,
                     std::deque<SealedLog> sealed, PreviousLog previous)
    : versions_(versions),
      files_(std::move(files)),
      previous_(previous),
      sealed_(std::move(sealed)) {
  for (const SealedLog& log : sealed_) sealed_bytes_ += log.size;
}

absl::Status ActiveLog::Switch(uint64_t payload_size, SequenceNumber last_sequence) {
  const Turn::Holder turn(turn_);
  return SwitchInTurn(payload_size, last_sequence);
}

absl::Status ActiveLog::SwitchInTurn(uint64_t payload_size, SequenceNumber last_sequence) {
  if (log_ != nullptr) {
    files_->SetFill(somebody_syncs_.exchange(false, std::memory_order_relaxed)
                        ? SpareFill::kZeroes
                        : SpareFill::kAllocate);
  }
  // First the space: so a full disk leaves the present log as it is.
  FIRN_RETURN_IF_ERROR(files_->PrepareSlot(
      payload_size, log_ == nullptr ? SpareUse::kAny : SpareUse::kKeepOne));
  if (log_ != nullptr) {
    const FileNumber number = log_->number();
    FIRN_ASSIGN_OR_RETURN(const LogEnd end, log_->Close(last_sequence));
    previous_ = {number, end};
    MutexLock lock(mutex_);
    sealed_.push_back({number, last_sequence, end.size});
    sealed_bytes_ += end.size;
    current_ = nullptr;
  }
  log_ = nullptr;
  if (next_number_.value == 0) next_number_ = versions_.NewFileNumber();
  FIRN_ASSIGN_OR_RETURN(
      log_, files_->Create({next_number_, previous_, versions_.manifest_position()}, payload_size));
  next_number_ = FileNumber{0};
  MutexLock lock(mutex_);
  current_ = log_.get();
  return absl::OkStatus();
}

absl::StatusOr<Place> ActiveLog::Reserve(uint64_t payload_size, SequenceRange sequences) {
  FIRN_CHECK(log_ != nullptr);
  return log_->Reserve(payload_size, sequences);
}

absl::StatusOr<std::optional<Place>> ActiveLog::AppendCached(uint64_t payload_size,
                                                             absl::Span<const ByteSpan> pieces,
                                                             SequenceRange sequences) {
  FIRN_CHECK(log_ != nullptr);
  FIRN_ASSIGN_OR_RETURN(const std::optional<Place> place,
                        log_->AppendCached(payload_size, pieces, sequences));
  if (place.has_value()) {
    written_bytes_.fetch_add(place->gap + place->limit - place->offset, std::memory_order_relaxed);
  }
  return place;
}

absl::Status ActiveLog::Flush(const Place& place, absl::Span<const ByteSpan> pieces, LogSync sync) {
  FIRN_RETURN_IF_ERROR(log_->Flush(place, pieces, sync));
  if (sync == LogSync::kSynced) somebody_syncs_.store(true, std::memory_order_relaxed);
  written_bytes_.fetch_add(RoundUpToBlock(place.limit) - place.offset, std::memory_order_relaxed);
  return absl::OkStatus();
}

absl::Status ActiveLog::EnsureSynced(const Place& place) { return log_->EnsureSynced(place); }

absl::Status ActiveLog::Sync() {
  const Turn::Holder turn(turn_);  // sealed logs are synced; in the turn nobody seals this one
  if (log_ == nullptr || log_->synced_size() == log_->size()) return absl::OkStatus();
  return log_->Sync();
}

absl::Status ActiveLog::Retire(SequenceNumber oldest_needed) {
  if (!turn_.TryTake()) return absl::OkStatus();
  const absl::Status status = RetireInTurn(oldest_needed);
  turn_.End();
  return status;
}

absl::Status ActiveLog::RetireInTurn(SequenceNumber oldest_needed) {
  while (true) {
    SealedLog oldest;
    {
      MutexLock lock(mutex_);
      // The newest sealed log stays until its successor, whose header vouches for it, exists.
      if (sealed_.empty() || current_ == nullptr) return absl::OkStatus();
      if (sealed_.front().last_sequence >= oldest_needed) return absl::OkStatus();
      oldest = sealed_.front();
    }
    // After a failure it is unknown which name the file has, and nothing more is retired; but where
    // there was no room for the new name it has the old one.
    FIRN_RETURN_IF_ERROR(retire_error_);
    const absl::Status retired = files_->Retire(oldest.number);
    const std::vector<FileNumber> logs = files_->logs();
    const bool is_still_a_log = !logs.empty() && logs.front() == oldest.number;
    if (!IsShortage(retired) || !is_still_a_log) retire_error_ = retired;
    FIRN_RETURN_IF_ERROR(retired);
    MutexLock lock(mutex_);
    sealed_.pop_front();
    sealed_bytes_ -= oldest.size;
  }
}

bool ActiveLog::Keeps(FileNumber number) {
  const Turn::Holder turn(turn_);
  const std::vector<FileNumber> logs = files_->logs();
  return std::find(logs.begin(), logs.end(), number) != logs.end();
}

std::optional<SequenceNumber> ActiveLog::oldest_sealed() const {
  MutexLock lock(mutex_);
  if (sealed_.empty()) return std::nullopt;
  return sealed_.front().last_sequence;
}

uint64_t ActiveLog::total_bytes() const {
  MutexLock lock(mutex_);
  return sealed_bytes_ + (current_ == nullptr ? 0 : current_->size());
}

std::vector<ActiveLog::Extent> ActiveLog::extents() const {
  MutexLock lock(mutex_);
  std::vector<Extent> extents;
  for (const SealedLog& log : sealed_) {
    extents.push_back({log.number, {log.size, log.last_sequence}});
  }
  if (current_ != nullptr) {
    // The size first: the sequence then covers at least as much.
    const uint64_t size = current_->synced_size();
    extents.push_back({current_->number(), {size, current_->synced_sequence()}});
  }
  return extents;
}

absl::Status ActiveLog::Close(SequenceNumber last_sequence) {
  const Turn::Holder turn(turn_);
  return log_ == nullptr ? absl::OkStatus() : log_->Close(last_sequence).status();
}

}  // namespace firn
