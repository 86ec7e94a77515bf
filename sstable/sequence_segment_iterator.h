// sstable/sequence_segment_iterator.h: the iterator over a sequence segment.
//
// A step is a place further in the block, and a key is made, not read. Reading ahead: as long as
// blocks are wanted one after the other, each read asks for twice as many bytes as the one before, up to
// the option's bound. What was read is decompressed block by block, when its turn comes, into one
// buffer that stays in the processor's cache. Blocks that a scan passes that far are not kept in the
// block cache: the next reader of a place begins with a jump, and is.
#ifndef FIRN_SSTABLE_SEQUENCE_SEGMENT_ITERATOR_H_
#define FIRN_SSTABLE_SEQUENCE_SEGMENT_ITERATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sstable/internal_iterator.h"
#include "sstable/internal_key.h"
#include "sstable/sequence_key.h"
#include "sstable/sequence_segment_reader.h"

namespace firn {

class SequenceSegmentIterator final : public InternalIterator {
 public:
  SequenceSegmentIterator(std::shared_ptr<const SequenceSegmentReader> reader,
                          const SegmentReadOptions& options)
      : reader_(std::move(reader)), options_(options) {}

  bool Valid() const override { return row_ < records_.count(); }
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void Next() override;
  void Prev() override;
  absl::string_view key() const override { return absl::string_view(key_, sizeof(key_)); }
  absl::string_view value() const override { return records_.ValueAt(row_); }
  absl::Status status() const override { return status_; }
  size_t TakeRun(absl::Span<EntryView> run, absl::string_view limit) override;

 private:
  static constexpr size_t kNowhere = static_cast<size_t>(-1);

  // Memory that is kept from block to block.
  struct Buffer {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size = 0;

    uint8_t* Reserve(size_t wanted);
  };

  const SequenceIndex& index() const { return reader_->index_; }
  bool LoadBlock(size_t block);  // makes it the present one, at no row; false on error
  absl::Status FetchBlock(size_t block);
  absl::Status ReadAhead(size_t block);
  // A block of stored_, into raw_ or as it is.
  absl::Status Decode(size_t block);
  void Pin(std::shared_ptr<const SequenceBlock> block);
  void GoNowhere();
  void MoveTo(uint32_t row);
  void NextBlock();

  const std::shared_ptr<const SequenceSegmentReader> reader_;
  const SegmentReadOptions options_;
  // The present block: in pin_, raw_ or stored_.
  SequenceRecords records_;
  uint32_t row_ = 0;
  size_t block_ = kNowhere;
  char key_[kSequenceKeySize + kInternalKeySuffixSize] = {};
  char run_keys_[kRunMax][kSequenceKeySize + kInternalKeySuffixSize];  // of the last run
  std::shared_ptr<const SequenceBlock> pin_;
  Buffer raw_;
  // Blocks [stored_begin_, stored_limit_) as they are in the file.
  Buffer stored_;
  size_t stored_begin_ = 0;
  size_t stored_limit_ = 0;
  size_t window_ = 0;  // bytes of the last read; 0 after a jump
  absl::Status status_;
};

}  // namespace firn

#endif  // FIRN_SSTABLE_SEQUENCE_SEGMENT_ITERATOR_H_
