#include "engine/keyspace.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/segment_builder.h"
#include "engine/visible_iterator.h"
#include "sstable/sequence_key.h"

namespace firn {

KeyspaceImpl::KeyspaceImpl(ReadContext& context, KeyspaceId id, const KeyspaceState& state,
                           absl::string_view directory)
    : context_(context),
      id_(id),
      name_(state.name),
      options_(state.options),
      work_(WorkFor(SegmentLayoutOf(options_.layout))),
      rules_(RulesFor(options_)),
      size_limits_({options_.size_soft_limit, options_.size_limit}),
      bound_(state.bound),
      segments_(context.segments, directory),
      active_(Memtable::Create(options_.layout)),
      version_(std::make_shared<const Version>(active_, std::vector<ImmutableMemtable>{},
                                               state.levels, nullptr,
                                               segments_.ClaimReaders(state.levels->segment_count()))),
      present_(version_.get()),
      volatile_marked_(state.volatile_since.has_value()) {
  SetCompression({options_.compression, options_.compression_level});
  if (!rules_.ascending) return;
  ascending_.RaiseBound(state.bound);
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    for (const SegmentPtr& segment : state.levels->level(LevelIndex{level})) {
      const absl::string_view largest = LargestUserKey(*segment);
      if (largest.size() == kSequenceKeySize) ascending_.Raise(LoadSequenceKey(largest));
    }
  }
}

bool KeyspaceImpl::IsBelowBound(absl::string_view key) const {
  return bound() > 0 && key < BoundKey();
}

std::string KeyspaceImpl::BoundKey() const {
  const uint64_t present = bound();
  if (present == 0) return "";
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), present);
  return key;
}

std::shared_ptr<const Version> KeyspaceImpl::version() const {
  MutexLock lock(mutex_);
  return version_;
}

absl::Status KeyspaceImpl::Check() const {
  if (context_.closed.load(std::memory_order_acquire)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kClosed,
                     "the database is closed");
  }
  if (dropped()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kKeyspaceDropped,
                     absl::StrCat("the keyspace ", name_, " was dropped"));
  }
  return absl::OkStatus();
}

absl::Status KeyspaceImpl::CheckRead(const Snapshot& snapshot) const {
  FIRN_RETURN_IF_ERROR(Check());
  if (!context_.snapshots.Owns(snapshot)) {
    return InvalidArgument(absl::StrCat("keyspace ", name_, ": a snapshot of another database"));
  }
  return absl::OkStatus();
}

KeyspaceImpl::View KeyspaceImpl::ViewAt(const Snapshot& snapshot) const {
  View view;
  view.version = version();
  view.sequence = SequenceAt(snapshot);
  return view;
}

SequenceNumber KeyspaceImpl::SequenceAt(const Snapshot& snapshot) const {
  return snapshot.empty() ? SequenceNumber{context_.published.load(std::memory_order_acquire)}
                          : SequenceNumber{snapshot.sequence()};
}

std::shared_ptr<const Version> KeyspaceImpl::Exchange(std::shared_ptr<const Version> version) {
  present_.store(version.get());
  return std::exchange(version_, std::move(version));
}

void KeyspaceImpl::Retire(std::shared_ptr<const Version> version) {
  context_.epochs.Retire(std::move(version));
  context_.epochs.Collect();
}

absl::StatusOr<PinnedValue> KeyspaceImpl::Get(absl::string_view key, const Snapshot& snapshot) {
  FIRN_RETURN_IF_ERROR(CheckRead(snapshot));
  context_.counters.gets.Add(1);
  if (IsBelowBound(key)) return absl::NotFoundError("");
  {
    const Epochs::Guard guard(context_.epochs);
    const Version& version = *present_.load();
    auto cached = version.GetCached(key, SequenceAt(snapshot));
    if (cached.has_value()) return *std::move(cached);
  }
  const View view = ViewAt(snapshot);
  return view.version->Get(key, view.sequence, segments_);
}

