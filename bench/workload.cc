#include "bench/workload.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "bench/metrics.h"
#include "bench/word_values.h"

namespace firn::bench {
namespace {

constexpr uint64_t kValueSizeMaxOfJob = uint64_t{16} << 20;

using Setter = absl::Status (*)(Workload& job, absl::string_view value);

struct Entry {
  Word word;
  Setter set;
};

template <typename T>
absl::Status Assign(absl::StatusOr<T> parsed, T& target) {
  if (!parsed.ok()) return parsed.status();
  target = std::move(parsed).value();
  return absl::OkStatus();
}

absl::Status AssignText(absl::string_view text, std::string& target) {
  target = std::string(text);
  return absl::OkStatus();
}

// A count that must not be 0.
absl::Status AssignPositive(absl::StatusOr<uint64_t> parsed, uint64_t& target) {
  FIRN_RETURN_IF_ERROR(Assign(std::move(parsed), target));
  return target == 0 ? InvalidArgument("is at least 1") : absl::OkStatus();
}

absl::Status AssignPercent(absl::string_view text, uint64_t& target) {
  FIRN_ASSIGN_OR_RETURN(const double percent, ParseNumber(text));
  if (percent > 100 || percent != std::floor(percent)) {
    return InvalidArgument("is a whole number from 0 to 100");
  }
  target = static_cast<uint64_t>(percent);
  return absl::OkStatus();
}

absl::Status AssignZipf(absl::string_view text, double& target) {
  FIRN_ASSIGN_OR_RETURN(target, ParseNumber(text));
  return target < 1 ? absl::OkStatus() : InvalidArgument("is from 0 (uniform) to below 1");
}

constexpr Choice<Access> kAccesses[] = {
    {"write", Access::kWrite},   {"randwrite", Access::kRandWrite}, {"read", Access::kRead},
    {"randread", Access::kRandRead}, {"randrw", Access::kRandMix},  {"open", Access::kOpen}};
constexpr Choice<MixedWrite> kMixedWrites[] = {{"update", MixedWrite::kUpdate},
                                               {"insert", MixedWrite::kInsert},
                                               {"modify", MixedWrite::kModify}};
constexpr Choice<RateProcess> kRateProcesses[] = {{"linear", RateProcess::kLinear},
                                                  {"poisson", RateProcess::kPoisson}};
constexpr Choice<KeyKind> kKeyKinds[] = {{"random", KeyKind::kRandom},
                                         {"sequence", KeyKind::kSequence}};
constexpr Choice<KeyspaceLayout> kLayouts[] = {{"ordered", KeyspaceLayout::kOrdered},
                                               {"hashed", KeyspaceLayout::kHashed},
                                               {"sequence", KeyspaceLayout::kSequence}};
constexpr Choice<bool> kCompressions[] = {{"on", true}, {"none", false}};
constexpr Choice<Ending> kEndings[] = {{"close", Ending::kClose}, {"kill", Ending::kKill}};

absl::Status SetDistribution(Workload& job, absl::string_view text) {
  if (text == "random") {
    job.zipf = 0;
    return absl::OkStatus();
  }
  if (!absl::ConsumePrefix(&text, "zipf:")) return InvalidArgument("is random or zipf:THETA");
  return AssignZipf(text, job.zipf);
}

absl::Status SetValueSizes(Workload& job, absl::string_view text) {
  FIRN_ASSIGN_OR_RETURN(const auto range, ParseSizeRange(text));
  if (range.first < 8 || range.second > kValueSizeMaxOfJob) {
    return InvalidArgument("is from 8 bytes to 16 MiB");
  }
  job.shape.value_min = static_cast<size_t>(range.first);
  job.shape.value_max = static_cast<size_t>(range.second);
  return absl::OkStatus();
}

absl::Status SetMetrics(Workload& job, absl::string_view text) {
  std::vector<std::string> names = absl::StrSplit(text, ',', absl::SkipWhitespace());
  std::vector<std::string> known;
  for (const Metric& metric : Metrics()) known.emplace_back(metric.name);
  for (std::string& name : names) {
    absl::StripAsciiWhitespace(&name);
    if (FindMetric(name) != nullptr) continue;
    const std::string nearest = Nearest(name, known);
    return InvalidArgument(absl::StrCat("has no metric \"", name, "\"",
                                        nearest.empty() ? "" : "; the nearest is ", nearest));
  }
  job.compare = std::move(names);
  return absl::OkStatus();
}

absl::Status SetStore(Workload& job, absl::string_view text) {
  const bool is_name =
      !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
      });
  if (!is_name) return InvalidArgument("is a name of letters, digits, _ and -");
  job.store = std::string(text);
  return absl::OkStatus();
}

