// tests/sstable/segment_support.h: models of sorted entries, and segments and blocks built from them.
#ifndef FIRN_TESTS_SSTABLE_SEGMENT_SUPPORT_H_
#define FIRN_TESTS_SSTABLE_SEGMENT_SUPPORT_H_

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/status.h"
#include "io/memory_file_system.h"
#include "sstable/block.h"
#include "sstable/block_builder.h"
#include "sstable/internal_key.h"
#include "sstable/segment_reader.h"
#include "sstable/segment_writer.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {

struct InternalKeyLess {
  bool operator()(const std::string& a, const std::string& b) const {
    return CompareInternalKeys(a, b) < 0;
  }
};
// Encoded internal key -> value, in the order of a segment.
using Model = std::map<std::string, std::string, InternalKeyLess>;

inline std::string Key(absl::string_view user_key, uint64_t sequence,
                       EntryKind kind = EntryKind::kPut) {
  return EncodeInternalKey(
      {.user_key = user_key, .sequence = SequenceNumber{sequence}, .kind = kind});
}

// Keys that are prefixes of one another, several versions of some, tombstones without a value.
inline Model RandomModel(Random& random, size_t entries, size_t value_size_max = 100) {
  Model model;
  uint64_t sequence = 1;
  while (model.size() < entries) {
    const std::string user_key = RandomKey(random, 12);
    const uint64_t versions = random.OneIn(8) ? 1 + random.Uniform(6) : 1;
    for (uint64_t i = 0; i < versions && model.size() < entries; ++i) {
      const bool is_tombstone = random.OneIn(5);
      model[Key(user_key, sequence++, is_tombstone ? EntryKind::kTombstone : EntryKind::kPut)] =
          is_tombstone ? "" : RandomValue(random, value_size_max);
    }
  }
  return model;
}

inline absl::StatusOr<SegmentMeta> WriteSegment(FileSystem& file_system, absl::string_view path,
                                                const Model& model,
                                                const SegmentOptions& options = {},
                                                uint64_t id = 0x0123456789abcdef,
                                                FileNumber number = FileNumber{7}) {
  FIRN_ASSIGN_OR_RETURN(auto writer, SegmentWriter::Create(file_system, path, options, number, id));
  for (const auto& [key, value] : model) FIRN_RETURN_IF_ERROR(writer->Add(key, value));
  return writer->Finish();
}

inline std::shared_ptr<const Block> MakeBlock(absl::string_view bytes) {
  auto owned = NewBlockMemory(bytes.size());
  std::memcpy(owned.get(), bytes.data(), bytes.size());
  auto block = Block::Create(std::move(owned), bytes.size());
  EXPECT_OK(block);
  return block.ok() ? *std::move(block) : nullptr;
}

inline std::shared_ptr<const Block> BuildBlock(const Model& model, uint32_t restart_interval = 16) {
  BlockBuilder builder(restart_interval);
  for (const auto& [key, value] : model) builder.Add(key, value);
  return MakeBlock(AsText(builder.Finish()));
}

// A BlockIterator that owns its block, so that a merge can own both.
class OwningBlockIterator final : public InternalIterator {
 public:
  explicit OwningBlockIterator(std::shared_ptr<const Block> block)
      : block_(std::move(block)), iterator_(block_.get()) {}
  bool Valid() const override { return iterator_.Valid(); }
  void SeekToFirst() override { iterator_.SeekToFirst(); }
  void SeekToLast() override { iterator_.SeekToLast(); }
  void Seek(absl::string_view target) override { iterator_.Seek(target); }
  void Next() override { iterator_.Next(); }
  void Prev() override { iterator_.Prev(); }
  absl::string_view key() const override { return iterator_.key(); }
  absl::string_view value() const override { return iterator_.value(); }
  absl::Status status() const override { return iterator_.status(); }
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override {
    return iterator_.TakeRun(run, limit);
  }

 private:
  const std::shared_ptr<const Block> block_;
  BlockIterator iterator_;
};

// The newest entry of `user_key` up to `at_most` in the model; end() if there is none.
inline Model::const_iterator FindInModel(const Model& model, absl::string_view user_key,
                                         uint64_t at_most) {
  const auto found = model.lower_bound(Key(user_key, at_most));
  return found != model.end() && UserKeyOf(found->first) == user_key ? found : model.end();
}

inline std::string ReadAll(FileSystem& file_system, absl::string_view path) {
  auto content = ReadWholeFile(file_system, path, uint64_t{1} << 30);
  EXPECT_OK(content);
  return content.ok() ? *std::move(content) : "";
}

inline void WriteAll(FileSystem& file_system, absl::string_view path, absl::string_view content) {
  EXPECT_OK(WriteFileAtomically(file_system, path, content));
}

}  // namespace firn

#endif  // FIRN_TESTS_SSTABLE_SEGMENT_SUPPORT_H_
