# What the benchmark commands do before they measure: build, install, start a private server. Source it from a script that
# has set -euo pipefail.
# shellcheck shell=bash

bench_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
called_from=$PWD # paths among the arguments are relative to it

# shellcheck source=scripts/lib.sh
. "$bench_directory/../../scripts/lib.sh"

# start_bench PROGRAM ARGUMENT...: runs a Python program of this folder against a server of its own. Takes --no-install, and
# doesn't trouble to start one for --help and --list.
start_bench() {
  local program=$bench_directory/$1 install=1 arguments=() a
  shift
  for a in "$@"; do
    case $a in
    --no-install) install=0 ;;
    --help | --list) exec python3 "$program" "$a" ;;
    *) arguments+=("$a") ;;
    esac
  done
  only_one
  use_postgres
  command -v python3 >/dev/null || die "needs python3"
  if ((install)); then
    say "building and installing the extension"
    install_extension PG_CONFIG="$PG_CONFIG"
  fi
  say "starting a private server"
  start_cluster bench fsync=on synchronous_commit=on full_page_writes=on wal_compression=off shared_buffers=2GB \
    max_wal_size=8GB min_wal_size=2GB checkpoint_timeout=30min work_mem=64MB maintenance_work_mem=256MB autovacuum=off jit=off \
    max_connections=50 max_locks_per_transaction=256
  cd "$called_from" || return
  python3 "$program" ${arguments[@]+"${arguments[@]}"}
}
