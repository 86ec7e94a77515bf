#include "compaction/picker.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "compaction/tiered_picker.h"
#include "tests/compaction/level_simulator.h"

namespace firn {
namespace {

// Levels without content: a segment is a size and a range. New keys only, so that nothing is ever
// overwritten: the worst case of a merge.
class PaperStore {
 public:
  PaperStore(const PickerOptions& options, CompactionStyle style)
      : options_(options), style_(style), picker_(PickerFor(style)) {}

  void Fill(uint64_t bytes, uint64_t flush_bytes) {
    for (uint64_t filled = 0; filled < bytes; filled += flush_bytes) {
      Flush(flush_bytes);
      while (true) {
        const Compaction pick = picker_.pick(levels_, options_, {});
        if (pick.kind == CompactionKind::kNothing) break;
        Run(pick);
      }
      read_max_ = std::max(read_max_, SegmentsOfALookup());
    }
  }

  double write_amplification() const {
    return static_cast<double>(flushed_ + merged_) / static_cast<double>(flushed_);
  }
  // Bytes on disk at most, inputs and outputs of a merge both, against what is stored in the end.
  double space_amplification() const {
    return static_cast<double>(space_max_) / static_cast<double>(flushed_);
  }
  // Segments that a lookup may have to ask (their filters, as a rule), at most.
  size_t read_amplification() const { return read_max_; }
  size_t segments() const { return levels_.segment_count(); }

 private:
  size_t SegmentsOfALookup() const {
    size_t asked = style_ == CompactionStyle::kSequence ? (levels_.level0().empty() ? 0u : 1u)
                                                        : levels_.level0().size();
    for (uint32_t level = 1; level < kLevelCount; ++level) {
      asked += levels_.level({level}).empty() ? 0 : 1;
    }
    return asked;
  }

  SegmentPtr NewSegment(uint64_t size, uint64_t smallest, uint64_t largest) {
    auto segment = std::make_shared<SegmentMeta>();
    segment->number = {++last_number_};
    segment->size = size;
    segment->entry_count = std::max<uint64_t>(size / 110, 1);
    segment->sequence_min = {last_sequence_};
    segment->sequence_max = {last_sequence_};
    segment->smallest = EncodeInternalKey({.user_key = NumberKey(smallest), .sequence = {1}});
    segment->largest = EncodeInternalKey({.user_key = NumberKey(largest), .sequence = {1}});
    return segment;
  }

  void Flush(uint64_t bytes) {
    ++last_sequence_;
    flushed_ += bytes;
    const bool ascends = style_ == CompactionStyle::kSequence;
    Apply({.added = {{LevelIndex{0}, ascends ? NewSegment(bytes, last_sequence_ * 10,
                                                          last_sequence_ * 10 + 9)
                                             : NewSegment(bytes, 0, UINT64_MAX)}}});
  }

  void Run(const Compaction& pick) {
    LevelsEdit edit = pick.Edit();
    if (pick.kind == CompactionKind::kMerge) {
      const uint64_t bytes = pick.input_bytes();
      merged_ += bytes;
      space_max_ = std::max(space_max_, levels_.total_bytes() + bytes);
      // Pieces of equal size over the range.
      const uint64_t pieces =
          style_ == CompactionStyle::kTiered
              ? 1
              : std::max<uint64_t>(1, (bytes + options_.segment_size / 2) / options_.segment_size);
      const uint64_t smallest = LoadBigEndian(pick.smallest);
      const uint64_t width = LoadBigEndian(pick.largest) - smallest;
      for (uint64_t i = 0; i < pieces; ++i) {
        const auto at = [&](uint64_t piece) {
          return smallest + static_cast<uint64_t>(static_cast<unsigned __int128>(width) * piece /
                                                  pieces);
        };
        SegmentPtr made = NewSegment(bytes / pieces, i == 0 ? smallest : at(i) + 1, at(i + 1));
        auto dated = std::make_shared<SegmentMeta>(*made);
        dated->sequence_max = pick.inputs.front()->sequence_max;
        dated->sequence_min = pick.inputs.back()->sequence_min;
        edit.added.push_back({pick.output_level, std::move(dated)});
      }
    }
    Apply(edit);
  }
  static uint64_t LoadBigEndian(absl::string_view key) {
    uint64_t number = 0;
    for (const char byte : key) number = number << 8 | static_cast<uint8_t>(byte);
    return number;
  }
  void Apply(const LevelsEdit& edit) {
    ASSERT_OK_AND_ASSIGN(levels_, levels_.Apply(edit));
    space_max_ = std::max(space_max_, levels_.total_bytes());
  }

