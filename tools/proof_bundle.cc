#include "tools/proof_bundle.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "base/types.h"
#include "io/file_system.h"
#include "io/posix_file_system.h"
#include "nlohmann/json.hpp"

namespace firn {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kFormat = "firn proof bundle";
constexpr uint64_t kVersion = 1;

absl::Status Rejected(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidProof,
                   absl::StrCat("not a sound proof bundle: ", what));
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

absl::StatusOr<const Json*> Field(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return Rejected(absl::StrCat("no field \"", name, "\""));
  return &*found;
}

absl::StatusOr<std::string> TextField(const Json& object, const char* name) {
  FIRN_ASSIGN_OR_RETURN(const Json* field, Field(object, name));
  if (!field->is_string()) return Rejected(absl::StrCat("\"", name, "\" is not a string"));
  return field->get<std::string>();
}

absl::StatusOr<std::string> HexField(const Json& object, const char* name) {
  FIRN_ASSIGN_OR_RETURN(const std::string text, TextField(object, name));
  bool hex = text.size() % 2 == 0;
  for (const char c : text) hex = hex && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!hex) return Rejected(absl::StrCat("\"", name, "\" is not hex"));
  return absl::HexStringToBytes(text);
}

absl::StatusOr<uint64_t> NumberField(const Json& object, const char* name, uint64_t max) {
  FIRN_ASSIGN_OR_RETURN(const Json* field, Field(object, name));
  if (!field->is_number_unsigned() || field->get<uint64_t>() > max) {
    return Rejected(absl::StrCat("\"", name, "\" is not a number in [0, ", max, "]"));
  }
  return field->get<uint64_t>();
}

absl::StatusOr<OperationKind> KindFromName(const std::string& name) {
  for (int kind = 1; kind <= 8; ++kind) {
    if (OperationKindName(static_cast<OperationKind>(kind)) == name) {
      return static_cast<OperationKind>(kind);
    }
  }
  return Rejected(absl::StrCat("unknown operation \"", absl::CHexEscape(name.substr(0, 40)), "\""));
}

absl::StatusOr<Digest> DigestField(const Json& object, const char* name) {
  FIRN_ASSIGN_OR_RETURN(const std::string text, TextField(object, name));
  absl::StatusOr<Digest> digest = Digest::FromHex(text);
  if (!digest.ok()) return Rejected(absl::StrCat("\"", name, "\": ", digest.status().message()));
  return digest;
}

absl::Status DecodeOperation(const Json& object, TreeProof& proof) {
  if (!object.is_object()) return Rejected("an operation is not an object");
  FIRN_ASSIGN_OR_RETURN(const std::string name, TextField(object, "operation"));
  Operation operation;
  FIRN_ASSIGN_OR_RETURN(operation.kind, KindFromName(name));
  FIRN_ASSIGN_OR_RETURN(operation.key, HexField(object, "key"));
  if (object.contains("value")) {
    FIRN_ASSIGN_OR_RETURN(operation.value, HexField(object, "value"));
  }
  if (object.contains("delta")) {
    if (!object["delta"].is_number_integer()) return Rejected("\"delta\" is not an integer");
    operation.delta = object["delta"].get<int64_t>();
  }
  OldValue found;
  FIRN_ASSIGN_OR_RETURN(const Json* found_field, Field(object, "found"));
  if (!found_field->is_null()) {
    FIRN_ASSIGN_OR_RETURN(found, HexField(object, "found"));
  }
  proof.operations.push_back(std::move(operation));
  proof.old_values.push_back(std::move(found));
  return absl::OkStatus();
}

absl::Status DecodeParameters(const Json& object, TreeParameters& parameters) {
  FIRN_ASSIGN_OR_RETURN(const uint64_t key_length, NumberField(object, "key_length", 255));
  if (key_length == 0) return Rejected("\"key_length\" is 0");
  parameters.key_length = static_cast<uint32_t>(key_length);
  FIRN_ASSIGN_OR_RETURN(const Json* value_length, Field(object, "value_length"));
  if (!value_length->is_null()) {
    FIRN_ASSIGN_OR_RETURN(const uint64_t length,
                          NumberField(object, "value_length", uint64_t{16} << 20));
    parameters.value_length = static_cast<uint32_t>(length);
  }
  return absl::OkStatus();
}

// A bundle is three levels deep, and its elements are not tiny. What a parser makes of brackets and
// commas alone is many times their size, so that is refused before any of it is parsed.
bool IsPlausible(absl::string_view text) {
  constexpr int kDepthMax = 8;
  constexpr size_t kElementSizeMin = 8;  // bytes, on average
  int depth = 0;
  size_t elements = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) {
      if (c == '\\') ++i;
      continue;
    }
    if (c == '[' || c == '{') {
      ++elements;
      if (++depth > kDepthMax) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',') {
      ++elements;
    }
  }
  return elements <= 64 + text.size() / kElementSizeMin;
}

}  // namespace

