#include "tree/tree_keyspaces.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/coding.h"
#include "base/status.h"
#include "firn/authenticated_tree.h"
#include "firn/keyspace_names.h"
#include "tree/label.h"
#include "tree/node_codec.h"

namespace firn {
namespace {

constexpr uint8_t kStoredTreeVersion = 1;
constexpr char kIdentityKeyLength[] = "tree_key_length";
constexpr char kIdentityValueLength[] = "tree_value_length";
constexpr char kVariable[] = "variable";

absl::Status BadStoredTree(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                   absl::StrCat("parameters of the tree in keyspace metadata: ", what));
}

absl::StatusOr<Keyspace> OpenOne(Database& database, absl::string_view name, KeyspaceLayout layout,
                                 const CompressionChoice& compression) {
  if (absl::StatusOr<Keyspace> there = database.OpenKeyspace(name); there.ok()) return there;
  KeyspaceOptions options;
  options.layout = layout;
  if (layout == KeyspaceLayout::kHashed) options.key_width = kInstanceKeySize;
  options.compression = compression.codec;
  options.compression_level = compression.level;
  return database.OpenOrCreateKeyspace(name, options);
}

}  // namespace

absl::StatusOr<std::optional<std::string>> GetRow(const Keyspace& keyspace, absl::string_view key,
                                                  const Snapshot& snapshot) {
  const absl::StatusOr<PinnedValue> row = keyspace.Get(key, snapshot);
  if (absl::IsNotFound(row.status()) && ReasonOf(row.status()) == ErrorReason::kNone) {
    return std::optional<std::string>();
  }
  FIRN_RETURN_IF_ERROR(row.status());
  return std::optional<std::string>(row->ToString());
}

absl::StatusOr<StoreContent> ReadContent(Database& database) {
  const absl::StatusOr<Keyspace> metadata = database.OpenKeyspace(kMetadataKeyspace);
  if (absl::IsNotFound(metadata.status())) return StoreContent::kNone;
  FIRN_RETURN_IF_ERROR(metadata.status());
  FIRN_ASSIGN_OR_RETURN(const std::optional<std::string> row, GetRow(*metadata, ContentKey(), {}));
  if (!row.has_value()) return StoreContent::kNone;
  if (*row == ContentValue(StoreContent::kTree)) return StoreContent::kTree;
  if (*row == ContentValue(StoreContent::kStorage)) return StoreContent::kStorage;
  return MakeError(
      absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
      absl::StrCat("the store holds \"", *row, "\", which this program does not know"));
}

TreeCompression SameCompression(Compression codec) {
  return {.nodes = {codec}, .operations = {codec}, .checkpoints = {codec}, .records = {codec}};
}

absl::StatusOr<TreeKeyspaces> OpenTreeKeyspaces(Database& database,
                                                const TreeCompression& compression) {
  TreeKeyspaces keyspaces;
  struct Wanted {
    Keyspace* keyspace;
    absl::string_view name;
    KeyspaceLayout layout;
    const CompressionChoice& compression;
  };
  const Wanted wanted[] = {
      {&keyspaces.nodes, kNodesKeyspace, KeyspaceLayout::kHashed, compression.nodes},
      {&keyspaces.operations, kOperationsKeyspace, KeyspaceLayout::kSequence, compression.operations},
      {&keyspaces.checkpoints, kCheckpointsKeyspace, KeyspaceLayout::kOrdered, compression.checkpoints},
      {&keyspaces.deaths, kDeathsKeyspace, KeyspaceLayout::kOrdered, compression.checkpoints},
      {&keyspaces.metadata, kMetadataKeyspace, KeyspaceLayout::kOrdered, compression.records},
      {&keyspaces.indexes, kIndexesKeyspace, KeyspaceLayout::kOrdered, compression.operations},
      {&keyspaces.records, kRecordsKeyspace, KeyspaceLayout::kOrdered, compression.records},
  };
  for (const Wanted& one : wanted) {
    FIRN_ASSIGN_OR_RETURN(*one.keyspace, OpenOne(database, one.name, one.layout, one.compression));
  }
  return keyspaces;
}

