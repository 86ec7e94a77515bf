#include "tools/store_vector_tree.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/golden_reader.h"
#include "tests/support/status_matchers.h"
#include "tools/vectors.h"

namespace firn {
namespace {

// A cache of 100 nodes, and a checkpoint after each batch: every path is loaded from the keyspace.
TEST(StoreVectorTreeTest, TheSelectionOfVectorsPassesThroughAStore) {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(SourceRoot()) + "/tests/golden/avl")) {
    if (entry.path().extension() == ".gz") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 15u);
  VectorOptions options;
  options.make_tree = [](const TreeParameters& parameters) {
    return NewStoreVectorTree(parameters, StoreVectorOptions{});
  };
  uint64_t passed = 0;
  for (const std::string& file : files) {
    ASSERT_OK_AND_ASSIGN(const VectorCounts counts, ReplayVectors(file, options, {}));
    EXPECT_EQ(counts.failed, 0u) << file;
    for (const std::string& failure : counts.failures) ADD_FAILURE() << failure;
    passed += counts.passed;
  }
  EXPECT_GT(passed, 1000u);
}

TEST(StoreVectorTreeTest, RollbackToABatchThatNeverWasIsRefused) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<VectorTree> tree,
                       NewStoreVectorTree(TreeParameters{}, StoreVectorOptions{}));
  EXPECT_THAT(tree->Rollback(1), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace firn
