// base/crc32c.h: CRC-32C (Castagnoli; the polynomial of iSCSI, RFC 3720), the checksum of every
// record, block and manifest entry.
#ifndef FIRN_BASE_CRC32C_H_
#define FIRN_BASE_CRC32C_H_

#include <cstdint>

#include "base/types.h"

namespace firn {

// The checksum of `bytes`. With `seed` = Crc32c(a), that of `a` followed by `bytes`; any other
// seed gives a family of checksums of which one does not pass for another.
// Uses SSE4.2 where the processor has it.
uint32_t Crc32c(ByteSpan bytes, uint32_t seed = 0);

namespace crc32c_internal {

// The two implementations, for the test that compares them.
uint32_t Portable(ByteSpan bytes, uint32_t seed);
bool HardwareIsPresent();
uint32_t Hardware(ByteSpan bytes, uint32_t seed);  // only if HardwareIsPresent()

}  // namespace crc32c_internal
}  // namespace firn

#endif  // FIRN_BASE_CRC32C_H_
