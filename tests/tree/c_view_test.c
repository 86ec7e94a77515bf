/* The calls of firn/c_tree.h on views and the proofs made from them. */
#include "firn/c_tree.h"
#include "tests/support/c_check.h"
#include "tests/tree/c_tests.h"

static const firn_tree_parameters kParameters = {4, 0, 0};

static void test_reading(const firn_tree_view* view) {
  firn_error* error = NULL;
  void* copy = NULL;
  size_t size = 0;
  CHECK(firn_view_key_count(view) == 3 && firn_view_operation_number(view) == 3 &&
        firn_view_commit_number(view) == 1);
  CHECK_OK(firn_view_get(view, text("key2"), &copy, &size, &error));
  CHECK(size == 3 && memcmp(copy, "two", 4) == 0);
  firn_free(copy);
  CHECK(firn_view_get(view, text("none"), &copy, &size, &error) == FIRN_NOT_FOUND);
  CHECK(error == NULL && copy == NULL);
  CHECK_FAILS(firn_view_get(view, text("long key"), &copy, &size, &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_ILLEGAL_KEY);
  CHECK_REFUSED(firn_view_get(NULL, text("key1"), &copy, &size, &error));
  CHECK_REFUSED(firn_view_get(view, text("key1"), NULL, &size, &error));
  CHECK_REFUSED(firn_view_get(view, text("key1"), &copy, NULL, &error));
  CHECK(firn_view_key_count(NULL) == 0 && firn_view_operation_number(NULL) == 0);
  CHECK(firn_view_commit_number(NULL) == 0 && firn_view_digest(NULL).bytes[32] == 0);
  firn_view_free(NULL);
}

struct seen {
  int entries;
  int at_most;
  char keys[16];
};

static int remember(firn_bytes key, firn_bytes value, void* context) {
  struct seen* const seen = context;
  CHECK(key.size == 4 && value.size >= 3);
  memcpy(seen->keys + 4 * seen->entries, key.data, 4);
  return ++seen->entries < seen->at_most;
}

static void test_scanning(const firn_tree_view* view) {
  firn_error* error = NULL;
  struct seen all = {0, 9, {0}}, first = {0, 1, {0}}, middle = {0, 9, {0}};
  CHECK_OK(firn_view_scan(view, text(""), text(""), remember, &all, &error));
  CHECK(all.entries == 3 && memcmp(all.keys, "key1key2key3", 12) == 0);
  CHECK_OK(firn_view_scan(view, text(""), text(""), remember, &first, &error));
  CHECK(first.entries == 1);
  CHECK_OK(firn_view_scan(view, text("key2"), text("key3"), remember, &middle, &error));
  CHECK(middle.entries == 1 && memcmp(middle.keys, "key2", 4) == 0);
  CHECK_REFUSED(firn_view_scan(NULL, text(""), text(""), remember, &all, &error));
  CHECK_REFUSED(firn_view_scan(view, text(""), text(""), NULL, &all, &error));
  CHECK_REFUSED(firn_view_scan(view, kNullKey, text(""), remember, &all, &error));
}

static void test_proving(const firn_tree_view* view) {
  firn_error* error = NULL;
  firn_proof* proof = NULL;
  firn_operation lookups[2];
  firn_bytes value;
  const firn_bytes keys[] = {text("key2"), text("none")};
  CHECK_OK(firn_view_prove(view, keys, 2, &proof, &error));
  CHECK(firn_proof_operation_count(proof) == 2 && firn_proof_operation_number(proof) == 3);
  CHECK(same(firn_proof_start(proof), firn_view_digest(view)));
  CHECK(firn_proof_operation_at(proof, 0, &lookups[0]) == 1 &&
        lookups[0].kind == FIRN_LOOKUP && is_text(lookups[0].key, "key2"));
  CHECK(firn_proof_operation_at(proof, 1, &lookups[1]) == 1);
  CHECK(firn_proof_operation_at(proof, 2, &lookups[1]) == 0 && lookups[1].key.data == NULL);
  CHECK(firn_proof_operation_at(proof, 1, &lookups[1]) == 1);
  CHECK(firn_proof_operation_at(proof, 0, NULL) == 0);
  const firn_old_values* old = firn_proof_old_values(proof);
  CHECK(firn_old_values_size(old) == 2 && firn_old_values_at(old, 0, &value) == 1 &&
        is_text(value, "two") && firn_old_values_at(old, 1, &value) == 0);

  const firn_digest start = firn_proof_start(proof);
  firn_digest after;
  firn_old_values* verified = NULL;
  CHECK_OK(firn_verify_proof(&start, firn_proof_bytes(proof), &kParameters, lookups, 2, NULL, 0,
                             &after, &verified, &error));
  CHECK(same(after, start) && firn_old_values_size(verified) == 2);
  firn_old_values_free(verified);
  lookups[0].key = text("key3"); /* not what was proved */
  CHECK_FAILS(firn_verify_proof(&start, firn_proof_bytes(proof), &kParameters, lookups, 1, NULL, 0,
                                &after, &verified, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_PROOF);
  CHECK(verified == NULL);
  firn_proof_free(proof);

  const firn_operation wanted[] = {operation(FIRN_INSERT, "key4", "four"),
                                   operation(FIRN_REMOVE, "key1", "")};
  CHECK_OK(firn_view_prove_operations(view, wanted, 2, &proof, &error));
  CHECK_OK(firn_verify_proof(&start, firn_proof_bytes(proof), &kParameters, wanted, 2, NULL, 0,
                             &after, NULL, &error));
  CHECK(same(after, firn_proof_digest(proof)) && !same(after, start));
  firn_proof_free(proof);

  CHECK_REFUSED(firn_view_prove(NULL, keys, 2, &proof, &error));
  CHECK_REFUSED(firn_view_prove(view, NULL, 2, &proof, &error));
  CHECK_REFUSED(firn_view_prove(view, keys, 2, NULL, &error));
  CHECK_REFUSED(firn_view_prove_operations(NULL, wanted, 2, &proof, &error));
  CHECK_REFUSED(firn_view_prove_operations(view, NULL, 2, &proof, &error));
  CHECK_REFUSED(firn_view_prove_operations(view, wanted, 2, NULL, &error));
  CHECK(firn_proof_bytes(NULL).data == NULL && firn_proof_old_values(NULL) == NULL);
  CHECK(firn_proof_operation_count(NULL) == 0 && firn_proof_operation_number(NULL) == 0);
  CHECK(firn_proof_start(NULL).bytes[0] == 0 && firn_proof_digest(NULL).bytes[0] == 0);
  firn_proof_free(NULL);
}

void test_views(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_tree* tree = open_tree(database);
  apply(tree, FIRN_INSERT, "key1", "one");
  apply(tree, FIRN_INSERT, "key2", "two");
  apply(tree, FIRN_INSERT, "key3", "three");
  commit(tree);
  firn_tree_view* view = NULL;
  CHECK_OK(firn_tree_view_now(tree, &view, &error));
  apply(tree, FIRN_REMOVE, "key2", ""); /* the view stays as it is */
  commit(tree);
  test_reading(view);
  test_scanning(view);
  test_proving(view);
  firn_view_free(view);
  CHECK_REFUSED(firn_tree_view_now(NULL, &view, &error));
  CHECK(view == NULL);
  firn_tree_view* old = NULL;
  CHECK_OK(firn_tree_view_now(tree, &old, &error));
  CHECK(firn_view_key_count(old) == 2);
  CHECK_REFUSED(firn_tree_view_now(tree, NULL, &error));
  firn_database_free(database);
  firn_tree_free(tree);
  CHECK(firn_view_key_count(old) == 2); /* a view outlives its tree's handle */
  firn_view_free(old);
}
