"""A kept connection to a receiver, and one to a platform, goes silent without being closed, as behind a firewall that forgot it:
the attempt ends in time, the next one takes a new connection, and everything arrives in order."""
from lib import *
LIMIT = 45


class Silent:
    """Answers the first two requests of each connection, and then no more, without closing it."""

    def __init__(self, answer):
        self.listener, self.answer, self.got, self.silent = socket.create_server(("127.0.0.1", 0), backlog=128), answer, [], 0
        self.port, self.kept = self.listener.getsockname()[1], []
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            peer = self.listener.accept()[0]
            self.kept.append(peer)
            threading.Thread(target=self.one, args=(peer,), daemon=True).start()

    def one(self, peer):
        stream = peer.makefile("rb")
        for number in range(10**6):
            line, headers = stream.readline(), {}
            if not line:
                return
            while (field := stream.readline().strip()):
                name, _, value = field.decode().partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length") or 0))
            if number >= 2:
                self.silent += 1
                continue
            code, text = self.answer(line.split()[1].decode())
            if body:
                self.got.append((headers, json.loads(body)))
            peer.sendall(f"HTTP/1.1 {code} X\r\ncontent-type: application/xml\r\ncontent-length: {len(text)}\r\n\r\n".encode() + text)


def check(binary, workdir):
    s3, hook = S3(), Silent(lambda path: (200, b""))
    platform = Silent(lambda path: (lambda code, xml: (code, xml.encode()))(*s3.answer(path)))
    daemon = Daemon(binary, workdir)
    text = integration("far", s3, extra="flap_flips = 0").replace(f":{s3.port}", f":{platform.port}") + integration("near", s3, extra="flap_flips = 0")
    limits = '[limits]\ntest = "1s"\nrun = "3s"\n'
    daemon.write(receiver("h", hook, extra='timeout = "1s"\nretry = ["1s", "1s", "1s", "1s"]'), text, head=SINGLE + limits)
    daemon.start()
    daemon.becomes("near", WELL)
    for gone in ({"near"}, set(), {"near"}, set()):
        s3.missing = gone
        daemon.becomes("near", FAILING if gone else WELL)
        time.sleep(1.2)
    until(lambda: not daemon.deliveries("--state", "pending"), 20, 0.3)
    pending = len(daemon.deliveries("--state", "pending"))
    near = [e for _, e in hook.got if (e["data"].get("integration") or {}).get("name") == "near"]
    flips = [e["type"].rsplit(".", 1)[1] for e in near if "validation" in e["type"]]
    ok = hook.silent > 0 and platform.silent > 0 and pending == 0 and flips == ["failed", "recovered"] * 2 and not in_order([e for _, e in hook.got])
    return ok, f"{hook.silent} messages and {platform.silent} requests into silence, pending {pending}, flips of the other {flips}"
