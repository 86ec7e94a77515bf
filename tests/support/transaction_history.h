// tests/support/transaction_history.h: a checker for recorded histories of transactions. It knows
// nothing of the store: only who read which version of a key, and what each write replaced.
//
// A version is named by the transaction that wrote it, so the order of a key's versions is the chain
// from what each write replaced to its writer. From these come Adya's edges:
//     ww   T wrote the version after S's           S before T
//     wr   T read S's version                      S before T
//     rw   T read a version that S replaced        T before S
//     so   T began after S of its thread ended     S before T
// Both levels: versions are of committed transactions; each key's versions are one chain from what was
// there before to what is there after (two writes that replace the same version are a lost update:
// the first committer did not win); a committed write is never missing.
//   * serializable: no cycle.
//   * snapshot: no cycle of which each rw is preceded by an edge of another kind, that is: (ww, wr or
//     so, then perhaps rw) is acyclic (Cerone and Gotsman, "Analysing snapshot isolation", 2016).
#ifndef FIRN_TESTS_SUPPORT_TRANSACTION_HISTORY_H_
#define FIRN_TESTS_SUPPORT_TRANSACTION_HISTORY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace firn {

enum class Outcome : uint8_t {
  kCommitted,
  kAborted,
  kUnknown,  // the machine went during the commit: all of it happened, or nothing
};

struct RecordedTransaction {
  uint64_t id = 0;   // names its versions; not 0
  uint64_t thread = 0;
  Outcome outcome = Outcome::kAborted;
  std::map<int, uint64_t> reads;   // key -> the version that it saw
  std::map<int, uint64_t> writes;  // key -> the version that it replaced
};

struct TransactionHistory {
  std::map<int, uint64_t> before;  // the versions at the beginning; none: 0
  std::map<int, uint64_t> after;   // at the end
  // Those of a thread in their order.
  std::vector<RecordedTransaction> transactions;
};

enum class HistoryLevel : uint8_t { kSnapshot, kSerializable };

// What is wrong, as a sentence; empty if the history is as `level` promises.
std::string CheckHistory(const TransactionHistory& history, HistoryLevel level);

}  // namespace firn

#endif  // FIRN_TESTS_SUPPORT_TRANSACTION_HISTORY_H_
