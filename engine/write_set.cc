#include "engine/write_set.h"

#include <utility>

#include "base/check.h"

namespace firn {

void WriteSet::Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value) {
  Set(keyspace, key, std::make_shared<const std::string>(value));
}

void WriteSet::Remove(const Keyspace& keyspace, absl::string_view key) {
  Set(keyspace, key, nullptr);
}

void WriteSet::Set(const Keyspace& keyspace, absl::string_view key, Value value) {
  OfKeyspace& where = keyspaces_[keyspace.id()];
  if (where.keyspace.empty()) where.keyspace = keyspace;
  bytes_ += SizeOf(value);
  auto position = where.keys.lower_bound(key);
  const bool was_there = position != where.keys.end() && absl::string_view(position->first) == key;
  if (!was_there) {
    position = where.keys.emplace_hint(position, std::string(key), nullptr);
    ++key_count_;
    bytes_ += key.size();
  }
  if (logging_) {
    undo_.push_back({&where, position, was_there, std::move(position->second)});
  } else if (was_there) {
    bytes_ -= SizeOf(position->second);
  }
  position->second = std::move(value);
}

const WriteSet::Keys* WriteSet::KeysOf(const Keyspace& keyspace) const {
  const auto found = keyspaces_.find(keyspace.id());
  return found == keyspaces_.end() ? nullptr : &found->second.keys;
}

const WriteSet::Value* WriteSet::Find(const Keyspace& keyspace, absl::string_view key) const {
  const Keys* const keys = KeysOf(keyspace);
  if (keys == nullptr) return nullptr;
  const auto found = keys->find(key);
  return found == keys->end() ? nullptr : &found->second;
}

void WriteSet::StartUndoLog() {
  FIRN_CHECK(!logging_);
  logging_ = true;
}

void WriteSet::StopUndoLog() {
  FIRN_CHECK(logging_);
  for (const Undo& undo : undo_) {
    if (undo.was_there) bytes_ -= SizeOf(undo.before);
  }
  undo_.clear();
  logging_ = false;
}

void WriteSet::UndoTo(size_t position) {
  FIRN_CHECK(logging_ && position <= undo_.size());
  while (undo_.size() > position) {
    Undo& undo = undo_.back();
    bytes_ -= SizeOf(undo.key->second);
    if (undo.was_there) {
      undo.key->second = std::move(undo.before);
    } else {
      bytes_ -= undo.key->first.size();
      --key_count_;
      undo.where->keys.erase(undo.key);
    }
    undo_.pop_back();
  }
}

void WriteSet::AppendTo(WriteBatch& batch) const {
  for (const auto& [id, where] : keyspaces_) {
    for (const auto& [key, value] : where.keys) {
      if (value == nullptr) {
        batch.Remove(where.keyspace, key);
      } else {
        batch.Put(where.keyspace, key, *value);
      }
    }
  }
}

void WriteSet::Clear() {
  undo_.clear();
  logging_ = false;
  keyspaces_.clear();
  key_count_ = 0;
  bytes_ = 0;
}

}  // namespace firn
