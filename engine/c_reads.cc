// The C API of reading: values, many values, iterators, snapshots.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/c_handles.h"
#include "firn/c.h"
#include "firn/prefix_range.h"

namespace firn {
namespace {

Snapshot SnapshotOrNow(const firn_snapshot* snapshot) {
  return snapshot == nullptr ? Snapshot() : snapshot->snapshot;
}

absl::StatusOr<PinnedValue> Look(const firn_keyspace* keyspace, firn_bytes key,
                                 const firn_snapshot* snapshot) {
  FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
  FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
  return keyspace->keyspace.Get(key_view, SnapshotOrNow(snapshot));
}

// A move that C asked for; whether it ended on an entry. What a move throws becomes the iterator's error.
template <typename Move>
int MoveTo(firn_iterator* iterator, Move move) noexcept {
  if (iterator == nullptr) return 0;
  try {
    iterator->failed = absl::OkStatus();
    move(*iterator);
    return iterator->failed.ok() && iterator->iterator->Valid() ? 1 : 0;
  } catch (...) {
    iterator->failed = absl::Status(absl::StatusCode::kResourceExhausted, {});
    return 0;
  }
}

int SeekTo(firn_iterator* iterator, firn_bytes target,
           void (Iterator::*seek)(absl::string_view)) noexcept {
  return MoveTo(iterator, [&](firn_iterator& walk) {
    const absl::StatusOr<absl::string_view> key = FromC(target, "target");
    walk.failed = key.status();
    if (key.ok()) (walk.iterator.get()->*seek)(*key);
  });
}

}  // namespace

absl::StatusOr<IteratorOptions> BoundsFromC(firn_bytes begin, const firn_bytes* limit) {
  IteratorOptions options;
  FIRN_ASSIGN_OR_RETURN(const absl::string_view from, FromC(begin, "begin"));
  options.begin = std::string(from);
  if (limit != nullptr) {
    FIRN_ASSIGN_OR_RETURN(const absl::string_view to, FromC(*limit, "limit"));
    options.limit = std::string(to);
  }
  return options;
}

absl::Status ReturnValue(const std::shared_ptr<Database>& database,
                         absl::StatusOr<PinnedValue> found, firn_value** value) {
  FIRN_RETURN_IF_ERROR(found.status());
  *value = new firn_value{database, *std::move(found)};
  return absl::OkStatus();
}

void ReturnValues(const std::shared_ptr<Database>& database,
                  std::vector<absl::StatusOr<PinnedValue>> found, firn_values** values) {
  auto results = std::make_unique<firn_values>();
  results->database = database;
  results->results.reserve(found.size());
  for (absl::StatusOr<PinnedValue>& one : found) {
    firn_values::Result& result = results->results.emplace_back();
    firn_error* error = nullptr;
    result.code = ReturnToC(one.status(), &error);
    result.error.reset(error);
    if (one.ok()) result.value = *std::move(one);
  }
  *values = results.release();
}

}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::ToC;

firn_code firn_keyspace_get(const firn_keyspace* keyspace, firn_bytes key,
                            const firn_snapshot* snapshot, firn_value** value, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(value, "value"));
    *value = nullptr;
    absl::StatusOr<firn::PinnedValue> found = firn::Look(keyspace, key, snapshot);
    FIRN_RETURN_IF_ERROR(found.status());
    return firn::ReturnValue(keyspace->database, std::move(found), value);
  });
}

firn_bytes firn_value_bytes(const firn_value* value) {
  return value == nullptr ? firn_bytes{nullptr, 0} : ToC(value->value.view());
}
void firn_value_free(firn_value* value) { delete value; }

firn_code firn_keyspace_get_copy(const firn_keyspace* keyspace, firn_bytes key,
                                 const firn_snapshot* snapshot, void** copy, size_t* size,
                                 firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(copy, "copy"));
    *copy = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(size, "size"));
    *size = 0;
    FIRN_ASSIGN_OR_RETURN(const firn::PinnedValue found, firn::Look(keyspace, key, snapshot));
    *copy = firn::CopyForC(found.view());
    *size = found.view().size();
    return absl::OkStatus();
  });
}

firn_code firn_keyspace_multi_get(const firn_keyspace* keyspace, const firn_bytes* keys,
                                  size_t key_count, const firn_snapshot* snapshot,
                                  firn_values** values, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(values, "values"));
    *values = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const std::vector<absl::string_view> views,
                          FromC(keys, key_count, "keys"));
    firn::ReturnValues(keyspace->database,
                       keyspace->keyspace.MultiGet(views, firn::SnapshotOrNow(snapshot)), values);
    return absl::OkStatus();
  });
}

