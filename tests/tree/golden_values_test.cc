// Roots and proofs published for the tracker's trees, some of them from the chain, made by other
// implementations. Proofs whose SHA-256 was published stand here in full; the bytes were compared with
// it when they were written down.
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/blake2b.h"
#include "base/coding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tree/prover.h"

namespace firn {
namespace {

std::string Fill(char byte, size_t size) { return std::string(size, byte); }
std::string Number(uint64_t value) {
  std::string bytes;
  PutBigEndian64(bytes, value);
  return bytes;
}
std::string Hash(absl::string_view bytes) {
  const Blake2b256Hash hash = HashBlake2b256(AsBytes(bytes));
  return std::string(hash.begin(), hash.end());
}

class Tree {
 public:
  explicit Tree(const TreeParameters& parameters)
      : parameters_(parameters), prover_(parameters, EmptyTree(parameters), 0, nullptr) {}
  // The proof, which the verifier has accepted.
  std::string Prove(const std::vector<Operation>& operations) {
    const Digest start = prover_.digest();
    for (const Operation& operation : operations) EXPECT_THAT(prover_.Apply(operation), IsOk());
    const std::vector<uint8_t> proof = prover_.GenerateProof();
    const auto verified =
        VerifyProof(start, proof, parameters_, operations, {.max_operations = operations.size()});
    EXPECT_THAT(verified, IsOk());
    if (verified.ok()) {
      EXPECT_EQ(verified->digest, prover_.digest());
    }
    return std::string(AsText(proof));
  }
  std::string Root() { return prover_.digest().ToHex(); }

