// tools/entries.cc: firn root, get, put, remove, scan: single entries of a store, by hand.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "tools/commands.h"

namespace firn {
namespace {

struct EntryFlags {
  std::string directory, key, value;
  BytesForm form;
  StoreOptions store;
};

Json RootDocument(const TreeView& view) {
  return {{"root", view.digest().ToHex()},
          {"operations", view.operation_number()},
          {"commits", view.commit_number()},
          {"keys", view.key_count()}};
}

absl::Status Root(const EntryFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  Print(command, RootDocument(*store.tree->view()));
  return store.Close();
}

absl::Status Get(const EntryFlags& flags, Command& command) {
  FIRN_ASSIGN_OR_RETURN(const std::string key, KeyArgument(flags.key, flags.form));
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  {
    const std::shared_ptr<const TreeView> view = store.tree->view();
    FIRN_ASSIGN_OR_RETURN(const OldValue value, view->Get(key));
    Json document = {{"key", ToHex(key)}, {"root", view->digest().ToHex()}};
    if (value.has_value()) {
      document["value"] = flags.form.text ? *value : ToHex(*value);
    } else {
      document["absent"] = true;
      command.code = ExitCode::kNegative;
    }
    Print(command, document);
  }
  return store.Close();
}

absl::Status Modify(const EntryFlags& flags, const Operation& operation, Command& command) {
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  const absl::StatusOr<OldValue> old = store.tree->Apply(operation);
  if (ReasonOf(old.status()) == ErrorReason::kKeyNotFound) {
    Print(command, {{"key", ToHex(operation.key)}, {"absent", true}});
    command.code = ExitCode::kNegative;
    return store.Close();
  }
  FIRN_RETURN_IF_ERROR(old.status());
  FIRN_ASSIGN_OR_RETURN(const CommitResult committed, store.tree->Commit({}));
  Print(command, {{"key", ToHex(operation.key)},
                  {"previous", old->has_value() ? Json(ToHex(**old)) : Json()},
                  {"operation", committed.last_operation},
                  {"root", committed.digest.ToHex()}});
  return store.Close();
}

struct ScanFlags {
  std::string directory;
  std::string keyspace = "records";
  std::string begin, limit;
  uint64_t count = 0;
  BytesForm form;
  StoreOptions store;
};

absl::Status Scan(const ScanFlags& flags, const Command& command) {
  FIRN_ASSIGN_OR_RETURN(const std::string begin, ValueArgument(flags.begin, flags.form));
  FIRN_ASSIGN_OR_RETURN(const std::string limit, ValueArgument(flags.limit, flags.form));
  FIRN_ASSIGN_OR_RETURN(Store store, OpenStore(flags.directory, flags.store));
  uint64_t shown = 0;
  const auto show = [&](absl::string_view key, absl::string_view value) {
    const std::string key_text = flags.form.text ? std::string(key) : ToHex(key);
    const std::string value_text = flags.form.text ? std::string(value) : ToHex(value);
    if (command.json) {
      Print(command, {{"key", key_text}, {"value", value_text}});
    } else {
      std::printf("%s %s\n", key_text.c_str(), value_text.c_str());
    }
    return ++shown != flags.count;
  };
  if (flags.keyspace == "records") {
    FIRN_RETURN_IF_ERROR(store.tree->view()->Scan(begin, limit, show));
    return store.Close();
  }
  FIRN_ASSIGN_OR_RETURN(const Keyspace keyspace, store.database->OpenKeyspace(flags.keyspace));
  IteratorOptions range;
  range.begin = begin;
  if (!limit.empty()) range.limit = limit;
  {
    const std::unique_ptr<Iterator> iterator = keyspace.NewIterator(range);
    for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
      if (!show(iterator->key(), iterator->value())) break;
    }
    FIRN_RETURN_IF_ERROR(iterator->status());
  }
  return store.Close();
}

CLI::App& AddEntryCommand(CLI::App& app, const char* name, const char* what, EntryFlags& flags) {
  CLI::App& command = *app.add_subcommand(name, what);
  command.add_option("DIR", flags.directory, "The store")->required();
  AddStoreFlags(command, flags.store);
  return command;
}

}  // namespace

void RegisterEntries(CLI::App& app, Command& command) {
  auto flags = std::make_shared<EntryFlags>();
  CLI::App& root = AddEntryCommand(app, "root", "Print the tree's digest", *flags);
  SetBody(root, command, [flags, &command] { return Root(*flags, command); });

  CLI::App& get = AddEntryCommand(app, "get", "Print the value under a key", *flags);
  get.add_option("KEY", flags->key, "In hex")->required();
  AddBytesFlags(get, flags->form);
  SetBody(get, command, [flags, &command] { return Get(*flags, command); });

  CLI::App& put = AddEntryCommand(app, "put", "Insert or update a key, durably", *flags);
  put.add_option("KEY", flags->key, "In hex")->required();
  put.add_option("VALUE", flags->value, "In hex")->required();
  AddBytesFlags(put, flags->form);
  SetBody(put, command, [flags, &command]() -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const std::string key, KeyArgument(flags->key, flags->form));
    FIRN_ASSIGN_OR_RETURN(const std::string value, ValueArgument(flags->value, flags->form));
    return Modify(*flags, Operation::InsertOrUpdate(key, value), command);
  });

  CLI::App& remove = AddEntryCommand(app, "remove", "Remove a key, durably", *flags);
  remove.add_option("KEY", flags->key, "In hex")->required();
  AddBytesFlags(remove, flags->form);
  SetBody(remove, command, [flags, &command]() -> absl::Status {
    FIRN_ASSIGN_OR_RETURN(const std::string key, KeyArgument(flags->key, flags->form));
    return Modify(*flags, Operation::Remove(key), command);
  });

  auto scan_flags = std::make_shared<ScanFlags>();
  CLI::App& scan = *app.add_subcommand("scan", "Print the entries of a keyspace in key order");
  scan.add_option("DIR", scan_flags->directory, "The store")->required();
  scan.add_option("KEYSPACE", scan_flags->keyspace, "records (default): the tree's keys and values");
  scan.add_option("--begin", scan_flags->begin, "First key, in hex");
  scan.add_option("--limit", scan_flags->limit, "Key to stop before, in hex");
  scan.add_option("--count", scan_flags->count, "At most so many entries (0: all)");
  scan.add_flag("--text", scan_flags->form.text, "Keys and values are plain text, not hex");
  AddStoreFlags(scan, scan_flags->store);
  SetBody(scan, command, [scan_flags, &command] { return Scan(*scan_flags, command); });
}

}  // namespace firn
