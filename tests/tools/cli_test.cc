// The command line as its users meet it: exit codes, messages, and that nothing bad changes a store.
#include "tests/tools/cli_fixture.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(CliTest, EntriesGiveTheRootsOfTheReference) {
  const std::string store = NewStore("--key-length 32 --value-length 8");
  EXPECT_EQ(RootOf(store), "aebde47e15b6bfb577265ea5a819f5779328085286d86e7e1089636641dae9b800");
  RunJson("put " + store + " " + Fill("01", 32) + " " + Fill("02", 8));
  const auto second = RunJson("put " + store + " " + Fill("03", 32) + " " + Fill("04", 8));
  EXPECT_EQ(second.at("root"),
            "591e0f5f7172950ab9be5730ba39a48787a5729606924a215afda454b685a80902");
  EXPECT_EQ(RunJson("get " + store + " " + Fill("01", 32)).at("value"), Fill("02", 8));
  RunJson("put " + store + " " + Fill("01", 32) + " " + Fill("05", 8));
  EXPECT_EQ(RootOf(store), "0e34a6b2c50f8da80ed5f253bece227e943ee21cd8e1533099e013bb2f94897202");
  EXPECT_THAT(Run("scan " + store).out,
              HasSubstr(Fill("01", 32) + " " + Fill("05", 8) + "\n" + Fill("03", 32)));
  RunJson("remove " + store + " " + Fill("03", 32));
  EXPECT_EQ(Run("get " + store + " " + Fill("03", 32)).code, 1);
  EXPECT_EQ(Run("remove " + store + " " + Fill("03", 32)).code, 1);
}

TEST_F(CliTest, WrongUsageIsExitCodeTwo) {
  const std::string store = NewStore();
  for (const std::string& arguments :
       {std::string(""), std::string("nonsense"), "root " + store + " --no-such-flag",
        std::string("root"), "get " + store + " xyz", "get " + store + " 0", "put " + store + " 00",
        "import " + store + " x --format parquet", "create " + folder_.File("n") + " --key-length 0",
        "create " + folder_.File("n") + " --key-length 256",
        "create " + folder_.File("n") + " --value-length many",
        "import " + store + " x --format edges --batch 0",
        std::string("verify-proof x --root 00"), std::string("verify-proof x")}) {
    const Result result = Run(arguments);
    EXPECT_EQ(result.code, 2) << arguments << "\n" << result.err;
    EXPECT_THAT(result.err, Not(IsEmpty())) << arguments;
  }
  EXPECT_EQ(Run("--help").code, 0);
  EXPECT_EQ(Run("import --help").code, 0);
}

TEST_F(CliTest, IllegalKeysAreRefusedAndChangeNothing) {
  const std::string store = NewStore();
  const std::string root = RootOf(store);
  for (const std::string& key :
       {Fill("00", 32), Fill("ff", 32), Fill("01", 31), Fill("01", 33), std::string("''")}) {
    const Result result = Run("put " + store + " " + key + " 00");
    EXPECT_EQ(result.code, 2) << key << result.err;
    EXPECT_THAT(result.err, HasSubstr("key"));
  }
  EXPECT_EQ(RootOf(store), root);
}

TEST_F(CliTest, WhatIsNoStoreIsRefusedWithTheNextStep) {
  const std::string absent = folder_.File("absent");
  Result result = Run("root " + absent);
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr(absent));

  const std::string other = folder_.File("other");
  std::filesystem::create_directory(other);
  std::ofstream(other + "/letter.txt") << "hello";
  for (const std::string& arguments : {"root " + other, "create " + other,
                                       "import " + other + " " + Edges(3) + " --format edges"}) {
    result = Run(arguments);
    EXPECT_EQ(result.code, 3) << arguments;
    EXPECT_THAT(result.err, HasSubstr(other));
  }
  EXPECT_EQ(Slurp(other + "/letter.txt"), "hello");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(other), {}), 1);
}

