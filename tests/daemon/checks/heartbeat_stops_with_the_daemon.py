"""The heartbeat comes each second, stops with a daemon that is stopped, resumes without a burst, follows a reload, names a fault at
`/fail`, and its URL, which holds a token, is shown nowhere."""
from lib import *
LIMIT = 90
TOKEN = "s3cr3t-t0ken-of-the-heartbeat"


class Service:
    """A service that waits for heartbeats: Healthchecks and its kind."""
    def __init__(self):
        service = self
        self.requests = []

        class Asked(Handler):
            def do_GET(self):
                service.requests.append((time.time(), self.command, self.path, self.body().decode()))
                self.reply(200, b"OK")
            do_POST = do_GET
        self.port = serve(Asked)

    def beats(self, since=0.0):
        return [one for one in self.requests if one[0] >= since and one[1] == "GET"]

    def table(self, path=f"/ping/{TOKEN}"):
        url = f"http://127.0.0.1:{self.port}{path}" if path else ""
        return f'[heartbeat]\nurl = "{url}"\nevery = "1s"\nallow = ["127.0.0.1"]\n'


def check(binary, workdir):
    s3, service = S3(), Service()
    daemon = Daemon(binary, workdir)
    lake = integration("lake", s3)
    daemon.write(lake, head=SINGLE + service.table())
    daemon.start()
    need(lambda: len(service.beats()) >= 3, "three heartbeats", 10)
    said = lambda *words: "".join(daemon.cli(*words)[1:])
    shown = said("status") + said("status", "--json") + said("check")
    named = "latest heartbeat was delivered" in shown

    daemon.process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    stopped_at = time.time()
    time.sleep(4)
    during = len(service.beats(stopped_at))
    daemon.process.send_signal(signal.SIGCONT)
    resumed_at = time.time()
    resumed = until(lambda: service.beats(resumed_at), 3)
    time.sleep(2)
    burst = len(service.beats(resumed_at))

    daemon.write(lake, head=SINGLE + service.table(""))
    daemon.hup()
    time.sleep(1.2)
    off_at = time.time()
    time.sleep(3)
    off = len(service.beats(off_at))
    daemon.write(lake, head=SINGLE + service.table() + "[own_faults]\ndisk_free_mib = 1048576\n")
    daemon.hup()
    on = until(lambda: service.beats(off_at), 5)
    fails = lambda: [(path, body) for _, method, path, body in service.requests if method == "POST"]
    failed = until(fails, 40)
    right = set(fails()) == {(f"/ping/{TOKEN}/fail", "daemon.degraded: disk\n")}

    shown += daemon.text() + said("status", "--json") + said("doctor")
    daemon.stop()
    stopped_at = time.time()
    time.sleep(2.5)
    after = len(service.beats(stopped_at))
    ok = named and during == 0 and resumed and burst <= 4 and off == 0 and on and failed and right and after == 0 and TOKEN not in shown
    return bool(ok), (f"named {named}, while stopped {during}, resumed {bool(resumed)} with {burst}, off {off}, on again {bool(on)}, "
                      f"failed {bool(failed)} {right}, after the end {after}, token shown {TOKEN in shown}")
