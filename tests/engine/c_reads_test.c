/* The calls of firn/c.h that read: values, snapshots, iterators. */
#include "firn/c.h"
#include "tests/engine/c_tests.h"
#include "tests/support/c_check.h"

static const firn_bytes kNullKey = {NULL, 1};

static void test_values(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_value *value = NULL, *absent = NULL;
  CHECK_OK(firn_keyspace_get(notes, text("b"), NULL, &value, &error));
  put(database, notes, "b", "changed");
  CHECK(is_text(firn_value_bytes(value), "2")); /* pinned as it was */
  CHECK(firn_keyspace_get(notes, text("zz"), NULL, &absent, &error) == FIRN_NOT_FOUND);
  CHECK(absent == NULL && error == NULL);
  void* copy = NULL;
  size_t size = 0;
  CHECK_OK(firn_keyspace_get_copy(notes, text("b"), NULL, &copy, &size, &error));
  CHECK(size == 7 && memcmp(copy, "changed", 8) == 0); /* a zero byte behind it */
  firn_free(copy);
  put(database, notes, "b", "2");
  firn_value_free(value);

  CHECK(firn_value_bytes(NULL).data == NULL);
  firn_value_free(NULL);
  CHECK_REFUSED(firn_keyspace_get(NULL, text("b"), NULL, &value, &error));
  CHECK_REFUSED(firn_keyspace_get(notes, text("b"), NULL, NULL, &error));
  CHECK_REFUSED(firn_keyspace_get(notes, kNullKey, NULL, &value, &error));
  CHECK_REFUSED(firn_keyspace_get_copy(NULL, text("b"), NULL, &copy, &size, &error));
  CHECK_REFUSED(firn_keyspace_get_copy(notes, text("b"), NULL, NULL, &size, &error));
  CHECK_REFUSED(firn_keyspace_get_copy(notes, text("b"), NULL, &copy, NULL, &error));
}

static void test_many_values(firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_values* values = NULL;
  firn_bytes keys[] = {text("a"), text("none"), text("c")};
  CHECK_OK(firn_keyspace_multi_get(notes, keys, 3, NULL, &values, &error));
  CHECK(firn_values_size(values) == 3);
  CHECK(firn_values_code(values, 0) == FIRN_OK && is_text(firn_values_at(values, 0), "1"));
  CHECK(firn_values_code(values, 1) == FIRN_NOT_FOUND && firn_values_at(values, 1).data == NULL);
  CHECK(firn_values_error(values, 1) == NULL);
  CHECK(is_text(firn_values_at(values, 2), "3"));
  CHECK(firn_values_code(values, 3) == FIRN_INVALID_ARGUMENT);
  CHECK(firn_values_at(values, 3).data == NULL && firn_values_error(values, 3) == NULL);
  firn_values_free(values);
  CHECK_OK(firn_keyspace_multi_get(notes, NULL, 0, NULL, &values, &error));
  CHECK(firn_values_size(values) == 0);
  firn_values_free(values);
  firn_values_free(NULL);
  CHECK(firn_values_size(NULL) == 0);
  keys[1] = kNullKey;
  CHECK_REFUSED(firn_keyspace_multi_get(notes, keys, 3, NULL, &values, &error));
  CHECK_REFUSED(firn_keyspace_multi_get(notes, NULL, 3, NULL, &values, &error));
  CHECK_REFUSED(firn_keyspace_multi_get(NULL, keys, 1, NULL, &values, &error));
  CHECK_REFUSED(firn_keyspace_multi_get(notes, keys, 1, NULL, NULL, &error));
}

static void test_snapshots(firn_database* database, firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_snapshot* snapshot = NULL;
  firn_value* value = NULL;
  CHECK_OK(firn_snapshot_take(database, &snapshot, &error));
  CHECK(firn_snapshot_sequence(snapshot) == firn_database_last_sequence(database));
  put(database, notes, "late", "x");
  CHECK(firn_keyspace_get(notes, text("late"), snapshot, &value, NULL) == FIRN_NOT_FOUND);
  CHECK_OK(firn_keyspace_get(notes, text("late"), NULL, &value, &error));
  firn_value_free(value);
  firn_snapshot_free(snapshot);
  firn_snapshot_free(NULL);
  CHECK(firn_snapshot_sequence(NULL) == 0);
  CHECK_REFUSED(firn_snapshot_take(NULL, &snapshot, &error));
  CHECK_REFUSED(firn_snapshot_take(database, NULL, &error));
}

