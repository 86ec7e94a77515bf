// io/memory_names.h: the names of a file system in memory, and what a crash may leave of them.
//
// Folders are nodes of a tree, each with two maps of names: what programs see, and what is durable.
// A change of names (creation, link, removal, rename) goes into the first at once and into a list;
// SyncDirectory() of a folder that it touches applies it to the second. A rename is one change, also
// between two folders: it is durable as a whole, as on journalling file systems. A crash applies some
// of the listed changes, in their order, and forgets the rest; one that survives takes earlier renames
// of the same file with it, so that no file is found under a name that it had left.
//
// Paths: '/' separates; a leading '/' and "." mean nothing ("a", "/a" and "./a" are one name);
// ".." is refused. The root always exists. Errors are those of the system calls.
#ifndef FIRN_IO_MEMORY_NAMES_H_
#define FIRN_IO_MEMORY_NAMES_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "io/file_system.h"
#include "io/memory_file.h"

namespace firn {

// One thread at a time.
class MemoryNames {
 public:
  using FilePointer = std::shared_ptr<MemoryFile>;

  explicit MemoryNames(MemoryFile::Tracking tracking);

  absl::StatusOr<FilePointer> FindFile(absl::string_view path) const;
  absl::StatusOr<FileInfo> Stat(absl::string_view path) const;
  absl::StatusOr<std::vector<std::string>> List(absl::string_view directory) const;

  absl::Status AddFile(absl::string_view path, FilePointer file);
  absl::Status AddDirectory(absl::string_view path);
  absl::Status RemoveFile(absl::string_view path);
  absl::Status RemoveDirectory(absl::string_view path);
  absl::Status Rename(absl::string_view from, absl::string_view to);
  absl::Status Link(absl::string_view existing, absl::string_view name);
  absl::Status SyncDirectory(absl::string_view directory);

  // The same names and unsynced changes over copies of all files.
  MemoryNames Fork() const;
  // The names that a crash left, over what it left of the files. Of this object only the files are
  // of use afterwards, to handles that are still open.
  MemoryNames AfterCrash(Random& random);

 private:
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePointer, std::less<>>;
  struct Node {
    FilePointer file;  // null: a folder
    Entries entries;   // what programs see
    Entries durable;   // what is found after a crash that keeps nothing else
  };
  // A name in a folder; no folder: there is none on this side.
  struct Place {
    NodePointer directory;
    std::string name;
  };
  // `node` left `from`, and is at `to`.
  struct Change {
    Place from;
    Place to;
    NodePointer node;
  };
  // What became of the nodes that were copied, so that links stay links.
  using Copies = std::unordered_map<const Node*, NodePointer>;
  using CopyFile = std::function<FilePointer(MemoryFile&)>;

  absl::StatusOr<NodePointer> Find(absl::string_view path, absl::string_view what) const;
  absl::StatusOr<Place> FindPlace(absl::string_view path, absl::string_view what) const;
  absl::Status Add(absl::string_view path, absl::string_view what, NodePointer node);
  void Apply(Change change);
  static void ApplyDurably(const Change& change);
  std::vector<const Change*> ChooseSurvivors(Random& random) const;
  static NodePointer CopyWhole(const NodePointer& node, Copies& copies);
  static NodePointer CopyDurable(const NodePointer& node, const CopyFile& copy_file,
                                 Copies& copies);

  MemoryFile::Tracking tracking_;
  NodePointer root_;
  std::vector<Change> unsynced_;
};

}  // namespace firn

#endif  // FIRN_IO_MEMORY_NAMES_H_
