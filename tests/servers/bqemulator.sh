#!/usr/bin/env bash
# Starts and stops bqemulator (the REST interface of BigQuery: projects, datasets, tables, queries)
# for tests. It requires no token; google-auth in its environment verifies the tokens of this project.
#
#   bqemulator.sh start DIR   prints endpoint=http://127.0.0.1:PORT, its project, and python=PATH
#   bqemulator.sh stop DIR
#   bqemulator.sh install     only makes the Python environment
source "$(dirname -- "$0")/lib.sh"

PROJECT=example-project
# DuckDB would download its spatial extension at every start.
LAUNCHER='
from bqemulator.cli import main
from bqemulator.storage.engine import DuckDBEngine
DuckDBEngine._load_spatial = lambda self: None
main()
'

answers() {
    curl --silent --fail --max-time 5 "$1/bigquery/v2/projects/$PROJECT/datasets"
}

start() {
    local dir=$1 venv port grpc
    venv=$(environment bqemulator)
    stop "$dir"
    port=$(free_port)
    grpc=$(free_port)
    launch "$dir" "$venv/bin/python" -c "$LAUNCHER" start --ephemeral --project "$PROJECT" \
        --rest-port "$port" --grpc-port "$grpc" --log-level warning
    await "$dir" answers "http://127.0.0.1:$port"
    printf 'endpoint=http://127.0.0.1:%s\nproject=%s\npython=%s\n' \
        "$port" "$PROJECT" "$venv/bin/python"
}

case ${1:-}:${2:+dir} in
start:dir) start "$2" ;;
stop:dir) stop "$2" ;;
install:) environment bqemulator >/dev/null ;;
*) fail 'usage: bqemulator.sh start|stop DIR, or bqemulator.sh install' ;;
esac
