"""The process is stopped (SIGSTOP, a frozen machine) for 12 s, three times, while an integration flips: nothing is lost or
doubled, and no failure is made of the gap."""
from lib import *
LIMIT = 50


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir)
    daemon.write(receiver("h", hook), integration("lake", s3, extra="flap_flips = 0"), integration("pond", s3, extra="flap_flips = 0"))
    daemon.start()
    daemon.is_well()
    for gone in ({"lake"}, set(), {"lake"}):
        os.kill(daemon.process.pid, signal.SIGSTOP)
        time.sleep(6)
        s3.missing = gone
        time.sleep(2)
        os.kill(daemon.process.pid, signal.SIGCONT)
        daemon.becomes("lake", FAILING if gone else WELL, 10)
    until(lambda: not daemon.deliveries("--state", "pending"), 8, 0.3)
    of = lambda name: [e["type"].rsplit(".", 1)[1] for e in hook.taken() if (e["data"].get("integration") or {}).get("name") == name and "validation" in e["type"]]
    ids = [headers["webhook-id"] for _, headers, _, code in hook.got if code < 300]
    doubled, code = len(ids) - len(set(ids)), daemon.stop()
    ok = of("lake") == ["failed", "recovered", "failed"] and not of("pond") and not in_order(hook.taken()) and doubled <= 1 and code == 0
    return ok, f"lake {of('lake')}, pond {of('pond')}, doubled {doubled}, exit {code}"
