# Checks of what runs in the container of run.sh; the script that reads it sets `unit` and `state`, and exits with `failures`.
failures=0

# check NAME COMMAND...: the command must succeed.
check() {
  local name=$1
  shift
  if "$@" >/tmp/output 2>&1; then
    echo "ok $name"
  else
    echo "FAIL $name"
    sed 's/^/  /' /tmp/output | tail -n 20
    failures=$((failures + 1))
  fi
}
# within SECONDS COMMAND...: the command must succeed before the time is up.
within() {
  local end=$(($(date +%s%N) + $1 * 1000000000))
  shift
  until "$@"; do
    [ "$(date +%s%N)" -lt "$end" ] || { echo "still not: $*"; return 1; }
    sleep 0.1
  done
}
property() { systemctl show --property "$1" --value "$unit"; }
has() { echo "$1 is $(property "$1")"; [ "$(property "$1")" = "$2" ]; }
same() { echo "$1, expected $2"; [ "$1" = "$2" ]; }
not() { ! "$@"; }
journal() { journalctl --no-pager --unit "$unit" --output cat; }
# query SQL: the first column of the answer of the daemon's database, read beside it.
query() {
  python3 -c 'import sqlite3, sys
for row in sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=5).execute(sys.argv[2]): print(row[0])' "$state/state.db" "$1"
}
answers() { [ "$(query "$1" 2>&1)" = "$2" ]; }
more_runs_than() { [ "$(query 'SELECT count(*) FROM run')" -gt "$1" ]; }
