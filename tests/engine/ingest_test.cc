#include "engine/ingest.h"

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/segment_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/fault_injecting_file_system.h"
#include "io/memory_file_system.h"
#include "sstable/sequence_key.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using testing::HasSubstr;
using Content = std::map<std::string, std::string>;
using Records = std::map<std::string, std::optional<std::string>>;

constexpr KeyspaceOptions kOrdered{.block_size = 512};
constexpr KeyspaceOptions kHashed{
    .layout = KeyspaceLayout::kHashed, .key_width = 8, .block_size = 512};
constexpr KeyspaceOptions kSequence{.layout = KeyspaceLayout::kSequence, .block_size = 512};

std::string KeyOf(uint64_t number) { return absl::StrCat("k", absl::Dec(number, absl::kZeroPad7)); }
std::string SequenceKeyOf(uint64_t number) {
  std::string key(kSequenceKeySize, '\0');
  StoreSequenceKey(key.data(), number);
  return key;
}

class IngestTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(store_.Open()); }

  // "load/<n>.seg" with `records`; none: a remove.
  std::string Build(const Records& records, const KeyspaceOptions& options = kOrdered) {
    const std::string path = absl::StrCat("load/", ++built_, ".seg");
    static_cast<void>(disk_.CreateDirectory("load"));
    auto builder = SegmentBuilder::Impl::Create(disk_, nullptr, path, options, 1000 + built_, 1);
    EXPECT_OK(builder);
    for (const auto& [key, value] : records) {
      EXPECT_OK(value.has_value() ? (*builder)->Put(key, *value) : (*builder)->Remove(key));
    }
    EXPECT_OK((*builder)->Finish());
    return path;
  }
  absl::Status Take(const Keyspace& keyspace, const std::vector<std::string>& paths,
                    IngestMode mode = IngestMode::kCopy) {
    return store_->IngestSegments(keyspace, paths, {.mode = mode}).status();
  }
  Keyspace Make(absl::string_view name, const KeyspaceOptions& options = kOrdered) {
    return store_->OpenOrCreateKeyspace(name, options).value();
  }
  void Put(const Keyspace& keyspace, absl::string_view key, absl::string_view value) {
    WriteBatch batch;
    batch.Put(keyspace, key, value);
    ASSERT_OK(store_->Write(batch, Durability::kBuffered));
  }
  std::vector<size_t> SegmentsByLevel(absl::string_view name) {
    std::vector<size_t> counts;
    for (const auto& keyspace : store_->statistics().keyspaces) {
      if (keyspace.name != name) continue;
      for (const auto& level : keyspace.levels) counts.push_back(level.segments);
    }
    return counts;
  }
  std::string FilesOf(absl::string_view folder) {
    return absl::StrJoin(disk_.List(folder).value(), " ");
  }

  MemoryFileSystem disk_;
  SteppedStore store_{disk_, 1};
  uint64_t built_ = 0;
};

TEST_F(IngestTest, AFileIsNewerThanWhatWasWrittenAndOlderThanWhatIsWrittenLater) {
  Keyspace keyspace = Make("a");
  Put(keyspace, "a", "old");
  Put(keyspace, "b", "old");
  Put(keyspace, "z", "old");
  Snapshot before = store_->TakeSnapshot();
  ASSERT_OK_AND_ASSIGN(const IngestReport report,
                       store_->IngestSegments(
                           keyspace, {Build({{"a", "new"}, {"b", std::nullopt}, {"c", "new"}})}, {}));
  EXPECT_EQ(report.segments, 1u);
  EXPECT_EQ(report.entries, 3u);
  EXPECT_EQ(report.first_sequence, 4u);
  EXPECT_EQ(report.last_sequence, 4u);
  EXPECT_EQ(store_->last_sequence(), 4u);
  Put(keyspace, "c", "newest");
  EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::Eq(
                                     Content{{"a", "new"}, {"c", "newest"}, {"z", "old"}})));
  EXPECT_EQ(store_.Get("a", "a"), "new");
  EXPECT_EQ(store_.Get("a", "b"), "(absent)");
  EXPECT_THAT(ReadAll(keyspace, before),
              IsOkAndHolds(testing::Eq(Content{{"a", "old"}, {"b", "old"}, {"z", "old"}})));
  ASSERT_OK(store_->Compact(keyspace, "", ""));
  EXPECT_THAT(ReadAll(keyspace, before),
              IsOkAndHolds(testing::Eq(Content{{"a", "old"}, {"b", "old"}, {"z", "old"}})));
  before = {};
  keyspace = {};
  ASSERT_OK(store_.Close());
  ASSERT_OK(store_.Open());
  EXPECT_THAT(ReadAll(Make("a")), IsOkAndHolds(testing::Eq(
                                      Content{{"a", "new"}, {"c", "newest"}, {"z", "old"}})));
  EXPECT_EQ(store_->last_sequence(), 5u);
}

