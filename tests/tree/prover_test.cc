#include "tree/prover.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/types.h"
#include "gtest/gtest.h"
#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/map_resolver.h"
#include "tests/tree/random_operations.h"

namespace firn {
namespace {

constexpr TreeParameters kOneByteKeys{.key_length = 1};
constexpr TreeParameters kNotes{.key_length = 32, .value_length = 8};

std::string Hex(ByteSpan bytes) { return absl::BytesToHexString(AsText(bytes)); }
std::string Key(char byte) { return std::string(1, byte); }

// The example of docs/formats/proof.md: three insertions, then a lookup or a removal.
class WorkedExampleTest : public ::testing::Test {
 protected:
  WorkedExampleTest() : prover_(kOneByteKeys, EmptyTree(kOneByteKeys), 0, nullptr) {}
  void InsertThree() {
    ASSERT_THAT(prover_.Apply(Operation::Insert(Key(0x20), "\xaa")), IsOk());
    ASSERT_THAT(prover_.Apply(Operation::Insert(Key(0x40), "")), IsOk());
    ASSERT_THAT(prover_.Apply(Operation::Insert(Key(0x30), "\xbb\xcc")), IsOk());
  }
  static std::string Page(absl::string_view name) {
    const auto bytes = ReadGoldenHex("docs/formats/proof.md", name);
    EXPECT_THAT(bytes, IsOk());
    return bytes.ok() ? absl::BytesToHexString(*bytes) : "";
  }
  Prover prover_;
};

TEST_F(WorkedExampleTest, ThreeInsertionsShowTheOldLeafAndThreeBits) {
  EXPECT_EQ(prover_.digest().ToHex(),
            "931febe9170def63e50b66e4f923a9af40ac80ee43342ebf4fde9f0d5d1fc45900");
  InsertThree();
  EXPECT_EQ(prover_.digest().ToHex(),
            "422120fd24317562eb1da6fa3abc9cf63bd5c8950070ddef9765f64300b96afe02");
  EXPECT_EQ(Hex(prover_.GenerateProof()), Page("inserts"));
}

TEST_F(WorkedExampleTest, TheTreeHasTheLabelsOfThePage) {
  InsertThree();
  const Node& root = *prover_.root().node();
  EXPECT_EQ(root.key(), Key(0x30));
  EXPECT_EQ(Hex(root.left().label()),
            "000d6ecfd710b77ae8edba917c6200a2480612efb97c38e3c579c4c1801b8f49");
  EXPECT_EQ(Hex(root.right().label()),
            "58f60751de6d0dda95e8781b7df963e367604ca3798c44eda5022f2b1c3db8af");
  EXPECT_EQ(Hex(root.right().node()->left().label()),
            "9a3089c20218a20f54870a7bed27d72d1434940184082e67a9c26892d77015b2");
}

TEST_F(WorkedExampleTest, ALookupShowsItsPath) {
  InsertThree();
  prover_.EndBatch();
  EXPECT_THAT(prover_.Apply(Operation::Lookup(Key(0x30))), IsOkAndHolds(OldValue("\xbb\xcc")));
  EXPECT_EQ(Hex(prover_.GenerateProof()), Page("lookup"));
}

TEST_F(WorkedExampleTest, ARemovalShowsThePredecessorToo) {
  InsertThree();
  prover_.EndBatch();
  EXPECT_THAT(prover_.Apply(Operation::Remove(Key(0x30))), IsOkAndHolds(OldValue("\xbb\xcc")));
  EXPECT_EQ(prover_.digest().ToHex(),
            "00e5b616803f3cde3debef998ac86c720d9c01472d7df840e12bcbaeb963b3b202");
  EXPECT_EQ(Hex(prover_.GenerateProof()), Page("removal"));
}

TEST(ProverTest, ABatchOfNothingShowsTheRootsLabel) {
  Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
  EXPECT_EQ(Hex(prover.GenerateProof()),
            absl::StrCat("03", Hex(EmptyTreeDigest(kNotes).label()), "04"));
}

Prover::Options Recording(ProofRecording recording, uint64_t birth = 0) {
  return {.recording = recording, .birth = birth};
}

// Applies operations drawn from a seed to a prover, in batches, beside a second one whose nodes are
// all in memory.
TEST(ProverTest, FailedOperationsHaveNoEffectOnDigestAndProof) {
  Random random(7);
  Prover with_failures(kNotes, EmptyTree(kNotes), 0, nullptr);
  Prover without(kNotes, EmptyTree(kNotes), 0, nullptr);
  int failures = 0;
  for (int batch = 0; batch < 60; ++batch) {
    for (int i = 0; i < 12; ++i) {
      const Operation operation = DrawOperation(random, kNotes, 50);
      if (with_failures.Apply(operation).ok()) {
        ASSERT_THAT(without.Apply(operation), IsOk());
      } else {
        ++failures;
      }
      ASSERT_EQ(with_failures.digest(), without.digest());
    }
    for (const std::string& bad :
         {std::string(32, '\0'), std::string(32, '\xff'), std::string(31, 'a'), std::string()}) {
      ASSERT_THAT(with_failures.Apply(Operation::Lookup(bad)), HasReason(ErrorReason::kIllegalKey));
    }
    ASSERT_EQ(with_failures.batch_operations(), without.batch_operations());
    ASSERT_EQ(with_failures.GenerateProof(), without.GenerateProof());
  }
  EXPECT_GT(failures, 50);
}

TEST(ProverTest, ATreeReopenedFromLabelsAloneGivesTheSameProofs) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    MapResolver resolver(kNotes);
    Prover in_memory(kNotes, EmptyTree(kNotes), 0, nullptr);
    ChildRef root = EmptyTree(kNotes);
    resolver.Store(root);
    uint8_t height = 0;
    for (int batch = 0; batch < 40; ++batch) {
      Prover reopened(kNotes, root.Unresolved(), height, &resolver);
      for (int i = 0; i < 10; ++i) {
        const Operation operation = DrawOperation(random, kNotes, 80);
        const absl::StatusOr<OldValue> expected = in_memory.Apply(operation);
        const absl::StatusOr<OldValue> found = reopened.Apply(operation);
        ASSERT_EQ(found.status().code(), expected.status().code()) << found.status();
        if (found.ok()) {
          ASSERT_EQ(*found, *expected);
        }
      }
      const BatchChanges changes = reopened.Changes();
      ASSERT_EQ(reopened.digest(), in_memory.digest());
      root = reopened.root();
      height = reopened.height();
      ASSERT_EQ(reopened.GenerateProof(), in_memory.GenerateProof());
      resolver.Store(root);
      for (const ChildRef& gone : changes.gone) resolver.Remove(gone.label());
      ASSERT_THAT(CheckInvariants({root.Unresolved(), height}, kNotes, &resolver), IsOk());
    }
    // Gone and added are exact: nothing but the last tree is left.
    std::set<Label> reachable;
    std::vector<ChildRef> pending = {root.Unresolved()};
    while (!pending.empty()) {
      const ChildRef child = pending.back();
      pending.pop_back();
      reachable.insert(child.label());
      ASSERT_OK_AND_ASSIGN(const NodePtr node, LoadNode(child.Unresolved(), &resolver));
      if (node->is_leaf()) continue;
      pending.push_back(node->left());
      pending.push_back(node->right());
    }
    EXPECT_EQ(reachable.size(), resolver.nodes().size());
  }
}

