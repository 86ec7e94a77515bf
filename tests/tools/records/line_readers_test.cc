#include "tools/records/line_readers.h"

#include <fstream>

#include "absl/strings/escaping.h"
#include "base/blake2b.h"
#include "base/types.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/records/fields.h"

namespace firn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecordReaderTest : public ::testing::Test {
 protected:
  // One word a record: "line:ok" or "line:reason".
  std::vector<std::string> Read(const std::string& content, const RecordOptions& options) {
    std::ofstream(path_, std::ios::binary) << content;
    input_ = Input::Open(path_).value();
    const std::string first_line = input_->PeekFirstLine().value();
    auto reader = NewRecordReader(*input_, options, first_line);
    if (!reader.ok()) return {"error: " + std::string(reader.status().message())};
    std::vector<std::string> words;
    records_.clear();
    while (true) {
      const absl::StatusOr<std::optional<ParsedRecord>> parsed = (*reader)->Next();
      if (!parsed.ok() || !parsed->has_value()) break;
      std::string word = std::to_string((*parsed)->line) + ":";
      if (const auto* rejection = std::get_if<Rejection>(&(*parsed)->content)) {
        word += rejection->reason;
      } else {
        word += "ok";
        records_.push_back(std::get<Record>((*parsed)->content));
      }
      words.push_back(word);
    }
    return words;
  }

  static std::string PseudoNoteKey(const char* issuer, const char* recipient) {
    const RecordOptions pseudo;
    return NoteKey(ParseAccount(issuer, pseudo).value(), ParseAccount(recipient, pseudo).value());
  }

  TemporaryDirectory folder_;
  const std::string path_ = folder_.File("input");
  std::unique_ptr<Input> input_;
  std::vector<Record> records_;
};

TEST_F(RecordReaderTest, EdgesAreTwoToFourColumnsWithAnySeparator) {
  RecordOptions options;
  options.scale = 3;
  EXPECT_THAT(Read("6 8 321.5\n# comment\n\n5,8,114\r\n9\t5\n1 2 3 1289241912\n", options),
              ElementsAre("1:ok", "4:ok", "5:ok", "6:ok"));
  EXPECT_EQ(records_[0].operation.key, PseudoNoteKey("6", "8"));
  EXPECT_EQ(records_[0].operation.value, AmountValue(321500));
  EXPECT_EQ(records_[2].operation.value, AmountValue(1000));
  EXPECT_EQ(records_[3].time_ms, 1289241912000u);
}

TEST_F(RecordReaderTest, BadEdgesAreRefusedWithLineAndReason) {
  EXPECT_THAT(Read("1\n1 2 x\n1 2 3 4 5\n\xff\xfe 2 3\n1 2 3.5\n1 2 3 never\n7 8 9\n", {}),
              ElementsAre("1:missing_field", "2:bad_number", "3:too_many_fields", "4:not_utf8",
                          "5:digits_lost", "6:bad_time", "7:ok"));
}

TEST_F(RecordReaderTest, ALineOverTheLimitIsRefusedAndTheNextIsRead) {
  EXPECT_THAT(Read(std::string(3 * kLineSizeMax, 'x') + "\n1 2 3\n", {}),
              ElementsAre("1:line_too_long", "2:ok"));
}

TEST_F(RecordReaderTest, DeltasBecomeAdditions) {
  RecordOptions options;
  options.amount = AmountForm::kDelta;
  EXPECT_THAT(Read("1 2 -3\n", options), ElementsAre("1:ok"));
  EXPECT_EQ(records_[0].operation.kind, OperationKind::kUpdateLongBy);
  EXPECT_EQ(records_[0].operation.delta, -3);
}

TEST_F(RecordReaderTest, CsvColumnsAreFoundByName) {
  RecordOptions options;
  options.format = RecordFormat::kCsv;
  EXPECT_THAT(Read("timestamp,recipient,amount,issuer\n1289241912,8,5,6\n1289241912,\"8\",5\n",
                   options),
              ElementsAre("2:ok", "3:missing_field"));
  EXPECT_EQ(records_[0].operation.key, PseudoNoteKey("6", "8"));
  EXPECT_EQ(records_[0].time_ms, 1289241912000u);

  options.column_map = {{"issuer", "source"}, {"recipient", "target"}, {"amount", "rating"}};
  EXPECT_THAT(Read("source,target,rating\n6,8,-5\n", options), ElementsAre("2:ok"));
  EXPECT_EQ(records_[0].operation.value, AmountValue(-5));
}

TEST_F(RecordReaderTest, CsvWithoutTheNeededColumnsSaysWhichAndHow) {
  RecordOptions options;
  options.format = RecordFormat::kCsv;
  EXPECT_THAT(Read("6,2,4,1289241912\n", options),
              ElementsAre(::testing::AllOf(HasSubstr("\"issuer\""), HasSubstr("--columns"))));
  options.columns = {"issuer", "recipient", "amount", "timestamp"};
  EXPECT_THAT(Read("6,2,4,1289241912\n", options), ElementsAre("1:ok"));
}

