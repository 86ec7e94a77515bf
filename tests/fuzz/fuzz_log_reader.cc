// Any bytes are a log or a Status: no crash, no hang, no memory beyond the reader's bounds. The first
// byte says how much is repaired before reading, so that the fuzzer gets behind the checksums.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "io/memory_file_system.h"
#include "wal/log_reader.h"

namespace {

using firn::kLogBlockSize;
using firn::kRecordHeaderSize;

constexpr char kPath[] = "fuzz.wal";
constexpr uint8_t kWithHeader = 1;   // a good file header goes before the input
constexpr uint8_t kWithRecords = 2;  // checksums and log numbers of records are made right
constexpr uint8_t kWithEnd = 4;      // the next log is said to end where the file does

firn::LogHeader GoodHeader() {
  firn::LogHeader header;
  header.number = {7};
  header.salt = 1;
  return header;
}

// Walks as the reader would, and makes what stands where a record may begin a right one.
void Repair(std::vector<uint8_t>& file) {
  const firn::LogHeader header = GoodHeader();
  uint64_t offset = kLogBlockSize;
  while (file.size() - offset >= kRecordHeaderSize) {
    uint8_t* const record = file.data() + offset;
    const uint32_t seed = firn::RecordSeed(header, offset);
    const uint64_t length = firn::LoadFixed32(record + 8);
    firn::StoreFixed64(record + 16, header.number.value);
    const uint64_t left = file.size() - offset - kRecordHeaderSize;
    const firn::ByteSpan payload(record + kRecordHeaderSize,
                                 static_cast<size_t>(std::min(length, left)));
    firn::StoreFixed32(record + 4, firn::Crc32c(payload, seed));
    firn::StoreFixed32(record,
                       firn::Crc32c(firn::ByteSpan(record + 4, kRecordHeaderSize - 4), seed));
    if (length > left) return;
    const uint64_t limit = offset + firn::RecordSize(length);
    const uint64_t next_block = firn::RoundUpToBlock(limit);
    if (next_block > file.size()) return;
    // The input says where the next record begins: right there, or at the next block.
    offset = limit;
    if (file.size() - next_block < kRecordHeaderSize || file[next_block + 14] == 0) continue;
    std::fill(file.begin() + static_cast<ptrdiff_t>(limit),
              file.begin() + static_cast<ptrdiff_t>(next_block), uint8_t{0});
    firn::StoreFixed16(file.data() + next_block + 14, static_cast<uint16_t>(next_block - limit));
    offset = next_block;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t how = data[0];
  std::vector<uint8_t> file;
  if ((how & kWithHeader) != 0) {
    file.resize(kLogBlockSize);
    firn::EncodeLogHeader(GoodHeader(), absl::MakeSpan(file));
  }
  file.insert(file.end(), data + 1, data + size);
  // Short inputs fill blocks, else few of them would hold a record.
  file.resize((file.size() + kLogBlockSize - 1) / kLogBlockSize * kLogBlockSize);
  if ((how & kWithHeader) != 0 && (how & kWithRecords) != 0) Repair(file);

  firn::MemoryFileSystem file_system({.track_unsynced = false});
  auto writer = file_system.Create(kPath);
  FIRN_CHECK(writer.ok());
  FIRN_CHECK((*writer)->Write(0, {firn::ByteSpan(file)}).ok());
  firn::LogReaderOptions options;
  if ((how & kWithEnd) != 0) {
    options.final_end = firn::LogEnd{.size = file.size(), .last_sequence = {1000}};
  }
  auto reader = firn::LogReader::Open(file_system, kPath, options);
  if (!reader.ok()) return 0;
  uint64_t limit = kLogBlockSize;
  uint64_t last = (*reader)->header().previous.end.last_sequence.value;
  while (true) {
    auto record = (*reader)->Next();
    if (!record.ok()) return 0;
    if (!record->has_value()) break;
    FIRN_CHECK((*record)->offset == limit || (*record)->offset == firn::RoundUpToBlock(limit));
    FIRN_CHECK((*record)->limit <= file.size());
    FIRN_CHECK((*record)->payload.size() <= firn::kMaxPayloadSize);
    if ((*record)->sequences.last.value != 0) {
      FIRN_CHECK((*record)->sequences.first.value > last);
      last = (*record)->sequences.last.value;
    }
    limit = (*record)->limit;
  }
  FIRN_CHECK((*reader)->end().size <= file.size());
  return 0;
}
