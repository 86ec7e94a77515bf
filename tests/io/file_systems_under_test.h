// tests/io/file_systems_under_test.h: every file system there is, each with a folder to work in.
#ifndef FIRN_TESTS_IO_FILE_SYSTEMS_UNDER_TEST_H_
#define FIRN_TESTS_IO_FILE_SYSTEMS_UNDER_TEST_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace firn {

// A file system, and an empty folder in it that goes away with the rig.
class FileSystemRig {
 public:
  virtual ~FileSystemRig() = default;
  virtual FileSystem& file_system() = 0;
  virtual const std::string& root() const = 0;
};

struct FileSystemUnderTest {
  std::string name;
  std::function<std::unique_ptr<FileSystemRig>()> make;

  friend std::ostream& operator<<(std::ostream& stream, const FileSystemUnderTest& under_test) {
    return stream << under_test.name;
  }
};

std::vector<FileSystemUnderTest> FileSystemsUnderTest();

}  // namespace firn

#endif  // FIRN_TESTS_IO_FILE_SYSTEMS_UNDER_TEST_H_
