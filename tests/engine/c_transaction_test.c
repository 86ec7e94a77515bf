/* The calls of firn/c.h on transactions. */
#include "firn/c.h"
#include "tests/engine/c_tests.h"
#include "tests/support/c_check.h"

static const firn_bytes kNullKey = {NULL, 1};

static void test_reads_and_writes(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_transaction* transaction = NULL;
  firn_value* value = NULL;
  firn_values* values = NULL;
  firn_iterator* walk = NULL;
  firn_option options[] = {option("isolation", "serializable"), option("write_bytes_max", "1MiB"),
                           option("read_bytes_max", "64KiB")};
  CHECK_OK(firn_transaction_begin(database, options, 3, &transaction, &error));
  CHECK_OK(firn_transaction_put(transaction, notes, text("b"), text("20"), &error));
  CHECK_OK(firn_transaction_remove(transaction, notes, text("a"), &error));
  CHECK(firn_transaction_write_count(transaction) == 2);
  CHECK_OK(firn_transaction_get(transaction, notes, text("b"), &value, &error));
  CHECK(is_text(firn_value_bytes(value), "20"));
  firn_value_free(value);
  CHECK(firn_transaction_get(transaction, notes, text("a"), &value, &error) == FIRN_NOT_FOUND);
  CHECK(error == NULL);
  CHECK_OK(firn_transaction_get_for_update(transaction, notes, text("c"), &value, &error));
  firn_value_free(value);
  const firn_bytes keys[] = {text("a"), text("c")};
  CHECK_OK(firn_transaction_multi_get(transaction, notes, keys, 2, &values, &error));
  CHECK(firn_values_code(values, 0) == FIRN_NOT_FOUND && is_text(firn_values_at(values, 1), "3"));
  firn_values_free(values);
  const firn_bytes limit = text("c");
  CHECK_OK(firn_transaction_iterator(transaction, notes, text(""), &limit, &walk, &error));
  CHECK(firn_iterator_seek_to_first(walk) == 1 && is_text(firn_iterator_key(walk), "b"));
  CHECK(firn_iterator_next(walk) == 0);
  firn_iterator_free(walk);
  CHECK(firn_transaction_ended(transaction) == 0);
  CHECK_OK(firn_transaction_commit(transaction, FIRN_SYNCED, &error));
  CHECK(firn_transaction_ended(transaction) == 1);
  CHECK_FAILS(firn_transaction_put(transaction, notes, text("x"), text("y"), &error),
              FIRN_FAILED_PRECONDITION, FIRN_REASON_TRANSACTION_ENDED);
  firn_transaction_free(transaction);
  CHECK(firn_keyspace_get(notes, text("a"), NULL, &value, NULL) == FIRN_NOT_FOUND);
}

static void test_conflicts(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_transaction *first = NULL, *second = NULL, *third = NULL;
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &first, &error));
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &second, &error));
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &third, &error));
  CHECK_OK(firn_transaction_put(first, notes, text("same"), text("1"), &error));
  CHECK_OK(firn_transaction_put(second, notes, text("same"), text("2"), &error));
  CHECK_OK(firn_transaction_put(third, notes, text("same"), text("3"), &error));
  CHECK_OK(firn_transaction_rollback(third, &error));
  CHECK_OK(firn_transaction_commit(first, FIRN_BUFFERED, &error));
  CHECK_FAILS(firn_transaction_commit(second, FIRN_BUFFERED, &error), FIRN_ABORTED,
              FIRN_REASON_CONFLICT);
  firn_transaction_free(first);
  firn_transaction_free(second);
  firn_transaction_free(third);
}

