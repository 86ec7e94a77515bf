// firn/write_batch.h: an ordered list of puts and removes over any keyspaces, applied as one.
#ifndef FIRN_WRITE_BATCH_H_
#define FIRN_WRITE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "firn/keyspace.h"

namespace firn {

inline constexpr size_t kKeySizeMax = 64 << 10;             // bytes
inline constexpr size_t kValueSizeMax = size_t{32} << 20;   // bytes
inline constexpr size_t kBatchSizeMax = size_t{64} << 20;   // bytes, encoded

// Later entries win over earlier ones for the same key. One thread at a time. A key or value over
// its limit is not kept: Database::Write() refuses the batch then.
class WriteBatch {
 public:
  void Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value);
  void Remove(const Keyspace& keyspace, absl::string_view key);
  // Appends all entries of `other`.
  void Append(const WriteBatch& other);
  void Clear();  // keeps its memory

  size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Bytes as they will stand in the log (docs/formats/write_batch.md).
  size_t encoded_size() const { return entries_.size(); }
  // For the engine: the encoded entries.
  absl::string_view encoded() const { return entries_; }
  // For the engine: of the store that its handles belong to; 0: none yet.
  uint64_t store_tag() const { return store_tag_; }
  // For the engine: size of the largest key or value that was over its limit; 0: none was.
  size_t oversize() const { return oversize_; }

 private:
  void NoteStore(uint64_t tag);
  bool Fits(absl::string_view key, absl::string_view value);
  template <typename Encode>
  void Add(Encode encode);

  std::string entries_;
  uint64_t store_tag_ = 0;
  size_t oversize_ = 0;
  size_t count_ = 0;
};

}  // namespace firn

#endif  // FIRN_WRITE_BATCH_H_
