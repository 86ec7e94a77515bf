#include "tools/gzip_lines.h"

#include <zlib.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace firn {
namespace {

class GzipLinesTest : public ::testing::Test {
 protected:
  GzipLinesTest() : path_(absl::StrCat(::testing::TempDir(), "/gzip_lines_", ::getpid())) {}
  ~GzipLinesTest() override { ::unlink(path_.c_str()); }

  void WritePlain(const std::string& text) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << text;
  }
  void WriteCompressed(const std::string& text) {
    gzFile file = gzopen(path_.c_str(), "wb");
    ASSERT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())),
              static_cast<int>(text.size()));
    gzclose(file);
  }
  std::vector<std::string> ReadAll() {
    std::vector<std::string> lines;
    auto file = GzipLines::Open(path_);
    EXPECT_THAT(file, IsOk());
    std::string line;
    while (true) {
      const auto found = file->Next(line);
      EXPECT_THAT(found, IsOk());
      if (!found.ok() || !*found) return lines;
      lines.push_back(line);
      EXPECT_EQ(file->line_number(), lines.size());
    }
  }
  const std::string path_;
};

TEST_F(GzipLinesTest, PlainAndCompressedFilesGiveTheSameLines) {
  const std::string long_line(1'000'000, 'x');
  const std::string text = absl::StrCat("first\n\n", long_line, "\nlast without end");
  const std::vector<std::string> expected = {"first", "", long_line, "last without end"};
  WritePlain(text);
  EXPECT_EQ(ReadAll(), expected);
  WriteCompressed(text);
  EXPECT_EQ(ReadAll(), expected);
}

TEST_F(GzipLinesTest, AnEmptyFileHasNoLines) {
  WritePlain("");
  EXPECT_TRUE(ReadAll().empty());
}

TEST_F(GzipLinesTest, AMissingFileIsNotFound) {
  EXPECT_THAT(GzipLines::Open(path_ + ".missing"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(GzipLinesTest, DamagedCompressionIsDataLoss) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, i * 7919, "\n");
  WriteCompressed(text);
  std::ifstream in(path_, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto read_until_error = [&]() -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(GzipLines file, GzipLines::Open(path_));
    std::string line;
    while (true) {
      FIRN_ASSIGN_OR_RETURN(const bool found, file.Next(line));
      if (!found) return absl::OkStatus();
    }
  };
  WritePlain(bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT(read_until_error(), StatusIs(absl::StatusCode::kDataLoss));
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  WritePlain(bytes);
  EXPECT_THAT(read_until_error(), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace firn
