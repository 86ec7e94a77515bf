// Transactions: read and write as if alone, undo a part, and run again after a conflict.
#include <iostream>
#include <string>

#include "examples/check.h"
#include "firn/database.h"
#include "firn/error.h"
#include "firn/transaction.h"

using example::Require;
using example::ValueOf;

namespace {

// An order of two lines. A savepoint marks where to go back to when a line cannot be filled.
void TakeOrder(firn::Database& database, const firn::Keyspace& stock,
               const firn::Keyspace& orders) {
  auto order = ValueOf(database.BeginTransaction({}));
  Require(order->Put(orders, "17", "begun"));
  for (const std::string fruit : {"apples", "pears"}) {
    // Reads see the transaction's own writes, then the store as it was when the transaction began. This
    // one decides what is written, also if the line is undone: so it stands before the savepoint, and
    // the commit fails if somebody changes the stock meanwhile.
    const int left = std::stoi(ValueOf(order->GetForUpdate(stock, fruit)).ToString()) - 1;
    Require(order->CreateSavepoint(fruit));
    Require(order->Put(orders, "17/" + fruit, "one"));
    Require(order->Put(stock, fruit, std::to_string(left)));
    if (left < 0) {
      std::cout << "no " << fruit << ": " << ValueOf(order->ChangesSince(fruit))
                << " changes are undone\n";
      Require(order->RollbackToSavepoint(fruit));  // the savepoint stays; the rest of the order too
    }
  }
  // Savepoints also come as scopes: what is not kept is undone when the scope ends.
  {
    firn::NestedTransaction gift(*order);
    Require(order->Put(orders, "17/gift", "a card"));
  }
  {
    firn::NestedTransaction note(*order);
    Require(order->Put(orders, "17/note", "thanks"));
    Require(note.Keep());
  }
  Require(absl::IsNotFound(orders.Get("17").status()), "nobody sees it before the commit");
  Require(order->Commit());
  Require(ValueOf(stock.Get("apples")).view() == "4", "one apple is sold");
  Require(ValueOf(stock.Get("pears")).view() == "0", "no pear is");
  Require(absl::IsNotFound(orders.Get("17/pears").status()), "nor is there a line for it");
  Require(absl::IsNotFound(orders.Get("17/gift").status()), "the gift was not kept");
  Require(orders.Get("17/note").ok(), "the note was");
  std::cout << "order 17 is committed\n";
}

// Nothing is locked. When two transactions write the same key, the first to commit wins, and the
// other is told to run again.
void ShowConflict(firn::Database& database, const firn::Keyspace& stock) {
  auto slow = ValueOf(database.BeginTransaction({}));
  Require(slow->Put(stock, "apples", "3"));
  auto quick = ValueOf(database.BeginTransaction({}));
  Require(quick->Put(stock, "apples", "9"));
  Require(quick->Commit());
  const absl::Status conflict = slow->Commit();
  std::cout << "refused: " << conflict.message() << "\n";
  Require(firn::ReasonOf(conflict) == firn::ErrorReason::kConflict, "the second one conflicts");
}

// RunInTransaction() does just that: it runs the work again until it went through. (Here the first
// attempt is disturbed on purpose.)
void RunAgain(firn::Database& database, const firn::Keyspace& stock) {
  int attempts = 0;
  Require(database.RunInTransaction(
      [&](firn::Transaction& transaction) -> absl::Status {
        const auto apples = transaction.Get(stock, "apples");
        if (!apples.ok()) return apples.status();
        if (++attempts == 1) {
          firn::WriteBatch disturbance;
          disturbance.Put(stock, "apples", "20");
          Require(database.Write(disturbance, firn::Durability::kSynced));
        }
        const int left = std::stoi(apples->ToString()) - 1;
        return transaction.Put(stock, "apples", std::to_string(left));
      },
      {}));
  std::cout << "sold one more apple in " << attempts << " attempts\n";
  Require(attempts == 2 && ValueOf(stock.Get("apples")).view() == "19", "20 less one");
}

}  // namespace

int main(int count, char** arguments) {
  auto database = ValueOf(firn::Database::Open(example::FolderFrom(count, arguments), {}));
  firn::Keyspace stock = ValueOf(database->CreateKeyspace("stock", {}));
  firn::Keyspace orders = ValueOf(database->CreateKeyspace("orders", {}));
  firn::WriteBatch batch;
  batch.Put(stock, "apples", "5");
  batch.Put(stock, "pears", "0");
  Require(database->Write(batch, firn::Durability::kSynced));
  TakeOrder(*database, stock, orders);
  ShowConflict(*database, stock);
  RunAgain(*database, stock);
  return 0;
}
