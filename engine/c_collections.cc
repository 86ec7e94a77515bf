// The C API of what is built of keyspaces: sequences, and what typed tables come down to without types.
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/c_handles.h"
#include "firn/c.h"
#include "firn/composite_key.h"
#include "firn/sequence.h"
#include "firn/table.h"

struct firn_sequence {
  std::shared_ptr<firn::Database> database;
  std::unique_ptr<firn::Sequence> sequence;
};

namespace firn {
namespace {

constexpr absl::string_view kDurabilities[] = {"volatile", "buffered", "synced"};

absl::StatusOr<SequenceOptions> SequenceOptionsFromC(const firn_option* options, size_t count) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  SequenceOptions result;
  for (const NamedText& option : named) {
    if (option.name == "block") {
      FIRN_ASSIGN_OR_RETURN(result.block, ParseNumber(option));
    } else if (option.name == "durability") {
      FIRN_ASSIGN_OR_RETURN(const uint8_t durability, ParseWord(option, kDurabilities));
      result.durability = static_cast<Durability>(durability);
    } else {
      return InvalidOption(option.name, "no such option of a sequence");
    }
  }
  return result;
}

absl::StatusOr<std::optional<std::string>> ValueOrNone(const firn_bytes* bytes,
                                                       absl::string_view name) {
  if (bytes == nullptr) return std::optional<std::string>();
  FIRN_ASSIGN_OR_RETURN(const absl::string_view value, FromC(*bytes, name));
  return std::optional<std::string>(std::string(value));
}

}  // namespace
}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;

firn_code firn_sequence_open(firn_database* database, const firn_keyspace* keyspace,
                             firn_bytes name, const firn_option* options, size_t option_count,
                             firn_sequence** sequence, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(sequence, "sequence"));
    *sequence = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    FIRN_ASSIGN_OR_RETURN(const firn::SequenceOptions chosen,
                          firn::SequenceOptionsFromC(options, option_count));
    FIRN_ASSIGN_OR_RETURN(
        std::unique_ptr<firn::Sequence> opened,
        firn::Sequence::Open(*database->database, keyspace->keyspace, text, chosen));
    *sequence = new firn_sequence{database->database, std::move(opened)};
    return absl::OkStatus();
  });
}

firn_code firn_sequence_next(firn_sequence* sequence, uint64_t* number, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(number, "number"));
    *number = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(sequence, "sequence"));
    FIRN_ASSIGN_OR_RETURN(*number, sequence->sequence->Next());
    return absl::OkStatus();
  });
}

void firn_sequence_free(firn_sequence* sequence) { delete sequence; }

firn_code firn_transaction_next_number(firn_transaction* transaction,
                                       const firn_keyspace* keyspace, firn_bytes name,
                                       uint64_t* number, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(number, "number"));
    *number = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    FIRN_ASSIGN_OR_RETURN(
        *number, firn::NextInTransaction(*transaction->transaction, keyspace->keyspace, text));
    return absl::OkStatus();
  });
}

firn_code firn_sequence_list(const firn_keyspace* keyspace, firn_list** names,
                             firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(names, "names"));
    *names = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<firn::SequenceState> states,
                          firn::ListSequences(keyspace->keyspace));
    std::vector<std::string> list;
    for (const firn::SequenceState& state : states) list.push_back(state.name);
    *names = new firn_list{std::move(list)};
    return absl::OkStatus();
  });
}

firn_code firn_sequence_reset(firn_database* database, const firn_keyspace* keyspace,
                              firn_bytes name, uint64_t last, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    return firn::ResetSequence(*database->database, keyspace->keyspace, text, last);
  });
}

void firn_encode_uint64(uint64_t number, uint8_t bytes[8]) {
  const std::string encoded = firn::EncodeUint64(number);
  std::memcpy(bytes, encoded.data(), 8);
}

void firn_encode_int64(int64_t number, uint8_t bytes[8]) {
  const std::string encoded = firn::EncodeInt64(number);
  std::memcpy(bytes, encoded.data(), 8);
}

firn_code firn_decode_uint64(firn_bytes bytes, uint64_t* number, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(number, "number"));
    *number = 0;
    FIRN_ASSIGN_OR_RETURN(const absl::string_view encoded, FromC(bytes, "bytes"));
    FIRN_ASSIGN_OR_RETURN(*number, firn::TableCodec<uint64_t>::Decode(encoded));
    return absl::OkStatus();
  });
}

firn_code firn_decode_int64(firn_bytes bytes, int64_t* number, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(number, "number"));
    *number = 0;
    FIRN_ASSIGN_OR_RETURN(const absl::string_view encoded, FromC(bytes, "bytes"));
    FIRN_ASSIGN_OR_RETURN(*number, firn::TableCodec<int64_t>::Decode(encoded));
    return absl::OkStatus();
  });
}

firn_code firn_transaction_compare_and_set(firn_transaction* transaction,
                                           const firn_keyspace* keyspace, firn_bytes key,
                                           const firn_bytes* expected, const firn_bytes* desired,
                                           int* changed, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(changed, "changed"));
    *changed = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(transaction, "transaction"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view row, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> before,
                          firn::ValueOrNone(expected, "expected"));
    FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> after,
                          firn::ValueOrNone(desired, "desired"));
    FIRN_ASSIGN_OR_RETURN(
        const bool done, firn::table_internal::CompareAndSet(*transaction->transaction,
                                                             keyspace->keyspace, std::string(row),
                                                             before, after));
    *changed = done ? 1 : 0;
    return absl::OkStatus();
  });
}
