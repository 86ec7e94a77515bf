#!/usr/bin/env bash
# tools/quickstart.sh: from a bare Debian 12 to a proof, with real input: this machine's own package
# index (some 60,000 records). Installs the packages, builds a release, and shows the main job:
#
#   1. imports the index into a store, every commit synced; count, rate, root, bytes on disk
#   2. proves one package's version and hash, and the absence of one that does not exist, to a
#      verifier that has only the 33-byte root
#   3. kills a second import with SIGKILL half-way, reopens, resumes: the same root
#   4. looks into a segment file
#
# Everything it makes is under build/. Runs again as often as you like.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
# field NAME FILE: one field of a line of JSON.
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[2]))[sys.argv[1]])' "$1" "$2"; }

tools/install_dependencies.sh
say "building (release)"
if [[ ! -f build/build.ninja ]]; then
  launcher=
  if command -v ccache >/dev/null; then launcher='ccache '; fi
  mkdir -p build
  CC="${launcher}gcc" CXX="${launcher}g++" meson setup build -Dbuildtype=release >build/configure.log ||
    { cat build/configure.log; exit 1; }
fi
ninja -C build firn >build/quickstart-build.log 2>&1 || { tail -n 40 build/quickstart-build.log; exit 1; }
firn=build/firn

work=build/quickstart
rm -rf "$work"
mkdir -p "$work"
index=$work/packages.txt
apt-cache dumpavail >"$index" || true
if [[ ! -s $index ]] && [[ $(id -u) == 0 ]]; then
  apt-get update -q >/dev/null
  apt-cache dumpavail >"$index"
fi
if [[ ! -s $index ]]; then
  echo "the package index of this machine is empty; run apt-get update as root, then try again" >&2
  exit 1
fi
echo "input: $(grep -c '^Package:' "$index") records, $(stat -c %s "$index") bytes"

say "1. import, every commit synced"
"$firn" create "$work/store" >/dev/null
"$firn" import "$work/store" "$index" --format deb822 --on-error skip --json >"$work/import.json"
root=$(field root "$work/import.json")
for name in records inserted updated rejected seconds records_per_second bytes_on_disk io root; do
  printf '  %-18s %s\n' "$name" "$(field "$name" "$work/import.json")"
done

say "2. a proof for whoever holds the root $root"
package=bash
# The last stanza of the package is what the store holds.
read -r version hash < <(awk -v p="$package" '
  /^Package: / { name = $2 } /^Version: / { version = $2 } /^SHA256: / { hash = $2 }
  /^$/ { if (name == p) { v = version; h = hash } name = "" }
  END { if (name == p) { v = version; h = hash } print v, h }' "$index")
value=$(printf '%s' "$version" | od -An -tx1 | tr -d ' \n')00$hash
echo "  $package is version $version with SHA256 $hash"
"$firn" prove "$work/store" --hashed "$package" -o "$work/present.proof" >/dev/null
"$firn" verify-proof "$work/present.proof" --root "$root" --hashed --key "$package" --value "$value" \
  >"$work/verified.txt"
echo "  proven: $(head -n 1 "$work/verified.txt"), with $(stat -c %s "$work/present.proof") bytes of proof bundle"
"$firn" prove "$work/store" --hashed no-such-package -o "$work/absent.proof" >/dev/null
"$firn" verify-proof "$work/absent.proof" --root "$root" --hashed --key no-such-package --absent \
  >"$work/verified.txt"
echo "  proven: no-such-package is absent ($(head -n 1 "$work/verified.txt"))"
if "$firn" verify-proof "$work/present.proof" --root "$root" --hashed --key "$package" --absent \
  >"$work/verified.txt"; then
  echo "a false statement was accepted" >&2
  exit 1
fi
echo "  refused: \"$package is absent\" ($(grep '^why' "$work/verified.txt" | cut -c6-90)...)"

say "3. the same import, killed half-way"
seconds=$(field seconds "$work/import.json")
fraction=2
while true; do
  rm -rf "$work/killed"
  "$firn" create "$work/killed" >/dev/null
  "$firn" import "$work/killed" "$index" --format deb822 --on-error skip --json \
    >"$work/killed.json" 2>/dev/null &
  pid=$!
  sleep "$(python3 -c "print($seconds / $fraction)")"
  if kill -KILL "$pid" 2>/dev/null; then break; fi
  fraction=$((fraction * 2)) # it had finished already: sooner
done
wait "$pid" 2>/dev/null || true
"$firn" stats "$work/killed" --json >"$work/reopened.json"
echo "  killed; reopened with $(field keys "$work/reopened.json") keys, root $(field root "$work/reopened.json")"
"$firn" import "$work/killed" "$index" --format deb822 --on-error skip --json >"$work/resumed.json"
resumed=$(field root "$work/resumed.json")
echo "  resumed at line $(field resumed_at_line "$work/resumed.json"), root $resumed"
if [[ $resumed != "$root" ]]; then
  echo "the resumed import ended at another root" >&2
  exit 1
fi
echo "  the same root as the import that was not killed"
"$firn" verify "$work/killed" --level tree | tail -n 1 | sed 's/^/  firn verify --level tree: /'

say "4. the head of a segment"
"$firn" checkpoint "$work/store" create >/dev/null
segment=$(find "$work/store/nodes" -name '*.seg' | sort | head -n 1)
"$firn" dump "$segment" --limit 4

say "done. The store is $work/store; try: $firn --help"
