"""The disk of the database becomes read-only while it runs, as after an error: no status changes by that, nothing is lost, and
everything is notified in order once it can be written again. A start on a read-only disk ends by itself and says why."""
from lib import *
LIMIT, NEEDS_MOUNT = 50, True


def check(binary, workdir):
    s3, hook, faults = S3(), Hook(), Faults(workdir, compiled(workdir))
    disk = workdir + "/disk"
    free_mount(disk, "16m")
    daemon = Daemon(binary, workdir, store=disk + "/state.db")
    daemon.write(receiver("h", hook), *[integration(name, s3, extra="flap_flips = 0") for name in ("lake", "pond")])
    daemon.start(before=faults.before)
    daemon.is_well()
    faults.set([(call, "EROFS", 1, 1) for call in ("pwrite", "ftruncate", "fsync", "unlink", "rename")])
    s3.missing = {"lake"}
    time.sleep(6)
    failed, alive, said = faults.end(), daemon.alive(), daemon.lines("ERROR", "WARN")[-1:]
    told = until(lambda: any(e["type"] == "integration.validation.failed" for e in hook.about("lake")), 12)
    s3.missing = set()
    recovered = until(lambda: any(e["type"] == "integration.validation.recovered" for e in hook.about("lake")), 12)
    code, other = daemon.stop(), [e["type"] for e in hook.about("pond") if "failed" in e["type"]]
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    mark = len(daemon.text())
    refused = daemon.spawn().process.wait(15)
    why = daemon.text(mark)[-200:]
    ok = alive and told and recovered and code == 0 and not other and not in_order(hook.taken()) and refused == 1 and "state.db" in why
    return ok, f"{failed} calls failed, alive {alive}, said {said}, failure told {bool(told)}, recovery {bool(recovered)}, {other}; start: exit {refused}, {why}"
