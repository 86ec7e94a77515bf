#include "firn/prefix_range.h"

namespace firn {

std::optional<std::string> PrefixSuccessor(absl::string_view prefix) {
  std::string successor(prefix);
  while (!successor.empty()) {
    const auto last = static_cast<unsigned char>(successor.back());
    if (last < 0xff) {
      successor.back() = static_cast<char>(last + 1);
      return successor;
    }
    successor.pop_back();
  }
  return std::nullopt;
}

IteratorOptions PrefixRange(absl::string_view prefix) {
  IteratorOptions options;
  options.begin = std::string(prefix);
  options.limit = PrefixSuccessor(prefix);
  return options;
}

}  // namespace firn
