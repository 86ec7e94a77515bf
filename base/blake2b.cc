#include "base/blake2b.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/coding.h"

namespace firn {
namespace {

constexpr size_t kBlockSize = 128;
constexpr size_t kWords = 16;
constexpr size_t kLabelWords = 10;  // 80 bytes: every label of a leaf with a value of 8 bytes

constexpr std::array<uint64_t, 8> kInitial = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

// Parameter block: 32 bytes of output, no key, fanout and depth 1.
constexpr std::array<uint64_t, 8> MakeStart() {
  std::array<uint64_t, 8> start = kInitial;
  start[0] ^= 0x01010000 | kBlake2b256Size;
  return start;
}
constexpr std::array<uint64_t, 8> kStart = MakeStart();

#define FIRN_ALWAYS_INLINE inline __attribute__((always_inline))

// Word `kIndex` of a message of which only the first `kPresent` words can be other than zero.
template <size_t kPresent, size_t kIndex>
FIRN_ALWAYS_INLINE uint64_t Plus(uint64_t sum, const uint64_t (&message)[kPresent]) {
  if constexpr (kIndex < kPresent) {
    return sum + message[kIndex];
  } else {
    return sum;
  }
}

template <size_t kPresent, size_t kX, size_t kY>
FIRN_ALWAYS_INLINE void Mix(uint64_t& a, uint64_t& b, uint64_t& c, uint64_t& d,
                            const uint64_t (&message)[kPresent]) {
  a = Plus<kPresent, kX>(a + b, message);
  d = std::rotr(d ^ a, 32);
  c += d;
  b = std::rotr(b ^ c, 24);
  a = Plus<kPresent, kY>(a + b, message);
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 63);
}

template <size_t kPresent, size_t kRound>
FIRN_ALWAYS_INLINE void Round(uint64_t (&v)[16], const uint64_t (&message)[kPresent]) {
  constexpr const uint8_t(&s)[16] = kSigma[kRound % 10];
  Mix<kPresent, s[0], s[1]>(v[0], v[4], v[8], v[12], message);
  Mix<kPresent, s[2], s[3]>(v[1], v[5], v[9], v[13], message);
  Mix<kPresent, s[4], s[5]>(v[2], v[6], v[10], v[14], message);
  Mix<kPresent, s[6], s[7]>(v[3], v[7], v[11], v[15], message);
  Mix<kPresent, s[8], s[9]>(v[0], v[5], v[10], v[15], message);
  Mix<kPresent, s[10], s[11]>(v[1], v[6], v[11], v[12], message);
  Mix<kPresent, s[12], s[13]>(v[2], v[7], v[8], v[13], message);
  Mix<kPresent, s[14], s[15]>(v[3], v[4], v[9], v[14], message);
}

template <size_t kPresent, size_t... kRounds>
FIRN_ALWAYS_INLINE void Rounds(uint64_t (&v)[16], const uint64_t (&message)[kPresent],
                               std::index_sequence<kRounds...>) {
  (Round<kPresent, kRounds>(v, message), ...);
}

enum class BlockKind : uint64_t { kInner = 0, kLast = ~uint64_t{0} };

// Takes the first 8 * kPresent bytes of a block whose other bytes are zero into `state`.
// `total`: bytes of the message up to and including this block.
template <size_t kPresent>
void Compress(std::array<uint64_t, 8>& state, const uint8_t* block, uint64_t total,
              BlockKind kind) {
  uint64_t message[kPresent];
  std::memcpy(message, block, sizeof(message));
  uint64_t v[16];
  for (size_t i = 0; i < 8; ++i) v[i] = state[i];
  for (size_t i = 0; i < 8; ++i) v[8 + i] = kInitial[i];
  v[12] ^= total;
  v[14] ^= static_cast<uint64_t>(kind);
  Rounds<kPresent>(v, message, std::make_index_sequence<12>());
  for (size_t i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[8 + i];
}

// `size` in [0, 128] bytes at `bytes`, which end the message.
void CompressLast(std::array<uint64_t, 8>& state, const uint8_t* bytes, size_t size,
                  uint64_t total) {
  if (size <= kLabelWords * 8) {
    uint8_t padded[kLabelWords * 8] = {};
    if (size > 0) std::memcpy(padded, bytes, size);
    Compress<kLabelWords>(state, padded, total, BlockKind::kLast);
  } else {
    uint8_t padded[kBlockSize] = {};
    std::memcpy(padded, bytes, size);
    Compress<kWords>(state, padded, total, BlockKind::kLast);
  }
}

Blake2b256Hash FirstWords(const std::array<uint64_t, 8>& state) {
  Blake2b256Hash hash;
  std::memcpy(hash.data(), state.data(), hash.size());
  return hash;
}

}  // namespace

Blake2b256Hash HashBlake2b256(ByteSpan bytes) {
  std::array<uint64_t, 8> state = kStart;
  const uint8_t* next = bytes.data();
  size_t left = bytes.size();
  for (; left > kBlockSize; left -= kBlockSize, next += kBlockSize) {
    Compress<kWords>(state, next, bytes.size() - left + kBlockSize, BlockKind::kInner);
  }
  CompressLast(state, next, left, bytes.size());
  return FirstWords(state);
}

Blake2b256Hash HashBlake2b256(absl::Span<const ByteSpan> pieces) {
  Blake2b256 hash;
  for (const ByteSpan piece : pieces) hash.Update(piece);
  return hash.Finish();
}

Blake2b256::Blake2b256() : state_(kStart) {}

void Blake2b256::Update(ByteSpan bytes) {
  const uint8_t* next = bytes.data();
  size_t left = bytes.size();
  while (left > 0) {
    if (buffered_ == kBlockSize) {  // and more follows, so it is not the last block
      compressed_ += kBlockSize;
      Compress<kWords>(state_, buffer_.data(), compressed_, BlockKind::kInner);
      buffered_ = 0;
    }
    const size_t taken = std::min(left, kBlockSize - buffered_);
    std::memcpy(buffer_.data() + buffered_, next, taken);
    buffered_ += taken;
    next += taken;
    left -= taken;
  }
}

Blake2b256Hash Blake2b256::Finish() {
  CompressLast(state_, buffer_.data(), buffered_, compressed_ + buffered_);
  return FirstWords(state_);
}

}  // namespace firn
