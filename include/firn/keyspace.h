// firn/keyspace.h: the handle of one ordered map from keys to values inside a database.
#ifndef FIRN_KEYSPACE_H_
#define FIRN_KEYSPACE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/iterator.h"
#include "firn/options.h"
#include "firn/snapshot.h"

namespace firn {

class KeyspaceImpl;

// A value that pins the block or memtable it stands in: no copy was made. The view is valid as long
// as this object (or a copy of its pin) lives. Must not outlive its Database.
class PinnedValue {
 public:
  PinnedValue() = default;
  PinnedValue(absl::string_view view, std::shared_ptr<const void> pin)
      : view_(view), pin_(std::move(pin)) {}
  absl::string_view view() const { return view_; }
  std::string ToString() const { return std::string(view_); }

 private:
  absl::string_view view_;
  std::shared_ptr<const void> pin_;
};

// Cheap to copy; thread-safe; must not outlive its Database. After DropKeyspace() every call
// returns FailedPrecondition/kKeyspaceDropped.
class Keyspace {
 public:
  Keyspace() = default;  // an empty handle: calls on it return InvalidArgument
  bool empty() const { return impl_ == nullptr; }

  // The value under `key` at `snapshot` (empty: now). NotFound, with an empty message, if absent.
  absl::StatusOr<PinnedValue> Get(absl::string_view key, const Snapshot& snapshot = {}) const;

  // One result a key, in the order of `keys`; all at the same point in time. Blocks that must be
  // read from disk are read together.
  std::vector<absl::StatusOr<PinnedValue>> MultiGet(absl::Span<const absl::string_view> keys,
                                                    const Snapshot& snapshot = {}) const;

  // Never null; an error (dropped keyspace, for one) shows in status().
  std::unique_ptr<Iterator> NewIterator(const IteratorOptions& options = {}) const;

  // Bytes of segments whose keys meet [begin, limit), whole segments counted; empty limit: no limit.
  absl::StatusOr<uint64_t> ApproximateSize(absl::string_view begin, absl::string_view limit) const;

  // Whether DropKeyspace() was called for it; an empty handle was not.
  bool dropped() const;
  const std::string& name() const;
  uint32_t id() const;  // never used twice in a store
  const KeyspaceOptions& options() const;

  // For the engine.
  explicit Keyspace(std::shared_ptr<KeyspaceImpl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<KeyspaceImpl>& impl() const { return impl_; }

 private:
  std::shared_ptr<KeyspaceImpl> impl_;
};

}  // namespace firn

#endif  // FIRN_KEYSPACE_H_