std::vector<absl::StatusOr<PinnedValue>> KeyspaceImpl::MultiGet(
    absl::Span<const absl::string_view> keys, const Snapshot& snapshot) {
  const absl::Status status = CheckRead(snapshot);
  if (!status.ok()) return std::vector<absl::StatusOr<PinnedValue>>(keys.size(), status);
  context_.counters.gets.Add(keys.size());
  const View view = ViewAt(snapshot);
  std::vector<absl::StatusOr<PinnedValue>> results;
  results.reserve(keys.size());
  std::vector<absl::string_view> unread;
  std::vector<size_t> places;
  for (size_t begin = 0; begin < keys.size(); begin += Version::kManyMax) {
    const auto some = keys.subspan(begin, Version::kManyMax);
    SegmentLookup lookups[Version::kManyMax];
    for (size_t i = 0; i < some.size(); ++i) lookups[i].user_key = some[i];
    {
      const Epochs::Guard guard(context_.epochs);
      view.version->GetManyCached(absl::MakeSpan(lookups, some.size()), view.sequence);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      std::optional<FoundEntry>& found = lookups[i].found;
      if (IsBelowBound(some[i])) {
        results.emplace_back(absl::NotFoundError(""));
      } else if (found.has_value() && found->kind == EntryKind::kPut) {
        results.emplace_back(absl::in_place, found->value, std::move(found->pin));
      } else {
        if (lookups[i].needs_read) {
          places.push_back(results.size());
          unread.push_back(some[i]);
        }
        results.emplace_back(absl::NotFoundError(""));
      }
    }
  }
  if (unread.empty()) return results;
  auto read = view.version->MultiGet(unread, view.sequence, segments_);
  for (size_t i = 0; i < read.size(); ++i) results[places[i]] = std::move(read[i]);
  return results;
}

std::unique_ptr<Iterator> KeyspaceImpl::NewIterator(const IteratorOptions& options) {
  const absl::Status status = CheckRead(options.snapshot);
  if (!status.ok()) return NewEmptyIterator(status);
  const View view = ViewAt(options.snapshot);
  const std::string begin = std::max(options.begin, BoundKey());
  absl::StatusOr<std::unique_ptr<InternalIterator>> source =
      view.version->NewIterator(begin, options.limit, segments_);
  if (!source.ok()) return NewEmptyIterator(source.status());
  VisibleIteratorParts parts;
  parts.source = *std::move(source);
  parts.sequence = view.sequence;
  parts.begin = begin;
  parts.limit = options.limit;
  parts.snapshot = options.snapshot;
  parts.pins.push_back(view.version);
  // The source opens segments through segments_, also when the keyspace was dropped meanwhile.
  parts.pins.push_back(weak_from_this().lock());
  return NewVisibleIterator(std::move(parts));
}

absl::StatusOr<uint64_t> KeyspaceImpl::ApproximateSize(absl::string_view begin,
                                                       absl::string_view limit) {
  FIRN_RETURN_IF_ERROR(Check());
  UserKeyRange range;
  range.smallest = begin;
  if (!limit.empty()) range.largest = limit;
  return version()->levels()->ApproximateBytes(range);
}

KeyspaceStatistics KeyspaceImpl::statistics() const {
  const std::shared_ptr<const Version> pinned = version();
  const Levels& levels = *pinned->levels();
  KeyspaceStatistics statistics;
  statistics.name = name_;
  statistics.id = id_.value;
  statistics.memtable_bytes = pinned->memtable_bytes();
  statistics.bytes = size();
  statistics.size_limits = size_limits_.limits();
  statistics.above_soft_limit = size_limits_.limited() && size_limits_.above_soft();
  statistics.refused = size_limits_.refused();
  statistics.entries_estimate = levels.entry_count() + pinned->active()->entry_count();
  for (const ImmutableMemtable& immutable : pinned->immutables()) {
    statistics.entries_estimate += immutable.memtable->entry_count();
  }
  statistics.compression = compression();
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    statistics.levels.push_back(
        {levels.level(LevelIndex{level}).size(), levels.bytes(LevelIndex{level})});
    for (const SegmentPtr& segment : levels.level(LevelIndex{level})) {
      if (segment->raw_size == 0) continue;
      statistics.raw_bytes += segment->raw_size;
      statistics.stored_bytes += segment->size;
    }
  }
  return statistics;
}

uint64_t KeyspaceImpl::size() const {
  const std::shared_ptr<const Version> pinned = version();
  uint64_t bytes = pinned->active()->empty() ? 0 : pinned->active()->ApproximateMemory();
  for (const ImmutableMemtable& immutable : pinned->immutables()) {
    bytes += immutable.memtable->ApproximateMemory();
  }
  for (uint32_t level = 0; level < kLevelCount; ++level) {
    bytes += pinned->levels()->bytes(LevelIndex{level});
  }
  return bytes;
}

bool KeyspaceImpl::SwitchMemtable(SequenceNumber floor) {
  if (active_->empty()) return false;
  std::shared_ptr<Memtable> fresh = Memtable::Create(options_.layout, active_->entry_count());
  std::shared_ptr<const Version> old;
  {
    MutexLock lock(mutex_);
    std::vector<ImmutableMemtable> immutables;
    immutables.push_back({active_, floor});
    immutables.insert(immutables.end(), version_->immutables().begin(),
                      version_->immutables().end());
    old = Exchange(std::make_shared<const Version>(fresh, std::move(immutables), version_->levels(),
                                                   version_.get(),
                                                   segments_.ClaimReaders(
                                                       version_->levels()->segment_count())));
    active_ = std::move(fresh);
  }
  Retire(std::move(old));
  return true;
}

