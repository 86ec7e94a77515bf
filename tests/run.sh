#!/usr/bin/env bash
# tests/run.sh: installs the packages, builds, runs every test that is registered with meson. The last
# line is "N passed, M failed", N and M being single tests; before it, "K skipped: reasons" if any.
# The exit code is 0 only if something passed and nothing failed.
#
#   --quick             unit and golden tests only, and only what they need is built
#   --full              the tests that need a browser, a chroot or package tools, too
#   --sanitize=KIND     address (clang, ASan + UBSan, in build-asan) or thread (clang, TSan, build-tsan)
#   --suites=A,B        these suites only (unit, golden, property, crash, stress, cli, layering, full)
#   --filter=REGEX      only tests whose name (Suite.Test, or the name in meson) matches
#   --no-install        leave the system's packages alone
#
# JOBS=N in the environment sets how many compilers and tests run at once (default: all processors).
set -euo pipefail
cd "$(dirname "$0")/.."

build=build
sanitize=none
suites=default
filter=
install=yes
for argument in "$@"; do
  case $argument in
    --quick) suites=unit,golden ;;
    --full) suites=all ;;
    --sanitize=address) sanitize=address; build=build-asan ;;
    --sanitize=thread) sanitize=thread; build=build-tsan ;;
    --suites=*) suites=${argument#*=} ;;
    --filter=*) filter=${argument#*=} ;;
    --no-install) install=no ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "tests/run.sh: unknown argument $argument (see --help)" >&2; exit 2 ;;
  esac
done

if [[ $install == yes ]]; then tools/install_dependencies.sh; fi

jobs=${JOBS:-$(nproc)}
if [[ -z ${FIRN_VECTORS_DIR:-} && -d ../shared/vectors ]]; then
  FIRN_VECTORS_DIR=$(cd ../shared/vectors && pwd)
  export FIRN_VECTORS_DIR
fi

# Configures $build once; ninja reconfigures by itself when a meson.build changes.
configure() {
  [[ -f $build/build.ninja ]] && return
  local cc=gcc cxx=g++ launcher=
  if command -v ccache >/dev/null; then launcher='ccache '; fi
  local options=(-Dbuildtype=release)
  if [[ $sanitize != none ]]; then
    cc=clang-14 cxx=clang++-14
    # Line tables are enough for a report, and halve the time to compile and link.
    options=(-Dbuildtype=debugoptimized -Doptimization=1 -Ddebug=false -Dcpp_args=-gline-tables-only
             -Dbench=false -Db_lundef=false)
  fi
  case $sanitize in
    address) options+=(-Db_sanitize=address,undefined -Dfuzz=true) ;;
    thread) options+=(-Db_sanitize=thread) ;;
  esac
  CC=$launcher$cc CXX=$launcher$cxx meson setup "$build" "${options[@]}" >"$build.log" 2>&1 || {
    cat "$build.log" >&2
    echo "meson setup failed" >&2
    return 1
  }
  mv "$build.log" "$build/configure.log"
}

# Compilers say nothing unless they have something to say.
run_ninja() {
  local log=$build/ninja.log
  ninja -C "$build" -j "$jobs" "$@" >"$log" 2>&1 </dev/null || {
    grep -v '^\[' "$log" | tail -n 60 >&2
    echo "the build failed; all of it in $log" >&2
    return 1
  }
  grep 'warning: ' "$log" || true
}

configure
case $suites in
  default | all) run_ninja ;;
  *)
    run_ninja build.ninja
    mapfile -t targets < <(python3 tests/run_registered.py targets "$build" --suites="$suites")
    run_ninja "${targets[@]}"
    ;;
esac
exec python3 tests/run_registered.py run "$build" --suites="$suites" --filter="$filter" \
  --sanitize="$sanitize" --jobs="$jobs"
