#include "tools/records/line_readers.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "tools/records/fields.h"

namespace firn {
namespace {

// Issuer, recipient, amount and time as a form found them; empty: not given.
struct EdgeFields {
  absl::string_view issuer, recipient, amount, time;
};

absl::StatusOr<Record> EdgeRecord(const EdgeFields& fields, const RecordOptions& options,
                                  uint64_t line) {
  FIRN_ASSIGN_OR_RETURN(const std::string issuer, ParseAccount(fields.issuer, options));
  FIRN_ASSIGN_OR_RETURN(const std::string recipient, ParseAccount(fields.recipient, options));
  FIRN_ASSIGN_OR_RETURN(const int64_t amount, ParseAmount(fields.amount, options.scale));
  Record record;
  record.operation = AmountOperation(NoteKey(issuer, recipient), amount, options.amount);
  if (!fields.time.empty() || options.time == TimeForm::kLine) {
    FIRN_ASSIGN_OR_RETURN(record.time_ms, ParseTime(fields.time, options.time, line));
  }
  return record;
}

class EdgesReader final : public LineRecordReader {
 public:
  using LineRecordReader::LineRecordReader;

 protected:
  absl::StatusOr<Record> Parse(absl::string_view line, uint64_t number) override {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" ,\t"), absl::SkipEmpty());
    if (words.size() < 2) {
      return Refused("missing_field", "an edge needs a debtor and a creditor");
    }
    if (words.size() > 4) {
      return Refused("too_many_fields", absl::StrCat(words.size(), " fields; an edge has 2 to 4: "
                                                                   "debtor creditor amount time"));
    }
    return EdgeRecord({.issuer = words[0],
                       .recipient = words[1],
                       .amount = words.size() > 2 ? words[2] : "1",
                       .time = words.size() > 3 ? words[3] : ""},
                      options(), number);
  }
};

class CsvReader final : public LineRecordReader {
 public:
  CsvReader(Input& input, RecordOptions options, std::vector<std::string> columns,
            bool skip_header)
      : LineRecordReader(input, std::move(options)),
        columns_(std::move(columns)),
        skip_header_(skip_header) {}

  // The names that must be there are checked once, before the first record.
  absl::Status CheckColumns() {
    for (const char* name : {"issuer", "recipient", "amount"}) {
      if (IndexOf(name) == columns_.size()) {
        return InvalidArgument(absl::StrCat(
            input().path(), ": line 1: no column \"", ColumnName(name), "\" among: ",
            absl::StrJoin(columns_, ", "), "; name it with --map ", name,
            "=COLUMN, or give --columns for a file without a header"));
      }
    }
    issuer_ = IndexOf("issuer");
    recipient_ = IndexOf("recipient");
    amount_ = IndexOf("amount");
    time_ = IndexOf("timestamp");
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<ParsedRecord>> Next() override {
    if (skip_header_) {
      skip_header_ = false;
      InputLine header;
      FIRN_RETURN_IF_ERROR(input().Next(header).status());
    }
    return LineRecordReader::Next();
  }

 protected:
  bool IsComment(absl::string_view) const override { return false; }

  absl::StatusOr<Record> Parse(absl::string_view line, uint64_t number) override {
    std::optional<std::vector<std::string>> fields = SplitCsvLine(line);
    if (!fields.has_value()) return Refused("bad_quoting", "a quoted field does not end");
    if (fields->size() != columns_.size()) {
      return Refused(fields->size() < columns_.size() ? "missing_field" : "too_many_fields",
                     absl::StrCat(fields->size(), " fields where the header names ",
                                  columns_.size()));
    }
    return EdgeRecord({.issuer = (*fields)[issuer_],
                       .recipient = (*fields)[recipient_],
                       .amount = (*fields)[amount_],
                       .time = time_ < fields->size() ? (*fields)[time_] : ""},
                      options(), number);
  }

 private:
  std::string ColumnName(const std::string& name) const {
    const auto mapped = options().column_map.find(name);
    return mapped == options().column_map.end() ? name : mapped->second;
  }
  size_t IndexOf(const std::string& name) const {
    const std::string column = ColumnName(name);
    size_t index = 0;
    while (index < columns_.size() && columns_[index] != column) ++index;
    return index;
  }

  const std::vector<std::string> columns_;
  bool skip_header_;
  size_t issuer_ = 0, recipient_ = 0, amount_ = 0, time_ = 0;
};

class Deb822Reader final : public RecordReader {
 public:
  Deb822Reader(Input& input, RecordOptions options)
      : input_(input), options_(std::move(options)) {}