TEST(ProverTest, AResolverThatFailsAtAnyCallLeavesNoTrace) {
  Random random(11);
  Prover builder(kNotes, EmptyTree(kNotes), 0, nullptr);
  for (int i = 0; i < 400; ++i) (void)builder.Apply(DrawOperation(random, kNotes, 90));
  builder.EndBatch();
  MapResolver resolver(kNotes);
  resolver.Store(builder.batch_start_root());
  const ChildRef root = builder.batch_start_root().Unresolved();
  uint64_t points = 0;
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<Operation> operations;
    for (int i = 0; i < 4; ++i) operations.push_back(DrawOperation(random, kNotes, 90));
    Prover undisturbed(kNotes, root, builder.height(), &resolver);
    resolver.FailNever();
    std::vector<absl::StatusCode> codes;
    for (const Operation& operation : operations) {
      codes.push_back(undisturbed.Apply(operation).status().code());
    }
    const Digest digest = undisturbed.digest();
    const std::vector<uint8_t> proof = undisturbed.GenerateProof();
    for (uint64_t fail_at = 1;; ++fail_at) {
      Prover disturbed(kNotes, root, builder.height(), &resolver);
      resolver.FailAt(fail_at);
      bool failed = false;
      for (size_t i = 0; i < operations.size(); ++i) {
        const Digest before = disturbed.digest();
        absl::StatusOr<OldValue> result = disturbed.Apply(operations[i]);
        if (absl::IsUnavailable(result.status())) {
          failed = true;
          ASSERT_EQ(disturbed.digest(), before);
          ASSERT_EQ(
              disturbed.batch_operations(),
              static_cast<size_t>(std::count(codes.begin(), codes.begin() + static_cast<long>(i),
                                             absl::StatusCode::kOk)));
          result = disturbed.Apply(operations[i]);  // the store works again
        }
        ASSERT_EQ(result.status().code(), codes[i]) << result.status();
      }
      ASSERT_EQ(disturbed.digest(), digest);
      ASSERT_EQ(disturbed.GenerateProof(), proof);
      if (!failed) break;
      ++points;
    }
  }
  EXPECT_GT(points, 500u);
}

