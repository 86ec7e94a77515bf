// base/random.h: a seeded generator with the same sequence on every machine (SplitMix64: Steele,
// Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). Not for secrets.
#ifndef FIRN_BASE_RANDOM_H_
#define FIRN_BASE_RANDOM_H_

#include <cstdint>

namespace firn {

// One thread at a time.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t mixed = (state_ += 0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  // Uniform in [0, limit); 0 if limit is 0.
  uint64_t Uniform(uint64_t limit) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }
  // True once in `n` on average.
  bool OneIn(uint64_t n) { return Uniform(n) == 0; }

 private:
  uint64_t state_;
};

}  // namespace firn

#endif  // FIRN_BASE_RANDOM_H_
