/* tests/engine/c_tests.h: the parts of the C program that tests firn/c.h, and what they share. */
#ifndef FIRN_TESTS_ENGINE_C_TESTS_H_
#define FIRN_TESTS_ENGINE_C_TESTS_H_

#include "firn/c.h"

firn_bytes text(const char* from);
firn_option option(const char* name, const char* value);
firn_database* open_in_memory(void);
firn_keyspace* open_keyspace(firn_database* database, const char* name);
/* Writes one entry. */
void put(firn_database* database, firn_keyspace* keyspace, const char* key, const char* value);

void test_collections(const char* folder);
void test_reads(void);
void test_transactions(void);

#endif /* FIRN_TESTS_ENGINE_C_TESTS_H_ */
