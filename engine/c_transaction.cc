// The C API of transactions.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/c_handles.h"
#include "firn/c.h"

namespace firn {
namespace {

constexpr absl::string_view kIsolations[] = {"snapshot", "serializable"};

absl::StatusOr<uint64_t> ParseUpTo(const NamedText& option, uint64_t max) {
  FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(option));
  if (number > max) return InvalidOption(option.name, absl::StrCat(number, " is above ", max));
  return number;
}

// True if `option` is one of a transaction.
absl::StatusOr<bool> SetByName(TransactionOptions& options, const NamedText& option) {
  if (option.name == "isolation") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t isolation, ParseWord(option, kIsolations));
    options.isolation = static_cast<Isolation>(isolation);
  } else if (option.name == "write_bytes_max") {
    FIRN_ASSIGN_OR_RETURN(options.write_bytes_max, ParseNumber(option));
  } else if (option.name == "read_bytes_max") {
    FIRN_ASSIGN_OR_RETURN(options.read_bytes_max, ParseNumber(option));
  } else {
    return false;
  }
  return true;
}

absl::StatusOr<TransactionOptions> TransactionOptionsFromC(const firn_option* options,
                                                           size_t count) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  TransactionOptions result;
  for (const NamedText& option : named) {
    FIRN_ASSIGN_OR_RETURN(const bool is_known, SetByName(result, option));
    if (!is_known) return UnknownOption(option);
  }
  return result;
}

absl::StatusOr<RunOptions> RunOptionsFromC(const firn_option* options, size_t count) {
  constexpr uint64_t kMax = UINT32_MAX;
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  RunOptions result;
  for (const NamedText& option : named) {
    FIRN_ASSIGN_OR_RETURN(const bool is_known, SetByName(result.transaction, option));
    if (is_known) continue;
    uint32_t* const field = option.name == "attempts_max"     ? &result.attempts_max
                            : option.name == "backoff_us_min" ? &result.backoff_us_min
                            : option.name == "backoff_us_max" ? &result.backoff_us_max
                                                              : nullptr;
    if (field == nullptr) return UnknownOption(option);
    FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseUpTo(option, kMax));
    *field = static_cast<uint32_t>(number);
  }
  return result;
}

// A call on a transaction: `call(transaction)`.
template <typename Call>
firn_code OnTransaction(firn_transaction* transaction, firn_error** error, Call call) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    return call(*transaction->transaction);
  });
}

// A call with a savepoint's name.
template <typename Call>
firn_code OnSavepoint(firn_transaction* transaction, firn_bytes name, firn_error** error,
                      Call call) {
  return OnTransaction(transaction, error, [&](Transaction& open) -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    return call(open, text);
  });
}

// Both gets: `look(transaction, keyspace, key)`.
template <typename Look>
firn_code GetInTransaction(firn_transaction* transaction, const firn_keyspace* keyspace,
                           firn_bytes key, firn_value** value, firn_error** error, Look look) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(value, "value"));
    *value = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    return ReturnValue(transaction->database,
                       look(*transaction->transaction, keyspace->keyspace, key_view), value);
  });
}

// The status that a client's code stands for.
absl::Status StatusOfWork(firn_code code) {
  if (code == FIRN_OK) return absl::OkStatus();
  const bool is_known = code > FIRN_OK && code <= FIRN_UNAUTHENTICATED;
  const auto status_code = is_known ? static_cast<absl::StatusCode>(code)
                                    : absl::StatusCode::kUnknown;
  const ErrorReason reason = code == FIRN_ABORTED ? ErrorReason::kConflict : ErrorReason::kNone;
  absl::Status status(status_code, absl::StrCat("the transaction's work returned code ", code));
  return reason == ErrorReason::kNone ? status : WithReason(std::move(status), reason);
}

}  // namespace
}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::OnSavepoint;
using firn::OnTransaction;

firn_code firn_transaction_begin(firn_database* database, const firn_option* options,
                                 size_t option_count, firn_transaction** transaction,
                                 firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    *transaction = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_ASSIGN_OR_RETURN(const firn::TransactionOptions begin_with,
                          firn::TransactionOptionsFromC(options, option_count));
    FIRN_ASSIGN_OR_RETURN(std::unique_ptr<firn::Transaction> begun,
                          database->database->BeginTransaction(begin_with));
    firn::Transaction* const open = begun.get();
    *transaction = new firn_transaction{database->database, std::move(begun), open};
    return absl::OkStatus();
  });
}

firn_code firn_transaction_get(firn_transaction* transaction, const firn_keyspace* keyspace,
                               firn_bytes key, firn_value** value, firn_error** error) {
  return firn::GetInTransaction(transaction, keyspace, key, value, error,
                                [](firn::Transaction& open, const firn::Keyspace& where,
                                   absl::string_view which) { return open.Get(where, which); });
}

firn_code firn_transaction_get_for_update(firn_transaction* transaction,
                                          const firn_keyspace* keyspace, firn_bytes key,
                                          firn_value** value, firn_error** error) {
  return firn::GetInTransaction(
      transaction, keyspace, key, value, error,
      [](firn::Transaction& open, const firn::Keyspace& where, absl::string_view which) {
        return open.GetForUpdate(where, which);
      });
}

