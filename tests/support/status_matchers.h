// tests/support/status_matchers.h: GoogleTest matchers for absl::Status and absl::StatusOr.
//
//   EXPECT_THAT(file.Sync(), IsOk());
//   EXPECT_THAT(reader.Next(), IsOkAndHolds(Eq("payload")));
//   EXPECT_THAT(Open(path), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("offset 12")));
//   EXPECT_THAT(Open(path), HasReason(ErrorReason::kCorruption));
//   ASSERT_OK_AND_ASSIGN(auto file, Open(path));
#ifndef FIRN_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define FIRN_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace firn {
namespace testing_internal {

using ::firn::status_internal::AsStatus;

inline std::string MessageOf(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

template <typename ValueMatcher>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(ValueMatcher inner) : inner_(std::move(inner)) {}

  template <typename Result>
  operator ::testing::Matcher<Result>() const {  // NOLINT(google-explicit-constructor)
    return ::testing::Matcher<Result>(new Impl<Result>(inner_));
  }

 private:
  template <typename Result>
  class Impl : public ::testing::MatcherInterface<Result> {
   public:
    using Value = typename std::decay_t<Result>::value_type;
    explicit Impl(const ValueMatcher& inner)
        : inner_(::testing::SafeMatcherCast<const Value&>(inner)) {}

    void DescribeTo(std::ostream* os) const override {
      *os << "is OK and holds a value that ";
      inner_.DescribeTo(os);
    }
    void DescribeNegationTo(std::ostream* os) const override {
      *os << "is an error or holds a value that ";
      inner_.DescribeNegationTo(os);
    }
    bool MatchAndExplain(Result result, ::testing::MatchResultListener* listener) const override {
      if (!result.ok()) {
        *listener << "which is " << result.status().ToString();
        return false;
      }
      return inner_.MatchAndExplain(*result, listener);
    }

   private:
    const ::testing::Matcher<const Value&> inner_;
  };

  const ValueMatcher inner_;
};

}  // namespace testing_internal

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status& status = testing_internal::AsStatus(arg);
  if (!status.ok()) *result_listener << "which is " << status.ToString();
  return status.ok();
}

MATCHER_P(StatusIs, code,
          std::string(negation ? "has not" : "has") + " code " + absl::StatusCodeToString(code)) {
  const absl::Status& status = testing_internal::AsStatus(arg);
  *result_listener << "which is " << status.ToString();
  return status.code() == code;
}

MATCHER_P2(StatusIs, code, message_matcher,
           std::string(negation ? "has not" : "has") + " code " + absl::StatusCodeToString(code) +
               " and a message that " +
               ::testing::DescribeMatcher<const std::string&>(message_matcher, negation)) {
  const absl::Status& status = testing_internal::AsStatus(arg);
  *result_listener << "which is " << status.ToString();
  return status.code() == code &&
         ::testing::ExplainMatchResult(
             ::testing::SafeMatcherCast<const std::string&>(message_matcher),
             testing_internal::MessageOf(status), result_listener);
}

MATCHER_P(HasReason, reason,
          std::string(negation ? "has not" : "has") + " reason " +
              std::string(ErrorReasonName(reason).data(), ErrorReasonName(reason).size())) {
  const absl::Status& status = testing_internal::AsStatus(arg);
  *result_listener << "which is " << status.ToString();
  return ReasonOf(status) == reason;
}

template <typename ValueMatcher>
testing_internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>> IsOkAndHolds(
    ValueMatcher&& value_matcher) {
  return testing_internal::IsOkAndHoldsMatcher<std::decay_t<ValueMatcher>>(
      std::forward<ValueMatcher>(value_matcher));
}

}  // namespace firn

#define ASSERT_OK(expression) ASSERT_THAT(expression, ::firn::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT(expression, ::firn::IsOk())

#define ASSERT_OK_AND_ASSIGN(target, expression) \
  FIRN_ASSERT_OK_AND_ASSIGN_INNER(FIRN_STATUS_CONCAT(firn_test_result_, __LINE__), target, expression)
#define FIRN_ASSERT_OK_AND_ASSIGN_INNER(result, target, expression)       \
  auto result = (expression);                                             \
  ASSERT_TRUE(result.ok()) << #expression << ": " << result.status();     \
  target = std::move(result).value()

#endif  // FIRN_TESTS_SUPPORT_STATUS_MATCHERS_H_
