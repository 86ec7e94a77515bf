#include "engine/admin/config.h"

#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#undef TOML_SHARED_LIB  // header only: the library of the package throws
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "firn/option_names.h"
#include "toml++/toml.h"

namespace firn {
namespace {

absl::string_view ViewOf(std::string_view text) { return {text.data(), text.size()}; }

// Reads the tables of one file; the first error is returned with its line.
class ConfigReader {
 public:
  explicit ConfigReader(absl::string_view name) : name_(name) {}

  absl::StatusOr<Config> Read(const toml::table& root) {
    FIRN_RETURN_IF_ERROR(ReadPreset(root));
    for (const auto& [key, node] : root) {
      const absl::string_view word = ViewOf(key.str());
      if (word == "preset") continue;
      if (word != "store" && word != "cache" && word != "keyspace" && word != "keyspaces") {
        return Unknown(key.source().begin.line, word,
                       {"preset", "store", "cache", "keyspace", "keyspaces"});
      }
      if (!node.is_table()) return At(node, InvalidOption(word, "not a table"));
    }
    if (const toml::table* const store = root["store"].as_table()) {
      FIRN_RETURN_IF_ERROR(ReadStore(*store));
    }
    FIRN_RETURN_IF_ERROR(InFile(CheckOptions(config_.store)));
    if (const toml::table* const cache = root["cache"].as_table()) {
      FIRN_RETURN_IF_ERROR(ReadCache(*cache, root["store"].as_table(), root["keyspace"].as_table()));
    }
    if (const toml::table* const keyspace = root["keyspace"].as_table()) {
      FIRN_RETURN_IF_ERROR(ReadKeyspace(*keyspace, config_.keyspace));
    }
    if (const toml::table* const keyspaces = root["keyspaces"].as_table()) {
      FIRN_RETURN_IF_ERROR(ReadKeyspaces(*keyspaces));
    }
    return std::move(config_);
  }

 private:
  absl::Status Located(const absl::Status& status, uint32_t line) const {
    if (status.ok()) return status;
    return MakeError(status.code(), ReasonOf(status),
                     absl::StrCat(name_, ":", line, ": ", status.message()));
  }
  absl::Status At(const toml::node& node, const absl::Status& status) const {
    return Located(status, static_cast<uint32_t>(node.source().begin.line));
  }
  absl::Status InFile(const absl::Status& status) const {
    if (status.ok()) return status;
    return MakeError(status.code(), ReasonOf(status), absl::StrCat(name_, ": ", status.message()));
  }
  absl::Status Unknown(uint32_t line, absl::string_view word,
                       std::vector<absl::string_view> names) const {
    const absl::string_view nearest = NearestName(word, names);
    return Located(
        InvalidOption(word, nearest.empty()
                                ? std::string("no such option")
                                : absl::StrCat("no such option; did you mean ", nearest, "?")),
        line);
  }

  absl::Status ReadPreset(const toml::table& root) {
    const toml::node* const node = root.get("preset");
    if (node != nullptr) {
      const auto* const text = node->as_string();
      if (text == nullptr) return At(*node, InvalidOption("preset", "not a text"));
      const absl::StatusOr<Preset> preset = PresetNamed(ViewOf(text->get()));
      if (!preset.ok()) return At(*node, preset.status());
      config_.preset = *preset;
    }
    PresetOptions expanded = ExpandPreset(config_.preset);
    config_.store = std::move(expanded.store);
    config_.keyspace = expanded.keyspace;
    return absl::OkStatus();
  }

  // An integer, or a text with a unit.
  absl::StatusOr<uint64_t> Number(absl::string_view option, const toml::node& node) const {
    if (const auto* const integer = node.as_integer()) {
      if (integer->get() < 0) return InvalidOption(option, "below 0");
      return static_cast<uint64_t>(integer->get());
    }
    if (const auto* const text = node.as_string()) {
      const absl::StatusOr<uint64_t> size = ParseSize(ViewOf(text->get()));
      if (!size.ok()) return InvalidOption(option, size.status().message());
      return size;
    }
    return InvalidOption(option, "neither a number nor a text such as \"64 MiB\"");
  }

  // One of two or three words.
  template <typename Enum>
  absl::Status Word(absl::string_view option, const toml::node& node,
                    const std::vector<std::pair<absl::string_view, Enum>>& words,
                    Enum& value) const {
    std::string all;
    const auto* const text = node.as_string();
    for (const auto& [word, meaning] : words) {
      if (text != nullptr && ViewOf(text->get()) == word) {
        value = meaning;
        return absl::OkStatus();
      }
      absl::StrAppend(&all, all.empty() ? "" : ", ", "\"", word, "\"");
    }
    return At(node, InvalidOption(option, absl::StrCat("none of ", all)));
  }

  template <typename Struct>
  absl::Status SetNumber(const toml::key& key, const toml::node& node, Struct& options) const {
    const absl::string_view option = ViewOf(key.str());
    FIRN_RETURN_IF_ERROR(Located(GetOption(options, option).status(), LineOf(key)));
    const absl::StatusOr<uint64_t> value = Number(option, node);
    if (!value.ok()) return At(node, value.status());
    return At(node, SetOption(options, option, *value));
  }

  static uint32_t LineOf(const toml::key& key) {
    return static_cast<uint32_t>(key.source().begin.line);
  }

