"""A backup with a pending message is restored: refused while the daemon runs; then the message comes again under its old id, and what is new has a new epoch."""
from lib import *
LIMIT = 60


def check(binary, workdir):
    s3, hook = S3(), Hook(code=503)
    daemon, kept = Daemon(binary, workdir), os.path.join(workdir, "kept.db")
    daemon.write(receiver("h", hook, extra='retry = ["1s", "1s", "1s", "1s", "1s", "1s", "1s", "1s"]'), integration("lake", s3))
    daemon.start()
    daemon.is_well()
    s3.missing = {"lake"}
    daemon.becomes("lake", FAILING)
    pending = len(daemon.deliveries("--state", "pending"))
    made = daemon.cli("backup", kept, "--verify")
    hook.code = 204
    need(lambda: not daemon.deliveries("--state", "pending"), "all is delivered", 20, 0.2)
    first = {h["webhook-id"]: json.loads(b) for _, h, b, code in list(hook.got) if code < 300}
    running = daemon.cli("restore", kept, "--yes")[0]
    daemon.stop()
    asked = daemon.cli("restore", kept)
    code, text, said = daemon.cli("restore", kept, "--yes", "--author", "anna")
    mark = len(hook.got)
    s3.missing = set()
    daemon.start()
    need(lambda: "integration.validation.recovered" in [json.loads(b)["type"] for _, _, b, _ in list(hook.got)[mark:]], "the recovery", 20, 0.2)
    later = [(h["webhook-id"], json.loads(b)) for _, h, b, _ in list(hook.got)[mark:]]
    again = {name for name, _ in later if name in first}
    epochs = {e["data"]["epoch"] for _, e in later if e["type"] == "integration.validation.recovered"}
    old = {e["data"]["epoch"] for e in first.values() if "epoch" in e.get("data", {})}
    aside = [name for name in os.listdir(daemon.dir) if name.startswith("state.db.before-restore-")]
    trail = [one["command"] for one in daemon.ask("audit")]
    good = (made[0], running, asked[0], code) == (0, 75, 2, 0) and pending > 0 and len(again) >= pending and not epochs & old and aside and "restore" in trail
    return good, f"codes {made[0]} {running} {asked[0]} {code}, {pending} pending, {len(again)} again, new epoch {not epochs & old}, {aside}, {trail}, {said[:200]} {text[:100]}"
