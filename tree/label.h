// tree/label.h: the label of a node, its BLAKE2b-256, and what is legal as key, value and parameters.
//
//   leaf      H( 00 | key | value | next )
//   internal  H( 01 | balance as one signed byte | label(left) | label(right) )      66 bytes
//
// No lengths are hashed: key length is fixed, so the split of a leaf is unambiguous. The routing key
// of an internal node is not hashed. The sentinels are all 00 (before every key) and all FF (after).
#ifndef FIRN_TREE_LABEL_H_
#define FIRN_TREE_LABEL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"

namespace firn {

inline constexpr uint8_t kLeafLabelPrefix = 0;
inline constexpr uint8_t kInternalLabelPrefix = 1;
inline constexpr uint32_t kKeyLengthMax = 255;
inline constexpr uint32_t kFixedValueLengthMax = 16u << 20;

struct LeafFields {
  absl::string_view key;
  absl::string_view value;
  absl::string_view next;  // the key of the following leaf
};

Label LeafLabel(const LeafFields& leaf);
Label InternalLabel(int8_t balance, const Label& left, const Label& right);

// InvalidArgument/kInvalidOption if a length is out of the range that firn/proof.h states.
absl::Status CheckTreeParameters(const TreeParameters& parameters);
// InvalidArgument/kIllegalKey: wrong length, or a sentinel.
absl::Status CheckKey(absl::string_view key, const TreeParameters& parameters);
// InvalidArgument/kIllegalValue: not the fixed length, or more than 2^32 - 1 bytes.
absl::Status CheckValue(absl::string_view value, const TreeParameters& parameters);

// The leaf that every tree has: key all 00, next all FF, value zeroes of the fixed length.
struct SentinelLeaf {
  std::string key;
  std::string value;
  std::string next;
};
SentinelLeaf MakeSentinelLeaf(const TreeParameters& parameters);

}  // namespace firn

#endif  // FIRN_TREE_LABEL_H_
