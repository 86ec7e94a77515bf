// Walking over entries in key order: all, a range, a prefix, backwards; keys made of parts.
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/check.h"
#include "firn/composite_key.h"
#include "firn/database.h"
#include "firn/prefix_range.h"

using example::Require;
using example::ValueOf;

namespace {

// The values in a range, in key order.
std::vector<std::string> ValuesIn(const firn::Keyspace& keyspace,
                                  const firn::IteratorOptions& range) {
  std::vector<std::string> values;
  auto iterator = keyspace.NewIterator(range);
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    values.emplace_back(iterator->value());  // the view dies at Next(): copy what you keep
  }
  Require(iterator->status());
  return values;
}

// organisation / table / row: parts that sort one after the other. The row is a number, encoded so
// that bytes sort as numbers do.
std::string RowKey(const std::string& organisation, const std::string& table, uint64_t row) {
  return firn::EncodeOrderedKey({organisation, table, firn::EncodeUint64(row)});
}

}  // namespace

int main(int count, char** arguments) {
  auto database = ValueOf(firn::Database::Open(example::FolderFrom(count, arguments), {}));
  firn::Keyspace rows = ValueOf(database->CreateKeyspace("rows", {}));
  firn::WriteBatch batch;
  for (const char* const organisation : {"acme", "acme2", "zoo"}) {
    for (const char* const table : {"people", "rooms"}) {
      for (uint64_t row = 8; row <= 12; ++row) {
        batch.Put(rows, RowKey(organisation, table, row),
                  absl::StrCat(organisation, "/", table, "/", row));
      }
    }
  }
  Require(database->Write(batch, firn::Durability::kSynced));

  // Everything: 3 organisations x 2 tables x 5 rows, 9 before 10.
  const std::vector<std::string> all = ValuesIn(rows, {});
  Require(all.size() == 30 && all[1] == "acme/people/9" && all[2] == "acme/people/10",
          "all rows, in the order of their numbers");

  // A level of the hierarchy is a prefix; acme2 is not below acme.
  const auto acme = ValuesIn(rows, firn::PrefixRange(firn::EncodeOrderedKey({"acme"})));
  std::cout << "acme has " << acme.size() << " rows\n";
  Require(acme.size() == 10, "two tables of acme's, none of acme2's");
  const auto rooms = ValuesIn(rows, firn::PrefixRange(firn::EncodeOrderedKey({"zoo", "rooms"})));
  std::cout << "zoo's rooms: " << absl::StrJoin(rooms, " ") << "\n";
  Require(rooms.size() == 5 && rooms.front() == "zoo/rooms/8", "one table");

  // A range: the begin is in it, the limit is not.
  const auto middle = ValuesIn(
      rows, {.begin = RowKey("acme", "people", 9), .limit = RowKey("acme", "people", 12)});
  Require(middle.size() == 3 && middle.back() == "acme/people/11", "9, 10, 11");

  // Backwards: the newest of a table is its last. A key's parts come back by decoding it.
  auto iterator = rows.NewIterator(firn::PrefixRange(firn::EncodeOrderedKey({"acme", "people"})));
  iterator->SeekToLast();
  Require(iterator->Valid(), "there is a last row");
  const std::vector<std::string> parts = ValueOf(firn::DecodeOrderedKey(iterator->key()));
  std::cout << "the last of " << parts[0] << "'s " << parts[1] << " is row "
            << *firn::DecodeUint64(parts[2]) << "\n";
  Require(firn::DecodeUint64(parts[2]) == 12u, "row 12 is the last");
  iterator->SeekForPrev(RowKey("acme", "people", 10));  // at or before
  Require(iterator->Valid(), "row 10 is there");
  iterator->Prev();
  Require(iterator->Valid() && iterator->value() == "acme/people/9", "the row before 10");

  // An iterator stays at the moment of its making, whatever is written while it walks.
  auto walk = rows.NewIterator(firn::PrefixRange(firn::EncodeOrderedKey({"zoo"})));
  int seen = 0;
  for (walk->SeekToFirst(); walk->Valid(); walk->Next(), ++seen) {
    firn::WriteBatch removal;
    removal.Remove(rows, walk->key());
    Require(database->Write(removal, firn::Durability::kBuffered));
  }
  Require(walk->status());
  Require(seen == 10, "it saw them all, though each was removed as it went");
  Require(ValuesIn(rows, {}).size() == 20, "a new one does not");
  std::cout << "removed zoo's " << seen << " rows while walking over them\n";
  return 0;
}
