// One suite over all iterators: each shows what a std::map shows, in both directions.
#include <functional>
#include <string>
#include <vector>

#include "sstable/merging_iterator.h"
#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

// Keeps what an iterator stands on alive.
struct Subject {
  std::unique_ptr<MemoryFileSystem> file_system = std::make_unique<MemoryFileSystem>();
  std::unique_ptr<BlockCache> cache;
  std::unique_ptr<InternalIterator> iterator;
};

struct Kind {
  std::string name;
  std::function<Subject(const Model&, Random&)> make;
};

void PrintTo(const Kind& kind, std::ostream* os) { *os << kind.name; }

Subject MakeSegment(const Model& model, const SegmentOptions& options, size_t cache_size,
                    const SegmentReadOptions& read_options) {
  Subject subject;
  auto meta = WriteSegment(*subject.file_system, "s", model, options);
  EXPECT_OK(meta);
  subject.cache = std::make_unique<BlockCache>(cache_size);
  auto reader = SegmentReader::Open(*subject.file_system, "s", *meta, subject.cache.get());
  EXPECT_OK(reader);
  subject.iterator = (*reader)->NewIterator(read_options);  // keeps the reader alive
  return subject;
}

// The model dealt out at random to `parts` blocks, some of which may get nothing.
Subject MakeMerge(const Model& model, Random& random, size_t parts) {
  std::vector<Model> dealt(parts);
  for (const auto& entry : model) dealt[random.Uniform(parts)].insert(entry);
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  for (const Model& part : dealt) {
    if (part.empty()) {
      inputs.push_back(NewMergingIterator({}));
    } else {
      inputs.push_back(std::make_unique<OwningBlockIterator>(BuildBlock(part)));
    }
  }
  Subject subject;
  subject.iterator = NewMergingIterator(std::move(inputs));
  return subject;
}

// Neighbours stay together, so that one input wins many times in a row.
Subject MakeMergeOfStretches(const Model& model, Random& random, size_t parts) {
  std::vector<Model> dealt(parts);
  size_t part = 0;
  for (const auto& entry : model) {
    if (random.OneIn(20)) part = random.Uniform(parts);
    dealt[part].insert(entry);
  }
  std::vector<std::unique_ptr<InternalIterator>> inputs;
  for (const Model& one : dealt) {
    if (one.empty()) {
      inputs.push_back(NewMergingIterator({}));
    } else {
      inputs.push_back(std::make_unique<OwningBlockIterator>(BuildBlock(one)));
    }
  }
  Subject subject;
  subject.iterator = NewMergingIterator(std::move(inputs));
  return subject;
}

std::vector<Kind> Kinds() {
  const auto block = [](uint32_t restart_interval) {
    return [restart_interval](const Model& model, Random&) {
      Subject subject;
      subject.iterator = std::make_unique<OwningBlockIterator>(BuildBlock(model, restart_interval));
      return subject;
    };
  };
  const auto segment = [](SegmentOptions options, size_t cache_size, SegmentReadOptions read) {
    return
        [=](const Model& model, Random&) { return MakeSegment(model, options, cache_size, read); };
  };
  const auto merge = [](size_t parts) {
    return [parts](const Model& model, Random& random) { return MakeMerge(model, random, parts); };
  };
  const SegmentOptions small{.block_size = 128, .restart_interval = 3, .compression_threshold = 0};
  const SegmentOptions plain{.block_size = 300, .compression = CompressionKind::kNone};
  return {
      {"Block", block(16)},
      {"BlockOfRestartPoints", block(1)},
      {"BlockOfOneRestartPoint", block(10000)},
      {"Segment", segment({}, 1 << 20, {})},
      {"SegmentOfSmallBlocks", segment(small, 1 << 20, {})},
      {"SegmentOfSmallBlocksUncached", segment(small, 0, {})},
      {"SegmentWithoutReadAhead", segment(small, 0, {.readahead_max = 0})},
      {"SegmentWithShortReadAhead", segment(plain, 4000, {.readahead_max = 1000})},
      {"SegmentNotFillingTheCache", segment(plain, 1 << 20, {.cache = CacheUse::kProbe})},
      {"MergeOfOne", merge(1)},
      {"MergeOfTwo", merge(2)},
      {"MergeOfThree", merge(3)},
      {"MergeOfEleven", merge(11)},
      {"MergeOfStretches",
       [](const Model& model, Random& random) { return MakeMergeOfStretches(model, random, 5); }},
  };
}

class IteratorSuite : public testing::TestWithParam<Kind> {
 protected:
  static void ExpectAt(const InternalIterator& iterator, const Model& model,
                       Model::const_iterator expected) {
    ASSERT_OK(iterator.status());
    ASSERT_EQ(iterator.Valid(), expected != model.end());
    if (!iterator.Valid()) return;
    ASSERT_EQ(iterator.key(), expected->first);
    ASSERT_EQ(iterator.value(), expected->second);
  }
};

TEST_P(IteratorSuite, ShowsAllEntriesForward) {
  Random random(1);
  const Model model = RandomModel(random, 500);
  const Subject subject = GetParam().make(model, random);
  subject.iterator->SeekToFirst();
  for (auto expected = model.begin(); expected != model.end(); ++expected) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, expected));
    subject.iterator->Next();
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.end()));
}

