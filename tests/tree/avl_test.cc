#include "tree/avl.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/tree/map_resolver.h"
#include "tests/tree/random_operations.h"
#include "tree/prover.h"

namespace firn {
namespace {

using ::testing::HasSubstr;

TEST(DirectionBitsTest, TheFirstBitIsTheLeastSignificant) {
  DirectionBits bits;
  for (const bool left : {false, false, true}) bits.Append(left);
  EXPECT_EQ(bits.bytes(), std::vector<uint8_t>{0x04});
  for (int i = 0; i < 6; ++i) bits.Append(true);
  EXPECT_EQ(bits.bytes(), (std::vector<uint8_t>{0xfc, 0x01}));
  EXPECT_TRUE(bits.IsLeft(8));
  EXPECT_FALSE(bits.IsLeft(0));
}

TEST(DirectionBitsTest, TruncationClearsTheBitsAbove) {
  DirectionBits bits;
  for (int i = 0; i < 17; ++i) bits.Append(true);
  bits.Truncate(11);
  EXPECT_EQ(bits.bytes(), (std::vector<uint8_t>{0xff, 0x07}));
  bits.Append(false);
  EXPECT_EQ(bits.bytes(), (std::vector<uint8_t>{0xff, 0x07}));
  bits.Truncate(0);
  EXPECT_TRUE(bits.bytes().empty());
}

struct Shape {
  TreeParameters parameters;
  uint64_t keys;
};
constexpr Shape kShapes[] = {
    {{.key_length = 2}, 12},
    {{.key_length = 8, .value_length = 8}, 60},
    {{.key_length = 32, .value_length = 40}, 200},
    {{.key_length = 255}, 25},
};

TEST(AvlTest, BehavesAsAMapAndStaysBalancedAfterEveryOperation) {
  for (const Shape& shape : kShapes) {
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      SCOPED_TRACE(absl::StrCat("key length ", shape.parameters.key_length, " seed ", seed));
      Random random(seed);
      Model model;
      Prover prover(shape.parameters, EmptyTree(shape.parameters), 0, nullptr);
      for (int i = 0; i < 600; ++i) {
        const Operation operation = DrawOperation(random, shape.parameters, shape.keys);
        const absl::StatusOr<OldValue> expected = ApplyToModel(operation, shape.parameters, model);
        const absl::StatusOr<OldValue> found = prover.Apply(operation);
        ASSERT_EQ(found.status().code(), expected.status().code()) << found.status();
        if (found.ok()) {
          ASSERT_EQ(*found, *expected);
        }
        const AvlTree tree{.root = prover.root(), .height = prover.height()};
        ASSERT_THAT(CheckInvariants(tree, shape.parameters, nullptr), IsOk());
        if (random.OneIn(10)) prover.EndBatch();
      }
      for (const auto& [key, value] : model) {
        EXPECT_THAT(prover.Find(key), IsOkAndHolds(OldValue(value)));
      }
    }
  }
}

TEST(AvlTest, TreesGrowAndShrinkInSortedOrderWithinTheHeightBound) {
  const TreeParameters parameters{.key_length = 4, .value_length = 0};
  Prover prover(parameters, EmptyTree(parameters), 0, nullptr,
                {.recording = ProofRecording::kSkip});
  const auto key = [](uint32_t i) {
    return std::string{'\x01', static_cast<char>(i >> 16), static_cast<char>(i >> 8),
                       static_cast<char>(i)};
  };
  for (uint32_t i = 0; i < 5000; ++i)
    ASSERT_THAT(prover.Apply(Operation::Insert(key(i), "")), IsOk());
  EXPECT_LE(prover.height(), 18);  // 1.44 log2(5001)
  EXPECT_THAT(CheckInvariants({prover.root(), prover.height()}, parameters, nullptr), IsOk());
  for (uint32_t i = 5000; i-- > 0;) {
    ASSERT_THAT(prover.Apply(Operation::Remove(key(i))), IsOk());
    if (i % 1000 == 0) {
      ASSERT_THAT(CheckInvariants({prover.root(), prover.height()}, parameters, nullptr), IsOk());
    }
  }
  EXPECT_EQ(prover.digest().height(), 0);
  EXPECT_EQ(prover.digest(), EmptyTreeDigest(parameters));
}

class FindValueTest : public ::testing::Test {
 protected:
  FindValueTest() : prover_(kParameters, EmptyTree(kParameters), 0, nullptr) {
    for (const char* key : {"bb", "dd", "ff", "hh", "jj"}) {
      EXPECT_THAT(prover_.Apply(Operation::Insert(key, absl::StrCat("value of ", key))), IsOk());
    }
  }
  static constexpr TreeParameters kParameters{.key_length = 2};
  Prover prover_;
};

TEST_F(FindValueTest, FindsWhatIsThereAndNothingElse) {
  EXPECT_THAT(FindValue(prover_.root(), "dd", nullptr), IsOkAndHolds(OldValue("value of dd")));
  for (const absl::string_view absent :
       {absl::string_view("aa"), absl::string_view("ee"), absl::string_view("zz"),
        absl::string_view(""), absl::string_view("d"), absl::string_view("ddd"),
        absl::string_view("\0\0", 2), absl::string_view("\xff\xff")}) {
    EXPECT_THAT(FindValue(prover_.root(), absent, nullptr), IsOkAndHolds(OldValue()));
  }
}

TEST_F(FindValueTest, LoadsOnlyTheNodesOfThePath) {
  MapResolver resolver(kParameters);
  resolver.Store(prover_.root());
  EXPECT_THAT(FindValue(prover_.root().Unresolved(), "hh", &resolver),
              IsOkAndHolds(OldValue("value of hh")));
  EXPECT_LE(resolver.calls(), uint64_t{prover_.height()} + 1);
  resolver.FailAt(2);
  EXPECT_THAT(FindValue(prover_.root().Unresolved(), "hh", &resolver),
              StatusIs(absl::StatusCode::kUnavailable));
}

class InvariantsTest : public FindValueTest {
 protected:
  absl::Status Check(const ChildRef& root) {
    return CheckInvariants({root, prover_.height()}, kParameters, nullptr);
  }
  // The root with something else than it has.
  ChildRef Root(absl::string_view key, int8_t balance, ChildRef left, ChildRef right) {
    ChildRef root = ChildRef::WithoutLabel(
        Node::NewInternal(key, balance, std::move(left), std::move(right), 1), 0);
    CompleteLabels(root);
    return root;
  }
};

TEST_F(InvariantsTest, EveryKindOfDamageIsFound) {
  const ChildRef good = prover_.root();
  const Node& node = *good.node();
  ASSERT_THAT(Check(good), IsOk());
  EXPECT_THAT(CheckInvariants({good, prover_.height() + 1}, kParameters, nullptr),
              HasReason(ErrorReason::kCorruption));
  EXPECT_THAT(Check(ChildRef(good.node(), Label{}, 0)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("hash to its label")));
  const std::string key(node.key());
  EXPECT_THAT(Check(Root("zz", node.balance(), node.left(), node.right())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("routing key")));
  EXPECT_THAT(Check(Root(key, static_cast<int8_t>(node.balance() - 1), node.left(), node.right())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("balance")));
  EXPECT_THAT(Check(Root(key, node.balance(), node.right(), node.left())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("names as next")));
  EXPECT_THAT(Check(Root(key, 0, node.left(), ChildRef(Label{}, 0))),
              HasReason(ErrorReason::kMissingNode));
  EXPECT_THAT(Check(Root("z", 0, node.left(), node.right())),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("wrong length")));
  EXPECT_THAT(Check(node.left()), HasReason(ErrorReason::kCorruption));
}

TEST_F(InvariantsTest, ATreeThatIsTooDeepIsRefusedWithoutEndlessRecursion) {
  ChildRef spine = EmptyTree(kParameters);
  for (int depth = 0; depth < 100'000; ++depth) {
    spine = ChildRef::WithoutLabel(
        Node::NewInternal("bb", 0, std::move(spine), ChildRef(Label{}, 0), 1), 0);
  }
  CompleteLabels(spine);
  EXPECT_THAT(Check(spine), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("deeper")));
}

}  // namespace
}  // namespace firn
