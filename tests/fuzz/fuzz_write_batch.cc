// Any bytes are a group of write batches or a Status; what decodes encodes to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/types.h"
#include "engine/batch_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;
  const ByteSpan bytes(data, size);
  const auto visit = [](const BatchEntry&) { return absl::OkStatus(); };
  ForEachEntry(bytes, visit).IgnoreError();

  const absl::StatusOr<Group> group = DecodeGroup(bytes);
  if (!group.ok()) return 0;
  const auto header = EncodeGroupHeader(group->header);
  std::string encoded(AsText(header));
  uint64_t count = 0;
  const absl::Status walked = ForEachEntry(group->entries, [&](const BatchEntry& entry) {
    ++count;
    if (entry.kind == EntryKind::kPut) {
      AppendPut(encoded, entry.keyspace, entry.key, entry.value);
    } else {
      AppendRemove(encoded, entry.keyspace, entry.key);
    }
    return absl::OkStatus();
  });
  FIRN_CHECK(walked.ok());
  FIRN_CHECK(count == group->header.count);
  FIRN_CHECK(encoded == AsText(bytes));
  return 0;
}
