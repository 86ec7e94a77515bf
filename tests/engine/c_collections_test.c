/* The calls of firn/c.h on sequences, rows, presets, the log sink and limits. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "firn/c.h"
#include "tests/engine/c_tests.h"
#include "tests/support/c_check.h"

static void test_sequences(firn_database* database, firn_keyspace* numbers) {
  firn_error* error = NULL;
  firn_sequence* sequence = NULL;
  uint64_t number = 0;
  const firn_option block[] = {option("block", "10"), option("durability", "buffered")};
  CHECK_OK(firn_sequence_open(database, numbers, text("invoices"), block, 2, &sequence, &error));
  CHECK_OK(firn_sequence_next(sequence, &number, &error));
  CHECK(number == 1);
  CHECK_OK(firn_sequence_next(sequence, &number, &error));
  CHECK(number == 2);
  firn_sequence_free(sequence);
  CHECK_OK(firn_sequence_open(database, numbers, text("invoices"), NULL, 0, &sequence, &error));
  CHECK_OK(firn_sequence_next(sequence, &number, &error));
  CHECK(number == 11); /* what a block had left is lost */
  firn_sequence_free(sequence);

  firn_transaction* transaction = NULL;
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &transaction, &error));
  CHECK_OK(firn_transaction_next_number(transaction, numbers, text("orders"), &number, &error));
  CHECK(number == 1);
  CHECK_OK(firn_transaction_commit(transaction, FIRN_BUFFERED, &error));
  firn_transaction_free(transaction);
  firn_list* names = NULL;
  CHECK_OK(firn_sequence_list(numbers, &names, &error));
  CHECK(firn_list_size(names) == 2 && is_text(firn_list_at(names, 0), "invoices"));
  firn_list_free(names);
  CHECK_OK(firn_sequence_reset(database, numbers, text("invoices"), 99, &error));
  CHECK_OK(firn_sequence_open(database, numbers, text("invoices"), NULL, 0, &sequence, &error));
  CHECK_OK(firn_sequence_next(sequence, &number, &error));
  CHECK(number == 100);
  firn_sequence_free(sequence);

  const firn_option unknown = option("blok", "1");
  CHECK_FAILS(firn_sequence_open(database, numbers, text("x"), &unknown, 1, &sequence, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  const firn_option forgetful = option("durability", "volatile");
  CHECK_FAILS(firn_sequence_open(database, numbers, text("x"), &forgetful, 1, &sequence, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_sequence_open(NULL, numbers, text("x"), NULL, 0, &sequence, &error));
  CHECK_REFUSED(firn_sequence_open(database, NULL, text("x"), NULL, 0, &sequence, &error));
  CHECK_REFUSED(firn_sequence_open(database, numbers, text("x"), NULL, 0, NULL, &error));
  CHECK_REFUSED(firn_sequence_next(NULL, &number, &error));
  CHECK_REFUSED(firn_sequence_list(NULL, &names, &error));
  CHECK_REFUSED(firn_sequence_reset(NULL, numbers, text("x"), 1, &error));
  CHECK_REFUSED(firn_transaction_next_number(NULL, numbers, text("x"), &number, &error));
  firn_sequence_free(NULL);
}

static void test_rows(firn_database* database, firn_keyspace* rows) {
  firn_error* error = NULL;
  uint8_t low[8], high[8];
  uint64_t number = 0;
  int64_t balance = 0;
  firn_encode_int64(-5, low);
  firn_encode_int64(7, high);
  CHECK(memcmp(low, high, 8) < 0);
  const firn_bytes key = {low, 8};
  CHECK_OK(firn_decode_int64(key, &balance, &error));
  CHECK(balance == -5);
  firn_encode_uint64(258, high);
  CHECK(high[6] == 1 && high[7] == 2);
  const firn_bytes other = {high, 8};
  CHECK_OK(firn_decode_uint64(other, &number, &error));
  CHECK(number == 258);
  CHECK_FAILS(firn_decode_uint64(text("short"), &number, &error), FIRN_DATA_LOSS,
              FIRN_REASON_SERIALIZATION);
  CHECK_FAILS(firn_decode_int64(text("short"), &balance, &error), FIRN_DATA_LOSS,
              FIRN_REASON_SERIALIZATION);

  firn_transaction* transaction = NULL;
  int changed = 9;
  const firn_bytes ten = text("10"), twenty = text("20");
  CHECK_OK(firn_transaction_begin(database, NULL, 0, &transaction, &error));
  CHECK_OK(firn_transaction_compare_and_set(transaction, rows, key, &ten, &twenty, &changed, &error));
  CHECK(changed == 0); /* there is no row */
  CHECK_OK(firn_transaction_compare_and_set(transaction, rows, key, NULL, &ten, &changed, &error));
  CHECK(changed == 1);
  CHECK_OK(firn_transaction_compare_and_set(transaction, rows, key, &ten, &twenty, &changed, &error));
  CHECK(changed == 1);
  CHECK_OK(firn_transaction_compare_and_set(transaction, rows, key, &twenty, NULL, &changed, &error));
  CHECK(changed == 1);
  CHECK_REFUSED(
      firn_transaction_compare_and_set(NULL, rows, key, NULL, &ten, &changed, &error));
  CHECK_REFUSED(
      firn_transaction_compare_and_set(transaction, rows, key, NULL, &ten, NULL, &error));
  CHECK_OK(firn_transaction_commit(transaction, FIRN_BUFFERED, &error));
  firn_transaction_free(transaction);
}

static void test_limits(firn_database* database, firn_keyspace* keyspace) {
  firn_error* error = NULL;
  uint64_t value = 0;
  CHECK_OK(firn_keyspace_set_size_limits(keyspace, 1 << 20, 2 << 20, &error));
  CHECK_OK(firn_database_statistic(database, text("keyspaces.rows.size_limits.hard"), &value, &error));
  CHECK(value == 2 << 20);
  CHECK_FAILS(firn_keyspace_set_size_limits(keyspace, 2 << 20, 1 << 20, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_OK(firn_keyspace_set_compression(keyspace, text("lz4hc"), 12, &error));
  CHECK_OK(firn_database_statistic(database, text("keyspaces.rows.compression_level"), &value, &error));
  CHECK(value == 12);
  CHECK_FAILS(firn_keyspace_set_compression(keyspace, text("lz4hc"), 13, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_FAILS(firn_keyspace_set_compression(keyspace, text("snappy"), 0, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_OK(firn_database_set_block_cache_size(database, 1 << 20, &error));
  CHECK_REFUSED(firn_keyspace_set_size_limits(NULL, 0, 0, &error));
  CHECK_REFUSED(firn_keyspace_set_compression(NULL, text("none"), 0, &error));
  CHECK_REFUSED(firn_database_set_block_cache_size(NULL, 0, &error));
}

struct heard {
  int lines;
  int opened;
};

static void hear(firn_bytes line, void* context) {
  struct heard* heard = context;
  ++heard->lines;
  if (line.size > 7 && memcmp(line.data, "opened ", 7) == 0) ++heard->opened;
}

static void test_preset_and_sink(const char* folder) {
  firn_error* error = NULL;
  firn_database* database = NULL;
  char path[4096];
  snprintf(path, sizeof path, "%s-preset", folder);
  struct heard heard = {0, 0};
  const firn_option options[] = {option("preset", "low-memory"), option("segment_size", "1MiB")};
  CHECK_OK(firn_database_open_logged(text(path), options, 2, hear, &heard, &database, &error));
  CHECK(heard.opened == 1);
  uint64_t budget = 0;
  CHECK_OK(firn_database_statistic(database, text("memory.budget"), &budget, &error));
  CHECK(budget == 64u << 20);
  CHECK_OK(firn_database_close(database, &error));
  CHECK(heard.lines >= 2);
  firn_database_free(database);
  const firn_option wrong = option("preset", "fast");
  CHECK_FAILS(firn_database_open(text(path), &wrong, 1, &database, &error), FIRN_INVALID_ARGUMENT,
              FIRN_REASON_INVALID_OPTION);
}

void test_collections(const char* folder) {
  firn_database* database = open_in_memory();
  firn_keyspace* numbers = open_keyspace(database, "numbers");
  firn_keyspace* rows = open_keyspace(database, "rows");
  test_sequences(database, numbers);
  test_rows(database, rows);
  test_limits(database, rows);
  test_preset_and_sink(folder);
  firn_keyspace_free(numbers);
  firn_keyspace_free(rows);
  firn_database_free(database);
}
