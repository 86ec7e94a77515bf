// tree/proof_format.h: the bytes of a proof. Only Prover and Verifier include this.
//
//   proof = tokens | 04 | direction bytes
//
// Tokens: the tree as it was before the batch, post-order, down to what the batch did not visit:
//
//   03 | label                                         a subtree that was not visited
//   02 | [key] | next | [u32 big-endian length] | value   a visited leaf; `key` only if no leaf token
//                                                      precedes, or a label token came in between (it
//                                                      is that leaf's next otherwise); the length only
//                                                      if values are variable
//   any other byte                                     a visited internal node, after both its
//                                                      children: its balance (FF, 00, 01)
//
// Direction bits of all operations without gaps, least significant bit first, 1 = left; no count is
// stored and the unused bits of the last byte are zero. docs/formats/proof.md has an example.
#ifndef FIRN_TREE_PROOF_FORMAT_H_
#define FIRN_TREE_PROOF_FORMAT_H_

#include <cstddef>
#include <cstdint>

namespace firn {

inline constexpr uint8_t kProofLeaf = 2;
inline constexpr uint8_t kProofLabel = 3;
inline constexpr uint8_t kProofEndOfTree = 4;
inline constexpr size_t kProofValueLengthSize = 4;

}  // namespace firn

#endif  // FIRN_TREE_PROOF_FORMAT_H_
