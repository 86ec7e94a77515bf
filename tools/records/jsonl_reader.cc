#include <initializer_list>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "nlohmann/json.hpp"
#include "tools/records/fields.h"
#include "tools/records/line_readers.h"

namespace firn {
namespace {

using Json = nlohmann::json;

// The field under the first of `names` that is there; null if none is.
const Json* Find(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end()) return &*found;
  }
  return nullptr;
}

absl::StatusOr<std::string> TextOf(const Json* field, absl::string_view name) {
  if (field == nullptr) return Refused("missing_field", absl::StrCat("no field \"", name, "\""));
  if (!field->is_string()) {
    return Refused("bad_field", absl::StrCat("field \"", name, "\" is not a string"));
  }
  return field->get<std::string>();
}

// Amounts may be JSON integers or strings; a JSON fraction is refused, for it may have lost digits.
absl::StatusOr<int64_t> AmountOf(const Json* field, absl::string_view name, uint32_t scale) {
  if (field == nullptr) return Refused("missing_field", absl::StrCat("no field \"", name, "\""));
  if (field->is_number_unsigned()) return ParseAmount(absl::StrCat(field->get<uint64_t>()), scale);
  if (field->is_number_integer()) return ParseAmount(absl::StrCat(field->get<int64_t>()), scale);
  if (field->is_string()) return ParseAmount(field->get<std::string>(), scale);
  return Refused("bad_number", absl::StrCat("field \"", name,
                                            "\" is neither an integer nor a decimal string"));
}

class JsonlReader final : public LineRecordReader {
 public:
  using LineRecordReader::LineRecordReader;

 protected:
  bool IsComment(absl::string_view) const override { return false; }

  absl::StatusOr<Record> Parse(absl::string_view line, uint64_t number) override {
    const Json object = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
    if (object.is_discarded() || !object.is_object()) {
      return Refused("bad_json", "the line is not one JSON object");
    }
    Record record;
    if (object.contains("key") && object.contains("value")) {
      FIRN_ASSIGN_OR_RETURN(const std::string key, TextOf(&object["key"], "key"));
      FIRN_ASSIGN_OR_RETURN(const std::string value, TextOf(&object["value"], "value"));
      FIRN_ASSIGN_OR_RETURN(const std::string key_bytes, ParseHex(key));
      FIRN_ASSIGN_OR_RETURN(const std::string value_bytes, ParseHex(value));
      record.operation = Operation::InsertOrUpdate(key_bytes, value_bytes);
    } else {
      FIRN_ASSIGN_OR_RETURN(record.operation, ParseNote(object));
    }
    FIRN_ASSIGN_OR_RETURN(record.time_ms, TimeOf(object, number));
    return record;
  }

 private:
  absl::StatusOr<Operation> ParseNote(const Json& object) const {
    FIRN_ASSIGN_OR_RETURN(
        const std::string issuer_text,
        TextOf(Find(object, {"payerKey", "issuer_pubkey", "issuer"}), "payerKey"));
    FIRN_ASSIGN_OR_RETURN(
        const std::string recipient_text,
        TextOf(Find(object, {"payeeKey", "recipient_pubkey", "recipient"}), "payeeKey"));
    FIRN_ASSIGN_OR_RETURN(const std::string issuer, ParseAccount(issuer_text, options()));
    FIRN_ASSIGN_OR_RETURN(const std::string recipient, ParseAccount(recipient_text, options()));
    FIRN_ASSIGN_OR_RETURN(
        const int64_t amount,
        AmountOf(Find(object, {"totalDebt", "amount"}), "totalDebt", options().scale));
    std::string key = NoteKey(issuer, recipient);
    if (const Json* stated = Find(object, {"noteKey"}); stated != nullptr) {
      FIRN_ASSIGN_OR_RETURN(const std::string text, TextOf(stated, "noteKey"));
      FIRN_ASSIGN_OR_RETURN(const std::string bytes, ParseHex(text));
      if (bytes != key) {
        return Refused("note_key_mismatch",
                       "noteKey is not BLAKE2b-256 of the payer's and the payee's key");
      }
    }
    return AmountOperation(std::move(key), amount, options().amount);
  }

  absl::StatusOr<std::optional<uint64_t>> TimeOf(const Json& object, uint64_t line) const {
    const Json* field = Find(object, {"timestamp", "time"});
    if (options().time == TimeForm::kLine) return std::optional<uint64_t>(line);
    if (field == nullptr) return std::optional<uint64_t>();
    std::string text;
    if (field->is_number_unsigned()) text = absl::StrCat(field->get<uint64_t>());
    if (field->is_string()) text = field->get<std::string>();
    FIRN_ASSIGN_OR_RETURN(const uint64_t time, ParseTime(text, options().time, line));
    return std::optional<uint64_t>(time);
  }
};

}  // namespace

std::unique_ptr<RecordReader> NewJsonlReader(Input& input, const RecordOptions& options) {
  return std::make_unique<JsonlReader>(input, options);
}

}  // namespace firn
