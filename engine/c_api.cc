// The C API of the database: opening, keyspaces, batches, writes, upkeep. Reads are in c_reads.cc,
// transactions in c_transaction.cc, figures in c_statistics.cc.
#include "firn/c.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/c_handles.h"
#include "firn/c_bridge.h"
#include "firn/option_names.h"
#include "firn/presets.h"

namespace firn {
namespace {

constexpr absl::string_view kModes[] = {"open_or_create", "open_existing", "create_new"};
constexpr absl::string_view kStorages[] = {"disk", "memory"};
constexpr absl::string_view kLayouts[] = {"ordered", "hashed", "sequence"};
constexpr absl::string_view kCompressions[] = {"none", "lz4", "lz4hc", "zstd"};
constexpr absl::string_view kIdentity = "identity.";

absl::Status SetByName(Options& options, const NamedText& option) {
  if (option.name == "preset") {
    FIRN_ASSIGN_OR_RETURN(const Preset preset, PresetNamed(option.value));
    const Options expanded = ExpandPreset(preset).store;
    for (const OptionName& about : StoreOptionNames()) {
      FIRN_RETURN_IF_ERROR(
          SetOption(options, about.name, GetOption(expanded, about.name).value()));
    }
    return absl::OkStatus();
  }
  if (option.name == "mode") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t mode, ParseWord(option, kModes));
    options.mode = static_cast<OpenMode>(mode);
    return absl::OkStatus();
  }
  if (option.name == "storage") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t storage, ParseWord(option, kStorages));
    options.storage = static_cast<Storage>(storage);
    return absl::OkStatus();
  }
  if (absl::StartsWith(option.name, kIdentity)) {
    options.identity[std::string(option.name.substr(kIdentity.size()))] = std::string(option.value);
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(GetOption(options, option.name).status());  // an unknown name first
  FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(option));
  return SetOption(options, option.name, number);
}

absl::Status SetByName(KeyspaceOptions& options, const NamedText& option) {
  if (option.name == "preset") {
    FIRN_ASSIGN_OR_RETURN(const Preset preset, PresetNamed(option.value));
    const KeyspaceOptions expanded = ExpandPreset(preset).keyspace;
    for (const OptionName& about : KeyspaceOptionNames()) {
      FIRN_RETURN_IF_ERROR(
          SetOption(options, about.name, GetOption(expanded, about.name).value()));
    }
    return absl::OkStatus();
  }
  if (option.name == "layout") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t layout, ParseWord(option, kLayouts));
    options.layout = static_cast<KeyspaceLayout>(layout);
    return absl::OkStatus();
  }
  if (option.name == "compression") {
    FIRN_ASSIGN_OR_RETURN(const uint8_t compression, ParseWord(option, kCompressions));
    options.compression = static_cast<Compression>(compression);
    return absl::OkStatus();
  }
  FIRN_RETURN_IF_ERROR(GetOption(options, option.name).status());
  FIRN_ASSIGN_OR_RETURN(const uint64_t number, ParseNumber(option));
  return SetOption(options, option.name, number);
}

template <typename Struct>
absl::StatusOr<Struct> OptionsFromC(const firn_option* options, size_t count) {
  FIRN_ASSIGN_OR_RETURN(const std::vector<NamedText> named, FromC(options, count));
  Struct result;
  for (const NamedText& option : named) FIRN_RETURN_IF_ERROR(SetByName(result, option));
  return result;
}

// What creating and opening a keyspace have in common: `make(database, name)` does it.
template <typename Make>
firn_code MakeKeyspace(firn_database* database, firn_bytes name, firn_keyspace** keyspace,
                       firn_error** error, Make make) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    *keyspace = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    FIRN_ASSIGN_OR_RETURN(Keyspace made, make(*database->database, text));
    *keyspace = new firn_keyspace{database->database, std::move(made)};
    return absl::OkStatus();
  });
}

// A call on a keyspace's database: `call(database, keyspace)`.
template <typename Call>
firn_code OnKeyspace(firn_keyspace* keyspace, firn_error** error, Call call) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    return call(*keyspace->database, keyspace->keyspace);
  });
}

