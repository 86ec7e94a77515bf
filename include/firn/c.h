/* firn/c.h: the C API, for C11 programs and for other languages' foreign function interfaces. It is
 * the C++ API (firn/database.h, firn/transaction.h, firn/authenticated_tree.h, firn/proof.h), call by
 * call: what those headers say of cost, durability, errors and threads holds here.
 *
 *   firn_option options[] = {{firn_text("memtable_size"), firn_text("16MiB")}};
 *   firn_database* database = NULL;
 *   firn_error* error = NULL;
 *   if (firn_database_open(firn_text("/var/lib/ledger"), options, 1, &database, &error) != FIRN_OK) {
 *     fprintf(stderr, "%s\n", firn_error_message(error));
 *     firn_error_free(error);
 *   }
 *
 * Errors. A call that can fail returns a code, FIRN_OK being 0, and takes `error` as its last
 * argument. NULL there: the code is enough. Otherwise *error becomes NULL, or an object that says why;
 * free it. An absent key is FIRN_NOT_FOUND without an object. A failed call leaves nothing behind: its
 * results are NULL or zero. No C++ exception leaves a call.
 *
 * Bytes. Keys, values, names and paths are a pointer and a size: any bytes, no terminator. NULL with
 * size 0 is the empty string. What a call is given it does not keep.
 *
 * Handles. A handle is freed by its own ..._free(), in any order: it keeps what it needs alive, so
 * the store is released, and another process can open it, once firn_database_close() was called or
 * the last handle is gone. Freeing NULL does nothing. Views (firn_bytes that a call returns) live as
 * long as the handle that they were asked of, or shorter where that is said. No call keeps a callback but firn_database_open_logged().
 *
 * A handle that must not be NULL and is, and a NULL result pointer, are FIRN_INVALID_ARGUMENT; plain
 * questions, such as firn_iterator_valid(), answer 0 or empty then. A pointer to something else, or
 * to what was freed, cannot be noticed.
 *
 * Threads. Database, keyspace, snapshot and view handles may be used from any thread at the same time;
 * batches, iterators and transactions (its iterators included) from one at a time; values, lists,
 * reports, proofs and other results are read from any and freed once; a tree has one writer (apply,
 * stage, commit, discard, checkpoint), and any number of threads that ask for views.
 *
 * Structs of this header keep their members and sizes as long as FIRN_C_API_VERSION does.
 */
#ifndef FIRN_C_H_
#define FIRN_C_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define FIRN_C_EXPORT __attribute__((visibility("default")))
#else
#define FIRN_C_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a call is added. One that is there keeps its meaning until 1.0 at least. */
#define FIRN_C_API_VERSION 2
/* Of the library that is linked. */
FIRN_C_EXPORT uint32_t firn_c_api_version(void);
FIRN_C_EXPORT const char* firn_version(void); /* "0.1.0" */

/* --- bytes, options, errors --- */

typedef struct firn_bytes {
  const void* data;
  size_t size;
} firn_bytes;

/* The bytes of a C string, without its terminator. */
static inline firn_bytes firn_text(const char* text) {
  firn_bytes bytes;
  bytes.data = text;
  bytes.size = text == NULL ? 0 : strlen(text);
  return bytes;
}

/* Frees a copy that a call returned (void**, char** or uint64_t**). */
FIRN_C_EXPORT void firn_free(void* copy);

/* An option by its name, so that new options need no new call. Numbers are decimal, and may be followed
 * by KiB, MiB, GiB or TiB; yes/no options take "yes" and "no". An unknown name or a bad value is
 * FIRN_INVALID_ARGUMENT with FIRN_REASON_INVALID_OPTION. Later ones win. */
typedef struct firn_option {
  firn_bytes name;
  firn_bytes value;
} firn_option;

