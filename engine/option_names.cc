#include "firn/option_names.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/compression.h"
#include "base/status.h"
#include "engine/options_file.h"
#include "engine/store_file.h"

namespace firn {
namespace {

constexpr uint64_t kKiB = 1 << 10;
constexpr uint64_t kMiB = kKiB << 10;
constexpr uint64_t kGiB = kMiB << 10;
constexpr uint64_t kTiB = kGiB << 10;
constexpr uint64_t kSecondsMax = 31 * 24 * 3600;

template <typename Struct>
struct Field {
  OptionName about;
  uint64_t (*get)(const Struct&);
  void (*set)(Struct&, uint64_t);
};

// The access to one member: Field::get and Field::set.
template <auto kMember, typename Struct>
uint64_t Read(const Struct& options) {
  return static_cast<uint64_t>(options.*kMember);
}
template <auto kMember, typename Struct>
void Store(Struct& options, uint64_t value) {
  using Value = std::decay_t<decltype(options.*kMember)>;
  options.*kMember = static_cast<Value>(value);  // in the field's range, which fits
}

using StoreField = Field<Options>;
using KeyspaceField = Field<KeyspaceOptions>;
constexpr OptionUnit kCount = OptionUnit::kCount;
constexpr OptionUnit kBytes = OptionUnit::kBytes;

#define FIRN_FIELD(Struct, member, ...) \
  {{#member, __VA_ARGS__}, &Read<&Struct::member, Struct>, &Store<&Struct::member, Struct>}

constexpr StoreField kStoreFields[] = {
    FIRN_FIELD(Options, memory_budget, kBytes, 16 * kMiB, 16 * kTiB, true),
    FIRN_FIELD(Options, memtable_size, kBytes, 64 * kKiB, 4 * kGiB),
    FIRN_FIELD(Options, immutable_memtables_max, kCount, 1, 16),
    FIRN_FIELD(Options, block_cache_size, kBytes, 0, kTiB),
    FIRN_FIELD(Options, open_segments_max, kCount, 16, 65536),
    FIRN_FIELD(Options, transaction_memory, kBytes, 64 * kKiB, 4 * kGiB),
    FIRN_FIELD(Options, free_space_min, kBytes, 0, kTiB),
    FIRN_FIELD(Options, background_io_rate, OptionUnit::kBytesPerSecond, kMiB, kTiB, true),
    FIRN_FIELD(Options, log_size_max, kBytes, kMiB, 64 * kGiB),
    FIRN_FIELD(Options, segment_size, kBytes, 64 * kKiB, 4 * kGiB),
    FIRN_FIELD(Options, level0_segments_merge, kCount, 2, 64),
    FIRN_FIELD(Options, level0_segments_slow, kCount, 2, 4096),
    FIRN_FIELD(Options, level0_segments_stop, kCount, 3, 65536),
    FIRN_FIELD(Options, level1_size, kBytes, kMiB, kTiB),
    FIRN_FIELD(Options, background_threads, kCount, 2, 64),
    FIRN_FIELD(Options, compaction_interval_s, OptionUnit::kSeconds, 1, kSecondsMax, true),
    FIRN_FIELD(Options, reader_age_warning_s, OptionUnit::kSeconds, 1, kSecondsMax, true),
    FIRN_FIELD(Options, direct_segment_reads, kCount, 0, 1),
};

constexpr KeyspaceField kKeyspaceFields[] = {
    FIRN_FIELD(KeyspaceOptions, key_width, kBytes, 8, 64, true),
    FIRN_FIELD(KeyspaceOptions, compression_level, kCount, 0, kLz4AccelerationMax),
    FIRN_FIELD(KeyspaceOptions, block_size, kBytes, 512, kMiB),
    FIRN_FIELD(KeyspaceOptions, compression_threshold, kBytes, 0, kGiB),
    FIRN_FIELD(KeyspaceOptions, filter_bits_per_key, OptionUnit::kBits, 0, 32),
    FIRN_FIELD(KeyspaceOptions, size_soft_limit, kBytes, 64 * kKiB, 16 * kTiB, true),
    FIRN_FIELD(KeyspaceOptions, size_limit, kBytes, 64 * kKiB, 16 * kTiB, true),
};

#undef FIRN_FIELD

absl::Status CheckRange(const OptionName& about, uint64_t value) {
  if (value >= about.min && value <= about.max) return absl::OkStatus();
  if (value == 0 && about.or_zero) return absl::OkStatus();
  return InvalidOption(about.name, absl::StrCat(value, about.or_zero ? " is neither 0 nor in ["
                                                                     : " is outside [",
                                                about.min, ", ", about.max, "]"));
}

template <typename Struct>
std::vector<OptionName> NamesOf(absl::Span<const Field<Struct>> fields) {
  std::vector<OptionName> names;
  for (const Field<Struct>& field : fields) names.push_back(field.about);
  return names;
}

template <typename Struct>
absl::StatusOr<const Field<Struct>*> Find(absl::Span<const Field<Struct>> fields,
                                          absl::string_view name) {
  std::vector<absl::string_view> names;
  for (const Field<Struct>& field : fields) {
    if (field.about.name == name) return &field;
    names.push_back(field.about.name);
  }
  const absl::string_view nearest = NearestName(name, names);
  return InvalidOption(name, nearest.empty()
                                 ? std::string("no such option")
                                 : absl::StrCat("no such option; did you mean ", nearest, "?"));
}

template <typename Struct>
absl::Status Set(absl::Span<const Field<Struct>> fields, Struct& options, absl::string_view name,
                 uint64_t value) {
  FIRN_ASSIGN_OR_RETURN(const Field<Struct>* const field, Find(fields, name));
  FIRN_RETURN_IF_ERROR(CheckRange(field->about, value));
  field->set(options, value);
  return absl::OkStatus();
}

template <typename Struct>
absl::StatusOr<uint64_t> Get(absl::Span<const Field<Struct>> fields, const Struct& options,
                             absl::string_view name) {
  FIRN_ASSIGN_OR_RETURN(const Field<Struct>* const field, Find(fields, name));
  return field->get(options);
}

template <typename Struct>
absl::Status CheckAll(absl::Span<const Field<Struct>> fields, const Struct& options) {
  for (const Field<Struct>& field : fields) {
    FIRN_RETURN_IF_ERROR(CheckRange(field.about, field.get(options)));
  }
  return absl::OkStatus();
}

// Insertions, removals, replacements and swaps of neighbours that make `a` of `b`.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before, last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last[b.size()];
}

}  // namespace

absl::Span<const OptionName> StoreOptionNames() {
  static const auto* const names =
      new std::vector<OptionName>(NamesOf<Options>(kStoreFields));
  return *names;
}

absl::Span<const OptionName> KeyspaceOptionNames() {
  static const auto* const names =
      new std::vector<OptionName>(NamesOf<KeyspaceOptions>(kKeyspaceFields));
  return *names;
}

absl::Status SetOption(Options& options, absl::string_view name, uint64_t value) {
  return Set<Options>(kStoreFields, options, name, value);
}

absl::Status SetOption(KeyspaceOptions& options, absl::string_view name, uint64_t value) {
  return Set<KeyspaceOptions>(kKeyspaceFields, options, name, value);
}

absl::StatusOr<uint64_t> GetOption(const Options& options, absl::string_view name) {
  return Get<Options>(kStoreFields, options, name);
}

absl::StatusOr<uint64_t> GetOption(const KeyspaceOptions& options, absl::string_view name) {
  return Get<KeyspaceOptions>(kKeyspaceFields, options, name);
}

absl::Status CheckOptions(const Options& options) {
  FIRN_RETURN_IF_ERROR(CheckIdentity(options.identity));
  FIRN_RETURN_IF_ERROR(CheckAll<Options>(kStoreFields, options));
  if (options.level0_segments_slow < options.level0_segments_merge) {
    return InvalidOption("level0_segments_slow",
                         absl::StrCat(options.level0_segments_slow,
                                      " is below level0_segments_merge, which is ",
                                      options.level0_segments_merge));
  }
  if (options.level0_segments_stop <= options.level0_segments_slow) {
    return InvalidOption("level0_segments_stop",
                         absl::StrCat(options.level0_segments_stop,
                                      " is not above level0_segments_slow, which is ",
                                      options.level0_segments_slow));
  }
  return absl::OkStatus();
}

absl::Status CheckKeyspaceOptions(const KeyspaceOptions& options) {
  const auto layout = static_cast<uint32_t>(options.layout);
  if (layout < 1 || layout > 3) {
    return InvalidOption("layout", absl::StrCat(layout, " is outside [1, 3]"));
  }
  FIRN_RETURN_IF_ERROR(CheckCompression({options.compression, options.compression_level}));
  for (const KeyspaceField& field : kKeyspaceFields) {
    const bool is_width = field.about.name == "key_width";
    if (is_width && options.layout != KeyspaceLayout::kHashed) continue;  // not used
    if (is_width && options.key_width == 0) {
      return InvalidOption("key_width", "0: the hashed layout asks for 8 to 64 bytes");
    }
    FIRN_RETURN_IF_ERROR(CheckRange(field.about, field.get(options)));
  }
  const bool both = options.size_soft_limit > 0 && options.size_limit > 0;
  if (both && options.size_soft_limit > options.size_limit) {
    return InvalidOption("size_soft_limit", absl::StrCat(options.size_soft_limit,
                                                         " is above size_limit, which is ",
                                                         options.size_limit));
  }
  return absl::OkStatus();
}

absl::Status CheckCompression(const CompressionChoice& choice) {
  uint32_t level_max = 0;
  switch (choice.codec) {
    case Compression::kNone:
      break;
    case Compression::kLz4:
      level_max = kLz4AccelerationMax;
      break;
    case Compression::kLz4Hc:
      level_max = kLz4HighLevelMax;
      break;
    case Compression::kZstd:
      level_max = kZstdLevelMax;
      if (!HasCompression(CompressionKind::kZstd)) {
        return InvalidOption("compression", "zstd is not in this build");
      }
      break;
    default:
      return InvalidOption("compression", absl::StrCat(static_cast<uint32_t>(choice.codec),
                                                       " is outside [1, 4]"));
  }
  if (choice.level <= level_max) return absl::OkStatus();
  return InvalidOption("compression_level",
                       absl::StrCat(choice.level, " is outside [0, ", level_max, "], the levels of ",
                                    CompressionName(choice.codec)));
}

std::vector<std::string> KeyspaceOptionDifferences(const KeyspaceOptions& stored,
                                                   const KeyspaceOptions& asked) {
  std::vector<std::string> differences;
  const auto differs = [&](absl::string_view name, const auto& is, const auto& wanted) {
    if (is == wanted) return;
    differences.push_back(absl::StrCat(name, " is ", is, ", ", wanted, " was asked for"));
  };
  differs("layout", LayoutName(stored.layout), LayoutName(asked.layout));
  differs("compression", CompressionName(stored.compression), CompressionName(asked.compression));
  for (const KeyspaceField& field : kKeyspaceFields) {
    const absl::string_view name = field.about.name;
    if (name == "size_limit" || name == "size_soft_limit") continue;
    const bool uses_width =
        stored.layout == KeyspaceLayout::kHashed && asked.layout == KeyspaceLayout::kHashed;
    if (name == "key_width" && !uses_width) continue;
    differs(name, field.get(stored), field.get(asked));
  }
  return differences;
}

absl::string_view NearestName(absl::string_view word, absl::Span<const absl::string_view> names) {
  absl::string_view nearest;
  size_t least = std::max<size_t>(2, word.size() / 3) + 1;
  for (const absl::string_view name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace firn
