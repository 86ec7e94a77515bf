// The authenticated tree: whoever knows 33 bytes, the digest, can check any answer about the whole
// store, without having it and without trusting who answers.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "examples/check.h"
#include "firn/authenticated_tree.h"
#include "firn/database.h"
#include "firn/proof.h"

using example::Require;
using example::ValueOf;

namespace {

constexpr firn::TreeParameters kParameters{.key_length = 8, .value_length = std::nullopt};

absl::Span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The client: it has a digest from a source that it trusts, and a proof from one that it does not.
// Returns the values that the proof shows.
absl::StatusOr<std::vector<firn::OldValue>> CheckAnswer(const firn::Digest& trusted,
                                                        const std::string& proof,
                                                        const std::vector<std::string>& keys) {
  std::vector<firn::Operation> lookups;
  for (const std::string& key : keys) lookups.push_back(firn::Operation::Lookup(key));
  auto verified = firn::VerifyProof(trusted, BytesOf(proof), kParameters, lookups, {});
  if (!verified.ok()) return verified.status();
  return verified->old_values;
}

}  // namespace

int main(int count, char** arguments) {
  auto database = ValueOf(firn::Database::Open(example::FolderFrom(count, arguments), {}));
  auto tree = ValueOf(firn::AuthenticatedTree::Open(*database, {.parameters = kParameters}));

  // Operations are staged, then committed as one: durable, atomic, with one digest after all of them.
  for (const auto& [key, value] : {std::pair("alice---", "10"), std::pair("bob-----", "7"),
                                   std::pair("carol---", "25")}) {
    Require(tree->Apply(firn::Operation::Insert(key, value)).status());
  }
  const firn::CommitResult first = ValueOf(tree->Commit({}));
  std::cout << "digest after " << first.last_operation << " operations: " << first.digest.ToHex()
            << "\n";

  // A view is the tree as a commit left it. Any thread may read it and prove from it.
  const std::shared_ptr<const firn::TreeView> view = tree->view();
  const std::vector<std::string> keys = {"bob-----", "dave----"};
  const firn::TreeProof answer = ValueOf(view->Prove(keys));
  std::cout << "a proof of two keys has " << answer.proof.size() << " bytes\n";

  // The client's side: presence and absence are both proved.
  const auto values = ValueOf(CheckAnswer(first.digest, answer.proof, keys));
  Require(values[0] == "7", "bob has 7");
  Require(!values[1].has_value(), "there is no dave");

  // Whoever changes the answer is found out.
  std::string forged = answer.proof;
  forged[forged.find("7")] = '8';
  const absl::Status rejected = CheckAnswer(first.digest, forged, keys).status();
  std::cout << "forged: " << rejected.message() << "\n";
  Require(absl::IsInvalidArgument(rejected), "a forged proof is rejected");

  // A change can be proved as well: from the digest before, the client computes the digest after.
  const firn::OldValue old = ValueOf(tree->Apply(firn::Operation::Update("bob-----", "6")));
  Require(old == "7", "an operation tells what it replaced");
  Require(tree->Apply(firn::Operation::Remove("alice---")).status());
  const firn::CommitResult second = ValueOf(tree->Commit({.proof = firn::WantProof::kYes}));
  const auto replayed = ValueOf(firn::VerifyProof(first.digest, BytesOf(second.proof->proof),
                                                  kParameters, second.proof->operations, {}));
  Require(replayed.digest == second.digest, "the client came to the same digest by itself");

  // The view is where it was; a checkpoint keeps a root for as long as you want, across restarts.
  Require(ValueOf(view->Get("alice---")) == "10", "the old view still has alice");
  const firn::Checkpoint checkpoint = ValueOf(tree->MakeCheckpoint({{"made by", "the example"}}));
  Require(tree->Apply(firn::Operation::Insert("erin----", "1")).status());
  Require(ValueOf(tree->Commit({})).digest != second.digest, "the tree has moved on");
  const auto kept = ValueOf(tree->ViewAtCheckpoint(checkpoint.id));
  Require(kept->digest() == second.digest, "the checkpoint has not");
  Require(CheckAnswer(second.digest, ValueOf(kept->Prove({"bob-----"})).proof, {"bob-----"}).ok(),
          "and one can still prove from it");

  // Everything that was done is in the operation log.
  for (const firn::LoggedOperation& logged : ValueOf(tree->History("bob-----", 10))) {
    std::cout << "operation " << logged.number << ": "
              << firn::OperationKindName(logged.operation.kind) << " bob\n";
  }
  Require(ValueOf(tree->VerifyTree(firn::TreeVerifyLevel::kAllCheckpoints)).clean(), "no damage");
  return 0;
}