TEST_F(IngestTest, TheFileStandsAsDeepAsNothingOverlapsIt) {
  const Keyspace keyspace = Make("a");
  ASSERT_OK(Take(keyspace, {Build({{"m", "1"}, {"p", "1"}})}));
  EXPECT_THAT(SegmentsByLevel("a"), testing::ElementsAre(0, 1, 0, 0, 0, 0, 0));
  ASSERT_OK(Take(keyspace, {Build({{"q", "1"}})}));
  EXPECT_THAT(SegmentsByLevel("a"), testing::ElementsAre(0, 2, 0, 0, 0, 0, 0));
  ASSERT_OK(Take(keyspace, {Build({{"n", "2"}})}));
  EXPECT_THAT(SegmentsByLevel("a"), testing::ElementsAre(1, 2, 0, 0, 0, 0, 0));
  EXPECT_EQ(store_.Get("a", "n"), "2");
  EXPECT_EQ(store_.Get("a", "m"), "1");
}

TEST_F(IngestTest, MemtablesAreFlushedFirstIfTheFileMeetsTheirKeys) {
  const Keyspace keyspace = Make("a");
  Put(keyspace, "b", "old");
  ASSERT_OK(Take(keyspace, {Build({{"m", "1"}})}));
  EXPECT_THAT(SegmentsByLevel("a"), testing::ElementsAre(0, 1, 0, 0, 0, 0, 0))
      << "they do not: nothing waits for a flush";
  Put(keyspace, "c", "old");
  ASSERT_OK(Take(keyspace, {Build({{"c", "new"}})}));
  EXPECT_EQ(store_.Get("a", "c"), "new");
  EXPECT_EQ(store_.Get("a", "b"), "old");
}

TEST_F(IngestTest, SeveralFilesComeTogetherAndTheLaterOneCounts) {
  for (const KeyspaceOptions& options : {kOrdered, kHashed}) {
    const Keyspace keyspace = Make(options.layout == KeyspaceLayout::kHashed ? "h" : "o", options);
    ASSERT_OK(Take(keyspace, {Build({{KeyOf(1), "1"}, {KeyOf(2), "1"}, {KeyOf(3), "1"}}, options),
                              Build({{KeyOf(2), "2"}, {KeyOf(3), std::nullopt}}, options),
                              Build({{KeyOf(9), "3"}}, options)}));
    const Content expected = {{KeyOf(1), "1"}, {KeyOf(2), "2"}, {KeyOf(9), "3"}};
    EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::Eq(expected)));
    ASSERT_OK(store_->Compact(keyspace, "", ""));
    EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::Eq(expected)));
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, store_->Verify(VerifyLevel::kBlocks));
    EXPECT_THAT(report.damage, testing::IsEmpty());
  }
}

