// tools/proof_bundle.h: a proof with all that is needed to check it but the trusted root, as one JSON
// document that a person can keep (docs/formats/bundle.md).
#ifndef FIRN_TOOLS_PROOF_BUNDLE_H_
#define FIRN_TOOLS_PROOF_BUNDLE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/authenticated_tree.h"
#include "firn/proof.h"

namespace firn {

inline constexpr size_t kBundleSizeMax = size_t{256} << 20;  // bytes of a bundle file

struct ProofBundle {
  TreeParameters parameters;
  TreeProof proof;
};

std::string EncodeBundle(const ProofBundle& bundle);

// InvalidArgument/kInvalidProof says which field is missing or wrong; nothing in it is believed yet.
absl::StatusOr<ProofBundle> DecodeBundle(absl::string_view text);

// The file, at most kBundleSizeMax bytes.
absl::StatusOr<ProofBundle> ReadBundle(const std::string& path);

// OK if the bundle proves its values against `root`; else InvalidArgument/kInvalidProof, which says
// what does not hold.
absl::Status CheckBundle(const ProofBundle& bundle, const Digest& root);

// What the tree with the bundle's root has under `key`, if CheckBundle() found it sound: the value
// before the first operation on that key, since a later one may find what the bundle itself put
// there. InvalidArgument/kInvalidProof if no operation is on that key.
absl::StatusOr<OldValue> ProvenValue(const ProofBundle& bundle, absl::string_view key);

}  // namespace firn

#endif  // FIRN_TOOLS_PROOF_BUNDLE_H_
