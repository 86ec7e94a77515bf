/* Every call of firn/c.h, from a C11 program: this file has main() and the database, keyspaces,
 * batches and upkeep; reads and transactions are in their own. */
#include <stdlib.h>

#include "firn/c.h"
#include "tests/engine/c_tests.h"
#include "tests/support/c_check.h"

int check_count = 0, check_failures = 0;

firn_bytes text(const char* from) { return firn_text(from); }

firn_option option(const char* name, const char* value) {
  firn_option made = {firn_text(name), firn_text(value)};
  return made;
}

firn_database* open_in_memory(void) {
  firn_option options[] = {option("storage", "memory"), option("memtable_size", "1MiB")};
  firn_error* error = NULL;
  firn_database* database = NULL;
  CHECK_OK(firn_database_open(text("store"), options, 2, &database, &error));
  return database;
}

firn_keyspace* open_keyspace(firn_database* database, const char* name) {
  firn_error* error = NULL;
  firn_keyspace* keyspace = NULL;
  CHECK_OK(firn_keyspace_open_or_create(database, text(name), NULL, 0, &keyspace, &error));
  return keyspace;
}

void put(firn_database* database, firn_keyspace* keyspace, const char* key, const char* value) {
  firn_error* error = NULL;
  firn_batch* batch = NULL;
  CHECK_OK(firn_batch_new(&batch, &error));
  CHECK_OK(firn_batch_put(batch, keyspace, text(key), text(value), &error));
  CHECK_OK(firn_database_write(database, batch, FIRN_BUFFERED, &error));
  firn_batch_free(batch);
}

static void test_versions_and_nothing(void) {
  CHECK(firn_c_api_version() == FIRN_C_API_VERSION);
  CHECK(firn_version()[0] != '\0');
  CHECK(firn_error_code(NULL) == FIRN_OK);
  CHECK(firn_error_reason(NULL) == FIRN_REASON_NONE);
  CHECK(firn_error_message(NULL)[0] == '\0');
  CHECK(strcmp(firn_reason_name(FIRN_REASON_CONFLICT), "conflict") == 0);
  /* Freeing nothing does nothing; questions to nothing have an answer. */
  firn_error_free(NULL);
  firn_list_free(NULL);
  firn_report_free(NULL);
  firn_database_free(NULL);
  firn_keyspace_free(NULL);
  firn_batch_free(NULL);
  firn_batch_clear(NULL);
  firn_free(NULL);
  CHECK(firn_list_size(NULL) == 0 && firn_list_at(NULL, 0).data == NULL);
  CHECK(firn_report_clean(NULL) == 0);
  CHECK(firn_report_damage(NULL) == NULL && firn_report_notes(NULL) == NULL);
  CHECK(firn_database_store_id(NULL).data == NULL && firn_database_last_sequence(NULL) == 0);
  CHECK(firn_keyspace_name(NULL).data == NULL && firn_keyspace_id(NULL) == 0);
  CHECK(firn_batch_count(NULL) == 0 && firn_batch_encoded_size(NULL) == 0);
}

static void test_open(const char* folder) {
  firn_error* error = NULL;
  firn_database* database = NULL;
  firn_database* second = NULL;
  firn_bytes value;
  firn_option create[] = {option("mode", "create_new"), option("identity.owner", "alice"),
                          option("memtable_size", "2MiB"), option("background_threads", "2")};
  CHECK_OK(firn_database_open(text(folder), create, 4, &database, &error));
  CHECK(firn_database_store_id(database).size == 32);
  CHECK_OK(firn_database_identity(database, text("owner"), &value, &error));
  CHECK(is_text(value, "alice"));
  CHECK(firn_database_identity(database, text("age"), &value, &error) == FIRN_NOT_FOUND);
  CHECK(error == NULL && value.data == NULL);
  CHECK_FAILS(firn_database_open(text(folder), NULL, 0, &second, &error), FIRN_FAILED_PRECONDITION,
              FIRN_REASON_LOCKED);
  CHECK(second == NULL);
  CHECK_OK(firn_database_close(database, &error));
  CHECK_OK(firn_database_close(database, &error)); /* again: nothing to do */
  CHECK_FAILS(firn_database_sync(database, &error), FIRN_FAILED_PRECONDITION, FIRN_REASON_CLOSED);
  firn_database_free(database);
  /* It is there now. */
  CHECK(firn_database_open(text(folder), create, 1, &database, NULL) == FIRN_ALREADY_EXISTS);
  CHECK_OK(firn_database_open(text(folder), NULL, 0, &database, &error));
  firn_database_free(database); /* closes */
}

