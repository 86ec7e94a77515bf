#include "bench/baseline.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn::bench {
namespace {

using ::testing::HasSubstr;

Comparison Figures(const char* metric, double firn, double peer) {
  Comparison comparison;
  comparison.job = "load";
  comparison.metric = metric;
  comparison.engines = {{"firn", {.count = 1, .median = firn, .min = firn, .max = firn}, {}},
                        {"lmdb",
                         {.count = 1, .median = peer, .min = peer, .max = peer},
                         {.count = 1, .median = firn / peer, .min = 0, .max = 0}}};
  return comparison;
}

std::string DocumentOf(const std::vector<Comparison>& comparisons) {
  Json document = {{"comparisons", Json::array()}};
  for (const Comparison& one : comparisons) document["comparisons"].push_back(ToJson(one));
  return document.dump();
}

TEST(BaselineTest, ALossBeyondTheToleranceIsARegressionInEitherDirectionOfAMetric) {
  const std::string before = DocumentOf({Figures("iops", 1000, 500), Figures("clat_p99", 100, 50)});
  const std::vector<Comparison> now = {Figures("iops", 850, 500), Figures("clat_p99", 105, 50)};
  ASSERT_OK_AND_ASSIGN(const auto rows, CompareWithBaseline(before, now, 10));
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_TRUE(rows[0].is_regression);
  EXPECT_NEAR(rows[0].loss_percent, 15, 1e-9);
  EXPECT_FALSE(rows[1].is_regression) << "the peer's own figure did not change";
  EXPECT_TRUE(rows[2].is_ratio && rows[2].is_regression);
  EXPECT_NEAR(rows[3].loss_percent, 5, 1e-9) << "more of a latency is a loss";
  EXPECT_FALSE(rows[3].is_regression);
  ASSERT_OK_AND_ASSIGN(const auto strict, CompareWithBaseline(before, now, 3));
  EXPECT_TRUE(strict[3].is_regression);
  EXPECT_THAT(BaselineText(rows, 10), HasSubstr("-15.0 %  WORSE"));
}

TEST(BaselineTest, APeerThatGotSlowerIsNoLossOfOurs) {
  const std::string before = DocumentOf({Figures("iops", 1000, 500)});
  ASSERT_OK_AND_ASSIGN(const auto rows,
                       CompareWithBaseline(before, std::vector<Comparison>{Figures("iops", 1000, 100)}, 10));
  for (const BaselineRow& row : rows) EXPECT_FALSE(row.is_regression) << row.engine;
}

TEST(BaselineTest, WhatIsNoDocumentOrOfOtherJobsIsRefused) {
  const std::vector<Comparison> now = {Figures("iops", 1, 1)};
  for (const char* const text : {"", "[]", "{", "{\"comparisons\": 3}", "{\"jobs\": []}"}) {
    EXPECT_THAT(CompareWithBaseline(text, now, 10),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no document")))
        << text;
  }
  for (const char* const text :
       {"{\"comparisons\": [1, {\"job\": 3}, {\"job\": \"load\", \"metric\": \"iops\", "
        "\"engines\": [{\"engine\": \"firn\", \"value\": 3}]}]}",
        "{\"comparisons\": [{\"job\": \"other\", \"metric\": \"iops\", \"engines\": []}]}"}) {
    EXPECT_THAT(CompareWithBaseline(text, now, 10),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no figure")))
        << text;
  }
}

}  // namespace
}  // namespace firn::bench
