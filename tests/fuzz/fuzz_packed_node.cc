// Any bytes are a node or a Status; a node packs to the bytes it was read from.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/types.h"
#include "tree/packed_node.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;
  if (size == 0) return 0;
  TreeParameters parameters{.key_length = 1u + data[0] % 64};
  if (data[0] >= 128) parameters.value_length = data[0] % 7;
  const ByteSpan bytes(data + 1, size - 1);
  const auto unpacked = UnpackNode(bytes, parameters);
  if (!unpacked.ok()) return 0;
  FIRN_CHECK(unpacked->size <= bytes.size());
  const std::vector<uint8_t> packed = PackNode(*unpacked->node, parameters);
  FIRN_CHECK(packed.size() == unpacked->size);
  FIRN_CHECK(std::equal(packed.begin(), packed.end(), bytes.begin()));
  (void)ComputeLabel(*unpacked->node);
  return 0;
}
