# Shared by the scripts. Source it from a script that has set -euo pipefail; it moves to the top of the tree.
# Law: whatever is made outside build/ is removed at exit, and whatever is started is stopped.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit
mkdir -p build/log

pg_major=${PG_MAJOR:-15} # of the packages
PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$pg_major/bin/pg_config}
pgxs_test=/usr/lib/postgresql/$pg_major/lib/pgxs/src/test # use_postgres sets it again
jobs=$(nproc)

# What a test run needs, from Debian alone.
build_packages=(g++ make "postgresql-$pg_major" "postgresql-server-dev-$pg_major" nlohmann-json3-dev libre2-dev libutf8proc-dev)
cli_packages=(g++ make cmake libpq-dev libcli11-dev libcurl4-openssl-dev libyaml-cpp-dev libssl-dev zlib1g-dev
  nlohmann-json3-dev libre2-dev libutf8proc-dev)
core_packages=(g++ make cmake libgtest-dev librapidcheck-dev nlohmann-json3-dev libre2-dev libutf8proc-dev "${cli_packages[@]}")
tap_packages=(perl libipc-run-perl)
pgtap_packages=(perl "postgresql-$pg_major-pgtap" libtap-parser-sourcehandler-pgtap-perl)

# --- saying and running -------------------------------------------------------------------------------------------------

step=0
# say WORDS: what comes now, in one line.
say() {
  step=$((step + 1))
  printf '[%d] %s\n' "$step" "$*"
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# quietly LOG COMMAND...: runs it with its output in build/log/LOG.log; shows the end of the log when it fails.
quietly() {
  local log=build/log/$1.log status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if ((status)); then
    printf -- '--- failed (%d): %s; the end of %s:\n' "$status" "$*" "$log" >&2
    tail -n "${TAIL:-40}" "$log" >&2
    printf -- '---\n' >&2
  fi
  return "$status"
}

free_disk() { df --output=avail -B 1000000 "$root" | tail -n 1; } # megabytes where build/ lies

# need_disk GIGABYTES WHAT: warns when less than that is free where build/ lies. A full disk makes failures that don't name it.
need_disk() {
  local free
  free=$(free_disk)
  ((free >= $1 * 1000)) || printf 'warning: %d.%d GB are free for %s, and %s: what fails below may lack room\n' \
    $((free / 1000)) $((free % 1000 / 100)) "$root/build" "$2"
}

# only_one: waits until no other run works in this tree; what a run starts itself goes on.
only_one() {
  [[ ${PQL_RUN:-} != "$root" ]] || return 0
  exec 9>build/.lock
  flock -n 9 || {
    echo "another run is using this tree: waiting for it"
    flock 9
  }
  export PQL_RUN=$root
}

# --- users and packages -------------------------------------------------------------------------------------------------

is_root() { [[ $(id -u) == 0 ]]; }

# as_root COMMAND...: directly, or through sudo.
as_root() {
  if is_root; then
    "$@"
  else
    command -v sudo >/dev/null || {
      echo "this takes root, or sudo: $*" >&2
      return 1
    }
    sudo "$@"
  fi
}

# as_postgres COMMAND...: as a user that a server may run as (it refuses root). Paths must be absolute.
as_postgres() {
  if is_root; then
    (cd / && exec runuser -u postgres -- "$@" 9>&-)
  else
    (cd / && exec "$@" 9>&-)
  fi
}

# need_packages NAME...: installs what is missing, from Debian.
need_packages() {
  local p missing=()
  for p in $(printf '%s\n' "$@" | sort -u); do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) == installed ]] || missing+=("$p")
  done
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  quietly apt-update as_root apt-get update
  quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
}

# use_postgres: puts the programs of the chosen PostgreSQL first.
use_postgres() {
  [[ -x $PG_CONFIG ]] || die "there is no $PG_CONFIG (set PG_CONFIG to choose another)"
  local bin
  bin=$("$PG_CONFIG" --bindir)
  [[ $PATH == "$bin":* ]] || PATH=$bin:$PATH
  pgxs_test=$(cd "$(dirname "$("$PG_CONFIG" --pgxs)")/../test" && pwd)
  export PG_CONFIG PATH
}