std::string EncodeBundle(const ProofBundle& bundle) {
  const TreeProof& proof = bundle.proof;
  Json operations = Json::array();
  for (size_t i = 0; i < proof.operations.size(); ++i) {
    const Operation& operation = proof.operations[i];
    Json entry = {{"operation", std::string(OperationKindName(operation.kind))},
                  {"key", Hex(operation.key)}};
    if (operation.kind == OperationKind::kInsert || operation.kind == OperationKind::kUpdate ||
        operation.kind == OperationKind::kInsertOrUpdate) {
      entry["value"] = Hex(operation.value);
    }
    if (operation.kind == OperationKind::kUpdateLongBy) entry["delta"] = operation.delta;
    entry["found"] = proof.old_values[i].has_value() ? Json(Hex(*proof.old_values[i])) : Json();
    operations.push_back(std::move(entry));
  }
  const Json document = {
      {"format", std::string(kFormat)},
      {"version", kVersion},
      {"root", proof.start.ToHex()},
      {"operation_number", proof.operation_number},
      {"key_length", bundle.parameters.key_length},
      {"value_length", bundle.parameters.value_length.has_value()
                           ? Json(*bundle.parameters.value_length)
                           : Json()},
      {"operations", std::move(operations)},
      {"proof", Hex(proof.proof)},
      {"root_after", proof.digest.ToHex()}};
  return document.dump(1) + "\n";
}

absl::StatusOr<ProofBundle> DecodeBundle(absl::string_view text) {
  if (!IsPlausible(text)) return Rejected("its JSON has more elements or levels than a proof has");
  const Json document =
      Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return Rejected("not a JSON object");
  FIRN_ASSIGN_OR_RETURN(const std::string format, TextField(document, "format"));
  if (format != kFormat) return Rejected("its \"format\" is another");
  FIRN_ASSIGN_OR_RETURN(const uint64_t version,
                        NumberField(document, "version", std::numeric_limits<uint32_t>::max()));
  if (version != kVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrCat("the proof bundle has version ", version,
                                  "; this firn reads version ", kVersion));
  }
  ProofBundle bundle;
  FIRN_RETURN_IF_ERROR(DecodeParameters(document, bundle.parameters));
  FIRN_ASSIGN_OR_RETURN(bundle.proof.start, DigestField(document, "root"));
  FIRN_ASSIGN_OR_RETURN(bundle.proof.digest, DigestField(document, "root_after"));
  FIRN_ASSIGN_OR_RETURN(bundle.proof.operation_number,
                        NumberField(document, "operation_number",
                                    std::numeric_limits<uint64_t>::max()));
  FIRN_ASSIGN_OR_RETURN(bundle.proof.proof, HexField(document, "proof"));
  FIRN_ASSIGN_OR_RETURN(const Json* operations, Field(document, "operations"));
  if (!operations->is_array()) return Rejected("\"operations\" is not a list");
  for (const Json& operation : *operations) {
    FIRN_RETURN_IF_ERROR(DecodeOperation(operation, bundle.proof));
  }
  return bundle;
}

absl::StatusOr<ProofBundle> ReadBundle(const std::string& path) {
  PosixFileSystem files;
  FIRN_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(files, path, kBundleSizeMax));
  absl::StatusOr<ProofBundle> bundle = DecodeBundle(text);
  if (!bundle.ok()) return Annotate(bundle.status(), path);
  return bundle;
}

absl::Status CheckBundle(const ProofBundle& bundle, const Digest& root) {
  const TreeProof& proof = bundle.proof;
  if (proof.start != root) {
    return Rejected(absl::StrCat("it is about root ", proof.start.ToHex(), ", not ",
                                 root.ToHex()));
  }
  VerifierLimits limits;
  limits.max_operations = std::max<size_t>(proof.operations.size(), 1);
  FIRN_ASSIGN_OR_RETURN(const VerifiedBatch verified,
                        VerifyProof(root, AsBytes(proof.proof), bundle.parameters,
                                    proof.operations, limits));
  if (verified.old_values != proof.old_values) {
    return Rejected("the values it states are not the ones it proves");
  }
  if (verified.digest != proof.digest) {
    return Rejected(absl::StrCat("it leads to root ", verified.digest.ToHex(), ", but states ",
                                 proof.digest.ToHex()));
  }
  return absl::OkStatus();
}

absl::StatusOr<OldValue> ProvenValue(const ProofBundle& bundle, absl::string_view key) {
  const std::vector<Operation>& operations = bundle.proof.operations;
  for (size_t i = 0; i < operations.size(); ++i) {
    if (operations[i].key == key) return bundle.proof.old_values[i];
  }
  return Rejected(absl::StrCat("it says nothing of key ", Hex(key)));
}

}  // namespace firn
