/* firn/c_tree.h: the C API of the authenticated tree (firn/proof.h, firn/authenticated_tree.h). The
 * rules of firn/c.h hold. firn_verify_proof() needs no database, opened or linked. */
#ifndef FIRN_C_TREE_H_
#define FIRN_C_TREE_H_

#include "firn/c.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct firn_digest {
  uint8_t bytes[33]; /* the root's label and the height */
} firn_digest;

typedef struct firn_tree_parameters {
  uint32_t key_length;   /* bytes, [1, 255] */
  int32_t fixed_values;  /* 1: every value has value_length bytes; 0: any length */
  uint32_t value_length; /* bytes, at most 16 MiB; 0 unless fixed_values */
} firn_tree_parameters;

typedef int32_t firn_operation_kind;
enum {
  FIRN_LOOKUP = 1,
  FIRN_INSERT = 2,
  FIRN_UPDATE = 3,
  FIRN_INSERT_OR_UPDATE = 4,
  FIRN_REMOVE = 5,
  FIRN_REMOVE_IF_EXISTS = 6,
  FIRN_UPDATE_LONG_BY = 7,
  FIRN_UNKNOWN_MODIFICATION = 8
};

typedef struct firn_operation {
  firn_operation_kind kind;
  firn_bytes key;
  firn_bytes value; /* insert, update, insert or update */
  int64_t delta;    /* update long by */
} firn_operation;

FIRN_C_EXPORT firn_code firn_empty_tree_digest(const firn_tree_parameters* parameters,
                                               firn_digest* digest, firn_error** error);
/* 66 hex digits. */
FIRN_C_EXPORT firn_code firn_digest_from_hex(firn_bytes hex, firn_digest* digest,
                                             firn_error** error);

/* Values before operations, one each. */
typedef struct firn_old_values firn_old_values;
FIRN_C_EXPORT size_t firn_old_values_size(const firn_old_values* values);
/* 1 and the value; 0 if the key was absent (or there is no such index). `value` may be NULL. */
FIRN_C_EXPORT int firn_old_values_at(const firn_old_values* values, size_t index,
                                     firn_bytes* value);
FIRN_C_EXPORT void firn_old_values_free(firn_old_values* values);

/* Checks that `operations`, in this order, applied to the tree with digest `start`, give the returned
 * values and digest. FIRN_INVALID_ARGUMENT with FIRN_REASON_INVALID_PROOF: they do not. Options:
 * max_operations, max_deletions, proof_size_max (firn::VerifierLimits). `old_values` may be NULL. */
FIRN_C_EXPORT firn_code firn_verify_proof(const firn_digest* start, firn_bytes proof,
                                          const firn_tree_parameters* parameters,
                                          const firn_operation* operations,
                                          size_t operation_count, const firn_option* options,
                                          size_t option_count, firn_digest* digest,
                                          firn_old_values** old_values, firn_error** error);

/* --- the tree of a database --- */

typedef struct firn_tree firn_tree;
typedef struct firn_tree_view firn_tree_view;
typedef struct firn_commit firn_commit;
typedef struct firn_proof firn_proof;
typedef struct firn_checkpoint firn_checkpoint;
typedef struct firn_operations firn_operations;

/* Options (firn::TreeOptions, firn::CheckpointPolicy):
 *   mode                     open_or_create, open_existing, create_new
 *   key_length, value_length the tree's; value_length may be "variable"
 *   allowed                  bits: 1 insert, 2 update, 4 remove
 *   digests                  per_commit, per_operation
 *   checkpoint_operations, checkpoint_milliseconds, checkpoint_dirty_bytes, and
 *   checkpoint_every_commit  yes, no
 *   node_cache_bytes, node_cache_nodes
 *   expected_digest          66 hex digits
 * Key and value length are fixed at creation; key_length must be given with value_length. One handle a
 * database at a time: FIRN_REASON_LOCKED for a second one. */
FIRN_C_EXPORT firn_code firn_tree_open(firn_database* database, const firn_option* options,
                                       size_t option_count, firn_tree** tree, firn_error** error);
FIRN_C_EXPORT void firn_tree_free(firn_tree* tree); /* forgets what is staged */
FIRN_C_EXPORT firn_code firn_tree_parameters_of(const firn_tree* tree,
                                                firn_tree_parameters* parameters,
                                                firn_error** error);

/* `old_value` (NULL: not wanted) gets a list of one. */
FIRN_C_EXPORT firn_code firn_tree_apply(firn_tree* tree, const firn_operation* operation,
                                        firn_old_values** old_value, firn_error** error);
