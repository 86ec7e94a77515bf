#include "base/c_support.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "firn/error.h"

namespace firn {
namespace {

// For when there is no memory to make one; firn_error_free() knows it.
firn_error& OutOfMemoryError() {
  static firn_error* const error =
      new firn_error{FIRN_RESOURCE_EXHAUSTED, FIRN_REASON_NONE, "out of memory"};
  return *error;
}
// Made at start, while there is memory.
[[maybe_unused]] const firn_error& kMadeAtStart = OutOfMemoryError();

// absl's codes are part of its interface and of gRPC's; the C ones are the same numbers.
static_assert(static_cast<int>(absl::StatusCode::kInvalidArgument) == FIRN_INVALID_ARGUMENT);
static_assert(static_cast<int>(absl::StatusCode::kNotFound) == FIRN_NOT_FOUND);
static_assert(static_cast<int>(absl::StatusCode::kAborted) == FIRN_ABORTED);
static_assert(static_cast<int>(absl::StatusCode::kDataLoss) == FIRN_DATA_LOSS);
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) == FIRN_UNAUTHENTICATED);

}  // namespace

firn_code ReturnToC(const absl::Status& status, firn_error** error) {
  const auto code = static_cast<firn_code>(status.code());
  const bool is_absent = code == FIRN_NOT_FOUND && status.message().empty();
  if (error == nullptr || status.ok() || is_absent) return code;
  *error = new firn_error{code, static_cast<firn_reason>(ReasonOf(status)),
                          std::string(status.message())};
  return code;
}

firn_code ReturnOutOfMemory(firn_error** error) noexcept {
  if (error != nullptr) *error = &OutOfMemoryError();
  return FIRN_RESOURCE_EXHAUSTED;
}

firn_code ReturnException(const char* what, firn_error** error) noexcept {
  try {
    return ReturnToC(absl::InternalError(absl::StrCat("an exception was thrown: ", what)), error);
  } catch (...) {
    return ReturnOutOfMemory(error);
  }
}

absl::Status CheckGiven(const void* pointer, absl::string_view what) {
  if (pointer != nullptr) return absl::OkStatus();
  return InvalidArgument(absl::StrCat(what, " is NULL"));
}

absl::StatusOr<absl::string_view> FromC(firn_bytes bytes, absl::string_view what) {
  if (bytes.data == nullptr && bytes.size > 0) {
    return InvalidArgument(absl::StrCat(what, " is NULL with a size of ", bytes.size));
  }
  return absl::string_view(static_cast<const char*>(bytes.data), bytes.size);
}

absl::StatusOr<std::vector<absl::string_view>> FromC(const firn_bytes* bytes, size_t count,
                                                     absl::string_view what) {
  if (count > 0) FIRN_RETURN_IF_ERROR(CheckGiven(bytes, what));
  std::vector<absl::string_view> views(count);
  for (size_t i = 0; i < count; ++i) {
    FIRN_ASSIGN_OR_RETURN(views[i], FromC(bytes[i], absl::StrCat(what, " ", i)));
  }
  return views;
}

void* CopyForC(absl::string_view bytes) {
  char* const copy = static_cast<char*>(std::malloc(bytes.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  copy[bytes.size()] = '\0';
  return copy;
}

absl::StatusOr<std::vector<NamedText>> FromC(const firn_option* options, size_t count) {
  if (count > 0) FIRN_RETURN_IF_ERROR(CheckGiven(options, "options"));
  std::vector<NamedText> named(count);
  for (size_t i = 0; i < count; ++i) {
    FIRN_ASSIGN_OR_RETURN(named[i].name, FromC(options[i].name, "an option's name"));
    FIRN_ASSIGN_OR_RETURN(named[i].value, FromC(options[i].value, named[i].name));
  }
  return named;
}

absl::StatusOr<uint64_t> ParseNumber(const NamedText& option) {
  struct Unit {
    absl::string_view suffix;
    uint64_t factor;
  };
  static constexpr Unit kUnits[] = {{"KiB", uint64_t{1} << 10},
                                    {"MiB", uint64_t{1} << 20},
                                    {"GiB", uint64_t{1} << 30},
                                    {"TiB", uint64_t{1} << 40}};
  absl::string_view digits = option.value;
  uint64_t factor = 1;
  for (const Unit& unit : kUnits) {
    if (absl::ConsumeSuffix(&digits, unit.suffix)) factor = unit.factor;
  }
  uint64_t number = 0;
  const bool is_plain = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  if (!is_plain || !absl::SimpleAtoi(digits, &number) ||
      number > std::numeric_limits<uint64_t>::max() / factor) {
    return InvalidOption(option.name, absl::StrCat("'", option.value, "' is not a number"));
  }
  return number * factor;
}

absl::StatusOr<bool> ParseYesNo(const NamedText& option) {
  if (option.value == "yes") return true;
  if (option.value == "no") return false;
  return InvalidOption(option.name, absl::StrCat("'", option.value, "' is neither yes nor no"));
}

absl::StatusOr<uint8_t> ParseWord(const NamedText& option,
                                  absl::Span<const absl::string_view> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == option.value) return static_cast<uint8_t>(i + 1);
  }
  return InvalidOption(option.name, absl::StrCat("'", option.value, "' is none of ",
                                                 absl::StrJoin(words, ", ")));
}

absl::Status UnknownOption(const NamedText& option) {
  return InvalidOption(option.name, "no such option");
}

}  // namespace firn

uint32_t firn_c_api_version(void) { return FIRN_C_API_VERSION; }
const char* firn_version(void) { return "0.1.0"; }

void firn_free(void* copy) { std::free(copy); }

firn_code firn_error_code(const firn_error* error) {
  return error == nullptr ? FIRN_OK : error->code;
}
firn_reason firn_error_reason(const firn_error* error) {
  return error == nullptr ? FIRN_REASON_NONE : error->reason;
}
const char* firn_error_message(const firn_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}
void firn_error_free(firn_error* error) {
  if (error != &firn::OutOfMemoryError()) delete error;
}
const char* firn_reason_name(firn_reason reason) {
  if (reason < 0 || reason > 0xFFFF) return "unknown";
  // The names are literals, so they end with a zero byte.
  return firn::ErrorReasonName(static_cast<firn::ErrorReason>(reason)).data();
}

size_t firn_list_size(const firn_list* list) { return list == nullptr ? 0 : list->texts.size(); }
firn_bytes firn_list_at(const firn_list* list, size_t index) {
  if (index >= firn_list_size(list)) return {nullptr, 0};
  return firn::ToC(list->texts[index]);
}
void firn_list_free(firn_list* list) { delete list; }

int firn_report_clean(const firn_report* report) {
  return report != nullptr && report->clean ? 1 : 0;
}
firn_code firn_report_count(const firn_report* report, firn_bytes name, uint64_t* count,
                            firn_error** error) {
  return firn::CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(firn::CheckGiven(count, "count"));
    *count = 0;
    FIRN_RETURN_IF_ERROR(firn::CheckGiven(report, "report"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view which, firn::FromC(name, "name"));
    const auto found = report->counts.find(std::string(which));
    if (found == report->counts.end()) {
      return absl::NotFoundError(absl::StrCat("the report has no count '", which, "'"));
    }
    *count = found->second;
    return absl::OkStatus();
  });
}
const firn_list* firn_report_damage(const firn_report* report) {
  return report == nullptr ? nullptr : &report->damage;
}
const firn_list* firn_report_notes(const firn_report* report) {
  return report == nullptr ? nullptr : &report->notes;
}
void firn_report_free(firn_report* report) { delete report; }