#define FIRN_SET [](Workload & job, absl::string_view value) -> absl::Status

// In each group the words that fio has come first.
constexpr Entry kEntries[] = {
    {{"name", nullptr, "Job", "Name of the job", false},
     FIRN_SET { return AssignText(value, job.name); }},
    {{"description", nullptr, "Job", "One line for the report", false},
     FIRN_SET { return AssignText(value, job.description); }},
    {{"row", nullptr, "Job", "Row of the table of results, such as N1", false},
     FIRN_SET { return AssignText(value, job.row); }},
    {{"compare", nullptr, "Job", "Metrics to compare engines by, such as records,clat_p99", false},
     SetMetrics},

    {{"rw", "readwrite", "Work", "write: new records; randwrite: new values; read: all in key "
      "order; randread: points or scans; randrw: a mix; open: open and close", false},
     FIRN_SET { return Assign(ParseChoice(value, kAccesses), job.access); }},
    {{"rwmixread", nullptr, "Work", "Percent of the calls of a mix that read (50)", false},
     FIRN_SET { return AssignPercent(value, job.read_percent); }},
    {{"numjobs", nullptr, "Work", "Threads (1)", false},
     FIRN_SET { return AssignPositive(ParseCount(value), job.jobs); }},
    {{"iodepth", "multiget", "Work", "Keys that one read call asks for (1)", false},
     FIRN_SET { return AssignPositive(ParseCount(value), job.multiget); }},
    {{"batch", nullptr, "Work", "Records that one write call commits (1)", false},
     FIRN_SET { return AssignPositive(ParseCount(value), job.batch); }},
    {{"random_distribution", nullptr, "Work", "random or zipf:THETA", false}, SetDistribution},
    {{"zipf", nullptr, "Work", "THETA, from 0 (uniform) to below 1", false},
     FIRN_SET { return AssignZipf(value, job.zipf); }},
    {{"scan", nullptr, "Work", "Reads are scans of 1 to so many records (0: points)", false},
     FIRN_SET { return Assign(ParseCount(value), job.scan_max); }},
    {{"absent", nullptr, "Work", "Percent of the keys read that are not there (0)", false},
     FIRN_SET { return AssignPercent(value, job.absent_percent); }},
    {{"mixwrite", nullptr, "Work", "What the writes of a mix do: update, insert, modify", false},
     FIRN_SET { return Assign(ParseChoice(value, kMixedWrites), job.mixed_write); }},

    {{"size", nullptr, "Amount", "Bytes of records in the store, instead of keys=", false},
     FIRN_SET { return Assign(ParseSize(value), job.size); }},
    {{"keys", nullptr, "Amount", "Records in the store", false},
     FIRN_SET { return Assign(ParseCount(value), job.keys); }},
    {{"number_ios", nullptr, "Amount", "Calls at most, over all threads (0: no limit)", false},
     FIRN_SET { return Assign(ParseCount(value), job.calls); }},
    {{"runtime", nullptr, "Amount", "Seconds at most, or 500ms, 5m", false},
     FIRN_SET { return Assign(ParseDuration(value), job.runtime_us); }},
    {{"time_based", nullptr, "Amount", "Write new records until runtime= ends the job", true},
     FIRN_SET { return Assign(ParseFlag(value), job.time_based); }},
    {{"ramp_time", nullptr, "Amount", "Seconds before anything is counted", false},
     FIRN_SET { return Assign(ParseDuration(value), job.ramp_us); }},
    {{"offset", nullptr, "Amount", "Number of the first record that rw=write writes (0)", false},
     FIRN_SET { return Assign(ParseCount(value), job.offset); }},

    {{"fdatasync", "fsync", "Durability",
      "0: buffered; N: one commit in N of a thread is on stable storage when it returns", false},
     FIRN_SET { return Assign(ParseCount(value), job.sync_every); }},

    {{"rate_iops", nullptr, "Open loop",
      "Calls a second that are due, a thread; latency counts from then", false},
     FIRN_SET { return Assign(ParseNumber(value), job.rate); }},
    {{"rate_process", nullptr, "Open loop", "linear or poisson", false},
     FIRN_SET { return Assign(ParseChoice(value, kRateProcesses), job.rate_process); }},
    {{"rate_share", nullptr, "Open loop",
      "Rate as percent of what the job before this one reached", false},
     FIRN_SET { return Assign(ParseNumber(value), job.rate_share_percent); }},
    {{"hiccup", nullptr, "Open loop", "Measure the machine's own pauses with an idle thread", true},
     FIRN_SET { return Assign(ParseFlag(value), job.hiccup); }},

    {{"bs", "bsrange", "Records", "Bytes of a value, or a range as 100-150 (100-150)", false},
     SetValueSizes},
    {{"randseed", nullptr, "Records", "Seed of keys, values and draws (1)", false},
     FIRN_SET { return Assign(ParseCount(value), job.shape.seed); }},
    {{"verify", nullptr, "Records", "Compare what is read with what was written (1)", true},
     FIRN_SET { return Assign(ParseFlag(value), job.verify); }},
    {{"key", nullptr, "Records", "random: 32 random bytes; sequence: 8 bytes, ascending", false},
     FIRN_SET { return Assign(ParseChoice(value, kKeyKinds), job.shape.key); }},

    {{"layout", nullptr, "Engine", "firn's keyspace: ordered, hashed, sequence", false},
     FIRN_SET { return Assign(ParseChoice(value, kLayouts), job.layout); }},
    {{"compression", nullptr, "Engine", "on: LZ4, or Snappy where there is no LZ4; none", false},
     FIRN_SET { return Assign(ParseChoice(value, kCompressions), job.compress); }},
    {{"filter_bits", nullptr, "Engine", "Bits a key in filters (10)", false},
     FIRN_SET { return Assign(ParseCount(value), job.filter_bits); }},
    {{"cache", nullptr, "Engine", "Bytes of cache (1GiB)", false},
     FIRN_SET { return Assign(ParseSize(value), job.cache); }},
    {{"memtable", nullptr, "Engine", "Bytes of a write buffer (64MiB)", false},
     FIRN_SET { return AssignPositive(ParseSize(value), job.memtable); }},
    {{"memtables", nullptr, "Engine", "Write buffers (3)", false},
     FIRN_SET { return AssignPositive(ParseCount(value), job.memtables); }},
    {{"log_size", nullptr, "Engine", "Bytes of log that may wait for a flush (1GiB)", false},
     FIRN_SET { return AssignPositive(ParseSize(value), job.log_size); }},
    {{"memory_budget", nullptr, "Engine", "Bytes for all of firn's memory, in place of its parts", false},
     FIRN_SET { return AssignPositive(ParseSize(value), job.memory_budget); }},

    {{"invalidate", nullptr, "Around", "Drop the store from the page cache before", true},
     FIRN_SET { return Assign(ParseFlag(value), job.invalidate); }},
    {{"gtod_reduce", nullptr, "Around", "Time one call in 64 only", true},
     FIRN_SET { return Assign(ParseFlag(value), job.less_clock); }},
    {{"store", nullptr, "Around", "Folder that jobs of a file share by naming it", false}, SetStore},
    {{"prepare", nullptr, "Around", "Skip the job if its store is there; never compare it", true},
     FIRN_SET { return Assign(ParseFlag(value), job.prepare); }},
    {{"keep", nullptr, "Around", "Leave the store, if --directory was given", true},
     FIRN_SET { return Assign(ParseFlag(value), job.keep); }},
    {{"settle", nullptr, "Around", "Count the time until all background work is done", true},
     FIRN_SET { return Assign(ParseFlag(value), job.settle); }},
    {{"warm", nullptr, "Around", "Read every record once before the time runs", true},
     FIRN_SET { return Assign(ParseFlag(value), job.warm); }},
    {{"memory_limit", nullptr, "Around", "Bytes; run in a memory cgroup of that size", false},
     FIRN_SET { return Assign(ParseSize(value), job.memory_limit); }},
    {{"end", nullptr, "Around", "close, or kill: SIGKILL with the store open", false},
     FIRN_SET { return Assign(ParseChoice(value, kEndings), job.ending); }},
    {{"yardstick", nullptr, "Around", "Words of a job for fio, run beside the engines", false},
     FIRN_SET { return AssignText(value, job.yardstick); }},
};
#undef FIRN_SET

