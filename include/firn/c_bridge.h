// firn/c_bridge.h: the C++ object behind a handle of the C API, for programs that use both, and for
// calls that extend the C API from outside the engine.
#ifndef FIRN_C_BRIDGE_H_
#define FIRN_C_BRIDGE_H_

#include <memory>

#include "firn/c.h"
#include "firn/database.h"
#include "firn/keyspace.h"
#include "firn/write_batch.h"

namespace firn {

// Shares the database with the handle: it lives at least as long as what is returned. The handle must
// not be NULL.
std::shared_ptr<Database> DatabaseOf(const firn_database& handle);
// As long as the handle lives.
const Keyspace& KeyspaceOf(const firn_keyspace& handle);
const WriteBatch& BatchOf(const firn_batch& handle);

}  // namespace firn

#endif  // FIRN_C_BRIDGE_H_