FIRN_C_EXPORT uint64_t firn_tree_staged_operations(const firn_tree* tree);
FIRN_C_EXPORT firn_code firn_tree_staged_digest(firn_tree* tree, firn_digest* digest,
                                                firn_error** error);
FIRN_C_EXPORT void firn_tree_discard(firn_tree* tree);
FIRN_C_EXPORT firn_code firn_tree_stage_metadata(firn_tree* tree, firn_bytes key, firn_bytes value,
                                                 firn_error** error);
/* A copy, for firn_free(). FIRN_NOT_FOUND if it was never set. */
FIRN_C_EXPORT firn_code firn_tree_get_metadata(const firn_tree* tree, firn_bytes key, void** copy,
                                               size_t* size, firn_error** error);

/* `extra` (NULL: none): writes of other keyspaces, atomic with the commit. Options: proof (yes, no)
 * and time_ms. `commit` may be NULL. */
FIRN_C_EXPORT firn_code firn_tree_commit(firn_tree* tree, firn_durability durability,
                                         const firn_batch* extra, const firn_option* options,
                                         size_t option_count, firn_commit** commit,
                                         firn_error** error);
FIRN_C_EXPORT firn_digest firn_commit_digest(const firn_commit* commit);
FIRN_C_EXPORT uint64_t firn_commit_number(const firn_commit* commit);
FIRN_C_EXPORT uint64_t firn_commit_first_operation(const firn_commit* commit);
FIRN_C_EXPORT uint64_t firn_commit_last_operation(const firn_commit* commit);
FIRN_C_EXPORT uint64_t firn_commit_checkpoint(const firn_commit* commit); /* 0: it made none */
/* The commit is done; a checkpoint that was due after it may have failed, for which see
 * firn::CommitResult::checkpoint_status. */
FIRN_C_EXPORT firn_code firn_commit_checkpoint_status(const firn_commit* commit,
                                                      firn_error** error);
/* NULL unless it was asked for. Belongs to `commit`. */
FIRN_C_EXPORT const firn_proof* firn_commit_proof(const firn_commit* commit);
FIRN_C_EXPORT void firn_commit_free(firn_commit* commit);

/* --- views: the tree as a commit left it --- */

/* Of the last commit. */
FIRN_C_EXPORT firn_code firn_tree_view_now(const firn_tree* tree, firn_tree_view** view,
                                           firn_error** error);
FIRN_C_EXPORT firn_code firn_tree_view_at_checkpoint(const firn_tree* tree, uint64_t id,
                                                     firn_tree_view** view, firn_error** error);
/* firn_view_digest() of the last commit, in one call. */
FIRN_C_EXPORT firn_code firn_tree_root(const firn_tree* tree, firn_digest* digest,
                                       firn_error** error);
FIRN_C_EXPORT firn_digest firn_view_digest(const firn_tree_view* view);
FIRN_C_EXPORT uint64_t firn_view_operation_number(const firn_tree_view* view);
FIRN_C_EXPORT uint64_t firn_view_commit_number(const firn_tree_view* view);
FIRN_C_EXPORT uint64_t firn_view_key_count(const firn_tree_view* view);
/* A copy, for firn_free(). FIRN_NOT_FOUND if the key is absent. */
FIRN_C_EXPORT firn_code firn_view_get(const firn_tree_view* view, firn_bytes key, void** copy,
                                      size_t* size, firn_error** error);
/* Calls `visit` for keys in [begin, limit) in order, until it returns 0. An empty limit: to the last.
 * The bytes die when it returns. */
FIRN_C_EXPORT firn_code firn_view_scan(const firn_tree_view* view, firn_bytes begin,
                                       firn_bytes limit,
                                       int (*visit)(firn_bytes key, firn_bytes value,
                                                    void* context),
                                       void* context, firn_error** error);
FIRN_C_EXPORT firn_code firn_view_prove(const firn_tree_view* view, const firn_bytes* keys,
                                        size_t key_count, firn_proof** proof, firn_error** error);
/* Of operations that are not performed. */
FIRN_C_EXPORT firn_code firn_view_prove_operations(const firn_tree_view* view,
                                                   const firn_operation* operations,
                                                   size_t operation_count, firn_proof** proof,
                                                   firn_error** error);
FIRN_C_EXPORT void firn_view_free(firn_tree_view* view);

FIRN_C_EXPORT firn_bytes firn_proof_bytes(const firn_proof* proof);
FIRN_C_EXPORT firn_digest firn_proof_start(const firn_proof* proof);
FIRN_C_EXPORT firn_digest firn_proof_digest(const firn_proof* proof); /* after the operations */
FIRN_C_EXPORT uint64_t firn_proof_operation_number(const firn_proof* proof);
FIRN_C_EXPORT size_t firn_proof_operation_count(const firn_proof* proof);
/* 0 if there is no such index. */
FIRN_C_EXPORT int firn_proof_operation_at(const firn_proof* proof, size_t index,
                                          firn_operation* operation);
