"""The write-ahead log of the database (`-wal`) is deleted while the daemon runs: it says so within 6 s, commits nothing more, and
completes the file from the log that it still has: even after a `kill -9` everything that was notified is known, and the change that came meanwhile is
notified."""
from lib import *
LIMIT = 45


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir)
    daemon.write(receiver("h", hook), *[integration(f"i{n}", s3, extra="flap_flips = 0") for n in range(3)])
    daemon.start()
    daemon.is_well()
    s3.missing = {"i0"}
    need(lambda: "integration.validation.failed" in hook.types(), "a failure is told")
    mark = len(daemon.text())
    os.unlink(daemon.db + "-wal")
    said = until(lambda: [line for line in daemon.lines("WARN", "ERROR", since=mark) if "-wal was removed" in line], 6)
    before = len(hook.got)
    s3.missing = {"i0", "i1"}
    time.sleep(3)
    during = len(hook.got) - before
    daemon.stop(signal.SIGKILL)
    daemon.start()
    told = until(lambda: any("failed" in e["type"] for e in hook.about("i1")), 12)
    until(lambda: not daemon.deliveries("--state", "pending"), 8, 0.3)
    known = {one["eventId"] for one in daemon.deliveries()}
    unknown = {headers["webhook-id"] for _, headers, _, _ in hook.got} - known
    code = daemon.cli("store", "check", "--full")[0]
    return bool(said) and not during and bool(told) and not unknown and code == 0, f"said {(said or [])[:1]}, told meanwhile {during}, after the restart {bool(told)}, unknown {len(unknown)}, store check {code}"