TEST(ProverTest, ChangesAreTheDifferenceOfTheTwoTrees) {
  const auto labels_of = [](const ChildRef& root) {
    std::map<Label, uint64_t> labels;
    std::vector<ChildRef> pending = {root};
    while (!pending.empty()) {
      const ChildRef child = pending.back();
      pending.pop_back();
      labels[child.label()] = child.birth();
      if (child.node()->is_leaf()) continue;
      pending.push_back(child.node()->left());
      pending.push_back(child.node()->right());
    }
    return labels;
  };
  for (const ProofRecording recording : {ProofRecording::kRecord, ProofRecording::kSkip}) {
    Random random(3);
    Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
    std::map<Label, uint64_t> births = labels_of(prover.root());
    for (uint64_t batch = 1; batch <= 80; ++batch) {
      prover.set_options(Recording(recording, batch));
      for (int i = 0; i < 8; ++i) (void)prover.Apply(DrawOperation(random, kNotes, 40));
      const BatchChanges changes = prover.Changes();
      const std::map<Label, uint64_t> after = labels_of(prover.root());
      std::set<Label> gone;
      for (const ChildRef& child : changes.gone) {
        gone.insert(child.label());
        ASSERT_EQ(child.birth(), births.at(child.label()));
      }
      std::set<Label> added;
      for (const ChildRef& child : changes.added) {
        added.insert(child.label());
        ASSERT_EQ(child.birth(), batch);
        ASSERT_TRUE(child.resolved());
      }
      ASSERT_EQ(gone.size(), changes.gone.size());
      ASSERT_EQ(added.size(), changes.added.size());
      for (const auto& [label, birth] : births)
        ASSERT_EQ(gone.contains(label), !after.contains(label));
      for (const auto& [label, birth] : after) {
        ASSERT_EQ(added.contains(label), !births.contains(label));
        // What stays, or is made again with the same content, keeps its birth.
        ASSERT_EQ(birth, births.contains(label) ? births.at(label) : batch);
      }
      births = after;
      prover.EndBatch();
    }
  }
}

TEST(ProverTest, DiscardingABatchReturnsToItsStart) {
  Random random(5);
  Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
  Prover straight(kNotes, EmptyTree(kNotes), 0, nullptr);
  for (int batch = 0; batch < 30; ++batch) {
    for (int i = 0; i < 15; ++i) (void)prover.Apply(DrawOperation(random, kNotes, 40));
    (void)prover.digest();
    prover.DiscardBatch();
    ASSERT_EQ(prover.digest(), straight.digest());
    for (int i = 0; i < 5; ++i) {
      const Operation operation = DrawOperation(random, kNotes, 40);
      (void)prover.Apply(operation);
      (void)straight.Apply(operation);
    }
    ASSERT_EQ(prover.batch_start_digest(), straight.batch_start_digest());
    ASSERT_EQ(prover.GenerateProof(), straight.GenerateProof());
  }
}

TEST(ProverTest, AScratchProverProvesWithoutPerforming) {
  Random random(9);
  Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
  for (int i = 0; i < 200; ++i) (void)prover.Apply(DrawOperation(random, kNotes, 60));
  prover.EndBatch();
  (void)prover.Apply(Operation::InsertOrUpdate(DrawKey(random, kNotes, 60), "pending!"));
  const Digest pending_digest = prover.digest();

  std::vector<Operation> operations;
  for (int i = 0; i < 10; ++i) operations.push_back(DrawOperation(random, kNotes, 60));
  const auto run_scratch = [&] {
    Prover scratch(kNotes, prover.batch_start_root(), prover.batch_start_height(), nullptr);
    for (const Operation& operation : operations) (void)scratch.Apply(operation);
    return std::make_pair(scratch.digest(), scratch.GenerateProof());
  };
  const auto first = run_scratch();
  EXPECT_EQ(prover.digest(), pending_digest);
  EXPECT_EQ(run_scratch(), first);
  prover.DiscardBatch();
  for (const Operation& operation : operations) (void)prover.Apply(operation);
  EXPECT_EQ(prover.digest(), first.first);
  EXPECT_EQ(prover.GenerateProof(), first.second);
}

