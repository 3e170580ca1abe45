"""A replica beside the daemon holds a read transaction and checkpoints every second: no error, and the log stays small."""
from lib import *
LIMIT = 60
LOG_MAX = 64 * 1024 * 1024


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon, names = Daemon(binary, workdir), [f"i{n}" for n in range(8)]
    daemon.write(receiver("h", hook), *[integration(name, s3, extra="flap_flips = 0") for name in names])
    daemon.start()
    daemon.is_well()
    stop, found = threading.Event(), {"errors": [], "rounds": 0, "log": 0}

    def replicate():
        while not stop.is_set():
            try:
                base = sqlite3.connect(daemon.db, timeout=5, isolation_level=None)
                base.execute("begin")
                base.execute("select count(*) from run").fetchone()
                time.sleep(1)
                base.execute("rollback")
                base.execute("pragma wal_checkpoint(passive)").fetchone()
                base.close()
                found["rounds"] += 1
            except sqlite3.Error as error:
                found["errors"].append(str(error))
    threading.Thread(target=replicate, daemon=True).start()
    end = time.time() + 30
    while time.time() < end:
        s3.missing = {name for name in names if os.urandom(1)[0] % 2}
        time.sleep(0.2)
        found["log"] = max(found["log"], os.path.getsize(daemon.db + "-wal"))
    stop.set()
    s3.missing = set()
    daemon.is_well()
    said = daemon.lines("ERROR")
    good = daemon.alive() and not said and not found["errors"] and found["rounds"] > 10 and found["log"] < LOG_MAX and not in_order(hook.taken())
    return good, f"{found}, log {said[:2]}, gaps {in_order(hook.taken())}"
