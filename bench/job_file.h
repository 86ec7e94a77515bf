// bench/job_file.h: fio's job files: sections of word=value lines.
//
//     ; a comment; also with #
//     [global]            words of all jobs that follow, up to the next [global]
//     keys=2m
//     [n1_load]           a job; jobs run one after the other
//     rw=write
//     time_based          a flag may stand alone
#ifndef FIRN_BENCH_JOB_FILE_H_
#define FIRN_BENCH_JOB_FILE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/workload.h"

namespace firn::bench {

using WordValues = std::vector<std::pair<std::string, std::string>>;

// The jobs of `text`, each with `overrides` (from the command line) applied last, checked to be whole.
// InvalidArgument names `file_name`, the line and, for an unknown word, the nearest known one.
absl::StatusOr<std::vector<Workload>> ParseJobFile(absl::string_view file_name,
                                                   absl::string_view text,
                                                   const WordValues& overrides);

// The one job that the command line alone describes.
absl::StatusOr<std::vector<Workload>> JobOfWords(const WordValues& words);

}  // namespace firn::bench

#endif  // FIRN_BENCH_JOB_FILE_H_
