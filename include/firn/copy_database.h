// firn/copy_database.h: a store into another one: from memory to disk, from disk to memory, into other
// options. A TreeStorage or a tree is copied with its database:
//
//     auto disk = firn::Database::Open("/var/lib/dump", {}).value();
//     absl::Status dumped = firn::CopyDatabase(storage->database(), *disk);
//     auto again = firn::TreeStorage::Open(std::move(disk), {}).value();
#ifndef FIRN_COPY_DATABASE_H_
#define FIRN_COPY_DATABASE_H_

#include "absl/status/status.h"
#include "firn/database.h"

namespace firn {

// Copies what `source` holds now, by one snapshot, to `target`, which must have no keyspace
// (FailedPrecondition/kKeyspaceExists): keyspaces with their options, and the newest version of every
// entry. Durable when it returns. The identity is not copied: it is fixed when a store is made. Reads
// all of `source`, which may be written to meanwhile. The keyspace "metadata" is written last: after
// an error or a crash a target that is half full is no tree and no tree storage. Keyspaces that are
// made or dropped in `source` meanwhile may be missing, or fail the call (kKeyspaceDropped).
absl::Status CopyDatabase(Database& source, Database& target);

}  // namespace firn

#endif  // FIRN_COPY_DATABASE_H_
