// Any bytes under any declared size: a Status, or exactly that many bytes; and what is compressed
// comes back.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/coding.h"
#include "base/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  ByteReader reader{ByteSpan(data, size)};
  const auto kind = reader.ReadByte();
  const auto declared = reader.ReadVarint64();
  if (!kind.has_value() || !declared.has_value()) return 0;
  const auto compression = static_cast<CompressionKind>(*kind % 4);
  const auto result = Uncompress(compression, reader.rest(), *declared);
  if (result.ok()) FIRN_CHECK(result->size() == *declared);

  std::string compressed;
  Compress(CompressionKind::kLz4, reader.rest(), compressed);
  const auto back = Uncompress(CompressionKind::kLz4, AsBytes(compressed), reader.remaining());
  FIRN_CHECK(back.ok() && *back == AsText(reader.rest()));
  return 0;
}
