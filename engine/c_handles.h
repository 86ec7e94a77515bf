// engine/c_handles.h: what stands behind the handles of firn/c.h. Only the engine's part of the C API
// includes this; the tree's reaches them through firn/c_bridge.h.
//
// Invariant: a handle that must not outlive its Database holds a share of it, declared first, so that
// it goes last. Hence handles may be freed in any order.
#ifndef FIRN_ENGINE_C_HANDLES_H_
#define FIRN_ENGINE_C_HANDLES_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/c_support.h"
#include "firn/c.h"
#include "firn/database.h"
#include "firn/iterator.h"
#include "firn/keyspace.h"
#include "firn/options.h"
#include "firn/snapshot.h"
#include "firn/transaction.h"
#include "firn/write_batch.h"

struct firn_database {
  std::shared_ptr<firn::Database> database;
};

struct firn_keyspace {
  std::shared_ptr<firn::Database> database;
  firn::Keyspace keyspace;
};

struct firn_batch {
  firn::WriteBatch batch;
};

struct firn_value {
  std::shared_ptr<firn::Database> database;
  firn::PinnedValue value;
};

struct firn_values {
  struct Result {
    firn_code code = FIRN_OK;
    firn::PinnedValue value;
    std::unique_ptr<firn_error> error;
  };
  std::shared_ptr<firn::Database> database;
  std::vector<Result> results;
};

struct firn_iterator {
  std::shared_ptr<firn::Database> database;
  std::unique_ptr<firn::Iterator> iterator;
  absl::Status failed;  // what the last move met on this side of the engine
};

struct firn_snapshot {
  std::shared_ptr<firn::Database> database;
  firn::Snapshot snapshot;
};

struct firn_transaction {
  std::shared_ptr<firn::Database> database;
  // Owned, or RunInTransaction()'s.
  std::unique_ptr<firn::Transaction> owned;
  firn::Transaction* transaction = nullptr;
};

namespace firn {

// kVolatile, kBuffered or kSynced; InvalidArgument for other numbers.
absl::StatusOr<Durability> DurabilityFromC(firn_durability durability);

// [begin, *limit) of a C caller.
absl::StatusOr<IteratorOptions> BoundsFromC(firn_bytes begin, const firn_bytes* limit);

// The two halves of every get and multi-get, whoever reads.
absl::Status ReturnValue(const std::shared_ptr<Database>& database,
                         absl::StatusOr<PinnedValue> found, firn_value** value);
void ReturnValues(const std::shared_ptr<Database>& database,
                  std::vector<absl::StatusOr<PinnedValue>> found, firn_values** values);

}  // namespace firn

#endif  // FIRN_ENGINE_C_HANDLES_H_
