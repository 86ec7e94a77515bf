// engine/write_request.h: from a client's batch to what the commit queue takes: everything that can be
// refused before there is a number is refused here.
#ifndef FIRN_ENGINE_WRITE_REQUEST_H_
#define FIRN_ENGINE_WRITE_REQUEST_H_

#include "absl/status/status.h"
#include "engine/write_path.h"
#include "firn/options.h"
#include "firn/write_batch.h"

namespace firn {

// Fills `request`, whose table is set, from `batch`, which must outlive it. InvalidArgument (too large,
// an empty handle, kVolatile over two keyspaces, what a layout does not take) or
// FailedPrecondition/kKeyspaceDropped.
absl::Status FillRequest(const WriteBatch& batch, Durability durability, WriteRequest& request);

}  // namespace firn

#endif  // FIRN_ENGINE_WRITE_REQUEST_H_
