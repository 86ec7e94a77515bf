// tests/wal/log_image.h: logs as bytes, made and read back, for tests that damage them.
#ifndef FIRN_TESTS_WAL_LOG_IMAGE_H_
#define FIRN_TESTS_WAL_LOG_IMAGE_H_

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "io/memory_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/wal/scripted_file.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace firn {

inline constexpr char kImagePath[] = "image.wal";

inline LogHeader ImageHeader(uint64_t salt = 0x5a175a175a175a17) {
  LogHeader header;
  header.number = {34};
  header.salt = salt;
  header.previous = {.number = {33}, .end = {.size = 8192, .last_sequence = {100}}};
  header.manifest = {.number = {12}, .synced_size = 20480};
  return header;
}

// A log in memory that grows record by record.
class LogImage {
 public:
  explicit LogImage(size_t size, LogHeader header = ImageHeader())
      : header_(header), sequence_(header.previous.end.last_sequence) {
    auto file = std::make_unique<ScriptedFile>(script_, size);
    std::vector<uint8_t> block(kLogBlockSize);
    EncodeLogHeader(header_, absl::MakeSpan(block));
    FIRN_CHECK(file->Write(0, {ByteSpan(block)}).ok());
    log_ =
        std::make_unique<LogWriter>(file_system_, std::move(file), header_, LogGrowth::kPrepared);
  }

  LogWriter& log() { return *log_; }
  FileScript& script() { return script_; }
  std::string Bytes() { return script_.Content(); }

  // Appends a record with the next sequence number.
  Place Add(absl::string_view payload, LogSync sync = LogSync::kSynced) {
    const Place place = Reserve(payload.size());
    FIRN_CHECK(log_->Flush(place, {AsBytes(payload)}, sync).ok());
    return place;
  }
  // The same through the page cache; no flush may be running.
  Place AddCached(absl::string_view payload) {
    ++sequence_.value;
    return **log_->AppendCached(payload.size(), {AsBytes(payload)},
                                {.first = sequence_, .last = sequence_});
  }
  Place Reserve(size_t size) {
    ++sequence_.value;
    return log_->Reserve(size, {.first = sequence_, .last = sequence_}).value();
  }
  LogEnd Close() { return log_->Close(sequence_).value(); }

 private:
  MemoryFileSystem file_system_;
  FileScript script_;
  const LogHeader header_;
  SequenceNumber sequence_;
  std::unique_ptr<LogWriter> log_;
};

// What a reader makes of some bytes.
struct ReadResult {
  absl::Status status;
  std::vector<std::string> payloads;
  LogEnding ending = LogEnding::kTorn;
  LogEnd end;
};

inline ReadResult ReadLog(FileSystem& file_system, absl::string_view path,
                          const LogReaderOptions& options = {}) {
  ReadResult result;
  auto reader = LogReader::Open(file_system, path, options);
  if (!reader.ok()) {
    result.status = reader.status();
    return result;
  }
  while (true) {
    auto record = (*reader)->Next();
    if (!record.ok()) {
      result.status = record.status();
      EXPECT_EQ((*reader)->Next().status(), result.status) << "damage is reported again";
      return result;
    }
    if (!record->has_value()) break;
    result.payloads.emplace_back(AsText((*record)->payload));
  }
  EXPECT_THAT((*reader)->Next(), IsOk());
  result.ending = (*reader)->ending();
  result.end = (*reader)->end();
  return result;
}

inline ReadResult ReadImage(absl::string_view bytes, const LogReaderOptions& options = {}) {
  MemoryFileSystem file_system({.track_unsynced = false});
  auto file = file_system.Create(kImagePath);
  FIRN_CHECK(file.ok());
  FIRN_CHECK((*file)->Write(0, {AsBytes(bytes)}).ok());
  return ReadLog(file_system, kImagePath, options);
}

}  // namespace firn

#endif  // FIRN_TESTS_WAL_LOG_IMAGE_H_