FIRN_C_EXPORT const firn_old_values* firn_proof_old_values(const firn_proof* proof); /* its own */
FIRN_C_EXPORT void firn_proof_free(firn_proof* proof);

/* --- checkpoints, operations, upkeep --- */

/* `metadata`: facts to keep with it, as names and values; not kept if there is a checkpoint of the last
 * commit already, which is then returned. */
FIRN_C_EXPORT firn_code firn_tree_make_checkpoint(firn_tree* tree, const firn_option* metadata,
                                                  size_t metadata_count,
                                                  firn_checkpoint** checkpoint,
                                                  firn_error** error);
FIRN_C_EXPORT firn_code firn_tree_get_checkpoint(const firn_tree* tree, uint64_t id,
                                                 firn_checkpoint** checkpoint, firn_error** error);
FIRN_C_EXPORT firn_code firn_tree_latest_checkpoint(const firn_tree* tree,
                                                    firn_checkpoint** checkpoint,
                                                    firn_error** error);
/* Newest first; for firn_free(). NULL and 0 if there is none. */
FIRN_C_EXPORT firn_code firn_tree_checkpoint_ids(const firn_tree* tree, uint64_t** ids,
                                                 size_t* count, firn_error** error);
FIRN_C_EXPORT uint64_t firn_checkpoint_id(const firn_checkpoint* checkpoint);
FIRN_C_EXPORT uint64_t firn_checkpoint_time_ms(const firn_checkpoint* checkpoint);
FIRN_C_EXPORT firn_digest firn_checkpoint_digest(const firn_checkpoint* checkpoint);
FIRN_C_EXPORT uint64_t firn_checkpoint_last_operation(const firn_checkpoint* checkpoint);
FIRN_C_EXPORT uint64_t firn_checkpoint_commit_number(const firn_checkpoint* checkpoint);
FIRN_C_EXPORT uint64_t firn_checkpoint_node_count(const firn_checkpoint* checkpoint);
/* FIRN_NOT_FOUND if it has no such fact. */
FIRN_C_EXPORT firn_code firn_checkpoint_metadata(const firn_checkpoint* checkpoint,
                                                 firn_bytes name, firn_bytes* value,
                                                 firn_error** error);
FIRN_C_EXPORT void firn_checkpoint_free(firn_checkpoint* checkpoint);

/* An entry of the operation log (firn::LoggedOperation). */
typedef struct firn_logged_operation {
  uint64_t number;
  uint64_t commit_number;
  uint64_t time_ms;
  firn_operation operation;
  int32_t had_previous_value; /* 1: previous_value is what it replaced */
  firn_bytes previous_value;
  int32_t has_digest; /* 1: digest is the tree's after it */
  firn_digest digest;
  int32_t ends_commit;
} firn_logged_operation;

/* Numbers [first, last], at most `limit` of them. */
FIRN_C_EXPORT firn_code firn_tree_get_operations(const firn_tree* tree, uint64_t first,
                                                 uint64_t last, size_t limit,
                                                 firn_operations** operations, firn_error** error);
FIRN_C_EXPORT firn_code firn_tree_get_operations_by_time(const firn_tree* tree, uint64_t begin_ms,
                                                         uint64_t limit_ms, size_t limit,
                                                         firn_operations** operations,
                                                         firn_error** error);
/* Of one key. */
FIRN_C_EXPORT firn_code firn_tree_history(const firn_tree* tree, firn_bytes key, size_t limit,
                                          firn_operations** operations, firn_error** error);
FIRN_C_EXPORT size_t firn_operations_size(const firn_operations* operations);
/* 0 if there is no such index. Its bytes live as long as `operations`. */
FIRN_C_EXPORT int firn_operations_at(const firn_operations* operations, size_t index,
                                     firn_logged_operation* operation);
FIRN_C_EXPORT void firn_operations_free(firn_operations* operations);

typedef int32_t firn_tree_verify_level;
enum { FIRN_TREE_VERIFY_NEWEST = 1, FIRN_TREE_VERIFY_ALL_CHECKPOINTS = 2 };

FIRN_C_EXPORT firn_code firn_tree_verify(const firn_tree* tree, firn_tree_verify_level level,
                                         firn_report** report, firn_error** error);
/* firn::TreeStatistics as lines "name value"; as firn_database_statistics(). */
FIRN_C_EXPORT firn_code firn_tree_statistics(const firn_tree* tree, char** text, size_t* size,
                                             firn_error** error);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FIRN_C_TREE_H_ */
