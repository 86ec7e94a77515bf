// base/blake2b.h: BLAKE2b with 32 bytes of output (RFC 7693; "BLAKE2b-256": the output length stands
// in the parameter block, so this is not a truncated BLAKE2b-512). No key.
//
// Our own scalar code, unrolled. It is made for inputs of one or two blocks of 128 bytes, the labels
// of the tree: a label's message is 66 or 73 bytes, and the words beyond 80 bytes, known to be zero,
// are not added at all. SIMD within one hash loses against it; SIMD over several hashes wins.
#ifndef FIRN_BASE_BLAKE2B_H_
#define FIRN_BASE_BLAKE2B_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "base/types.h"

namespace firn {

inline constexpr size_t kBlake2b256Size = 32;
using Blake2b256Hash = std::array<uint8_t, kBlake2b256Size>;

// The hash of `bytes`. Allocates nothing. For a short message in parts it is cheaper to put them
// together on the stack than to pass them as pieces.
Blake2b256Hash HashBlake2b256(ByteSpan bytes);

// The hash of the pieces, one after the other.
Blake2b256Hash HashBlake2b256(absl::Span<const ByteSpan> pieces);

// The same for bytes that come in pieces. One thread at a time.
class Blake2b256 {
 public:
  Blake2b256();
  void Update(ByteSpan bytes);
  // The hash of all bytes so far. No other call may follow.
  Blake2b256Hash Finish();

 private:
  std::array<uint64_t, 8> state_;
  uint64_t compressed_ = 0;  // bytes that went into state_
  size_t buffered_ = 0;      // bytes in buffer_, which is kept until more or the end is seen
  std::array<uint8_t, 128> buffer_;
};

}  // namespace firn

#endif  // FIRN_BASE_BLAKE2B_H_
