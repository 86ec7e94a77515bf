#include "firn/collection_names.h"

#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "firn/transaction.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CollectionNamesTest : public ::testing::Test {
 protected:
  CollectionNamesTest() : database_(Database::Open(folder_.File("store"), {}).value()) {}
  size_t FilesAndFolders() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.File("store"))) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  }
  static absl::Status Put(Database& database, const Keyspace& keyspace) {
    WriteBatch batch;
    batch.Put(keyspace, "k", "v");
    return database.Write(batch, Durability::kBuffered);
  }

  TemporaryDirectory folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(CollectionNamesTest, TenThousandNamesCostNoFileAndNoKeyspace) {
  const size_t before = FilesAndFolders();
  Collections collections(*database_, {});
  std::vector<std::string> names;
  for (int i = 0; i < 10'000; ++i) names.push_back(absl::StrCat("collection-", i));
  ASSERT_OK(collections.Register(std::vector<absl::string_view>(names.begin(), names.end())));
  for (const std::string& name : names) {
    const Collection collection = collections.Find(name).value();
    ASSERT_THAT(collection.Get("k").status(), StatusIs(absl::StatusCode::kNotFound));
    const auto iterator = collection.NewIterator();
    iterator->SeekToFirst();
    ASSERT_FALSE(iterator->Valid());
    ASSERT_OK(iterator->status());
  }
  EXPECT_EQ(collections.names().size(), 10'000u);
  EXPECT_THAT(collections.existing_names(), IsEmpty());
  EXPECT_THAT(database_->ListKeyspaces(), IsEmpty());
  EXPECT_EQ(FilesAndFolders(), before);
}

TEST_F(CollectionNamesTest, OneDroppedThroughAnotherObjectIsMadeAgain) {
  Collections one(*database_, {}), two(*database_, {});
  ASSERT_OK(one.Register({"x"}));
  ASSERT_OK(two.Register({"x"}));
  const Collection of_one = one.Find("x").value();
  const Keyspace first = of_one.ForWriting().value();
  EXPECT_FALSE(first.dropped());
  ASSERT_OK(two.Drop("x"));
  EXPECT_TRUE(first.dropped());
  EXPECT_THAT(of_one.Get("k").status(), StatusIs(absl::StatusCode::kNotFound, ""));
  ASSERT_OK(Put(*database_, of_one.ForWriting().value()));
  EXPECT_EQ(of_one.Get("k")->view(), "v");
}

TEST_F(CollectionNamesTest, TheFirstWriteMakesTheKeyspaceAndItIsFoundAgain) {
  {
    Collections collections(*database_, {.block_size = 8192});
    ASSERT_OK(collections.Register({"used", "unused"}));
    const Collection used = collections.Find("used").value();
    EXPECT_FALSE(used.IfExists()->has_value());
    const Keyspace keyspace = used.ForWriting().value();
    EXPECT_EQ(keyspace.options().block_size, 8192u);
    ASSERT_OK(Put(*database_, keyspace));
    EXPECT_EQ(used.Get("k")->view(), "v");
    EXPECT_THAT(collections.existing_names(), ElementsAre("used"));
  }
  database_.reset();
  database_ = Database::Open(folder_.File("store"), {}).value();
  Collections collections(*database_, {});
  ASSERT_OK(collections.Register({"used"}));
  EXPECT_EQ(collections.Find("used")->Get("k")->view(), "v");
  EXPECT_EQ(collections.Find("used")->IfExists().value()->options().block_size, 8192u);
}

TEST_F(CollectionNamesTest, ADroppedOneIsEmptyAndCanBeWrittenAgain) {
  Collections collections(*database_, {});
  ASSERT_OK(collections.Register({"used", "unused"}));
  const Collection used = collections.Find("used").value();
  ASSERT_OK(Put(*database_, used.ForWriting().value()));
  ASSERT_OK(collections.Drop("used"));
  ASSERT_OK(collections.Drop("unused"));
  EXPECT_THAT(used.Get("k").status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(collections.existing_names(), IsEmpty());
  ASSERT_OK(Put(*database_, used.ForWriting().value()));
  EXPECT_EQ(used.Get("k")->view(), "v");
}

TEST_F(CollectionNamesTest, ThreadsThatWriteFirstShareOneKeyspace) {
  Collections collections(*database_, {});
  ASSERT_OK(collections.Register({"used"}));
  std::vector<std::thread> threads;
  std::vector<uint32_t> ids(4);
  for (size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([&, i] { ids[i] = collections.Find("used")->ForWriting().value().id(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const uint32_t id : ids) EXPECT_EQ(id, ids[0]);
}

TEST_F(CollectionNamesTest, WrongNamesAndUnknownOnesAreNamed) {
  Collections collections(*database_, {});
  EXPECT_THAT(collections.Register({"good", "Bad"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Bad")));
  EXPECT_THAT(collections.names(), IsEmpty()) << "none of them";
  EXPECT_THAT(collections.Register({"wal"}), HasReason(ErrorReason::kInvalidArgument));
  const auto unknown = collections.Find("unknown");
  EXPECT_THAT(unknown.status(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("unknown")));
  EXPECT_THAT(collections.Drop("unknown"), HasReason(ErrorReason::kKeyspaceNotFound));
  ASSERT_OK(collections.Register({"good"}));
  ASSERT_OK(database_->Close());
  const Collection good = collections.Find("good").value();
  EXPECT_THAT(good.Get("k").status(), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(good.NewIterator()->status(), HasReason(ErrorReason::kClosed));
  EXPECT_THAT(good.ForWriting().status(), HasReason(ErrorReason::kClosed));
}

}  // namespace
}  // namespace firn
