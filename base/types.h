// base/types.h: numbers that must not be mistaken for one another.
#ifndef FIRN_BASE_TYPES_H_
#define FIRN_BASE_TYPES_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace firn {

// Two Strong types never convert into each other, nor from a bare integer.
template <typename Tag, typename Rep>
struct Strong {
  Rep value{};
  friend auto operator<=>(const Strong&, const Strong&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Strong& strong) {
    return H::combine(std::move(state), strong.value);
  }
};

// Position of an entry in the order of all writes; 1 is the first, 0 means "before everything".
using SequenceNumber = Strong<struct SequenceNumberTag, uint64_t>;
// Names a segment, log or manifest file; never used twice in the life of a store.
using FileNumber = Strong<struct FileNumberTag, uint64_t>;
// 0 is the level that flushes write to.
using LevelIndex = Strong<struct LevelIndexTag, uint32_t>;
// Never used twice in the life of a store.
using KeyspaceId = Strong<struct KeyspaceIdTag, uint32_t>;

// A sequence number shares eight bytes with the kind of its entry, hence 56 bits.
inline constexpr SequenceNumber kMaxSequenceNumber{(uint64_t{1} << 56) - 1};

// Bytes that someone else owns.
using ByteSpan = absl::Span<const uint8_t>;

inline ByteSpan AsBytes(absl::string_view text) {
  return ByteSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}
inline absl::string_view AsText(ByteSpan bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace firn

#endif  // FIRN_BASE_TYPES_H_
