// bench/peer_naive.cc: the baseline of "improvement over what": storage as it is written first. One file
// of length-prefixed records, one write call a record, each read from the file again (no cache), and an
// opening that reads all of it to find where the newest version of each key stands.
//
//   record   key size (4 bytes, native order), value size (4 bytes), key, value
//
// A torn record at the end is cut off by the next opening. Nothing is ever merged or removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status.h"
#include "bench/engines.h"

namespace firn::bench {
namespace {

absl::Status Failed(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("naive: ", what, ": ", std::strerror(errno)));
}

struct Header {
  uint32_t key_size = 0;
  uint32_t value_size = 0;
};

struct Place {
  uint64_t offset = 0;  // of the value
  uint32_t size = 0;
};

class RecordFile {
 public:
  explicit RecordFile(int file) : file_(file) {}
  ~RecordFile() { ::close(file_); }
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  absl::Status Load() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    struct stat facts;
    if (::fstat(file_, &facts) != 0) return Failed("fstat");
    const auto size = static_cast<uint64_t>(facts.st_size);
    std::string key;
    while (end_ + sizeof(Header) <= size) {
      Header header;
      FIRN_RETURN_IF_ERROR(ReadAt(end_, reinterpret_cast<char*>(&header), sizeof header));
      const uint64_t value_at = end_ + sizeof header + header.key_size;
      if (value_at + header.value_size > size) break;
      key.resize(header.key_size);
      FIRN_RETURN_IF_ERROR(ReadAt(end_ + sizeof header, key.data(), key.size()));
      places_[key] = {value_at, header.value_size};
      end_ = value_at + header.value_size;
    }
    return ::ftruncate(file_, static_cast<off_t>(end_)) == 0 ? absl::OkStatus() : Failed("truncate");
  }

  absl::Status Append(absl::string_view key, absl::string_view value) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    const Header header{static_cast<uint32_t>(key.size()), static_cast<uint32_t>(value.size())};
    record_.assign(reinterpret_cast<const char*>(&header), sizeof header);
    record_.append(key.data(), key.size());
    record_.append(value.data(), value.size());
    const ssize_t written =
        ::pwrite(file_, record_.data(), record_.size(), static_cast<off_t>(end_));
    if (written != static_cast<ssize_t>(record_.size())) return Failed("write");
    places_[std::string(key)] = {end_ + sizeof header + key.size(), header.value_size};
    end_ += record_.size();
    return absl::OkStatus();
  }

  absl::Status Sync() { return ::fdatasync(file_) == 0 ? absl::OkStatus() : Failed("fdatasync"); }

  absl::Status Get(absl::string_view key, ReadResult& result) ABSL_LOCKS_EXCLUDED(mutex_) {
    Place place;
    {
      MutexLock lock(mutex_);
      const auto found = places_.find(std::string(key));
      result.found = found != places_.end();
      if (!result.found) return absl::OkStatus();
      place = found->second;
    }
    result.value.resize(place.size);
    return ReadAt(place.offset, result.value.data(), place.size);
  }

  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max, Visitor visit)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    uint64_t records = 0;
    std::string value;
    for (auto row = places_.lower_bound(std::string(begin));
         row != places_.end() && records < records_max; ++row, ++records) {
      value.resize(row->second.size);
      FIRN_RETURN_IF_ERROR(ReadAt(row->second.offset, value.data(), value.size()));
      visit(row->first, value);
    }
    return records;
  }

 private:
  absl::Status ReadAt(uint64_t offset, char* target, size_t size) const {
    if (::pread(file_, target, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size)) {
      return absl::OkStatus();
    }
    return Failed("read");
  }

  const int file_;
  Mutex mutex_;
  std::map<std::string, Place> places_ ABSL_GUARDED_BY(mutex_);
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string record_ ABSL_GUARDED_BY(mutex_);
};

class NaiveSession final : public Session {
 public:
  explicit NaiveSession(RecordFile& file) : file_(file) {}

  void Put(absl::string_view key, absl::string_view value) override {
    batch_.emplace_back(key, value);
  }
  // Not as one: that is what comes later in the life of such a storage.
  absl::Status Commit(bench::Sync sync) override {
    for (const auto& [key, value] : batch_) FIRN_RETURN_IF_ERROR(file_.Append(key, value));
    batch_.clear();
    return sync == bench::Sync::kSynced ? file_.Sync() : absl::OkStatus();
  }
  absl::Status Get(absl::string_view key, ReadResult& result) override {
    return file_.Get(key, result);
  }
  absl::Status MultiGet(absl::Span<const absl::string_view> keys,
                        absl::Span<ReadResult> results) override {
    for (size_t i = 0; i < keys.size(); ++i) {
      FIRN_RETURN_IF_ERROR(file_.Get(keys[i], results[i]));
    }
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> Scan(absl::string_view begin, uint64_t records_max,
                                Visitor visit) override {
    return file_.Scan(begin, records_max, visit);
  }

 private:
  RecordFile& file_;
  std::vector<std::pair<std::string, std::string>> batch_;
};

class NaivePeer final : public Peer {
 public:
  explicit NaivePeer(std::unique_ptr<RecordFile> file) : file_(std::move(file)) {}
  absl::StatusOr<std::unique_ptr<Session>> NewSession() override {
    return std::make_unique<NaiveSession>(*file_);
  }
  absl::Status Settle() override { return file_->Sync(); }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  const std::unique_ptr<RecordFile> file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Peer>> OpenNaive(const PeerOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.path, failed);
  if (failed) return absl::UnavailableError(absl::StrCat("naive: ", failed.message()));
  const std::string path = absl::StrCat(options.path, "/records");
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return Failed(path);
  auto records = std::make_unique<RecordFile>(file);
  FIRN_RETURN_IF_ERROR(records->Load());
  return std::make_unique<NaivePeer>(std::move(records));
}

}  // namespace firn::bench
