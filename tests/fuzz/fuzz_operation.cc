// Any bytes give an entry of the operation log or a Status; what is read is written as the same bytes.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/types.h"
#include "tree/operation_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view record = firn::AsText(firn::ByteSpan(data, size));
  const absl::StatusOr<firn::LogEntry> entry = firn::DecodeLogEntry(1, record);
  if (entry.ok()) {
    std::string again;
    firn::EncodeLogEntry(*entry, again);
    FIRN_CHECK(again == record);
  }
  firn::DecodeOperationKey(record).status().IgnoreError();
  return 0;
}
