// engine/transaction_iterator.h: a keyspace as a transaction sees it: its snapshot with its own
// writes over it, both directions, within bounds.
//
// Two sources: `base`, an iterator over the snapshot, and the keyspace's part of the WriteSet, which
// may change between two moves; so no place in it is kept: it is looked up by key at each move.
// Going forward, `base` stands at the first key at or after the present one; going backward, at the
// last key at or before it. Under kSerializable the range walked over is noted in the ReadSet before
// anything of it is shown.
#ifndef FIRN_ENGINE_TRANSACTION_ITERATOR_H_
#define FIRN_ENGINE_TRANSACTION_ITERATOR_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/read_set.h"
#include "engine/write_set.h"
#include "firn/iterator.h"
#include "firn/keyspace.h"

namespace firn {

// The sets of the transaction, for as long as it lives.
class TransactionView {
 public:
  virtual ~TransactionView() = default;
  // OK, or why the transaction cannot go on: it has ended, or has read too much.
  virtual absl::Status CheckReadable() const = 0;
  virtual const WriteSet& writes() const = 0;
  // Null: reads are not noted.
  virtual ReadSet* reads_to_check() = 0;
};

class TransactionIterator final : public Iterator {
 public:
  // `base`: over [begin, limit) of `keyspace`, at the transaction's snapshot.
  TransactionIterator(std::shared_ptr<TransactionView> transaction, const Keyspace& keyspace,
                      std::unique_ptr<Iterator> base, std::string begin,
                      std::optional<std::string> limit);

  bool Valid() const override;
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(absl::string_view target) override;
  void SeekForPrev(absl::string_view target) override;
  void Next() override;
  void Prev() override;
  absl::string_view key() const override { return key_; }
  absl::string_view value() const override;
  absl::Status status() const override;

 private:
  enum class Direction : uint8_t { kForward, kBackward };

  // False: the transaction has ended; status() says so.
  bool Begin();
  void ShowForward(const std::string& begin);
  void ShowBackward(const std::optional<std::string>& end);
  void Show(absl::string_view key, WriteSet::Value own);
  // The range read so far now reaches from `begin` to `limit`.
  void NoteRange(absl::string_view begin, const std::optional<std::string>& limit);

  const std::shared_ptr<TransactionView> transaction_;
  const Keyspace keyspace_;
  const std::unique_ptr<Iterator> base_;
  const std::string begin_;
  const std::optional<std::string> limit_;

  Direction direction_ = Direction::kForward;
  bool valid_ = false;
  std::string key_;
  WriteSet::Value own_;  // the value if it is the transaction's own; null: base's
  absl::Status error_;

  std::optional<size_t> range_;  // in the read set, since the last seek
  uint64_t epoch_ = 0;           // of the read set then
};

}  // namespace firn

#endif  // FIRN_ENGINE_TRANSACTION_ITERATOR_H_
