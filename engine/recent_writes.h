// engine/recent_writes.h: which keys were written lately, by sequence number, in bounded memory: what
// transactions are checked against without reading the store.
//
// Invariant: while recording, every write to a keyspace numbered above its floor() is found. Floors
// only rise, when writes are forgotten: because no transaction asks for them any more, or because
// memory is short; then the keyspace with the most loses its oldest, so that a bulk load does not
// cost the transactions on other keyspaces theirs.
//
// Memory: an ordered map a keyspace from key to its last number, and the writes in order of numbers;
// about 120 bytes and the key for each key, 24 for each further write to it.
#ifndef FIRN_ENGINE_RECENT_WRITES_H_
#define FIRN_ENGINE_RECENT_WRITES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/types.h"

namespace firn {

// One thread at a time.
class RecentWrites {
 public:
  explicit RecentWrites(size_t bytes_max) : bytes_max_(bytes_max) {}

  bool recording() const { return recording_; }
  // From now on every write above `last` is added. Not while recording.
  void Start(SequenceNumber last);
  // Forgets everything.
  void Stop();

  // Nobody asks for writes at or below `limit` any more.
  void MayForget(SequenceNumber limit) { forget_ = limit; }
  // Keys that nobody listed were written to `keyspace`, up to number `last`: its floor rises to that.
  void ForgetThrough(KeyspaceId keyspace, SequenceNumber last);
  // Numbers ascend.
  void Add(KeyspaceId keyspace, absl::string_view key, SequenceNumber sequence);

  // Writes to `keyspace` above it are all known.
  SequenceNumber floor(KeyspaceId keyspace) const;
  // Whether `key` was written above `after`, which is not below the floor.
  bool WasWritten(KeyspaceId keyspace, absl::string_view key, SequenceNumber after) const;
  // A key in [begin, limit) that was; takes as many steps as there are keys in the range or writes
  // above `after`, whichever is less. The view dies with the next Add(), MayForget() or Stop().
  std::optional<absl::string_view> FindWritten(KeyspaceId keyspace, absl::string_view begin,
                                               const std::optional<std::string>& limit,
                                               SequenceNumber after) const;
  size_t bytes() const { return bytes_; }

 private:
  struct KeyOrder {
    using is_transparent = void;
    bool operator()(absl::string_view a, absl::string_view b) const { return a < b; }
  };
  using Keys = std::map<std::string, SequenceNumber, KeyOrder>;  // to the last write of each
  struct Write {
    SequenceNumber sequence;
    Keys::iterator key;
  };
  struct OfKeyspace {
    Keys keys;
    std::deque<Write> writes;  // ascending
    SequenceNumber floor;
    size_t bytes = 0;
  };

  void ForgetOldest(OfKeyspace& recent);
  void MakeRoom();

  const size_t bytes_max_;
  bool recording_ = false;
  SequenceNumber start_;   // floor of keyspaces without writes
  SequenceNumber forget_;  // of MayForget()
  size_t bytes_ = 0;
  absl::flat_hash_map<KeyspaceId, OfKeyspace> keyspaces_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_RECENT_WRITES_H_