template <typename Call>
firn_code OnDatabase(firn_database* database, firn_error** error, Call call) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    return call(*database->database);
  });
}

}  // namespace

std::shared_ptr<Database> DatabaseOf(const firn_database& handle) { return handle.database; }
const Keyspace& KeyspaceOf(const firn_keyspace& handle) { return handle.keyspace; }
const WriteBatch& BatchOf(const firn_batch& handle) { return handle.batch; }

absl::StatusOr<Durability> DurabilityFromC(firn_durability durability) {
  if (durability >= FIRN_VOLATILE && durability <= FIRN_SYNCED) {
    return static_cast<Durability>(durability);
  }
  return InvalidArgument(absl::StrCat("durability ", durability, " is none of 1, 2, 3"));
}

}  // namespace firn

using firn::CallFromC;
using firn::CheckGiven;
using firn::FromC;
using firn::OnDatabase;
using firn::OnKeyspace;
using firn::ToC;

firn_code firn_database_open(firn_bytes path, const firn_option* options, size_t option_count,
                             firn_database** database, firn_error** error) {
  return firn_database_open_logged(path, options, option_count, nullptr, nullptr, database, error);
}

firn_code firn_database_open_logged(firn_bytes path, const firn_option* options,
                                    size_t option_count, firn_log_sink sink, void* context,
                                    firn_database** database, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    *database = nullptr;
    FIRN_ASSIGN_OR_RETURN(const absl::string_view folder, FromC(path, "path"));
    if (folder.empty() || folder.find('\0') != folder.npos) {
      return firn::InvalidArgument("path is empty or holds a zero byte");
    }
    FIRN_ASSIGN_OR_RETURN(firn::Options opened_with,
                          firn::OptionsFromC<firn::Options>(options, option_count));
    if (sink != nullptr) {
      opened_with.log_sink = [sink, context](absl::string_view line) { sink(ToC(line), context); };
    }
    FIRN_ASSIGN_OR_RETURN(std::unique_ptr<firn::Database> opened,
                          firn::Database::Open(folder, opened_with));
    *database = new firn_database{std::move(opened)};
    return absl::OkStatus();
  });
}

firn_code firn_database_close(firn_database* database, firn_error** error) {
  return OnDatabase(database, error, [](firn::Database& open) { return open.Close(); });
}
void firn_database_free(firn_database* database) { delete database; }
firn_bytes firn_database_store_id(const firn_database* database) {
  return database == nullptr ? firn_bytes{nullptr, 0} : ToC(database->database->store_id());
}
uint64_t firn_database_last_sequence(const firn_database* database) {
  return database == nullptr ? 0 : database->database->last_sequence();
}

firn_code firn_database_identity(const firn_database* database, firn_bytes name, firn_bytes* value,
                                 firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(value, "value"));
    *value = {nullptr, 0};
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view which, FromC(name, "name"));
    const auto& identity = database->database->identity();
    const auto found = identity.find(std::string(which));
    if (found == identity.end()) return absl::NotFoundError("");
    *value = ToC(found->second);
    return absl::OkStatus();
  });
}

firn_code firn_keyspace_create(firn_database* database, firn_bytes name,
                               const firn_option* options, size_t option_count,
                               firn_keyspace** keyspace, firn_error** error) {
  return firn::MakeKeyspace(
      database, name, keyspace, error,
      [&](firn::Database& open, absl::string_view text) -> absl::StatusOr<firn::Keyspace> {
        FIRN_ASSIGN_OR_RETURN(const firn::KeyspaceOptions made_with,
                              firn::OptionsFromC<firn::KeyspaceOptions>(options, option_count));
        return open.CreateKeyspace(text, made_with);
      });
}

firn_code firn_keyspace_open(firn_database* database, firn_bytes name, firn_keyspace** keyspace,
                             firn_error** error) {
  return firn::MakeKeyspace(database, name, keyspace, error,
                            [](firn::Database& open, absl::string_view text) {
                              return open.OpenKeyspace(text);
                            });
}

