"""No further memory can be had while integrations flip: whether the daemon goes on or ends, and is started again, nothing that
was notified is unknown and nothing is lost."""
import resource
from lib import *
LIMIT = 50


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon, names = Daemon(binary, workdir), [f"i{n}" for n in range(8)]
    daemon.write(receiver("h", hook, extra="retry = " + json.dumps(["1s"] * 40)), *[integration(name, s3, extra="flap_flips = 0") for name in names])
    ends = []
    for size in (0, 1, 4):
        daemon.start()
        need(lambda: set(daemon.status()) == set(names), "all are known")
        with open(f"/proc/{daemon.process.pid}/statm") as file:
            pages = int(file.read().split()[0])
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (pages * 4096 + size * 2**20, resource.RLIM_INFINITY))
        for turn in range(4):
            s3.missing = set(names[turn::2])
            time.sleep(0.7)
        if daemon.alive():
            resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ends.append(daemon.stop())
    daemon.start()
    s3.missing = set()
    daemon.is_well()
    until(lambda: not daemon.deliveries("--state", "pending"), 12, 0.3)
    known = {one["eventId"]: one["state"] for one in daemon.deliveries()}
    sent = {headers["webhook-id"] for _, headers, _, _ in hook.got}
    found = {"unknown": len(sent - set(known)), "owed": list(known.values()).count("pending"), "gaps": len(in_order(hook.taken()))}
    # The allocator ends the process by SIGABRT; a supervisor starts it again.
    return not any(found.values()) and set(ends) <= {0, -6} and "panicked" not in daemon.text(), f"ended {ends}; {len(known)} events: {found}"
