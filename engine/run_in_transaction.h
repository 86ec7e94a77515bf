// engine/run_in_transaction.h: how long a transaction that lost waits before it is run again. Pure.
#ifndef FIRN_ENGINE_RUN_IN_TRANSACTION_H_
#define FIRN_ENGINE_RUN_IN_TRANSACTION_H_

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"
#include "base/random.h"
#include "firn/transaction.h"

namespace firn {

// InvalidArgument/kInvalidOption.
absl::Status CheckRunOptions(const RunOptions& options);

// Before attempt `attempt` (the second is 2): uniform in [0, limit], where the limit doubles from
// backoff_us_min at each attempt and stays at backoff_us_max. Chance is what parts two that meet.
std::chrono::microseconds BackoffBefore(uint32_t attempt, const RunOptions& options,
                                        Random& random);

}  // namespace firn

#endif  // FIRN_ENGINE_RUN_IN_TRANSACTION_H_
