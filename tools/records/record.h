// tools/records/record.h: what every import form is turned into, and why a line may be refused.
#ifndef FIRN_TOOLS_RECORDS_RECORD_H_
#define FIRN_TOOLS_RECORDS_RECORD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/proof.h"
#include "tools/records/input.h"

namespace firn {

enum class RecordFormat : uint8_t { kEdges = 1, kCsv = 2, kJsonl = 3, kDeb822 = 4 };
enum class AccountForm : uint8_t {
  kPseudo = 1,  // an id; its key is byte 02 and BLAKE2b-256 of the id's bytes
  kHex = 2,     // 66 hex digits: a compressed public key
  kTable = 3,   // an id looked up in a file of `id hexkey` lines
};
enum class AmountForm : uint8_t {
  kCumulative = 1,  // the amount is the new value
  kDelta = 2,       // the amount is added to the value
};
enum class TimeForm : uint8_t {
  kAuto = 1,  // seconds if below 10^11, else milliseconds
  kSeconds = 2,
  kMilliseconds = 3,
  kLine = 4,  // the number of the line, for input without time
};

struct RecordOptions {
  RecordFormat format = RecordFormat::kEdges;
  AccountForm accounts = AccountForm::kPseudo;
  std::map<std::string, std::string> account_table;  // id -> 33 bytes
  AmountForm amount = AmountForm::kCumulative;
  TimeForm time = TimeForm::kAuto;
  uint32_t scale = 0;  // decimal digits kept: amount x 10^scale, [0, 18]
  std::map<std::string, std::string> column_map;  // our name -> the file's column (csv)
  std::vector<std::string> columns;               // names for a csv file without a header line
};

// One line (or stanza) understood.
struct Record {
  Operation operation;
  std::optional<uint64_t> time_ms;
};

// One line (or stanza) refused.
struct Rejection {
  std::string reason;    // a stable word: "missing_field", "bad_number", ...
  std::string detail;    // a sentence
  std::string original;  // the line (the first one of a stanza)
};

struct ParsedRecord {
  uint64_t line = 0;  // where it begins, from 1
  std::variant<Record, Rejection> content;
};

// Reads records off an Input in order; one thread. After each record input.offset() is a place from
// which a later reader of the same form can go on.
class RecordReader {
 public:
  virtual ~RecordReader() = default;
  // None at the end. An error means the input cannot be read at all (I/O, no usable header).
  virtual absl::StatusOr<std::optional<ParsedRecord>> Next() = 0;
};

// `input` must outlive the reader. If it was advanced already (resume), the reader takes in what it
// needs (a csv header) from `first_line`, the first line of the whole input.
absl::StatusOr<std::unique_ptr<RecordReader>> NewRecordReader(Input& input,
                                                              const RecordOptions& options,
                                                              absl::string_view first_line);

// "edges", "csv", "jsonl", "deb822"; none for another name.
std::optional<RecordFormat> RecordFormatFromName(absl::string_view name);

}  // namespace firn

#endif  // FIRN_TOOLS_RECORDS_RECORD_H_
