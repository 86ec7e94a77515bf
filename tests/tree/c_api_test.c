/* Every call of firn/c_tree.h that needs a database, from a C11 program: this file has main(), opening,
 * applying and committing; views and checkpoints are in their own. */
#include "firn/c_tree.h"
#include "tests/support/c_check.h"
#include "tests/tree/c_tests.h"

int check_count = 0, check_failures = 0;

const firn_bytes kNullKey = {NULL, 4};

firn_bytes text(const char* from) { return firn_text(from); }

firn_option option(const char* name, const char* value) {
  firn_option made = {firn_text(name), firn_text(value)};
  return made;
}

firn_operation operation(firn_operation_kind kind, const char* key, const char* value) {
  firn_operation made = {kind, firn_text(key), firn_text(value), 0};
  return made;
}

int same(firn_digest a, firn_digest b) { return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0; }

firn_database* open_in_memory(void) {
  firn_option options[] = {option("storage", "memory"), option("memtable_size", "1MiB")};
  firn_error* error = NULL;
  firn_database* database = NULL;
  CHECK_OK(firn_database_open(text("store"), options, 2, &database, &error));
  return database;
}

firn_tree* open_tree(firn_database* database) {
  firn_option options[] = {option("key_length", "4"), option("value_length", "variable")};
  firn_error* error = NULL;
  firn_tree* tree = NULL;
  CHECK_OK(firn_tree_open(database, options, 2, &tree, &error));
  return tree;
}

void apply(firn_tree* tree, firn_operation_kind kind, const char* key, const char* value) {
  firn_error* error = NULL;
  const firn_operation wanted = operation(kind, key, value);
  CHECK_OK(firn_tree_apply(tree, &wanted, NULL, &error));
}

void commit(firn_tree* tree) {
  firn_error* error = NULL;
  CHECK_OK(firn_tree_commit(tree, FIRN_BUFFERED, NULL, NULL, 0, NULL, &error));
}

