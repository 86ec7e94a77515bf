#include "io/memory_names.h"

#include <algorithm>
#include <cerrno>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"

namespace firn {
namespace {

absl::Status Failure(int error_number, absl::string_view what, absl::string_view path) {
  return ErrnoStatus(error_number, absl::StrCat(what, " ", path));
}

// The names between the slashes.
absl::StatusOr<std::vector<absl::string_view>> SplitPath(absl::string_view path,
                                                         absl::string_view what) {
  if (path.empty()) return Failure(ENOENT, what, path);
  std::vector<absl::string_view> names;
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (name.empty() || name == ".") continue;
    if (name == "..") return Failure(EINVAL, what, path);
    names.push_back(name);
  }
  return names;
}

// Whole classes of mistakes show only when everything is lost, or nothing; so one crash in two is of
// a pure kind.
Loss ChooseLoss(Random& random) {
  constexpr Loss kLosses[] = {Loss::kDropAll, Loss::kKeepAll, Loss::kMix, Loss::kMix};
  return kLosses[random.Uniform(4)];
}

}  // namespace

MemoryNames::MemoryNames(MemoryFile::Tracking tracking)
    : tracking_(tracking), root_(std::make_shared<Node>()) {}

absl::StatusOr<MemoryNames::NodePointer> MemoryNames::Find(absl::string_view path,
                                                           absl::string_view what) const {
  FIRN_ASSIGN_OR_RETURN(const auto names, SplitPath(path, what));
  NodePointer node = root_;
  for (const absl::string_view name : names) {
    if (node->file != nullptr) return Failure(ENOTDIR, what, path);
    const auto found = node->entries.find(name);
    if (found == node->entries.end()) return Failure(ENOENT, what, path);
    node = found->second;
  }
  return node;
}

absl::StatusOr<MemoryNames::Place> MemoryNames::FindPlace(absl::string_view path,
                                                          absl::string_view what) const {
  FIRN_ASSIGN_OR_RETURN(const auto names, SplitPath(path, what));
  if (names.empty()) return Failure(EBUSY, what, path);  // the root itself
  NodePointer node = root_;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    const auto found = node->entries.find(names[i]);
    if (found == node->entries.end()) return Failure(ENOENT, what, path);
    node = found->second;
    if (node->file != nullptr) return Failure(ENOTDIR, what, path);
  }
  return Place{.directory = std::move(node), .name = std::string(names.back())};
}

absl::StatusOr<MemoryNames::FilePointer> MemoryNames::FindFile(absl::string_view path) const {
  FIRN_ASSIGN_OR_RETURN(NodePointer node, Find(path, "open"));
  if (node->file == nullptr) {
    return InvalidArgument(absl::StrCat(path, " is not a regular file"));
  }
  return node->file;
}

absl::StatusOr<FileInfo> MemoryNames::Stat(absl::string_view path) const {
  FIRN_ASSIGN_OR_RETURN(NodePointer node, Find(path, "stat"));
  if (node->file == nullptr) return FileInfo{.size = 0, .is_directory = true};
  return FileInfo{.size = node->file->size(), .is_directory = false};
}

absl::StatusOr<std::vector<std::string>> MemoryNames::List(absl::string_view directory) const {
  FIRN_ASSIGN_OR_RETURN(NodePointer node, Find(directory, "list"));
  if (node->file != nullptr) return Failure(ENOTDIR, "list", directory);
  std::vector<std::string> names;
  names.reserve(node->entries.size());
  for (const auto& [name, unused] : node->entries) names.push_back(name);
  return names;
}

absl::Status MemoryNames::Add(absl::string_view path, absl::string_view what, NodePointer node) {
  FIRN_ASSIGN_OR_RETURN(Place place, FindPlace(path, what));
  if (place.directory->entries.contains(place.name)) return Failure(EEXIST, what, path);
  Apply({.from = {}, .to = std::move(place), .node = std::move(node)});
  return absl::OkStatus();
}

