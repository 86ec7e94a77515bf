// The first steps: open a store, put, get, remove, look at the past, close, find everything again.
#include <iostream>
#include <memory>
#include <string>

#include "examples/check.h"
#include "firn/database.h"

using example::Require;
using example::ValueOf;

int main(int count, char** arguments) {
  const char* const folder = example::FolderFrom(count, arguments);

  // A database is a folder. With default options it is made if it is not there.
  auto database = ValueOf(firn::Database::Open(folder, {}));
  // A keyspace is one ordered map from keys to values, both any bytes.
  firn::Keyspace notes = ValueOf(database->OpenOrCreateKeyspace("notes", {}));

  // All writing goes through a batch: what is in it happens as a whole or not at all.
  firn::WriteBatch batch;
  batch.Put(notes, "alice", "owes 10");
  batch.Put(notes, "bob", "owes 7");
  // kSynced: when Write() returns, it survives even the loss of power.
  Require(database->Write(batch, firn::Durability::kSynced));

  // A value that was found is pinned where it stands, not copied; the view lives as long as it.
  const firn::PinnedValue alice = ValueOf(notes.Get("alice"));
  std::cout << "alice " << alice.view() << "\n";
  Require(alice.view() == "owes 10", "what was put is what is got");
  // An absent key is no failure of the store: it has a code of its own.
  Require(absl::IsNotFound(notes.Get("carol").status()), "nobody wrote of carol");

  // A snapshot is a point in time. Writes that come later do not show in it.
  const firn::Snapshot yesterday = database->TakeSnapshot();
  batch.Clear();
  batch.Put(notes, "alice", "owes 3");
  batch.Remove(notes, "bob");
  Require(database->Write(batch, firn::Durability::kSynced));
  std::cout << "alice " << ValueOf(notes.Get("alice")).view() << " now, and "
            << ValueOf(notes.Get("alice", yesterday)).view() << " yesterday\n";
  Require(absl::IsNotFound(notes.Get("bob").status()), "bob is gone");
  Require(ValueOf(notes.Get("bob", yesterday)).view() == "owes 7", "but not from yesterday");

  // Snapshots, values, iterators and keyspaces must not outlive their database. Here they are made
  // after it, and so go before it.
  const std::string kept = ValueOf(notes.Get("alice")).ToString();
  {
    auto iterator = notes.NewIterator();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      std::cout << "entry: " << iterator->key() << " -> " << iterator->value() << "\n";
    }
    Require(iterator->status());  // "not valid" means "the end" only if this is OK
  }

  // Close() reports what a destructor could not. A second process may open the store now.
  Require(database->Close());
  {
    auto again = ValueOf(firn::Database::Open(folder, {.mode = firn::OpenMode::kOpenExisting}));
    firn::Keyspace same = ValueOf(again->OpenKeyspace("notes"));
    Require(ValueOf(same.Get("alice")).view() == kept, "it is still there");
    std::cout << "after reopening: alice " << kept << "\n";
    Require(again->Close());
  }
  return 0;
}