TEST_F(RecordReaderTest, CsvQuotingFollowsRfc4180) {
  EXPECT_EQ(SplitCsvLine("a,\"b,c\",\"d\"\"e\",").value(),
            (std::vector<std::string>{"a", "b,c", "d\"e", ""}));
  EXPECT_EQ(SplitCsvLine("a,\"b"), std::nullopt);
}

TEST_F(RecordReaderTest, JsonLinesAreNotesOrPlainKeys) {
  RecordOptions options;
  options.format = RecordFormat::kJsonl;
  options.accounts = AccountForm::kHex;
  const std::string payer = "02" + std::string(64, 'a');
  const std::string payee = "03" + std::string(64, 'b');
  const std::string key = absl::BytesToHexString(
      NoteKey(absl::HexStringToBytes(payer), absl::HexStringToBytes(payee)));
  const std::string note = "{\"payerKey\":\"" + payer + "\",\"payeeKey\":\"" + payee +
                           "\",\"totalDebt\":50000000,\"timestamp\":1743379200000";
  const std::string http = "{\"issuer_pubkey\":\"" + payer + "\",\"recipient_pubkey\":\"" + payee +
                           "\",\"amount\":\"7\"}";
  EXPECT_THAT(Read(note + "}\n" + note + ",\"noteKey\":\"" + key + "\"}\n" + http +
                       "\n{\"key\":\"00ff\",\"value\":\"\"}\n",
                   options),
              ElementsAre("1:ok", "2:ok", "3:ok", "4:ok"));
  EXPECT_EQ(absl::BytesToHexString(records_[0].operation.key), key);
  EXPECT_EQ(records_[0].operation.value, AmountValue(50'000'000));
  EXPECT_EQ(records_[0].time_ms, 1743379200000u);
  EXPECT_EQ(records_[3].operation.key, std::string("\x00\xff", 2));

  EXPECT_THAT(Read(note + ",\"noteKey\":\"00\"}\n[1]\nnot json\n{}\n" +
                       "{\"key\":\"0g\",\"value\":\"\"}\n{\"key\":1,\"value\":\"\"}\n" +
                       "{\"payerKey\":\"" + payer + "\",\"payeeKey\":\"" + payee +
                       "\",\"totalDebt\":1.5}\n" +
                       "{\"payerKey\":\"" + payer + "\",\"payeeKey\":\"" + payee +
                       "\",\"totalDebt\":9223372036854775808}\n" + std::string(100000, '[') + "\n",
                   options),
              ElementsAre("1:note_key_mismatch", "2:bad_json", "3:bad_json", "4:missing_field",
                          "5:bad_hex", "6:bad_field", "7:bad_number", "8:out_of_range",
                          "9:bad_json"));
}

TEST_F(RecordReaderTest, StanzasOfThePackageIndexBecomeNameToVersionAndHash) {
  RecordOptions options;
  options.format = RecordFormat::kDeb822;
  const std::string hash(64, 'e');
  EXPECT_THAT(Read("Package: zero\nVersion: 1-2\nDescription: text\n continued: here\nSHA256: " +
                       hash + "\n\n\nPackage: nohash\nVersion: 3\n\nPackage: last\nVersion: 4\n" +
                       "SHA256: " + hash,
                   options),
              ElementsAre("1:ok", "8:missing_field", "11:ok"));
  EXPECT_EQ(records_[0].operation.key, AsText(HashBlake2b256(AsBytes("zero"))));
  EXPECT_EQ(records_[0].operation.value,
            std::string("1-2\0", 4) + absl::HexStringToBytes(hash));
  EXPECT_THAT(Read("Package: a\nVersion: 1\nSHA256: 00\n\nnonsense\n\nPackage: \xff\n", options),
              ElementsAre("1:bad_hex", "5:bad_field", "7:not_utf8"));
}

TEST_F(RecordReaderTest, PositionsAfterEachRecordAreWhereTheNextBegins) {
  std::ofstream(path_) << "1 2 3\n4 5 6\n";
  input_ = Input::Open(path_).value();
  auto reader = NewRecordReader(*input_, {}, "").value();
  EXPECT_THAT(reader->Next(), IsOk());
  EXPECT_EQ(input_->offset(), 6u);
  EXPECT_EQ(Blake2b256Hash(input_->HashOfConsumed()), HashBlake2b256(AsBytes("1 2 3\n")));
}

TEST_F(RecordReaderTest, AMissingFileAndAFolderAreErrorsThatNameThem) {
  EXPECT_THAT(Input::Open(folder_.File("absent")).status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("absent")));
  EXPECT_THAT(Input::Open(folder_.path()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("folder")));
}

}  // namespace
}  // namespace firn
