#include "engine/read_set.h"

#include "base/check.h"

namespace firn {
namespace {

constexpr size_t kBytesPerEntry = 64;

size_t SizeOf(const RangeRead& range) {
  return kBytesPerEntry + range.begin.size() + (range.limit.has_value() ? range.limit->size() : 0);
}

}  // namespace

void ReadSet::AddPoint(KeyspaceId keyspace, absl::string_view key) {
  if (points_.find(PointOrder::View{keyspace, key}) != points_.end()) return;
  point_log_.push_back(points_.insert({keyspace, std::string(key)}).first);
  bytes_ += kBytesPerEntry + key.size();
}

size_t ReadSet::BytesToAdd(KeyspaceId keyspace, absl::string_view key) const {
  if (points_.find(PointOrder::View{keyspace, key}) != points_.end()) return 0;
  return kBytesPerEntry + key.size();
}

size_t ReadSet::AddRange(RangeRead range) {
  bytes_ += SizeOf(range);
  ranges_.push_back(std::move(range));
  return ranges_.size() - 1;
}

void ReadSet::WidenRange(size_t index, absl::string_view begin,
                         const std::optional<std::string>& limit) {
  FIRN_CHECK(index < ranges_.size());
  RangeRead& range = ranges_[index];
  bytes_ -= SizeOf(range);
  if (begin < absl::string_view(range.begin)) range.begin.assign(begin.data(), begin.size());
  if (range.limit.has_value() && (!limit.has_value() || *range.limit < *limit)) {
    range.limit = limit;
  }
  bytes_ += SizeOf(range);
}

void ReadSet::ForgetSince(const Mark& mark) {
  FIRN_CHECK(mark.points <= point_log_.size() && mark.ranges <= ranges_.size());
  while (point_log_.size() > mark.points) {
    bytes_ -= kBytesPerEntry + point_log_.back()->key.size();
    points_.erase(point_log_.back());
    point_log_.pop_back();
  }
  while (ranges_.size() > mark.ranges) {
    bytes_ -= SizeOf(ranges_.back());
    ranges_.pop_back();
  }
  ++epoch_;
}

void ReadSet::Clear() { ForgetSince({}); }

}  // namespace firn
