// Damage of every kind to a small segment: an error or the right answer, never a wrong one, never a
// crash; and what Open() and reads cannot see, Verify() does.
#include <functional>
#include <string>

#include "tests/sstable/segment_support.h"

namespace firn {
namespace {

class CorruptionTest : public testing::Test {
 protected:
  void SetUp() override {
    Random random(30);
    model_ = RandomModel(random, 60, 60);
    options_ = {.block_size = 256, .restart_interval = 4, .compression_threshold = 200};
    ASSERT_OK_AND_ASSIGN(meta_, WriteSegment(file_system_, "s", model_, options_));
    content_ = ReadAll(file_system_, "s");
  }

  static bool IsDamage(const absl::Status& status) {
    return status.code() == absl::StatusCode::kDataLoss ||
           ReasonOf(status) == ErrorReason::kFormatVersion;
  }

  // Asks everything of a damaged file. True if anything reported the damage.
  bool Explore(absl::string_view content) {
    WriteAll(file_system_, "s", content);
    const auto reader = SegmentReader::Open(file_system_, "s", meta_, nullptr);
    if (!reader.ok()) {
      EXPECT_TRUE(IsDamage(reader.status())) << reader.status();
      return true;
    }
    bool reported = false;
    for (const auto& [key, value] : model_) {
      const auto found = (*reader)->Get(UserKeyOf(key), SequenceOf(key));
      if (!found.ok()) {
        EXPECT_TRUE(IsDamage(found.status())) << found.status();
        reported = true;
        continue;
      }
      EXPECT_TRUE(found->has_value());
      if (!found->has_value()) continue;
      EXPECT_EQ((*found)->value, value);
      EXPECT_EQ((*found)->sequence, SequenceOf(key));
      EXPECT_EQ((*found)->kind, KindOf(key));
    }
    const auto iterator = (*reader)->NewIterator();
    auto expected = model_.begin();
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++expected) {
      if (expected == model_.end()) {
        ADD_FAILURE() << "more entries than there are";
        break;
      }
      EXPECT_EQ(iterator->key(), expected->first);
      EXPECT_EQ(iterator->value(), expected->second);
    }
    EXPECT_EQ(iterator->status().ok(), expected == model_.end());
    reported = reported || !iterator->status().ok();
    const SegmentReport report = (*reader)->Verify();
    EXPECT_EQ(report.problems.empty(), !reported);
    return reported || !report.problems.empty();
  }

  MemoryFileSystem file_system_{{.track_unsynced = false}};
  Model model_;
  SegmentOptions options_;
  SegmentMeta meta_;
  std::string content_;
};

TEST_F(CorruptionTest, TheGoodFileIsGood) { EXPECT_FALSE(Explore(content_)); }

TEST_F(CorruptionTest, AnyByteChangedIsReported) {
  for (size_t i = 0; i < content_.size(); ++i) {
    std::string bad = content_;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    ASSERT_TRUE(Explore(bad)) << "byte " << i;
    if (HasFailure()) FAIL() << "byte " << i;
  }
}

TEST_F(CorruptionTest, AnyTruncationIsReported) {
  for (size_t size = 0; size < content_.size(); size += size + 100 < content_.size() ? 7 : 1) {
    ASSERT_TRUE(Explore(content_.substr(0, size))) << "size " << size;
  }
  EXPECT_TRUE(Explore(content_ + std::string(1, '\0')));
}

TEST_F(CorruptionTest, ZeroedSectorsAreReported) {
  for (size_t begin = 0; begin < content_.size(); begin += 512) {
    std::string bad = content_;
    const size_t size = std::min<size_t>(512, bad.size() - begin);
    bad.replace(begin, size, size, '\0');
    ASSERT_TRUE(Explore(bad)) << "sector at " << begin;
  }
}

TEST_F(CorruptionTest, BlocksThatChangedPlacesAreReported) {
  // Fixed-size entries, so that blocks have one size and can be exchanged.
  model_.clear();
  for (int i = 0; i < 100; ++i) model_[Key(absl::StrCat(100 + i), 1)] = absl::StrCat("v", 100 + i);
  ASSERT_OK(file_system_.RemoveFile("s"));
  ASSERT_OK_AND_ASSIGN(meta_,
                       WriteSegment(file_system_, "s", model_,
                                    {.block_size = 256, .compression = CompressionKind::kNone}));
  content_ = ReadAll(file_system_, "s");
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system_, "s", meta_, nullptr));
  const auto blocks = reader->Blocks();
  const BlockHandle a = blocks[1].handle;
  const BlockHandle b = blocks[3].handle;
  ASSERT_EQ(a.size, b.size);
  std::string bad = content_;
  const size_t whole = a.size + kBlockTrailerSize;
  bad.replace(a.offset, whole, content_.substr(b.offset, whole));
  bad.replace(b.offset, whole, content_.substr(a.offset, whole));
  EXPECT_TRUE(Explore(bad));
}

TEST_F(CorruptionTest, AFileReplacedByAnotherOfTheSameNameIsReported) {
  ASSERT_OK(WriteSegment(file_system_, "other", model_, options_, meta_.id + 1));
  const std::string other = ReadAll(file_system_, "other");
  ASSERT_EQ(other.size(), content_.size());
  EXPECT_TRUE(Explore(other));
  EXPECT_THAT(SegmentReader::Open(file_system_, "s", meta_, nullptr).status(),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("segment id")));
}

TEST_F(CorruptionTest, ABlockOfAnotherSegmentAtTheSamePlaceIsReported) {
  ASSERT_OK(WriteSegment(file_system_, "other", model_, options_, meta_.id + 1));
  const std::string other = ReadAll(file_system_, "other");
  ASSERT_OK_AND_ASSIGN(const auto reader, SegmentReader::Open(file_system_, "s", meta_, nullptr));
  const BlockHandle handle = reader->Blocks()[2].handle;
  std::string bad = content_;
  const size_t whole = handle.size + kBlockTrailerSize;
  bad.replace(handle.offset, whole, other.substr(handle.offset, whole));
  EXPECT_TRUE(Explore(bad));
}

TEST_F(CorruptionTest, NoiseIsReported) {
  Random random(31);
  for (int round = 0; round < 200; ++round) {
    std::string bad = content_;
    const size_t begin = random.Uniform(bad.size());
    const size_t size = std::min<size_t>(1 + random.Uniform(300), bad.size() - begin);
    std::string noise = RandomBytes(random, size);
    noise[0] = static_cast<char>(bad[begin] ^ 1);  // differs for certain
    bad.replace(begin, size, noise);
    ASSERT_TRUE(Explore(bad)) << "round " << round;
  }
}

}  // namespace
}  // namespace firn
