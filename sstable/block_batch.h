// sstable/block_batch.h: the blocks that a lookup of many keys needs from disk, of any number of
// segments, read in one submission: the disk's queue is as deep as there are keys.
//
//     for each key: for each segment, newest first: if (reader.AddMissing(key, ..., batch)) break;
//     batch.Read();
//     lookup.fetched = &batch;    // SegmentReader::GetMany() takes from it what it would read
//
// A block that could not be read or is damaged is not here: whoever needs it reads it again, and
// reports what is wrong.
#ifndef FIRN_SSTABLE_BLOCK_BATCH_H_
#define FIRN_SSTABLE_BLOCK_BATCH_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "sstable/block_content.h"

namespace firn {

class SegmentReader;

// One thread at a time. Must not outlive the readers that were added.
class BlockBatch {
 public:
  // `ordinal`: the block's number in its segment. The same block any number of times. Before Read().
  void Add(const SegmentReader& reader, size_t ordinal) { items_.push_back({&reader, ordinal, {}}); }
  bool empty() const { return items_.empty(); }
  // Once.
  void Read();
  // Null if it is not here.
  std::shared_ptr<const BlockContent> Find(const SegmentReader& reader, size_t ordinal) const;

 private:
  struct Item {
    const SegmentReader* reader;
    size_t ordinal;
    std::shared_ptr<const BlockContent> content;
  };
  static bool IsBefore(const Item& a, const Item& b);

  std::vector<Item> items_;  // sorted, each once, after Read()
};

}  // namespace firn

#endif  // FIRN_SSTABLE_BLOCK_BATCH_H_
