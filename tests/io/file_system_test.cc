// The contract of io/file_system.h, asked of every implementation.
#include "io/file_system.h"

#include <unistd.h>

#include <atomic>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/aligned_buffer.h"
#include "tests/io/file_systems_under_test.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileSystemContract : public ::testing::TestWithParam<FileSystemUnderTest> {
 protected:
  FileSystemContract() : rig_(GetParam().make()) {}

  FileSystem& fs() { return rig_->file_system(); }
  std::string Path(absl::string_view name) { return JoinPath(rig_->root(), name); }
  void Fill(absl::string_view name, absl::string_view content) {
    ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path(name)));
    ASSERT_THAT(file->Append(AsBytes(content)), IsOk());
    ASSERT_THAT(file->Close(), IsOk());
  }
  std::string Content(absl::string_view name) {
    auto content = ReadWholeFile(fs(), Path(name), uint64_t{1} << 30);
    return content.ok() ? *content : std::string(content.status().ToString());
  }

 private:
  std::unique_ptr<FileSystemRig> rig_;
};

INSTANTIATE_TEST_SUITE_P(AllFileSystems, FileSystemContract,
                         ::testing::ValuesIn(FileSystemsUnderTest()),
                         [](const auto& instance) { return instance.param.name; });

absl::Span<uint8_t> Mutable(std::string& text) {
  return absl::MakeSpan(reinterpret_cast<uint8_t*>(text.data()), text.size());
}

TEST_P(FileSystemContract, ReadsWhatWasWritten) {
  Fill("a", "hello, world");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  EXPECT_EQ(file->size(), 12u);
  EXPECT_EQ(file->path(), Path("a"));
  std::string target(5, '?');
  EXPECT_THAT(file->Read(7, Mutable(target)), IsOk());
  EXPECT_EQ(target, "world");
}

TEST_P(FileSystemContract, ReadPastTheEndIsOutOfRangeAndNamesPathAndOffset) {
  Fill("a", "0123456789");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  std::string target(4, '?');
  const absl::Status status = file->Read(8, Mutable(target));
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("a")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("offset 10"));
  EXPECT_TRUE(absl::IsOutOfRange(file->Read(1000, Mutable(target))));
  EXPECT_THAT(file->Read(10, {}), IsOk());
}

TEST_P(FileSystemContract, WritesPiecesOneAfterTheOther) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  std::string expected;
  std::vector<std::string> texts;
  std::vector<ByteSpan> pieces;
  for (int i = 0; i < 3000; ++i) texts.push_back(absl::StrCat(i % 7 == 0 ? "" : "piece", i, ";"));
  for (const std::string& text : texts) {
    pieces.push_back(AsBytes(text));
    expected += text;
  }
  pieces.push_back({});
  ASSERT_THAT(file->Write(3, pieces), IsOk());
  EXPECT_EQ(file->size(), 3 + expected.size());
  EXPECT_EQ(Content("a"), std::string(3, '\0') + expected);
  ASSERT_THAT(file->WriteAndSync(0, {AsBytes("abc")}), IsOk());
  ASSERT_THAT(file->WriteAndSync(file->size(), pieces), IsOk());
  EXPECT_EQ(Content("a"), "abc" + expected + expected);
  EXPECT_THAT(file->Close(), IsOk());
}

TEST_P(FileSystemContract, EmptyWritesChangeNothing) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a")));
  EXPECT_THAT(file->Write(0, {}), IsOk());
  EXPECT_THAT(file->WriteAndSync(0, {}), IsOk());
  EXPECT_THAT(file->WriteAndSync(0, {ByteSpan()}), IsOk());
  EXPECT_EQ(file->size(), 0u);
}

