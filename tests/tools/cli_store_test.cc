// tests/tools/cli_store_test.cc: what the commands say of a store as a whole, and what they set: options,
// files, figures, compaction, ingest.
#include "firn/database.h"
#include "firn/ingest.h"
#include "tests/tools/cli_fixture.h"

namespace firn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using CliStoreTest = CliTest;

TEST_F(CliStoreTest, OptionsInForceAreShownAndAFileIsChecked) {
  const std::string good =
      Write("good.toml", "preset = \"read-heavy\"\n[store]\nsegment_size = \"16 MiB\"\n"
                         "[keyspace]\ncompression = \"lz4hc\"\n");
  const std::string store = NewStore("--config " + good);
  const nlohmann::json in_force = RunJson("config show " + store);
  EXPECT_EQ(in_force.at("store").at("segment_size"), 16 << 20);
  EXPECT_EQ(in_force.at("store").at("open_segments_max"), 4096);
  EXPECT_EQ(in_force.at("keyspaces").at("nodes").at("layout"), "hashed");
  const nlohmann::json of_file = RunJson("config show --config " + good);
  EXPECT_EQ(of_file.at("keyspace").at("compression"), "lz4hc");
  EXPECT_EQ(of_file.at("store").at("segment_size"), 16 << 20);
  const Result preset = Run("config show --preset low-memory");
  EXPECT_THAT(preset.out, AllOf(HasSubstr("[store]\n"), HasSubstr("memory_budget = 67108864\n")));
  // What is shown is a configuration again.
  const Result shown = Run("config show --config " + good);
  EXPECT_EQ(RunJson("config check " + Write("again.toml", shown.out)).at("valid"), true);
  EXPECT_EQ(Run("config check " + good).code, 0);
  const Result bad = Run("config check " + Write("bad.toml", "[store]\nsegment_sise = 1\n"));
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.out, HasSubstr("did you mean segment_size?"));
  EXPECT_EQ(Run("config show").code, 2);
  EXPECT_EQ(Run("config show " + store + " --preset balanced").code, 2);
  EXPECT_EQ(Run("config show " + folder_.File("absent")).code, 3);
}

TEST_F(CliStoreTest, FilesAreListedWithTheirRolesAndForeignOnesNamed) {
  const std::string store = NewStore();
  ASSERT_EQ(Run("put " + store + " " + Fill("03", 32) + " 04").code, 0);
  const Result layout = Run("layout " + store);
  EXPECT_EQ(layout.code, 0) << layout.out;
  EXPECT_THAT(layout.out, AllOf(HasSubstr("manifest"), HasSubstr("log of writes")));
  std::ofstream(store + "/notes.txt") << "mine";
  const Result foreign = Run("layout " + store);
  EXPECT_EQ(foreign.code, 1);
  EXPECT_THAT(foreign.out, HasSubstr("UNKNOWN"));
  EXPECT_EQ(Slurp(store + "/notes.txt"), "mine");
  EXPECT_EQ(Run("layout " + folder_.path()).code, 3);
}

TEST_F(CliStoreTest, StatsTellRatiosReasonsAndSpace) {
  const std::string store = NewStore();
  ASSERT_EQ(Run("import " + store + " " + Edges(3000) + " --format edges --scale 2").code, 0);
  ASSERT_EQ(Run("put " + store + " " + Fill("03", 32) + " 04").code, 0);
  ASSERT_EQ(Run("checkpoint " + store + " create").code, 0);
  const nlohmann::json stats = RunJson("stats " + store + " --space");
  EXPECT_EQ(stats.at("compactions_by_timer"), 0);
  EXPECT_EQ(stats.at("block_cache_evictions"), 0);
  EXPECT_TRUE(stats.at("keyspaces")[0].contains("compression_ratio"));
  const nlohmann::json all = stats.at("space").back();
  EXPECT_EQ(all.at("name"), "(all)");
  EXPECT_GE(all.at("space_amplification").get<double>(), 1.0);
  EXPECT_GT(all.at("live_entries"), 0);
}

TEST_F(CliStoreTest, AConfigurationThatIsWrongMakesNoStore) {
  const std::string store = folder_.File("never");
  const auto refused = [&](const std::string& arguments, const std::string& message) {
    const Result result = Run("create " + store + " " + arguments);
    EXPECT_EQ(result.code, 2) << arguments;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(store)) << arguments;
  };
  refused("--preset fast", "balanced, write-heavy");
  refused("--config " + Write("a.toml", "[store]\nsegment_sise = 1\n"),
          "a.toml:2: option segment_sise: no such option; did you mean segment_size?");
  refused("--config " + Write("b.toml", "[store]\nsegment_size = 1\n"), "b.toml:2: option segment_size: 1");
  refused("--config " + Write("c.toml", "[store]\nstorage = \"memory\"\n"), "storage");
  refused("--config " + Write("d.toml", "[keyspaces.nodes]\n"), "keyspaces");
  refused("--preset balanced --config " + folder_.File("a.toml"), "--preset");
  const std::string absent = folder_.File("absent.toml");
  EXPECT_THAT(Run("create " + store + " --config " + absent).err, HasSubstr("absent.toml"));
}