static void test_options_are_checked(void) {
  firn_error* error = NULL;
  firn_database* database = (firn_database*)&error;
  const char* bad[][2] = {{"memtable_sise", "1MiB"}, {"memtable_size", "12 apples"},
                          {"memtable_size", "1"},    {"storage", "tape"},
                          {"mode", ""},              {"identity.a=b", "x"},
                          {"layout", "ordered"}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
    firn_option options[] = {option("storage", "memory"), option(bad[i][0], bad[i][1])};
    CHECK_FAILS(firn_database_open(text("store"), options, 2, &database, &error),
                FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
    CHECK(database == NULL);
  }
  firn_option no_name = {{NULL, 4}, {NULL, 0}};
  CHECK_REFUSED(firn_database_open(text("store"), &no_name, 1, &database, &error));
  CHECK_REFUSED(firn_database_open(text("store"), NULL, 1, &database, &error));
  CHECK_REFUSED(firn_database_open(text(""), NULL, 0, &database, &error));
  CHECK_REFUSED(firn_database_open(text("store"), NULL, 0, NULL, &error));
  firn_bytes with_zero = {"a\0b", 3};
  CHECK_REFUSED(firn_database_open(with_zero, NULL, 0, &database, &error));
}

static void test_keyspaces(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_keyspace *notes = NULL, *same = NULL, *steps = NULL;
  firn_list* names = NULL;
  firn_option ordered[] = {option("compression", "none"), option("block_size", "8KiB")};
  firn_option sequence[] = {option("layout", "sequence")};
  CHECK_OK(firn_keyspace_create(database, text("notes"), ordered, 2, &notes, &error));
  CHECK_FAILS(firn_keyspace_create(database, text("notes"), NULL, 0, &same, &error),
              FIRN_ALREADY_EXISTS, FIRN_REASON_KEYSPACE_EXISTS);
  CHECK_OK(firn_keyspace_open(database, text("notes"), &same, &error));
  CHECK(is_text(firn_keyspace_name(same), "notes"));
  CHECK(firn_keyspace_id(same) == firn_keyspace_id(notes));
  firn_keyspace_free(same);
  CHECK_FAILS(firn_keyspace_open(database, text("drafts"), &steps, &error), FIRN_NOT_FOUND,
              FIRN_REASON_KEYSPACE_NOT_FOUND);
  CHECK_OK(firn_keyspace_open_or_create(database, text("steps"), sequence, 1, &steps, &error));
  CHECK_OK(firn_keyspace_list(database, &names, &error));
  CHECK(firn_list_size(names) == 2 && is_text(firn_list_at(names, 0), "notes") &&
        is_text(firn_list_at(names, 1), "steps") && firn_list_at(names, 2).data == NULL);
  firn_list_free(names);
  CHECK_OK(firn_keyspace_drop(database, text("notes"), &error));
  firn_value* value = NULL;
  CHECK_FAILS(firn_keyspace_get(notes, text("k"), NULL, &value, &error), FIRN_FAILED_PRECONDITION,
              FIRN_REASON_KEYSPACE_DROPPED);

  firn_option unknown[] = {option("memtable_size", "1MiB")}; /* the store's, not a keyspace's */
  CHECK_FAILS(firn_keyspace_create(database, text("x"), unknown, 1, &same, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_keyspace_create(NULL, text("x"), NULL, 0, &same, &error));
  CHECK_REFUSED(firn_keyspace_create(database, text("x"), NULL, 0, NULL, &error));
  CHECK_REFUSED(firn_keyspace_open(NULL, text("x"), &same, &error));
  CHECK_REFUSED(firn_keyspace_open_or_create(database, text("x"), NULL, 3, &same, &error));
  CHECK_REFUSED(firn_keyspace_drop(NULL, text("x"), &error));
  CHECK_REFUSED(firn_keyspace_list(NULL, &names, &error));
  CHECK_REFUSED(firn_keyspace_list(database, NULL, &error));
  firn_database_free(database); /* before its keyspaces: they keep it */
  firn_keyspace_free(notes);
  firn_keyspace_free(steps);
}

static void test_batches_and_writes(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  firn_keyspace* accounts = open_keyspace(database, "accounts");
  firn_batch *batch = NULL, *more = NULL;
  CHECK_OK(firn_batch_new(&batch, &error));
  CHECK_OK(firn_batch_new(&more, &error));
  const firn_bytes binary = {"\0\xff", 2}, nothing = {NULL, 0};
  CHECK_OK(firn_batch_put(batch, notes, binary, nothing, &error));
  CHECK_OK(firn_batch_put(batch, accounts, text("alice"), text("10"), &error));
  CHECK_OK(firn_batch_put(more, notes, text("gone"), text("x"), &error));
  CHECK_OK(firn_batch_remove(more, notes, text("gone"), &error));
  CHECK_OK(firn_batch_append(batch, more, &error));
  CHECK(firn_batch_count(batch) == 4 && firn_batch_encoded_size(batch) > 10);
  CHECK_OK(firn_database_write(database, batch, FIRN_SYNCED, &error));
  CHECK(firn_database_last_sequence(database) >= 4);
  CHECK_OK(firn_database_sync(database, &error));

  void* copy = NULL;
  size_t size = 9;
  CHECK_OK(firn_keyspace_get_copy(notes, binary, NULL, &copy, &size, &error));
  CHECK(copy != NULL && size == 0);
  firn_free(copy);
  CHECK(firn_keyspace_get_copy(notes, text("gone"), NULL, &copy, &size, &error) == FIRN_NOT_FOUND);
  CHECK(copy == NULL && error == NULL);

  CHECK_FAILS(firn_database_write(database, batch, FIRN_VOLATILE, &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_INVALID_ARGUMENT); /* over two keyspaces */
  CHECK_REFUSED(firn_database_write(database, batch, 7, &error));
  firn_batch_clear(batch);
  CHECK(firn_batch_count(batch) == 0);
  CHECK_OK(firn_database_write(database, batch, FIRN_SYNCED, &error)); /* does nothing */

  CHECK_REFUSED(firn_batch_new(NULL, &error));
  CHECK_REFUSED(firn_batch_put(NULL, notes, text("k"), text("v"), &error));
  CHECK_REFUSED(firn_batch_put(batch, NULL, text("k"), text("v"), &error));
  CHECK_REFUSED(firn_batch_remove(NULL, notes, text("k"), &error));
  CHECK_REFUSED(firn_batch_remove(batch, NULL, text("k"), &error));
  const firn_bytes null_key = {NULL, 3};
  CHECK_REFUSED(firn_batch_put(batch, notes, null_key, text("v"), &error));
  CHECK_REFUSED(firn_batch_put(batch, notes, text("k"), null_key, &error));
  CHECK_REFUSED(firn_batch_remove(batch, notes, null_key, &error));
  CHECK_REFUSED(firn_batch_append(batch, NULL, &error));
  CHECK_REFUSED(firn_batch_append(NULL, more, &error));
  CHECK_REFUSED(firn_database_write(NULL, batch, FIRN_SYNCED, &error));
  CHECK_REFUSED(firn_database_write(database, NULL, FIRN_SYNCED, &error));
  CHECK_REFUSED(firn_database_sync(NULL, &error));
  CHECK_REFUSED(firn_database_close(NULL, &error));
  firn_batch_free(batch);
  firn_batch_free(more);
  firn_keyspace_free(notes);
  firn_keyspace_free(accounts);
  firn_database_free(database);
}

static void test_upkeep(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  firn_keyspace* steps = NULL;
  firn_option sequence[] = {option("layout", "sequence")};
  CHECK_OK(firn_keyspace_create(database, text("steps"), sequence, 1, &steps, &error));
  put(database, notes, "a", "1");
  put(database, notes, "b", "2");
  CHECK_OK(firn_keyspace_flush(notes, &error));
  uint64_t bytes = 0;
  CHECK_OK(firn_keyspace_approximate_size(notes, text("a"), text(""), &bytes, &error));
  CHECK(bytes > 0);
  CHECK_OK(firn_keyspace_compact(notes, text(""), text(""), &error));
  CHECK_OK(firn_database_wait_for_background_work(database, &error));

  put(database, steps, "step0001", "x");
  put(database, steps, "step0002", "y");
  CHECK_OK(firn_keyspace_drop_below(steps, text("step0002"), &error));
  firn_value* value = NULL;
  CHECK(firn_keyspace_get(steps, text("step0001"), NULL, &value, NULL) == FIRN_NOT_FOUND);
  CHECK_FAILS(firn_keyspace_drop_below(notes, text("b"), &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_INVALID_ARGUMENT);

  firn_report* report = NULL;
  CHECK_OK(firn_database_verify(database, FIRN_VERIFY_BLOCKS, &report, &error));
  CHECK(firn_report_clean(report) == 1);
  uint64_t files = 0;
  CHECK_OK(firn_report_count(report, text("files"), &files, &error));
  CHECK(files >= 1);
  CHECK(firn_list_size(firn_report_damage(report)) == 0);
  CHECK(firn_report_notes(report) != NULL);
  CHECK(firn_report_count(report, text("apples"), &files, NULL) == FIRN_NOT_FOUND && files == 0);
  CHECK_REFUSED(firn_report_count(report, text("files"), NULL, &error));
  CHECK_REFUSED(firn_report_count(NULL, text("files"), &files, &error));
  firn_report_free(report);

  const firn_bytes null_key = {NULL, 1};
  CHECK_REFUSED(firn_keyspace_flush(NULL, &error));
  CHECK_REFUSED(firn_keyspace_compact(NULL, text(""), text(""), &error));
  CHECK_REFUSED(firn_keyspace_compact(notes, null_key, text(""), &error));
  CHECK_REFUSED(firn_keyspace_drop_below(NULL, text("x"), &error));
  CHECK_REFUSED(firn_keyspace_approximate_size(NULL, text(""), text(""), &bytes, &error));
  CHECK_REFUSED(firn_keyspace_approximate_size(notes, text(""), text(""), NULL, &error));
  CHECK_REFUSED(firn_database_wait_for_background_work(NULL, &error));
  CHECK_REFUSED(firn_database_verify(NULL, FIRN_VERIFY_FILES, &report, &error));
  CHECK_REFUSED(firn_database_verify(database, FIRN_VERIFY_FILES, NULL, &error));
  CHECK_REFUSED(firn_database_verify(database, 9, &report, &error));
  firn_bytes value_bytes;
  CHECK_REFUSED(firn_database_identity(NULL, text("x"), &value_bytes, &error));
  CHECK_REFUSED(firn_database_identity(database, text("x"), NULL, &error));
  firn_keyspace_free(notes);
  firn_keyspace_free(steps);
  firn_database_free(database);
}

static void test_statistics(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_keyspace* notes = open_keyspace(database, "notes");
  put(database, notes, "a", "1");
  char* all = NULL;
  size_t size = 0;
  CHECK_OK(firn_database_statistics(database, &all, &size, &error));
  CHECK(strlen(all) == size && strstr(all, "\nwrites 1\n") != NULL);
  firn_free(all);
  uint64_t writes = 0;
  CHECK_OK(firn_database_statistic(database, text("writes"), &writes, &error));
  CHECK(writes == 1);
  CHECK_OK(firn_database_statistic(database, text("keyspaces.notes.memtable_bytes"), &writes,
                                   &error));
  CHECK(writes > 0);
  CHECK_FAILS(firn_database_statistic(database, text("apples"), &writes, &error), FIRN_NOT_FOUND,
              FIRN_REASON_NONE);
  CHECK_REFUSED(firn_database_statistic(database, text("io"), &writes, &error)); /* no number */
  CHECK_REFUSED(firn_database_statistic(NULL, text("writes"), &writes, &error));
  CHECK_REFUSED(firn_database_statistic(database, text("writes"), NULL, &error));
  CHECK_REFUSED(firn_database_statistics(NULL, &all, &size, &error));
  CHECK_REFUSED(firn_database_statistics(database, NULL, &size, &error));
  CHECK_REFUSED(firn_database_statistics(database, &all, NULL, &error));
  firn_keyspace_free(notes);
  firn_database_free(database);
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s FOLDER, which must not exist yet\n", arguments[0]);
    return 2;
  }
  test_versions_and_nothing();
  test_open(arguments[1]);
  test_options_are_checked();
  test_keyspaces();
  test_batches_and_writes();
  test_upkeep();
  test_statistics();
  test_collections(arguments[1]);
  test_reads();
  test_transactions();
  return check_result();
}