TEST_F(CliTest, ANewerFormatVersionIsRefusedByName) {
  const std::string store = NewStore();
  std::string identity = Slurp(store + "/FIRN");
  const absl::string_view before = "\nformat = ";
  const size_t at = identity.find(std::string(before));
  ASSERT_NE(at, std::string::npos);
  identity[at + before.size()] = '9';
  std::ofstream(store + "/FIRN", std::ios::binary) << identity;
  const Result result = Run("root " + store);
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("FIRN"));
  EXPECT_THAT(result.err, HasSubstr("version"));
}

TEST_F(CliTest, ImportsGiveTheSameRootHoweverTheyAreRun) {
  const std::string edges = Edges(3000);
  const std::string command = " " + edges + " --format edges --scale 2";
  const std::string store = NewStore();
  const auto report = RunJson("import " + store + command);
  EXPECT_EQ(report.at("records"), 3000);
  const std::string root = report.at("root");
  EXPECT_EQ(RootOf(store), root);
  EXPECT_EQ(RunJson("verify " + store).at("damage").size(), 0u);

  // Again: nothing changes.
  const auto again = RunJson("import " + store + command);
  EXPECT_EQ(again.at("records_this_run"), 0);
  EXPECT_EQ(again.at("records"), 3000);
  EXPECT_EQ(again.at("root"), root);

  EXPECT_EQ(RunJson("import " + NewStore() + command + " --batch 1 --durability buffered").at("root"),
            root);
  EXPECT_EQ(RunJson("import " + NewStore() + command, "FIRN_IO=posix").at("root"), root);
  EXPECT_EQ(RunJson("import " + NewStore() + command +
                    " --memtable-size 1MiB --node-cache-nodes 100 --checkpoint-every 500 "
                    "--digests operation")
                .at("root"),
            root);
  // An empty folder becomes a store.
  const std::string folder = folder_.File("empty");
  std::filesystem::create_directory(folder);
  EXPECT_EQ(RunJson("import " + folder + command).at("root"), root);
}

TEST_F(CliTest, ABadLineImportsNothingAndIsNamed) {
  const std::string store = NewStore();
  const std::string root = RootOf(store);
  const std::string input = Write("bad.txt", "1 2 3\n4\n\xff\xfe 5 6\n7 8 9\n");
  const Result stopped = Run("import " + store + " " + input + " --format edges");
  EXPECT_EQ(stopped.code, 3);
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("line 2"), HasSubstr("missing_field"),
                                 HasSubstr("line 3"), HasSubstr("not_utf8"),
                                 HasSubstr("--on-error skip")));
  EXPECT_EQ(RootOf(store), root);

  const std::string rejects = folder_.File("rejects");
  const auto skipped = RunJson("import " + store + " " + input +
                               " --format edges --on-error skip --rejects " + rejects);
  EXPECT_EQ(skipped.at("records"), 2);
  EXPECT_EQ(skipped.at("rejected"), 2);
  EXPECT_EQ(skipped.at("rejected_by_reason").at("not_utf8"), 1);
  EXPECT_THAT(Slurp(rejects), AllOf(HasSubstr("\"line\":2"), HasSubstr("\"line\":3")));
}

TEST_F(CliTest, ARedirectedFileIsImportedWhole) {
  // More than the input's buffer holds.
  const std::string edges = Edges(30000);
  const std::string flags = " --format edges --scale 2";
  const std::string root = RunJson("import " + NewStore() + " " + edges + flags).at("root");
  const std::string store = NewStore();
  EXPECT_EQ(Run("import " + store + " -" + flags, "", "<" + edges).code, 0);
  EXPECT_EQ(RootOf(store), root);
  const std::string piped = NewStore();
  EXPECT_EQ(Run("import " + piped + " -" + flags, "cat " + edges + " |", "").code, 0);
  EXPECT_EQ(RootOf(piped), root);
}

