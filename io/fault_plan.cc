#include "io/fault_plan.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/random.h"
#include "base/status.h"

namespace firn {
namespace {

constexpr absl::string_view kNames[kFileOperations] = {
    "open for read", "read",   "create", "open for write", "write",         "sync",
    "truncate",      "close",  "stat",   "list",           "create folder", "remove",
    "remove folder", "rename", "link",   "sync folder",    "lock",          "free space"};

}  // namespace

FaultPlan::Occupied::~Occupied() {
  const auto plan = plan_.lock();
  if (plan == nullptr) return;
  MutexLock lock(mutex_);
  plan->Release(bytes_);
}

uint64_t FaultPlan::Occupied::GrowTo(uint64_t size) {
  const auto plan = plan_.lock();
  MutexLock lock(mutex_);
  if (size > bytes_ && plan != nullptr) bytes_ += plan->Take(size - bytes_);
  return std::min(size, bytes_);
}

void FaultPlan::Occupied::ShrinkTo(uint64_t size) {
  const auto plan = plan_.lock();
  MutexLock lock(mutex_);
  if (size < bytes_ && plan != nullptr) {
    plan->Release(bytes_ - size);
    bytes_ = size;
  }
}

std::optional<Fault> FaultPlan::Meet(FileOperation operation, absl::string_view path) {
  std::chrono::microseconds delay{0};
  {
    MutexLock lock(mutex_);
    ++counts_[static_cast<size_t>(operation)];
    for (Rule& rule : rules_) {
      const FaultRule& order = rule.rule;
      if (order.operation.has_value() && *order.operation != operation) continue;
      if (!absl::StrContains(path, order.path_part)) continue;
      const uint64_t number = rule.matched++;
      if (number < order.skip || number - order.skip >= order.count) continue;
      ++rule.hits;
      if (order.effect == FaultEffect::kDelay) {
        delay = order.delay;
        break;
      }
      const std::string what =
          absl::StrCat("injected fault: ", kNames[static_cast<size_t>(operation)], " ", path);
      return Fault{.effect = order.effect,
                   .error = ErrnoStatus(order.error_number, what),
                   .random = Random(number).Next()};
    }
  }
  if (delay.count() > 0) clock_.SleepFor(delay);
  return std::nullopt;
}

absl::Status FaultPlan::Check(FileOperation operation, absl::string_view path) {
  const std::optional<Fault> fault = Meet(operation, path);
  if (!fault.has_value() || fault->effect == FaultEffect::kCorrupt) return absl::OkStatus();
  return fault->error;
}

size_t FaultPlan::AddRule(FaultRule rule) {
  MutexLock lock(mutex_);
  rules_.push_back({.rule = std::move(rule)});
  return rules_.size() - 1;
}

void FaultPlan::ClearRules() {
  MutexLock lock(mutex_);
  rules_.clear();
}

uint64_t FaultPlan::hits(size_t number) const {
  MutexLock lock(mutex_);
  FIRN_CHECK(number < rules_.size());
  return rules_[number].hits;
}

uint64_t FaultPlan::count(FileOperation operation) const {
  MutexLock lock(mutex_);
  return counts_[static_cast<size_t>(operation)];
}

uint64_t FaultPlan::operations() const {
  MutexLock lock(mutex_);
  uint64_t total = 0;
  for (const uint64_t count : counts_) total += count;
  return total;
}

void FaultPlan::SetSpace(std::optional<uint64_t> bytes) {
  MutexLock lock(mutex_);
  space_ = bytes;
}

std::optional<uint64_t> FaultPlan::space() const {
  MutexLock lock(mutex_);
  return space_;
}

uint64_t FaultPlan::Take(uint64_t bytes) {
  MutexLock lock(mutex_);
  if (!space_.has_value()) return bytes;
  const uint64_t taken = std::min(bytes, *space_);
  *space_ -= taken;
  return taken;
}

void FaultPlan::Release(uint64_t bytes) {
  MutexLock lock(mutex_);
  if (space_.has_value()) *space_ += bytes;
}

FaultPlan::OccupiedPointer FaultPlan::Occupy(absl::string_view path, uint64_t size) {
  MutexLock lock(mutex_);
  OccupiedPointer& account = occupied_[std::string(path)];
  if (account == nullptr) account = std::make_shared<Occupied>(weak_from_this(), size);
  return account;
}

void FaultPlan::Forget(absl::string_view path) {
  OccupiedPointer last;  // dies after the lock is free, which its destructor takes
  MutexLock lock(mutex_);
  const auto found = occupied_.find(path);
  if (found == occupied_.end()) return;
  last = std::move(found->second);
  occupied_.erase(found);
}

void FaultPlan::Move(absl::string_view from, absl::string_view to) {
  OccupiedPointer last;
  MutexLock lock(mutex_);
  auto moved = occupied_.extract(std::string(from));
  OccupiedPointer account = moved.empty() ? nullptr : std::move(moved.mapped());
  const auto replaced = occupied_.find(to);
  if (replaced != occupied_.end()) {
    last = std::move(replaced->second);
    occupied_.erase(replaced);
  }
  if (account != nullptr) occupied_.emplace(std::string(to), std::move(account));
}

void FaultPlan::Share(absl::string_view from, absl::string_view to) {
  MutexLock lock(mutex_);
  const auto found = occupied_.find(from);
  if (found != occupied_.end()) occupied_[std::string(to)] = found->second;
}

}  // namespace firn
