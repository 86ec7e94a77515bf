// bench/generator.h: the records of a benchmark, each made from a seed and an ordinal alone, so that
// every engine gets the same bytes, and present and absent keys are known without a table.
//
//   random key    32 bytes: four mixed words; ordinals give present keys, AbsentKey() others
//   sequence key  8 bytes: the ordinal, big-endian
//   value         a size that the ordinal fixes, uniform in [value_min, value_max]; its first 8 bytes
//                 are fixed by the ordinal too, so that a reader can check them whatever version it
//                 finds; up to the middle the bytes are random, and then they begin again: a
//                 compressor saves about half
#ifndef FIRN_BENCH_GENERATOR_H_
#define FIRN_BENCH_GENERATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "base/random.h"

namespace firn::bench {

enum class KeyKind : uint8_t { kRandom = 1, kSequence = 2 };

struct RecordShape {
  KeyKind key = KeyKind::kRandom;
  size_t value_min = 100;  // bytes, at least 8
  size_t value_max = 150;
  uint64_t seed = 1;

  size_t key_size() const { return key == KeyKind::kRandom ? 32 : 8; }
  // Bytes of key and value of a record, on average.
  double average_size() const {
    return static_cast<double>(key_size()) +
           static_cast<double>(value_min + value_max) / 2;
  }
};

// One thread at a time: views die at the next call of the same function.
class Generator {
 public:
  explicit Generator(const RecordShape& shape);

  absl::string_view Key(uint64_t ordinal);
  // A key that no ordinal below 2^63 has.
  absl::string_view AbsentKey(uint64_t ordinal);
  // `version` 0 is what a load writes; updates count on.
  absl::string_view Value(uint64_t ordinal, uint64_t version);
  size_t ValueSize(uint64_t ordinal) const;
  // Is `value` of some version of `ordinal`: its size and first 8 bytes?
  bool IsValueOf(uint64_t ordinal, absl::string_view value) const;

 private:
  uint64_t ValueWord(uint64_t ordinal) const;

  const RecordShape shape_;
  const uint64_t key_seed_;
  const uint64_t absent_seed_;
  const uint64_t value_seed_;
  char key_[32];
  std::string value_;
};

// Ordinals in [0, count), drawn uniformly or by Zipf's law (Gray et al., "Quickly generating
// billion-record synthetic databases", SIGMOD 1994, as YCSB does it), where the popular ordinals are
// scattered over the range. Thread-safe: the state is the caller's Random.
class Distribution {
 public:
  // `theta` 0: uniform; else in (0, 1). Zipf: takes time proportional to `count` once.
  Distribution(uint64_t count, double theta);
  uint64_t Draw(Random& random) const;
  // By Zipf's law the rank itself, 0 the most popular: for tests.
  uint64_t DrawRank(Random& random) const;

 private:
  const uint64_t count_;
  const double theta_;
  double alpha_ = 0, zeta_ = 0, eta_ = 0, half_power_ = 0;
};

}  // namespace firn::bench

#endif  // FIRN_BENCH_GENERATOR_H_
