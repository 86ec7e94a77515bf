// firn/sequence.h: named counters that give 1, 2, 3 ..., each number once, across restarts.
//
// Example:
//     firn::Keyspace counters = database->OpenOrCreateKeyspace("sequences", {}).value();
//     auto invoices = firn::Sequence::Open(*database, counters, "invoices", {}).value();
//     uint64_t number = invoices->Next().value();
//
// A sequence is one key of a keyspace: its name, and the last number that was reserved, 8 bytes
// big-endian. Several objects, or plain NextInTransaction() calls, may share a name: they take their
// numbers from it by transactions.
#ifndef FIRN_SEQUENCE_H_
#define FIRN_SEQUENCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "firn/database.h"
#include "firn/keyspace.h"
#include "firn/options.h"
#include "firn/transaction.h"

namespace firn {

class SequenceImpl;

struct SequenceOptions {
  // Numbers reserved by one write, [1, 1000000]. 1: dense, one commit a number, no gaps. More: a
  // commit every so many numbers, and numbers that were reserved and not given out are lost when
  // the object goes or the process dies: gaps.
  uint64_t block = 1;
  // Of the reservation. kBuffered: after a power failure a number may be given out again.
  Durability durability = Durability::kSynced;
};

// Thread-safe. Must not outlive its Database.
class Sequence {
 public:
  // `name`: 1 to 1024 bytes. InvalidArgument; or an error of the store, DataLoss/kCorruption if what
  // is stored under the name is no number.
  static absl::StatusOr<std::unique_ptr<Sequence>> Open(Database& database,
                                                        const Keyspace& keyspace,
                                                        absl::string_view name,
                                                        const SequenceOptions& options);
  ~Sequence();
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  // A number greater than all that this object gave before, and given by no other. OutOfRange/
  // kOverflow behind the last one, 2^64 - 1.
  absl::StatusOr<uint64_t> Next();
  const std::string& name() const;

  // For the sequence.
  explicit Sequence(std::unique_ptr<SequenceImpl> impl);

 private:
  const std::unique_ptr<SequenceImpl> impl_;
};

// The next number as part of a transaction: dense, and given out only if that commits. Transactions
// that take from one sequence at the same time conflict; run them with RunInTransaction().
absl::StatusOr<uint64_t> NextInTransaction(Transaction& transaction, const Keyspace& keyspace,
                                           absl::string_view name);

struct SequenceState {
  std::string name;
  uint64_t last_reserved = 0;
};
// All sequences of a keyspace, by name.
absl::StatusOr<std::vector<SequenceState>> ListSequences(const Keyspace& keyspace);

// The next number becomes `last` + 1, also after damage. Sequences that are open go on with what they
// have reserved: open them again.
absl::Status ResetSequence(Database& database, const Keyspace& keyspace, absl::string_view name,
                           uint64_t last);

}  // namespace firn

#endif  // FIRN_SEQUENCE_H_
