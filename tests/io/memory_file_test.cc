#include "io/memory_file.h"

#include <set>
#include <string>

#include "base/random.h"
#include "gtest/gtest.h"
#include "tests/support/random_keys.h"

namespace firn {
namespace {

constexpr uint64_t kAll = ~uint64_t{0};

std::string Content(const PagedBytes& bytes) {
  std::string content(bytes.size(), '?');
  bytes.Read(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(content.data()), content.size()));
  return content;
}

std::string Content(const MemoryFile& file) {
  std::string content(file.size(), '?');
  EXPECT_TRUE(
      file.Read(0, absl::MakeSpan(reinterpret_cast<uint8_t*>(content.data()), content.size())));
  return content;
}

void Write(MemoryFile& file, uint64_t offset, absl::string_view bytes) {
  file.Write(offset, {AsBytes(bytes)}, kAll);
}

TEST(PagedBytes, BehavesAsAStringAndForksStayApart) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    PagedBytes bytes;
    std::string model;
    PagedBytes fork;
    std::string fork_model;
    for (int step = 0; step < 60; ++step) {
      const uint64_t offset = random.Uniform(5 * PagedBytes::kPageSize);
      if (random.OneIn(4)) {
        bytes.Resize(offset);
        model.resize(offset);
      } else {
        const std::string text = RandomBytes(random, random.Uniform(2 * PagedBytes::kPageSize));
        bytes.Write(offset, AsBytes(text));
        if (!text.empty() && model.size() < offset + text.size())
          model.resize(offset + text.size());
        if (!text.empty()) model.replace(offset, text.size(), text);
      }
      if (random.OneIn(10)) {
        fork = bytes.Fork();
        fork_model = model;
      }
      if (random.OneIn(5)) {
        fork.Write(10, AsBytes("fork"));
        if (fork_model.size() < 14) fork_model.resize(14);
        fork_model.replace(10, 4, "fork");
      }
      ASSERT_TRUE(Content(bytes) == model) << "seed " << seed << " step " << step;
      ASSERT_TRUE(Content(fork) == fork_model) << "seed " << seed << " step " << step;
    }
  }
}

TEST(MemoryFile, DropAllGivesWhatTheLastSyncCovered) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    MemoryFile file(1, MemoryFile::Tracking::kUnsyncedChanges);
    std::string durable;
    for (int step = 0; step < 40; ++step) {
      const uint64_t offset = random.Uniform(20'000);
      if (random.OneIn(4)) {
        file.Truncate(offset);
      } else {
        Write(file, offset, RandomBytes(random, random.Uniform(20'000)));
      }
      if (random.OneIn(6)) {
        file.Sync();
        durable = Content(file);
      }
      const std::string before = Content(file);
      ASSERT_TRUE(Content(*file.AfterCrash(random, Loss::kDropAll)) == durable) << "seed " << seed;
      ASSERT_TRUE(Content(*file.AfterCrash(random, Loss::kKeepAll)) == before) << "seed " << seed;
      ASSERT_TRUE(Content(file) == before) << "a crash changes nothing in the file that it met";
    }
  }
}

TEST(MemoryFile, AMixedCrashTearsAtSectorsAndKeepsWhatWasSynced) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    MemoryFile file(1, MemoryFile::Tracking::kUnsyncedChanges);
    Write(file, 0, std::string(2048, 'a'));
    file.Sync();
    Write(file, 600, std::string(1000, 'b'));  // parts of sectors 1 and 3, all of sector 2
    Random random(seed);
    const std::string found = Content(*file.AfterCrash(random, Loss::kMix));
    ASSERT_EQ(found.size(), 2048u);
    std::string shape;
    for (size_t i = 0; i < found.size(); ++i) {
      const bool touched = i >= 600 && i < 1600;
      ASSERT_TRUE(found[i] == 'a' || (touched && found[i] == 'b')) << i;
      if (i == 700 || i == 1030 || i == 1599) shape += found[i];
      // Within a sector all of the write is there, or nothing.
      if (touched && i > 600 && i % 512 != 0) {
        ASSERT_EQ(found[i], found[i - 1]) << i;
      }
    }
    outcomes.insert(shape);
  }
  EXPECT_EQ(outcomes.size(), 8u) << "every combination of the three sectors is met";
}

TEST(MemoryFile, AnUnsyncedAppendMayLeaveItsSizeWithoutItsBytes) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    MemoryFile file(1, MemoryFile::Tracking::kUnsyncedChanges);
    Write(file, 0, "durable");
    file.Sync();
    Write(file, 7, "tail");
    Random random(seed);
    outcomes.insert(Content(*file.AfterCrash(random, Loss::kMix)));
  }
  EXPECT_EQ(outcomes,
            (std::set<std::string>{"durable", "durabletail", std::string("durable\0\0\0\0", 11)}));
}

TEST(MemoryFile, AnUnsyncedTruncationIsDoneOrNot) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    MemoryFile file(1, MemoryFile::Tracking::kUnsyncedChanges);
    Write(file, 0, "0123456789");
    file.Sync();
    file.Truncate(4);
    Random random(seed);
    outcomes.insert(Content(*file.AfterCrash(random, Loss::kMix)));
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"0123456789", "0123"}));
}

TEST(MemoryFile, AForkCarriesTheUnsyncedChanges) {
  MemoryFile file(1, MemoryFile::Tracking::kUnsyncedChanges);
  Write(file, 0, "durable");
  file.Sync();
  Write(file, 0, "CHANGED");
  const auto fork = file.Fork();
  Write(*fork, 0, "X");
  file.Sync();
  Random random(0);
  EXPECT_EQ(Content(*fork), "XHANGED");
  EXPECT_EQ(Content(*fork->AfterCrash(random, Loss::kDropAll)), "durable");
  EXPECT_EQ(Content(*file.AfterCrash(random, Loss::kDropAll)), "CHANGED");
}

TEST(MemoryFile, WritesNoMoreThanTheLimit) {
  MemoryFile file(1, MemoryFile::Tracking::kNone);
  file.Write(0, {AsBytes("abc"), AsBytes("def")}, 4);
  EXPECT_EQ(Content(file), "abcd");
  file.Write(0, {AsBytes("abc")}, 0);
  Random random(0);
  EXPECT_EQ(Content(*file.AfterCrash(random, Loss::kDropAll)), "abcd") << "untracked is durable";
  uint8_t byte = 0;
  EXPECT_FALSE(file.Read(4, absl::MakeSpan(&byte, 1)));
  EXPECT_FALSE(file.Read(~uint64_t{0}, absl::MakeSpan(&byte, 1)));
}

}  // namespace
}  // namespace firn
