/* tests/support/c_check.h: checks of test programs in C. main() ends with return check_result(). */
#ifndef FIRN_TESTS_SUPPORT_C_CHECK_H_
#define FIRN_TESTS_SUPPORT_C_CHECK_H_

#include <stdio.h>
#include <string.h>

#include "firn/c.h"

extern int check_count, check_failures; /* defined beside main() */

static inline void check(int holds, const char* what, const char* file, int line) {
  ++check_count;
  if (holds) return;
  ++check_failures;
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
}
#define CHECK(condition) check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* The call must succeed, and must not have made an error object. */
static inline void check_ok(firn_code code, firn_error** error, const char* what, const char* file,
                            int line) {
  check(code == FIRN_OK && *error == NULL, what, file, line);
  if (*error == NULL) return;
  fprintf(stderr, "  %s\n", firn_error_message(*error));
  firn_error_free(*error);
  *error = NULL;
}
#define CHECK_OK(call) check_ok((call), &error, #call, __FILE__, __LINE__)

/* The call must fail with this code and reason, and a message. */
static inline void check_fails(firn_code code, firn_code expected, firn_reason reason,
                               firn_error** error, const char* what, const char* file, int line) {
  check(code == expected && firn_error_code(*error) == expected &&
            firn_error_reason(*error) == reason && firn_error_message(*error)[0] != '\0',
        what, file, line);
  if (code != expected || firn_error_reason(*error) != reason) {
    fprintf(stderr, "  code %d, %s: %s\n", (int)code, firn_reason_name(firn_error_reason(*error)),
            firn_error_message(*error));
  }
  firn_error_free(*error);
  *error = NULL;
}
#define CHECK_FAILS(call, code, reason) \
  check_fails((call), (code), (reason), &error, #call, __FILE__, __LINE__)
/* A NULL where there must be none. */
#define CHECK_REFUSED(call) CHECK_FAILS(call, FIRN_INVALID_ARGUMENT, FIRN_REASON_INVALID_ARGUMENT)

static inline int is_text(firn_bytes bytes, const char* text) {
  const size_t size = strlen(text);
  return bytes.size == size && (size == 0 || memcmp(bytes.data, text, size) == 0);
}

static inline int check_result(void) {
  printf("%d checks, %d failed\n", check_count, check_failures);
  return check_failures == 0 && check_count > 0 ? 0 : 1;
}

#endif /* FIRN_TESTS_SUPPORT_C_CHECK_H_ */