  absl::StatusOr<std::optional<ParsedRecord>> Next() override {
    Stanza stanza;
    InputLine line;
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const bool more, input_.Next(line));
      if (!more) break;
      if (absl::StripAsciiWhitespace(line.text).empty() && !line.too_long) {
        if (stanza.line == 0) continue;  // empty lines before a stanza
        break;
      }
      Take(line, stanza);
    }
    if (stanza.line == 0) return std::nullopt;
    return Finish(stanza);
  }

 private:
  struct Stanza {
    uint64_t line = 0;
    std::string first, package, version, sha256;
    absl::Status refused;  // the first thing wrong with it
  };

  static void Take(const InputLine& line, Stanza& stanza) {
    if (stanza.line == 0) {
      stanza.line = line.number;
      stanza.first = std::string(line.text.substr(0, 200));
    }
    if (!stanza.refused.ok()) return;
    if (line.too_long) {
      stanza.refused = Refused("line_too_long", absl::StrCat("line ", line.number));
    } else if (!IsUtf8(line.text)) {
      stanza.refused = Refused("not_utf8", absl::StrCat("line ", line.number));
    } else if (!absl::ascii_isspace(static_cast<unsigned char>(line.text[0]))) {
      const std::pair<absl::string_view, absl::string_view> field =
          absl::StrSplit(line.text, absl::MaxSplits(':', 1));
      const absl::string_view value = absl::StripAsciiWhitespace(field.second);
      if (field.first.size() == line.text.size()) {
        stanza.refused = Refused("bad_field", absl::StrCat("line ", line.number, " has no colon"));
      } else if (absl::EqualsIgnoreCase(field.first, "Package")) {
        stanza.package = std::string(value);
      } else if (absl::EqualsIgnoreCase(field.first, "Version")) {
        stanza.version = std::string(value);
      } else if (absl::EqualsIgnoreCase(field.first, "SHA256")) {
        stanza.sha256 = std::string(value);
      }
    }
  }

  static absl::StatusOr<Record> Parse(const Stanza& stanza) {
    FIRN_RETURN_IF_ERROR(stanza.refused);
    for (const auto& [name, value] :
         {std::pair<absl::string_view, absl::string_view>{"Package", stanza.package},
          {"Version", stanza.version},
          {"SHA256", stanza.sha256}}) {
      if (value.empty()) {
        return Refused("missing_field", absl::StrCat("the stanza has no ", name));
      }
    }
    FIRN_ASSIGN_OR_RETURN(const std::string hash, ParseHex(stanza.sha256));
    if (hash.size() != 32) return Refused("bad_hex", "SHA256 is not 64 hex digits");
    Record record;
    record.operation = Operation::InsertOrUpdate(
        AsText(HashBlake2b256(AsBytes(stanza.package))),
        absl::StrCat(stanza.version, absl::string_view("\0", 1), hash));
    return record;
  }

  std::optional<ParsedRecord> Finish(const Stanza& stanza) const {
    absl::StatusOr<Record> record = Parse(stanza);
    ParsedRecord parsed{.line = stanza.line, .content = Rejection{}};
    if (record.ok()) {
      if (options_.time == TimeForm::kLine) record->time_ms = stanza.line;
      parsed.content = *std::move(record);
    } else {
      parsed.content = RejectionFrom(record.status(), stanza.first);
    }
    return parsed;
  }

  Input& input_;
  const RecordOptions options_;
};

}  // namespace

absl::StatusOr<std::optional<ParsedRecord>> LineRecordReader::Next() {
  InputLine line;
  while (true) {
    FIRN_ASSIGN_OR_RETURN(const bool more, input_.Next(line));
    if (!more) return std::nullopt;
    const absl::string_view text = absl::StripAsciiWhitespace(line.text);
    if (!line.too_long && (text.empty() || IsComment(text))) continue;
    absl::StatusOr<Record> record =
        line.too_long ? Refused("line_too_long", absl::StrCat("over ", kLineSizeMax, " bytes"))
        : !IsUtf8(text) ? Refused("not_utf8", "the line is not valid UTF-8")
                        : Parse(text, line.number);
    ParsedRecord parsed{.line = line.number, .content = Rejection{}};
    if (record.ok()) {
      parsed.content = *std::move(record);
    } else {
      parsed.content = RejectionFrom(record.status(), line.text.substr(0, 1000));
    }
    return parsed;
  }
}

std::optional<std::vector<std::string>> SplitCsvLine(absl::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  for (std::string& field : fields) absl::StripAsciiWhitespace(&field);
  return fields;
}

std::unique_ptr<RecordReader> NewEdgesReader(Input& input, const RecordOptions& options) {
  return std::make_unique<EdgesReader>(input, options);
}

absl::StatusOr<std::unique_ptr<RecordReader>> NewCsvReader(Input& input,
                                                           const RecordOptions& options,
                                                           absl::string_view first_line) {
  std::vector<std::string> columns = options.columns;
  const bool has_header = columns.empty();
  if (has_header) {
    std::optional<std::vector<std::string>> names =
        SplitCsvLine(absl::StripAsciiWhitespace(first_line));
    if (!names.has_value() || !IsUtf8(first_line)) {
      return InvalidArgument(absl::StrCat(input.path(), ": line 1 is no CSV header"));
    }
    columns = *std::move(names);
  }
  auto reader = std::make_unique<CsvReader>(input, options, std::move(columns),
                                            has_header && input.offset() == 0);
  FIRN_RETURN_IF_ERROR(reader->CheckColumns());
  return reader;
}

std::unique_ptr<RecordReader> NewDeb822Reader(Input& input, const RecordOptions& options) {
  return std::make_unique<Deb822Reader>(input, options);
}

absl::StatusOr<std::unique_ptr<RecordReader>> NewRecordReader(Input& input,
                                                              const RecordOptions& options,
                                                              absl::string_view first_line) {
  switch (options.format) {
    case RecordFormat::kEdges:
      return NewEdgesReader(input, options);
    case RecordFormat::kCsv:
      return NewCsvReader(input, options, first_line);
    case RecordFormat::kJsonl:
      return NewJsonlReader(input, options);
    case RecordFormat::kDeb822:
      return NewDeb822Reader(input, options);
  }
  return InvalidArgument("unknown record format");
}

std::optional<RecordFormat> RecordFormatFromName(absl::string_view name) {
  if (name == "edges") return RecordFormat::kEdges;
  if (name == "csv") return RecordFormat::kCsv;
  if (name == "jsonl") return RecordFormat::kJsonl;
  if (name == "deb822") return RecordFormat::kDeb822;
  return std::nullopt;
}

}  // namespace firn
