// tools/records/line_readers.h: the readers behind NewRecordReader(), one a form.
#ifndef FIRN_TOOLS_RECORDS_LINE_READERS_H_
#define FIRN_TOOLS_RECORDS_LINE_READERS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/records/record.h"

namespace firn {

// Forms with one record a line: this takes the lines, skips empty ones and comments, and refuses
// what is too long or not UTF-8; a form parses one line.
class LineRecordReader : public RecordReader {
 public:
  LineRecordReader(Input& input, RecordOptions options)
      : input_(input), options_(std::move(options)) {}
  absl::StatusOr<std::optional<ParsedRecord>> Next() override;

 protected:
  // A Refused() status (tools/records/fields.h) becomes a Rejection.
  virtual absl::StatusOr<Record> Parse(absl::string_view line, uint64_t number) = 0;
  virtual bool IsComment(absl::string_view line) const { return line[0] == '#'; }

  const RecordOptions& options() const { return options_; }
  Input& input() { return input_; }

 private:
  Input& input_;
  const RecordOptions options_;
};

// `debtor creditor [amount [time]]`, separated by spaces, tabs or commas. No amount means 1.
std::unique_ptr<RecordReader> NewEdgesReader(Input& input, const RecordOptions& options);

// RFC 4180 fields (no line ends inside them); columns issuer, recipient, amount, timestamp by name.
absl::StatusOr<std::unique_ptr<RecordReader>> NewCsvReader(Input& input,
                                                           const RecordOptions& options,
                                                           absl::string_view first_line);

// One JSON object a line: a note in either of its spellings, or {"key": hex, "value": hex}.
std::unique_ptr<RecordReader> NewJsonlReader(Input& input, const RecordOptions& options);

// Debian's package index: stanzas of `Field: value` lines, empty lines between them.
std::unique_ptr<RecordReader> NewDeb822Reader(Input& input, const RecordOptions& options);

// The fields of one CSV line; none if its quoting is broken.
std::optional<std::vector<std::string>> SplitCsvLine(absl::string_view line);

}  // namespace firn

#endif  // FIRN_TOOLS_RECORDS_LINE_READERS_H_
