#include "bench/engines.h"

// FIRN_HAVE_* come from bench/meson.build: 1 where the package was found.
namespace firn::bench {
namespace {

constexpr EngineEntry kEngines[] = {
    {"firn", OpenFirn, ""},
    {"firn-balanced", OpenFirnAs<Preset::kBalanced>, ""},
    {"firn-write-heavy", OpenFirnAs<Preset::kWriteHeavy>, ""},
    {"firn-read-heavy", OpenFirnAs<Preset::kReadHeavy>, ""},
    {"firn-bulk-load", OpenFirnAs<Preset::kBulkLoad>, ""},
    {"firn-low-memory", OpenFirnAs<Preset::kLowMemory>, ""},
    {"naive", OpenNaive, ""},
#if FIRN_HAVE_ROCKSDB
    {"rocksdb", OpenRocksDb, ""},
#else
    {"rocksdb", nullptr, FIRN_WHY_NO_PEERS "librocksdb-dev"},
#endif
#if FIRN_HAVE_LEVELDB
    {"leveldb", OpenLevelDb, ""},
#else
    {"leveldb", nullptr, FIRN_WHY_NO_PEERS "libleveldb-dev"},
#endif
#if FIRN_HAVE_LMDB
    {"lmdb", OpenLmdb, ""},
#else
    {"lmdb", nullptr, FIRN_WHY_NO_PEERS "liblmdb-dev"},
#endif
#if FIRN_HAVE_SQLITE
    {"sqlite", OpenSqlite, ""},
#else
    {"sqlite", nullptr, FIRN_WHY_NO_PEERS "libsqlite3-dev"},
#endif
};

}  // namespace

absl::Span<const EngineEntry> Engines() { return kEngines; }

const EngineEntry* FindEngine(absl::string_view name) {
  for (const EngineEntry& engine : kEngines) {
    if (name == engine.name) return &engine;
  }
  return nullptr;
}

}  // namespace firn::bench
