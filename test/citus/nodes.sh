# Sourced by what takes a cluster: nodes of Citus on this machine, each a server of its own. Needs scripts/lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # root, clusters and directory are scripts/lib.sh's

has_citus() { [[ -f $("$PG_CONFIG" --sharedir)/extension/citus.control ]]; }

free_ports() { # so many in a row of which nobody listens
  local base i
  for base in $(shuf -i 20000-55000 -n 50); do
    for ((i = 0; i < $1; i++)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((base + i))") 2>/dev/null; then continue 2; fi
    done
    echo "$base"
    return
  done
  die "no free ports"
}

base=$(free_ports 4)
export PGHOST=localhost PGUSER=postgres PGDATABASE=app PGTZ=UTC
export PGOPTIONS='-c client_min_messages=warning'
unset PGSERVICE PGPASSWORD

# start_node N: of the cluster; 0 is the coordinator.
start_node() {
  local directory
  server_directory "citus$1"
  clusters[citus$1]=$directory
  as_postgres initdb -D "$directory/data" --username=postgres --auth=trust --locale=C.UTF-8 --encoding=UTF8 --no-sync
  printf '%s\n' "listen_addresses = 'localhost'" "unix_socket_directories = ''" "port = $((base + $1))" "fsync = off" "shared_buffers = 64MB" \
    "wal_level = logical" "max_prepared_transactions = 100" "shared_preload_libraries = 'citus,pql'" "citus.shard_count = 8" "timezone = 'UTC'" \
    "citus.enable_statistics_collection = off" |
    as_postgres tee -a "$directory/data/postgresql.conf"
  as_postgres pg_ctl -D "$directory/data" -l "$directory/log" -w start
  psql -Xq -p $((base + $1)) -d postgres -c 'CREATE DATABASE app'
  psql -Xq -p $((base + $1)) -c 'CREATE EXTENSION citus'
}

# start_nodes N: the coordinator, which is asked from then on, and the others up to N; nothing is a cluster yet.
start_nodes() {
  local node
  for ((node = 0; node <= $1; node++)); do quietly "citus-node$node" start_node "$node"; done
  export PGPORT=$base
}