const Entry* FindEntry(absl::string_view name) {
  for (const Entry& entry : kEntries) {
    if (name == entry.word.name) return &entry;
    if (entry.word.also != nullptr && name == entry.word.also) return &entry;
  }
  return nullptr;
}

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

absl::Span<const Word> Words() {
  static const auto* words = [] {
    auto* list = new std::vector<Word>;
    for (const Entry& entry : kEntries) list->push_back(entry.word);
    return list;
  }();
  return *words;
}

std::string Nearest(absl::string_view word, absl::Span<const std::string> candidates) {
  std::string nearest;
  size_t distance_min = std::max<size_t>(word.size(), 3) / 2 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < distance_min) {
      distance_min = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

absl::Status SetWord(Workload& workload, absl::string_view word, absl::string_view value) {
  const Entry* entry = FindEntry(word);
  if (entry == nullptr) {
    std::vector<std::string> known;
    for (const Entry& candidate : kEntries) {
      known.emplace_back(candidate.word.name);
      if (candidate.word.also != nullptr) known.emplace_back(candidate.word.also);
    }
    const std::string nearest = Nearest(word, known);
    return InvalidArgument(absl::StrCat("unknown word \"", word, "\"",
                                        nearest.empty() ? "" : "; the nearest known word is ",
                                        nearest));
  }
  const absl::Status set = entry->set(workload, value);
  if (set.ok()) return set;
  return InvalidArgument(absl::StrCat(word, "=", value, ": ", word, " ", set.message()));
}

uint64_t Workload::record_count() const {
  if (keys != 0 || size == 0) return keys;
  return std::max<uint64_t>(
      1, static_cast<uint64_t>(static_cast<double>(size) / shape.average_size()));
}

std::string Workload::StoreText() const {
  return absl::StrCat("keys=", record_count(), " offset=", offset, " key=",
                      static_cast<int>(shape.key), " bs=", shape.value_min, "-", shape.value_max,
                      " randseed=", shape.seed, " layout=", static_cast<int>(layout),
                      " compression=", compress, " filter_bits=", filter_bits, " memtable=",
                      memtable, " memtables=", memtables, " batch=", batch);
}

absl::Status CheckWorkload(const Workload& workload) {
  const auto refuse = [&workload](absl::string_view why) {
    return InvalidArgument(absl::StrCat("job ", workload.name, ": ", why));
  };
  if (workload.keys != 0 && workload.size != 0) return refuse("keys= or size=, not both");
  if (workload.record_count() == 0) return refuse("keys= or size= is missing");
  if (workload.jobs > 1024) return refuse("numjobs= is at most 1024");
  if (workload.access == Access::kWrite && workload.time_based && workload.runtime_us == 0) {
    return refuse("time_based needs runtime=");
  }
  const bool ends = workload.calls != 0 || workload.runtime_us != 0;
  const bool random = workload.access == Access::kRandWrite ||
                      workload.access == Access::kRandRead || workload.access == Access::kRandMix;
  if (random && !ends) return refuse("number_ios= or runtime= is missing: it would never end");
  if (workload.multiget > 1 && workload.scan_max > 0) return refuse("iodepth= or scan=, not both");
  if (workload.multiget > 1 && !workload.reads()) return refuse("iodepth= is for reads");
  if (workload.rate > 0 && workload.rate_share_percent > 0) {
    return refuse("rate_iops= or rate_share=, not both");
  }
  if (workload.layout == KeyspaceLayout::kHashed) {
    if (workload.shape.key != KeyKind::kRandom) return refuse("layout=hashed needs key=random");
    const bool updates = workload.access == Access::kRandWrite ||
                         (workload.access == Access::kRandMix &&
                          workload.mixed_write != MixedWrite::kInsert);
    if (updates) return refuse("layout=hashed keeps one value a key for ever: no updates");
  }
  if (workload.layout == KeyspaceLayout::kSequence) {
    if (workload.shape.key != KeyKind::kSequence) return refuse("layout=sequence needs key=sequence");
    if (workload.writes() && (workload.access != Access::kWrite || workload.jobs > 1)) {
      return refuse("layout=sequence takes ascending keys: rw=write and numjobs=1");
    }
  }
  if (workload.prepare && workload.access != Access::kWrite) return refuse("prepare needs rw=write");
  return absl::OkStatus();
}

}  // namespace firn::bench
