// Any bytes are a version edit or a Status; an edit encodes to bytes that decode to it; and any edit is
// refused by a state or makes one that its own edits can make again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/types.h"
#include "engine/store_state.h"
#include "engine/version_edit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  const auto edit = DecodeVersionEdit(AsText(ByteSpan(data, size)));
  if (!edit.ok()) return 0;
  const std::string encoded = EncodeVersionEdit(*edit);
  const auto again = DecodeVersionEdit(encoded);
  FIRN_CHECK(again.ok() && EncodeVersionEdit(*again) == encoded);
  const auto state = StoreState().Apply(*edit);
  if (!state.ok()) return 0;
  StoreState rebuilt;
  for (const VersionEdit& part : state->AsEdits()) {
    auto next = rebuilt.Apply(part);
    FIRN_CHECK(next.ok());
    rebuilt = *std::move(next);
  }
  FIRN_CHECK(rebuilt.keyspaces.size() == state->keyspaces.size());
  return 0;
}