TEST_P(FileSystemContract, ReadManyGivesEachRequestItsStatus) {
  Random random(1);
  const std::string content = RandomBytes(random, 300'000);
  Fill("a", content);
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  // More requests than any ring has entries, in no order, overlapping, some past the end.
  std::vector<std::string> targets(500);
  std::vector<ReadRequest> requests(targets.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    targets[i].resize(random.Uniform(9000));
    requests[i].offset = random.Uniform(content.size() - targets[i].size());
    if (i % 50 == 7) requests[i].offset = content.size() - targets[i].size() / 2;
    requests[i].target = Mutable(targets[i]);
  }
  targets[7].resize(100);
  requests[7] = {.offset = content.size() - 50, .target = Mutable(targets[7]), .status = {}};
  EXPECT_TRUE(absl::IsOutOfRange(file->ReadMany(absl::MakeSpan(requests))));
  for (size_t i = 0; i < requests.size(); ++i) {
    if (requests[i].offset + targets[i].size() > content.size()) {
      EXPECT_TRUE(absl::IsOutOfRange(requests[i].status)) << i << " " << requests[i].status;
    } else {
      EXPECT_THAT(requests[i].status, IsOk()) << i;
      EXPECT_TRUE(targets[i] == content.substr(requests[i].offset, targets[i].size())) << i;
    }
  }
  EXPECT_THAT(file->ReadMany({}), IsOk());
}

TEST_P(FileSystemContract, ADirectReadGivesTheSameBytesWhateverItsPlaceAndSize) {
  Random random(2);
  for (const size_t size : {size_t{1}, size_t{511}, size_t{512}, size_t{40'000}, size_t{65'536}}) {
    const std::string content = RandomBytes(random, size);
    Fill("a", content);
    ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForDirectRead(Path("a")));
    EXPECT_EQ(file->size(), size);
    std::vector<std::string> targets(150);
    std::vector<ReadRequest> requests(targets.size());
    for (size_t i = 0; i < requests.size(); ++i) {
      const uint64_t offset = random.Uniform(size + 1);
      targets[i].resize(random.Uniform(size - offset + 1));
      requests[i] = {.offset = offset, .target = Mutable(targets[i]), .status = {}};
      std::string alone(targets[i].size(), '?');
      EXPECT_THAT(file->Read(offset, Mutable(alone)), IsOk());
      EXPECT_TRUE(alone == content.substr(offset, alone.size())) << size << " at " << offset;
    }
    EXPECT_THAT(file->ReadMany(absl::MakeSpan(requests)), IsOk());
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_TRUE(targets[i] == content.substr(requests[i].offset, targets[i].size())) << i;
    }
    std::string beyond(2, '?');
    EXPECT_TRUE(absl::IsOutOfRange(file->Read(size - 1, Mutable(beyond))));
    EXPECT_TRUE(absl::IsOutOfRange(file->Read(size + 5000, Mutable(beyond))));
    std::vector<ReadRequest> past = {{.offset = 0, .target = Mutable(targets[0]).first(0), .status = {}},
                                     {.offset = size - 1, .target = Mutable(beyond), .status = {}},
                                     {.offset = size + 9999, .target = Mutable(beyond), .status = {}}};
    EXPECT_TRUE(absl::IsOutOfRange(file->ReadMany(absl::MakeSpan(past))));
    EXPECT_THAT(past[0].status, IsOk());
    EXPECT_TRUE(absl::IsOutOfRange(past[1].status));
    EXPECT_TRUE(absl::IsOutOfRange(past[2].status));
    ASSERT_THAT(fs().RemoveFile(Path("a")), IsOk());
  }
  EXPECT_TRUE(absl::IsNotFound(fs().OpenForDirectRead(Path("nothing")).status()));
}

