// Keys and values with types: a codec says how a type becomes bytes; a table does the rest.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "examples/check.h"
#include "firn/database.h"
#include "firn/error.h"
#include "firn/table.h"

using example::Require;
using example::ValueOf;

namespace {

struct Person {
  std::string name;
  std::string city;
};

}  // namespace

// A codec of a type of your own. Decode() must expect any bytes: the store checks that they are those
// that were written, not that this program wrote them.
template <>
struct firn::TableCodec<Person> {
  static std::string Encode(const Person& person) {
    return absl::StrCat(person.name, "\n", person.city);
  }
  static absl::StatusOr<Person> Decode(absl::string_view bytes) {
    const std::vector<std::string> parts = absl::StrSplit(bytes, '\n');
    if (parts.size() != 2) return firn::UndecodableBytes("person", bytes);
    return Person{parts[0], parts[1]};
  }
};

int main(int count, char** arguments) {
  auto database = ValueOf(firn::Database::Open(example::FolderFrom(count, arguments), {}));
  // A table is a view of a keyspace: cheap, and many may look at one.
  const firn::Table<uint64_t, Person> people(ValueOf(database->CreateKeyspace("people", {})));

  // Changes go through transactions.
  Require(database->RunInTransaction(
      [&](firn::Transaction& transaction) -> absl::Status {
        const std::vector<Person> first = {{"Ada", "London"}, {"Emmy", "Erlangen"},
                                           {"Sofja", "Stockholm"}};
        for (size_t i = 0; i < first.size(); ++i) {
          if (auto put = people.Insert(transaction, 100 + i, first[i]); !put.ok()) return put;
        }
        return absl::OkStatus();
      },
      {}));

  // A guard holds the value where it stands; bytes() are not copied, value() decodes them.
  const auto guard = ValueOf(people.Get(101));
  Require(guard.has_value(), "there is a row 101");
  std::cout << "101 is " << ValueOf(guard->value()).name << ", in " << guard->bytes().size()
            << " bytes\n";
  Require(ValueOf(guard->value()).city == "Erlangen", "Emmy is in Erlangen");
  Require(!ValueOf(people.Get(7)).has_value(), "an absent row is none, not an error");

  // Compare and set: only who knows the present value may change it.
  const auto move = [&](const Person& expected, const Person& desired) {
    bool moved = false;
    Require(database->RunInTransaction(
        [&](firn::Transaction& transaction) -> absl::Status {
          const auto result = people.CompareAndSet(transaction, 101, expected, desired);
          if (!result.ok()) return result.status();
          moved = *result;
          return absl::OkStatus();
        },
        {}));
    return moved;
  };
  Require(move({"Emmy", "Erlangen"}, {"Emmy", "Goettingen"}), "she moves");
  Require(!move({"Emmy", "Erlangen"}, {"Emmy", "Paris"}), "she is not there any more");
  std::cout << "101 is now in " << ValueOf(ValueOf(people.Get(101))->value()).city << "\n";

  // Rows in the order of their keys, which are numbers.
  std::string names;
  auto row = people.Range(101, std::nullopt);
  for (; row.Valid(); row.Next()) {
    absl::StrAppend(&names, ValueOf(row.key()), " ", ValueOf(row.value()).name, "; ");
  }
  Require(row.status());  // the end, or a failure?
  std::cout << names << "\n";
  Require(names == "101 Emmy; 102 Sofja; ", "from 101 on");

  // Bytes that are no person: an error with a reason, not a crash.
  firn::WriteBatch foreign;
  foreign.Put(people.keyspace(), firn::EncodeUint64(200), "no person");
  Require(database->Write(foreign, firn::Durability::kSynced));
  const absl::Status undecodable = ValueOf(people.Get(200))->value().status();
  std::cout << "row 200: " << undecodable.message() << "\n";
  Require(firn::ReasonOf(undecodable) == firn::ErrorReason::kSerialization, "it says why");
  return 0;
}
