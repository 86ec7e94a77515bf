// One suite for all engines: each reads back what was written through it, in the same process and after
// reopening. What this build lacks is skipped with the reason.
#include "bench/peer.h"

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "bench/generator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn::bench {
namespace {

constexpr uint64_t kRecords = 2000;

class PeerTest : public ::testing::TestWithParam<EngineEntry> {
 protected:
  void SetUp() override {
    if (GetParam().open == nullptr) GTEST_SKIP() << GetParam().name << ": " << GetParam().why_absent;
  }

  absl::StatusOr<std::unique_ptr<Peer>> Open(bool synced = false, bool ascending = false) {
    PeerOptions options;
    options.path = folder_.File("store");
    options.cache = 1 << 20;
    options.memtable = 64 << 10;  // so that files are written
    options.log_size = 8 << 20;
    options.threads = 4;
    options.synced = synced;
    options.ascending_keys = ascending;
    options.data_size = 1 << 20;
    return GetParam().open(options);
  }

  static void Write(Session& session, Generator& generator, uint64_t begin, uint64_t end,
                    Sync sync = Sync::kBuffered) {
    for (uint64_t first = begin; first < end; first += 100) {
      for (uint64_t i = first; i < std::min(first + 100, end); ++i) {
        const std::string key(generator.Key(i));
        session.Put(key, generator.Value(i, 0));
      }
      ASSERT_OK(session.Commit(sync));
    }
  }

  static void ExpectAll(Session& session, Generator& generator, uint64_t count) {
    ReadResult result;
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_OK(session.Get(generator.Key(i), result));
      ASSERT_TRUE(result.found) << i;
      EXPECT_EQ(result.value, std::string(generator.Value(i, 0))) << i;
      ASSERT_OK(session.Get(generator.AbsentKey(i), result));
      EXPECT_FALSE(result.found) << i;
    }
  }

  TemporaryDirectory folder_;
};

TEST_P(PeerTest, ReadsBackWhatItWroteAlsoAfterReopening) {
  Generator generator({});
  {
    ASSERT_OK_AND_ASSIGN(const auto peer, Open());
    {
      ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
      Write(*session, generator, 0, kRecords);
      ExpectAll(*session, generator, kRecords);
    }
    ASSERT_OK(peer->Settle());
    ASSERT_OK(peer->Close());
  }
  ASSERT_OK_AND_ASSIGN(const auto peer, Open());
  {
    ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
    ExpectAll(*session, generator, kRecords);
  }
  EXPECT_OK(peer->Close());
}

TEST_P(PeerTest, SyncedCommitsOfSeveralThreadsAreAllThere) {
  {
    ASSERT_OK_AND_ASSIGN(const auto peer, Open(/*synced=*/true));
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&peer, i] {
        Generator generator({});
        ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
        Write(*session, generator, i * 250, (i + 1) * 250, Sync::kSynced);
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_OK(peer->Close());
  }
  Generator generator({});
  ASSERT_OK_AND_ASSIGN(const auto peer, Open(/*synced=*/true));
  {
    ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
    ExpectAll(*session, generator, 1000);
  }
  EXPECT_OK(peer->Close());
}

TEST_P(PeerTest, ReadsManyKeysAtOnce) {
  Generator generator({});
  ASSERT_OK_AND_ASSIGN(const auto peer, Open());
  {
    ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
    Write(*session, generator, 0, 500);
    std::vector<std::string> keys;
    for (uint64_t i = 0; i < 100; ++i) {
      keys.emplace_back(i % 3 == 0 ? generator.AbsentKey(i) : generator.Key(i * 5));
    }
    const std::vector<absl::string_view> views(keys.begin(), keys.end());
    std::vector<ReadResult> results(100);
    for (int round = 0; round < 2; ++round) {  // the results' memory is used again
      ASSERT_OK(session->MultiGet(views, absl::MakeSpan(results)));
      for (uint64_t i = 0; i < 100; ++i) {
        ASSERT_EQ(results[i].found, i % 3 != 0) << i;
        if (!results[i].found) continue;
        EXPECT_EQ(results[i].value, std::string(generator.Value(i * 5, 0))) << i;
      }
    }
  }
  EXPECT_OK(peer->Close());
}

TEST_P(PeerTest, ScansInKeyOrderFromWhereItIsTold) {
  Generator generator({.key = KeyKind::kSequence});
  ASSERT_OK_AND_ASSIGN(const auto peer, Open(false, /*ascending=*/true));
  {
    ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
    Write(*session, generator, 0, kRecords);
    const auto scan = [&](absl::string_view begin, uint64_t limit) {
      std::vector<std::string> keys;
      const absl::StatusOr<uint64_t> count = session->Scan(
          begin, limit, [&](absl::string_view key, absl::string_view value) {
            EXPECT_FALSE(value.empty());
            keys.emplace_back(key);
          });
      EXPECT_THAT(count, IsOkAndHolds(keys.size()));
      return keys;
    };
    const std::vector<std::string> all = scan("", UINT64_MAX);
    ASSERT_EQ(all.size(), kRecords);
    for (uint64_t i = 0; i < kRecords; ++i) EXPECT_EQ(all[i], std::string(generator.Key(i)));
    const std::string begin(generator.Key(1990));
    EXPECT_EQ(scan(begin, 5).size(), 5u);
    EXPECT_EQ(scan(begin, 5)[0], begin);
    EXPECT_EQ(scan(begin, 50).size(), 10u);
  }
  EXPECT_OK(peer->Close());
}

TEST_P(PeerTest, ALaterValueReplacesAnEarlierOne) {
  Generator generator({});
  ASSERT_OK_AND_ASSIGN(const auto peer, Open());
  {
    ASSERT_OK_AND_ASSIGN(const auto session, peer->NewSession());
    Write(*session, generator, 0, 100);
    const std::string key(generator.Key(42));
    session->Put(key, "another");
    ASSERT_OK(session->Commit(Sync::kBuffered));
    ReadResult result;
    ASSERT_OK(session->Get(key, result));
    EXPECT_EQ(result.value, "another");
  }
  EXPECT_OK(peer->Close());
}

TEST(EnginesTest, FirnIsFirstAndEveryEngineIsThereOrSaysWhyNot) {
  EXPECT_STREQ(Engines()[0].name, "firn");
  EXPECT_NE(Engines()[0].open, nullptr);
  EXPECT_EQ(Engines().size(), 11u);
  for (const EngineEntry& engine : Engines()) {
    EXPECT_EQ(FindEngine(engine.name), &engine);
    EXPECT_EQ(engine.open == nullptr, *engine.why_absent != '\0') << engine.name;
  }
  EXPECT_EQ(FindEngine("oracle"), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Engines, PeerTest, ::testing::ValuesIn(Engines().begin(), Engines().end()),
                         [](const auto& engine) {
                           std::string name = engine.param.name;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace firn::bench