TEST_P(FileSystemContract, ReadTogetherReadsEachOfItsOwnFile) {
  Random random(3);
  std::vector<std::string> contents;
  std::vector<std::unique_ptr<RandomAccessFile>> files;
  for (size_t i = 0; i < 5; ++i) {
    const std::string name = absl::StrCat("file", i);
    contents.push_back(RandomBytes(random, 20'000 + 1000 * i));
    Fill(name, contents.back());
    ASSERT_OK_AND_ASSIGN(auto file, i % 2 == 0 ? fs().OpenForRead(Path(name))
                                               : fs().OpenForDirectRead(Path(name)));
    files.push_back(std::move(file));
  }
  std::vector<std::string> targets(300);
  std::vector<FileRead> reads(targets.size());
  for (size_t i = 0; i < reads.size(); ++i) {
    reads[i].file = files[random.Uniform(files.size())].get();
    targets[i].resize(random.Uniform(5000));
    reads[i].request = {.offset = i == 17 ? 30'000 : random.Uniform(15'000),
                        .target = Mutable(targets[i]),
                        .status = {}};
  }
  targets[17].resize(10);
  reads[17].request.target = Mutable(targets[17]);
  EXPECT_TRUE(absl::IsOutOfRange(files[0]->ReadTogether(absl::MakeSpan(reads))));
  for (size_t i = 0; i < reads.size(); ++i) {
    const ReadRequest& request = reads[i].request;
    if (i == 17) {
      EXPECT_TRUE(absl::IsOutOfRange(request.status));
      continue;
    }
    EXPECT_THAT(request.status, IsOk());
    const auto at = std::find_if(files.begin(), files.end(),
                                 [&](const auto& file) { return file.get() == reads[i].file; });
    const std::string& content = contents[static_cast<size_t>(at - files.begin())];
    EXPECT_TRUE(targets[i] == content.substr(request.offset, targets[i].size())) << i;
  }
  EXPECT_THAT(files[0]->ReadTogether({}), IsOk());
}

TEST_P(FileSystemContract, ReadManyClearsAnOldStatus) {
  Fill("a", "0123456789");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  std::vector<std::string> targets = {"??", "??", ""};
  std::vector<ReadRequest> requests(3);
  for (size_t i = 0; i < 3; ++i) {
    requests[i] = {.offset = i * 4,
                   .target = Mutable(targets[i]),
                   .status = absl::InternalError("of an earlier use")};
  }
  EXPECT_THAT(file->ReadMany(absl::MakeSpan(requests)), IsOk());
  EXPECT_THAT(targets, ElementsAre("01", "45", ""));
  for (const ReadRequest& request : requests) EXPECT_THAT(request.status, IsOk());
}

TEST_P(FileSystemContract, OpenFilesSeeAppendsButKeepTheirSize) {
  Fill("a", "0123");
  ASSERT_OK_AND_ASSIGN(auto reader, fs().OpenForRead(Path("a")));
  ASSERT_OK_AND_ASSIGN(auto writer, fs().OpenForWrite(Path("a")));
  EXPECT_EQ(writer->size(), 4u);
  ASSERT_THAT(writer->Append(AsBytes("4567")), IsOk());
  EXPECT_EQ(reader->size(), 4u);
  std::string target(4, '?');
  EXPECT_THAT(reader->Read(4, Mutable(target)), IsOk());
  EXPECT_EQ(target, "4567");
}

TEST_P(FileSystemContract, CreateRefusesATakenName) {
  Fill("a", "old");
  EXPECT_THAT(fs().Create(Path("a")), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Content("a"), "old");
  EXPECT_THAT(fs().Create(Path("no/such/folder")), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(FileSystemContract, AbsentNamesAreNotFoundAndTheErrorNamesThem) {
  for (const absl::Status& status :
       {fs().OpenForRead(Path("x")).status(), fs().OpenForWrite(Path("x")).status(),
        fs().Stat(Path("x")).status(), fs().List(Path("x")).status(), fs().RemoveFile(Path("x")),
        fs().RemoveDirectory(Path("x")), fs().Rename(Path("x"), Path("y")),
        fs().Link(Path("x"), Path("y")), fs().SyncDirectory(Path("x")),
        fs().FreeSpace(Path("x")).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(Path("x")));
  }
}

TEST_P(FileSystemContract, OpenForWriteKeepsTheContent) {
  Fill("a", "0123456789");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForWrite(Path("a")));
  EXPECT_EQ(file->size(), 10u);
  ASSERT_THAT(file->Write(2, {AsBytes("AB")}), IsOk());
  EXPECT_EQ(file->size(), 10u);
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(Content("a"), "01AB456789");
}

TEST_P(FileSystemContract, TruncateCutsAndExtendsWithZeroes) {
  Fill("a", "0123456789");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForWrite(Path("a")));
  ASSERT_THAT(file->Truncate(4), IsOk());
  EXPECT_EQ(file->size(), 4u);
  ASSERT_THAT(file->Truncate(8), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(Content("a"), std::string("0123\0\0\0\0", 8));
  ASSERT_THAT(file->Append(AsBytes("x")), IsOk());
  EXPECT_EQ(Content("a"), std::string("0123\0\0\0\0x", 9));
}

TEST_P(FileSystemContract, AllocateExtendsWithZeroesAndNeverCuts) {
  Fill("a", "0123");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForWrite(Path("a")));
  ASSERT_THAT(file->Allocate(10), IsOk());
  EXPECT_EQ(file->size(), 10u);
  ASSERT_THAT(file->Allocate(2), IsOk());
  EXPECT_EQ(file->size(), 10u);
  ASSERT_THAT(file->Write(6, {AsBytes("xy")}), IsOk());
  ASSERT_THAT(file->Sync(), IsOk());
  EXPECT_EQ(Content("a"), std::string("0123\0\0xy\0\0", 10));
}

TEST_P(FileSystemContract, StatTellsSizesAndFolders) {
  Fill("a", "12345");
  ASSERT_THAT(fs().CreateDirectory(Path("d")), IsOk());
  ASSERT_OK_AND_ASSIGN(const FileInfo file, fs().Stat(Path("a")));
  EXPECT_EQ(file.size, 5u);
  EXPECT_FALSE(file.is_directory);
  ASSERT_OK_AND_ASSIGN(const FileInfo folder, fs().Stat(Path("d")));
  EXPECT_TRUE(folder.is_directory);
  EXPECT_FALSE(fs().OpenForRead(Path("d")).ok());
  EXPECT_FALSE(fs().OpenForWrite(Path("d")).ok());
}

TEST_P(FileSystemContract, ListsNamesSorted) {
  ASSERT_THAT(fs().CreateDirectory(Path("d")), IsOk());
  EXPECT_THAT(fs().List(Path("d")), IsOkAndHolds(IsEmpty()));
  for (const char* const name : {"d/c", "d/a", "d/b10", "d/b9"}) Fill(name, "");
  ASSERT_THAT(fs().CreateDirectory(Path("d/B")), IsOk());
  EXPECT_THAT(fs().List(Path("d")), IsOkAndHolds(ElementsAre("B", "a", "b10", "b9", "c")));
  EXPECT_FALSE(fs().List(Path("d/a")).ok());
}

TEST_P(FileSystemContract, RemovesFilesAndEmptyFolders) {
  ASSERT_THAT(fs().CreateDirectory(Path("d")), IsOk());
  EXPECT_THAT(fs().CreateDirectory(Path("d")), StatusIs(absl::StatusCode::kAlreadyExists));
  Fill("d/a", "x");
  EXPECT_FALSE(fs().RemoveDirectory(Path("d")).ok());
  EXPECT_FALSE(fs().RemoveFile(Path("d")).ok());
  EXPECT_FALSE(fs().RemoveDirectory(Path("d/a")).ok());
  EXPECT_THAT(fs().RemoveFile(Path("d/a")), IsOk());
  EXPECT_THAT(fs().RemoveDirectory(Path("d")), IsOk());
  EXPECT_TRUE(absl::IsNotFound(fs().Stat(Path("d")).status()));
}

TEST_P(FileSystemContract, ARemovedFileStaysReadableWhileItIsOpen) {
  Fill("a", "still here");
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  ASSERT_THAT(fs().RemoveFile(Path("a")), IsOk());
  Fill("a", "another one");
  std::string target(10, '?');
  EXPECT_THAT(file->Read(0, Mutable(target)), IsOk());
  EXPECT_EQ(target, "still here");
}

TEST_P(FileSystemContract, RenameReplacesItsTarget) {
  Fill("a", "new");
  Fill("b", "old");
  ASSERT_THAT(fs().Rename(Path("a"), Path("b")), IsOk());
  EXPECT_TRUE(absl::IsNotFound(fs().Stat(Path("a")).status()));
  EXPECT_EQ(Content("b"), "new");
  ASSERT_THAT(fs().CreateDirectory(Path("d")), IsOk());
  EXPECT_FALSE(fs().Rename(Path("b"), Path("d")).ok());
  EXPECT_FALSE(fs().Rename(Path("d"), Path("d/e")).ok());
  ASSERT_THAT(fs().Rename(Path("b"), Path("d/b")), IsOk());
  ASSERT_THAT(fs().Rename(Path("d"), Path("e")), IsOk());
  EXPECT_EQ(Content("e/b"), "new");
  EXPECT_THAT(fs().SyncDirectory(Path("e")), IsOk());
}

TEST_P(FileSystemContract, ALinkIsASecondName) {
  Fill("a", "shared");
  ASSERT_THAT(fs().Link(Path("a"), Path("b")), IsOk());
  EXPECT_THAT(fs().Link(Path("a"), Path("b")), StatusIs(absl::StatusCode::kAlreadyExists));
  ASSERT_THAT(fs().RemoveFile(Path("a")), IsOk());
  EXPECT_EQ(Content("b"), "shared");
}

TEST_P(FileSystemContract, ALockIsHeldOnceEvenWithinAProcess) {
  auto first = fs().Lock(Path("LOCK"));
  ASSERT_THAT(first, IsOk());
  const absl::Status refused = fs().Lock(Path("LOCK")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused, HasReason(ErrorReason::kLocked));
  EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat(getpid())));
  first->reset();
  EXPECT_THAT(fs().Lock(Path("LOCK")), IsOk());
}

