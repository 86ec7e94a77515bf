/* The calls of firn/c_tree.h on checkpoints, the operation log, verification and figures. */
#include "firn/c_tree.h"
#include "tests/support/c_check.h"
#include "tests/tree/c_tests.h"

static void test_making(firn_tree* tree, firn_digest first_root) {
  firn_error* error = NULL;
  firn_checkpoint *made = NULL, *found = NULL;
  uint64_t* ids = NULL;
  size_t count = 9;
  firn_bytes value;
  CHECK_OK(firn_tree_checkpoint_ids(tree, &ids, &count, &error));
  CHECK(ids == NULL && count == 0);
  CHECK_FAILS(firn_tree_latest_checkpoint(tree, &found, &error), FIRN_NOT_FOUND,
              FIRN_REASON_NOT_RETAINED);
  firn_option metadata[] = {option("by", "alice")};
  CHECK_OK(firn_tree_make_checkpoint(tree, metadata, 1, &made, &error));
  CHECK(firn_checkpoint_id(made) == 1 && firn_checkpoint_commit_number(made) == 1);
  CHECK(firn_checkpoint_last_operation(made) == 2 && firn_checkpoint_node_count(made) > 2);
  CHECK(firn_checkpoint_time_ms(made) > 0 && same(firn_checkpoint_digest(made), first_root));
  CHECK_OK(firn_checkpoint_metadata(made, text("by"), &value, &error));
  CHECK(is_text(value, "alice"));
  CHECK(firn_checkpoint_metadata(made, text("at"), &value, &error) == FIRN_NOT_FOUND);
  apply(tree, FIRN_UPDATE, "key1", "uno");
  commit(tree);
  CHECK_OK(firn_tree_make_checkpoint(tree, NULL, 0, &found, &error));
  firn_checkpoint_free(found);
  CHECK_OK(firn_tree_checkpoint_ids(tree, &ids, &count, &error));
  CHECK(count == 2 && ids[0] == 2 && ids[1] == 1);
  firn_free(ids);
  CHECK_OK(firn_tree_get_checkpoint(tree, 1, &found, &error));
  CHECK(same(firn_checkpoint_digest(found), first_root));
  firn_checkpoint_free(found);
  CHECK_OK(firn_tree_latest_checkpoint(tree, &found, &error));
  CHECK(firn_checkpoint_id(found) == 2);
  firn_checkpoint_free(found);
  firn_checkpoint_free(made);

  firn_tree_view* view = NULL;
  CHECK_OK(firn_tree_view_at_checkpoint(tree, 1, &view, &error));
  CHECK(same(firn_view_digest(view), first_root));
  firn_view_free(view);
  CHECK_FAILS(firn_tree_view_at_checkpoint(tree, 7, &view, &error), FIRN_NOT_FOUND,
              FIRN_REASON_NOT_RETAINED);
}

static void test_operations(firn_tree* tree) {
  firn_error* error = NULL;
  firn_operations* operations = NULL;
  firn_logged_operation logged;
  CHECK_OK(firn_tree_get_operations(tree, 1, 99, 99, &operations, &error));
  CHECK(firn_operations_size(operations) == 3);
  CHECK(firn_operations_at(operations, 2, &logged) == 1);
  CHECK(logged.number == 3 && logged.commit_number == 2 && logged.ends_commit == 1);
  CHECK(logged.operation.kind == FIRN_UPDATE && is_text(logged.operation.key, "key1") &&
        is_text(logged.operation.value, "uno"));
  CHECK(logged.had_previous_value == 1 && is_text(logged.previous_value, "one"));
  CHECK(logged.has_digest == 1 && logged.time_ms > 0);
  const uint64_t time_ms = logged.time_ms;
  CHECK(firn_operations_at(operations, 0, &logged) == 1 && logged.had_previous_value == 0);
  CHECK(firn_operations_at(operations, 3, &logged) == 0 && logged.number == 0);
  CHECK(firn_operations_at(operations, 0, NULL) == 0);
  firn_operations_free(operations);
  CHECK_OK(firn_tree_history(tree, text("key1"), 99, &operations, &error));
  CHECK(firn_operations_size(operations) == 2);
  firn_operations_free(operations);
  CHECK_OK(firn_tree_get_operations_by_time(tree, 0, time_ms + 1, 2, &operations, &error));
  CHECK(firn_operations_size(operations) == 2); /* at most so many */
  firn_operations_free(operations);
  firn_operations_free(NULL);
  CHECK(firn_operations_size(NULL) == 0 && firn_operations_at(NULL, 0, &logged) == 0);
  CHECK_REFUSED(firn_tree_get_operations(NULL, 1, 9, 9, &operations, &error));
  CHECK_REFUSED(firn_tree_get_operations(tree, 1, 9, 9, NULL, &error));
  CHECK_REFUSED(firn_tree_get_operations_by_time(NULL, 1, 9, 9, &operations, &error));
  CHECK_REFUSED(firn_tree_history(NULL, text("key1"), 9, &operations, &error));
  CHECK_REFUSED(firn_tree_history(tree, kNullKey, 9, &operations, &error));
}

