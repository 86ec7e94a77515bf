#include "tools/proof_bundle.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/random.h"
#include "tests/support/status_matchers.h"
#include "tree/prover.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

ProofBundle SmallBundle() {
  ProofBundle bundle;
  bundle.parameters.key_length = 4;
  Prover prover(bundle.parameters, EmptyTree(bundle.parameters), 0, nullptr);
  for (const char* key : {"aaaa", "bbbb", "cccc"}) {
    EXPECT_THAT(prover.Apply(Operation::Insert(key, "value")), IsOk());
  }
  prover.digest();
  prover.EndBatch();
  bundle.proof.operations = {Operation::Lookup("bbbb"), Operation::Lookup("bbbc"),
                             Operation::Update("cccc", "new"),
                             Operation::Insert("dddd", std::string("\0\1", 2))};
  bundle.proof.start = prover.digest();
  for (const Operation& operation : bundle.proof.operations) {
    bundle.proof.old_values.push_back(prover.Apply(operation).value());
  }
  bundle.proof.digest = prover.digest();
  const std::vector<uint8_t> proof = prover.GenerateProof();
  bundle.proof.proof.assign(proof.begin(), proof.end());
  return bundle;
}

TEST(ProofBundleTest, SurvivesEncodingAndHoldsForItsRoot) {
  const ProofBundle bundle = SmallBundle();
  ASSERT_OK_AND_ASSIGN(const ProofBundle decoded, DecodeBundle(EncodeBundle(bundle)));
  EXPECT_THAT(CheckBundle(decoded, bundle.proof.start), IsOk());
  EXPECT_EQ(decoded.proof.old_values, bundle.proof.old_values);
  EXPECT_EQ(decoded.parameters, bundle.parameters);
}

TEST(ProofBundleTest, DoesNotHoldForAnotherRootOrForAlteredStatements) {
  const ProofBundle bundle = SmallBundle();
  EXPECT_THAT(CheckBundle(bundle, bundle.proof.digest), HasReason(ErrorReason::kInvalidProof));

  ProofBundle altered = bundle;
  altered.proof.old_values[0] = "other";
  EXPECT_THAT(CheckBundle(altered, bundle.proof.start), HasReason(ErrorReason::kInvalidProof));
  altered = bundle;
  altered.proof.old_values.pop_back();
  EXPECT_THAT(CheckBundle(altered, bundle.proof.start), HasReason(ErrorReason::kInvalidProof));
  altered = bundle;
  altered.proof.digest = bundle.proof.start;
  EXPECT_THAT(CheckBundle(altered, bundle.proof.start), HasReason(ErrorReason::kInvalidProof));
}

TEST(ProofBundleTest, EveryBitOfTheProofsTreeCounts) {
  const ProofBundle bundle = SmallBundle();
  // The directions end in unused bits, which no verifier looks at; the tree before them has none.
  const size_t tree_size = bundle.proof.proof.size() - 2;
  for (size_t bit = 0; bit < tree_size * 8; ++bit) {
    ProofBundle altered = bundle;
    altered.proof.proof[bit / 8] = static_cast<char>(altered.proof.proof[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(CheckBundle(altered, bundle.proof.start), HasReason(ErrorReason::kInvalidProof))
        << "bit " << bit;
  }
}

// What is proven after an operation that was never performed says nothing of the root.
TEST(ProofBundleTest, AValueIsTheRootsAndNotOneThatTheBundleItselfPutThere) {
  ProofBundle bundle = SmallBundle();
  EXPECT_THAT(ProvenValue(bundle, "bbbb"), IsOkAndHolds(OldValue("value")));
  EXPECT_THAT(ProvenValue(bundle, "bbbc"), IsOkAndHolds(OldValue()));
  EXPECT_THAT(ProvenValue(bundle, "eeee"), HasReason(ErrorReason::kInvalidProof));

  Prover prover(bundle.parameters, EmptyTree(bundle.parameters), 0, nullptr);
  ASSERT_OK(prover.Apply(Operation::Insert("aaaa", "true")));
  bundle.proof = {};
  bundle.proof.start = prover.digest();
  prover.EndBatch();
  bundle.proof.operations = {Operation::InsertOrUpdate("aaaa", "false"), Operation::Lookup("aaaa"),
                             Operation::Insert("bbbb", "made up"), Operation::Lookup("bbbb")};
  for (const Operation& operation : bundle.proof.operations) {
    bundle.proof.old_values.push_back(prover.Apply(operation).value());
  }
  bundle.proof.digest = prover.digest();
  const std::vector<uint8_t> proof = prover.GenerateProof();
  bundle.proof.proof.assign(proof.begin(), proof.end());
  ASSERT_OK(CheckBundle(bundle, bundle.proof.start));
  EXPECT_THAT(ProvenValue(bundle, "aaaa"), IsOkAndHolds(OldValue("true")));
  EXPECT_THAT(ProvenValue(bundle, "bbbb"), IsOkAndHolds(OldValue()));
}

TEST(ProofBundleTest, AnyBytesGiveABundleOrAnError) {
  EXPECT_THAT(DecodeBundle(""), HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(DecodeBundle("[]"), HasReason(ErrorReason::kInvalidProof));
  EXPECT_THAT(DecodeBundle(std::string(1 << 20, '[')), HasReason(ErrorReason::kInvalidProof));
  const std::string good = EncodeBundle(SmallBundle());
  EXPECT_THAT(DecodeBundle(absl::StrReplaceAll(good, {{"{", "{\"x\": \"[[[[[[[[[\\\"[[[[\", "}})),
              IsOk());  // brackets in a text are none
  for (const char* bomb : {"[[[[[[[[[", "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}"}) {
    std::string many;
    for (int i = 0; i < 100; ++i) absl::StrAppend(&many, bomb, bomb[0] == '{' ? "," : "");
    EXPECT_THAT(
        DecodeBundle(absl::StrCat("{\"x\": [", many, "0]}")).status(),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more elements or levels")));
  }
  EXPECT_THAT(DecodeBundle(absl::StrReplaceAll(good, {{"\"version\": 1", "\"version\": 2"}})),
              HasReason(ErrorReason::kFormatVersion));
  for (size_t size = 0; size + 2 < good.size(); ++size) {
    EXPECT_FALSE(DecodeBundle(good.substr(0, size)).ok()) << size;
  }
  Random random(7);
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    for (uint64_t flips = 1 + random.Uniform(3); flips > 0; --flips) {
      bad[random.Uniform(bad.size())] = static_cast<char>(random.Next());
    }
    const absl::StatusOr<ProofBundle> decoded = DecodeBundle(bad);
    if (decoded.ok()) (void)CheckBundle(*decoded, decoded->proof.start).ok();
  }
}

TEST(ProofBundleTest, MissingAndWrongFieldsAreNamed) {
  const std::string good = EncodeBundle(SmallBundle());
  for (const char* field : {"format", "version", "root", "key_length", "value_length",
                            "operations", "proof", "root_after", "operation_number"}) {
    const std::string name = std::string("\"") + field + "\":";
    EXPECT_THAT(DecodeBundle(absl::StrReplaceAll(good, {{name, "\"x\":"}})).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(field)))
        << field;
  }
}

}  // namespace
}  // namespace firn