TEST_F(IngestTest, ASequenceTakesFilesAboveItsLastKeyAlone) {
  Keyspace keyspace = Make("s", kSequence);
  Put(keyspace, SequenceKeyOf(5), "5");
  const std::string low = Build({{SequenceKeyOf(5), "x"}, {SequenceKeyOf(6), "x"}}, kSequence);
  EXPECT_THAT(Take(keyspace, {low}), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("key 5 is not above 5")));
  const std::string first = Build({{SequenceKeyOf(6), "6"}, {SequenceKeyOf(8), "8"}}, kSequence);
  const std::string second = Build({{SequenceKeyOf(9), "9"}}, kSequence);
  EXPECT_THAT(Take(keyspace, {second, first}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not above those of load/3.seg")));
  ASSERT_OK(Take(keyspace, {first, second}));
  WriteBatch batch;
  batch.Put(keyspace, SequenceKeyOf(9), "again");
  EXPECT_THAT(store_->Write(batch, Durability::kBuffered),
              StatusIs(absl::StatusCode::kInvalidArgument));
  Put(keyspace, SequenceKeyOf(10), "10");
  ASSERT_OK_AND_ASSIGN(const Content all, ReadAll(keyspace));
  EXPECT_EQ(all.size(), 5u);
  ASSERT_OK(store_->DropBelow(keyspace, SequenceKeyOf(9)));
  EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::SizeIs(2)));
  keyspace = {};
  ASSERT_OK(store_.Close());
  ASSERT_OK(store_.Open());
  EXPECT_THAT(ReadAll(Make("s", kSequence)), IsOkAndHolds(testing::SizeIs(2)));
}

TEST_F(IngestTest, WhatDoesNotFitIsRefusedByNameAndNothingChanges) {
  const Keyspace keyspace = Make("a");
  const std::string good = Build({{"a", "1"}});
  const auto refused = [&](const std::string& path, const char* why) {
    EXPECT_THAT(Take(keyspace, {good, path}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::AllOf(HasSubstr(path), HasSubstr(why))));
  };
  refused("load/none.seg", "no such file");
  refused(good, "given twice");
  refused(Build({{KeyOf(1), "1"}}, kHashed), "its layout is hashed, not ordered");
  refused(Build({{"a", "1"}}, {.block_size = 1024}), "its block_size is 1024, not 512");
  refused(Build({{"a", "1"}}, {.block_size = 512, .filter_bits_per_key = 3}),
          "filter_bits_per_key is 3, not 10");
  const Keyspace wide = Make("wide", {.layout = KeyspaceLayout::kHashed, .key_width = 9,
                                      .block_size = 512});
  EXPECT_THAT(Take(wide, {Build({{KeyOf(1), "1"}}, kHashed)}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("keys have 8 bytes, not 9")));
  Put(keyspace, "own", "1");
  ASSERT_OK(store_->Flush(keyspace));
  refused(JoinPath("store/a", FilesOf("store/a")), "a segment of a store");
  ASSERT_OK_AND_ASSIGN(const auto text, disk_.Create("load/text"));
  ASSERT_OK(text->Append(AsBytes(std::string(500, 'x'))));
  EXPECT_THAT(Take(keyspace, {good, "load/text"}), HasReason(ErrorReason::kNotAStore));
  EXPECT_EQ(store_->last_sequence(), 1u);
  EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::SizeIs(1)));
  ASSERT_OK(Take(keyspace, {good}));
  EXPECT_THAT(Take(Make("b"), {good}), StatusIs(absl::StatusCode::kInvalidArgument,
                                                HasSubstr("in the store already, as segment")));
}

TEST_F(IngestTest, ADamagedFileIsRefusedWhateverByteIsWrong) {
  const Keyspace keyspace = Make("a");
  Records records;
  for (int i = 0; i < 40; ++i) records[KeyOf(static_cast<uint64_t>(i))] = std::string(50, 'v');
  const std::string path = Build(records);
  ASSERT_OK_AND_ASSIGN(const std::string content, ReadWholeFile(disk_, path, 1 << 20));
  for (size_t at = 0; at < content.size(); at += 7) {
    std::string bad = content;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    ASSERT_OK(WriteFileAtomically(disk_, path, bad));
    const absl::Status status = Take(keyspace, {path});
    EXPECT_FALSE(status.ok()) << "byte " << at;
    EXPECT_THAT(std::string(status.message()), HasSubstr(path)) << "byte " << at;
  }
  ASSERT_OK(WriteFileAtomically(disk_, path, content.substr(0, content.size() / 2)));
  EXPECT_FALSE(Take(keyspace, {path}).ok());
  EXPECT_EQ(FilesOf("store/a"), "") << "nothing was left behind";
  ASSERT_OK(WriteFileAtomically(disk_, path, content));
  EXPECT_OK(Take(keyspace, {path}));
}