  absl::Status ReadStore(const toml::table& table) {
    for (const auto& [key, node] : table) {
      if (ViewOf(key.str()) == "storage") {
        FIRN_RETURN_IF_ERROR(Word<Storage>(
            "storage", node, {{"disk", Storage::kDisk}, {"memory", Storage::kMemory}},
            config_.store.storage));
        continue;
      }
      FIRN_RETURN_IF_ERROR(SetNumber(key, node, config_.store));
    }
    return absl::OkStatus();
  }

  // Options of [store] and [keyspace] under the name of what they serve. Either place will do; two that
  // say different things will not.
  absl::Status ReadCache(const toml::table& cache, const toml::table* store,
                         const toml::table* keyspace) {
    for (const auto& [key, node] : cache) {
      const absl::string_view option = ViewOf(key.str());
      const bool of_store = option == "block_cache_size";
      if (!of_store && option != "compression_threshold") {
        return Unknown(LineOf(key), option, {"block_cache_size", "compression_threshold"});
      }
      const absl::StatusOr<uint64_t> value = Number(option, node);
      if (!value.ok()) return At(node, value.status());
      const toml::table* const other = of_store ? store : keyspace;
      const toml::node* const twin = other == nullptr ? nullptr : other->get(key.str());
      if (twin != nullptr) {
        const absl::StatusOr<uint64_t> elsewhere = Number(option, *twin);
        if (!elsewhere.ok()) return At(*twin, elsewhere.status());
        if (*elsewhere != *value) {
          return At(node, InvalidOption(option, absl::StrCat(*value, " in [cache], but ", *elsewhere,
                                                             of_store ? " in [store]"
                                                                      : " in [keyspace]")));
        }
      }
      FIRN_RETURN_IF_ERROR(At(node, of_store ? SetOption(config_.store, option, *value)
                                             : SetOption(config_.keyspace, option, *value)));
    }
    return absl::OkStatus();
  }

  absl::Status ReadKeyspace(const toml::table& table, KeyspaceOptions& options) {
    for (const auto& [key, node] : table) {
      const absl::string_view option = ViewOf(key.str());
      if (option == "layout") {
        FIRN_RETURN_IF_ERROR(Word<KeyspaceLayout>("layout", node,
                                                  {{"ordered", KeyspaceLayout::kOrdered},
                                                   {"hashed", KeyspaceLayout::kHashed},
                                                   {"sequence", KeyspaceLayout::kSequence}},
                                                  options.layout));
      } else if (option == "compression") {
        FIRN_RETURN_IF_ERROR(Word<Compression>(
            "compression", node,
            {{"none", Compression::kNone},
             {"lz4", Compression::kLz4},
             {"lz4hc", Compression::kLz4Hc},
             {"zstd", Compression::kZstd}},
            options.compression));
      } else {
        FIRN_RETURN_IF_ERROR(SetNumber(key, node, options));
      }
    }
    return At(table, CheckKeyspaceOptions(options));
  }

  absl::Status ReadKeyspaces(const toml::table& tables) {
    for (const auto& [key, node] : tables) {
      const absl::string_view keyspace = ViewOf(key.str());
      const toml::table* const table = node.as_table();
      if (table == nullptr) return At(node, InvalidOption(keyspace, "not a table"));
      KeyspaceOptions options = config_.keyspace;
      FIRN_RETURN_IF_ERROR(ReadKeyspace(*table, options));
      config_.keyspaces.emplace(keyspace, options);
    }
    return absl::OkStatus();
  }

  const std::string name_;
  Config config_;
};

}  // namespace

absl::StatusOr<uint64_t> ParseSize(absl::string_view text) {
  const auto refused = [&](absl::string_view why) {
    return InvalidArgument(absl::StrCat("\"", text, "\" ", why));
  };
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[digits]))) {
    ++digits;
  }
  uint64_t number = 0;
  if (digits == 0 || !absl::SimpleAtoi(text.substr(0, digits), &number)) {
    return refused("is no size, such as 4096, \"64 MiB\" or \"1GB\"");
  }
  const absl::string_view unit = absl::StripLeadingAsciiWhitespace(text.substr(digits));
  if (unit.empty() || unit == "B") return number;
  const absl::string_view prefixes = "KMGT";
  const char first = unit[0] == 'k' ? 'K' : unit[0];
  const size_t power = prefixes.find(first);
  const absl::string_view rest = unit.substr(1);
  if (power == absl::string_view::npos || (rest != "B" && rest != "iB")) {
    return refused("has a unit that is none of B, kB, KiB, MB, MiB, GB, GiB, TB, TiB");
  }
  const unsigned shift = 10 * (static_cast<unsigned>(power) + 1);
  if (number > (UINT64_MAX >> shift)) return refused("is too large");
  return number << shift;
}

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view name) {
  const toml::parse_result parsed = toml::parse(std::string_view(text.data(), text.size()));
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return MakeError(absl::StatusCode::kInvalidArgument, ErrorReason::kInvalidOption,
                     absl::StrCat(name, ":", static_cast<uint32_t>(error.source().begin.line), ": ",
                                  ViewOf(error.description())));
  }
  return ConfigReader(name).Read(parsed.table());
}

absl::StatusOr<Config> ReadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": no such file, or not readable"));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return ParseConfig(text, path);
}

}  // namespace firn
