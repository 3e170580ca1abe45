"""The system makes no threads: a start ends by itself and says so; while it runs, integrations are validated and failures
notified all the same, and SIGTERM ends it."""
from lib import *
LIMIT = 50


def check(binary, workdir):
    s3, hook, faults = S3(), Hook(), Faults(workdir, compiled(workdir))
    daemon = Daemon(binary, workdir)
    put(workdir + "/key", "an access key that only tests use")
    filed = integration("filed", s3).replace('{ env = "S3KEY" }', f'{{ file = "{workdir}/key" }}')
    daemon.write(receiver("h", hook), integration("lake", s3), filed)
    starts = []
    for first in (1, 2, 3, 4, 6, 8, 10):
        faults.set([("pthread_create", "EAGAIN", first, 1)])
        mark = os.path.getsize(daemon.log) if os.path.exists(daemon.log) else 0
        daemon.spawn(faults.before)
        started = until(lambda: not daemon.alive() or "started" in daemon.text(mark), 8)
        failed, text = faults.end(), daemon.text(mark)
        code = daemon.stop(seconds=8)
        starts.append((first, code, bool(started), "panicked" in text or "a fault in revalidated" in text))
    good = all(started and not panicked and code in (0, 1, -15) for _, code, started, panicked in starts)
    daemon.start(before=faults.before)
    daemon.is_well()
    faults.set([("pthread_create", "EAGAIN", 1, 1)])
    time.sleep(11)                                          # threads that wait for files have ended by now
    s3.missing = {"lake", "filed"}
    told = until(lambda: {(e["data"].get("integration") or {}).get("name") for e in hook.json() if "failed" in e["type"]} >= {"lake"}, 12)
    failed, code = faults.end(), daemon.stop()
    return good and bool(told) and code == 0 and "a fault in revalidated" not in daemon.text(), f"starts {starts}; while it ran {failed} threads were refused, the failure told: {bool(told)}, exit {code}"