TEST_P(FileSystemContract, DirectAccessTakesAlignedWritesAndRefusesOthers) {
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("a"), FileAccess::kDirect));
  AlignedBuffer buffer(2 * kDirectAlignment);
  std::iota(buffer.span().begin(), buffer.span().end(), uint8_t{0});
  ASSERT_THAT(file->Write(0, {buffer.span()}), IsOk());
  const ByteSpan half = buffer.span().subspan(0, kDirectAlignment);
  ASSERT_THAT(file->WriteAndSync(2 * kDirectAlignment, {half, half}), IsOk());
  EXPECT_THAT(file->Write(1, {half}), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(file->Write(0, {half.subspan(1)}), HasReason(ErrorReason::kInvalidArgument));
  EXPECT_THAT(file->WriteAndSync(0, {half.subspan(0, 512)}),
              HasReason(ErrorReason::kInvalidArgument));
  EXPECT_EQ(file->size(), 4 * kDirectAlignment);
  EXPECT_THAT(file->Sync(), IsOk());  // a refused call does no harm
  EXPECT_THAT(file->Truncate(5), IsOk());
  EXPECT_EQ(Content("a"), std::string("\0\1\2\3\4", 5));
  EXPECT_THAT(file->Close(), IsOk());
  ASSERT_OK_AND_ASSIGN(auto again, fs().OpenForWrite(Path("a"), FileAccess::kDirect));
  EXPECT_EQ(again->size(), 5u);
  EXPECT_THAT(again->WriteAndSync(0, {buffer.span()}), IsOk());
}

