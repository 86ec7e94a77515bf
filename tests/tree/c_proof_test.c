/* Verification from C, in a program that links the core of the tree alone: no database. */
#include "firn/c_tree.h"
#include "tests/support/c_check.h"

int check_count = 0, check_failures = 0;

static const firn_tree_parameters kParameters = {4, 0, 0};

/* Made by firn_view_prove_operations() on an empty tree: insert of "key1" -> "one". */
static const unsigned char kProof[] = {
    0x02, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x04};

static firn_operation insert(const char* key, const char* value) {
  firn_operation made = {FIRN_INSERT, firn_text(key), firn_text(value), 0};
  return made;
}

static void test_accepts(void) {
  firn_error* error = NULL;
  firn_digest start, after, expected;
  firn_old_values* old = NULL;
  const firn_bytes proof = {kProof, sizeof(kProof)};
  const firn_operation operation = insert("key1", "one");
  firn_option limits[] = {{firn_text("max_operations"), firn_text("1")},
                          {firn_text("max_deletions"), firn_text("0")},
                          {firn_text("proof_size_max"), firn_text("1KiB")}};
  CHECK_OK(firn_empty_tree_digest(&kParameters, &start, &error));
  CHECK_OK(firn_digest_from_hex(firn_text("9aef6734bc32ecf955ca27d87b85249203818dc04bf37011ac673d25ecc7904901"), &expected, &error));
  CHECK_OK(firn_verify_proof(&start, proof, &kParameters, &operation, 1, limits, 3, &after, &old,
                             &error));
  CHECK(memcmp(after.bytes, expected.bytes, sizeof(after.bytes)) == 0);
  CHECK(firn_old_values_size(old) == 1 && firn_old_values_at(old, 0, NULL) == 0);
  firn_old_values_free(old);
}

static void test_refuses(void) {
  firn_error* error = NULL;
  firn_digest start, after;
  firn_old_values* old = NULL;
  const firn_bytes proof = {kProof, sizeof(kProof)};
  const firn_operation operation = insert("key1", "one");
  CHECK_OK(firn_empty_tree_digest(&kParameters, &start, &error));
  unsigned char damaged[sizeof(kProof)];
  const firn_bytes bad = {damaged, sizeof(damaged)};
  memcpy(damaged, kProof, sizeof(kProof));
  damaged[5] ^= 1; /* in the key of the leaf that is shown */
  CHECK_FAILS(firn_verify_proof(&start, bad, &kParameters, &operation, 1, NULL, 0, &after, &old,
                                &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_PROOF);
  CHECK(old == NULL && after.bytes[0] == 0);
  const firn_tree_parameters wrong = {0, 0, 0};
  const firn_bytes null_proof = {NULL, 9};
  firn_option unknown[] = {{firn_text("max_apples"), firn_text("1")}};
  CHECK_FAILS(firn_verify_proof(&start, proof, &kParameters, &operation, 1, unknown, 1, &after,
                                NULL, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_FAILS(firn_verify_proof(&start, proof, &wrong, &operation, 1, NULL, 0, &after, NULL, &error),
              FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_OPTION);
  CHECK_REFUSED(firn_verify_proof(NULL, proof, &kParameters, &operation, 1, NULL, 0, &after, NULL,
                                  &error));
  CHECK_REFUSED(firn_verify_proof(&start, null_proof, &kParameters, &operation, 1, NULL, 0, &after,
                                  NULL, &error));
  CHECK_REFUSED(firn_verify_proof(&start, proof, NULL, &operation, 1, NULL, 0, &after, NULL,
                                  &error));
  CHECK_REFUSED(firn_verify_proof(&start, proof, &kParameters, NULL, 1, NULL, 0, &after, NULL,
                                  &error));
  CHECK_REFUSED(firn_verify_proof(&start, proof, &kParameters, &operation, 1, NULL, 0, NULL, NULL,
                                  &error));
  CHECK_REFUSED(firn_empty_tree_digest(NULL, &start, &error));
  CHECK_REFUSED(firn_empty_tree_digest(&kParameters, NULL, &error));
  CHECK(firn_old_values_size(NULL) == 0 && firn_old_values_at(NULL, 0, NULL) == 0);
  firn_old_values_free(NULL);
}

int main(void) {
  test_accepts();
  test_refuses();
  return check_result();
}
