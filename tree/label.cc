#include "tree/label.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/blake2b.h"
#include "base/status.h"
#include "base/types.h"

namespace firn {

Label LeafLabel(const LeafFields& leaf) {
  // Short messages are put together on the stack: one or two blocks of the hash.
  constexpr size_t kShort = 256;
  const size_t size = 1 + leaf.key.size() + leaf.value.size() + leaf.next.size();
  if (size <= kShort) {
    std::array<uint8_t, kShort> message;
    message[0] = kLeafLabelPrefix;
    uint8_t* target = message.data() + 1;
    for (const absl::string_view part : {leaf.key, leaf.value, leaf.next}) {
      if (!part.empty()) std::memcpy(target, part.data(), part.size());
      target += part.size();
    }
    return HashBlake2b256(ByteSpan(message.data(), size));
  }
  const ByteSpan pieces[] = {ByteSpan(&kLeafLabelPrefix, 1), AsBytes(leaf.key), AsBytes(leaf.value),
                             AsBytes(leaf.next)};
  return HashBlake2b256(absl::MakeConstSpan(pieces));
}

Label InternalLabel(int8_t balance, const Label& left, const Label& right) {
  std::array<uint8_t, 66> message;
  message[0] = kInternalLabelPrefix;
  message[1] = static_cast<uint8_t>(balance);
  std::memcpy(&message[2], left.data(), left.size());
  std::memcpy(&message[34], right.data(), right.size());
  return HashBlake2b256(ByteSpan(message));
}

absl::Status CheckTreeParameters(const TreeParameters& parameters) {
  if (parameters.key_length < 1 || parameters.key_length > kKeyLengthMax) {
    return InvalidOption(
        "key_length", absl::StrCat(parameters.key_length, " is not in [1, ", kKeyLengthMax, "]"));
  }
  if (parameters.value_length.has_value() && *parameters.value_length > kFixedValueLengthMax) {
    return InvalidOption("value_length", absl::StrCat(*parameters.value_length, " is not in [0, ",
                                                      kFixedValueLengthMax, "]"));
  }
  return absl::OkStatus();
}

absl::Status CheckKey(absl::string_view key, const TreeParameters& parameters) {
  if (key.size() != parameters.key_length) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kIllegalKey,
                     absl::StrCat("key has ", key.size(), " bytes, keys of this tree have ",
                                  parameters.key_length));
  }
  const char first = key.front();
  if (first != '\x00' && first != '\xff') return absl::OkStatus();
  if (std::all_of(key.begin(), key.end(), [first](char byte) { return byte == first; })) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kIllegalKey,
                     first == '\x00' ? "a key of zero bytes alone stands for \"before all keys\""
                                     : "a key of FF bytes alone stands for \"after all keys\"");
  }
  return absl::OkStatus();
}

absl::Status CheckValue(absl::string_view value, const TreeParameters& parameters) {
  if (parameters.value_length.has_value() && value.size() != *parameters.value_length) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kIllegalValue,
                     absl::StrCat("value has ", value.size(), " bytes, values of this tree have ",
                                  *parameters.value_length));
  }
  if (value.size() > UINT32_MAX) {
    return MakeError(
        absl::StatusCode::kInvalidArgument, ErrorReason::kIllegalValue,
        absl::StrCat("value has ", value.size(), " bytes, at most 2^32 - 1 are possible"));
  }
  return absl::OkStatus();
}

SentinelLeaf MakeSentinelLeaf(const TreeParameters& parameters) {
  return {.key = std::string(parameters.key_length, '\x00'),
          .value = std::string(parameters.value_length.value_or(0), '\x00'),
          .next = std::string(parameters.key_length, '\xff')};
}

}  // namespace firn
