#include "tree/operation.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

constexpr TreeParameters kVariable{.key_length = 1};

std::string Number(int64_t value) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(value) >> (56 - 8 * i));
  }
  return bytes;
}

struct Outcome {
  Effect effect;
  std::string value;
};
absl::StatusOr<Outcome> RunOperation(const Operation& operation, const OldValue& old,
                                     const TreeParameters& parameters = kVariable) {
  std::string buffer;
  std::optional<absl::string_view> view;
  if (old.has_value()) view = *old;
  FIRN_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(operation, view, parameters, buffer));
  return Outcome{evaluation.effect, std::string(evaluation.value)};
}

TEST(OperationTest, KindsHaveTheNamesOfTheVectors) {
  EXPECT_EQ(OperationKindName(OperationKind::kInsertOrUpdate), "insertOrUpdate");
  EXPECT_EQ(OperationKindName(OperationKind::kUnknownModification), "unknown");
  EXPECT_EQ(OperationKindName(static_cast<OperationKind>(9)), "invalid");
}

TEST(OperationTest, DigestsGoToHexAndBack) {
  const std::string hex = "4ec61f485b98eb87153f7c57db4f5ecd75556fddbc403b41acf8441fde8e160907";
  ASSERT_OK_AND_ASSIGN(const Digest digest, Digest::FromHex(hex));
  EXPECT_EQ(digest.ToHex(), hex);
  EXPECT_EQ(digest.height(), 7);
  EXPECT_EQ(Digest::From(digest.label(), 7), digest);
  ASSERT_OK_AND_ASSIGN(
      const Digest upper,
      Digest::FromHex("4EC61F485B98EB87153F7C57DB4F5ECD75556FDDBC403B41ACF8441FDE8E160907"));
  EXPECT_EQ(upper, digest);
}

TEST(OperationTest, WhatIsNoDigestIsRefused) {
  EXPECT_THAT(Digest::FromHex(""), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(Digest::FromHex(std::string(64, 'a')), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(Digest::FromHex(std::string(65, 'a') + "g"),
              HasReason(ErrorReason::kInvalidArgument));
}

TEST(OperationTest, InsertFailsIfPresentAndUpdateIfAbsent) {
  EXPECT_THAT(RunOperation(Operation::Insert("k", "x"), "v"), HasReason(ErrorReason::kKeyExists));
  EXPECT_THAT(RunOperation(Operation::Update("k", "x"), std::nullopt),
              HasReason(ErrorReason::kKeyNotFound));
  EXPECT_THAT(RunOperation(Operation::Remove("k"), std::nullopt),
              HasReason(ErrorReason::kKeyNotFound));
  ASSERT_OK_AND_ASSIGN(const Outcome inserted,
                       RunOperation(Operation::Insert("k", "x"), std::nullopt));
  EXPECT_EQ(inserted.effect, Effect::kStore);
  EXPECT_EQ(inserted.value, "x");
  ASSERT_OK_AND_ASSIGN(const Outcome removed, RunOperation(Operation::Remove("k"), "v"));
  EXPECT_EQ(removed.effect, Effect::kRemove);
}

TEST(OperationTest, RemoveIfExistsAndUnknownDoNothingToAbsentKeys) {
  for (const Operation& operation :
       {Operation::RemoveIfExists("k"), Operation::UnknownModification("k"), Operation::Lookup("k"),
        Operation::UpdateLongBy("k", 0)}) {
    ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunOperation(operation, std::nullopt));
    EXPECT_EQ(outcome.effect, Effect::kNone) << OperationKindName(operation.kind);
  }
}

TEST(OperationTest, RewritingKeepsTheValueButCountsAsStored) {
  for (const Operation& operation :
       {Operation::UnknownModification("k"), Operation::UpdateLongBy("k", 0)}) {
    ASSERT_OK_AND_ASSIGN(const Outcome outcome, RunOperation(operation, "short"));
    EXPECT_EQ(outcome.effect, Effect::kStore);
    EXPECT_EQ(outcome.value, "short");
  }
}

TEST(OperationTest, AdditionsAddToTheFirstEightBytes) {
  ASSERT_OK_AND_ASSIGN(const Outcome fresh,
                       RunOperation(Operation::UpdateLongBy("k", 5), std::nullopt));
  EXPECT_EQ(fresh.value, Number(5));
  ASSERT_OK_AND_ASSIGN(const Outcome sum,
                       RunOperation(Operation::UpdateLongBy("k", -2), Number(7) + "rest"));
  EXPECT_EQ(sum.value, Number(5));
  ASSERT_OK_AND_ASSIGN(const Outcome zero,
                       RunOperation(Operation::UpdateLongBy("k", -7), Number(7)));
  EXPECT_EQ(zero.effect, Effect::kRemove);
  ASSERT_OK_AND_ASSIGN(const Outcome up, RunOperation(Operation::UpdateLongBy("k", 9), Number(-2)));
  EXPECT_EQ(up.value, Number(7));
}

TEST(OperationTest, AdditionsThatCannotBeStoredFail) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", -8), Number(7)),
              HasReason(ErrorReason::kOverflow));
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", kMost), Number(1)),
              HasReason(ErrorReason::kOverflow));
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", -1), Number(kLeast)),
              HasReason(ErrorReason::kOverflow));
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", -1), std::nullopt),
              HasReason(ErrorReason::kKeyNotFound));
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", 1), "1234567"),
              HasReason(ErrorReason::kIllegalValue));
  EXPECT_THAT(RunOperation(Operation::UpdateLongBy("k", 1), std::nullopt,
                           {.key_length = 1, .value_length = 9}),
              HasReason(ErrorReason::kIllegalValue));
}

TEST(OperationTest, ValuesOfWrongLengthAreRefusedWhereTheyWouldBeStored) {
  const TreeParameters fixed{.key_length = 1, .value_length = 2};
  EXPECT_THAT(RunOperation(Operation::InsertOrUpdate("k", "abc"), std::nullopt, fixed),
              HasReason(ErrorReason::kIllegalValue));
  EXPECT_THAT(RunOperation(Operation::Update("k", "a"), "xy", fixed),
              HasReason(ErrorReason::kIllegalValue));
}

TEST(OperationTest, AnUnknownKindIsRefused) {
  Operation operation = Operation::Lookup("k");
  operation.kind = static_cast<OperationKind>(77);
  EXPECT_THAT(RunOperation(operation, std::nullopt), HasReason(ErrorReason::kInvalidArgument));
}

}  // namespace
}  // namespace firn
