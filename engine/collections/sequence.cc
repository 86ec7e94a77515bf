#include "firn/sequence.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/status.h"
#include "firn/composite_key.h"

namespace firn {
namespace {

constexpr size_t kNameSizeMax = 1024;
constexpr uint64_t kBlockMax = 1'000'000;

absl::Status CheckName(absl::string_view name) {
  if (name.empty() || name.size() > kNameSizeMax) {
    return InvalidArgument(absl::StrCat("a sequence's name of ", name.size(),
                                        " bytes; 1 to ", kNameSizeMax));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> DecodeLast(absl::string_view name, absl::string_view stored) {
  const std::optional<uint64_t> last = DecodeUint64(stored);
  if (last.has_value()) return *last;
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kCorruption,
                   absl::StrCat("sequence \"", name, "\": ", stored.size(),
                                " bytes are stored, expected 8; ResetSequence() sets it anew"));
}

struct Taken {
  uint64_t last = 0;   // before them
  uint64_t count = 0;  // of them
};

// Takes `count` numbers, or as many as there are left.
absl::StatusOr<Taken> Take(Transaction& transaction, const Keyspace& keyspace,
                           absl::string_view name, uint64_t count) {
  Taken taken;
  const absl::StatusOr<PinnedValue> stored = transaction.Get(keyspace, name);
  if (stored.ok()) {
    FIRN_ASSIGN_OR_RETURN(taken.last, DecodeLast(name, stored->view()));
  } else if (!absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  taken.count = std::min(count, std::numeric_limits<uint64_t>::max() - taken.last);
  if (taken.count == 0) {
    return MakeError(absl::StatusCode::kOutOfRange, ErrorReason::kOverflow,
                     absl::StrCat("sequence \"", name, "\" is used up: ", taken.last,
                                  " was reserved"));
  }
  FIRN_RETURN_IF_ERROR(transaction.Put(keyspace, name, EncodeUint64(taken.last + taken.count)));
  return taken;
}

}  // namespace

class SequenceImpl {
 public:
  SequenceImpl(Database& database, const Keyspace& keyspace, absl::string_view name,
               const SequenceOptions& options)
      : database_(database), keyspace_(keyspace), name_(name), options_(options) {}

  const std::string& name() const { return name_; }

  absl::StatusOr<uint64_t> Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      // One reservation at a time: the others would only lose against it.
      MutexLock lock(mutex_);
      while (reserving_) reservation_ended_.Wait(mutex_);
      if (given_ < reserved_) return ++given_;
      reserving_ = true;
    }
    const absl::StatusOr<Taken> taken = Reserve();
    {
      MutexLock lock(mutex_);
      reserving_ = false;
      if (taken.ok()) {
        given_ = taken->last + 1;
        reserved_ = taken->last + taken->count;
      }
    }
    reservation_ended_.NotifyAll();
    if (!taken.ok()) return taken.status();
    return taken->last + 1;
  }

 private:
  absl::StatusOr<Taken> Reserve() {
    Taken taken;
    RunOptions run;
    run.durability = options_.durability;
    run.attempts_max = 10'000;
    FIRN_RETURN_IF_ERROR(database_.RunInTransaction(
        [&](Transaction& transaction) -> absl::Status {
          FIRN_ASSIGN_OR_RETURN(taken, Take(transaction, keyspace_, name_, options_.block));
          return absl::OkStatus();
        },
        run));
    return taken;
  }

  Database& database_;
  const Keyspace keyspace_;
  const std::string name_;
  const SequenceOptions options_;

  Mutex mutex_;
  CondVar reservation_ended_;
  bool reserving_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t given_ ABSL_GUARDED_BY(mutex_) = 0;     // last
  uint64_t reserved_ ABSL_GUARDED_BY(mutex_) = 0;  // last
};

absl::StatusOr<std::unique_ptr<Sequence>> Sequence::Open(Database& database,
                                                         const Keyspace& keyspace,
                                                         absl::string_view name,
                                                         const SequenceOptions& options) {
  FIRN_RETURN_IF_ERROR(CheckName(name));
  if (options.block < 1 || options.block > kBlockMax) {
    return InvalidOption("block", absl::StrCat(options.block, " is not in [1, ", kBlockMax, "]"));
  }
  if (options.durability == Durability::kVolatile) {
    return InvalidOption("durability", "a sequence is kSynced or kBuffered");
  }
  const absl::StatusOr<PinnedValue> stored = keyspace.Get(name);
  if (stored.ok()) {
    FIRN_RETURN_IF_ERROR(DecodeLast(name, stored->view()).status());
  } else if (!absl::IsNotFound(stored.status())) {
    return stored.status();
  }
  return std::make_unique<Sequence>(
      std::make_unique<SequenceImpl>(database, keyspace, name, options));
}

Sequence::Sequence(std::unique_ptr<SequenceImpl> impl) : impl_(std::move(impl)) {}
Sequence::~Sequence() = default;
absl::StatusOr<uint64_t> Sequence::Next() { return impl_->Next(); }
const std::string& Sequence::name() const { return impl_->name(); }

absl::StatusOr<uint64_t> NextInTransaction(Transaction& transaction, const Keyspace& keyspace,
                                           absl::string_view name) {
  FIRN_RETURN_IF_ERROR(CheckName(name));
  FIRN_ASSIGN_OR_RETURN(const Taken taken, Take(transaction, keyspace, name, 1));
  return taken.last + 1;
}

absl::StatusOr<std::vector<SequenceState>> ListSequences(const Keyspace& keyspace) {
  std::vector<SequenceState> states;
  const std::unique_ptr<Iterator> iterator = keyspace.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    FIRN_ASSIGN_OR_RETURN(const uint64_t last, DecodeLast(iterator->key(), iterator->value()));
    states.push_back({std::string(iterator->key()), last});
  }
  FIRN_RETURN_IF_ERROR(iterator->status());
  return states;
}

absl::Status ResetSequence(Database& database, const Keyspace& keyspace, absl::string_view name,
                           uint64_t last) {
  FIRN_RETURN_IF_ERROR(CheckName(name));
  WriteBatch batch;
  batch.Put(keyspace, name, EncodeUint64(last));
  return database.Write(batch, Durability::kSynced);
}

}  // namespace firn