firn_code firn_keyspace_open_or_create(firn_database* database, firn_bytes name,
                                       const firn_option* options, size_t option_count,
                                       firn_keyspace** keyspace, firn_error** error) {
  return firn::MakeKeyspace(
      database, name, keyspace, error,
      [&](firn::Database& open, absl::string_view text) -> absl::StatusOr<firn::Keyspace> {
        FIRN_ASSIGN_OR_RETURN(const firn::KeyspaceOptions made_with,
                              firn::OptionsFromC<firn::KeyspaceOptions>(options, option_count));
        return open.OpenOrCreateKeyspace(text, made_with);
      });
}

firn_code firn_keyspace_drop(firn_database* database, firn_bytes name, firn_error** error) {
  return OnDatabase(database, error, [&](firn::Database& open) -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const absl::string_view text, FromC(name, "name"));
    return open.DropKeyspace(text);
  });
}

firn_code firn_keyspace_list(firn_database* database, firn_list** names, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(names, "names"));
    *names = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    *names = new firn_list{database->database->ListKeyspaces()};
    return absl::OkStatus();
  });
}

firn_bytes firn_keyspace_name(const firn_keyspace* keyspace) {
  return keyspace == nullptr ? firn_bytes{nullptr, 0} : ToC(keyspace->keyspace.name());
}
uint32_t firn_keyspace_id(const firn_keyspace* keyspace) {
  return keyspace == nullptr ? 0 : keyspace->keyspace.id();
}
void firn_keyspace_free(firn_keyspace* keyspace) { delete keyspace; }

firn_code firn_batch_new(firn_batch** batch, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(batch, "batch"));
    *batch = nullptr;
    *batch = new firn_batch;
    return absl::OkStatus();
  });
}

firn_code firn_batch_put(firn_batch* batch, const firn_keyspace* keyspace, firn_bytes key,
                         firn_bytes value, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(batch, "batch"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view value_view, FromC(value, "value"));
    batch->batch.Put(keyspace->keyspace, key_view, value_view);
    return absl::OkStatus();
  });
}

firn_code firn_batch_remove(firn_batch* batch, const firn_keyspace* keyspace, firn_bytes key,
                            firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(batch, "batch"));
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view key_view, FromC(key, "key"));
    batch->batch.Remove(keyspace->keyspace, key_view);
    return absl::OkStatus();
  });
}

firn_code firn_batch_append(firn_batch* batch, const firn_batch* other, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(batch, "batch"));
    FIRN_RETURN_IF_ERROR(CheckGiven(other, "other"));
    batch->batch.Append(other->batch);
    return absl::OkStatus();
  });
}

void firn_batch_clear(firn_batch* batch) {
  if (batch != nullptr) batch->batch.Clear();
}
size_t firn_batch_count(const firn_batch* batch) {
  return batch == nullptr ? 0 : batch->batch.count();
}
size_t firn_batch_encoded_size(const firn_batch* batch) {
  return batch == nullptr ? 0 : batch->batch.encoded_size();
}
void firn_batch_free(firn_batch* batch) { delete batch; }

firn_code firn_database_write(firn_database* database, const firn_batch* batch,
                              firn_durability durability, firn_error** error) {
  return OnDatabase(database, error, [&](firn::Database& open) -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(batch, "batch"));
    FIRN_ASSIGN_OR_RETURN(const firn::Durability level, firn::DurabilityFromC(durability));
    return open.Write(batch->batch, level);
  });
}

firn_code firn_database_sync(firn_database* database, firn_error** error) {
  return OnDatabase(database, error, [](firn::Database& open) { return open.Sync(); });
}

firn_code firn_keyspace_set_size_limits(firn_keyspace* keyspace, uint64_t soft, uint64_t hard,
                                        firn_error** error) {
  return OnKeyspace(keyspace, error, [&](firn::Database& open, const firn::Keyspace& which) {
    return open.SetSizeLimits(which, {.soft = soft, .hard = hard});
  });
}