/* What a caller can do about it. */
typedef int32_t firn_code;
enum {
  FIRN_OK = 0,
  FIRN_CANCELLED = 1,
  FIRN_UNKNOWN = 2,
  FIRN_INVALID_ARGUMENT = 3,
  FIRN_DEADLINE_EXCEEDED = 4,
  FIRN_NOT_FOUND = 5,
  FIRN_ALREADY_EXISTS = 6,
  FIRN_PERMISSION_DENIED = 7,
  FIRN_RESOURCE_EXHAUSTED = 8,
  FIRN_FAILED_PRECONDITION = 9,
  FIRN_ABORTED = 10,
  FIRN_OUT_OF_RANGE = 11,
  FIRN_UNIMPLEMENTED = 12,
  FIRN_INTERNAL = 13,
  FIRN_UNAVAILABLE = 14,
  FIRN_DATA_LOSS = 15,
  FIRN_UNAUTHENTICATED = 16
};

/* Why, exactly: the catalogue of firn/error.h. */
typedef int32_t firn_reason;
enum {
  FIRN_REASON_NONE = 0,
  FIRN_REASON_IO = 1,
  FIRN_REASON_CORRUPTION = 2,
  FIRN_REASON_DISK_FULL = 3,
  FIRN_REASON_NOT_A_STORE = 4,
  FIRN_REASON_FORMAT_VERSION = 5,
  FIRN_REASON_LOCKED = 6,
  FIRN_REASON_INVALID_OPTION = 7,
  FIRN_REASON_INVALID_ARGUMENT = 8,
  FIRN_REASON_CLOSED = 9,
  FIRN_REASON_POISONED = 10,
  FIRN_REASON_KEYSPACE_NOT_FOUND = 11,
  FIRN_REASON_KEYSPACE_EXISTS = 12,
  FIRN_REASON_KEYSPACE_DROPPED = 13,
  FIRN_REASON_TOO_LARGE = 14,
  FIRN_REASON_MISSING_FILE = 15,
  FIRN_REASON_SERIALIZATION = 16,
  FIRN_REASON_UNSUPPORTED = 17,
  FIRN_REASON_KEYSPACE_FULL = 18,
  FIRN_REASON_CONFLICT = 20,
  FIRN_REASON_TRANSACTION_ENDED = 21,
  FIRN_REASON_SAVEPOINT_EXISTS = 22,
  FIRN_REASON_SAVEPOINT_NOT_FOUND = 23,
  FIRN_REASON_KEY_NOT_FOUND = 32,
  FIRN_REASON_KEY_EXISTS = 33,
  FIRN_REASON_ILLEGAL_KEY = 34,
  FIRN_REASON_ILLEGAL_VALUE = 35,
  FIRN_REASON_INVALID_PROOF = 36,
  FIRN_REASON_MISSING_NODE = 37,
  FIRN_REASON_LABEL_MISMATCH = 38,
  FIRN_REASON_STATE_MISMATCH = 39,
  FIRN_REASON_SEQUENCE_GAP = 40,
  FIRN_REASON_SEQUENCE_TAKEN = 41,
  FIRN_REASON_OVERFLOW = 42,
  FIRN_REASON_NOT_RETAINED = 43,
  FIRN_REASON_OPERATION_REFUSED = 44
};

typedef struct firn_error firn_error;
FIRN_C_EXPORT firn_code firn_error_code(const firn_error* error);
FIRN_C_EXPORT firn_reason firn_error_reason(const firn_error* error);
/* One sentence, ended by a zero byte; empty for NULL. */
FIRN_C_EXPORT const char* firn_error_message(const firn_error* error);
FIRN_C_EXPORT void firn_error_free(firn_error* error);
/* A stable lower-case word, e.g. "conflict"; "unknown" for a number that is none. */
FIRN_C_EXPORT const char* firn_reason_name(firn_reason reason);

/* A list of texts. */
typedef struct firn_list firn_list;
FIRN_C_EXPORT size_t firn_list_size(const firn_list* list);
FIRN_C_EXPORT firn_bytes firn_list_at(const firn_list* list, size_t index); /* empty behind the end */
FIRN_C_EXPORT void firn_list_free(firn_list* list);

/* What a verification found. Counts by name: files, blocks, entries, bytes for a database; nodes,
 * leaves, records, operations, checkpoints, damage for a tree. */
typedef struct firn_report firn_report;
FIRN_C_EXPORT int firn_report_clean(const firn_report* report); /* 1: no damage */
FIRN_C_EXPORT firn_code firn_report_count(const firn_report* report, firn_bytes name,
                                          uint64_t* count, firn_error** error);
