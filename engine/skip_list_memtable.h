// engine/skip_list_memtable.h: the memtable of the ordered layout: a skip list of internal keys
// (engine/skip_list.h) in an arena. Readers take no lock.
//
// A node holds one entry:   varint32 size of internal key | internal key | varint32 size | value
#ifndef FIRN_ENGINE_SKIP_LIST_MEMTABLE_H_
#define FIRN_ENGINE_SKIP_LIST_MEMTABLE_H_

#include <memory>
#include <optional>

#include "absl/strings/string_view.h"
#include "base/arena.h"
#include "engine/memtable.h"
#include "engine/skip_list.h"

namespace firn {

class SkipListMemtable final : public Memtable {
 public:
  SkipListMemtable();

  // Allocates only for keys beyond 120 bytes.
  std::optional<Found> Get(absl::string_view key, SequenceNumber sequence) const override;
  // Shows newer entries as they come.
  std::unique_ptr<InternalIterator> NewIterator() const override;

 private:
  struct EntryOrder {
    int operator()(const char* entry, absl::string_view internal_key) const;
  };
  using List = SkipList<EntryOrder>;
  class EntryIterator;

  void Insert(absl::Span<const MemtableEntry> entries) override;
  size_t MemoryInUse() const override { return arena_.bytes_used(); }

  Arena arena_;  // the adding thread's; readers see what it handed out
  List list_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_SKIP_LIST_MEMTABLE_H_