TEST_F(IngestTest, AKeyThatStandsTwiceInAHashedFileIsRefused) {
  const Keyspace keyspace = Make("h", kHashed);
  static_cast<void>(disk_.CreateDirectory("load"));
  ASSERT_OK_AND_ASSIGN(const auto builder, SegmentBuilder::Impl::Create(disk_, nullptr, "load/twice",
                                                                        kHashed, 5, 1));
  for (uint64_t i = 0; i < 3000; ++i) ASSERT_OK(builder->Put(KeyOf(i * 7919 % 3001), "1"));
  ASSERT_OK(builder->Remove(KeyOf(17)));
  ASSERT_OK(builder->Finish());
  EXPECT_THAT(Take(keyspace, {"load/twice"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a key stands twice in it")));
}

TEST_F(IngestTest, CopiesLinksOrMovesTheFiles) {
  const Keyspace keyspace = Make("a");
  const std::string copied = Build({{"a", "1"}});
  const std::string linked = Build({{"b", "1"}});
  const std::string moved = Build({{"c", "1"}});
  ASSERT_OK(Take(keyspace, {copied}, IngestMode::kCopy));
  ASSERT_OK(Take(keyspace, {linked}, IngestMode::kLink));
  ASSERT_OK(Take(keyspace, {moved}, IngestMode::kMove));
  EXPECT_EQ(FilesOf("load"), "1.seg 2.seg");
  ASSERT_OK(disk_.RemoveFile(linked));
  EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::SizeIs(3)));
  EXPECT_THAT(store_->IngestSegments(keyspace, {copied}, {.mode = IngestMode{9}}),
              HasReason(ErrorReason::kInvalidOption));
}

TEST_F(IngestTest, ATransactionThatReadOrWroteAKeyOfTheFileConflicts) {
  const Keyspace keyspace = Make("a");
  Put(keyspace, "in", "old");
  Put(keyspace, "out", "old");
  const auto begin = [&] {
    return store_->BeginTransaction({.isolation = Isolation::kSerializable}).value();
  };
  const auto reader = begin();
  const auto scanner = begin();
  const auto writer = begin();
  const auto bystander = begin();
  ASSERT_OK(reader->Get(keyspace, "in"));
  ASSERT_OK(reader->Put(keyspace, "reader", "1"));
  {
    const auto scan = scanner->NewIterator(keyspace, {.begin = "i", .limit = "j"});
    for (scan->SeekToFirst(); scan->Valid(); scan->Next()) {
    }
  }
  ASSERT_OK(scanner->Put(keyspace, "scanner", "1"));
  ASSERT_OK(writer->Put(keyspace, "in2", "1"));
  ASSERT_OK(bystander->Get(keyspace, "out"));
  ASSERT_OK(bystander->Put(keyspace, "bystander", "1"));
  ASSERT_OK(Take(keyspace, {Build({{"in", "new"}, {"in2", "new"}})}));
  EXPECT_THAT(reader->Commit(Durability::kBuffered), HasReason(ErrorReason::kConflict));
  EXPECT_THAT(scanner->Commit(Durability::kBuffered), HasReason(ErrorReason::kConflict));
  EXPECT_THAT(writer->Commit(Durability::kBuffered), HasReason(ErrorReason::kConflict));
  EXPECT_OK(bystander->Commit(Durability::kBuffered));
  const auto later = begin();
  EXPECT_THAT(later->Get(keyspace, "in").value().ToString(), "new");
  ASSERT_OK(later->Put(keyspace, "in", "newest"));
  EXPECT_OK(later->Commit(Durability::kBuffered));
}

TEST_F(IngestTest, TheSizeLimitOfTheKeyspaceCountsTheFiles) {
  KeyspaceOptions limited = kOrdered;
  limited.compression = Compression::kNone;
  limited.size_limit = 64 << 10;
  const Keyspace keyspace = Make("limited", limited);
  Records records;
  for (uint64_t i = 0; i < 40; ++i) records[KeyOf(i)] = std::string(1000, 'v');
  ASSERT_OK(Take(keyspace, {Build(records, limited)}));
  Records more;
  for (uint64_t i = 40; i < 80; ++i) more[KeyOf(i)] = std::string(1000, 'v');
  EXPECT_THAT(Take(keyspace, {Build(more, limited)}), HasReason(ErrorReason::kKeyspaceFull));
  EXPECT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::SizeIs(40)));
}