FIRN_C_EXPORT const firn_list* firn_report_damage(const firn_report* report); /* the report's */
FIRN_C_EXPORT const firn_list* firn_report_notes(const firn_report* report);  /* the report's */
FIRN_C_EXPORT void firn_report_free(firn_report* report);

/* --- database (firn/database.h) --- */

typedef struct firn_database firn_database;
typedef struct firn_keyspace firn_keyspace;
typedef struct firn_batch firn_batch;
typedef struct firn_value firn_value;
typedef struct firn_values firn_values;
typedef struct firn_iterator firn_iterator;
typedef struct firn_snapshot firn_snapshot;
typedef struct firn_transaction firn_transaction;

typedef int32_t firn_durability;
enum { FIRN_VOLATILE = 1, FIRN_BUFFERED = 2, FIRN_SYNCED = 3 };

typedef int32_t firn_verify_level;
enum { FIRN_VERIFY_FILES = 1, FIRN_VERIFY_BLOCKS = 2 };

/* Options: every number of firn::Options by its name, and
 *   preset       balanced, write-heavy, read-heavy, bulk-load, low-memory: sets all of these numbers,
 *                so it stands first
 *   mode         open_or_create, open_existing, create_new
 *   storage      disk, memory
 *   identity.X   the fact X, fixed at creation */
FIRN_C_EXPORT firn_code firn_database_open(firn_bytes path, const firn_option* options,
                                           size_t option_count, firn_database** database,
                                           firn_error** error);
/* The same, and `sink` gets a line on each thing that the store does (firn::LogSink), from any thread,
 * until the last handle on the database is freed; `line` lives as long as the call. It must not call
 * back into the database. `context` is handed to it and not looked at. */
typedef void (*firn_log_sink)(firn_bytes line, void* context);
FIRN_C_EXPORT firn_code firn_database_open_logged(firn_bytes path, const firn_option* options,
                                                  size_t option_count, firn_log_sink sink,
                                                  void* context, firn_database** database,
                                                  firn_error** error);
/* Later reads and writes fail with FIRN_REASON_CLOSED; values that are pinned stay readable, and an
 * iterator goes on where it needs no file and fails where it does. The handle is still to be freed. */
FIRN_C_EXPORT firn_code firn_database_close(firn_database* database, firn_error** error);
/* Without a close before it, an error of closing goes unseen. */
FIRN_C_EXPORT void firn_database_free(firn_database* database);
FIRN_C_EXPORT firn_bytes firn_database_store_id(const firn_database* database);
FIRN_C_EXPORT uint64_t firn_database_last_sequence(const firn_database* database);
/* FIRN_NOT_FOUND if the store was made without that fact. */
FIRN_C_EXPORT firn_code firn_database_identity(const firn_database* database, firn_bytes name,
                                               firn_bytes* value, firn_error** error);

/* Options: every number of firn::KeyspaceOptions by its name, and
 *   preset       as above
 *   layout       ordered, hashed, sequence
 *   compression  none, lz4, lz4hc, zstd */