static void test_savepoints(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_transaction* transaction = NULL;
  firn_list* names = NULL;
  size_t changes = 9;
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &transaction, &error));
  CHECK_OK(firn_transaction_create_savepoint(transaction, text("one"), &error));
  CHECK_OK(firn_transaction_put(transaction, notes, text("s"), text("1"), &error));
  CHECK_OK(firn_transaction_create_savepoint(transaction, text("two"), &error));
  CHECK_FAILS(firn_transaction_create_savepoint(transaction, text("two"), &error),
              FIRN_ALREADY_EXISTS, FIRN_REASON_SAVEPOINT_EXISTS);
  CHECK_OK(firn_transaction_savepoints(transaction, &names, &error));
  CHECK(firn_list_size(names) == 2 && is_text(firn_list_at(names, 1), "two"));
  firn_list_free(names);
  CHECK_OK(firn_transaction_changes_since(transaction, text("one"), &changes, &error));
  CHECK(changes == 1);
  CHECK_OK(firn_transaction_release_savepoint(transaction, text("two"), &error));
  CHECK_OK(firn_transaction_rollback_to_savepoint(transaction, text("one"), &error));
  CHECK(firn_transaction_write_count(transaction) == 0);
  CHECK_FAILS(firn_transaction_rollback_to_savepoint(transaction, text("two"), &error),
              FIRN_NOT_FOUND, FIRN_REASON_SAVEPOINT_NOT_FOUND);
  CHECK_REFUSED(firn_transaction_create_savepoint(transaction, kNullKey, &error));
  CHECK_REFUSED(firn_transaction_savepoints(transaction, NULL, &error));
  CHECK_REFUSED(firn_transaction_changes_since(transaction, text("one"), NULL, &error));
  firn_transaction_free(transaction); /* rolls back */
}

struct counted {
  firn_keyspace* notes;
  int calls;
  int fail_first; /* so many calls say that there was a conflict */
  firn_code end_with;
};

static firn_code count_up(firn_transaction* transaction, void* context) {
  struct counted* const counted = context;
  if (counted->calls++ < counted->fail_first) return FIRN_ABORTED;
  firn_code code =
      firn_transaction_put(transaction, counted->notes, text("counter"), text("up"), NULL);
  return code != FIRN_OK ? code : counted->end_with;
}

