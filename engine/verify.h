// engine/verify.h: walks a store that is open and says what is damaged; repairs nothing.
//
//   kFiles    FIRN, CURRENT and the manifest read again; the manifest makes the state in memory; the
//             levels keep their invariants; every segment is there with its size and id; every log
//             is there and names the one before it
//   kBlocks   every block of every segment, every record of every log; and that no entry stands below
//             an older one of its key (DESIGN section 4, invariant 6)
//
// It pins one version of each keyspace; reads and writes go on. Of the newest log only what is on
// stable storage is judged.
#ifndef FIRN_ENGINE_VERIFY_H_
#define FIRN_ENGINE_VERIFY_H_

#include <string>

#include "absl/status/statusor.h"
#include "base/types.h"
#include "engine/active_log.h"
#include "engine/keyspace.h"
#include "engine/version_set.h"
#include "firn/database.h"
#include "io/file_system.h"

namespace firn {

struct VerifyInput {
  FileSystem& file_system;
  std::string directory;
  VersionSet& versions;
  ActiveLog& log;
  const KeyspaceTable& keyspaces;
};

absl::StatusOr<VerifyReport> VerifyStore(const VerifyInput& input, VerifyLevel level);

}  // namespace firn

#endif  // FIRN_ENGINE_VERIFY_H_
