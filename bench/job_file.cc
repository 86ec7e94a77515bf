#include "bench/job_file.h"

#include <ini.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn::bench {
namespace {

// Feeds inih line by line, in the form that it knows: fio's flags without a value become "=1", and
// a line that is indented is no continuation. Counts lines, so that an error can name its own.
class Parser {
 public:
  Parser(absl::string_view file_name, absl::string_view text) : file_name_(file_name), rest_(text) {}

  absl::StatusOr<std::vector<Workload>> Parse() {
    const int bad_line = ini_parse_stream(&ReadLine, this, &HandlePair, this);
    FIRN_RETURN_IF_ERROR(status_);
    if (bad_line != 0) {
      return At(static_cast<size_t>(std::max(bad_line, 0)), "is no section, word=value or flag");
    }
    return std::move(jobs_);
  }

 private:
  absl::Status At(size_t line, absl::string_view what) const {
    return InvalidArgument(absl::StrCat(file_name_, ": line ", line, ": ", what));
  }

  void Fail(const absl::Status& status) {
    if (status_.ok()) status_ = status;
  }

  // The signature is that of fgets: null ends the text.
  static char* ReadLine(char* target, int size, void* parser) {
    return static_cast<Parser*>(parser)->NextLine(target, static_cast<size_t>(size));
  }

  char* NextLine(char* target, size_t size) {
    if (rest_.empty() || !status_.ok()) return nullptr;
    const size_t end = rest_.find('\n');
    absl::string_view line = absl::StripAsciiWhitespace(rest_.substr(0, end));
    rest_ = end == absl::string_view::npos ? absl::string_view() : rest_.substr(end + 1);
    ++line_;
    std::string text(line);
    if (absl::StrContains(line, '\0')) {
      Fail(At(line_, "holds a zero byte"));
      return nullptr;
    }
    const bool is_pair = !line.empty() && line[0] != '[' && line[0] != ';' && line[0] != '#';
    if (is_pair && !absl::StrContains(line, '=')) text += "=1";
    if (line.empty() || line[0] == ';' || line[0] == '#') text.clear();
    if (absl::StartsWith(line, "[")) OpenSection(line);
    text += '\n';
    if (text.size() + 1 > size) {
      Fail(At(line_, absl::StrCat("is longer than ", size - 2, " bytes")));
      return nullptr;
    }
    std::memcpy(target, text.c_str(), text.size() + 1);
    return target;
  }

  // A job is made by its heading: it may have no words of its own.
  void OpenSection(absl::string_view line) {
    if (!absl::EndsWith(line, "]") || line.size() < 3) {
      Fail(At(line_, "a heading is [name]"));
      return;
    }
    const absl::string_view name = line.substr(1, line.size() - 2);
    in_global_ = name == "global";
    has_section_ = true;
    if (in_global_) {
      global_ = Workload{};
      return;
    }
    jobs_.push_back(global_);
    jobs_.back().name = std::string(name);
  }

  static int HandlePair(void* parser, const char* /*section*/, const char* name,
                        const char* value) {
    return static_cast<Parser*>(parser)->SetPair(name, value) ? 1 : 0;
  }

  bool SetPair(absl::string_view name, absl::string_view value) {
    if (!has_section_) {
      Fail(At(line_, "stands before the first [section]"));
      return false;
    }
    const absl::Status set = SetWord(in_global_ ? global_ : jobs_.back(), name, value);
    if (!set.ok()) Fail(At(line_, set.message()));
    return set.ok();
  }

  const std::string file_name_;
  absl::string_view rest_;
  size_t line_ = 0;
  bool has_section_ = false;
  bool in_global_ = false;
  Workload global_;
  std::vector<Workload> jobs_;
  absl::Status status_;
};

absl::Status Apply(const WordValues& words, Workload& job) {
  for (const auto& [word, value] : words) {
    const absl::Status set = SetWord(job, word, value);
    if (!set.ok()) return InvalidArgument(absl::StrCat("--", set.message()));
  }
  return CheckWorkload(job);
}

}  // namespace

absl::StatusOr<std::vector<Workload>> ParseJobFile(absl::string_view file_name,
                                                   absl::string_view text,
                                                   const WordValues& overrides) {
  FIRN_ASSIGN_OR_RETURN(std::vector<Workload> jobs, Parser(file_name, text).Parse());
  if (jobs.empty()) return InvalidArgument(absl::StrCat(file_name, ": has no job"));
  for (Workload& job : jobs) {
    const absl::Status applied = Apply(overrides, job);
    if (!applied.ok()) return Annotate(applied, file_name);
  }
  return jobs;
}

absl::StatusOr<std::vector<Workload>> JobOfWords(const WordValues& words) {
  std::vector<Workload> jobs(1);
  FIRN_RETURN_IF_ERROR(Apply(words, jobs[0]));
  return jobs;
}

}  // namespace firn::bench