TEST_F(CliStoreTest, AStoreKeepsTheOptionsItWasCreatedWith) {
  const auto options_of = [](const std::string& store) {
    std::ifstream file(store + "/OPTIONS.toml");
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  };
  const std::string small = NewStore("--preset low-memory");
  EXPECT_THAT(options_of(small), HasSubstr("memory_budget = 67108864\nmemtable_size = 4194304\n"));
  RootOf(small);
  EXPECT_THAT(options_of(small), HasSubstr("memory_budget = 67108864\nmemtable_size = 4194304\n"));
  const std::string file =
      Write("F.toml", "preset = \"read-heavy\"\n[store]\nblock_cache_size = \"96 MiB\"\n");
  const std::string large = NewStore("--config " + file);
  RootOf(large);
  EXPECT_THAT(options_of(large), HasSubstr("block_cache_size = 100663296\n"));
  EXPECT_THAT(options_of(large), HasSubstr("open_segments_max = 4096\n"));
}

TEST_F(CliStoreTest, StatisticsAreFigures) {
  const std::string store = NewStore();
  RunJson("import " + store + " " + Edges(300) + " --format edges --scale 2");
  const auto stats = RunJson("stats " + store);
  EXPECT_GT(stats.at("keys"), 0);
  EXPECT_GT(stats.at("bytes_on_disk"), 0);
  EXPECT_EQ(stats.at("keyspaces").size(), 7u);
  const auto posix = RunJson("stats " + store, "FIRN_IO=posix");
  EXPECT_EQ(posix.at("io"), "posix");
  EXPECT_THAT(posix.at("io_reason").get<std::string>(), HasSubstr("FIRN_IO"));
}

TEST_F(CliStoreTest, CompactSaysWhatItReadAndWroteAndChangesNoData) {
  const std::string store = NewStore();
  RunJson("import " + store + " " + Edges(300) + " --format edges --scale 2");
  const std::string root = RootOf(store);
  const auto report = RunJson("compact " + store);
  EXPECT_EQ(report.at("keyspaces").size(), 7u);
  EXPECT_GT(report.at("bytes_after"), 0);
  EXPECT_GT(report.at("bytes_written"), 0);
  EXPECT_GE(report.at("bytes_read"), 0);
  EXPECT_GE(report.at("seconds"), 0.0);
  const auto records = RunJson("compact " + store + " records --begin 00 --limit ff");
  EXPECT_EQ(records.at("keyspaces").size(), 1u);
  EXPECT_EQ(RootOf(store), root);
  EXPECT_EQ(Run("verify " + store).code, 0);
  EXPECT_THAT(Run("compact " + store + " nodes").out, HasSubstr("bytes, wrote"));
  EXPECT_EQ(Run("compact " + store + " records --begin 0f --limit 01").code, 2);
  EXPECT_EQ(Run("compact " + store + " records --begin zz").code, 2);
  EXPECT_EQ(Run("compact " + store + " --begin 00").code, 2);  // of which keyspace?
  EXPECT_EQ(Run("compact " + store + " apples").code, 3);
  EXPECT_EQ(Run("compact " + folder_.File("none")).code, 3);
}

TEST_F(CliStoreTest, IngestTakesInFilesOfABuilderAllOrNone) {
  const std::string store = NewStore();
  const auto open = [&] { return Database::Open(store, {}).value(); };
  ASSERT_TRUE(open()->CreateKeyspace("loaded", {}).ok());
  const std::string files[] = {folder_.File("1.seg"), folder_.File("2.seg")};
  for (const std::string& file : files) {
    const auto builder = SegmentBuilder::Create(file, {}).value();
    ASSERT_TRUE(builder->Put("apple", file).ok());
    ASSERT_TRUE(builder->Finish().ok());
  }
  EXPECT_EQ(Run("ingest " + store + " loaded " + files[0] + " " + folder_.File("none")).code, 2);
  EXPECT_EQ(Run("ingest " + store + " unknown " + files[0]).code, 3);
  EXPECT_EQ(Run("ingest " + store + " loaded " + files[0] + " --link --move").code, 2);
  const auto report = RunJson("ingest " + store + " loaded " + files[0] + " " + files[1]);
  EXPECT_EQ(report.at("segments"), 2);
  EXPECT_EQ(report.at("entries"), 2);
  EXPECT_EQ(Run("ingest " + store + " loaded " + files[0]).code, 2);  // it is there already
  EXPECT_EQ(open()->OpenKeyspace("loaded")->Get("apple")->view(), files[1]);
  EXPECT_EQ(Run("verify " + store).code, 0);
}

}  // namespace
}  // namespace firn
