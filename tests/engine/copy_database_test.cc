#include "firn/copy_database.h"

#include <memory>
#include <string>

#include "base/random.h"
#include "firn/option_names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/stepped_store.h"
#include "tests/support/random_keys.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace firn {
namespace {

std::unique_ptr<Database> InMemory() {
  return Database::Open("store", {.storage = Storage::kMemory}).value();
}

TEST(CopyDatabaseTest, KeyspacesOfEveryLayoutComeBackFromDiskAsTheyWereInMemory) {
  const TemporaryDirectory folder;
  const std::unique_ptr<Database> source = InMemory();
  ASSERT_OK_AND_ASSIGN(const Keyspace ordered,
                       source->CreateKeyspace("metadata", {.compression = Compression::kLz4Hc,
                                                           .compression_level = 3}));
  ASSERT_OK_AND_ASSIGN(
      const Keyspace hashed,
      source->CreateKeyspace("hashed", {.layout = KeyspaceLayout::kHashed, .key_width = 32}));
  ASSERT_OK_AND_ASSIGN(const Keyspace sequence,
                       source->CreateKeyspace("sequence", {.layout = KeyspaceLayout::kSequence}));
  ASSERT_OK(source->CreateKeyspace("empty", {}));
  Random random(3);
  for (uint64_t i = 0; i < 3000; ++i) {
    WriteBatch batch;
    batch.Put(ordered, std::to_string(random.Uniform(1000)), RandomValue(random, 500));
    if (i % 3 == 0) batch.Remove(ordered, std::to_string(random.Uniform(1000)));
    std::string digest(32, '\0');
    for (char& byte : digest) byte = static_cast<char>(random.Next());
    batch.Put(hashed, digest, RandomValue(random, 100));
    std::string number(8, '\0');
    for (int byte = 0; byte < 8; ++byte) {
      number[static_cast<size_t>(byte)] = static_cast<char>((i + 1) >> (56 - 8 * byte));
    }
    batch.Put(sequence, number, RandomValue(random, 300));
    ASSERT_OK(source->Write(batch, Durability::kBuffered));
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto disk, Database::Open(folder.File("dump"), {}));
    ASSERT_OK(CopyDatabase(*source, *disk));
    EXPECT_THAT(CopyDatabase(*source, *disk), HasReason(ErrorReason::kKeyspaceExists));
    ASSERT_OK(disk->Close());
  }
  ASSERT_OK_AND_ASSIGN(const auto disk, Database::Open(folder.File("dump"), {}));
  const std::unique_ptr<Database> back = InMemory();
  ASSERT_OK(CopyDatabase(*disk, *back));
  EXPECT_EQ(back->ListKeyspaces(), source->ListKeyspaces());
  for (const std::string& name : source->ListKeyspaces()) {
    ASSERT_OK_AND_ASSIGN(const Keyspace then, source->OpenKeyspace(name));
    ASSERT_OK_AND_ASSIGN(const Keyspace now, back->OpenKeyspace(name));
    EXPECT_TRUE(KeyspaceOptionDifferences(then.options(), now.options()).empty()) << name;
    ASSERT_OK_AND_ASSIGN(const auto expected, ReadAll(then));
    EXPECT_THAT(ReadAll(now), IsOkAndHolds(expected)) << name;
  }
}

TEST(CopyDatabaseTest, WhatIsWrittenMeanwhileIsNotInTheCopy) {
  const std::unique_ptr<Database> source = InMemory();
  const std::unique_ptr<Database> target = InMemory();
  ASSERT_OK_AND_ASSIGN(const Keyspace notes, source->CreateKeyspace("notes", {}));
  WriteBatch batch;
  batch.Put(notes, "a", "1");
  ASSERT_OK(source->Write(batch, Durability::kBuffered));
  ASSERT_OK(CopyDatabase(*source, *target));
  batch.Put(notes, "b", "2");
  ASSERT_OK(source->Write(batch, Durability::kBuffered));
  ASSERT_OK_AND_ASSIGN(const Keyspace copy, target->OpenKeyspace("notes"));
  ASSERT_OK_AND_ASSIGN(const auto content, ReadAll(copy));
  EXPECT_EQ(content.size(), 1u);
}

}  // namespace
}  // namespace firn
