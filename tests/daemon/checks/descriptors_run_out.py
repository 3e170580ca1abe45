"""No further file descriptor can be had: that is a fault of the daemon, which is notified; no status changes by it, and what
happens meanwhile is notified afterwards."""
import resource
from lib import *
LIMIT = 50


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir)
    names = [f"i{n}" for n in range(6)]
    daemon.write(receiver("h", hook), *[integration(name, s3, extra="flap_flips = 0") for name in names])
    daemon.start()
    daemon.is_well()
    pid = daemon.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # New connections and files are refused; what is open stays open.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    said = until(lambda: "daemon fault (descriptors)" in daemon.text(), 36, 0.2)
    wrong = [e["type"] for e in hook.json() if e["type"].startswith("integration.validation")]
    alive = daemon.alive()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    s3.missing = {"i1"}
    told = until(lambda: any(e["type"] == "integration.validation.failed" for e in hook.about("i1")), 8)
    others = [e["type"] for name in names if name != "i1" for e in hook.about(name) if "failed" in e["type"]]
    degraded = until(lambda: "daemon.degraded" in hook.types(), 5)
    ok = alive and said and told and degraded and not wrong and not others and not in_order(hook.taken())
    return bool(ok), f"alive {alive}, said {bool(said)}, during it {wrong}, the failure told afterwards {bool(told)}, of others {others}; {count(hook.types())}"