TEST_F(CliTest, APipeThatBeginsLikeAnotherInputIsRefusedAndNotHalfRead) {
  const std::string store = NewStore();
  RunJson("import " + store + " " + Write("first", "1 2 3\n4 5 6\n") + " --format edges");
  const std::string root = RootOf(store);
  const std::string second = Write("second", "1 2 3\n4 5 7\n8 9 10\n");
  const Result refused =
      Run("import " + store + " /dev/stdin --format edges", "cat " + second + " |", "");
  EXPECT_EQ(refused.code, 2) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("cannot be read twice"));
  EXPECT_EQ(RootOf(store), root);
}

TEST_F(CliTest, AKeyThatTheTreeCannotHoldImportsNothing) {
  const std::string store = NewStore();
  const std::string root = RootOf(store);
  const std::string good = "{\"key\":\"" + Fill("01", 32) + "\",\"value\":\"00\"}\n";
  for (const std::string& key : {Fill("02", 31), Fill("00", 32), Fill("ff", 32)}) {
    const std::string input =
        Write("keys.jsonl", good + "{\"key\":\"" + key + "\",\"value\":\"00\"}\n");
    const Result stopped =
        Run("import " + store + " " + input + " --format jsonl --batch 1");
    EXPECT_EQ(stopped.code, 3);
    EXPECT_THAT(stopped.err, HasSubstr("line 2"));
    EXPECT_EQ(RootOf(store), root) << key;
  }
}

TEST_F(CliTest, LargeValuesAreCommittedInPiecesThatFitABatch) {
  const std::string store = NewStore();
  const std::string value(1'000'000, 'a');  // hex: 500 kB, which a commit holds twice
  const std::string input = folder_.File("large.jsonl");
  {
    std::ofstream file(input, std::ios::binary);
    for (int i = 0; i < 75; ++i) {
      char number[8];
      std::snprintf(number, sizeof(number), "%02x", i + 1);
      file << "{\"key\":\"" << Fill(number, 32) << "\",\"value\":\"" << value << "\"}\n";
    }
  }
  EXPECT_EQ(RunJson("import " + store + " " + input + " --format jsonl").at("keys"), 75);
}

TEST_F(CliTest, FormsThatHashKeysNeedAStoreWithSuchKeys) {
  const std::string store = NewStore("--key-length 8");
  const Result result = Run("import " + store + " " + Edges(3) + " --format edges");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--key-length 32"));
}

TEST_F(CliTest, ProofsConvinceWhoHoldsTheRootAndNobodyElse) {
  const std::string store = NewStore();
  RunJson("put " + store + " --hashed alice 0a");
  const std::string root = RunJson("put " + store + " --hashed bob 0b").at("root");
  const std::string bundle = folder_.File("bundle.json");
  RunJson("prove " + store + " --hashed alice carol -o " + bundle);
  const std::string verify = "verify-proof " + bundle + " --root " + root;
  EXPECT_EQ(Run(verify).code, 0);
  EXPECT_EQ(Run(verify + " --hashed --key alice --value 616c696365").code, 1);
  EXPECT_EQ(Run(verify + " --hashed --key carol --absent").code, 0);
  EXPECT_EQ(Run(verify + " --hashed --key alice --absent").code, 1);
  EXPECT_EQ(Run(verify + " --hashed --key bob --absent").code, 1);
  // --hashed is about the key alone.
  EXPECT_EQ(RunJson("get " + store + " --hashed alice").at("value"), "0a");
  EXPECT_EQ(Run(verify + " --hashed --key alice --value 0a").code, 0);
  // Empty is a key and a value like any other, not "none given".
  EXPECT_EQ(Run(verify + " --hashed --key alice --value ''").code, 1);
  EXPECT_EQ(Run(verify + " --hashed --key '' --absent").code, 1);
  EXPECT_EQ(Run("verify-proof " + bundle + " --root " + Fill("11", 33)).code, 1);

  const std::string text = Slurp(bundle);
  const size_t proof = text.find("\"proof\": \"") + 10;
  std::string flipped = text;
  flipped[proof + 8] = flipped[proof + 8] == '0' ? '1' : '0';
  EXPECT_EQ(Run("verify-proof " + Write("flipped", flipped) + " --root " + root).code, 1);
  EXPECT_EQ(Run("verify-proof " + Write("cut", text.substr(0, text.size() / 2)) + " --root " + root)
                .code,
            1);
  EXPECT_EQ(Run("verify-proof " + Write("noise", std::string(5'000'000, '\x81')) + " --root " + root)
                .code,
            1);
  EXPECT_EQ(Run("verify-proof " + folder_.File("none") + " --root " + root).code, 3);
  std::string short_root = text;
  short_root.erase(short_root.find("\"root\": \"") + 9, 2);
  EXPECT_EQ(Run("verify-proof " + Write("short", short_root) + " --root " + root).code, 1);
  EXPECT_EQ(Run("dump " + Write("cut", text.substr(0, text.size() / 2))).code, 1);
  EXPECT_EQ(Run("dump " + Write("flipped", flipped)).code, 1);

  // A retained older root can be proved against; one that was never there cannot.
  RunJson("checkpoint " + store + " create");
  RunJson("put " + store + " --hashed alice 0c");
  RunJson("prove " + store + " --hashed alice --root " + root + " -o " + bundle);
  EXPECT_EQ(Run(verify + " --hashed --key alice").code, 0);
  EXPECT_EQ(Run("prove " + store + " --hashed alice --root " + Fill("11", 33) + " -o " + bundle).code,
            3);
}

