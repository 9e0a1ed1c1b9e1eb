# What integration tests share; sourced by bash. A private cluster, an aggregator and pushes into it, and expectations that
# end the test. All that was started is stopped on exit, by its own process id.
#
# BUILD (programs), SOURCE (the tree) and SCRATCH (a fresh directory) come from ctest; run by hand, a test takes the build
# folder of tests/run and makes a scratch directory.

set -euo pipefail
SOURCE=${SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
BUILD=${BUILD:-$SOURCE/build-tests}
OWN_SCRATCH=
if [ -z "${SCRATCH:-}" ]; then
  OWN_SCRATCH=yes
  SCRATCH=$(mktemp -d)
  chmod 711 "$SCRATCH"
fi
export SOURCE BUILD SCRATCH
export LC_ALL=C.UTF-8
export EVENKEEL_SQL=$SOURCE/sql
export EVENKEEL_STATE=$SCRATCH/state
unset EVENKEEL_DSN PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGOPTIONS

PG_BIN=$(ls -d /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin 2>/dev/null | head -n 1)
CLUSTER=$SCRATCH/cluster
AGGREGATOR_URL=
AGGREGATOR_PID=

evenkeel() {
  "$BUILD/aggregator/evenkeel" "$@"
}

collector() {
  "$BUILD/collector/evenkeel-collector" "$@"
}

# Ends the test: fail SENTENCE.
fail() {
  echo "FAIL: $*" >&2
  local file
  for file in "$SCRATCH"/*.log; do
    [ -s "$file" ] && { echo "--- $file"; tail -n 40 "$file"; } >&2
  done
  exit 1
}

# Ends a test that can't run here: skip REASON. ctest shows it as skipped, and tests/run says so at its end: it is not passed.
skip() {
  echo "not run: $*" >&2
  echo "$*" >"$SCRATCH/skipped"
  exit 77
}

# Says what is tested next, so that the output of a failed test tells where it was.
behaviour() {
  echo "- $*"
}

# Waits until a command succeeds: wait_for SECONDS WHAT COMMAND [ARGUMENT...].
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "$what: not within the time allowed"
    sleep 0.05
  done
}

# A TCP port on loopback that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# PostgreSQL refuses to run as root: then it runs as the user that Debian's package made.
as_database_user() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@")
  else
    "$@"
  fi
}

# A private cluster on a Unix socket only, with an empty database 'evenkeel'; sets EVENKEEL_DSN. Without fsync, unless
# called as 'cluster_start durable'. After cluster_stop it starts the same cluster again.
cluster_start() {
  local options="-c listen_addresses= -c unix_socket_directories=$CLUSTER/run -c max_connections=60 -c shared_buffers=64MB"
  [ "${1:-}" = durable ] || options="$options -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
  export EVENKEEL_DSN="host=$CLUSTER/run port=5432 dbname=evenkeel user=evenkeel"
  if [ ! -d "$CLUSTER/data" ]; then
    mkdir -p "$CLUSTER/run"
    [ "$(id -u)" -ne 0 ] || chown -R postgres "$CLUSTER"
    as_database_user "$PG_BIN/initdb" --pgdata="$CLUSTER/data" --username=evenkeel --auth=trust --encoding=UTF8 \
      --locale=C.UTF-8 --no-sync --no-instructions >"$SCRATCH/initdb.log" 2>&1 || fail "initdb failed"
  fi
  as_database_user "$PG_BIN/pg_ctl" start --pgdata="$CLUSTER/data" --wait --timeout=60 --silent \
    --log="$CLUSTER/postgresql.log" --options="$options" >/dev/null || fail "$(cat "$CLUSTER/postgresql.log")"
  if [ -z "$(psql_to postgres -c "select 1 from pg_database where datname = 'evenkeel'")" ]; then
    psql_to postgres -c 'create database evenkeel'
  fi
}

# cluster_stop [smart|fast|immediate]
cluster_stop() {
  as_database_user "$PG_BIN/pg_ctl" stop --pgdata="$CLUSTER/data" --mode="${1:-fast}" --wait --timeout=60 --silent
}

# psql on a database of the private cluster, plain output, errors end it: psql_to DATABASE [ARGUMENT...].
psql_to() {
  local database=$1
  shift
  "$PG_BIN/psql" -XAtq -v ON_ERROR_STOP=1 "host=$CLUSTER/run port=5432 dbname=$database user=evenkeel" "$@"
}

psql() {
  psql_to evenkeel "$@"
}

# For tests that need a terminal of their own: says so where the system has none to give, as in a container without devpts.
need_terminal() {
  python3 -c 'import os; os.openpty()' 2>/dev/null ||
    fail "no pseudo-terminal can be had: is a file system 'devpts' mounted on /dev/pts? (mount -t devpts devpts /dev/pts)"
}

# Starts the aggregator on a free port (and 'evenkeel init' first); sets AGGREGATOR_URL and AGGREGATOR_PID. Arguments go to
# 'evenkeel serve'; without any it trusts new keys. Its HTTP side is at AGGREGATOR_HTTP, or off, unless they say --http.
aggregator_start() {
  [ $# -gt 0 ] || set -- --trust-on-first-use
  evenkeel init >"$SCRATCH/init.log" 2>&1 || fail "evenkeel init failed"
  AGGREGATOR_URL=${AGGREGATOR_URL:-tcp://127.0.0.1:$(free_port)}
  rm -f "$SCRATCH/ready"
  [[ " $* " == *" --http "* ]] || set -- --http "${AGGREGATOR_HTTP:-off}" "$@"
  "$BUILD/aggregator/evenkeel" serve --listen "$AGGREGATOR_URL" --ready-file "$SCRATCH/ready" "$@" \
    >>"$SCRATCH/serve.log" 2>&1 &
  AGGREGATOR_PID=$!
  wait_for 30 "the aggregator's start" aggregator_ready_or_gone
  kill -0 "$AGGREGATOR_PID" 2>/dev/null || fail "the aggregator ended at its start"
}

aggregator_ready_or_gone() {
  [ -e "$SCRATCH/ready" ] || ! kill -0 "$AGGREGATOR_PID"
}

# Stops it and fails unless it ends with status 0 (a sanitizer's complaint is another): aggregator_stop [SIGNAL].
aggregator_stop() {
  local pid=$AGGREGATOR_PID signal=${1:-TERM} status=0
  AGGREGATOR_PID=
  kill -"$signal" "$pid"
  wait "$pid" || status=$?
  [ $status -eq 0 ] || [ "$signal" = KILL ] || fail "the aggregator ended with status $status"
}

# One snapshot: push_host NAME ROOT [FACTS] [-- ARGUMENT...]. Every host has a key of its own.
push_host() {
  local name=$1 root=$2
  shift 2
  local options=()
  if [ $# -gt 0 ] && [ "$1" != -- ]; then
    options=(--facts "$1")
    shift
  fi
  [ "${1:-}" != -- ] || shift
  collector push --host "$name" --root "$root" --aggregator "$AGGREGATOR_URL" --state "$SCRATCH/collectors/$name" \
    "${options[@]}" "$@"
}

# Runs a command, keeps its output in $SCRATCH/stdout and $SCRATCH/stderr and its status in STATUS.
run() {
  STATUS=0
  "$@" >"$SCRATCH/stdout" 2>"$SCRATCH/stderr" || STATUS=$?
}

# expect_exit CODE COMMAND [ARGUMENT...]: like run, and fails on any other status.
expect_exit() {
  local code=$1
  shift
  run "$@"
  [ $STATUS -eq "$code" ] ||
    fail "status $STATUS instead of $code: $*"$'\n'"$(cat "$SCRATCH/stdout" "$SCRATCH/stderr")"
}

# expect_line REGEX [FILE]: some line of FILE ($SCRATCH/stdout unless told) matches the extended regular expression.
expect_line() {
  local file=${2:-$SCRATCH/stdout}
  grep -Eq -- "$1" "$file" || fail "no line matches '$1' in:"$'\n'"$(cat "$file")"
}

# Likewise that none does.
expect_no_line() {
  local file=${2:-$SCRATCH/stdout}
  [ -e "$file" ] || fail "there is no $file to look into"
  ! grep -Eq -- "$1" "$file" || fail "a line matches '$1' in:"$'\n'"$(cat "$file")"
}

# expect_refusal REGEX COMMAND [ARGUMENT...]: exit status 1, nothing on stdout, exactly one line on stderr, matching.
expect_refusal() {
  local regex=$1
  shift
  expect_exit 1 "$@"
  [ ! -s "$SCRATCH/stdout" ] || fail "an error wrote to stdout: $*"
  [ "$(wc -l <"$SCRATCH/stderr")" -eq 1 ] || fail "not one line on stderr: $*"$'\n'"$(cat "$SCRATCH/stderr")"
  expect_line "$regex" "$SCRATCH/stderr"
}

# expect_equal WANTED SEEN [WHAT]
expect_equal() {
  [ "$1" = "$2" ] || fail "${3:-value}: wanted '$1', saw '$2'"
}

# What a test stops by itself before the aggregator and the cluster: at_end COMMAND, one line for the shell. Its status is not
# the test's.
AT_END=:
at_end() {
  AT_END=$1
}

stop_all() {
  local status=$?
  trap - EXIT
  set +e
  eval "$AT_END"
  if [ -n "$AGGREGATOR_PID" ]; then
    kill -TERM "$AGGREGATOR_PID" 2>/dev/null
    wait "$AGGREGATOR_PID"
    local ended=$?
    [ $status -ne 0 ] || [ $ended -eq 0 ] || { echo "FAIL: the aggregator ended with status $ended" >&2; status=1; }
    [ $ended -eq 0 ] || tail -n 60 "$SCRATCH/serve.log" >&2
  fi
  [ ! -e "$CLUSTER/data/postmaster.pid" ] || cluster_stop immediate
  [ -z "$OWN_SCRATCH" ] || [ $status -ne 0 ] || { cd / && rm -rf "$SCRATCH"; }
  exit $status
}
trap stop_all EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
