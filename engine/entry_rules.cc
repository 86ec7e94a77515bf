#include "engine/entry_rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"
#include "sstable/sequence_key.h"

namespace firn {

absl::Status EntryRules::Refuse(EntryKind kind, absl::string_view key,
                                absl::string_view name) const {
  if (key_size != 0 && key.size() != key_size) {
    return InvalidArgument(absl::StrCat("keyspace ", name, ": a key of ", key.size(),
                                        " bytes; its keys have ", key_size));
  }
  FIRN_CHECK(puts_only && kind != EntryKind::kPut);
  return InvalidArgument(absl::StrCat("keyspace ", name,
                                      ": a remove; from a sequence keys go by DropBelow() alone"));
}

EntryRules RulesFor(const KeyspaceOptions& options) {
  switch (options.layout) {
    case KeyspaceLayout::kOrdered:
      return {};
    case KeyspaceLayout::kHashed:
      return {.key_size = options.key_width};
    case KeyspaceLayout::kSequence:
      return {.key_size = kSequenceKeySize, .puts_only = true, .ascending = true};
  }
  FIRN_CHECK(false);  // CheckKeyspaceOptions() refuses others
}

absl::Status NotAscending(uint64_t key, uint64_t last, absl::string_view name) {
  return InvalidArgument(absl::StrCat("keyspace ", name, ": key ", key, " is not above ", last,
                                      ", the last one; a sequence only grows"));
}

absl::Status AscendingKeys::Take(const Run& run, absl::string_view name) {
  if (last_.has_value() && run.first <= *last_) return NotAscending(run.first, *last_, name);
  last_ = run.last;
  return absl::OkStatus();
}

void AscendingKeys::Raise(uint64_t key) { last_ = std::max(last_.value_or(0), key); }

void AscendingKeys::RaiseBound(uint64_t bound) {
  if (bound > 0) Raise(bound - 1);
}

}  // namespace firn
