// firn/keyspace_names.h: the names of the keyspaces that firn makes itself, for clients that look into
// them, choose their compression or stay clear of their names.
#ifndef FIRN_KEYSPACE_NAMES_H_
#define FIRN_KEYSPACE_NAMES_H_

#include "absl/strings/string_view.h"

namespace firn {

// Of a tree, and of a tree storage (firn/authenticated_tree.h, firn/tree_storage.h).
inline constexpr absl::string_view kNodesKeyspace = "nodes";
inline constexpr absl::string_view kOperationsKeyspace = "operations";
inline constexpr absl::string_view kCheckpointsKeyspace = "checkpoints";
inline constexpr absl::string_view kDeathsKeyspace = "deaths";  // nodes that no newer checkpoint needs
inline constexpr absl::string_view kMetadataKeyspace = "metadata";
inline constexpr absl::string_view kIndexesKeyspace = "indexes";  // of operations, by time and key
inline constexpr absl::string_view kRecordsKeyspace = "records";  // keys and values of the tree
inline constexpr absl::string_view kTreeKeyspaceNames[] = {
    kNodesKeyspace,    kOperationsKeyspace, kCheckpointsKeyspace, kDeathsKeyspace,
    kMetadataKeyspace, kIndexesKeyspace,    kRecordsKeyspace};

// Of `firn bench`, in stores of its own.
inline constexpr absl::string_view kBenchKeyspace = "bench";

}  // namespace firn

#endif  // FIRN_KEYSPACE_NAMES_H_