static void test_iterators(firn_keyspace* notes) {
  firn_error* error = NULL;
  firn_iterator* walk = NULL;
  const firn_bytes limit = text("d");
  CHECK_OK(firn_iterator_new(notes, text("b"), &limit, NULL, &walk, &error));
  CHECK(firn_iterator_valid(walk) == 0 && firn_iterator_key(walk).data == NULL);
  CHECK(firn_iterator_next(walk) == 0 && firn_iterator_prev(walk) == 0); /* stands nowhere */
  int seen = 0;
  for (int on = firn_iterator_seek_to_first(walk); on; on = firn_iterator_next(walk)) ++seen;
  CHECK(seen == 2); /* b, c */
  CHECK_OK(firn_iterator_status(walk, &error));
  CHECK(firn_iterator_seek_to_last(walk) == 1 && is_text(firn_iterator_key(walk), "c") &&
        is_text(firn_iterator_value(walk), "3"));
  CHECK(firn_iterator_prev(walk) == 1 && is_text(firn_iterator_key(walk), "b"));
  CHECK(firn_iterator_seek(walk, text("bb")) == 1 && is_text(firn_iterator_key(walk), "c"));
  CHECK(firn_iterator_seek_for_prev(walk, text("bb")) == 1 &&
        is_text(firn_iterator_key(walk), "b"));
  CHECK(firn_iterator_seek(walk, kNullKey) == 0);
  CHECK(firn_iterator_valid(walk) == 0); /* not the end: an error */
  CHECK_REFUSED(firn_iterator_status(walk, &error));
  CHECK(firn_iterator_seek_for_prev(walk, text("bb")) == 1 && firn_iterator_valid(walk) == 1);
  CHECK_OK(firn_iterator_status(walk, &error));
  CHECK(firn_iterator_seek_for_prev(walk, kNullKey) == 0);
  CHECK_REFUSED(firn_iterator_status(walk, &error));
  firn_iterator_free(walk);

  CHECK_OK(firn_iterator_new(notes, text(""), NULL, NULL, &walk, &error));
  seen = 0;
  for (int on = firn_iterator_seek_to_first(walk); on; on = firn_iterator_next(walk)) ++seen;
  CHECK(seen == 6);
  firn_iterator_free(walk);
  CHECK_OK(firn_iterator_new_prefix(notes, text("l"), NULL, &walk, &error));
  CHECK(firn_iterator_seek_to_first(walk) == 1 && is_text(firn_iterator_key(walk), "late"));
  CHECK(firn_iterator_next(walk) == 0);
  firn_iterator_free(walk);

  firn_iterator_free(NULL);
  CHECK(firn_iterator_seek_to_first(NULL) == 0 && firn_iterator_seek_to_last(NULL) == 0);
  CHECK(firn_iterator_seek(NULL, text("a")) == 0 && firn_iterator_next(NULL) == 0);
  CHECK(firn_iterator_seek_for_prev(NULL, text("a")) == 0 && firn_iterator_prev(NULL) == 0);
  CHECK(firn_iterator_valid(NULL) == 0 && firn_iterator_value(NULL).data == NULL);
  CHECK_REFUSED(firn_iterator_status(NULL, &error));
  CHECK_REFUSED(firn_iterator_new(NULL, text(""), NULL, NULL, &walk, &error));
  CHECK_REFUSED(firn_iterator_new(notes, text(""), NULL, NULL, NULL, &error));
  CHECK_REFUSED(firn_iterator_new(notes, kNullKey, NULL, NULL, &walk, &error));
  CHECK_REFUSED(firn_iterator_new(notes, text(""), &kNullKey, NULL, &walk, &error));
  CHECK_REFUSED(firn_iterator_new_prefix(NULL, text(""), NULL, &walk, &error));
  CHECK_REFUSED(firn_iterator_new_prefix(notes, text(""), NULL, NULL, &error));
}

/* The database's handle goes first; what was read from it stays. */
static void test_any_order_of_frees(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  put(database, notes, "a", "1");
  firn_snapshot* snapshot = NULL;
  firn_iterator* walk = NULL;
  firn_value* value = NULL;
  CHECK_OK(firn_snapshot_take(database, &snapshot, &error));
  CHECK_OK(firn_iterator_new(notes, text(""), NULL, snapshot, &walk, &error));
  CHECK_OK(firn_keyspace_get(notes, text("a"), snapshot, &value, &error));
  firn_database_free(database);
  firn_keyspace_free(notes);
  firn_snapshot_free(snapshot);
  CHECK(firn_iterator_seek_to_first(walk) == 1 && is_text(firn_iterator_value(walk), "1"));
  firn_iterator_free(walk);
  CHECK(is_text(firn_value_bytes(value), "1"));
  firn_value_free(value);
}

void test_reads(void) {
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  put(database, notes, "a", "1");
  put(database, notes, "b", "2");
  put(database, notes, "c", "3");
  put(database, notes, "d", "4");
  put(database, notes, "e", "5");
  test_values(database, notes);
  test_many_values(notes);
  test_snapshots(database, notes);
  test_iterators(notes);
  test_any_order_of_frees();
  firn_keyspace_free(notes);
  firn_database_free(database);
}