size_t firn_values_size(const firn_values* values) {
  return values == nullptr ? 0 : values->results.size();
}
firn_code firn_values_code(const firn_values* values, size_t index) {
  return index < firn_values_size(values) ? values->results[index].code : FIRN_INVALID_ARGUMENT;
}
firn_bytes firn_values_at(const firn_values* values, size_t index) {
  if (firn_values_code(values, index) != FIRN_OK) return {nullptr, 0};
  return ToC(values->results[index].value.view());
}
const firn_error* firn_values_error(const firn_values* values, size_t index) {
  return index < firn_values_size(values) ? values->results[index].error.get() : nullptr;
}
void firn_values_free(firn_values* values) { delete values; }

firn_code firn_snapshot_take(firn_database* database, firn_snapshot** snapshot,
                             firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(snapshot, "snapshot"));
    *snapshot = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    *snapshot = new firn_snapshot{database->database, database->database->TakeSnapshot()};
    return absl::OkStatus();
  });
}
uint64_t firn_snapshot_sequence(const firn_snapshot* snapshot) {
  return snapshot == nullptr ? 0 : snapshot->snapshot.sequence();
}
void firn_snapshot_free(firn_snapshot* snapshot) { delete snapshot; }

firn_code firn_iterator_new(const firn_keyspace* keyspace, firn_bytes begin,
                            const firn_bytes* limit, const firn_snapshot* snapshot,
                            firn_iterator** iterator, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(iterator, "iterator"));
    *iterator = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(firn::IteratorOptions options, firn::BoundsFromC(begin, limit));
    options.snapshot = firn::SnapshotOrNow(snapshot);
    *iterator = new firn_iterator{keyspace->database, keyspace->keyspace.NewIterator(options)};
    return absl::OkStatus();
  });
}

firn_code firn_iterator_new_prefix(const firn_keyspace* keyspace, firn_bytes prefix,
                                   const firn_snapshot* snapshot, firn_iterator** iterator,
                                   firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(iterator, "iterator"));
    *iterator = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view begins_with, FromC(prefix, "prefix"));
    firn::IteratorOptions options = firn::PrefixRange(begins_with);
    options.snapshot = firn::SnapshotOrNow(snapshot);
    *iterator = new firn_iterator{keyspace->database, keyspace->keyspace.NewIterator(options)};
    return absl::OkStatus();
  });
}

int firn_iterator_seek_to_first(firn_iterator* iterator) {
  return firn::MoveTo(iterator, [](firn_iterator& walk) { walk.iterator->SeekToFirst(); });
}
int firn_iterator_seek_to_last(firn_iterator* iterator) {
  return firn::MoveTo(iterator, [](firn_iterator& walk) { walk.iterator->SeekToLast(); });
}
int firn_iterator_seek(firn_iterator* iterator, firn_bytes target) {
  return firn::SeekTo(iterator, target, &firn::Iterator::Seek);
}
int firn_iterator_seek_for_prev(firn_iterator* iterator, firn_bytes target) {
  return firn::SeekTo(iterator, target, &firn::Iterator::SeekForPrev);
}
int firn_iterator_next(firn_iterator* iterator) {
  return firn::MoveTo(iterator, [](firn_iterator& walk) {
    if (walk.iterator->Valid()) walk.iterator->Next();
  });
}
int firn_iterator_prev(firn_iterator* iterator) {
  return firn::MoveTo(iterator, [](firn_iterator& walk) {
    if (walk.iterator->Valid()) walk.iterator->Prev();
  });
}
int firn_iterator_valid(const firn_iterator* iterator) {
  if (iterator == nullptr || !iterator->failed.ok()) return 0;
  try {
    return iterator->iterator->Valid() ? 1 : 0;
  } catch (...) {  // an iterator of a transaction that has ended says so with a message
    return 0;
  }
}
firn_bytes firn_iterator_key(const firn_iterator* iterator) {
  if (firn_iterator_valid(iterator) == 0) return {nullptr, 0};
  return ToC(iterator->iterator->key());
}
firn_bytes firn_iterator_value(const firn_iterator* iterator) {
  if (firn_iterator_valid(iterator) == 0) return {nullptr, 0};
  return ToC(iterator->iterator->value());
}
firn_code firn_iterator_status(const firn_iterator* iterator, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(iterator, "iterator"));
    FIRN_RETURN_IF_ERROR(iterator->failed);
    return iterator->iterator->status();
  });
}
void firn_iterator_free(firn_iterator* iterator) { delete iterator; }
