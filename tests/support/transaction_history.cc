#include "tests/support/transaction_history.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace firn {
namespace {

using Versions = std::map<int, uint64_t>;

uint64_t VersionIn(const Versions& versions, int key) {
  const auto found = versions.find(key);
  return found == versions.end() ? 0 : found->second;
}

class Checker {
 public:
  Checker(const TransactionHistory& history, HistoryLevel level)
      : history_(history), level_(level) {}

  std::string Check() {
    if (std::string wrong = FindTransactions(); !wrong.empty()) return wrong;
    if (std::string wrong = FollowChains(); !wrong.empty()) return wrong;
    if (std::string wrong = AddReads(); !wrong.empty()) return wrong;
    AddSessions();
    return FindCycle();
  }

 private:
  struct Edge {
    size_t to = 0;
    const char* kind = "";
    int key = 0;
  };

  // Those of unknown outcome count as committed if anything of them was seen.
  std::string FindTransactions() {
    std::set<uint64_t> seen;
    for (const auto& [key, version] : history_.after) seen.insert(version);
    for (const RecordedTransaction& transaction : history_.transactions) {
      for (const auto& [key, version] : transaction.reads) seen.insert(version);
      for (const auto& [key, version] : transaction.writes) seen.insert(version);
    }
    for (const RecordedTransaction& transaction : history_.transactions) {
      const bool counts = transaction.outcome == Outcome::kCommitted ||
                          (transaction.outcome == Outcome::kUnknown && seen.contains(transaction.id));
      if (!counts) continue;
      if (!nodes_.emplace(transaction.id, committed_.size()).second) {
        return absl::StrCat("two transactions are called ", transaction.id);
      }
      committed_.push_back(&transaction);
    }
    dependencies_.resize(committed_.size());
    anti_dependencies_.resize(committed_.size());
    return "";
  }

  // The ww edges, and next_.
  std::string FollowChains() {
    std::map<int, size_t> writes;
    for (const RecordedTransaction* const transaction : committed_) {
      for (const auto& [key, replaced] : transaction->writes) {
        const auto [other, fresh] = next_[key].emplace(replaced, transaction->id);
        if (!fresh) {
          return absl::StrCat("lost update: ", other->second, " and ", transaction->id,
                              " both replaced version ", replaced, " of key ", key);
        }
        ++writes[key];
      }
    }
    for (auto& [key, chain] : next_) {
      uint64_t at = VersionIn(history_.before, key);
      size_t steps = 0;
      for (auto next = chain.find(at); next != chain.end() && steps < writes[key];
           next = chain.find(at)) {
        ++steps;
        if (const std::optional<size_t> from = NodeOf(at)) {
          dependencies_[*from].push_back({nodes_.at(next->second), "ww", key});
        }
        at = next->second;
      }
      if (steps != writes[key]) {
        return absl::StrCat("key ", key, ": ", writes[key], " versions were committed, but only ",
                            steps, " follow from version ", VersionIn(history_.before, key));
      }
      if (at != VersionIn(history_.after, key)) {
        return absl::StrCat("key ", key, ": the last version is ", at, ", but at the end it is ",
                            VersionIn(history_.after, key));
      }
    }
    for (const auto& [key, version] : history_.after) {
      if (!next_.contains(key) && version != VersionIn(history_.before, key)) {
        return absl::StrCat("key ", key, ": version ", version, " at the end was never committed");
      }
    }
    return "";
  }

  std::string AddReads() {
    for (size_t node = 0; node < committed_.size(); ++node) {
      for (const auto& [key, version] : committed_[node]->reads) {
        const std::optional<size_t> writer = NodeOf(version);
        if (!writer.has_value() && version != VersionIn(history_.before, key)) {
          return absl::StrCat(committed_[node]->id, " read version ", version, " of key ", key,
                              ", which was never committed");
        }
        if (writer.has_value()) {
          if (!committed_[*writer]->writes.contains(key)) {
            return absl::StrCat(committed_[node]->id, " read of key ", key, " a version of ",
                                version, ", which never wrote it");
          }
          dependencies_[*writer].push_back({node, "wr", key});
        }
        const auto chain = next_.find(key);
        if (chain == next_.end()) continue;
        const auto next = chain->second.find(version);
        if (next == chain->second.end() || next->second == committed_[node]->id) continue;
        anti_dependencies_[node].push_back({nodes_.at(next->second), "rw", key});
      }
    }
    return "";
  }