// As a scan does: a run, a step, a run.
TEST_P(IteratorSuite, RunsShowAllEntriesForward) {
  Random random(5);
  const Model model = RandomModel(random, 500);
  const Subject subject = GetParam().make(model, random);
  subject.iterator->SeekToFirst();
  std::vector<EntryView> run(kRunMax);
  auto expected = model.begin();
  while (subject.iterator->Valid()) {
    const size_t taken = subject.iterator->TakeRun(absl::MakeSpan(run), "");
    for (size_t i = 0; i < taken; ++i, ++expected) {
      ASSERT_TRUE(expected != model.end());
      ASSERT_EQ(run[i].key, expected->first);
      ASSERT_EQ(run[i].value, expected->second);
    }
    ASSERT_EQ(subject.iterator->key(), std::prev(expected)->first);
    subject.iterator->Next();
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, expected));
}

TEST_P(IteratorSuite, ShowsAllEntriesBackward) {
  Random random(2);
  const Model model = RandomModel(random, 500);
  const Subject subject = GetParam().make(model, random);
  subject.iterator->SeekToLast();
  for (auto expected = model.rbegin(); expected != model.rend(); ++expected) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, std::prev(expected.base())));
    subject.iterator->Prev();
  }
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.end()));
}

TEST_P(IteratorSuite, HoldsOneEntry) {
  Random random(3);
  const Model model = RandomModel(random, 1);
  const Subject subject = GetParam().make(model, random);
  ASSERT_FALSE(subject.iterator->Valid());
  subject.iterator->SeekToLast();
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.begin()));
  subject.iterator->Prev();
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.end()));
  subject.iterator->SeekToFirst();
  subject.iterator->Next();
  ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.end()));
}

TEST_P(IteratorSuite, KeysLongerThanTheInlineBufferComeBackWhole) {
  Random random(4);
  Model model;
  for (int i = 0; i < 60; ++i) {
    std::string user_key(100 + random.Uniform(300), 'k');
    user_key += RandomKey(random, 200);
    model[Key(user_key, static_cast<uint64_t>(i))] = RandomValue(random, 50);
  }
  const Subject subject = GetParam().make(model, random);
  subject.iterator->SeekToFirst();
  for (auto expected = model.begin(); expected != model.end(); ++expected) {
    ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, expected));
    subject.iterator->Next();
  }
  for (const auto& [key, value] : model) {
    subject.iterator->Seek(key);
    ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, model.find(key)));
  }
}

// A key that is there, or near one, or anything.
std::string RandomTarget(const Model& model, Random& random) {
  std::string target = Key(RandomKey(random, 12), random.Uniform(600));
  if (random.OneIn(3)) return target;
  auto near = model.lower_bound(target);
  if (near == model.end()) near = model.begin();
  const std::string user_key(UserKeyOf(near->first));
  if (random.OneIn(2)) return near->first;
  return Key(user_key, random.Uniform(600));
}

// Takes a run, compares it, and moves `expected` to its last entry.
void TakeAndCompare(InternalIterator& iterator, const Model& model, Random& random,
                    Model::const_iterator& expected) {
  std::vector<EntryView> run(1 + random.Uniform(2 * kRunMax));
  std::string limit;
  if (random.OneIn(2)) limit = RandomTarget(model, random);
  const size_t taken = iterator.TakeRun(absl::MakeSpan(run), limit);
  ASSERT_GE(taken, 1u);
  ASSERT_LE(taken, run.size());
  for (size_t i = 0; i < taken; ++i, ++expected) {
    ASSERT_TRUE(expected != model.end());
    ASSERT_EQ(run[i].key, expected->first);
    ASSERT_EQ(run[i].value, expected->second);
    if (i > 0 && !limit.empty()) {
      ASSERT_LT(CompareInternalKeys(run[i].key, limit), 0);
    }
  }
  --expected;
}

TEST_P(IteratorSuite, AgreesWithTheModelAfterAnyMoves) {
  for (uint64_t seed = 100; seed < 112; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const Model model = RandomModel(random, 1 + random.Uniform(400));
    const Subject subject = GetParam().make(model, random);
    auto expected = model.end();
    for (int step = 0; step < 400; ++step) {
      const uint64_t move = expected == model.end() ? random.Uniform(3) : random.Uniform(24);
      if (move == 0) {
        subject.iterator->SeekToFirst();
        expected = model.begin();
      } else if (move == 1) {
        subject.iterator->SeekToLast();
        expected = std::prev(model.end());
      } else if (move <= 4) {
        const std::string target = RandomTarget(model, random);
        subject.iterator->Seek(target);
        expected = model.lower_bound(target);
      } else if (move <= 12) {
        subject.iterator->Next();
        ++expected;
      } else if (move > 19) {
        ASSERT_NO_FATAL_FAILURE(TakeAndCompare(*subject.iterator, model, random, expected));
      } else {
        subject.iterator->Prev();
        expected = expected == model.begin() ? model.end() : std::prev(expected);
      }
      ASSERT_NO_FATAL_FAILURE(ExpectAt(*subject.iterator, model, expected)) << "step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, IteratorSuite, testing::ValuesIn(Kinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace firn
