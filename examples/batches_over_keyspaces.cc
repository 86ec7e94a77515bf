// Several keyspaces, one write: an account, its history and a counter change together or not at all,
// also when the machine stops in the middle. And what durability costs.
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>

#include "examples/check.h"
#include "firn/composite_key.h"
#include "firn/database.h"

using example::Require;
using example::ValueOf;

namespace {

struct Bank {
  firn::Database& database;
  firn::Keyspace balances;  // name -> balance
  firn::Keyspace history;   // number -> what happened; never rewritten
  int64_t next_number = 1;
};

int64_t BalanceOf(const Bank& bank, const std::string& name) {
  const auto found = bank.balances.Get(name);
  if (absl::IsNotFound(found.status())) return 0;
  const std::optional<int64_t> balance = firn::DecodeInt64(ValueOf(found).view());
  Require(balance.has_value(), "a balance is eight bytes");
  return *balance;
}

// One batch over two keyspaces. Nobody ever sees money that has left one account and has not
// reached the other, nor a transfer without its line in the history. (One thread makes all transfers
// here. With several, read and write in a transaction: see savepoints.cc.)
void Transfer(Bank& bank, const std::string& from, const std::string& to, int64_t amount,
              firn::Durability durability) {
  Require(from != to, "money moves between two accounts");
  firn::WriteBatch batch;
  batch.Put(bank.balances, from, firn::EncodeInt64(BalanceOf(bank, from) - amount));
  batch.Put(bank.balances, to, firn::EncodeInt64(BalanceOf(bank, to) + amount));
  batch.Put(bank.history, firn::EncodeUint64(static_cast<uint64_t>(bank.next_number++)),
            from + " paid " + to + " " + std::to_string(amount));
  Require(bank.database.Write(batch, durability));
}

}  // namespace

int main(int count, char** arguments) {
  auto database = ValueOf(firn::Database::Open(example::FolderFrom(count, arguments), {}));
  // The history's keys only ever go up, so it gets the layout for that: written once, never merged,
  // and dropped from its old end.
  Bank bank{*database, ValueOf(database->CreateKeyspace("balances", {})),
            ValueOf(database->CreateKeyspace(
                "history", {.layout = firn::KeyspaceLayout::kSequence}))};

  // Each of these is on stable storage when it returns: one wait for the disk each.
  Transfer(bank, "bank", "alice", 100, firn::Durability::kSynced);
  Transfer(bank, "alice", "bob", 30, firn::Durability::kSynced);

  // These are in the log, in order, and survive a crash of the program, but only Sync() makes them
  // survive a loss of power: one wait for a hundred.
  for (int i = 0; i < 100; ++i) Transfer(bank, "alice", "bob", 1, firn::Durability::kBuffered);
  Require(database->Sync());

  const int64_t alice = BalanceOf(bank, "alice"), bob = BalanceOf(bank, "bob");
  std::cout << "alice " << alice << ", bob " << bob << ", the bank " << BalanceOf(bank, "bank") << "\n";
  Require(alice == -30 && bob == 130, "the balances are what the transfers say");
  Require(alice + bob + BalanceOf(bank, "bank") == 0, "no money was made or lost");

  // A key below the last one of a sequence keyspace refuses the whole batch: nothing of it happens.
  firn::WriteBatch wrong;
  wrong.Put(bank.balances, "alice", firn::EncodeInt64(1'000'000));
  wrong.Put(bank.history, firn::EncodeUint64(1), "rewriting history");
  const absl::Status refused = database->Write(wrong, firn::Durability::kSynced);
  std::cout << "refused: " << refused.message() << "\n";
  Require(absl::IsInvalidArgument(refused), "history is not rewritten");
  Require(BalanceOf(bank, "alice") == alice, "and the other half of that batch did not happen either");

  // Keep the last ten lines of the history.
  Require(database->DropBelow(bank.history, firn::EncodeUint64(93)));
  int lines = 0;
  auto iterator = bank.history.NewIterator();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++lines;
  Require(iterator->status());
  std::cout << lines << " lines of history are left\n";
  Require(lines == 10, "ten lines are left");
  return 0;
}