TEST_F(CliTest, CheckpointsAreMadeListedAndShown) {
  const std::string store = NewStore();
  RunJson("put " + store + " --hashed alice 0a");
  const auto made = RunJson("checkpoint " + store + " create");
  EXPECT_EQ(made.at("root"), RootOf(store));
  EXPECT_EQ(made.at("nodes"), 3);
  const auto listed = RunJson("checkpoint " + store + " list").at("checkpoints");
  ASSERT_GE(listed.size(), 1u);
  EXPECT_EQ(listed[0].at("id"), made.at("id"));
  EXPECT_EQ(RunJson("checkpoint " + store + " show " + made.at("id").dump()).at("root"),
            made.at("root"));
  EXPECT_EQ(Run("checkpoint " + store + " show 999").code, 3);
}

TEST_F(CliTest, EveryKindOfFileCanBeLookedInto) {
  const std::string store = NewStore();
  const std::string root =
      RunJson("import " + store + " " + Edges(8000) + " --format edges --scale 2").at("root");
  RunJson("checkpoint " + store + " create");
  const std::string bundle = folder_.File("bundle");
  RunJson("prove " + store + " " + Fill("01", 32) + " -o " + bundle);
  EXPECT_THAT(Run("dump " + FindFile(store + "/nodes", ".seg")).out,
              AllOf(HasSubstr("segment"), HasSubstr("block 0 at 0"), HasSubstr("checksum good")));
  EXPECT_THAT(Run("dump --entries --limit 3 " + FindFile(store + "/nodes", ".seg")).code, 0);
  EXPECT_THAT(Run("dump --entries " + FindFile(store + "/wal", ".wal")).out,
              HasSubstr("log of writes"));
  const std::string manifest = ManifestOf(store);
  EXPECT_THAT(Run("dump --entries " + manifest).out,
              AllOf(HasSubstr("manifest"), HasSubstr("add keyspace"), HasSubstr("add segment")));
  EXPECT_THAT(Run("dump " + store + "/FIRN").out, HasSubstr("store identity"));
  EXPECT_THAT(Run("dump " + bundle).out, AllOf(HasSubstr(root), HasSubstr("absent")));
  const Result unknown = Run("dump " + Write("letter", "hello"));
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.err, HasSubstr("neither"));
  const std::string log = Slurp(FindFile(store + "/wal", ".wal"));
  const Result cut = Run("dump " + Write("cut.wal", log.substr(0, 100)));
  EXPECT_EQ(cut.code, 1);
  EXPECT_THAT(cut.out, AllOf(HasSubstr("cut.wal"), HasSubstr("offset 100")));
}

