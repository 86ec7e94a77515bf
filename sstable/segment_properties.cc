#include "sstable/segment_properties.h"

#include <optional>

#include "base/coding.h"
#include "base/status.h"
#include "sstable/internal_key.h"

namespace firn {
namespace {

// The one place that lists the fields in their order: `visit_number` and `visit_text` write or
// read.
template <typename Properties, typename VisitNumber, typename VisitText>
void VisitFields(Properties& properties, VisitNumber visit_number, VisitText visit_text) {
  visit_number(properties.number.value);
  visit_number(properties.keyspace.value);
  visit_number(properties.entry_count);
  visit_number(properties.tombstone_count);
  visit_number(properties.user_key_count);
  visit_number(properties.raw_key_size);
  visit_number(properties.raw_value_size);
  visit_number(properties.data_block_count);
  visit_number(properties.data_size);
  visit_number(properties.sequence_min.value);
  visit_number(properties.sequence_max.value);
  visit_number(properties.block_size);
  visit_number(properties.restart_interval);
  visit_number(properties.filter_bits_per_key);
  visit_number(properties.created_ms);
  visit_text(properties.smallest);
  visit_text(properties.largest);
  visit_text(properties.origin);
}

bool ReadNumber(ByteReader& reader, uint64_t& target) {
  const std::optional<uint64_t> value = reader.ReadVarint64();
  target = value.value_or(0);
  return value.has_value();
}

bool ReadNumber(ByteReader& reader, uint32_t& target) {
  const std::optional<uint32_t> value = reader.ReadVarint32();
  target = value.value_or(0);
  return value.has_value();
}

absl::string_view Contradiction(const SegmentProperties& properties) {
  if (properties.entry_count == 0) return "no entries";
  if (properties.tombstone_count > properties.entry_count) return "more tombstones than entries";
  if (properties.user_key_count > properties.entry_count) return "more keys than entries";
  if (properties.user_key_count == 0) return "no keys";
  if (properties.data_block_count == 0) return "no data blocks";
  if (properties.data_block_count > properties.entry_count) return "more blocks than entries";
  if (properties.sequence_min > properties.sequence_max) return "inverted sequence range";
  if (properties.sequence_max > kMaxSequenceNumber) return "sequence number over 56 bits";
  if (!DecodeInternalKey(properties.smallest).has_value()) return "smallest is no internal key";
  if (!DecodeInternalKey(properties.largest).has_value()) return "largest is no internal key";
  if (CompareInternalKeys(properties.smallest, properties.largest) > 0) return "inverted key range";
  return "";
}

}  // namespace

std::string EncodeSegmentProperties(const SegmentProperties& properties) {
  std::string bytes;
  VisitFields(
      properties, [&bytes](const auto& number) { PutVarint64(bytes, number); },
      [&bytes](const std::string& text) { PutLengthPrefixed(bytes, text); });
  return bytes;
}

absl::StatusOr<SegmentProperties> ParseSegmentProperties(absl::string_view bytes, uint64_t offset,
                                                         absl::string_view path) {
  SegmentProperties properties;
  ByteReader reader(bytes);
  bool whole = true;
  VisitFields(
      properties, [&](auto& number) { whole = whole && ReadNumber(reader, number); },
      [&](std::string& text) {
        const std::optional<absl::string_view> read =
            whole ? reader.ReadLengthPrefixed() : std::nullopt;
        whole = read.has_value();
        if (whole) text.assign(read->data(), read->size());
      });
  if (!whole) return CorruptionAt(path, offset + reader.position(), "properties are cut off");
  if (!reader.empty()) {
    return CorruptionAt(path, offset + reader.position(), "bytes follow the properties");
  }
  const absl::string_view contradiction = Contradiction(properties);
  if (!contradiction.empty()) {
    return CorruptionAt(
        path, offset,
        std::string("properties: ").append(contradiction.data(), contradiction.size()));
  }
  return properties;
}

}  // namespace firn
