// bench/engines.h: the factories of the engines, one a file; bench/engines.cc lists those of this build.
#ifndef FIRN_BENCH_ENGINES_H_
#define FIRN_BENCH_ENGINES_H_

#include <memory>

#include "absl/status/statusor.h"
#include "bench/peer.h"
#include "firn/presets.h"

namespace firn::bench {

absl::StatusOr<std::unique_ptr<Peer>> OpenFirn(const PeerOptions& options);
// firn as a preset has it: the job's buffers, cache and filters are not looked at.
absl::StatusOr<std::unique_ptr<Peer>> OpenFirnPreset(Preset preset, const PeerOptions& options);
template <Preset kPreset>
absl::StatusOr<std::unique_ptr<Peer>> OpenFirnAs(const PeerOptions& options) {
  return OpenFirnPreset(kPreset, options);
}
absl::StatusOr<std::unique_ptr<Peer>> OpenNaive(const PeerOptions& options);
absl::StatusOr<std::unique_ptr<Peer>> OpenRocksDb(const PeerOptions& options);
absl::StatusOr<std::unique_ptr<Peer>> OpenLevelDb(const PeerOptions& options);
absl::StatusOr<std::unique_ptr<Peer>> OpenLmdb(const PeerOptions& options);
absl::StatusOr<std::unique_ptr<Peer>> OpenSqlite(const PeerOptions& options);

}  // namespace firn::bench

#endif  // FIRN_BENCH_ENGINES_H_
