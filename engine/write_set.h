// engine/write_set.h: what a transaction has written and not yet committed, over any keyspaces: the
// last write of each key in key order, and how to undo the latest ones.
#ifndef FIRN_ENGINE_WRITE_SET_H_
#define FIRN_ENGINE_WRITE_SET_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "firn/keyspace.h"
#include "firn/write_batch.h"

namespace firn {

// One thread at a time.
class WriteSet {
 public:
  struct KeyOrder {
    using is_transparent = void;
    bool operator()(absl::string_view a, absl::string_view b) const { return a < b; }
  };
  using Value = std::shared_ptr<const std::string>;  // null: the key is removed
  using Keys = std::map<std::string, Value, KeyOrder>;

  void Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value);
  void Remove(const Keyspace& keyspace, absl::string_view key);

  // Null if nothing was written there. Both pointers die with the next write or undo.
  const Keys* KeysOf(const Keyspace& keyspace) const;
  const Value* Find(const Keyspace& keyspace, absl::string_view key) const;

  size_t key_count() const { return key_count_; }
  bool empty() const { return key_count_ == 0; }
  // Keys and values with 16 bytes an entry, those that an undo would bring back included.
  size_t bytes() const { return bytes_; }
  // What a write of this size may add to bytes().
  static size_t BytesOf(absl::string_view key, absl::string_view value) {
    return 2 * kBytesPerEntry + key.size() + value.size();
  }

  // Writes from now on can be undone, down to this point; its position is 0.
  void StartUndoLog();
  void StopUndoLog();
  // Writes that can be undone: the position of the next one.
  size_t undo_position() const { return undo_.size(); }
  void UndoTo(size_t position);

  // One entry for each key.
  void AppendTo(WriteBatch& batch) const;
  void Clear();

 private:
  static constexpr size_t kBytesPerEntry = 16;
  struct OfKeyspace {
    Keyspace keyspace;
    Keys keys;
  };
  struct Undo {
    OfKeyspace* where = nullptr;  // elements of a std::map stay where they are
    Keys::iterator key;
    bool was_there = false;
    Value before;
  };

  void Set(const Keyspace& keyspace, absl::string_view key, Value value);
  static size_t SizeOf(const Value& value) {
    return kBytesPerEntry + (value == nullptr ? 0 : value->size());
  }

  std::map<uint32_t, OfKeyspace> keyspaces_;  // by id
  size_t key_count_ = 0;
  size_t bytes_ = 0;
  bool logging_ = false;
  std::vector<Undo> undo_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_WRITE_SET_H_