# --- cleaning up --------------------------------------------------------------------------------------------------------

declare -A clusters=() # name -> directory, of those that run
temporary=()           # directories outside build/

at_exit() {
  local status=$? name
  trap - EXIT
  for name in "${!clusters[@]}"; do stop_cluster "$name" || true; done
  ((${#temporary[@]} == 0)) || rm -rf "${temporary[@]}"
  exit "$status"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# server_directory NAME: sets $directory to an empty directory that the server's user owns and reaches: build/pg/NAME, or
# a temporary one when the tree lies where that user can't go.
server_directory() {
  directory=$root/build/pg/$1
  mkdir -p build/pg
  if [[ -f $directory/data/postmaster.pid ]]; then # left by a run that was killed
    as_postgres pg_ctl -D "$directory/data" stop -m immediate >/dev/null 2>&1 || true
  fi
  rm -rf "$directory"
  mkdir "$directory"
  if is_root; then chown postgres: "$directory"; fi
  if ! as_postgres test -w "$directory"; then
    rmdir "$directory"
    directory=$(mktemp -d /tmp/pql-XXXXXX)
    temporary+=("$directory")
    if is_root; then chown postgres: "$directory"; fi
  fi
}

# --- a server of our own ------------------------------------------------------------------------------------------------

# start_cluster NAME [SETTING=VALUE...]: a private server, reached by a socket only; exports PGHOST, PGPORT and PGUSER.
# fsync is off unless it is among the settings. Stopped and removed at exit; its log is kept in build/log.
start_cluster() {
  local name=$1 directory socket setting
  shift
  server_directory "$name"
  clusters[$name]=$directory
  socket=$(mktemp -d /tmp/pql-XXXXXX) # short: a socket's path has 107 characters
  temporary+=("$socket")
  if is_root; then chown postgres: "$socket"; fi
  quietly "$name-initdb" as_postgres initdb -D "$directory/data" --username=postgres --auth=trust --data-checksums \
    --locale=C.UTF-8 --encoding=UTF8 --no-sync || return
  {
    printf '%s\n' "listen_addresses = ''" "unix_socket_directories = '$socket'" "port = 54329" "fsync = off" \
      "timezone = 'UTC'" "max_prepared_transactions = 8" "max_wal_size = '256MB'" # a log of 1 GB is of no use to a test
    for setting in "$@"; do printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"; done
  } | as_postgres tee -a "$directory/data/postgresql.conf" >/dev/null
  if ! quietly "$name-start" as_postgres pg_ctl -D "$directory/data" -l "$directory/log" -w start; then
    cat "$directory/log" >&2 || true
    return 1
  fi
  export PGHOST=$socket PGPORT=54329 PGUSER=postgres
  unset PGDATABASE PGSERVICE PGPASSWORD PGOPTIONS
}

stop_cluster() {
  local name=$1 directory=${clusters[$1]}
  unset "clusters[$name]"
  as_postgres pg_ctl -D "$directory/data" stop -m fast >/dev/null 2>&1 ||
    as_postgres pg_ctl -D "$directory/data" stop -m immediate >/dev/null 2>&1 || true
  if [[ -f $directory/log ]]; then cp "$directory/log" "$root/build/log/$name-server.log"; fi
  rm -rf "$directory"
}

# --- the extension ------------------------------------------------------------------------------------------------------

# build_extension [VARIABLE=VALUE...]: as the current user, in the tree.
build_extension() {
  quietly build make -s -j "$jobs" PG_CONFIG="$PG_CONFIG" "$@"
}

# install_extension [VARIABLE=VALUE...]: builds, and installs with the rights that it takes.
install_extension() {
  build_extension "$@" || return
  if [[ -w $("$PG_CONFIG" --pkglibdir) && -w $("$PG_CONFIG" --sharedir)/extension ]]; then
    quietly install make -s install PG_CONFIG="$PG_CONFIG" "$@"
  else
    quietly install as_root make -s install PG_CONFIG="$PG_CONFIG" "$@"
  fi
}