  void AddSessions() {
    std::map<uint64_t, size_t> last;
    for (size_t node = 0; node < committed_.size(); ++node) {
      const auto [previous, fresh] = last.emplace(committed_[node]->thread, node);
      if (!fresh) dependencies_[previous->second].push_back({node, "so", 0});
      previous->second = node;
    }
  }

  std::optional<size_t> NodeOf(uint64_t version) const {
    const auto found = nodes_.find(version);
    return found == nodes_.end() ? std::nullopt : std::optional<size_t>(found->second);
  }

  // The graph that must have no cycle. Serializable: one place a transaction. Snapshot: two; an rw
  // leads on only from the second, into which only the other kinds lead.
  template <typename Visit>
  void VisitEdges(size_t place, Visit visit) const {
    const size_t node = place / 2;
    const bool may_turn = place % 2 == 1;
    if (level_ == HistoryLevel::kSerializable) {
      for (const Edge& edge : dependencies_[node]) visit(edge.to * 2, edge);
      for (const Edge& edge : anti_dependencies_[node]) visit(edge.to * 2, edge);
    } else if (may_turn) {
      for (const Edge& edge : anti_dependencies_[node]) visit(edge.to * 2, edge);
    } else {
      for (const Edge& edge : dependencies_[node]) {
        visit(edge.to * 2, edge);
        visit(edge.to * 2 + 1, edge);
      }
    }
  }

  // By taking away, again and again, places that nothing leads to.
  std::string FindCycle() const {
    const size_t places = committed_.size() * 2;
    std::vector<size_t> incoming(places, 0);
    for (size_t place = 0; place < places; ++place) {
      VisitEdges(place, [&](size_t to, const Edge&) { ++incoming[to]; });
    }
    std::vector<size_t> free;
    for (size_t place = 0; place < places; ++place) {
      if (incoming[place] == 0) free.push_back(place);
    }
    size_t taken = 0;
    while (!free.empty()) {
      const size_t place = free.back();
      free.pop_back();
      ++taken;
      VisitEdges(place, [&](size_t to, const Edge&) {
        if (--incoming[to] == 0) free.push_back(to);
      });
    }
    return taken == places ? "" : DescribeCycle(incoming);
  }

  // Every place that is left has one before it that is left: going back ends in a cycle.
  std::string DescribeCycle(const std::vector<size_t>& incoming) const {
    std::vector<std::pair<size_t, Edge>> before(incoming.size());
    size_t at = 0;
    for (size_t place = 0; place < incoming.size(); ++place) {
      if (incoming[place] == 0) continue;
      at = place;
      VisitEdges(place, [&](size_t to, const Edge& edge) { before[to] = {place, edge}; });
    }
    std::vector<size_t> path;
    while (std::find(path.begin(), path.end(), at) == path.end()) {
      path.push_back(at);
      at = before[at].first;
    }
    std::string text = absl::StrCat("cycle: ", committed_[at / 2]->id);
    const size_t start = at;
    std::string back;
    do {
      const auto& [from, edge] = before[at];
      back = absl::StrCat(" -", edge.kind, " ", edge.key, "-> ", committed_[at / 2]->id, back);
      at = from;
    } while (at != start);
    return text + back;
  }

  const TransactionHistory& history_;
  const HistoryLevel level_;
  std::vector<const RecordedTransaction*> committed_;           // by node
  std::unordered_map<uint64_t, size_t> nodes_;                  // by id
  std::map<int, std::unordered_map<uint64_t, uint64_t>> next_;  // key -> version -> the one after it
  std::vector<std::vector<Edge>> dependencies_, anti_dependencies_;  // by node
};

}  // namespace

std::string CheckHistory(const TransactionHistory& history, HistoryLevel level) {
  return Checker(history, level).Check();
}

}  // namespace firn