 private:
  const TreeParameters parameters_;
  Prover prover_;
};

TEST(GoldenValuesTest, TrackerTreeOfFixedEightByteValues) {
  Tree tree({.key_length = 32, .value_length = 8});
  tree.Prove(
      {Operation::Insert(Fill(1, 32), Fill(2, 8)), Operation::Insert(Fill(3, 32), Fill(4, 8))});
  EXPECT_EQ(tree.Root(), "591e0f5f7172950ab9be5730ba39a48787a5729606924a215afda454b685a80902");
  // SHA-256 5b3e3451d8137978f6b86ea2021bdc0d8e31a80ecbbe8ed48f9d67e9c1f3ca54
  const std::string proof = absl::HexStringToBytes(absl::StrCat(
      "03ab4abecbeaed2ac82898c746116937f33e7c65af8b4f0df1e3782d663f67f248", "02",
      absl::BytesToHexString(Fill(1, 32)), absl::BytesToHexString(Fill(3, 32)), "0202020202020202",
      "03a6f2d1ca904906805d75f80c96a4bc9709814266545b258c3d48f66b9dedb089", "00010402"));
  ASSERT_EQ(proof.size(), 143u);
  EXPECT_EQ(tree.Prove({Operation::Lookup(Fill(1, 32))}), proof);
  EXPECT_EQ(tree.Prove({Operation::Update(Fill(1, 32), Fill(5, 8))}), proof);
  EXPECT_EQ(tree.Root(), "0e34a6b2c50f8da80ed5f253bece227e943ee21cd8e1533099e013bb2f94897202");
}

TEST(GoldenValuesTest, ReserveTreeOfFixedTwentyFourByteValues) {
  Tree tree({.key_length = 32, .value_length = 24});
  tree.Prove({Operation::Insert(Fill(1, 32), Fill(2, 24))});
  EXPECT_EQ(tree.Root(), "1ec099b5d613454bcc4d65d6d4c2c3d0f649e180a13d184e745a3ffb2a1d634e01");
  // SHA-256 80f33ed16eee7c83ba7d316d07a5bb988a2e5c8f83a50487e4698829dfe02d76
  const std::string proof = absl::HexStringToBytes(
      absl::StrCat("03f4749808979636f55fbea47d3963e6959c6d41029fcf90698c821b05968ff2da", "02",
                   absl::BytesToHexString(Fill(1, 32)), absl::BytesToHexString(Fill('\xff', 32)),
                   absl::BytesToHexString(Fill(2, 24)), "000400"));
  ASSERT_EQ(proof.size(), 125u);
  EXPECT_EQ(tree.Prove({Operation::Lookup(Fill(3, 32))}), proof);  // absent
  EXPECT_EQ(tree.Prove({Operation::Insert(Fill(3, 32), Fill(4, 24))}), proof);
  EXPECT_EQ(tree.Root(), "97bd1c2dde43af94a8073e25ec7d0a9c65236d384bcc71088489ead69dc1cd6502");
}

// The pair of the public demonstration; the lookup proof stands in a transaction on the chain.
TEST(GoldenValuesTest, TreesOfThePublicSamplePair) {
  const std::string issuer =
      absl::HexStringToBytes("0377709166937fcdc08bf7e841b31684e2377f489914c97ef7148de14d9c6e1f83");
  const std::string recipient =
      absl::HexStringToBytes("03af13e39dd0ccc7429f9dfa5a056b71a8f5160eaf179763a03e0b55d8feec2cea");
  const std::string key = Hash(issuer + recipient);
  ASSERT_EQ(absl::BytesToHexString(key),
            "6995ccf33c8a09705612e6ee3808bb4cedb48cb7b7c019ecdc68b74e7ed912a4");
  Tree tracker({.key_length = 32});
  tracker.Prove({Operation::Insert(key, Number(50'000'000))});
  EXPECT_EQ(tracker.Root(), "2c1d1fb21a9df51972a5439ca7ce8d5601f99c871f15cbf2c4ff6ae53d57a96f01");
  // SHA-256 3e18f53eec6fb0f02344b43ac7ee26a413230bb3343af47713670a918587884e
  const std::string proof = tracker.Prove({Operation::Lookup(key)});
  EXPECT_EQ(absl::BytesToHexString(proof),
            absl::StrCat("0365b2adf3ef941f484c086bf68d0316aa32207bb694bf63227435b394b9d1bc3502",
                         absl::BytesToHexString(key), absl::BytesToHexString(Fill('\xff', 32)),
                         "000000080000000002faf080000400"));
  EXPECT_EQ(proof.size(), 113u);

  Tree reserve({.key_length = 32});
  reserve.Prove({Operation::Insert(key, Number(1'743'379'200'000) + Number(25'000'000))});
  EXPECT_EQ(reserve.Root(), "a29b1d198b47ec3443c4b03d84384aab30093afcf59e969821f8fe713065816e01");
  EXPECT_EQ(reserve.Prove({Operation::Lookup(key)}).size(), 121u);
}

struct Series {
  uint64_t keys;
  const char* root;
  size_t batch_size;
  const char* batch_hash;
  const char* batch_root;
  size_t removal_size;
  const char* removal_hash;
  const char* removal_root;
};
constexpr Series kSeries[] = {
    {10, "4c1d63bf385ddce21b983512e6b77fd35328687ef4a04336e0abaf3af560705104", 519,
     "7a18aaa90792782b5a9543a85fdb5e928dada145c11e8251d8e83fad792dbf38",
     "e0d57b7ba1041563ca5b7d4ed59aad096293de1fbfbc08fa44c91b88deae768a04", 387,
     "9a1bd219c5bf31fe52a0ee2c02e0ba829efe10de2beb45127edfdfddfc4aea82",
     "7e2ffcb33228851516ff70553f951dd567991c1266ee68a22cae27e43f78c72f04"},
    {100, "eb5aa9623355d30a3ef591d9abfa8fe7357b33a64e57d427559290c3b4ce1cdb08", 1143,
     "f01ddfd8ff07c66cb48e3baba433c19407a6293822abab26d424478cc26d0cdb",
     "50b3b62ab2f5ab41a0702a06480fb18db118828e905353b0dbba46c22bf9e88f08", 828,
     "c83353cc8da0d95ca875bae37612bb00cb0f814dbdd5ed094dce3547f5cb9fbe",
     "39c6be875363458575435ff0ed2dd8b2300d83f9c40494ab5a3c4f578b1075c908"},
    {1000, "51dbdff3aa76c844fa5acf1fa885d8307c9b3df968f85fd859db7475238a193e0c", 1587,
     "e361feab1e2ecd046a28c32c9ed04e556c0120d25f793c39d597677ad8bb086e",
     "ac427854348668fb7076fbabe15a26ec5a9039e1de3866cec0c0721c544bab440c", 1271,
     "084e625d6166e8c1fd0b35da89078eec51abb289c95798d847c047639a82e407",
     "f4356c619eb5acc69557201daadeeffd88f62bce051ed31e1671e5471915e1a10c"},
    {10000, "6da3b2985b3d325faaf99d4bc3ad8d070d8e38f5e83d133ba69c074200bc3c2210", 1894,
     "7e4dc1cfde70061e4997250dad37d17c8c4dbf9797fc3a8bd91561796dc0ef81",
     "e81ca778682905ab25fa878a6fd816ecd3b3ec3b8c275ee29d3902c46d4dc14710", 1543,
     "12fea8bc371c518100fdbdc74973b0d51a81a900a35b1952d2abe045273e07a8",
     "cb9b908dac3ea7d9979e0674be99ef14fae755f0fd14560ccc8fdda68a054a5410"},
    {100000, "7c8f135a922b1d3088440e4a2ffecfa15d8247b445b2dc61ffe46c421c85984714", 2849,
     "e5df852a8250688f82606f3c5c1941895285c4e68ebe40072924dc9dc23173a9",
     "bc855a3f681157d11e1717c237abb3e6daeb5ad4c6e2f6cc599a791e48e389ff14", 2123,
     "de3833a9ff599135719d9cbc5529b382f6e1af0ca5fa034ae9b2da459a8f1011",
     "84a3044610b59867a1fe6d864828a45d46d6f0852947b9d759c03e3c96f004b714"},
};

TEST(GoldenValuesTest, SeriesOfHashedKeysWithBatchAndRemovalProofs) {
  const auto key = [](uint64_t i) { return Hash(Number(i)); };
  for (const Series& row : kSeries) {
    Tree tree({.key_length = 32});
    std::vector<Operation> inserts;
    for (uint64_t i = 1; i <= row.keys; ++i) {
      inserts.push_back(Operation::Insert(key(i), Number(1000 * i)));
    }
    tree.Prove(inserts);
    EXPECT_EQ(tree.Root(), row.root);
    const std::string batch =
        tree.Prove({Operation::InsertOrUpdate(key(1), Number(7)),
                    Operation::InsertOrUpdate(key(row.keys + 1), Number(8)),
                    Operation::InsertOrUpdate(key(row.keys + 2), Number(9)),
                    Operation::Lookup(key(5)), Operation::Lookup(key(row.keys + 3))});
    EXPECT_EQ(batch.size(), row.batch_size);
    EXPECT_EQ(absl::BytesToHexString(Hash(batch)), row.batch_hash);
    EXPECT_EQ(tree.Root(), row.batch_root);
    const std::string removal = tree.Prove({Operation::Remove(key(3)), Operation::Remove(key(4))});
    EXPECT_EQ(removal.size(), row.removal_size);
    EXPECT_EQ(absl::BytesToHexString(Hash(removal)), row.removal_hash);
    EXPECT_EQ(tree.Root(), row.removal_root);
  }
}

TEST(GoldenValuesTest, TheOrderOfInsertionsMakesTheRoot) {
  Tree ascending({.key_length = 32, .value_length = 8});
  Tree descending({.key_length = 32, .value_length = 8});
  for (char i = 1; i <= 4; ++i) {
    ascending.Prove({Operation::Insert(Fill(i, 32), Fill(static_cast<char>(11 * i), 8))});
    const char j = static_cast<char>(5 - i);
    descending.Prove({Operation::Insert(Fill(j, 32), Fill(static_cast<char>(11 * j), 8))});
  }
  EXPECT_EQ(ascending.Root().substr(0, 16), "3cf8bce3d09a4122");
  EXPECT_EQ(descending.Root().substr(0, 16), "8dcecdea39b5228d");
}

}  // namespace
}  // namespace firn