static void test_upkeep(firn_tree* tree) {
  firn_error* error = NULL;
  firn_report* report = NULL;
  uint64_t checkpoints = 0;
  char* figures = NULL;
  size_t size = 0;
  CHECK_OK(firn_tree_verify(tree, FIRN_TREE_VERIFY_ALL_CHECKPOINTS, &report, &error));
  CHECK(firn_report_clean(report) == 1);
  CHECK_OK(firn_report_count(report, text("checkpoints"), &checkpoints, &error));
  CHECK(checkpoints == 2);
  firn_report_free(report);
  CHECK_OK(firn_tree_statistics(tree, &figures, &size, &error));
  CHECK(strlen(figures) == size && strstr(figures, "commits 2\n") != NULL);
  firn_free(figures);
  CHECK_REFUSED(firn_tree_verify(NULL, FIRN_TREE_VERIFY_NEWEST, &report, &error));
  CHECK_REFUSED(firn_tree_verify(tree, FIRN_TREE_VERIFY_NEWEST, NULL, &error));
  CHECK_REFUSED(firn_tree_verify(tree, 0, &report, &error));
  CHECK_REFUSED(firn_tree_statistics(NULL, &figures, &size, &error));
  CHECK_REFUSED(firn_tree_statistics(tree, NULL, &size, &error));
  CHECK_REFUSED(firn_tree_statistics(tree, &figures, NULL, &error));
}

static void test_nothing_given(firn_tree* tree) {
  firn_error* error = NULL;
  firn_checkpoint* found = NULL;
  firn_tree_view* view = NULL;
  uint64_t* ids = NULL;
  size_t count = 0;
  firn_bytes value;
  CHECK_REFUSED(firn_tree_make_checkpoint(NULL, NULL, 0, &found, &error));
  CHECK_REFUSED(firn_tree_make_checkpoint(tree, NULL, 1, &found, &error));
  CHECK_REFUSED(firn_tree_make_checkpoint(tree, NULL, 0, NULL, &error));
  CHECK_REFUSED(firn_tree_get_checkpoint(NULL, 1, &found, &error));
  CHECK_REFUSED(firn_tree_latest_checkpoint(NULL, &found, &error));
  CHECK_REFUSED(firn_tree_latest_checkpoint(tree, NULL, &error));
  CHECK_REFUSED(firn_tree_checkpoint_ids(NULL, &ids, &count, &error));
  CHECK_REFUSED(firn_tree_checkpoint_ids(tree, NULL, &count, &error));
  CHECK_REFUSED(firn_tree_checkpoint_ids(tree, &ids, NULL, &error));
  CHECK_REFUSED(firn_tree_view_at_checkpoint(NULL, 1, &view, &error));
  CHECK_REFUSED(firn_tree_view_at_checkpoint(tree, 1, NULL, &error));
  CHECK_REFUSED(firn_checkpoint_metadata(NULL, text("a"), &value, &error));
  CHECK(firn_checkpoint_id(NULL) == 0 && firn_checkpoint_time_ms(NULL) == 0);
  CHECK(firn_checkpoint_last_operation(NULL) == 0 && firn_checkpoint_commit_number(NULL) == 0);
  CHECK(firn_checkpoint_node_count(NULL) == 0 && firn_checkpoint_digest(NULL).bytes[0] == 0);
  firn_checkpoint_free(NULL);
}

void test_checkpoints(void) {
  firn_error* error = NULL;
  firn_database* database = open_in_memory();
  firn_tree* tree = open_tree(database);
  firn_digest root;
  apply(tree, FIRN_INSERT, "key1", "one");
  apply(tree, FIRN_INSERT, "key2", "two");
  commit(tree);
  CHECK_OK(firn_tree_root(tree, &root, &error));
  test_making(tree, root);
  test_operations(tree);
  test_upkeep(tree);
  test_nothing_given(tree);
  firn_tree_free(tree);
  firn_database_free(database);
}
