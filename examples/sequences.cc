// Numbers that are given out once: invoices without gaps, identifiers by the thousand.
#include <cstdint>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "examples/check.h"
#include "firn/database.h"
#include "firn/sequence.h"

using example::Require;
using example::ValueOf;

namespace {

// Returns the greatest identifier that was given out.
uint64_t GiveOut(const char* folder) {
  auto database = ValueOf(firn::Database::Open(folder, {}));
  firn::Keyspace counters = ValueOf(database->CreateKeyspace("counters", {}));
  firn::Keyspace invoices = ValueOf(database->CreateKeyspace("invoices", {}));

  // A dense sequence: 1, 2, 3 ... Each number costs a commit.
  {
    auto tickets = ValueOf(firn::Sequence::Open(*database, counters, "tickets", {}));
    for (uint64_t expected = 1; expected <= 3; ++expected) {
      Require(ValueOf(tickets->Next()) == expected, "tickets are 1, 2, 3");
    }
  }

  // A number that exists only if its invoice does: taken inside the transaction that writes it.
  for (const char* const customer : {"alice", "bob"}) {
    Require(database->RunInTransaction(
        [&](firn::Transaction& transaction) -> absl::Status {
          const auto number = firn::NextInTransaction(transaction, counters, "invoices");
          if (!number.ok()) return number.status();
          std::cout << "invoice " << *number << " goes to " << customer << "\n";
          return transaction.Put(invoices, std::to_string(*number), customer);
        },
        {}));
  }
  {
    auto given_up = ValueOf(database->BeginTransaction({}));
    Require(ValueOf(firn::NextInTransaction(*given_up, counters, "invoices")) == 3, "3 is next");
    Require(given_up->Rollback());  // and it still is
  }

  // Identifiers by the thousand, from four threads: a block of 100 is reserved by one commit. Gaps
  // are the price: what was reserved and not given out is lost when the program ends.
  std::set<uint64_t> given;
  {
    auto identifiers = ValueOf(firn::Sequence::Open(*database, counters, "identifiers",
                                                    {.block = 100}));
    std::vector<std::vector<uint64_t>> taken(4);
    std::vector<std::thread> threads;
    for (std::vector<uint64_t>& mine : taken) {
      threads.emplace_back([&] {
        for (int i = 0; i < 330; ++i) mine.push_back(ValueOf(identifiers->Next()));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::vector<uint64_t>& mine : taken) given.insert(mine.begin(), mine.end());
  }
  Require(given.size() == 4 * 330, "no identifier was given twice");
  std::cout << given.size() << " identifiers, the last one " << *given.rbegin() << "\n";

  for (const firn::SequenceState& state : ValueOf(firn::ListSequences(counters))) {
    std::cout << state.name << ": " << state.last_reserved << " reserved\n";
  }
  Require(database->Close());
  return *given.rbegin();
}

// After a restart the sequences go on where they were.
void GoOn(const char* folder, uint64_t last_identifier) {
  auto database = ValueOf(firn::Database::Open(folder, {}));
  firn::Keyspace counters = ValueOf(database->OpenKeyspace("counters"));
  auto tickets = ValueOf(firn::Sequence::Open(*database, counters, "tickets", {}));
  Require(ValueOf(tickets->Next()) == 4, "tickets go on with 4");
  auto identifiers = ValueOf(firn::Sequence::Open(*database, counters, "identifiers", {}));
  const uint64_t next = ValueOf(identifiers->Next());
  std::cout << "after a restart: ticket 4, identifier " << next << "\n";
  Require(next > last_identifier, "no identifier comes again");
}

}  // namespace

int main(int count, char** arguments) {
  const char* const folder = example::FolderFrom(count, arguments);
  GoOn(folder, GiveOut(folder));
  return 0;
}
