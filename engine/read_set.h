// engine/read_set.h: which keys and ranges a transaction has read, in order, so that a rollback to a
// savepoint can forget the latest.
#ifndef FIRN_ENGINE_READ_SET_H_
#define FIRN_ENGINE_READ_SET_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

struct PointRead {
  KeyspaceId keyspace;
  std::string key;
};

// [begin, limit); no limit: to the last key.
struct RangeRead {
  KeyspaceId keyspace;
  std::string begin;
  std::optional<std::string> limit;
};

// One thread at a time.
class ReadSet {
 public:
  struct PointOrder {
    using is_transparent = void;
    using View = std::pair<KeyspaceId, absl::string_view>;
    static View ViewOf(const PointRead& point) { return {point.keyspace, point.key}; }
    static const View& ViewOf(const View& view) { return view; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      const View& left = ViewOf(a);
      const View& right = ViewOf(b);
      if (left.first != right.first) return left.first < right.first;
      return left.second < right.second;
    }
  };
  using Points = std::set<PointRead, PointOrder>;

  // Each key once.
  void AddPoint(KeyspaceId keyspace, absl::string_view key);
  // What AddPoint() would add to bytes(): 0 for a key that is there.
  size_t BytesToAdd(KeyspaceId keyspace, absl::string_view key) const;
  // The range's index, until it is forgotten.
  size_t AddRange(RangeRead range);
  // The range now begins at or before `begin` and ends at or behind `limit`.
  void WidenRange(size_t index, absl::string_view begin, const std::optional<std::string>& limit);

  const std::vector<Points::iterator>& points() const { return point_log_; }  // in order
  const std::vector<RangeRead>& ranges() const { return ranges_; }
  bool empty() const { return point_log_.empty() && ranges_.empty(); }
  // With 64 bytes an entry.
  size_t bytes() const { return bytes_; }

  // What was read by now.
  struct Mark {
    size_t points = 0;
    size_t ranges = 0;
  };
  Mark mark() const { return {point_log_.size(), ranges_.size()}; }
  // Forgets what was added since. A range that was widened since stays as wide.
  void ForgetSince(const Mark& mark);
  // Changes whenever indexes of ranges may have been forgotten.
  uint64_t epoch() const { return epoch_; }
  void Clear();

 private:
  Points points_;
  std::vector<Points::iterator> point_log_;
  std::vector<RangeRead> ranges_;
  size_t bytes_ = 0;
  uint64_t epoch_ = 0;
};

}  // namespace firn

#endif  // FIRN_ENGINE_READ_SET_H_
