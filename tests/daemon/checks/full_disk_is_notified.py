"""The disk is full at once, and nothing watches the room that is left: `daemon.degraded` arrives within 10 s although
nothing else can be stored, and `daemon.recovered` within 40 s of the end."""
from lib import *
LIMIT, NEEDS_MOUNT = 50, True


def check(binary, workdir):
    disk = workdir + "/disk"
    free_mount(disk, "8m")
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir, store=disk + "/state.db")
    names = [f"i{n}" for n in range(6)]
    daemon.write(*[integration(name, s3) for name in names], receiver("pager", hook),
                 head=SINGLE + "[own_faults]\ndisk_free_mib = 0\n[limits]\nruns_per_host = 64\n")
    daemon.start()
    daemon.is_well()
    full = Filler(disk)
    start = time.time()
    told = until(lambda: "daemon.degraded" in hook.types(), 10)
    after = round(time.time() - start, 1)
    full.free()
    ended = told and until(lambda: "daemon.recovered" in hook.types(), 40)
    return bool(told and ended and daemon.alive()), f"degraded after {after} s: {told}, recovered: {ended}; {hook.types()}"
