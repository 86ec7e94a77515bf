// Any bytes as what a sequence segment is made of: block, index. The first byte chooses. A value or a
// Status, and a value can be used.
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "sstable/sequence_block.h"
#include "sstable/sequence_index.h"

namespace firn {
namespace {

void FuzzBlock(ByteSpan bytes) {
  BlockMemory owned = NewBlockMemory(bytes.size());
  if (!bytes.empty()) std::memcpy(owned.get(), bytes.data(), bytes.size());
  const auto block = SequenceBlock::Create(std::move(owned), bytes.size());
  if (!block.ok()) return;
  const SequenceRecords records = (*block)->records();
  const auto* const begin = reinterpret_cast<const char*>((*block)->bytes().data());
  SequenceBlockBuilder builder;
  uint64_t values = 0;
  for (uint32_t i = 0; i < records.count(); ++i) {
    const absl::string_view value = records.ValueAt(i);
    FIRN_CHECK(value.data() == begin + values);
    values += value.size();
    FIRN_CHECK(values <= (*block)->bytes().size());
    FIRN_CHECK(i == 0 || records.KeyAt(i) > records.KeyAt(i - 1));
    FIRN_CHECK(records.SequenceAt(i) <= kMaxSequenceNumber);
    FIRN_CHECK(records.LowerBound(records.KeyAt(i)) == i);
    builder.Add(records.KeyAt(i), records.SequenceAt(i), value);
  }
  // Built anew it holds the same, in no more bytes.
  const ByteSpan again = builder.Finish();
  FIRN_CHECK(again.size() <= (*block)->bytes().size());
  const auto parsed = SequenceRecords::Parse(again);
  FIRN_CHECK(parsed.ok() && parsed->count() == records.count());
  for (uint32_t i = 0; i < records.count(); ++i) {
    FIRN_CHECK(parsed->KeyAt(i) == records.KeyAt(i));
    FIRN_CHECK(parsed->SequenceAt(i) == records.SequenceAt(i));
    FIRN_CHECK(parsed->ValueAt(i) == records.ValueAt(i));
  }
}

void FuzzIndex(ByteSpan bytes, uint64_t data_size) {
  const auto index = SequenceIndex::Parse(bytes, data_size);
  if (!index.ok()) return;
  SequenceIndexBuilder builder;
  for (size_t i = 0; i < index->size(); ++i) {
    const BlockHandle handle = index->handle(i);
    FIRN_CHECK(handle.limit() <= data_size);
    FIRN_CHECK(index->BlockOf(index->first_key(i)) == i);
    builder.Add(index->first_key(i), index->records(i), handle.size);
  }
  FIRN_CHECK(builder.Finish() == AsText(bytes));  // a good index has one encoding
}

}  // namespace
}  // namespace firn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace firn;  // NOLINT
  if (size < 3) return 0;
  const ByteSpan bytes(data + 3, size - 3);
  if (data[0] % 2 == 0) {
    FuzzBlock(bytes);
  } else {
    FuzzIndex(bytes, data[1] | uint64_t{data[2]} << 8);
  }
  return 0;
}