static void test_run(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_value* value = NULL;
  struct counted work = {notes, 0, 2, FIRN_OK};
  firn_option options[] = {option("attempts_max", "5"), option("backoff_us_min", "1"),
                           option("backoff_us_max", "10"), option("isolation", "snapshot")};
  CHECK_OK(firn_database_run(database, count_up, &work, options, 4, FIRN_SYNCED, &error));
  CHECK(work.calls == 3);
  CHECK_OK(firn_keyspace_get(notes, text("counter"), NULL, &value, &error));
  firn_value_free(value);
  struct counted never = {notes, 0, 100, FIRN_OK};
  CHECK_FAILS(firn_database_run(database, count_up, &never, options, 4, FIRN_SYNCED, &error),
              FIRN_ABORTED, FIRN_REASON_CONFLICT);
  CHECK(never.calls == 5);
  struct counted refuses = {notes, 0, 0, FIRN_OUT_OF_RANGE};
  CHECK_FAILS(firn_database_run(database, count_up, &refuses, NULL, 0, FIRN_SYNCED, &error),
              FIRN_OUT_OF_RANGE, FIRN_REASON_NONE);
  struct counted odd = {notes, 0, 0, 4711};
  CHECK_FAILS(firn_database_run(database, count_up, &odd, NULL, 0, FIRN_SYNCED, &error),
              FIRN_UNKNOWN, FIRN_REASON_NONE);
  firn_option unknown[] = {option("tries", "5")}, large[] = {option("attempts_max", "5000000000")};
  CHECK_FAILS(firn_database_run(database, count_up, &work, unknown, 1, FIRN_SYNCED, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_FAILS(firn_database_run(database, count_up, &work, large, 1, FIRN_SYNCED, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_database_run(NULL, count_up, &work, NULL, 0, FIRN_SYNCED, &error));
  CHECK_REFUSED(firn_database_run(database, NULL, &work, NULL, 0, FIRN_SYNCED, &error));
  CHECK_REFUSED(firn_database_run(database, count_up, &work, NULL, 0, 0, &error));
}

static void test_nothing_given(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_transaction* transaction = NULL;
  firn_value* value = NULL;
  firn_values* values = NULL;
  firn_iterator* walk = NULL;
  firn_list* names = NULL;
  size_t changes = 0;
  const firn_bytes key = text("k");
  firn_option unknown[] = {option("attempts_max", "5")}; /* of a run, not of a transaction */
  CHECK_FAILS(firn_transaction_begin(database, unknown, 1, &transaction, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_transaction_begin(NULL, NULL, 0, &transaction, &error));
  CHECK_REFUSED(firn_transaction_begin(database, NULL, 0, NULL, &error));
  CHECK_REFUSED(firn_transaction_get(NULL, notes, key, &value, &error));
  CHECK_REFUSED(firn_transaction_get_for_update(NULL, notes, key, &value, &error));
  CHECK_REFUSED(firn_transaction_multi_get(NULL, notes, &key, 1, &values, &error));
  CHECK_REFUSED(firn_transaction_iterator(NULL, notes, key, NULL, &walk, &error));
  CHECK_REFUSED(firn_transaction_put(NULL, notes, key, key, &error));
  CHECK_REFUSED(firn_transaction_remove(NULL, notes, key, &error));
  CHECK_REFUSED(firn_transaction_create_savepoint(NULL, key, &error));
  CHECK_REFUSED(firn_transaction_rollback_to_savepoint(NULL, key, &error));
  CHECK_REFUSED(firn_transaction_release_savepoint(NULL, key, &error));
  CHECK_REFUSED(firn_transaction_savepoints(NULL, &names, &error));
  CHECK_REFUSED(firn_transaction_changes_since(NULL, key, &changes, &error));
  CHECK_REFUSED(firn_transaction_commit(NULL, FIRN_SYNCED, &error));
  CHECK_REFUSED(firn_transaction_rollback(NULL, &error));
  CHECK(firn_transaction_ended(NULL) == 0 && firn_transaction_write_count(NULL) == 0);
  firn_transaction_free(NULL);

  CHECK_OK(firn_transaction_begin(database, NULL, 0, &transaction, &error));
  CHECK_REFUSED(firn_transaction_get(transaction, NULL, key, &value, &error));
  CHECK_REFUSED(firn_transaction_get(transaction, notes, key, NULL, &error));
  CHECK_REFUSED(firn_transaction_get(transaction, notes, kNullKey, &value, &error));
  CHECK_REFUSED(firn_transaction_get_for_update(transaction, NULL, key, &value, &error));
  CHECK_REFUSED(firn_transaction_multi_get(transaction, NULL, &key, 1, &values, &error));
  CHECK_REFUSED(firn_transaction_multi_get(transaction, notes, &key, 1, NULL, &error));
  CHECK_REFUSED(firn_transaction_iterator(transaction, NULL, key, NULL, &walk, &error));
  CHECK_REFUSED(firn_transaction_iterator(transaction, notes, key, NULL, NULL, &error));
  CHECK_REFUSED(firn_transaction_put(transaction, NULL, key, key, &error));
  CHECK_REFUSED(firn_transaction_put(transaction, notes, key, kNullKey, &error));
  CHECK_REFUSED(firn_transaction_remove(transaction, NULL, key, &error));
  CHECK_REFUSED(firn_transaction_commit(transaction, 0, &error));
  CHECK(firn_transaction_ended(transaction) == 1); /* as after every commit */
  firn_transaction_free(transaction);
}

void test_transactions(void) {
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  put(database, notes, "a", "1");
  put(database, notes, "b", "2");
  put(database, notes, "c", "3");
  test_reads_and_writes(database, notes);
  test_conflicts(database, notes);
  test_savepoints(database, notes);
  test_run(database, notes);
  test_nothing_given(database, notes);
  firn_database_free(database);
  firn_keyspace_free(notes);
}
