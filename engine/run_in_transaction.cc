#include "engine/run_in_transaction.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/database.h"
#include "engine/transaction.h"

namespace firn {

absl::Status CheckRunOptions(const RunOptions& options) {
  if (options.durability != Durability::kSynced && options.durability != Durability::kBuffered) {
    return InvalidOption("durability", "a transaction commits kSynced or kBuffered");
  }
  if (options.attempts_max < 1 || options.attempts_max > 1'000'000) {
    return InvalidOption("attempts_max",
                         absl::StrCat(options.attempts_max, " is not in [1, 1000000]"));
  }
  if (options.backoff_us_min > options.backoff_us_max) {
    return InvalidOption("backoff_us_min", absl::StrCat(options.backoff_us_min, " is above ",
                                                        "backoff_us_max ", options.backoff_us_max));
  }
  return CheckTransactionOptions(options.transaction);
}

std::chrono::microseconds BackoffBefore(uint32_t attempt, const RunOptions& options,
                                        Random& random) {
  FIRN_CHECK(attempt >= 2);
  const uint32_t doublings = std::min<uint32_t>(attempt - 2, 31);
  const uint64_t limit = std::min<uint64_t>(uint64_t{options.backoff_us_min} << doublings,
                                            options.backoff_us_max);
  return std::chrono::microseconds(random.Uniform(limit + 1));
}

// --- firn/database.h: the calls about transactions

absl::StatusOr<std::unique_ptr<Transaction>> DatabaseImpl::BeginTransaction(
    const TransactionOptions& options) {
  FIRN_RETURN_IF_ERROR(CheckNotClosed());
  FIRN_RETURN_IF_ERROR(CheckTransactionOptions(options));
  return std::make_unique<Transaction>(std::make_shared<TransactionImpl>(*this, options));
}

absl::Status DatabaseImpl::RunInTransaction(
    const std::function<absl::Status(Transaction&)>& work, const RunOptions& options) {
  FIRN_RETURN_IF_ERROR(CheckRunOptions(options));
  Random random(environment_.clock->MonotonicMicroseconds() ^ conflicts_.NextTicket());
  for (uint32_t attempt = 1;; ++attempt) {
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Transaction> transaction,
                          BeginTransaction(options.transaction));
    absl::Status status = work(*transaction);
    if (status.ok() && !transaction->ended()) status = transaction->Commit(options.durability);
    if (ReasonOf(status) != ErrorReason::kConflict) return status;
    if (attempt == options.attempts_max) {
      return Annotate(status, absl::StrCat("given up after ", attempt, " attempts"));
    }
    // It must not keep its snapshot while it waits.
    if (!transaction->ended()) FIRN_RETURN_IF_ERROR(transaction->Rollback());
    environment_.clock->SleepFor(BackoffBefore(attempt + 1, options, random));
  }
}

absl::StatusOr<std::unique_ptr<Transaction>> Database::BeginTransaction(
    const TransactionOptions& options) {
  return impl_->BeginTransaction(options);
}

absl::Status Database::RunInTransaction(const std::function<absl::Status(Transaction&)>& work,
                                        const RunOptions& options) {
  return impl_->RunInTransaction(work, options);
}

}  // namespace firn
