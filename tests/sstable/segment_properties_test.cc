#include "sstable/segment_properties.h"

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

SegmentProperties SomeProperties() {
  return {.number = FileNumber{300},
          .keyspace = KeyspaceId{4},
          .entry_count = 1000,
          .tombstone_count = 10,
          .user_key_count = 900,
          .raw_key_size = 20000,
          .raw_value_size = 300000,
          .data_block_count = 80,
          .data_size = 250000,
          .sequence_min = SequenceNumber{5},
          .sequence_max = kMaxSequenceNumber,
          .block_size = 4096,
          .restart_interval = 16,
          .filter_bits_per_key = 10,
          .created_ms = 1700000000000,
          .smallest = Key("a", 6),
          .largest = Key("z", 5),
          .origin = "flush"};
}

TEST(SegmentPropertiesTest, ComeBackAsTheyWereWritten) {
  const SegmentProperties properties = SomeProperties();
  EXPECT_THAT(ParseSegmentProperties(EncodeSegmentProperties(properties), 0, "s"),
              IsOkAndHolds(testing::Eq(properties)));
}

TEST(SegmentPropertiesTest, AreRefusedWhenCutOffOrTooLong) {
  const std::string good = EncodeSegmentProperties(SomeProperties());
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(ParseSegmentProperties(good.substr(0, size), 100, "s").status(),
                StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("s: offset 1")));
  }
  EXPECT_THAT(ParseSegmentProperties(good + "x", 0, "s").status(),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("bytes follow")));
}

TEST(SegmentPropertiesTest, AreRefusedWhenTheyContradictThemselves) {
  const auto refused = [](auto change, absl::string_view what) {
    SegmentProperties properties = SomeProperties();
    change(properties);
    EXPECT_THAT(ParseSegmentProperties(EncodeSegmentProperties(properties), 0, "s").status(),
                StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr(std::string(what))));
  };
  refused([](auto& p) { p.entry_count = 0; }, "no entries");
  refused([](auto& p) { p.tombstone_count = 1001; }, "more tombstones");
  refused([](auto& p) { p.user_key_count = 0; }, "no keys");
  refused([](auto& p) { p.user_key_count = 1001; }, "more keys");
  refused([](auto& p) { p.data_block_count = 0; }, "no data blocks");
  refused([](auto& p) { p.data_block_count = 1001; }, "more blocks");
  refused([](auto& p) { p.sequence_max = SequenceNumber{4}; }, "inverted sequence range");
  refused([](auto& p) { p.sequence_max.value = kMaxSequenceNumber.value + 1; }, "56 bits");
  refused([](auto& p) { p.smallest = "short"; }, "smallest");
  refused([](auto& p) { p.largest = ""; }, "largest");
  refused([](auto& p) { std::swap(p.smallest, p.largest); }, "inverted key range");
}

}  // namespace
}  // namespace firn
