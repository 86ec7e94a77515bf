#include "engine/write_request.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/batch_format.h"
#include "sstable/sequence_key.h"

namespace firn {
namespace {

absl::Status BatchTooLarge(uint64_t size) {
  return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                   absl::StrCat("a batch of ", size, " bytes; at most ", kBatchSizeMax));
}

// What the layout asks of the entry; keys that must ascend are noted for the commit queue.
absl::Status CheckEntry(const BatchEntry& entry, KeyspaceImpl& keyspace, WriteRequest& request) {
  FIRN_RETURN_IF_ERROR(keyspace.rules().Check(entry.kind, entry.key, keyspace.name()));
  if (keyspace.size_limits().limited() && entry.kind == EntryKind::kPut) {
    const auto found = std::find(request.limited.begin(), request.limited.end(), &keyspace);
    if (found == request.limited.end()) request.limited.push_back(&keyspace);
  }
  if (!keyspace.rules().ascending) return absl::OkStatus();
  const uint64_t key = LoadSequenceKey(entry.key);
  const auto run = std::find_if(
      request.ascents.begin(), request.ascents.end(),
      [&](const WriteRequest::Ascent& ascent) { return ascent.keyspace == &keyspace; });
  if (run == request.ascents.end()) {
    request.ascents.push_back({&keyspace, {.first = key, .last = key}});
    return absl::OkStatus();
  }
  if (key <= run->run.last) return NotAscending(key, run->run.last, keyspace.name());
  run->run.last = key;
  return absl::OkStatus();
}

}  // namespace

absl::Status FillRequest(const WriteBatch& batch, Durability durability, WriteRequest& request) {
  if (batch.encoded_size() > kBatchSizeMax) return BatchTooLarge(batch.encoded_size());
  if (batch.oversize() > 0) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge,
                     absl::StrCat("a key or value of ", batch.oversize(), " bytes; at most ",
                                  kKeySizeMax, " and ", kValueSizeMax));
  }
  if (durability < Durability::kVolatile || durability > Durability::kSynced) {
    return InvalidOption("durability", absl::StrCat(static_cast<int>(durability),
                                                    " is none of kVolatile, kBuffered, kSynced"));
  }
  request.encoded = batch.encoded();
  request.count = batch.count();
  request.durability = durability;
  FIRN_CHECK(request.table != nullptr);
  KeyspaceImpl* keyspace = nullptr;
  const auto check = [&](const BatchEntry& entry) -> absl::Status {
    if (keyspace != nullptr && keyspace->id() == entry.keyspace) {
      return CheckEntry(entry, *keyspace, request);
    }
    if (entry.keyspace.value == 0) return InvalidArgument("an empty keyspace handle in a batch");
    const auto found = request.table->find(entry.keyspace);
    if (found == request.table->end()) {
      return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kKeyspaceDropped,
                       absl::StrCat("keyspace ", entry.keyspace.value, " was dropped"));
    }
    if (durability == Durability::kVolatile && keyspace != nullptr) {
      return InvalidArgument("a kVolatile batch over two keyspaces");
    }
    keyspace = found->second.get();
    if (durability == Durability::kVolatile) request.volatile_keyspace = keyspace;
    return CheckEntry(entry, *keyspace, request);
  };
  const absl::Status status = ForEachEntry(AsBytes(batch.encoded()), check);
  // WriteBatch encodes whatever it is given: what does not decode is a size over its limit.
  if (absl::IsDataLoss(status)) {
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kTooLarge, status.message());
  }
  return status;
}

}  // namespace firn
