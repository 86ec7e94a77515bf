#include "tools/records/importer.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/blake2b.h"
#include "base/status.h"
#include "base/types.h"
#include "firn/write_batch.h"
#include "nlohmann/json.hpp"

namespace firn {
namespace {

using Json = nlohmann::json;

// A commit is one write batch, which has a limit (kBatchSizeMax), and stands in memory.
constexpr size_t kStagedBytesMax = kBatchSizeMax / 4;

std::string Hex(const Label& label) { return absl::BytesToHexString(AsText(label)); }

// One row of the tree's metadata for each (form, options, first line): the name under which an
// import finds its position again. That it is the same input is decided by the hash in the row.
std::string PositionName(const RecordOptions& options, absl::string_view first_line) {
  std::string identity = absl::StrCat(
      static_cast<int>(options.format), ",", static_cast<int>(options.accounts), ",",
      static_cast<int>(options.amount), ",", static_cast<int>(options.time), ",", options.scale);
  for (const auto& [name, column] : options.column_map) {
    absl::StrAppend(&identity, ",", name, "=", column);
  }
  for (const std::string& column : options.columns) absl::StrAppend(&identity, ";", column);
  absl::StrAppend(&identity, "\n", first_line);
  return absl::StrCat("import/", Hex(HashBlake2b256(AsBytes(identity))).substr(0, 32));
}

struct Position {
  uint64_t offset = 0;
  uint64_t line = 0;
  std::string hash;  // of the input before `offset`
  ImportResult result;
};

std::string EncodePosition(const Input& input, const ImportResult& result) {
  return Json{{"offset", input.offset()},
              {"line", input.line_number()},
              {"blake2b", Hex(input.HashOfConsumed())},
              {"records", result.records},
              {"inserted", result.inserted},
              {"updated", result.updated},
              {"unchanged", result.unchanged},
              {"removed", result.removed},
              {"rejected", result.rejected},
              {"rejected_by_reason", result.rejected_by_reason}}
      .dump();
}

absl::StatusOr<Position> DecodePosition(absl::string_view name, const std::string& row) {
  try {
    const Json json = Json::parse(row);
    Position position;
    position.offset = json.at("offset").get<uint64_t>();
    position.line = json.at("line").get<uint64_t>();
    position.hash = json.at("blake2b").get<std::string>();
    ImportResult& result = position.result;
    result.lines = position.line;
    result.records = json.at("records").get<uint64_t>();
    result.inserted = json.at("inserted").get<uint64_t>();
    result.updated = json.at("updated").get<uint64_t>();
    result.unchanged = json.at("unchanged").get<uint64_t>();
    result.removed = json.at("removed").get<uint64_t>();
    result.rejected = json.at("rejected").get<uint64_t>();
    result.rejected_by_reason =
        json.at("rejected_by_reason").get<std::map<std::string, uint64_t>>();
    result.resumed_at_line = position.line + 1;
    return position;
  } catch (const Json::exception& error) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     absl::StrCat("the position row \"", name,
                                  "\" of the tree's metadata cannot be read: ", error.what()));
  }
}

// A failed operation that is the record's fault, not the store's.
bool IsRefusal(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case ErrorReason::kIllegalKey:
    case ErrorReason::kIllegalValue:
    case ErrorReason::kOverflow:
    case ErrorReason::kOperationRefused:
    case ErrorReason::kKeyNotFound:
    case ErrorReason::kKeyExists:
      return true;
    default:
      return false;
  }
}

Rejection RejectionFor(const absl::Status& status) {
  return {.reason = std::string(ErrorReasonName(ReasonOf(status))),
          .detail = std::string(status.message()),
          .original = ""};
}

// At least what an operation adds to its commit's batch: the log entry with both values, two index
// rows, the record.
size_t StagedSize(const Operation& operation, const OldValue& old) {
  constexpr size_t kFraming = 192;
  return kFraming + 3 * operation.key.size() + 2 * operation.value.size() +
         (old.has_value() ? old->size() : 0);
}

class Importer {
 public:
  Importer(AuthenticatedTree& tree, const ImportOptions& options)
      : tree_(tree), options_(options) {}

  absl::StatusOr<ImportResult> Run(const std::string& path) {
    FIRN_ASSIGN_OR_RETURN(input_, Input::Open(path));
    FIRN_ASSIGN_OR_RETURN(first_line_, input_->PeekFirstLine());
    position_name_ = PositionName(options_.records, first_line_);
    FIRN_RETURN_IF_ERROR(Resume(path));
    if (options_.on_error == OnError::kStop && input_->can_be_read_again() && !options_.dry_run) {
      FIRN_RETURN_IF_ERROR(CheckWhole(path));
    }
    FIRN_ASSIGN_OR_RETURN(reader_, NewRecordReader(*input_, options_.records, first_line_));
    absl::Status applied = ApplyAll();
    if (!applied.ok()) {
      tree_.Discard();
      return applied;
    }
    result_.lines = input_->line_number();
    return result_;
  }

