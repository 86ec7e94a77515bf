#include "bench/store_folders.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace firn::bench {
namespace {

namespace fs = std::filesystem;

std::string NotePath(const std::string& path) { return path + ".note"; }

std::string ReadNote(const std::string& path) {
  std::ifstream file(NotePath(path));
  std::string line;
  std::getline(file, line);
  return line;
}

absl::Status WriteNote(const std::string& path, const std::string& line) {
  std::ofstream file(NotePath(path), std::ios::trunc);
  file << line << "\n";
  file.close();
  return file ? absl::OkStatus()
              : absl::UnavailableError(absl::StrCat("cannot write ", NotePath(path)));
}

std::string LoadedNote(const Workload& job) { return absl::StrCat("loaded ", job.StoreText()); }

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? ErrnoStatus(error.value(), absl::StrCat("remove ", path)) : absl::OkStatus();
}

}  // namespace

bool MakesStore(const Workload& job) { return job.access == Access::kWrite && job.offset == 0; }

StoreFolders::StoreFolders(std::string directory, bool is_scratch)
    : directory_(std::move(directory)), is_scratch_(is_scratch) {}

StoreFolders::~StoreFolders() {
  std::error_code ignored;  // scratch that cannot be removed was reported when it was used
  if (is_scratch_) fs::remove_all(directory_, ignored);
}

absl::Status StoreFolders::MakeDirectory() {
  std::error_code error;
  fs::create_directories(directory_, error);
  return error ? ErrnoStatus(error.value(), absl::StrCat("make folder ", directory_))
               : absl::OkStatus();
}

std::string StoreFolders::Path(absl::string_view engine, const Workload& job) const {
  return absl::StrCat(directory_, "/", engine, "-", job.store);
}

absl::StatusOr<StoreFolders::Readiness> StoreFolders::Begin(absl::string_view engine,
                                                            const Workload& job) {
  const std::string path = Path(engine, job);
  const bool exists = fs::exists(path);
  const std::string note = ReadNote(path);
  if (exists && note.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is there, but ", NotePath(path),
                     " is not: it was not made by firn bench; choose another --directory"));
  }
  if (MakesStore(job)) {
    if (job.prepare && exists && note == LoadedNote(job)) return Readiness::kSkip;
    FIRN_RETURN_IF_ERROR(Remove(engine, job));
    FIRN_RETURN_IF_ERROR(WriteNote(path, "partial"));
    return Readiness::kRun;
  }
  if (!exists || note == "partial") {
    return absl::FailedPreconditionError(
        absl::StrCat("job ", job.name, " works on the store ", path,
                     ", which is not there: a job before it, with rw=write and the same store=, "
                     "must make it"));
  }
  if (job.writes()) FIRN_RETURN_IF_ERROR(WriteNote(path, "changed"));
  return Readiness::kRun;
}

absl::Status StoreFolders::End(absl::string_view engine, const Workload& job) {
  if (!MakesStore(job)) return absl::OkStatus();
  const bool is_whole = !job.time_based && job.runtime_us == 0 && job.calls == 0;
  return WriteNote(Path(engine, job), is_whole ? LoadedNote(job) : "changed");
}

absl::Status StoreFolders::Remove(absl::string_view engine, const Workload& job) {
  const std::string path = Path(engine, job);
  if (ReadNote(path).empty()) return absl::OkStatus();
  FIRN_RETURN_IF_ERROR(RemoveTree(path));
  return RemoveTree(NotePath(path));
}

uint64_t StoreFolders::FreeSpace() const {
  std::error_code error;
  const fs::space_info space = fs::space(directory_, error);
  return error ? 0 : static_cast<uint64_t>(space.available);
}

}  // namespace firn::bench
