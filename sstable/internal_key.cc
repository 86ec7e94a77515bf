#include "sstable/internal_key.h"

namespace firn {
namespace {

uint64_t PackSuffix(SequenceNumber sequence, EntryKind kind) {
  FIRN_CHECK(sequence <= kMaxSequenceNumber);
  return sequence.value << 8 | static_cast<uint64_t>(kind);
}

}  // namespace

void AppendInternalKey(std::string& target, const InternalKey& key) {
  target.append(key.user_key.data(), key.user_key.size());
  PutFixed64(target, PackSuffix(key.sequence, key.kind));
}

std::string EncodeInternalKey(const InternalKey& key) {
  std::string encoded;
  encoded.reserve(key.user_key.size() + kInternalKeySuffixSize);
  AppendInternalKey(encoded, key);
  return encoded;
}

std::optional<InternalKey> DecodeInternalKey(absl::string_view encoded) {
  if (encoded.size() < kInternalKeySuffixSize) return std::nullopt;
  const EntryKind kind = KindOf(encoded);
  if (kind != EntryKind::kTombstone && kind != EntryKind::kPut) return std::nullopt;
  return InternalKey{.user_key = UserKeyOf(encoded), .sequence = SequenceOf(encoded), .kind = kind};
}

LookupKey::LookupKey(absl::string_view user_key, SequenceNumber at_most)
    : data_(inline_), size_(user_key.size() + kInternalKeySuffixSize) {
  if (size_ > sizeof(inline_)) {
    heap_ = std::make_unique<char[]>(size_);
    data_ = heap_.get();
  }
  if (!user_key.empty()) std::memcpy(data_, user_key.data(), user_key.size());
  StoreFixed64(reinterpret_cast<uint8_t*>(data_) + user_key.size(),
               PackSuffix(at_most, kKindForSeek));
}

}  // namespace firn
