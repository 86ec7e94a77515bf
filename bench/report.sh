#!/usr/bin/env bash
# bench/report.sh: runs the job files of bench/jobs with firn and its peers, and writes docs/benchmarks.md
# with a table and plots (docs/benchmarks/*.svg) for each row.
#
#   --directory=DIR   where the stores are: a real disk with 30 GB free, nothing else running (default: .)
#   --rounds=N        rounds (default 3; the five minutes of T1 and the cold reads of N5 run once)
#   --peers=LIST      default rocksdb,leveldb,lmdb,sqlite; those that are not installed are skipped
#   --rows=LIST       only these rows, such as N1,N2,C1; the others keep the results of their last run
#   --firn=PATH       the program (default: build/firn, a release build)
#   --results=DIR     where the JSON of each job file is kept (default: build/bench-results)
#
# N5 limits memory with a control group, which needs root; without it the report says that no limit held.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=.
rounds=3
peers=rocksdb,leveldb,lmdb,sqlite
rows=
firn=build/firn
results=build/bench-results
for argument in "$@"; do
  case $argument in
    --directory=*) directory=${argument#*=} ;;
    --rounds=*) rounds=${argument#*=} ;;
    --peers=*) peers=${argument#*=} ;;
    --rows=*) rows=${argument#*=} ;;
    --firn=*) firn=${argument#*=} ;;
    --results=*) results=${argument#*=} ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "bench/report.sh: unknown argument $argument (see --help)" >&2; exit 2 ;;
  esac
done
[[ -x $firn ]] || { echo "$firn is not there: meson setup build --buildtype=release && ninja -C build" >&2; exit 2; }
mkdir -p "$directory" "$results"
scratch=$(mktemp -d "$directory/firn-report.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# run ROW ROUNDS JOBFILE...: the files of a row share their stores; the stores go with the last of them.
run() {
  local row=$1 times=$2 name
  shift 2
  if [[ -n $rows && ,$rows, != *,$row,* ]]; then return; fi
  for name in "$@"; do
    echo "$row: bench/jobs/$name.fio, $times rounds"
    "$firn" bench "bench/jobs/$name.fio" --directory "$scratch/stores" --rounds "$times" \
      --peers "$peers" --output-format=json >"$results/$name.json.new"
    mv "$results/$name.json.new" "$results/$name.json"
  done
}
drop() { rm -rf "$scratch/stores"; }

run N1 "$rounds" n1_load
run N2 "$rounds" n2_read
run N3 "$rounds" n3_multiget
run N4 "$rounds" n4_absent
drop
run N1 "$rounds" n1_load_5m n1_sustained
drop
run N5 1 n5_cold
drop
run O1 "$rounds" o1_append
run O2 "$rounds" o2_replay
drop
run C1 "$rounds" c1_commit
run C2 "$rounds" c2_commit8 c2_commit64
drop
run M1 "$rounds" m1_ycsb_a m1_ycsb_b m1_ycsb_c m1_ycsb_e m1_ycsb_f
drop
run R1 "$rounds" r1_reopen
drop
run T1 1 t1_openloop
drop
run S1 1 s1_memory
drop
python3 bench/report.py "$results" docs/benchmarks.md
