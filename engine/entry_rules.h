// engine/entry_rules.h: what a keyspace's layout asks of the entries that are put into it. Pure.
#ifndef FIRN_ENGINE_ENTRY_RULES_H_
#define FIRN_ENGINE_ENTRY_RULES_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "firn/options.h"
#include "sstable/internal_key.h"

namespace firn {

struct EntryRules {
  size_t key_size = 0;     // of every key; 0: any
  bool puts_only = false;  // else removes too
  bool ascending = false;  // each key above all before it (8 bytes, as numbers)

  // Of one entry by itself. InvalidArgument saying what is wrong; `name` is the keyspace's.
  absl::Status Check(EntryKind kind, absl::string_view key, absl::string_view name) const {
    if ((key_size == 0 || key.size() == key_size) &&
        (!puts_only || kind == EntryKind::kPut)) [[likely]] {
      return absl::OkStatus();
    }
    return Refuse(kind, key, name);
  }

 private:
  absl::Status Refuse(EntryKind kind, absl::string_view key, absl::string_view name) const;
};

EntryRules RulesFor(const KeyspaceOptions& options);

// The order of an ascending keyspace. One thread at a time.
class AscendingKeys {
 public:
  // The keys of one batch, in order: all of them between these two, ascending.
  struct Run {
    uint64_t first = 0;
    uint64_t last = 0;
  };

  // OK, and the run is taken in; or InvalidArgument naming both keys.
  absl::Status Take(const Run& run, absl::string_view name);
  // What was there before: keys up to `key` are taken.
  void Raise(uint64_t key);
  // Keys below `bound` are taken.
  void RaiseBound(uint64_t bound);
  const std::optional<uint64_t>& last() const { return last_; }

 private:
  std::optional<uint64_t> last_;
};

// InvalidArgument: "keyspace NAME: key A is not above B".
absl::Status NotAscending(uint64_t key, uint64_t last, absl::string_view name);

}  // namespace firn

#endif  // FIRN_ENGINE_ENTRY_RULES_H_