TEST_F(IngestTest, AHandleThatIsNoneAndADroppedKeyspaceAreRefused) {
  const Keyspace keyspace = Make("a");
  const std::string path = Build({{"a", "1"}});
  EXPECT_OK(Take(keyspace, {}));
  ASSERT_OK(store_->DropKeyspace("a"));
  EXPECT_THAT(Take(keyspace, {path}), HasReason(ErrorReason::kKeyspaceDropped));
  EXPECT_THAT(Take(Keyspace(), {path}), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Each operation of the disk fails once: the call says so and nothing is there, or all of it is.
TEST(IngestFaultTest, AFaultAnywhereLeavesAllOrNothing) {
  uint64_t refused = 0;
  for (uint64_t fail_at = 0;; ++fail_at) {
    MemoryFileSystem disk({.seed = fail_at});
    FaultInjectingFileSystem faulty(disk);
    SteppedStore store(faulty, 1);
    ASSERT_OK(store.Open());
    Keyspace keyspace = store->CreateKeyspace("a", kOrdered).value();
    ASSERT_OK(disk.CreateDirectory("load"));
    for (const char* const path : {"load/1", "load/2"}) {
      ASSERT_OK_AND_ASSIGN(const auto builder,
                           SegmentBuilder::Impl::Create(disk, nullptr, path, kOrdered,
                                                        static_cast<uint64_t>(path[5]), 1));
      ASSERT_OK(builder->Put(absl::StrCat("key", path), "new"));
      ASSERT_OK(builder->Put("shared", path));
      ASSERT_OK(builder->Finish());
    }
    ASSERT_OK(store.Put("a", "keyload/1", "old"));
    const size_t rule = faulty.AddRule({.skip = fail_at, .effect = FaultEffect::kFail});
    const auto taken = store->IngestSegments(keyspace, {"load/1", "load/2"}, {});
    const bool was_hit = faulty.hits(rule) > 0;
    faulty.ClearRules();
    const auto found = ReadAll(keyspace);
    ASSERT_OK(found);
    const Content none = {{"keyload/1", "old"}};
    const Content all = {{"keyload/1", "new"}, {"keyload/2", "new"}, {"shared", "load/2"}};
    EXPECT_EQ(*found, taken.ok() ? all : none) << "operation " << fail_at << ": " << taken.status();
    if (!taken.ok()) ++refused;
    keyspace = {};
    static_cast<void>(store.Close());
    ASSERT_OK(store.Open());
    const auto again = ReadAll(store->OpenKeyspace("a").value());
    ASSERT_OK(again);
    EXPECT_TRUE(*again == all || (!taken.ok() && *again == none)) << "operation " << fail_at;
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, store->Verify(VerifyLevel::kBlocks));
    EXPECT_THAT(report.damage, testing::IsEmpty());
    if (!was_hit) break;
  }
  EXPECT_GT(refused, 15u);
}

// A random life in all layouts: what is read is what a map says, at every snapshot.
TEST(IngestPropertyTest, AnyLifeWithIngestsReadsAsAMapDoes) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    MemoryFileSystem disk({.seed = seed});
    ASSERT_OK(disk.CreateDirectory("load"));
    SteppedStore store(disk, seed);
    ASSERT_OK(store.Open());
    Random random(seed);
    const KeyspaceOptions options = seed % 2 == 0 ? kHashed : kOrdered;
    Keyspace keyspace = store->CreateKeyspace("a", options).value();
    Content model;
    std::vector<std::pair<Snapshot, Content>> snapshots;
    uint64_t built = 0;
    const auto draw = [&](Records& records, Content& target) {
      const uint64_t first = random.Uniform(300);
      const uint64_t width = random.OneIn(2) ? 300 : 20;
      for (uint64_t i = random.Uniform(60) + 1; i > 0; --i) {
        const std::string key = KeyOf(first + random.Uniform(width));
        if (random.OneIn(4)) {
          records[key] = std::nullopt;
          target.erase(key);
        } else {
          records[key] = RandomBytes(random, random.Uniform(120));
          target[key] = *records[key];
        }
      }
    };
    for (int step = 0; step < 250; ++step) {
      const uint64_t choice = random.Uniform(10);
      if (choice < 3) {
        Records records;
        draw(records, model);
        WriteBatch batch;
        for (const auto& [key, value] : records) {
          value.has_value() ? batch.Put(keyspace, key, *value) : batch.Remove(keyspace, key);
        }
        ASSERT_OK(store->Write(batch, Durability::kBuffered));
      } else if (choice < 5) {
        std::vector<std::string> paths;
        for (uint64_t files = random.Uniform(3); files < 3; ++files) {
          Records records;
          draw(records, model);
          paths.push_back(absl::StrCat("load/", ++built));
          ASSERT_OK_AND_ASSIGN(const auto builder,
                               SegmentBuilder::Impl::Create(disk, nullptr, paths.back(), options,
                                                            random.Next(), 1));
          for (const auto& [key, value] : records) {
            ASSERT_OK(value.has_value() ? builder->Put(key, *value) : builder->Remove(key));
          }
          ASSERT_OK(builder->Finish());
        }
        ASSERT_OK(store->IngestSegments(keyspace, paths, {.mode = IngestMode::kMove}));
      } else if (choice == 5) {
        ASSERT_OK(random.OneIn(2) ? store->Flush(keyspace) : store->Compact(keyspace, "", ""));
      } else if (choice == 6) {
        if (snapshots.size() < 3) {
          snapshots.emplace_back(store->TakeSnapshot(), model);
        } else {
          snapshots.clear();
        }
      } else if (choice == 7 && random.OneIn(3)) {
        snapshots.clear();
        keyspace = {};
        ASSERT_OK(store.Close());
        ASSERT_OK(store.Open());
        keyspace = store->OpenKeyspace("a").value();
      } else {
        static_cast<void>(store.executor().Step());
      }
      if (step % 10 != 0) continue;
      ASSERT_THAT(ReadAll(keyspace), IsOkAndHolds(testing::Eq(model))) << "step " << step;
      for (const auto& [snapshot, content] : snapshots) {
        ASSERT_THAT(ReadAll(keyspace, snapshot), IsOkAndHolds(testing::Eq(content)))
            << "step " << step;
      }
      for (int i = 0; i < 20; ++i) {
        const std::string key = KeyOf(random.Uniform(600));
        const auto found = keyspace.Get(key);
        ASSERT_EQ(found.ok(), model.count(key) > 0) << "step " << step << " " << key;
        if (found.ok()) {
          ASSERT_EQ(found->view(), model.at(key));
        }
      }
    }
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, store->Verify(VerifyLevel::kBlocks));
    EXPECT_THAT(report.damage, testing::IsEmpty());
    snapshots.clear();
    keyspace = {};
  }
}

}  // namespace
}  // namespace firn
