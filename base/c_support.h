// base/c_support.h: what every part of the C API (firn/c.h, firn/c_tree.h) is made of: the way from a
// Status to a code and an error object, checks of what a C caller gave, options by name.
//
// Invariants:
//   1. No exception leaves CallFromC(): running out of memory is FIRN_RESOURCE_EXHAUSTED, anything
//      else FIRN_INTERNAL. Code outside it (questions, frees) does not allocate; moves of iterators
//      catch for themselves.
//   2. Results are set to "nothing" before anything can fail.
#ifndef FIRN_BASE_C_SUPPORT_H_
#define FIRN_BASE_C_SUPPORT_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "firn/c.h"

struct firn_error {
  firn_code code = FIRN_UNKNOWN;
  firn_reason reason = FIRN_REASON_NONE;
  std::string message;
};

struct firn_list {
  std::vector<std::string> texts;
};

struct firn_report {
  bool clean = true;
  std::map<std::string, uint64_t> counts;
  firn_list damage;
  firn_list notes;
};

namespace firn {

// The code of `status`, and an error object in *error if `error` is given: none for OK and for an
// absent key (NotFound without a message).
firn_code ReturnToC(const absl::Status& status, firn_error** error);
// The same where memory has run out, or code that is not ours threw `what`.
firn_code ReturnOutOfMemory(firn_error** error) noexcept;
firn_code ReturnException(const char* what, firn_error** error) noexcept;

// Runs the body of a call, which returns a Status.
template <typename Body>
firn_code CallFromC(firn_error** error, Body body) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    return ReturnToC(body(), error);
  } catch (const std::bad_alloc&) {
    return ReturnOutOfMemory(error);
  } catch (const std::exception& thrown) {
    return ReturnException(thrown.what(), error);
  } catch (...) {
    return ReturnException("", error);
  }
}

// InvalidArgument naming `what` if it is NULL.
absl::Status CheckGiven(const void* pointer, absl::string_view what);
// The bytes as a view. InvalidArgument for NULL with a size.
absl::StatusOr<absl::string_view> FromC(firn_bytes bytes, absl::string_view what);
absl::StatusOr<std::vector<absl::string_view>> FromC(const firn_bytes* bytes, size_t count,
                                                     absl::string_view what);
inline firn_bytes ToC(absl::string_view view) { return {view.data(), view.size()}; }

// A copy that firn_free() frees; never null, one zero byte longer than `bytes`.
void* CopyForC(absl::string_view bytes);

// One option: its name and value. What a call takes is a list of these.
struct NamedText {
  absl::string_view name;
  absl::string_view value;
};
absl::StatusOr<std::vector<NamedText>> FromC(const firn_option* options, size_t count);

// Decimal, perhaps followed by KiB, MiB, GiB or TiB. InvalidArgument/kInvalidOption naming the option.
absl::StatusOr<uint64_t> ParseNumber(const NamedText& option);
// "yes" or "no".
absl::StatusOr<bool> ParseYesNo(const NamedText& option);
// One of `words`; the values that they stand for begin with 1.
absl::StatusOr<uint8_t> ParseWord(const NamedText& option, absl::Span<const absl::string_view> words);
// There is no option of that name for this call.
absl::Status UnknownOption(const NamedText& option);

}  // namespace firn

#endif  // FIRN_BASE_C_SUPPORT_H_