absl::Status MemoryNames::AddFile(absl::string_view path, FilePointer file) {
  auto node = std::make_shared<Node>();
  node->file = std::move(file);
  return Add(path, "create", std::move(node));
}

absl::Status MemoryNames::AddDirectory(absl::string_view path) {
  return Add(path, "create folder", std::make_shared<Node>());
}

absl::Status MemoryNames::Link(absl::string_view existing, absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(NodePointer node, Find(existing, "link to"));
  if (node->file == nullptr) return Failure(EPERM, "link to", existing);
  return Add(name, "link", std::move(node));
}

absl::Status MemoryNames::RemoveFile(absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(Place place, FindPlace(path, "remove"));
  const auto found = place.directory->entries.find(place.name);
  if (found == place.directory->entries.end()) return Failure(ENOENT, "remove", path);
  NodePointer node = found->second;
  if (node->file == nullptr) return Failure(EISDIR, "remove", path);
  Apply({.from = std::move(place), .to = {}, .node = std::move(node)});
  return absl::OkStatus();
}

absl::Status MemoryNames::RemoveDirectory(absl::string_view path) {
  FIRN_ASSIGN_OR_RETURN(Place place, FindPlace(path, "remove folder"));
  const auto found = place.directory->entries.find(place.name);
  if (found == place.directory->entries.end()) return Failure(ENOENT, "remove folder", path);
  NodePointer node = found->second;
  if (node->file != nullptr) return Failure(ENOTDIR, "remove folder", path);
  if (!node->entries.empty()) return Failure(ENOTEMPTY, "remove folder", path);
  Apply({.from = std::move(place), .to = {}, .node = std::move(node)});
  return absl::OkStatus();
}

absl::Status MemoryNames::Rename(absl::string_view from, absl::string_view to) {
  const std::string what = absl::StrCat("rename ", from, " to");
  FIRN_ASSIGN_OR_RETURN(Place source, FindPlace(from, "rename"));
  FIRN_ASSIGN_OR_RETURN(Place target, FindPlace(to, what));
  const auto found = source.directory->entries.find(source.name);
  if (found == source.directory->entries.end()) return Failure(ENOENT, "rename", from);
  NodePointer node = found->second;
  FIRN_ASSIGN_OR_RETURN(const auto from_names, SplitPath(from, what));
  FIRN_ASSIGN_OR_RETURN(const auto to_names, SplitPath(to, what));
  if (node->file == nullptr && to_names.size() > from_names.size() &&
      std::equal(from_names.begin(), from_names.end(), to_names.begin())) {
    return Failure(EINVAL, what, to);  // a folder into itself
  }
  const auto replaced = target.directory->entries.find(target.name);
  if (replaced != target.directory->entries.end()) {
    const Node& old = *replaced->second;
    if (&old == node.get()) return absl::OkStatus();  // two names of one file: nothing happens
    if (old.file == nullptr && node->file != nullptr) return Failure(EISDIR, what, to);
    if (old.file != nullptr && node->file == nullptr) return Failure(ENOTDIR, what, to);
    if (!old.entries.empty()) return Failure(ENOTEMPTY, what, to);
  }
  Apply({.from = std::move(source), .to = std::move(target), .node = std::move(node)});
  return absl::OkStatus();
}

void MemoryNames::Apply(Change change) {
  if (change.from.directory != nullptr) change.from.directory->entries.erase(change.from.name);
  if (change.to.directory != nullptr) change.to.directory->entries[change.to.name] = change.node;
  if (tracking_ == MemoryFile::Tracking::kNone) {
    ApplyDurably(change);
  } else {
    unsynced_.push_back(std::move(change));
  }
}

void MemoryNames::ApplyDurably(const Change& change) {
  if (change.from.directory != nullptr) {
    // Where the creation of the old name was lost, there is nothing to take away.
    Entries& entries = change.from.directory->durable;
    const auto found = entries.find(change.from.name);
    if (found != entries.end() && found->second == change.node) entries.erase(found);
  }
  if (change.to.directory != nullptr) change.to.directory->durable[change.to.name] = change.node;
}