TEST(ProverTest, WithoutRecordingTheDigestsAreTheSame) {
  Random random(13);
  Prover recording(kNotes, EmptyTree(kNotes), 0, nullptr);
  Prover skipping(kNotes, EmptyTree(kNotes), 0, nullptr, Recording(ProofRecording::kSkip));
  for (int batch = 0; batch < 40; ++batch) {
    for (int i = 0; i < 20; ++i) {
      const Operation operation = DrawOperation(random, kNotes, 100);
      ASSERT_EQ(recording.Apply(operation).ok(), skipping.Apply(operation).ok());
    }
    ASSERT_EQ(recording.batch_removals(), skipping.batch_removals());
    ASSERT_EQ(recording.digest(), skipping.digest());
    recording.EndBatch();
    skipping.EndBatch();
  }
}

TEST(ProverTest, OldTreesAreNeverAltered) {
  Random random(17);
  Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
  std::vector<AvlTree> versions;
  std::vector<Model> models(1);
  for (int batch = 0; batch < 30; ++batch) {
    for (int i = 0; i < 10; ++i) {
      const Operation operation = DrawOperation(random, kNotes, 50);
      (void)prover.Apply(operation);
      (void)ApplyToModel(operation, kNotes, models.back());
    }
    prover.EndBatch();
    versions.push_back({prover.batch_start_root(), prover.batch_start_height()});
    models.push_back(models.back());
  }
  for (size_t version = 0; version < versions.size(); ++version) {
    ASSERT_THAT(CheckInvariants(versions[version], kNotes, nullptr), IsOk());
    for (const auto& [key, value] : models[version]) {
      ASSERT_THAT(FindValue(versions[version].root, key, nullptr), IsOkAndHolds(OldValue(value)));
    }
  }
}

TEST(ProverTest, ReadersProveFromTheLastTreeWhileTheNextBatchIsMade) {
  Random random(19);
  Prover prover(kNotes, EmptyTree(kNotes), 0, nullptr);
  for (int i = 0; i < 300; ++i) (void)prover.Apply(DrawOperation(random, kNotes, 80));
  prover.EndBatch();
  for (int batch = 0; batch < 8; ++batch) {
    const AvlTree view{.root = prover.batch_start_root(), .height = prover.batch_start_height()};
    const Digest digest = prover.batch_start_digest();
    std::vector<std::thread> readers;
    for (uint64_t reader = 0; reader < 3; ++reader) {
      readers.emplace_back([view, digest, reader] {
        Random own(reader);
        Prover scratch(kNotes, view.root, static_cast<uint8_t>(view.height), nullptr);
        for (int i = 0; i < 60; ++i) {
          const Operation operation = DrawOperation(own, kNotes, 80);
          if (!scratch.Apply(operation).ok()) continue;
          const std::vector<uint8_t> proof = scratch.GenerateProof();
          if (i % 10 == 0) {
            ASSERT_THAT(CheckInvariants(view, kNotes, nullptr), IsOk());
          }
        }
        ASSERT_EQ(view.root.label(), digest.label());
      });
    }
    for (int i = 0; i < 200; ++i) {
      (void)prover.Apply(DrawOperation(random, kNotes, 80));
      if (i % 20 == 0) (void)prover.digest();
    }
    (void)prover.Changes();
    prover.EndBatch();
    for (std::thread& reader : readers) reader.join();
  }
}

// A routing key is not covered by any label.
TEST(ProverTest, ADamagedRoutingKeyIsAnErrorAndNotAFalseProof) {
  Prover builder(kOneByteKeys, EmptyTree(kOneByteKeys), 0, nullptr);
  for (const char key : {'b', 'd', 'f', 'h'}) {
    ASSERT_THAT(builder.Apply(Operation::Insert(Key(key), "v")), IsOk());
  }
  builder.EndBatch();
  MapResolver resolver(kOneByteKeys);
  resolver.Store(builder.batch_start_root());
  std::vector<uint8_t>& root = resolver.mutable_nodes()[builder.digest().label()];
  root[2] = static_cast<uint8_t>(root[2] + 1);  // 'd' becomes 'e', say
  Prover prover(kOneByteKeys, builder.batch_start_root().Unresolved(), builder.height(), &resolver);
  const std::string key = Key(static_cast<char>(root[2] - 1));
  EXPECT_THAT(prover.Apply(Operation::Lookup(key)), HasReason(ErrorReason::kCorruption));
  EXPECT_THAT(prover.Apply(Operation::Insert(Key(static_cast<char>(root[2])), "v")),
              HasReason(ErrorReason::kCorruption));
  EXPECT_EQ(prover.digest(), builder.digest());
}

}  // namespace
}  // namespace firn