TEST_F(CliTest, DamageIsFoundNamedAndNeverServed) {
  const std::string store = NewStore();
  const std::string key = Fill("01", 32);
  // Large enough that the checkpoint writes segments.
  RunJson("import " + store + " " + Edges(8000) + " --format edges --scale 2");
  RunJson("checkpoint " + store + " create");
  const std::string segment = FindFile(store + "/nodes", ".seg");
  ASSERT_NE(segment, "");
  FlipByte(segment, 100);
  const Result verified = Run("verify " + store);
  EXPECT_EQ(verified.code, 1) << verified.err;
  EXPECT_THAT(verified.out, AllOf(HasSubstr("DAMAGE"), HasSubstr(".seg"), HasSubstr("offset")));
  EXPECT_EQ(Run("dump " + segment).code, 1);
  FlipByte(segment, 100);
  EXPECT_EQ(Run("verify " + store).code, 0);

  std::filesystem::rename(segment, segment + ".gone");
  const Result missing = Run("root " + store);
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr(std::filesystem::path(segment).filename().string()));
  std::filesystem::rename(segment + ".gone", segment);
  EXPECT_EQ(Run("root " + store).code, 0);
}

TEST_F(CliTest, DamageInRecordsAndOperationsIsAFindingToo) {
  const std::string store = NewStore();
  RunJson("import " + store + " " + Edges(30000) +
          " --format edges --scale 2 --memtable-size 1MiB");
  for (const char* const keyspace : {"/records", "/operations", "/indexes"}) {
    const std::string segment = FindFile(store + keyspace, ".seg");
    ASSERT_NE(segment, "") << keyspace;
    FlipByte(segment, 100);
    const Result verified = Run("verify " + store);
    EXPECT_EQ(verified.code, 1) << keyspace << verified.err;
    EXPECT_THAT(verified.out, AllOf(HasSubstr("DAMAGE"), HasSubstr(segment))) << keyspace;
    FlipByte(segment, 100);
  }
  EXPECT_EQ(Run("verify " + store).code, 0);
}

TEST_F(CliTest, DamagedMetadataIsNamedWithItsFile) {
  const std::string store = NewStore();
  RunJson("import " + store + " " + Edges(100) + " --format edges --scale 2");
  const std::string manifest = ManifestOf(store);
  FlipByte(manifest, 4096 + 60);
  const Result result = Run("root " + store);
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("MANIFEST"), HasSubstr("offset")));
  const Result verified = Run("verify " + store);
  EXPECT_EQ(verified.code, 1);
  FlipByte(manifest, 4096 + 60);
  EXPECT_EQ(Run("root " + store).code, 0);
  FlipByte(store + "/CURRENT", 2);
  EXPECT_EQ(Run("root " + store).code, 3);
}

TEST_F(CliTest, AnAnswerThatCannotBeWrittenIsAnError) {
  const std::string store = NewStore();
  // The shell's last redirection counts.
  const Result result = Run("root " + store, "", "</dev/null >/dev/full");
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, HasSubstr("standard output"));
}

TEST_F(CliTest, ASecondProcessIsRefused) {
  const std::string store = NewStore();
  const std::string fifo = folder_.File("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  // An import that waits for its input holds the store until the writing end is closed.
  const int hold = open(fifo.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(hold, 0);
  const std::string holder = "'" FIRN_BINARY "' import " + store + " '" + fifo +
                             "' --format edges >/dev/null 2>&1 &";
  ASSERT_EQ(std::system(holder.c_str()), 0);
  // LOCK names its holder: wait until that is the import.
  const std::string before = Slurp(store + "/LOCK");
  for (int attempt = 0; attempt < 1000 && Slurp(store + "/LOCK") == before; ++attempt) {
    usleep(10'000);
  }
  const Result refused = Run("root " + store);
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.err, HasSubstr("LOCK"));
  close(hold);
  for (int attempt = 0; attempt < 500 && Run("root " + store).code != 0; ++attempt) {
    // The import may not have opened its input yet: a writer that comes and goes ends it too.
    const int writer = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (writer >= 0) close(writer);
    usleep(10'000);
  }
  EXPECT_EQ(Run("root " + store).code, 0);
}

}  // namespace
}  // namespace firn
