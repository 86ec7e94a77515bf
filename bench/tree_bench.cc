// bench/tree_bench.cc: labels, and operations of the AVL+ tree in memory, digest and proof included.
// Keys are 32 bytes (BLAKE2b-256 of a number), values 100 bytes. Nothing is stored.
#include <memory>
#include <string>
#include <vector>

#include "base/blake2b.h"
#include "base/check.h"
#include "base/random.h"
#include "benchmark/benchmark.h"
#include "tree/node.h"
#include "tree/prover.h"

namespace firn {
namespace {

const TreeParameters kParameters{.key_length = 32, .value_length = std::nullopt};

std::string KeyOf(uint64_t number) {
  std::string encoded;
  for (int shift = 56; shift >= 0; shift -= 8) {
    encoded.push_back(static_cast<char>(number >> shift & 0xff));
  }
  return std::string(AsText(HashBlake2b256(AsBytes(encoded))));
}

// Argument: bytes hashed. 66 is the label of an internal node, 73 of a leaf with an 8-byte value and
// 165 of one with 100 bytes.
void BM_Blake2b256(benchmark::State& state) {
  std::string message(static_cast<size_t>(state.range(0)), 'm');
  for (auto _ : state) {
    const Blake2b256Hash hash = HashBlake2b256(AsBytes(message));
    message[0] = static_cast<char>(hash[0]);  // chained, as labels are on a path
    benchmark::DoNotOptimize(message.data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}
BENCHMARK(BM_Blake2b256)->Arg(66)->Arg(73)->Arg(165);

// Trees are built once for each size.
Prover& TreeOf(uint64_t keys) {
  static std::vector<std::pair<uint64_t, std::unique_ptr<Prover>>>* const trees =
      new std::vector<std::pair<uint64_t, std::unique_ptr<Prover>>>();
  for (const auto& [size, prover] : *trees) {
    if (size == keys) return *prover;
  }
  auto prover = std::make_unique<Prover>(kParameters, EmptyTree(kParameters), uint8_t{0}, nullptr,
                                         Prover::Options{.recording = ProofRecording::kSkip});
  for (uint64_t i = 0; i < keys; ++i) {
    FIRN_CHECK(prover->Apply(Operation::Insert(KeyOf(i), std::string(100, 'v'))).ok());
    if (i % 1000 == 999) {
      prover->digest();
      prover->EndBatch();
    }
  }
  prover->digest();
  prover->EndBatch();
  prover->set_options({.recording = ProofRecording::kRecord});
  trees->emplace_back(keys, std::move(prover));
  return *trees->back().second;
}

// Arguments: keys in the tree, operations a batch. Each batch ends in a digest and a proof.
void RunBatches(benchmark::State& state, Operation (*operation)(absl::string_view, Random&)) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  Prover& prover = TreeOf(keys);
  Random random(7);
  const int64_t batch = state.range(1);
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      FIRN_CHECK(prover.Apply(operation(KeyOf(random.Uniform(keys)), random)).ok());
    }
    prover.digest();
    benchmark::DoNotOptimize(prover.GenerateProof().data());
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * batch);
}

void BM_TreeUpdate(benchmark::State& state) {
  RunBatches(state, [](absl::string_view key, Random& random) {
    std::string value(100, 'v');
    value[0] = static_cast<char>(random.Next());
    return Operation::Update(key, value);
  });
}
BENCHMARK(BM_TreeUpdate)
    ->ArgNames({"keys", "batch"})
    ->ArgsProduct({{10'000, 1'000'000}, {1, 1000}})
    ->Unit(benchmark::kMicrosecond);

void BM_TreeLookup(benchmark::State& state) {
  RunBatches(state, [](absl::string_view key, Random&) { return Operation::Lookup(key); });
}
BENCHMARK(BM_TreeLookup)
    ->ArgNames({"keys", "batch"})
    ->ArgsProduct({{10'000, 1'000'000}, {1, 1000}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace firn

BENCHMARK_MAIN();