TEST_P(FileSystemContract, FreeSpaceIsKnown) {
  ASSERT_OK_AND_ASSIGN(const uint64_t bytes, fs().FreeSpace(Path("")));
  EXPECT_GT(bytes, uint64_t{1} << 20);
}

TEST_P(FileSystemContract, ReadWholeFileRefusesWhatIsTooLarge) {
  Fill("a", "0123456789");
  EXPECT_THAT(ReadWholeFile(fs(), Path("a"), 10), IsOkAndHolds("0123456789"));
  EXPECT_THAT(ReadWholeFile(fs(), Path("a"), 9), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(ReadWholeFile(fs(), Path("b"), 9), StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(FileSystemContract, WriteFileAtomicallyReplacesAndLeavesNoOtherFile) {
  Fill("CURRENT.tmp", "left by a crash");
  ASSERT_THAT(WriteFileAtomically(fs(), Path("CURRENT"), "one"), IsOk());
  EXPECT_EQ(Content("CURRENT"), "one");
  ASSERT_THAT(WriteFileAtomically(fs(), Path("CURRENT"), ""), IsOk());
  EXPECT_EQ(Content("CURRENT"), "");
  EXPECT_THAT(fs().List(Path("")), IsOkAndHolds(ElementsAre("CURRENT")));
}

TEST_P(FileSystemContract, DisjointSyncedWritesRunConcurrently) {
  constexpr size_t kThreads = 4;
  constexpr size_t kWrites = 30;
  constexpr size_t kSize = 4096;
  ASSERT_OK_AND_ASSIGN(auto file, fs().Create(Path("log")));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      const std::string bytes(kSize, static_cast<char>('a' + thread));
      for (size_t i = 0; i < kWrites; ++i) {
        const uint64_t offset = (i * kThreads + thread) * kSize;
        const auto status = i % 2 == 0 ? file->WriteAndSync(offset, {AsBytes(bytes)})
                                       : file->Write(offset, {AsBytes(bytes)});
        if (!status.ok()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(file->size(), kThreads * kWrites * kSize);
  const std::string content = Content("log");
  ASSERT_EQ(content.size(), file->size());
  for (size_t i = 0; i < content.size(); i += kSize) {
    EXPECT_EQ(content.substr(i, kSize), std::string(kSize, static_cast<char>('a' + i / kSize % 4)));
  }
}

TEST_P(FileSystemContract, ManyThreadsReadOneFile) {
  Random random(2);
  const std::string content = RandomBytes(random, 200'000);
  Fill("a", content);
  ASSERT_OK_AND_ASSIGN(auto file, fs().OpenForRead(Path("a")));
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    threads.emplace_back([&, seed] {
      Random own(seed);
      for (int round = 0; round < 20; ++round) {
        std::vector<std::string> targets(1 + own.Uniform(100));
        std::vector<ReadRequest> requests(targets.size());
        for (size_t i = 0; i < targets.size(); ++i) {
          targets[i].resize(own.Uniform(2000));
          requests[i] = {.offset = own.Uniform(content.size() - 2000),
                         .target = Mutable(targets[i]),
                         .status = {}};
        }
        if (!file->ReadMany(absl::MakeSpan(requests)).ok()) ++failures;
        for (size_t i = 0; i < targets.size(); ++i) {
          if (content.compare(requests[i].offset, targets[i].size(), targets[i]) != 0) ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(Paths, JoinAndDirectoryAreInverse) {
  EXPECT_EQ(JoinPath("a/b", "c"), "a/b/c");
  EXPECT_EQ(JoinPath("/", "c"), "/c");
  EXPECT_EQ(JoinPath("", "c"), "c");
  EXPECT_EQ(DirectoryOf("a/b/c"), "a/b");
  EXPECT_EQ(DirectoryOf("/c"), "/");
  EXPECT_EQ(DirectoryOf("c"), ".");
}

}  // namespace
}  // namespace firn
