// tests/compaction/hashed_fixture.h: hashed segments in a memory file system, drawn at random with a
// model of all versions, and what a merge needs.
#ifndef FIRN_TESTS_COMPACTION_HASHED_FIXTURE_H_
#define FIRN_TESTS_COMPACTION_HASHED_FIXTURE_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "compaction/hashed_merge.h"
#include "sstable/hashed_segment_reader.h"
#include "tests/compaction/segment_fixture.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {

class HashedFixture : public SegmentFixture {
 public:
  static constexpr uint32_t kWidth = 12;

  explicit HashedFixture(MemoryFileSystemOptions options = {}) : SegmentFixture(options) {}

  JobContext Context(std::vector<SequenceNumber> snapshots = {}) {
    JobContext context = SegmentFixture::Context(1 << 20, std::move(snapshots));
    context.sink.segment.layout = SegmentLayout::kHashed;
    context.sink.segment.key_width = kWidth;
    return context;
  }

  uint64_t NextId() {
    MutexLock lock(mutex);
    return ids.Next();
  }

  // In the order given.
  absl::StatusOr<SegmentPtr> WriteHashed(const std::vector<StoredEntry>& entries,
                                         size_t block_size = 256, uint32_t width = kWidth) {
    SegmentOptions options = Context().sink.segment;
    options.block_size = block_size;
    options.key_width = width;
    options.compression_threshold = 100;
    const FileNumber number{++last_number};
    FIRN_ASSIGN_OR_RETURN(
        const auto writer,
        SegmentWriter::Create(file_system, JoinPath("segments", SegmentFileName(number)), options,
                              number, NextId()));
    for (const StoredEntry& entry : entries) {
      FIRN_RETURN_IF_ERROR(writer->Add(entry.key, entry.value));
    }
    FIRN_ASSIGN_OR_RETURN(SegmentMeta meta, writer->Finish());
    return std::make_shared<const SegmentMeta>(std::move(meta));
  }

  // A segment of writes with numbers above the last ones, most to keys of a pool, in the order written.
  absl::StatusOr<SegmentPtr> WriteRandom(Random& random, size_t entries,
                                         std::vector<StoredEntry>& all) {
    std::vector<StoredEntry> mine;
    for (size_t i = 0; i < entries; ++i) {
      std::string key = RandomBytes(random, kWidth);
      if (pool_.empty() || random.OneIn(3)) {
        if (!pool_.empty() && random.OneIn(4)) {  // differs in the last byte alone
          key = pool_[random.Uniform(pool_.size())];
          key.back() = static_cast<char>(random.Next());
        }
        pool_.push_back(key);
      } else {
        key = pool_[random.Uniform(pool_.size())];
      }
      mine.push_back(random.OneIn(4) ? MakeTombstone(key, ++sequence_)
                                     : MakePut(key, ++sequence_, RandomValue(random, 120)));
    }
    all.insert(all.end(), mine.begin(), mine.end());
    return WriteHashed(mine, 64 + random.Uniform(1000));
  }

  static Compaction MergeOf(std::vector<SegmentPtr> inputs) {
    Compaction compaction;
    compaction.kind = CompactionKind::kMerge;
    compaction.inputs = std::move(inputs);
    return compaction;
  }
  static Levels LevelsOf(const std::vector<SegmentPtr>& segments) {
    LevelsEdit edit;
    for (const SegmentPtr& segment : segments) edit.added.push_back({{0}, segment});
    auto levels = Levels().Apply(edit);
    EXPECT_OK(levels);
    return *std::move(levels);
  }
  absl::StatusOr<std::shared_ptr<const HashedSegmentReader>> Open(const SegmentMeta& segment) {
    FIRN_ASSIGN_OR_RETURN(const std::shared_ptr<const SegmentReader> reader,
                          directory.Get(segment));
    return std::dynamic_pointer_cast<const HashedSegmentReader>(reader);
  }

  uint64_t sequence() const { return sequence_; }

 private:
  std::vector<std::string> pool_;
  uint64_t sequence_ = 0;
};

// What the rule of garbage_collector.h leaves of `entries`, in key order.
inline std::vector<StoredEntry> CollectGarbage(std::vector<StoredEntry> entries,
                                               std::vector<SequenceNumber> snapshots,
                                               bool older_entries_stay) {
  GarbageCollector collector(NewVectorIterator(std::move(entries)),
                             {.snapshots = std::move(snapshots),
                              .key_may_exist_below = [older_entries_stay](absl::string_view) {
                                return older_entries_stay;
                              }});
  std::vector<StoredEntry> kept;
  for (collector.SeekToFirst(); collector.Valid(); collector.Next()) {
    kept.push_back({std::string(collector.key()), std::string(collector.value())});
  }
  return kept;
}

}  // namespace firn

#endif  // FIRN_TESTS_COMPACTION_HASHED_FIXTURE_H_
