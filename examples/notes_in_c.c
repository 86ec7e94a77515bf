/* The store and the tree from C: handles, length-delimited bytes, error objects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firn/c_tree.h"

/* Ends the program with the error's sentence if a call failed. A program that goes on frees the error,
 * too. An absent key is a code alone: there is no error object. */
static void require(firn_code code, firn_error* error) {
  if (code == FIRN_OK) return;
  if (error == NULL) {
    fprintf(stderr, "code %d\n", (int)code);
  } else {
    fprintf(stderr, "%s: %s\n", firn_reason_name(firn_error_reason(error)),
            firn_error_message(error));
  }
  firn_error_free(error);
  exit(1);
}

static void expect(int holds, const char* what) {
  if (holds) return;
  fprintf(stderr, "not as expected: %s\n", what);
  exit(1);
}

static void keep_notes(firn_database* database) {
  firn_error* error = NULL;
  firn_keyspace* notes = NULL;
  firn_batch* batch = NULL;
  require(firn_keyspace_create(database, firn_text("notes"), NULL, 0, &notes, &error), error);

  /* A batch happens as a whole. */
  require(firn_batch_new(&batch, &error), error);
  require(firn_batch_put(batch, notes, firn_text("alice"), firn_text("owes 10"), &error), error);
  require(firn_batch_put(batch, notes, firn_text("bob"), firn_text("owes 7"), &error), error);
  require(firn_database_write(database, batch, FIRN_SYNCED, &error), error);
  firn_batch_free(batch);

  /* A value is pinned where it stands until it is freed. Bytes have a size, not an end. */
  firn_value* value = NULL;
  require(firn_keyspace_get(notes, firn_text("alice"), NULL, &value, &error), error);
  const firn_bytes bytes = firn_value_bytes(value);
  printf("alice %.*s\n", (int)bytes.size, (const char*)bytes.data);
  firn_value_free(value);
  /* An absent key is a code, without an error object. */
  expect(firn_keyspace_get(notes, firn_text("carol"), NULL, &value, &error) == FIRN_NOT_FOUND &&
             error == NULL,
         "nobody wrote of carol");

  firn_iterator* walk = NULL;
  int entries = 0;
  require(firn_iterator_new(notes, firn_text(""), NULL, NULL, &walk, &error), error);
  for (int on = firn_iterator_seek_to_first(walk); on; on = firn_iterator_next(walk)) ++entries;
  require(firn_iterator_status(walk, &error), error); /* the end, or a failure? */
  firn_iterator_free(walk);
  expect(entries == 2, "two notes");
  firn_keyspace_free(notes);
}

/* The tree: a commit gives a digest; a proof convinces whoever knows that digest. */
static void prove_a_note(firn_database* database) {
  firn_error* error = NULL;
  const firn_option of_tree[] = {{firn_text("key_length"), firn_text("8")},
                                 {firn_text("value_length"), firn_text("variable")}};
  firn_tree* tree = NULL;
  firn_commit* commit = NULL;
  firn_tree_view* view = NULL;
  firn_proof* proof = NULL;
  require(firn_tree_open(database, of_tree, 2, &tree, &error), error);
  const firn_operation insert = {FIRN_INSERT, firn_text("alice---"), firn_text("10"), 0};
  require(firn_tree_apply(tree, &insert, NULL, &error), error);
  require(firn_tree_commit(tree, FIRN_SYNCED, NULL, NULL, 0, &commit, &error), error);
  const firn_digest digest = firn_commit_digest(commit);
  firn_commit_free(commit);

  const firn_bytes key = firn_text("alice---");
  require(firn_tree_view_now(tree, &view, &error), error);
  require(firn_view_prove(view, &key, 1, &proof, &error), error);

  const firn_tree_parameters parameters = {8, 0, 0};
  const firn_operation lookup = {FIRN_LOOKUP, key, {NULL, 0}, 0};
  firn_digest after;
  firn_old_values* found = NULL;
  firn_bytes proved;
  require(firn_verify_proof(&digest, firn_proof_bytes(proof), &parameters, &lookup, 1, NULL, 0,
                            &after, &found, &error),
          error);
  expect(firn_old_values_at(found, 0, &proved) == 1 && proved.size == 2 &&
             memcmp(proved.data, "10", 2) == 0,
         "alice has 10");
  printf("a proof of %zu bytes shows that alice has %.*s\n", firn_proof_bytes(proof).size,
         (int)proved.size, (const char*)proved.data);

  /* Handles may go in any order: each keeps what it needs. */
  firn_tree_free(tree);
  firn_view_free(view);
  firn_old_values_free(found);
  firn_proof_free(proof);
}

int main(int count, char** arguments) {
  firn_error* error = NULL;
  firn_database* database = NULL;
  if (count != 2) {
    fprintf(stderr, "usage: %s FOLDER, which must not exist yet\n", arguments[0]);
    return 2;
  }
  /* Options are names and values; sizes may have units. */
  const firn_option options[] = {{firn_text("memtable_size"), firn_text("16MiB")}};
  require(firn_database_open(firn_text(arguments[1]), options, 1, &database, &error), error);
  keep_notes(database);
  prove_a_note(database);
  require(firn_database_close(database, &error), error);
  firn_database_free(database);
  return 0;
}