firn_code firn_transaction_multi_get(firn_transaction* transaction, const firn_keyspace* keyspace,
                                     const firn_bytes* keys, size_t key_count,
                                     firn_values** values, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(values, "values"));
    *values = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<absl::string_view> views,
                          FromC(keys, key_count, "keys"));
    firn::ReturnValues(transaction->database,
                       transaction->transaction->MultiGet(keyspace->keyspace, views), values);
    return absl::OkStatus();
  });
}

firn_code firn_transaction_iterator(firn_transaction* transaction, const firn_keyspace* keyspace,
                                    firn_bytes begin, const firn_bytes* limit,
                                    firn_iterator** iterator, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(iterator, "iterator"));
    *iterator = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const firn::IteratorOptions bounds, firn::BoundsFromC(begin, limit));
    *iterator = new firn_iterator{transaction->database, transaction->transaction->NewIterator(
                                                             keyspace->keyspace, bounds)};
    return absl::OkStatus();
  });
}

firn_code firn_transaction_put(firn_transaction* transaction, const firn_keyspace* keyspace,
                               firn_bytes key, firn_bytes value, firn_error** error) {
  return OnTransaction(transaction, error, [&](firn::Transaction& open) -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view value_view, FromC(value, "value"));
    return open.Put(keyspace->keyspace, key_view, value_view);
  });
}

firn_code firn_transaction_remove(firn_transaction* transaction, const firn_keyspace* keyspace,
                                  firn_bytes key, firn_error** error) {
  return OnTransaction(transaction, error, [&](firn::Transaction& open) -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    return open.Remove(keyspace->keyspace, key_view);
  });
}

firn_code firn_transaction_create_savepoint(firn_transaction* transaction, firn_bytes name,
                                            firn_error** error) {
  return OnSavepoint(transaction, name, error,
                     [](firn::Transaction& open, absl::string_view which) {
                       return open.CreateSavepoint(which);
                     });
}
firn_code firn_transaction_rollback_to_savepoint(firn_transaction* transaction, firn_bytes name,
                                                 firn_error** error) {
  return OnSavepoint(transaction, name, error,
                     [](firn::Transaction& open, absl::string_view which) {
                       return open.RollbackToSavepoint(which);
                     });
}
firn_code firn_transaction_release_savepoint(firn_transaction* transaction, firn_bytes name,
                                             firn_error** error) {
  return OnSavepoint(transaction, name, error,
                     [](firn::Transaction& open, absl::string_view which) {
                       return open.ReleaseSavepoint(which);
                     });
}

firn_code firn_transaction_savepoints(const firn_transaction* transaction, firn_list** names,
                                      firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(names, "names"));
    *names = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    *names = new firn_list{transaction->transaction->savepoint_names()};
    return absl::OkStatus();
  });
}

firn_code firn_transaction_changes_since(const firn_transaction* transaction, firn_bytes name,
                                         size_t* changes, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(changes, "changes"));
    *changes = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view which, FromC(name, "name"));
    FIRN_ASSIGN_OR_RETURN(*changes, transaction->transaction->ChangesSince(which));
    return absl::OkStatus();
  });
}

firn_code firn_transaction_commit(firn_transaction* transaction, firn_durability durability,
                                  firn_error** error) {
  return OnTransaction(transaction, error, [&](firn::Transaction& open) -> absl::Status {
    const absl::StatusOr<firn::Durability> level = firn::DurabilityFromC(durability);
    if (level.ok()) return open.Commit(*level);
    static_cast<void>(open.Rollback());  // whatever Commit() returns, the transaction has ended
    return level.status();
  });
}

firn_code firn_transaction_rollback(firn_transaction* transaction, firn_error** error) {
  return OnTransaction(transaction, error, [](firn::Transaction& open) { return open.Rollback(); });
}

int firn_transaction_ended(const firn_transaction* transaction) {
  return transaction != nullptr && transaction->transaction->ended() ? 1 : 0;
}
size_t firn_transaction_write_count(const firn_transaction* transaction) {
  return transaction == nullptr ? 0 : transaction->transaction->write_count();
}
void firn_transaction_free(firn_transaction* transaction) {
  // The one that firn_database_run() lends is not the caller's to free.
  if (transaction != nullptr && transaction->owned != nullptr) delete transaction;
}

firn_code firn_database_run(firn_database* database,
                            firn_code (*work)(firn_transaction* transaction, void* context),
                            void* context, const firn_option* options, size_t option_count,
                            firn_durability durability, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    if (work == nullptr) return firn::InvalidArgument("work is NULL");
    FIRN_ASSIGN_OR_RETURN(firn::RunOptions run_with, firn::RunOptionsFromC(options, option_count));
    FIRN_ASSIGN_OR_RETURN(run_with.durability, firn::DurabilityFromC(durability));
    return database->database->RunInTransaction(
        [&](firn::Transaction& open) {
          firn_transaction borrowed{database->database, nullptr, &open};
          return firn::StatusOfWork(work(&borrowed, context));
        },
        run_with);
  });
}
