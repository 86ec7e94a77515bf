#include "engine/recent_writes.h"

#include <algorithm>

#include "base/check.h"

namespace firn {
namespace {

constexpr size_t kBytesPerKey = 96;    // a node of the map with its string
constexpr size_t kBytesPerWrite = 24;  // its place in the order

}  // namespace

void RecentWrites::Start(SequenceNumber last) {
  FIRN_CHECK(!recording_);
  recording_ = true;
  start_ = last;
}

void RecentWrites::Stop() {
  recording_ = false;
  keyspaces_.clear();
  bytes_ = 0;
}

void RecentWrites::ForgetOldest(OfKeyspace& recent) {
  const Write oldest = recent.writes.front();
  size_t bytes = kBytesPerWrite;
  if (oldest.key->second == oldest.sequence) {
    bytes += kBytesPerKey + oldest.key->first.size();
    recent.keys.erase(oldest.key);
  }
  recent.writes.pop_front();
  recent.floor = std::max(recent.floor, oldest.sequence);
  recent.bytes -= bytes;
  bytes_ -= bytes;
}

// An eighth at a time, so that the search for the largest is rare.
void RecentWrites::MakeRoom() {
  while (bytes_ > bytes_max_) {
    OfKeyspace* largest = nullptr;
    for (auto& [id, recent] : keyspaces_) {
      if (largest == nullptr || recent.bytes > largest->bytes) largest = &recent;
    }
    const size_t target = bytes_max_ - bytes_max_ / 8;
    while (!largest->writes.empty() && bytes_ > target) ForgetOldest(*largest);
  }
}

void RecentWrites::Add(KeyspaceId keyspace, absl::string_view key, SequenceNumber sequence) {
  FIRN_DCHECK(recording_);
  const auto [found, fresh] = keyspaces_.try_emplace(keyspace);
  OfKeyspace& recent = found->second;
  if (fresh) recent.floor = start_;
  FIRN_DCHECK(recent.writes.empty() || recent.writes.back().sequence < sequence);
  while (!recent.writes.empty() && recent.writes.front().sequence <= forget_) ForgetOldest(recent);
  size_t bytes = kBytesPerWrite;
  auto position = recent.keys.lower_bound(key);
  if (position == recent.keys.end() || position->first != key) {
    position = recent.keys.emplace_hint(position, std::string(key), sequence);
    bytes += kBytesPerKey + key.size();
  }
  position->second = sequence;
  recent.writes.push_back({sequence, position});
  recent.bytes += bytes;
  bytes_ += bytes;
  MakeRoom();
}

void RecentWrites::ForgetThrough(KeyspaceId keyspace, SequenceNumber last) {
  FIRN_DCHECK(recording_);
  OfKeyspace& recent = keyspaces_[keyspace];
  while (!recent.writes.empty()) ForgetOldest(recent);
  recent.floor = last;
}

SequenceNumber RecentWrites::floor(KeyspaceId keyspace) const {
  FIRN_DCHECK(recording_);
  const auto found = keyspaces_.find(keyspace);
  return found == keyspaces_.end() ? start_ : found->second.floor;
}

bool RecentWrites::WasWritten(KeyspaceId keyspace, absl::string_view key,
                              SequenceNumber after) const {
  const auto found = keyspaces_.find(keyspace);
  if (found == keyspaces_.end()) return false;
  FIRN_DCHECK(found->second.floor <= after);
  const auto position = found->second.keys.find(key);
  return position != found->second.keys.end() && position->second > after;
}

std::optional<absl::string_view> RecentWrites::FindWritten(
    KeyspaceId keyspace, absl::string_view begin, const std::optional<std::string>& limit,
    SequenceNumber after) const {
  const auto found = keyspaces_.find(keyspace);
  if (found == keyspaces_.end()) return std::nullopt;
  const OfKeyspace& recent = found->second;
  FIRN_DCHECK(recent.floor <= after);
  const auto below_limit = [&](absl::string_view key) {
    return !limit.has_value() || key < absl::string_view(*limit);
  };
  // Through the keys of the range and through the newest writes at once: the shorter one decides.
  auto in_range = recent.keys.lower_bound(begin);
  auto newest = recent.writes.rbegin();
  while (true) {
    if (in_range == recent.keys.end() || !below_limit(in_range->first)) return std::nullopt;
    if (in_range->second > after) return in_range->first;
    if (newest == recent.writes.rend() || newest->sequence <= after) return std::nullopt;
    const std::string& key = newest->key->first;
    if (absl::string_view(key) >= begin && below_limit(key)) return key;
    ++in_range;
    ++newest;
  }
}

}  // namespace firn
