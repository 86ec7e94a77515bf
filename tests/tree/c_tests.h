/* tests/tree/c_tests.h: the parts of the C program that tests firn/c_tree.h, and what they share. */
#ifndef FIRN_TESTS_TREE_C_TESTS_H_
#define FIRN_TESTS_TREE_C_TESTS_H_

#include "firn/c_tree.h"

extern const firn_bytes kNullKey;

firn_bytes text(const char* from);
firn_option option(const char* name, const char* value);
firn_operation operation(firn_operation_kind kind, const char* key, const char* value);
int same(firn_digest a, firn_digest b);
firn_database* open_in_memory(void);
/* With keys of 4 bytes and values of any length. */
firn_tree* open_tree(firn_database* database);
void apply(firn_tree* tree, firn_operation_kind kind, const char* key, const char* value);
void commit(firn_tree* tree);

void test_views(void);
void test_checkpoints(void);

#endif /* FIRN_TESTS_TREE_C_TESTS_H_ */
