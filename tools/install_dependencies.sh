#!/usr/bin/env bash
# tools/install_dependencies.sh: the one list of Debian packages that firn is built and tested with.
#
#   tools/install_dependencies.sh           installs what is missing (as root), or names it (otherwise)
#   tools/install_dependencies.sh --list    prints the list
#
# Nothing is fetched when everything is there, so it may be called before every build.
set -euo pipefail

packages=(
  # Build.
  meson ninja-build pkg-config g++ ccache git python3
  # Libraries of firn itself.
  libabsl-dev liburing-dev liblz4-dev
  # Command line tool, configuration files, bindings' JSON, compressed vectors and records.
  libcli11-dev nlohmann-json3-dev libtomlplusplus-dev zlib1g-dev
  # Tests and benchmarks; job files, and the engines and the tool that firn is compared with.
  libgtest-dev libgmock-dev libbenchmark-dev
  libinih-dev librocksdb-dev libleveldb-dev liblmdb-dev libsqlite3-dev fio
  # The second compiler: sanitizers, fuzz targets, lock analysis.
  clang-14 libclang-rt-14-dev llvm-14
)

if [[ ${1:-} == --list ]]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

if [[ $(id -u) -ne 0 ]]; then
  echo "missing packages: ${missing[*]}" >&2
  echo "as root: apt-get install ${missing[*]}" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get -qq update &&
       apt-get -qq -y --no-install-recommends install "${missing[@]}"; } \
     </dev/null >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "apt-get failed; packages wanted: ${missing[*]}" >&2
  exit 1
fi
