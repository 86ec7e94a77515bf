// engine/append_memtable.h: the memtable of the sequence layout: 8-byte big-endian keys that ascend
// as they come, each put once: an array that only grows at its end.
//
// The array is made of pieces, each twice as large as the one before, so that nothing ever moves.
// The adding thread fills a place and then stores the new count with release order; readers load it
// with acquire and look below it. Lookup: interpolation (dense keys are found at once), then halving.
#ifndef FIRN_ENGINE_APPEND_MEMTABLE_H_
#define FIRN_ENGINE_APPEND_MEMTABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "base/arena.h"
#include "engine/memtable.h"

namespace firn {

class AppendMemtable final : public Memtable {
 public:
  AppendMemtable() = default;

  std::optional<Found> Get(absl::string_view key, SequenceNumber sequence) const override;
  std::unique_ptr<InternalIterator> NewIterator() const override;

 private:
  struct Place {
    uint64_t key;
    uint64_t sequence;
    const char* value;
    uint32_t value_size;
  };
  static constexpr size_t kFirstPiece = 256;
  static constexpr size_t kPiecesMax = 40;
  class PlaceIterator;

  void Insert(absl::Span<const MemtableEntry> entries) override;
  size_t MemoryInUse() const override { return arena_.bytes_used() + pieces_bytes_; }

  const Place& At(size_t index) const;
  // The first place below `count` whose key is `key` or above; `count` if there is none.
  size_t LowerBound(uint64_t key, size_t count) const;

  Arena arena_;  // of the values; the adding thread's
  size_t pieces_bytes_ = 0;
  std::array<std::unique_ptr<Place[]>, kPiecesMax> pieces_;  // seen by whoever has seen the count
  std::atomic<size_t> count_{0};
};

}  // namespace firn

#endif  // FIRN_ENGINE_APPEND_MEMTABLE_H_