  const PickerOptions options_;
  const CompactionStyle style_;
  const Picker& picker_;
  Levels levels_;
  uint64_t last_sequence_ = 0;
  uint64_t last_number_ = 0;
  uint64_t flushed_ = 0;
  uint64_t merged_ = 0;
  uint64_t space_max_ = 0;
  size_t read_max_ = 0;
};

struct Bounds {
  double write;
  double space;
  size_t read;
};

// Records of 110 bytes on disk. Beyond 10^8 of them a leveled store is drawn with larger segments, at
// most about a thousand of them, and larger flushes: the shape is the same, and the test is quick. So
// is a sequence store with at most a thousand segments.
void ExpectWithin(CompactionStyle style, const char* name,
                  const std::map<uint64_t, Bounds>& bounds) {
  for (const auto& [records, bound] : bounds) {
    const uint64_t bytes = records * 110;
    PickerOptions options;
    uint64_t flush = uint64_t{43} << 20;  // 64 MiB of memtable after LZ4
    if (style == CompactionStyle::kLeveled) {
      options.segment_size = std::max(options.segment_size, bytes / 1000);
      flush = std::max(flush, bytes / 4000);
      options.level1_size = std::max(options.level1_size, 4 * flush);
    }
    if (style == CompactionStyle::kSequence) flush = std::max(flush, bytes / 1000);
    PaperStore store(options, style);
    store.Fill(bytes, flush);
    std::printf("             %-8s 10^%-2d records, %6.1f GB: write %5.2f, space %4.2f, read %3zu "
                "segments of %zu\n",
                name, static_cast<int>(std::to_string(records).size() - 1),
                static_cast<double>(bytes) / 1e9, store.write_amplification(),
                store.space_amplification(), store.read_amplification(), store.segments());
    EXPECT_LE(store.write_amplification(), bound.write) << name << " " << records;
    EXPECT_LE(store.space_amplification(), bound.space) << name << " " << records;
    EXPECT_LE(store.read_amplification(), bound.read) << name << " " << records;
    EXPECT_GE(store.write_amplification(), 1);
  }
}

TEST(PickerTest, EachStyleKeepsItsBoundsUpToTenThousandMillionRecords) {
  ExpectWithin(CompactionStyle::kLeveled, "leveled",
               {{1'000'000, {3, 3, 5}},
                {10'000'000, {6, 2.5, 6}},
                {100'000'000, {14, 2, 7}},
                {1'000'000'000, {22, 1.5, 8}},
                {10'000'000'000, {25, 1.5, 8}}});
  ExpectWithin(CompactionStyle::kTiered, "tiered",
               {{1'000'000, {1, 1, 8}},
                {10'000'000, {2, 2, 16}},
                {100'000'000, {3, 2, 24}},
                {1'000'000'000, {4, 2, 32}},
                {10'000'000'000, {4.5, 1.2, 150}}});
  ExpectWithin(CompactionStyle::kSequence, "sequence",
               {{1'000'000, {1, 1, 2}},
                {10'000'000, {1, 1, 2}},
                {100'000'000, {1, 1, 2}},
                {1'000'000'000, {1, 1, 2}},
                {10'000'000'000, {1, 1, 2}}});
}

// A hashed store whose records are removed again, on paper: what lives in each segment, what is dead and
// by whose tombstone (the number of a flush), and which tombstones it has. A tombstone hits any live
// record alike.
class PaperChurn {
 public:
  explicit PaperChurn(const PickerOptions& options) : options_(options) {}

  // A flush of new records and of tombstones, and all the merges that are due then.
  void Flush(double puts, double removes) {
    const uint64_t flush = ++flushes_;
    double live = 0;
    for (const auto& [number, segment] : content_) live += segment.live;
    for (auto& [number, segment] : content_) {
      const double hit = removes * segment.live / live;
      segment.live -= hit;
      segment.dead[flush] += hit;
    }
    live_ += puts - removes;
    Content fresh{.live = puts, .first = flush, .last = flush};
    if (removes > 0) fresh.removes[flush] = removes;
    flushed_ += SizeOf(fresh);
    Apply({.added = {{LevelIndex{0}, NewSegment(std::move(fresh))}}});
    while (true) {
      const Compaction pick = PickTiered(levels_, options_, {});
      if (pick.kind == CompactionKind::kNothing) break;
      Run(pick);
    }
    if (live_ > 0) {
      const double space = static_cast<double>(levels_.total_bytes()) / (live_ * kRecord);
      space_max_ = std::max(space_max_, space);
    }
  }

  double write_amplification() const { return (flushed_ + merged_) / flushed_; }
  double space_amplification() const { return space_max_; }
  void ForgetSpace() { space_max_ = 0; }
  size_t segments() const { return levels_.segment_count(); }
  uint64_t reclaims() const { return reclaims_; }

 private:
  static constexpr double kRecord = 110;  // bytes
  static constexpr double kTombstone = 40;
  struct Content {
    double live = 0;
    std::map<uint64_t, double> dead;     // by whose tombstone
    std::map<uint64_t, double> removes;  // by flush
    uint64_t first = 0;                  // of its flushes
    uint64_t last = 0;
  };

  static double Sum(const std::map<uint64_t, double>& parts) {
    double sum = 0;
    for (const auto& [flush, part] : parts) sum += part;
    return sum;
  }
  static double SizeOf(const Content& content) {
    return (content.live + Sum(content.dead)) * kRecord + Sum(content.removes) * kTombstone;
  }
  SegmentPtr NewSegment(Content content) {
    auto segment = std::make_shared<SegmentMeta>();
    segment->number = {++last_number_};
    segment->size = static_cast<uint64_t>(SizeOf(content)) + 1;
    segment->tombstone_count = static_cast<uint64_t>(Sum(content.removes));
    segment->entry_count = segment->tombstone_count + 1 +
                           static_cast<uint64_t>(content.live + Sum(content.dead));
    segment->sequence_min = {content.first};
    segment->sequence_max = {content.last};
    segment->smallest = EncodeInternalKey({.user_key = NumberKey(0), .sequence = {1}});
    segment->largest = EncodeInternalKey({.user_key = NumberKey(UINT64_MAX), .sequence = {1}});
    content_[last_number_] = std::move(content);
    return segment;
  }

  void Run(const Compaction& pick) {
    Content merged{.first = UINT64_MAX};
    for (const SegmentPtr& input : pick.inputs) {
      const Content& content = content_.at(input->number.value);
      merged.live += content.live;
      for (const auto& [flush, dead] : content.dead) merged.dead[flush] += dead;
      for (const auto& [flush, removes] : content.removes) merged.removes[flush] += removes;
      merged.first = std::min(merged.first, content.first);
      merged.last = std::max(merged.last, content.last);
    }
    if (pick.reclaims) {
      ++reclaims_;
      merged.dead.clear();
    } else {
      merged.dead.erase(merged.dead.lower_bound(merged.first),
                        merged.dead.upper_bound(merged.last));
    }
    // What tombstones still hide in older segments. By size alone they go with the oldest segment.
    std::map<uint64_t, double> needed;
    bool is_oldest = true;
    for (const auto& [number, content] : content_) {
      if (content.last >= merged.first) continue;
      is_oldest = false;
      for (const auto& [flush, dead] : content.dead) needed[flush] += dead;
    }
    if (is_oldest) merged.removes.clear();
    if (pick.reclaims) {
      for (auto& [flush, removes] : merged.removes) removes = std::min(removes, needed[flush]);
    }
    merged_ += SizeOf(merged);
    LevelsEdit edit = pick.Edit();
    for (const SegmentPtr& input : pick.inputs) content_.erase(input->number.value);
    edit.added.push_back({LevelIndex{0}, NewSegment(std::move(merged))});
    Apply(edit);
  }
  void Apply(const LevelsEdit& edit) { ASSERT_OK_AND_ASSIGN(levels_, levels_.Apply(edit)); }

  const PickerOptions options_;
  Levels levels_;
  std::map<uint64_t, Content> content_;  // by segment number
  uint64_t last_number_ = 0;
  uint64_t flushes_ = 0;
  double live_ = 0;
  double flushed_ = 0;
  double merged_ = 0;
  double space_max_ = 0;
  uint64_t reclaims_ = 0;
};

// As many records as that, then twice as many operations that remove one and put one.
TEST(PickerTest, AHashedStoreWhoseRecordsAreRemovedStaysBoundedUpToTenThousandMillionRecords) {
  for (const uint64_t records : {uint64_t{100'000'000}, uint64_t{1'000'000'000},
                                 uint64_t{10'000'000'000}}) {
    const double fill = static_cast<double>(records) / 600;
    PickerOptions options;
    options.flush_size = std::max(options.flush_size, static_cast<uint64_t>(fill * 110));
    PaperChurn store(options);
    for (int i = 0; i < 600; ++i) store.Flush(fill, 0);
    store.ForgetSpace();
    for (int i = 0; i < 1200; ++i) store.Flush(fill, fill);
    std::printf("             tiered, removes and puts, 10^%d records: write %5.2f, space %4.2f, %zu "
                "segments, %zu rewritten\n",
                static_cast<int>(std::to_string(records).size() - 1), store.write_amplification(),
                store.space_amplification(), store.segments(),
                static_cast<size_t>(store.reclaims()));
    EXPECT_LE(store.space_amplification(), 2.2) << records;
    EXPECT_LE(store.write_amplification(), 8) << records;
    EXPECT_LE(store.segments(), 400u) << records;
  }
}

TEST(PickerTest, TheEditOfADropOnlyRemoves) {
  Compaction drop;
  drop.kind = CompactionKind::kDrop;
  SegmentMeta segment;
  segment.number = {5};
  drop.inputs = {std::make_shared<const SegmentMeta>(segment)};
  EXPECT_EQ(drop.Edit().removed.size(), 1u);
  EXPECT_TRUE(drop.Edit().added.empty());
  EXPECT_TRUE(Compaction{}.Edit().removed.empty());
}

}  // namespace
}  // namespace firn