FIRN_C_EXPORT firn_code firn_keyspace_create(firn_database* database, firn_bytes name,
                                             const firn_option* options, size_t option_count,
                                             firn_keyspace** keyspace, firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_open(firn_database* database, firn_bytes name,
                                           firn_keyspace** keyspace, firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_open_or_create(firn_database* database, firn_bytes name,
                                                     const firn_option* options,
                                                     size_t option_count, firn_keyspace** keyspace,
                                                     firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_drop(firn_database* database, firn_bytes name,
                                           firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_list(firn_database* database, firn_list** names,
                                           firn_error** error);
FIRN_C_EXPORT firn_bytes firn_keyspace_name(const firn_keyspace* keyspace);
FIRN_C_EXPORT uint32_t firn_keyspace_id(const firn_keyspace* keyspace);
FIRN_C_EXPORT void firn_keyspace_free(firn_keyspace* keyspace);

/* --- writes --- */

FIRN_C_EXPORT firn_code firn_batch_new(firn_batch** batch, firn_error** error);
FIRN_C_EXPORT firn_code firn_batch_put(firn_batch* batch, const firn_keyspace* keyspace,
                                       firn_bytes key, firn_bytes value, firn_error** error);
FIRN_C_EXPORT firn_code firn_batch_remove(firn_batch* batch, const firn_keyspace* keyspace,
                                          firn_bytes key, firn_error** error);
FIRN_C_EXPORT firn_code firn_batch_append(firn_batch* batch, const firn_batch* other,
                                          firn_error** error);
FIRN_C_EXPORT void firn_batch_clear(firn_batch* batch);
FIRN_C_EXPORT size_t firn_batch_count(const firn_batch* batch);
FIRN_C_EXPORT size_t firn_batch_encoded_size(const firn_batch* batch);
FIRN_C_EXPORT void firn_batch_free(firn_batch* batch);

FIRN_C_EXPORT firn_code firn_database_write(firn_database* database, const firn_batch* batch,
                                            firn_durability durability, firn_error** error);
FIRN_C_EXPORT firn_code firn_database_sync(firn_database* database, firn_error** error);

/* --- reads; `snapshot` may be NULL: now --- */

/* The value where it stands, pinned: no copy. */
FIRN_C_EXPORT firn_code firn_keyspace_get(const firn_keyspace* keyspace, firn_bytes key,
                                          const firn_snapshot* snapshot, firn_value** value,
                                          firn_error** error);
FIRN_C_EXPORT firn_bytes firn_value_bytes(const firn_value* value);
FIRN_C_EXPORT void firn_value_free(firn_value* value);
/* A copy, for firn_free(). An empty value is not NULL. */
FIRN_C_EXPORT firn_code firn_keyspace_get_copy(const firn_keyspace* keyspace, firn_bytes key,
                                               const firn_snapshot* snapshot, void** copy,
                                               size_t* size, firn_error** error);
/* One result a key, in their order. Fails as a whole only if it could not be tried. */
FIRN_C_EXPORT firn_code firn_keyspace_multi_get(const firn_keyspace* keyspace,
                                                const firn_bytes* keys, size_t key_count,
                                                const firn_snapshot* snapshot,
                                                firn_values** values, firn_error** error);
FIRN_C_EXPORT size_t firn_values_size(const firn_values* values);
FIRN_C_EXPORT firn_code firn_values_code(const firn_values* values, size_t index);
/* Empty unless the code is FIRN_OK. */
FIRN_C_EXPORT firn_bytes firn_values_at(const firn_values* values, size_t index);
/* Why a key has neither a value nor is absent; NULL otherwise. Belongs to `values`. */
FIRN_C_EXPORT const firn_error* firn_values_error(const firn_values* values, size_t index);
FIRN_C_EXPORT void firn_values_free(firn_values* values);

FIRN_C_EXPORT firn_code firn_snapshot_take(firn_database* database, firn_snapshot** snapshot,
                                           firn_error** error);
FIRN_C_EXPORT uint64_t firn_snapshot_sequence(const firn_snapshot* snapshot);
FIRN_C_EXPORT void firn_snapshot_free(firn_snapshot* snapshot);

/* Keys in [begin, *limit); a NULL limit: to the last. */
FIRN_C_EXPORT firn_code firn_iterator_new(const firn_keyspace* keyspace, firn_bytes begin,
                                          const firn_bytes* limit, const firn_snapshot* snapshot,
                                          firn_iterator** iterator, firn_error** error);
/* The keys that begin with `prefix`. */
FIRN_C_EXPORT firn_code firn_iterator_new_prefix(const firn_keyspace* keyspace, firn_bytes prefix,
                                                 const firn_snapshot* snapshot,
                                                 firn_iterator** iterator, firn_error** error);
/* A move returns 1 if the iterator then stands on an entry, else 0: it is at the end, or has failed,
 * which firn_iterator_status() tells. Next and prev of an iterator that stands nowhere do nothing.
 *   for (int on = firn_iterator_seek_to_first(i); on; on = firn_iterator_next(i)) ... */
FIRN_C_EXPORT int firn_iterator_seek_to_first(firn_iterator* iterator);
FIRN_C_EXPORT int firn_iterator_seek_to_last(firn_iterator* iterator);
FIRN_C_EXPORT int firn_iterator_seek(firn_iterator* iterator, firn_bytes target);
FIRN_C_EXPORT int firn_iterator_seek_for_prev(firn_iterator* iterator, firn_bytes target);
FIRN_C_EXPORT int firn_iterator_next(firn_iterator* iterator);
FIRN_C_EXPORT int firn_iterator_prev(firn_iterator* iterator);
FIRN_C_EXPORT int firn_iterator_valid(const firn_iterator* iterator);
/* Both die at the next move. */
FIRN_C_EXPORT firn_bytes firn_iterator_key(const firn_iterator* iterator);
FIRN_C_EXPORT firn_bytes firn_iterator_value(const firn_iterator* iterator);
FIRN_C_EXPORT firn_code firn_iterator_status(const firn_iterator* iterator, firn_error** error);
FIRN_C_EXPORT void firn_iterator_free(firn_iterator* iterator);

/* --- transactions (firn/transaction.h) --- */

/* Options: write_bytes_max, read_bytes_max, and isolation: snapshot, serializable. */
FIRN_C_EXPORT firn_code firn_transaction_begin(firn_database* database, const firn_option* options,
                                               size_t option_count, firn_transaction** transaction,
                                               firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_get(firn_transaction* transaction,
                                             const firn_keyspace* keyspace, firn_bytes key,
                                             firn_value** value, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_get_for_update(firn_transaction* transaction,
                                                        const firn_keyspace* keyspace,
                                                        firn_bytes key, firn_value** value,
                                                        firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_multi_get(firn_transaction* transaction,
                                                   const firn_keyspace* keyspace,
                                                   const firn_bytes* keys, size_t key_count,
                                                   firn_values** values, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_iterator(firn_transaction* transaction,
                                                  const firn_keyspace* keyspace, firn_bytes begin,
                                                  const firn_bytes* limit,
                                                  firn_iterator** iterator, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_put(firn_transaction* transaction,
                                             const firn_keyspace* keyspace, firn_bytes key,
                                             firn_bytes value, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_remove(firn_transaction* transaction,
                                                const firn_keyspace* keyspace, firn_bytes key,
                                                firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_create_savepoint(firn_transaction* transaction,
                                                          firn_bytes name, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_rollback_to_savepoint(firn_transaction* transaction,
                                                               firn_bytes name, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_release_savepoint(firn_transaction* transaction,
                                                           firn_bytes name, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_savepoints(const firn_transaction* transaction,
                                                    firn_list** names, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_changes_since(const firn_transaction* transaction,
                                                       firn_bytes name, size_t* changes,
                                                       firn_error** error);
/* FIRN_ABORTED with FIRN_REASON_CONFLICT: run it again from the beginning. */
FIRN_C_EXPORT firn_code firn_transaction_commit(firn_transaction* transaction,
                                                firn_durability durability, firn_error** error);
FIRN_C_EXPORT firn_code firn_transaction_rollback(firn_transaction* transaction,
                                                  firn_error** error);
FIRN_C_EXPORT int firn_transaction_ended(const firn_transaction* transaction);
FIRN_C_EXPORT size_t firn_transaction_write_count(const firn_transaction* transaction);
FIRN_C_EXPORT void firn_transaction_free(firn_transaction* transaction); /* rolls back */

/* Calls `work` and commits; after a conflict again, so `work` must have no effect beside the transaction
 * that may not happen twice, and must not commit. The transaction is lent, and is not freed by `work`.
 * A code other than FIRN_OK rolls back and is returned, without its reason (FIRN_UNKNOWN if it is no
 * firn_code); FIRN_ABORTED counts as a conflict. Options: those of
 * firn_transaction_begin(), attempts_max, backoff_us_min, backoff_us_max. */
FIRN_C_EXPORT firn_code firn_database_run(firn_database* database,
                                          firn_code (*work)(firn_transaction* transaction,
                                                            void* context),
                                          void* context, const firn_option* options,
                                          size_t option_count, firn_durability durability,
                                          firn_error** error);

/* --- sequences (firn/sequence.h) --- */

typedef struct firn_sequence firn_sequence;
/* Options: block, a number, and durability: volatile is refused, buffered, synced. */
FIRN_C_EXPORT firn_code firn_sequence_open(firn_database* database, const firn_keyspace* keyspace,
                                           firn_bytes name, const firn_option* options,
                                           size_t option_count, firn_sequence** sequence,
                                           firn_error** error);
/* Thread-safe. */
FIRN_C_EXPORT firn_code firn_sequence_next(firn_sequence* sequence, uint64_t* number,
                                           firn_error** error);
FIRN_C_EXPORT void firn_sequence_free(firn_sequence* sequence);
FIRN_C_EXPORT firn_code firn_transaction_next_number(firn_transaction* transaction,
                                                     const firn_keyspace* keyspace,
                                                     firn_bytes name, uint64_t* number,
                                                     firn_error** error);
FIRN_C_EXPORT firn_code firn_sequence_list(const firn_keyspace* keyspace, firn_list** names,
                                           firn_error** error);
FIRN_C_EXPORT firn_code firn_sequence_reset(firn_database* database, const firn_keyspace* keyspace,
                                            firn_bytes name, uint64_t last, firn_error** error);

/* --- typed tables (firn/table.h): a C program encodes its rows itself, and keys with these --- */

/* 8 bytes that sort as the numbers. */
FIRN_C_EXPORT void firn_encode_uint64(uint64_t number, uint8_t bytes[8]);
FIRN_C_EXPORT void firn_encode_int64(int64_t number, uint8_t bytes[8]);
/* FIRN_DATA_LOSS with FIRN_REASON_SERIALIZATION if `bytes` are not 8. */
FIRN_C_EXPORT firn_code firn_decode_uint64(firn_bytes bytes, uint64_t* number, firn_error** error);
FIRN_C_EXPORT firn_code firn_decode_int64(firn_bytes bytes, int64_t* number, firn_error** error);
/* Table::CompareAndSet(): NULL for `expected` is no row, for `desired` a removal. *changed: 1 or 0. */
FIRN_C_EXPORT firn_code firn_transaction_compare_and_set(firn_transaction* transaction,
                                                         const firn_keyspace* keyspace,
                                                         firn_bytes key,
                                                         const firn_bytes* expected,
                                                         const firn_bytes* desired, int* changed,
                                                         firn_error** error);

/* --- upkeep --- */

/* Database::SetSizeLimits(), SetCompression() (codec as in the option), SetBlockCacheSize(). */
FIRN_C_EXPORT firn_code firn_keyspace_set_size_limits(firn_keyspace* keyspace, uint64_t soft,
                                                      uint64_t hard, firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_set_compression(firn_keyspace* keyspace, firn_bytes codec,
                                                      uint32_t level, firn_error** error);
FIRN_C_EXPORT firn_code firn_database_set_block_cache_size(firn_database* database, uint64_t bytes,
                                                           firn_error** error);

FIRN_C_EXPORT firn_code firn_keyspace_flush(firn_keyspace* keyspace, firn_error** error);
/* An empty limit: to the last key. */
FIRN_C_EXPORT firn_code firn_keyspace_compact(firn_keyspace* keyspace, firn_bytes begin,
                                              firn_bytes limit, firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_drop_below(firn_keyspace* keyspace, firn_bytes key,
                                                 firn_error** error);
FIRN_C_EXPORT firn_code firn_keyspace_approximate_size(const firn_keyspace* keyspace,
                                                       firn_bytes begin, firn_bytes limit,
                                                       uint64_t* bytes, firn_error** error);
FIRN_C_EXPORT firn_code firn_database_wait_for_background_work(firn_database* database,
                                                               firn_error** error);
FIRN_C_EXPORT firn_code firn_database_verify(firn_database* database, firn_verify_level level,
                                             firn_report** report, firn_error** error);
/* firn::Statistics as lines "name value", e.g. "writes 12", "write_us.p99 40",
 * "keyspaces.notes.levels.0.bytes 4096". For firn_free(); ended by a zero byte that `size` leaves out. */
FIRN_C_EXPORT firn_code firn_database_statistics(const firn_database* database, char** text,
                                                 size_t* size, firn_error** error);
/* One number of it, by its name. FIRN_NOT_FOUND if there is none. */
FIRN_C_EXPORT firn_code firn_database_statistic(const firn_database* database, firn_bytes name,
                                                uint64_t* value, firn_error** error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FIRN_C_H_ */
