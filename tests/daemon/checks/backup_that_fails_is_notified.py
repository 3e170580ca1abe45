"""Backups every second to a folder that cannot be made: one daemon.degraded, its end after the folder is there, and backups that are kept up to their number."""
from lib import *
LIMIT = 60


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon, folder = Daemon(binary, workdir), os.path.join(workdir, "disk", "backups")
    head = f'[backup]\nat = "* * * * * *"\ndir = "{folder}"\nkeep = 3\n'
    daemon.write(receiver("h", hook, extra='events = ["daemon.*"]'), integration("lake", s3), head=SINGLE + head)
    daemon.start()
    told = lambda kind: [e["data"] for e in hook.json() if e["type"] == kind]
    need(lambda: told("daemon.degraded"), "the fault", 20)
    degraded = told("daemon.degraded")[0]
    seen = daemon.cli("status")[1]
    os.mkdir(os.path.dirname(folder))
    recovered = until(lambda: told("daemon.recovered"), 20)
    names = lambda: sorted(name for name in os.listdir(folder) if name.startswith("state-"))
    several = until(lambda: len(names()) == 3, 20)
    first = names()[0] if several else None
    rotated = until(lambda: first and first not in names(), 10)
    few = len(names()) <= 3
    later = daemon.cli("status")[1]
    good = degraded.get("fault") == "backup" and recovered and several and rotated and few and len(told("daemon.degraded")) == 1
    good = good and "no backup" in seen and "backups is from" in later
    return bool(good), f"fault {degraded.get('fault')}: {degraded.get('message')}, over {bool(recovered)}, {names() if several else None}, rotated {bool(rotated)}, {later!r:.200}"