std::string EncodeStoredTree(const StoredTree& tree) {
  std::string row;
  row.push_back(static_cast<char>(kStoredTreeVersion));
  PutVarint32(row, tree.parameters.key_length);
  row.push_back(tree.parameters.value_length.has_value() ? 1 : 0);
  if (tree.parameters.value_length.has_value()) PutVarint32(row, *tree.parameters.value_length);
  row.push_back(static_cast<char>(tree.allowed));
  return row;
}

absl::StatusOr<StoredTree> DecodeStoredTree(absl::string_view row) {
  ByteReader reader(row);
  const std::optional<uint8_t> version = reader.ReadByte();
  if (!version.has_value()) return BadStoredTree("the row is empty");
  if (*version != kStoredTreeVersion) {
    return MakeError(absl::StatusCode::kFailedPrecondition, ErrorReason::kFormatVersion,
                     absl::StrCat("parameters of the tree: version ", *version,
                                  ", this program reads version ", kStoredTreeVersion));
  }
  StoredTree tree;
  const std::optional<uint32_t> key_length = reader.ReadVarint32();
  const std::optional<uint8_t> fixed = reader.ReadByte();
  if (!key_length.has_value() || !fixed.has_value() || *fixed > 1) {
    return BadStoredTree("field missing or malformed");
  }
  tree.parameters.key_length = *key_length;
  if (*fixed == 1) {
    tree.parameters.value_length = reader.ReadVarint32();
    if (!tree.parameters.value_length.has_value()) return BadStoredTree("no value length");
  }
  const std::optional<uint8_t> allowed = reader.ReadByte();
  if (!allowed.has_value() || *allowed > kAllowAll) return BadStoredTree("unknown operations");
  if (!reader.empty()) return BadStoredTree("bytes after the last field");
  tree.allowed = *allowed;
  if (!CheckTreeParameters(tree.parameters).ok()) return BadStoredTree("lengths out of range");
  return tree;
}

std::string ContentKey() { return "content"; }

std::string ContentValue(StoreContent content) {
  return content == StoreContent::kStorage ? "storage" : "tree";
}

std::string StoredTreeKey(TreeNumber tree) { return absl::StrCat("tree/", tree); }
std::string RemovedKey(TreeNumber tree) { return absl::StrCat("removed/", tree); }
std::string ReservedKey() { return "reserved"; }
std::string ClientKey(absl::string_view name) { return absl::StrCat("client/", name); }

std::map<std::string, std::string> TreeIdentity(const TreeParameters& parameters) {
  return {{kIdentityKeyLength, absl::StrCat(parameters.key_length)},
          {kIdentityValueLength, parameters.value_length.has_value()
                                     ? absl::StrCat(*parameters.value_length)
                                     : std::string(kVariable)}};
}

absl::StatusOr<std::optional<TreeParameters>> ParametersOfIdentity(
    const std::map<std::string, std::string>& identity) {
  const auto key_length = identity.find(kIdentityKeyLength);
  const auto value_length = identity.find(kIdentityValueLength);
  if (key_length == identity.end() && value_length == identity.end()) {
    return std::optional<TreeParameters>();
  }
  const auto malformed = [] {
    return MakeError(absl::StatusCode::kDataLoss, ErrorReason::kSerialization,
                     "the tree's parameters in the store's file FIRN are malformed");
  };
  TreeParameters parameters;
  if (key_length == identity.end() || value_length == identity.end() ||
      !absl::SimpleAtoi(key_length->second, &parameters.key_length)) {
    return malformed();
  }
  if (value_length->second != kVariable) {
    uint32_t length = 0;
    if (!absl::SimpleAtoi(value_length->second, &length)) return malformed();
    parameters.value_length = length;
  }
  if (!CheckTreeParameters(parameters).ok()) return malformed();
  return std::optional<TreeParameters>(parameters);
}

std::string DescribeParameters(const TreeParameters& parameters) {
  return absl::StrCat("key length ", parameters.key_length,
                      parameters.value_length.has_value()
                          ? absl::StrCat(", value length ", *parameters.value_length)
                          : std::string(", values of any length"));
}

}  // namespace firn