void KeyspaceImpl::Install(std::shared_ptr<const Levels> levels, SequenceNumber flushed) {
  std::shared_ptr<const Version> old;
  {
    MutexLock lock(mutex_);
    std::vector<ImmutableMemtable> immutables = version_->immutables();
    immutables.erase(std::remove_if(immutables.begin(), immutables.end(),
                                    [&](const ImmutableMemtable& immutable) {
                                      return immutable.floor <= flushed;
                                    }),
                     immutables.end());
    const size_t kept = segments_.ClaimReaders(levels->segment_count());
    old = Exchange(std::make_shared<const Version>(version_->active(), std::move(immutables),
                                                   std::move(levels), version_.get(), kept));
  }
  Retire(std::move(old));
}

void KeyspaceImpl::InstallNewer(std::shared_ptr<const Levels> levels, SequenceNumber floor) {
  std::shared_ptr<Memtable> fresh = Memtable::Create(options_.layout, active_->entry_count());
  std::shared_ptr<const Version> old;
  {
    MutexLock lock(mutex_);
    std::vector<ImmutableMemtable> immutables = version_->immutables();
    if (!active_->empty()) immutables.insert(immutables.begin(), {active_, floor});
    const size_t kept = segments_.ClaimReaders(levels->segment_count());
    old = Exchange(std::make_shared<const Version>(fresh, std::move(immutables), std::move(levels),
                                                   version_.get(), kept));
    active_ = std::move(fresh);
  }
  Retire(std::move(old));
}

KeyspaceImpl::VolatileWrite::VolatileWrite(KeyspaceImpl* keyspace) : keyspace_(keyspace) {
  if (keyspace_ == nullptr) return;
  MutexLock lock(keyspace_->mutex_);
  ++keyspace_->volatile_writes_;
}

KeyspaceImpl::VolatileWrite::~VolatileWrite() {
  if (keyspace_ == nullptr) return;
  MutexLock lock(keyspace_->mutex_);
  --keyspace_->volatile_writes_;
}

bool KeyspaceImpl::volatile_marked() const {
  MutexLock lock(mutex_);
  return volatile_marked_;
}

void KeyspaceImpl::SetVolatileMarked() {
  MutexLock lock(mutex_);
  volatile_marked_ = true;
}

void KeyspaceImpl::NoteVolatile(SequenceNumber last) {
  MutexLock lock(mutex_);
  volatile_last_ = std::max(volatile_last_, last);
}

bool KeyspaceImpl::TakeVolatileMark(SequenceNumber flushed) {
  MutexLock lock(mutex_);
  if (!volatile_marked_ || volatile_writes_ > 0 || volatile_last_ > flushed) return false;
  volatile_marked_ = false;
  return true;
}

// --- firn/keyspace.h

namespace {

absl::Status EmptyHandle() { return InvalidArgument("an empty keyspace handle"); }

}  // namespace

absl::StatusOr<PinnedValue> Keyspace::Get(absl::string_view key, const Snapshot& snapshot) const {
  if (empty()) return EmptyHandle();
  return impl_->Get(key, snapshot);
}

std::vector<absl::StatusOr<PinnedValue>> Keyspace::MultiGet(
    absl::Span<const absl::string_view> keys, const Snapshot& snapshot) const {
  if (empty()) return std::vector<absl::StatusOr<PinnedValue>>(keys.size(), EmptyHandle());
  return impl_->MultiGet(keys, snapshot);
}

std::unique_ptr<Iterator> Keyspace::NewIterator(const IteratorOptions& options) const {
  if (empty()) return NewEmptyIterator(EmptyHandle());
  return impl_->NewIterator(options);
}

absl::StatusOr<uint64_t> Keyspace::ApproximateSize(absl::string_view begin,
                                                   absl::string_view limit) const {
  if (empty()) return EmptyHandle();
  return impl_->ApproximateSize(begin, limit);
}

const std::string& Keyspace::name() const {
  static const std::string* const none = new std::string;
  return empty() ? *none : impl_->name();
}

bool Keyspace::dropped() const { return !empty() && impl_->dropped(); }

uint32_t Keyspace::id() const { return empty() ? 0 : impl_->id().value; }

const KeyspaceOptions& Keyspace::options() const {
  static const KeyspaceOptions none;
  return empty() ? none : impl_->options();
}

}  // namespace firn
