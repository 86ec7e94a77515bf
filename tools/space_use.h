// tools/space_use.h: how much of what a store keeps on disk is still alive, found by reading all of it.
#ifndef FIRN_TOOLS_SPACE_USE_H_
#define FIRN_TOOLS_SPACE_USE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "firn/database.h"

namespace firn {

struct SpaceUse {
  std::string keyspace;      // empty: all of them
  uint64_t live_entries = 0;
  uint64_t live_raw_bytes = 0;  // keys and values that a read finds now
  uint64_t disk_raw_bytes = 0;  // keys and values in segments, with old versions and tombstones
  uint64_t disk_bytes = 0;      // of segments

  // Bytes on disk for each byte that live data takes there, compressed as it is: 1 is the least. 0 if
  // nothing is alive.
  double Amplification() const {
    return live_raw_bytes == 0 ? 0
                               : static_cast<double>(disk_raw_bytes) /
                                     static_cast<double>(live_raw_bytes);
  }
};

// One for each keyspace, then the sum. Flushes what is in memory first, so that all is on disk.
absl::StatusOr<std::vector<SpaceUse>> MeasureSpace(Database& database);

}  // namespace firn

#endif  // FIRN_TOOLS_SPACE_USE_H_