absl::Status MemoryNames::SyncDirectory(absl::string_view directory) {
  FIRN_ASSIGN_OR_RETURN(NodePointer node, Find(directory, "sync folder"));
  if (node->file != nullptr) return Failure(ENOTDIR, "sync folder", directory);
  std::vector<Change> others;
  for (Change& change : unsynced_) {
    if (change.from.directory == node || change.to.directory == node) {
      ApplyDurably(change);
    } else {
      others.push_back(std::move(change));
    }
  }
  unsynced_ = std::move(others);
  return absl::OkStatus();
}

MemoryNames::NodePointer MemoryNames::CopyWhole(const NodePointer& node, Copies& copies) {
  if (node == nullptr) return nullptr;
  if (const auto found = copies.find(node.get()); found != copies.end()) {
    return found->second;
  }
  auto copy = std::make_shared<Node>();
  copies.emplace(node.get(), copy);
  if (node->file != nullptr) copy->file = node->file->Fork();
  for (const auto& [name, child] : node->entries) copy->entries[name] = CopyWhole(child, copies);
  for (const auto& [name, child] : node->durable) copy->durable[name] = CopyWhole(child, copies);
  return copy;
}

MemoryNames MemoryNames::Fork() const {
  MemoryNames copy(tracking_);
  Copies copies;
  copy.root_ = CopyWhole(root_, copies);
  copy.unsynced_.reserve(unsynced_.size());
  for (const Change& change : unsynced_) {
    copy.unsynced_.push_back({.from = {CopyWhole(change.from.directory, copies), change.from.name},
                              .to = {CopyWhole(change.to.directory, copies), change.to.name},
                              .node = CopyWhole(change.node, copies)});
  }
  return copy;
}

MemoryNames::NodePointer MemoryNames::CopyDurable(const NodePointer& node,
                                                  const CopyFile& copy_file, Copies& copies) {
  if (const auto found = copies.find(node.get()); found != copies.end()) {
    return found->second;
  }
  auto copy = std::make_shared<Node>();
  copies.emplace(node.get(), copy);
  if (node->file != nullptr) copy->file = copy_file(*node->file);
  for (const auto& [name, child] : node->durable) {
    copy->durable[name] = CopyDurable(child, copy_file, copies);
  }
  copy->entries = copy->durable;
  return copy;
}

std::vector<const MemoryNames::Change*> MemoryNames::ChooseSurvivors(Random& random) const {
  const Loss loss = ChooseLoss(random);
  // A journal keeps a prefix of the changes; a file system without one any of them.
  const bool keeps_prefix = random.OneIn(2);
  const uint64_t prefix = random.Uniform(unsynced_.size() + 1);
  std::vector<const Change*> survivors;
  std::unordered_set<const Node*> moved_later;
  for (size_t i = unsynced_.size(); i-- > 0;) {
    const Change& change = unsynced_[i];
    const bool is_rename = change.from.directory != nullptr && change.to.directory != nullptr;
    const bool chosen = keeps_prefix ? i < prefix : random.OneIn(2);
    const bool implied = is_rename && moved_later.contains(change.node.get());
    if (loss == Loss::kKeepAll || (loss == Loss::kMix && (chosen || implied))) {
      survivors.push_back(&change);
      if (change.from.directory != nullptr) moved_later.insert(change.node.get());
    }
  }
  std::reverse(survivors.begin(), survivors.end());
  return survivors;
}

MemoryNames MemoryNames::AfterCrash(Random& random) {
  for (const Change* const change : ChooseSurvivors(random)) ApplyDurably(*change);
  const Loss loss = ChooseLoss(random);
  MemoryNames survivor(tracking_);
  Copies copies;
  survivor.root_ = CopyDurable(
      root_, [&](MemoryFile& file) { return file.AfterCrash(random, loss); }, copies);
  return survivor;
}

}  // namespace firn