 private:
  // Goes to where the last commit of this import ended, if this is the same input.
  absl::Status Resume(const std::string& path) {
    if (options_.dry_run) return absl::OkStatus();
    FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> row, tree_.GetMetadata(position_name_));
    if (!row.has_value()) return absl::OkStatus();
    FIRN_ASSIGN_OR_RETURN(const Position position, DecodePosition(position_name_, *row));
    InputLine line;
    while (input_->offset() < position.offset) {
      FIRN_ASSIGN_OR_RETURN(const bool more, input_->Next(line));
      if (!more) break;
    }
    if (input_->offset() == position.offset &&
        Hex(input_->HashOfConsumed()) == position.hash) {
      result_ = position.result;
      return absl::OkStatus();
    }
    // Another input that begins with the same line: it is imported from its beginning.
    if (!input_->can_be_read_again()) {
      return InvalidArgument(absl::StrCat(
          input_->path(), " begins like an input imported before but differs from it further on, and "
          "cannot be read twice; import it from a file"));
    }
    FIRN_ASSIGN_OR_RETURN(input_, Input::Open(path));
    return absl::OkStatus();
  }

  // With kStop nothing of a file is applied if any line of it is refused.
  absl::Status CheckWhole(const std::string& path) {
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<Input> input, Input::Open(path));
    FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader,
                          NewRecordReader(*input, options_.records, first_line_));
    uint64_t refused = 0;
    absl::Status first;
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const std::optional<ParsedRecord> parsed, reader->Next());
      if (!parsed.has_value()) break;
      const std::optional<Rejection> rejection = RejectionOf(*parsed);
      if (!rejection.has_value()) continue;
      if (refused++ == 0) first = Stopped(parsed->line, *rejection, "nothing was imported");
      if (options_.on_rejected) options_.on_rejected({parsed->line, *rejection});
    }
    if (refused > 1) {
      return Annotate(first, absl::StrCat(refused, " lines refused, the first is"));
    }
    return first;
  }

  // Why the record cannot be applied, as far as that can be told without the tree's content.
  std::optional<Rejection> RejectionOf(const ParsedRecord& parsed) const {
    if (const Rejection* found = std::get_if<Rejection>(&parsed.content)) return *found;
    const Operation& operation = std::get<Record>(parsed.content).operation;
    const absl::Status status =
        options_.check_operation ? options_.check_operation(operation) : absl::OkStatus();
    if (status.ok()) return std::nullopt;
    return RejectionFor(status);
  }

  absl::Status Stopped(uint64_t line, const Rejection& rejection, absl::string_view so_far) const {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kInvalidArgument,
                     absl::StrCat(input_->path(), ": line ", line, ": ", rejection.reason, ": ",
                                  rejection.detail, "; ", so_far,
                                  "; mend the line, or use --on-error skip"));
  }

  absl::Status Refuse(uint64_t line, const Rejection& rejection) {
    if (options_.on_error == OnError::kStop && !options_.dry_run) {
      if (options_.on_rejected) options_.on_rejected({line, rejection});
      return Stopped(line, rejection,
                     absl::StrCat("the ", result_.records - staged_, " records committed before "
                                  "it are kept"));
    }
    ++result_.rejected;
    ++result_.rejected_by_reason[rejection.reason];
    if (options_.on_rejected) options_.on_rejected({line, rejection});
    return absl::OkStatus();
  }

  absl::Status ApplyOne(uint64_t line, const Record& record) {
    if (options_.dry_run) {
      ++result_.records;
      ++result_.records_this_run;
      return absl::OkStatus();
    }
    const absl::StatusOr<OldValue> old = tree_.Apply(record.operation, record.time_ms);
    if (!old.ok()) {
      if (!IsRefusal(old.status())) return old.status();
      return Refuse(line, RejectionFor(old.status()));
    }
    Count(record.operation, *old);
    ++staged_;
    staged_bytes_ += StagedSize(record.operation, *old);
    return absl::OkStatus();
  }

  void Count(const Operation& operation, const OldValue& old) {
    ++result_.records;
    ++result_.records_this_run;
    if (!old.has_value()) {
      ++result_.inserted;
    } else if (operation.kind == OperationKind::kInsertOrUpdate && *old == operation.value) {
      ++result_.unchanged;
    } else {
      ++result_.updated;
    }
  }

  absl::Status CommitStaged() {
    if (options_.dry_run) return absl::OkStatus();
    FIRN_RETURN_IF_ERROR(tree_.StageMetadata(position_name_, EncodePosition(*input_, result_)));
    CommitOptions commit;
    commit.durability = options_.durability;
    FIRN_ASSIGN_OR_RETURN(const CommitResult committed, tree_.Commit(commit));
    FIRN_RETURN_IF_ERROR(committed.checkpoint_status);
    ++result_.commits_this_run;
    staged_ = 0;
    staged_bytes_ = 0;
    if (options_.on_progress) options_.on_progress(input_->offset(), result_.records);
    return absl::OkStatus();
  }

  absl::Status ApplyAll() {
    bool any = false;
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const std::optional<ParsedRecord> parsed, reader_->Next());
      if (!parsed.has_value()) break;
      any = true;
      if (const Rejection* rejection = std::get_if<Rejection>(&parsed->content)) {
        FIRN_RETURN_IF_ERROR(Refuse(parsed->line, *rejection));
      } else {
        FIRN_RETURN_IF_ERROR(ApplyOne(parsed->line, std::get<Record>(parsed->content)));
      }
      if (staged_ >= options_.batch || staged_bytes_ >= kStagedBytesMax) {
        FIRN_RETURN_IF_ERROR(CommitStaged());
      }
    }
    // The position is written even if the last lines were all refused.
    return any ? CommitStaged() : absl::OkStatus();
  }

  AuthenticatedTree& tree_;
  const ImportOptions& options_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<RecordReader> reader_;
  std::string first_line_;
  std::string position_name_;
  ImportResult result_;
  uint64_t staged_ = 0;
  size_t staged_bytes_ = 0;
};

}  // namespace

absl::StatusOr<ImportResult> Import(AuthenticatedTree& tree, const std::string& path,
                                    const ImportOptions& options) {
  if (options.batch == 0 || options.batch > 1'000'000) {
    return InvalidOption("--batch", absl::StrCat(options.batch, " is not in [1, 1000000]"));
  }
  return Importer(tree, options).Run(path);
}

}  // namespace firn
