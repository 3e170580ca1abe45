#!/usr/bin/env python3
"""Measures the daemon under load: 1,000 integrations validated every minute against a stand-in on loopback, for two full minutes.

Usage: benches/load.py BINARY   INTEGRATIONS, MINUTES and DELAY_MS (of the stand-in) in the environment change the load. Use a
release build. Prints how late runs start, counted from the instant their schedule and spread give, the processor time of a run
with its durable row, and the daemon's peak memory.
Exit status 1: the 99th percentile is over a second late, a run is missing or failed, or memory exceeded 60 MB for each thousand."""
import os
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "crash"))
from receiver import Receiver
from scene import Scene, give_up, stop
from standin import StandIn

PERIOD_MS = 60_000
LATE_MAX_MS = 1_000
MEMORY_MAX_MB_PER_THOUSAND = 60
UNSETTLED = "SELECT count(*) FROM integration WHERE status <> 'enabled'"
# The next due instant tells where in the minute an integration's runs belong.
RUNS = """SELECT run.integration_id, (run.started_at_ms - integration.next_run_at_ms) % :period, run.status
          FROM run JOIN integration ON integration.id = run.integration_id
          WHERE run.trigger = 'schedule' AND run.started_at_ms >= :since AND run.started_at_ms < :until"""


def settle(scene, daemon):
    """Waits until every integration has passed once."""
    for _ in range(3000):
        if daemon.poll() is not None:
            give_up(f"the daemon ended by itself:\n{scene.last_words()}")
        if scene.database.exists() and scene.rows(UNSETTLED) == [(0,)]:
            return
        time.sleep(0.1)
    give_up(f"integrations are not enabled after five minutes:\n{scene.last_words()}")


def megabytes(daemon, field):
    """A figure of the daemon's memory, such as its peak, `VmHWM`."""
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) / 1024


def seconds(daemon):
    """Processor time used so far."""
    fields = Path(f"/proc/{daemon.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    binary = sys.argv[1]
    integrations, minutes = int(os.environ.get("INTEGRATIONS", "1000")), int(os.environ.get("MINUTES", "2"))
    delay = int(os.environ.get("DELAY_MS", "0")) / 1000
    memory_max = MEMORY_MAX_MB_PER_THOUSAND * max(integrations / 1000, 1)
    with Scene(binary, StandIn(delay=delay), Receiver(), integrations, schedule="* * * * *") as scene:
        daemon = scene.start()
        try:
            settle(scene, daemon)
            # Measure from a full minute on, and let runs that began in time be recorded.
            since = (int(time.time()) // 60 + 1) * PERIOD_MS
            time.sleep(since / 1000 - time.time())
            before = seconds(daemon)
            until = since + minutes * PERIOD_MS
            time.sleep(until / 1000 - time.time() + 5)
            used = seconds(daemon) - before
            peak, own = megabytes(daemon, "VmHWM"), megabytes(daemon, "RssAnon")
            bounds = {"period": PERIOD_MS, "since": since, "until": until}
            runs = scene.rows(RUNS, bounds)
        finally:
            status = stop(daemon)
    # An instant that is not in the past of its run is a whole period ahead of it.
    late = sorted(ms + PERIOD_MS if ms < 0 else ms for _, ms, _ in runs)
    if not late:
        give_up("no run was recorded")
    failed, missing = sum(status != "passed" for *_, status in runs), integrations * minutes - len(runs)
    p99 = late[len(late) * 99 // 100]
    print(
        f"{len(runs)} runs of {integrations} integrations in {minutes} minutes, {missing} missing, {failed} not passed; "
        f"late by {late[len(late) // 2]} ms (median), {p99} ms (99 %), {late[-1]} ms (worst); "
        f"memory {peak:.0f} MB at most, {own:.0f} MB of it its own data; processor {used / (minutes * 60) * 100:.0f} %, {used / len(runs) * 1000:.2f} ms of it for a run; exit status {status}"
    )
    sys.exit(p99 > LATE_MAX_MS or peak > memory_max or missing > 0 or failed > 0 or status != 0)


if __name__ == "__main__":
    main()
