#include "io/file_system.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "io/posix_file_system.h"
#ifdef FIRN_HAVE_URING
#include "io/uring_file_system.h"
#endif

namespace firn {

absl::Status RandomAccessFile::ReadTogether(absl::Span<FileRead> reads) {
  absl::Status first;
  std::vector<bool> done(reads.size(), false);
  for (size_t i = 0; i < reads.size(); ++i) {
    if (done[i]) continue;
    std::vector<ReadRequest> requests;
    std::vector<size_t> places;
    for (size_t j = i; j < reads.size(); ++j) {
      if (reads[j].file != reads[i].file) continue;
      requests.push_back(std::move(reads[j].request));
      places.push_back(j);
      done[j] = true;
    }
    const absl::Status status = reads[i].file->ReadMany(absl::MakeSpan(requests));
    if (first.ok()) first = status;
    for (size_t j = 0; j < places.size(); ++j) reads[places[j]].request = std::move(requests[j]);
  }
  return first;
}

absl::StatusOr<std::string> ReadWholeFile(FileSystem& file_system, absl::string_view path,
                                          uint64_t size_max) {
  FIRN_ASSIGN_OR_RETURN(auto file, file_system.OpenForRead(path));
  if (file->size() > size_max) {
    return MakeError(absl::StatusCode::kResourceExhausted, ErrorReason::kTooLarge,
                     absl::StrCat(path, ": ", file->size(), " bytes, at most ", size_max,
                                  " are expected of this file"));
  }
  std::string content(static_cast<size_t>(file->size()), '\0');
  FIRN_RETURN_IF_ERROR(
      file->Read(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(content.data()), content.size())));
  return content;
}

absl::Status WriteFileAtomically(FileSystem& file_system, absl::string_view path,
                                 absl::string_view content) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  // A crash may have left one behind; it is worth nothing.
  const absl::Status removed = file_system.RemoveFile(temporary);
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  FIRN_ASSIGN_OR_RETURN(auto file, file_system.Create(temporary));
  FIRN_RETURN_IF_ERROR(file->WriteAndSync(0, {AsBytes(content)}));
  FIRN_RETURN_IF_ERROR(file->Close());
  FIRN_RETURN_IF_ERROR(file_system.Rename(temporary, path));
  return file_system.SyncDirectory(DirectoryOf(path));
}

std::string JoinPath(absl::string_view directory, absl::string_view name) {
  if (directory.empty()) return std::string(name);
  return absl::StrCat(directory, directory.back() == '/' ? "" : "/", name);
}

std::string DirectoryOf(absl::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  if (slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

absl::StatusOr<std::unique_ptr<FileSystem>> NewDiskFileSystem(std::string* reason) {
  if (reason != nullptr) reason->clear();
  const char* const value = std::getenv("FIRN_IO");
  const absl::string_view wish = value == nullptr ? "" : value;
  if (!wish.empty() && wish != "posix" && wish != "uring") {
    return InvalidOption("FIRN_IO", absl::StrCat("\"", wish, "\" is neither posix nor uring"));
  }
  if (wish == "posix") {
    if (reason != nullptr) *reason = "the environment says FIRN_IO=posix";
    return std::make_unique<PosixFileSystem>();
  }
#ifdef FIRN_HAVE_URING
  auto uring = UringFileSystem::Create();
  if (uring.ok()) return std::unique_ptr<FileSystem>(*std::move(uring));
  const absl::Status refusal = std::move(uring).status();
#else
  const absl::Status refusal = MakeError(absl::StatusCode::kUnimplemented,
                                         ErrorReason::kUnsupported, "built without io_uring");
#endif
  if (wish == "uring") return Annotate(refusal, "FIRN_IO=uring");
  if (reason != nullptr) *reason = std::string(refusal.message());
  return std::make_unique<PosixFileSystem>();
}

}  // namespace firn
