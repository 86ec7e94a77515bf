// Any bytes give a stored node or a Status; what is read is written as the same bytes.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/types.h"
#include "tree/node_codec.h"
#include "tree/storage_node.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view record = firn::AsText(firn::ByteSpan(data, size));
  const firn::Label label{};
  const absl::StatusOr<firn::NodePtr> node = firn::DecodeNode(label, record);
  if (node.ok()) {
    firn::ChildBirths births;
    if (!(*node)->is_leaf()) {
      births = {.left = (*node)->left().birth(), .right = (*node)->right().birth()};
    }
    std::string again;
    firn::EncodeNode(**node, births, again);
    FIRN_CHECK(again == record);
  }
  const absl::StatusOr<firn::NodeRecord> stored = firn::DecodeStorageNode(label, record);
  if (stored.ok()) {
    FIRN_CHECK(firn::EncodeStorageNode(*stored) == record);
    firn::CheckNodeRecord(*stored, firn::DigestCheck::kVerify).IgnoreError();
  }
  firn::DecodeInstanceKey(record).status().IgnoreError();
  return 0;
}
