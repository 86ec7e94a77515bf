// sstable/block.h: a sorted block in memory and the iterator over it. Bytes:
// sstable/block_builder.h.
//
// The frame (restart count and offsets) is checked once, when the block is made; entries are
// checked as they are decoded. Hostile bytes give DataLoss, never a read outside the block. That
// the entries are in order is not checked here: the checksum says they are what the writer wrote,
// the writer refuses disorder, and SegmentReader::Verify() looks.
#ifndef FIRN_SSTABLE_BLOCK_H_
#define FIRN_SSTABLE_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/types.h"
#include "sstable/block_content.h"
#include "sstable/internal_iterator.h"

namespace firn {

// Immutable, so thread-safe.
class Block : public BlockContent {
 public:
  // Takes over `bytes`, of which the first `size` are the block. DataLoss if its frame is bad; the
  // message has no file: the caller annotates it.
  static absl::StatusOr<std::shared_ptr<const Block>> Create(BlockMemory bytes, size_t size);

  // One past the last entry: where the restart points begin.
  uint32_t entries_limit() const { return entries_limit_; }
  uint32_t restart_count() const { return restart_count_; }
  uint32_t restart(uint32_t index) const;  // its offset; index < restart_count()

  Block(size_t size, uint32_t entries_limit, uint32_t restart_count)
      : BlockContent(size), entries_limit_(entries_limit), restart_count_(restart_count) {}

 private:
  const uint32_t entries_limit_;
  const uint32_t restart_count_;
};

// The key under a BlockIterator: an uncompressed one is a view into the block, a compressed one is
// put together here; in place up to 120 bytes of user key, so that a lookup need not allocate.
class BlockKeyBuffer {
 public:
  BlockKeyBuffer() = default;
  BlockKeyBuffer(const BlockKeyBuffer&) = delete;
  BlockKeyBuffer& operator=(const BlockKeyBuffer&) = delete;

  absl::string_view view() const { return view_; }
  void Refer(absl::string_view whole) { view_ = whole; }
  // The first `shared` bytes (at most view().size()) of the present key, then `rest`.
  void Extend(size_t shared, absl::string_view rest);
  void Clear() { view_ = absl::string_view(); }

 private:
  absl::string_view view_;
  char inline_[128];
  std::unique_ptr<char[]> heap_;
  size_t heap_size_ = 0;
};

// Needs `block` to live as long as it is used, or to be replaced by Reset(). Values are views into
// the block, so they outlive the iterator's moves; keys do not.
class BlockIterator final : public InternalIterator {
 public:
  BlockIterator() = default;
  explicit BlockIterator(const Block* block) { Reset(block); }

  // To another block (or none), at no entry, without error.
  void Reset(const Block* block);

  bool Valid() const override { return valid_; }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void Next() override;
  void Prev() override;
  absl::string_view key() const override { return key_.view(); }
  absl::string_view value() const override { return value_; }
  absl::Status status() const override { return status_; }
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override;
  // Offset of the present entry in the block; needs Valid().
  uint32_t offset() const { return offset_; }

 private:
  bool DecodeEntryAt(uint32_t offset);                            // false at the end or on error
  bool DecodeRestartKey(uint32_t index, absl::string_view& key);  // false on error
  void SeekToRestart(uint32_t index);                             // decodes the entry there
  void Fail(uint32_t offset, absl::string_view what);

  const Block* block_ = nullptr;
  uint32_t offset_ = 0;       // of the present entry
  uint32_t next_offset_ = 0;  // of the one after it
  bool valid_ = false;
  BlockKeyBuffer key_;
  absl::string_view value_;
  absl::Status status_;
  // Compressed keys of runs: two halves, for the first key of a run may stand in that of the last.
  static constexpr size_t kRunKeysSize = 4096;
  std::unique_ptr<char[]> run_keys_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_H_