firn_code firn_keyspace_set_compression(firn_keyspace* keyspace, firn_bytes codec, uint32_t level,
                                        firn_error** error) {
  return OnKeyspace(
      keyspace, error, [&](firn::Database& open, const firn::Keyspace& which) -> absl::Status {
        FIRN_ASSIGN_OR_RETURN(const absl::string_view word, FromC(codec, "codec"));
        FIRN_ASSIGN_OR_RETURN(const uint8_t compression,
                              firn::ParseWord({"compression", word}, firn::kCompressions));
        return open.SetCompression(which, {static_cast<firn::Compression>(compression), level});
      });
}

firn_code firn_database_set_block_cache_size(firn_database* database, uint64_t bytes,
                                             firn_error** error) {
  return OnDatabase(database, error,
                    [&](firn::Database& open) { return open.SetBlockCacheSize(bytes); });
}

firn_code firn_keyspace_flush(firn_keyspace* keyspace, firn_error** error) {
  return OnKeyspace(keyspace, error, [](firn::Database& open, const firn::Keyspace& which) {
    return open.Flush(which);
  });
}

firn_code firn_keyspace_compact(firn_keyspace* keyspace, firn_bytes begin, firn_bytes limit,
                                firn_error** error) {
  return OnKeyspace(
      keyspace, error, [&](firn::Database& open, const firn::Keyspace& which) -> absl::Status {
        FIRN_ASSIGN_OR_RETURN(const absl::string_view from, FromC(begin, "begin"));
        FIRN_ASSIGN_OR_RETURN(const absl::string_view to, FromC(limit, "limit"));
        return open.Compact(which, from, to);
      });
}

firn_code firn_keyspace_drop_below(firn_keyspace* keyspace, firn_bytes key, firn_error** error) {
  return OnKeyspace(
      keyspace, error, [&](firn::Database& open, const firn::Keyspace& which) -> absl::Status {
        FIRN_ASSIGN_OR_RETURN(const absl::string_view bound, FromC(key, "key"));
        return open.DropBelow(which, bound);
      });
}

firn_code firn_keyspace_approximate_size(const firn_keyspace* keyspace, firn_bytes begin,
                                         firn_bytes limit, uint64_t* bytes, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(bytes, "bytes"));
    *bytes = 0;
    FIRN_RETURN_IF_ERROR(CheckGiven(keyspace, "keyspace"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view from, FromC(begin, "begin"));
    FIRN_ASSIGN_OR_RETURN(const absl::string_view to, FromC(limit, "limit"));
    FIRN_ASSIGN_OR_RETURN(*bytes, keyspace->keyspace.ApproximateSize(from, to));
    return absl::OkStatus();
  });
}

firn_code firn_database_wait_for_background_work(firn_database* database, firn_error** error) {
  return OnDatabase(database, error,
                    [](firn::Database& open) { return open.WaitForBackgroundWork(); });
}

firn_code firn_database_verify(firn_database* database, firn_verify_level level,
                               firn_report** report, firn_error** error) {
  return CallFromC(error, [&]() -> absl::Status {
    FIRN_RETURN_IF_ERROR(CheckGiven(report, "report"));
    *report = nullptr;
    FIRN_RETURN_IF_ERROR(CheckGiven(database, "database"));
    if (level != FIRN_VERIFY_FILES && level != FIRN_VERIFY_BLOCKS) {
      return firn::InvalidArgument(absl::StrCat("verify level ", level, " is neither 1 nor 2"));
    }
    FIRN_ASSIGN_OR_RETURN(
        firn::VerifyReport found,
        database->database->Verify(static_cast<firn::VerifyLevel>(level)));
    *report = new firn_report{found.clean(),
                              {{"files", found.files},
                               {"blocks", found.blocks},
                               {"entries", found.entries},
                               {"bytes", found.bytes}},
                              {std::move(found.damage)},
                              {std::move(found.notes)}};
    return absl::OkStatus();
  });
}
