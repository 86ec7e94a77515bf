#include "tools/dump_files.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "base/types.h"
#include "sstable/segment_format.h"
#include "tools/proof_bundle.h"
#include "wal/record_format.h"

namespace firn {
namespace {

constexpr size_t kHeadSize = 64;
constexpr size_t kShownBytes = 64;
constexpr uint64_t kTextFileMax = uint64_t{1} << 20;

absl::Status DumpStoreFile(FileSystem& file_system, const std::string& path,
                           const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(file_system, path, kTextFileMax));
  sink(absl::StrCat(path, ": store identity (FIRN), ", text.size(), " bytes"));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    sink(absl::StrCat("  ", absl::CHexEscape(line)));
  }
  return absl::OkStatus();
}

absl::Status DumpProofBundle(const std::string& path, const DumpSink& sink) {
  const absl::StatusOr<ProofBundle> read = ReadBundle(path);
  if (ReasonOf(read.status()) == ErrorReason::kInvalidProof) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kInvalidProof,
                     read.status().message());
  }
  FIRN_RETURN_IF_ERROR(read.status());
  const ProofBundle& bundle = *read;
  const TreeProof& proof = bundle.proof;
  sink(absl::StrCat(path, ": proof bundle"));
  sink(absl::StrCat("  root ", proof.start.ToHex(), ", height ", proof.start.height()));
  sink(absl::StrCat("  key length ", bundle.parameters.key_length, ", value length ",
                    bundle.parameters.value_length.has_value()
                        ? absl::StrCat(*bundle.parameters.value_length)
                        : "variable"));
  sink(absl::StrCat("  proof ", proof.proof.size(), " bytes; root after ", proof.digest.ToHex()));
  for (size_t i = 0; i < proof.operations.size(); ++i) {
    sink(absl::StrCat("  ", OperationKindName(proof.operations[i].kind), " ",
                      absl::BytesToHexString(proof.operations[i].key), " -> ",
                      proof.old_values[i].has_value()
                          ? absl::BytesToHexString(*proof.old_values[i])
                          : "absent"));
  }
  const absl::Status checked = CheckBundle(bundle, proof.start);
  if (!checked.ok()) {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kInvalidProof,
                     absl::StrCat(path, ": the proof does not hold: ", checked.message()));
  }
  sink("  the proof holds for its own root (whether that root is to be trusted, a file cannot say)");
  return absl::OkStatus();
}

}  // namespace

std::string ShowBytes(absl::string_view bytes, const DumpOptions& options) {
  const bool text =
      !options.hex && !bytes.empty() &&
      std::all_of(bytes.begin(), bytes.end(),
                  [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); });
  const absl::string_view shown = options.hex ? bytes : bytes.substr(0, kShownBytes);
  const std::string more =
      shown.size() < bytes.size() ? absl::StrCat("... (", bytes.size(), " bytes)") : "";
  return text ? absl::StrCat("\"", absl::CHexEscape(shown), "\"", more)
              : absl::StrCat(bytes.empty() ? "(empty)" : absl::BytesToHexString(shown), more);
}

absl::StatusOr<DumpKind> DetectDumpKind(FileSystem& file_system, const std::string& path) {
  FIRN_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file,
                        file_system.OpenForRead(path));
  std::string head(std::min<uint64_t>(file->size(), kHeadSize), '\0');
  FIRN_RETURN_IF_ERROR(
      file->Read(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(head.data()), head.size())));
  if (absl::StartsWith(head, kLogMagic)) return DumpKind::kLog;
  if (absl::StartsWith(head, "firn store")) return DumpKind::kStoreFile;
  if (absl::StrContains(head, "\"firn proof bundle\"")) return DumpKind::kProofBundle;
  std::string tail(kSegmentMagic.size(), '\0');
  if (file->size() >= kSegmentFooterSize) {
    FIRN_RETURN_IF_ERROR(
        file->Read(file->size() - tail.size(),
                   absl::MakeSpan(reinterpret_cast<uint8_t*>(tail.data()), tail.size())));
    if (tail == kSegmentMagic) return DumpKind::kSegment;
  }
  return DumpKind::kUnknown;
}

absl::Status DumpFile(FileSystem& file_system, const std::string& path, const DumpOptions& options,
                      const DumpSink& sink) {
  FIRN_ASSIGN_OR_RETURN(const DumpKind kind, DetectDumpKind(file_system, path));
  switch (kind) {
    case DumpKind::kSegment:
      return DumpSegment(file_system, path, options, sink);
    case DumpKind::kLog:
      return DumpLog(file_system, path, options, sink);
    case DumpKind::kStoreFile:
      return DumpStoreFile(file_system, path, sink);
    case DumpKind::kProofBundle:
      return DumpProofBundle(path, sink);
    case DumpKind::kUnknown:
      break;
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kNotAStore,
                   absl::StrCat(path, ": neither a segment (magic at its end), a log or manifest "
                                      "(magic at its beginning), a store's FIRN file nor a proof "
                                      "bundle"));
}

}  // namespace firn