static void test_open(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_tree* tree = (firn_tree*)&error;
  const char* bad[][2] = {{"mode", "x"},        {"key_lenght", "4"},   {"key_length", "many"},
                          {"key_length", "0"},  {"allowed", "8"},      {"digests", "never"},
                          {"value_length", "4"}, /* without key_length */
                          {"checkpoint_every_commit", "1"}, {"key_length", "5000000000"}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
    firn_option options[] = {option(bad[i][0], bad[i][1])};
    CHECK(firn_tree_open(database, options, 1, &tree, NULL) == FIRN_INVALID_ARGUMENT);
    CHECK(tree == NULL);
  }
  firn_option absent[] = {option("mode", "open_existing")};
  CHECK_FAILS(firn_tree_open(database, absent, 1, &tree, &error), FIRN_NOT_FOUND,
              FIRN_REASON_NOT_A_STORE);
  firn_option all[] = {option("mode", "create_new"), option("key_length", "4"),
                       option("value_length", "2"), option("allowed", "7"),
                       option("digests", "per_operation"), option("checkpoint_operations", "0"),
                       option("checkpoint_milliseconds", "0"),
                       option("checkpoint_dirty_bytes", "1GiB"),
                       option("checkpoint_every_commit", "yes"), option("node_cache_bytes", "1MiB"),
                       option("node_cache_nodes", "1000")};
  CHECK_OK(firn_tree_open(database, all, 11, &tree, &error));
  firn_tree_parameters parameters, wrong = {0, 0, 0};
  CHECK_OK(firn_tree_parameters_of(tree, &parameters, &error));
  CHECK(parameters.key_length == 4 && parameters.fixed_values == 1 && parameters.value_length == 2);
  firn_digest empty, root;
  CHECK_OK(firn_empty_tree_digest(&parameters, &empty, &error));
  CHECK_OK(firn_tree_root(tree, &root, &error));
  CHECK(same(empty, root));
  firn_tree_free(tree);
  CHECK_FAILS(firn_empty_tree_digest(&wrong, &empty, &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_INVALID_OPTION);

  CHECK_REFUSED(firn_tree_open(NULL, NULL, 0, &tree, &error));
  CHECK_REFUSED(firn_tree_open(database, NULL, 0, NULL, &error));
  CHECK_REFUSED(firn_tree_open(database, NULL, 2, &tree, &error));
  CHECK_REFUSED(firn_tree_parameters_of(NULL, &parameters, &error));
  CHECK_REFUSED(firn_tree_parameters_of(tree = NULL, NULL, &error));
  CHECK_REFUSED(firn_tree_root(NULL, &root, &error));
  firn_tree_free(NULL);
  firn_database_free(database);
}

static void test_apply(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_tree* tree = open_tree(database);
  firn_old_values* old = NULL;
  firn_bytes value;
  firn_operation insert = operation(FIRN_INSERT, "key1", "a");
  firn_operation update = operation(FIRN_UPDATE, "key1", "b");
  CHECK_OK(firn_tree_apply(tree, &insert, &old, &error));
  CHECK(firn_old_values_size(old) == 1 && firn_old_values_at(old, 0, &value) == 0);
  firn_old_values_free(old);
  CHECK_OK(firn_tree_apply(tree, &update, &old, &error));
  CHECK(firn_old_values_at(old, 0, &value) == 1 && is_text(value, "a"));
  CHECK(firn_old_values_at(old, 0, NULL) == 1 && firn_old_values_at(old, 1, &value) == 0);
  firn_old_values_free(old);
  CHECK(firn_tree_staged_operations(tree) == 2);
  CHECK_FAILS(firn_tree_apply(tree, &insert, &old, &error), FIRN_ALREADY_EXISTS,
              FIRN_REASON_KEY_EXISTS);
  CHECK(old == NULL);
  firn_digest staged, root;
  CHECK_OK(firn_tree_staged_digest(tree, &staged, &error));
  CHECK_OK(firn_tree_root(tree, &root, &error));
  CHECK(!same(staged, root));
  firn_tree_discard(tree);
  CHECK(firn_tree_staged_operations(tree) == 0);

  firn_operation strange = operation(9, "key1", ""), no_key = insert, short_key = insert;
  no_key.key = kNullKey;
  short_key.key.size = 3;
  CHECK_REFUSED(firn_tree_apply(tree, &strange, NULL, &error));
  CHECK_REFUSED(firn_tree_apply(tree, &no_key, NULL, &error));
  CHECK_FAILS(firn_tree_apply(tree, &short_key, NULL, &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_ILLEGAL_KEY);
  CHECK_REFUSED(firn_tree_apply(NULL, &insert, NULL, &error));
  CHECK_REFUSED(firn_tree_apply(tree, NULL, NULL, &error));
  CHECK_REFUSED(firn_tree_staged_digest(NULL, &staged, &error));
  CHECK_REFUSED(firn_tree_staged_digest(tree, NULL, &error));
  CHECK_REFUSED(firn_tree_root(tree, NULL, &error));
  CHECK_REFUSED(firn_tree_parameters_of(tree, NULL, &error));
  CHECK(firn_tree_staged_operations(NULL) == 0);
  firn_tree_discard(NULL);
  firn_database_free(database); /* the tree keeps it */
  firn_tree_free(tree);
}

static void test_commit(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_tree* tree = open_tree(database);
  firn_keyspace* notes = NULL;
  firn_batch* extra = NULL;
  firn_commit* done = NULL;
  CHECK_OK(firn_keyspace_create(database, text("notes"), NULL, 0, &notes, &error));
  CHECK_OK(firn_batch_new(&extra, &error));
  CHECK_OK(firn_batch_put(extra, notes, text("k"), text("v"), &error));
  apply(tree, FIRN_INSERT, "key1", "a");
  apply(tree, FIRN_INSERT, "key2", "b");
  CHECK_OK(firn_tree_stage_metadata(tree, text("position"), text("17"), &error));
  firn_option options[] = {option("proof", "yes"), option("time_ms", "1700000000000")};
  CHECK_OK(firn_tree_commit(tree, FIRN_SYNCED, extra, options, 2, &done, &error));
  firn_digest root;
  CHECK_OK(firn_tree_root(tree, &root, &error));
  CHECK(same(root, firn_commit_digest(done)));
  CHECK(firn_commit_number(done) == 1 && firn_commit_checkpoint(done) == 0);
  CHECK(firn_commit_first_operation(done) == 1 && firn_commit_last_operation(done) == 2);
  CHECK_OK(firn_commit_checkpoint_status(done, &error));
  CHECK(firn_proof_bytes(firn_commit_proof(done)).size > 0);
  CHECK(same(firn_proof_digest(firn_commit_proof(done)), root));
  firn_commit_free(done);
  void* copy = NULL;
  size_t size = 0;
  CHECK_OK(firn_keyspace_get_copy(notes, text("k"), NULL, &copy, &size, &error));
  firn_free(copy);
  CHECK_OK(firn_tree_get_metadata(tree, text("position"), &copy, &size, &error));
  CHECK(size == 2 && memcmp(copy, "17", 2) == 0);
  firn_free(copy);
  CHECK(firn_tree_get_metadata(tree, text("other"), &copy, &size, &error) == FIRN_NOT_FOUND);
  CHECK(error == NULL && copy == NULL);
  CHECK_OK(firn_tree_commit(tree, FIRN_BUFFERED, NULL, NULL, 0, &done, &error));
  CHECK(firn_commit_proof(done) == NULL); /* not asked for */
  firn_commit_free(done);

  firn_option unknown[] = {option("prove", "yes")};
  CHECK_FAILS(firn_tree_commit(tree, FIRN_SYNCED, NULL, unknown, 1, &done, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_tree_commit(NULL, FIRN_SYNCED, NULL, NULL, 0, &done, &error));
  CHECK_REFUSED(firn_tree_commit(tree, 0, NULL, NULL, 0, &done, &error));
  CHECK_REFUSED(firn_tree_stage_metadata(NULL, text("a"), text("b"), &error));
  CHECK_REFUSED(firn_tree_stage_metadata(tree, kNullKey, text("b"), &error));
  CHECK_REFUSED(firn_tree_get_metadata(NULL, text("a"), &copy, &size, &error));
  CHECK_REFUSED(firn_tree_get_metadata(tree, text("a"), NULL, &size, &error));
  CHECK_REFUSED(firn_tree_get_metadata(tree, text("a"), &copy, NULL, &error));
  CHECK_REFUSED(firn_commit_checkpoint_status(NULL, &error));
  CHECK(firn_commit_number(NULL) == 0 && firn_commit_first_operation(NULL) == 0);
  CHECK(firn_commit_last_operation(NULL) == 0 && firn_commit_checkpoint(NULL) == 0);
  CHECK(firn_commit_proof(NULL) == NULL && firn_commit_digest(NULL).bytes[0] == 0);
  firn_commit_free(NULL);
  firn_batch_free(extra);
  firn_tree_free(tree);
  firn_keyspace_free(notes);
  firn_database_free(database);
}

/* What another open must find, and what it must not. */
static void test_reopen(const char* folder) {
  firn_error* error = NULL;
  firn_database* database = NULL;
  firn_digest root, found;
  CHECK_OK(firn_database_open(text(folder), NULL, 0, &database, &error));
  firn_tree* tree = open_tree(database);
  apply(tree, FIRN_INSERT, "key1", "a");
  commit(tree);
  CHECK_OK(firn_tree_root(tree, &root, &error));
  firn_tree_free(tree);
  char hex[67];
  for (int i = 0; i < 33; ++i) sprintf(hex + 2 * i, "%02x", (unsigned)root.bytes[i]);
  CHECK_OK(firn_digest_from_hex(text(hex), &found, &error));
  CHECK(same(found, root));
  firn_option expected[] = {option("expected_digest", hex)};
  CHECK_OK(firn_tree_open(database, expected, 1, &tree, &error));
  firn_tree_free(tree);
  hex[0] = hex[0] == '0' ? '1' : '0';
  CHECK_FAILS(firn_tree_open(database, expected, 1, &tree, &error), FIRN_DATA_LOSS,
              FIRN_REASON_STATE_MISMATCH);
  CHECK(firn_digest_from_hex(text("12"), &found, NULL) == FIRN_INVALID_ARGUMENT);
  CHECK_REFUSED(firn_digest_from_hex(text(hex), NULL, &error));
  CHECK_REFUSED(firn_digest_from_hex(kNullKey, &found, &error));
  CHECK_OK(firn_database_close(database, &error));
  firn_database_free(database);
}

int main(int count, char** arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s FOLDER, which must not exist yet\n", arguments[0]);
    return 2;
  }
  test_open();
  test_apply();
  test_commit();
  test_reopen(arguments[1]);
  test_views();
  test_checkpoints();
  return check_result();
}
