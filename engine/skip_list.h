// engine/skip_list.h: a sorted list with one writer and many readers that take no lock (Pugh,
// "Skip lists: a probabilistic alternative to balanced trees", CACM 33(6), 1990).
//
// A node is a tower of links with the entry's bytes right behind its lowest link, so that a step
// along the list and the comparison there touch neighbouring memory:
//
//   link[height-1] ... link[1] | link[0] | entry bytes
//                              ^ a Node* points here
//
// A node is never changed after it is reachable, except for its links, and never freed before the
// arena is. The writer fills a node, then links it with release stores, lowest level first; a reader
// follows links with acquire loads, so it sees a whole node or none.
//
// `Order` compares an entry with a search target: int operator()(const char* entry,
// absl::string_view target), negative if the entry comes first.
#ifndef FIRN_ENGINE_SKIP_LIST_H_
#define FIRN_ENGINE_SKIP_LIST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/strings/string_view.h"
#include "base/arena.h"
#include "base/check.h"
#include "base/random.h"

namespace firn {

template <typename Order>
class SkipList {
 public:
  static constexpr int kHeightMax = 12;  // a quarter reaches the next level: good for 16M entries

  // Opaque to users.
  class Node {
   public:
    const char* entry() const { return reinterpret_cast<const char*>(this + 1); }

   private:
    friend class SkipList;
    // Links above the lowest stand before the node.
    std::atomic<Node*>& Link(int level) { return *(&lowest_ - level); }
    Node* Next(int level) { return Link(level).load(std::memory_order_acquire); }
    Node* NextRelaxed(int level) { return Link(level).load(std::memory_order_relaxed); }
    void SetNextRelease(int level, Node* node) {
      Link(level).store(node, std::memory_order_release);
    }
    void SetNextRelaxed(int level, Node* node) {
      Link(level).store(node, std::memory_order_relaxed);
    }

    std::atomic<Node*> lowest_;
  };
  static_assert(std::atomic<Node*>::is_always_lock_free);
  static_assert(sizeof(Node) == sizeof(void*), "the entry starts right behind the lowest link");

  // The arena outlives the list. `seed` draws the heights.
  SkipList(Arena& arena, uint64_t seed, Order order = Order())
      : arena_(arena), random_(seed), order_(order), head_(NewNode(kHeightMax, 0)) {}
  SkipList(const SkipList&) = delete;
  SkipList& operator=(const SkipList&) = delete;

  // A node that is not in the list yet: fill `entry` (as many bytes as asked), then Insert() it.
  struct Fresh {
    Node* node = nullptr;
    int height = 0;
    char* entry = nullptr;
  };
  // The writer only.
  Fresh Allocate(size_t entry_size) {
    const int height = RandomHeight();
    Node* node = NewNode(height, entry_size);
    return {node, height, reinterpret_cast<char*>(node + 1)};
  }

  // The writer only. `target` stands for the entry in searches; no equal entry is in the list.
  void Insert(const Fresh& fresh, absl::string_view target) {
    // A reader that sees the new height before the new links finds null in the head: the end.
    if (fresh.height > height_.load(std::memory_order_relaxed)) {
      height_.store(fresh.height, std::memory_order_relaxed);
    }
    Node* before[kHeightMax];
    FindBefore(target, before);
    FIRN_DCHECK(before[0]->NextRelaxed(0) == nullptr ||
                order_(before[0]->NextRelaxed(0)->entry(), target) != 0);
    for (int level = 0; level < fresh.height; ++level) {
      fresh.node->SetNextRelaxed(level, before[level]->NextRelaxed(level));  // not reachable yet
      before[level]->SetNextRelease(level, fresh.node);  // publishes it; pairs with Next()
    }
  }

  // The first node at or after `target`; null if there is none. Any thread.
  const Node* FindAtOrAfter(absl::string_view target) const {
    Node* node = head_;
    // A node that was compared once need not be compared again one level below.
    const Node* after = nullptr;
    for (int level = height_.load(std::memory_order_relaxed) - 1;;) {
      Node* next = node->Next(level);
      if (level > 0) Prefetch(node->NextRelaxed(level - 1));
      if (next != nullptr && next != after && order_(next->entry(), target) < 0) {
        node = next;
      } else if (level == 0) {
        return next;
      } else {
        after = next;
        --level;
      }
    }
  }

  // The last node before `target`; null if there is none. Any thread.
  const Node* FindLastBefore(absl::string_view target) const {
    Node* node = head_;
    for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      Node* next = node->Next(level);
      while (next != nullptr && order_(next->entry(), target) < 0) {
        node = next;
        next = node->Next(level);
      }
    }
    return node == head_ ? nullptr : node;
  }

  const Node* First() const { return head_->Next(0); }
  const Node* Last() const {
    Node* node = head_;
    for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      for (Node* next = node->Next(level); next != nullptr; next = node->Next(level)) node = next;
    }
    return node == head_ ? nullptr : node;
  }
  static const Node* Next(const Node* node) { return const_cast<Node*>(node)->Next(0); }

 private:
  Node* NewNode(int height, size_t entry_size) {
    const size_t above = sizeof(std::atomic<Node*>) * static_cast<size_t>(height - 1);
    char* memory = arena_.Allocate(above + sizeof(Node) + entry_size, alignof(Node));
    for (int level = 0; level < height; ++level) {
      new (memory + sizeof(std::atomic<Node*>) * static_cast<size_t>(level))
          std::atomic<Node*>(nullptr);
    }
    return reinterpret_cast<Node*>(memory + above);
  }

  int RandomHeight() {
    int height = 1;
    for (uint64_t bits = random_.Next(); height < kHeightMax && (bits & 3) == 0; bits >>= 2) {
      ++height;
    }
    return height;
  }

  // What a search looks at next if the node it asks for now lies behind its target, as most do: both
  // come from memory at once.
  static void Prefetch(const Node* node) { __builtin_prefetch(node); }

  // The last node before `target` on every level that is in use.
  void FindBefore(absl::string_view target, Node** before) {
    Node* node = head_;
    const Node* after = nullptr;
    for (int level = height_.load(std::memory_order_relaxed) - 1; level >= 0; --level) {
      Node* next = node->NextRelaxed(level);
      if (level > 0) Prefetch(node->NextRelaxed(level - 1));
      while (next != nullptr && next != after && order_(next->entry(), target) < 0) {
        node = next;
        next = node->NextRelaxed(level);
        if (level > 0) Prefetch(node->NextRelaxed(level - 1));
      }
      after = next;
      before[level] = node;
    }
  }

  Arena& arena_;
  Random random_;
  Order order_;
  std::atomic<int> height_{1};
  Node* const head_;
};

}  // namespace firn

#endif  // FIRN_ENGINE_SKIP_LIST_H_
