#include "tree/verifier.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/random_operations.h"
#include "tree/label.h"
#include "tree/proof_format.h"
#include "tree/prover.h"

// A sanitizer brings its own operator new; memory is measured in plain builds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FIRN_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FIRN_TEST_SANITIZED 1
#endif
#endif

#ifndef FIRN_TEST_SANITIZED
namespace {

// Bytes of the heap in use, and the most there were since ResetMost().
std::atomic<size_t> heap_used{0};
std::atomic<size_t> heap_most{0};

void* Allocate(size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  const size_t used = heap_used += ::malloc_usable_size(memory) + sizeof(size_t);
  size_t most = heap_most;
  while (most < used && !heap_most.compare_exchange_weak(most, used)) {
  }
  return memory;
}
void Free(void* memory) {
  if (memory == nullptr) return;
  heap_used -= ::malloc_usable_size(memory) + sizeof(size_t);
  std::free(memory);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t /*size*/) noexcept { Free(memory); }
#endif  // FIRN_TEST_SANITIZED

namespace firn {
namespace {

using ::testing::HasSubstr;

#ifndef FIRN_TEST_SANITIZED
// The most heap that `call` needs.
template <typename Call>
size_t HeapNeeded(Call call) {
  const size_t before = heap_used;
  heap_most = before;
  call();
  return heap_most - before;
}
#endif

struct Batch {
  TreeParameters parameters;
  Digest start;
  Digest end;
  std::vector<uint8_t> proof;
  std::vector<Operation> operations;
  std::vector<OldValue> old_values;
};

// An honest batch of `count` operations on a tree of some keys.
Batch MakeBatch(uint64_t seed, const TreeParameters& parameters, size_t count) {
  Random random(seed);
  Prover prover(parameters, EmptyTree(parameters), 0, nullptr);
  for (int i = 0; i < 150; ++i) (void)prover.Apply(DrawOperation(random, parameters, 40));
  prover.EndBatch();
  Batch batch{.parameters = parameters, .start = prover.digest()};
  while (batch.operations.size() < count) {
    Operation operation = DrawOperation(random, parameters, 40);
    absl::StatusOr<OldValue> old_value = prover.Apply(operation);
    if (!old_value.ok()) continue;
    batch.operations.push_back(std::move(operation));
    batch.old_values.push_back(std::move(*old_value));
  }
  batch.end = prover.digest();
  batch.proof = prover.GenerateProof();
  return batch;
}

absl::StatusOr<VerifiedBatch> Verify(const Batch& batch, ByteSpan proof,
                                     const VerifierLimits& limits = {}) {
  return VerifyProof(batch.start, proof, batch.parameters, batch.operations, limits);
}

constexpr TreeParameters kParameters[] = {
    {.key_length = 2}, {.key_length = 8, .value_length = 8}, {.key_length = 32}};

TEST(VerifierTest, AcceptsHonestBatchesWithAndWithoutLimits) {
  for (const TreeParameters& parameters : kParameters) {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      const Batch batch = MakeBatch(seed, parameters, seed % 7);
      for (const VerifierLimits& limits :
           {VerifierLimits{}, VerifierLimits{.max_operations = batch.operations.size()}}) {
        ASSERT_OK_AND_ASSIGN(const VerifiedBatch verified, Verify(batch, batch.proof, limits));
        EXPECT_EQ(verified.old_values, batch.old_values);
        EXPECT_EQ(verified.digest, batch.end);
      }
    }
  }
}

// Whatever bytes are shown: an operation that is accepted gives the value that the tree has.
TEST(VerifierTest, NoMutationOfAProofProvesAnythingFalse) {
  constexpr int kMutations = 100'000;
  Random random(2024);
  int accepted = 0;
  int done = 0;
  for (uint64_t seed = 1; done < kMutations; ++seed) {
    const Batch batch = MakeBatch(seed, kParameters[seed % 3], 1 + seed % 4);
    for (int i = 0; i < 500; ++i, ++done) {
      std::vector<uint8_t> proof = batch.proof;
      for (uint64_t changes = 1 + random.Uniform(3); changes > 0; --changes) {
        const size_t at = static_cast<size_t>(random.Uniform(proof.size()));
        switch (random.Uniform(6)) {
          case 0:
            proof[at] = static_cast<uint8_t>(random.Next());
            break;
          case 1:
            proof.resize(at + 1);
            break;
          case 2:
            proof.insert(proof.begin() + static_cast<long>(at),
                         static_cast<uint8_t>(random.Next()));
            break;
          case 3:
            if (proof.size() > 1) proof.erase(proof.begin() + static_cast<long>(at));
            break;
          case 4:
            proof[at] = static_cast<uint8_t>(random.Uniform(6));  // a token, or small lengths
            break;
          default:
            proof[at] = static_cast<uint8_t>(proof[at] ^ 1u << random.Uniform(8));
            break;
        }
      }
      const absl::StatusOr<VerifiedBatch> verified = Verify(batch, proof);
      if (!verified.ok()) {
        ASSERT_EQ(ReasonOf(verified.status()), ErrorReason::kInvalidProof) << verified.status();
        continue;
      }
      ++accepted;  // the unused bits and bytes of the directions are free
      ASSERT_EQ(verified->old_values, batch.old_values) << "seed " << seed << " mutation " << i;
      ASSERT_EQ(verified->digest, batch.end);
    }
  }
  EXPECT_LT(accepted, kMutations / 4);
}

TEST(VerifierTest, EveryFlippedBitOfTheTreeIsRejected) {
  const Batch batch = MakeBatch(5, {.key_length = 32}, 3);
  ASSERT_OK_AND_ASSIGN(const VerifiedBatch verified, Verify(batch, batch.proof));
  const size_t tree_size =
      batch.proof.size() - 12;  // the directions of three operations are shorter
  for (size_t bit = 0; bit < 8 * tree_size; ++bit) {
    std::vector<uint8_t> proof = batch.proof;
    proof[bit / 8] = static_cast<uint8_t>(proof[bit / 8] ^ 1u << (bit % 8));
    ASSERT_THAT(Verify(batch, proof), HasReason(ErrorReason::kInvalidProof)) << bit;
  }
}

TEST(VerifierTest, EveryTruncationIsRejected) {
  const Batch batch = MakeBatch(6, {.key_length = 8}, 3);
  for (size_t size = 0; size < batch.proof.size(); ++size) {
    ASSERT_THAT(Verify(batch, ByteSpan(batch.proof.data(), size)),
                HasReason(ErrorReason::kInvalidProof))
        << size;
  }
}

TEST(VerifierTest, OtherOperationsThanThoseProvedAreRejected) {
  Batch batch = MakeBatch(8, {.key_length = 32}, 2);
  batch.operations[0].key = std::string(32, '\x13');
  EXPECT_THAT(Verify(batch, batch.proof), HasReason(ErrorReason::kInvalidProof));
  batch = MakeBatch(8, {.key_length = 32}, 2);
  batch.operations[1] = Operation::Lookup(std::string(32, '\xff'));
  EXPECT_THAT(Verify(batch, batch.proof),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("operation 1")));
}

TEST(VerifierTest, AfterARejectionItIsDead) {
  const Batch batch = MakeBatch(9, {.key_length = 32}, 3);
  ASSERT_OK_AND_ASSIGN(Verifier verifier,
                       Verifier::Create(batch.start, batch.proof, batch.parameters, {}));
  ASSERT_THAT(verifier.Perform(batch.operations[0]), IsOk());
  ASSERT_THAT(verifier.digest(), IsOk());
  ASSERT_THAT(verifier.Perform(Operation::Lookup("short")), HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(verifier.Perform(batch.operations[1]), HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(verifier.digest(), HasReason(ErrorReason::kInvalidProof));
}

TEST(VerifierTest, MessagesSayWhatAndWhere) {
  const TreeParameters parameters{.key_length = 1};
  const Digest start = EmptyTreeDigest(parameters);
  const auto message = [&](std::vector<uint8_t> proof) {
    return std::string(Verifier::Create(start, proof, parameters, {}).status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("offset 0: the end-of-tree marker is missing"));
  EXPECT_THAT(message({0x02, 0x00, 0xff, 0, 0, 0, 0}), HasSubstr("offset 7"));
  EXPECT_THAT(message({0x02, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 4}),
              HasSubstr("4294967295 bytes"));
  EXPECT_THAT(message({0x00, 4}), HasSubstr("without two children"));
  EXPECT_THAT(message({4}), HasSubstr("0 trees"));
  EXPECT_THAT(message({0x02, 0x00, 0xff, 0, 0, 0, 1, 9, 4}), HasSubstr("starting digest"));
}

TEST(VerifierTest, ProofsOverTheSizeLimitAreNotRead) {
  const Batch batch = MakeBatch(4, {.key_length = 8}, 2);
  EXPECT_THAT(Verify(batch, batch.proof, {.proof_size_max = batch.proof.size() - 1}),
              HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(Verify(batch, batch.proof, {.proof_size_max = batch.proof.size()}), IsOk());
  EXPECT_THAT(VerifyProof(batch.start, batch.proof, {.key_length = 0}, {}, {}),
              HasReason(ErrorReason::kInvalidOption));
}

TEST(VerifierTest, LimitsNeverOverflow) {
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  EXPECT_EQ(ProofNodesMax(3, {}), std::nullopt);
  EXPECT_EQ(ProofNodesMax(3, {.max_deletions = 5}), std::nullopt);
  EXPECT_EQ(ProofNodesMax(0, {.max_operations = 0}), 1u);
  EXPECT_EQ(ProofNodesMax(0, {.max_operations = 1}), 4u);
  EXPECT_EQ(ProofNodesMax(255, {.max_operations = kMost}), kMost);
  EXPECT_EQ(ProofNodesMax(0, {.max_operations = kMost, .max_deletions = 0}), kMost);
}

struct Spine {
  std::vector<uint8_t> proof;
  Digest start;
};

// A left spine over the sentinel's leaf that hashes to its digest, with directions down to it: a
// hostile depth is limited by the proof's size alone.
Spine MakeSpine(int levels, const TreeParameters& parameters, int8_t balance) {
  const SentinelLeaf sentinel = MakeSentinelLeaf(parameters);
  const std::string next(parameters.key_length, '\x10');
  Spine spine;
  std::vector<uint8_t>& proof = spine.proof;
  proof.push_back(kProofLeaf);
  proof.insert(proof.end(), sentinel.key.begin(), sentinel.key.end());
  proof.insert(proof.end(), next.begin(), next.end());
  proof.insert(proof.end(), 4, 0);
  Label label = LeafLabel({.key = sentinel.key, .value = "", .next = next});
  Label sibling;
  sibling.fill(0x5a);
  for (int level = 0; level < levels; ++level) {
    proof.push_back(kProofLabel);
    proof.insert(proof.end(), sibling.begin(), sibling.end());
    proof.push_back(static_cast<uint8_t>(balance));
    label = InternalLabel(balance, label, sibling);
  }
  proof.push_back(kProofEndOfTree);
  // Left all the way; then the same, and right once more at the node that an insertion makes.
  DirectionBits directions;
  for (int level = 0; level < 2 * levels; ++level) directions.Append(/*left=*/true);
  directions.Append(/*left=*/false);
  proof.insert(proof.end(), directions.bytes().begin(), directions.bytes().end());
  spine.start = Digest::From(label, 7);
  return spine;
}

TEST(VerifierTest, ASpineOfFiftyThousandLevelsNeedsNoStack) {
  const TreeParameters parameters{.key_length = 32};
  const Spine spine = MakeSpine(50'000, parameters, 0);
  ASSERT_OK_AND_ASSIGN(Verifier verifier,
                       Verifier::Create(spine.start, spine.proof, parameters, {}));
  const std::string key(32, '\x01');
  EXPECT_THAT(verifier.Perform(Operation::Insert(key, "v")), IsOkAndHolds(OldValue()));
  EXPECT_THAT(verifier.digest(), IsOk());
  EXPECT_THAT(verifier.Perform(Operation::Remove(key)), IsOkAndHolds(OldValue("v")));
  EXPECT_THAT(verifier.Perform(Operation::Lookup(key)), HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(Verifier::Create(spine.start, spine.proof, parameters, {.max_operations = 1}),
              HasReason(ErrorReason::kInvalidProof));
}

#ifndef FIRN_TEST_SANITIZED
// The bound that firn/proof.h states.
TEST(VerifierTest, MemoryIsBoundedByTheProofsSize) {
  const TreeParameters parameters{.key_length = 32};
  const Spine spine = MakeSpine(30'000, parameters, 1);
  const std::vector<Operation> operations = {Operation::Insert(std::string(32, '\x01'), "v"),
                                             Operation::Remove(std::string(32, '\x01'))};
  EXPECT_LT(HeapNeeded([&] {
              EXPECT_THAT(VerifyProof(spine.start, spine.proof, parameters, operations, {}),
                          IsOk());
            }),
            16 * spine.proof.size());
  // Leaves with the shortest keys and no values: two bytes each, then the node above.
  for (const uint32_t key_length : {1u, 32u}) {
    const TreeParameters shortest{.key_length = key_length, .value_length = 0};
    std::vector<uint8_t> proof = {kProofLeaf};
    proof.insert(proof.end(), key_length, 0);
    proof.insert(proof.end(), key_length, 0x10);
    constexpr int kLeaves = 100'000;
    for (int i = 1; i < kLeaves; ++i) {
      proof.push_back(kProofLeaf);
      proof.insert(proof.end(), key_length, 0x10);
    }
    proof.insert(proof.end(), kLeaves - 1, 0);
    proof.push_back(kProofEndOfTree);
    const size_t needed = HeapNeeded([&] {
      EXPECT_THAT(VerifyProof(EmptyTreeDigest(shortest), proof, shortest, {}, {}),
                  HasReason(ErrorReason::kInvalidProof));
    });
    EXPECT_LT(needed, key_length == 32 ? 16 * proof.size() : 200 * 2 * size_t{kLeaves});
  }
}

#endif

TEST(VerifierTest, NoiseIsRejectedWhateverItsSize) {
  Random random(31);
  for (const size_t size : std::initializer_list<size_t>{1, 10, 100, 10'000, 4'000'000}) {
    std::vector<uint8_t> noise(size);
    for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random.Next());
    EXPECT_THAT(VerifyProof(EmptyTreeDigest(kParameters[0]), noise, kParameters[0], {}, {}),
                HasReason(ErrorReason::kInvalidProof));
  }
}

}  // namespace
}  // namespace firn
