"""Names: the resolver is gone for a while, then it lies about the receiver's (addresses of metadata
services). No status changes by that, nothing is sent to a wrong address, and all of it arrives in order once names are right."""
from lib import *
LIMIT, NEEDS_MOUNT, NEEDS_NET = 50, True, True


class Names:
    """A name server on 127.0.0.53: `answer` maps names to addresses; None: it says nothing."""

    def __init__(self):
        self.answer, self.asked = {}, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.53", 53))
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self):
        while True:
            query, peer = self.socket.recvfrom(2048)
            self.asked += 1
            if self.answer is None:
                continue
            end, labels = 12, []
            while query[end]:
                labels.append(query[end + 1 : end + 1 + query[end]].decode())
                end += 1 + query[end]
            kind, question = struct.unpack(">H", query[end + 1 : end + 3])[0], query[12 : end + 5]
            address = self.answer.get(".".join(labels).lower())
            found = struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address) if address and kind == 1 else b""
            code = 0x8180 if address else 0x8183
            self.socket.sendto(query[:2] + struct.pack(">HHHHH", code, 1, bool(found), 0, 0) + question + found, peer)


def check(binary, workdir):
    put(workdir + "/resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n")
    put(workdir + "/nsswitch.conf", "hosts: dns\n")
    for name in ("resolv.conf", "nsswitch.conf"):
        if os.path.exists("/etc/" + name):
            subprocess.run(["mount", "--bind", f"{workdir}/{name}", "/etc/" + os.path.basename(os.path.realpath("/etc/" + name))], check=True)
    names = Names()
    right = {"localhost": "127.0.0.1"}                      # plain HTTP is spoken with this name only
    names.answer = dict(right)
    s3, hook, wrong = S3(), Hook(), []
    lies = ("169.254.169.254", "169.254.170.2")             # both can be reached here
    for number, lie in enumerate(lies):
        loopback_up(f"lo:{number}".encode(), lie)
    traps = [socket.create_server((lie, hook.port)) for lie in lies]

    def trapped(trap):
        while True:
            wrong.append(trap.accept()[1])
    for trap in traps:
        threading.Thread(target=trapped, args=(trap,), daemon=True).start()
    daemon = Daemon(binary, workdir)
    text = integration("lake", s3, extra="flap_flips = 0").replace(f"//127.0.0.1:{s3.port}", f"//localhost:{s3.port}")
    hooked = receiver("h", hook, extra='timeout = "2s"\nretry = ' + json.dumps(["1s"] * 40)).replace("//127.0.0.1:", "//localhost:").replace("127.0.0.0/8", "localhost")
    text += integration("near", s3, extra="flap_flips = 0")
    daemon.write(hooked, text, head=SINGLE + '[limits]\ntest = "2s"\nrun = "4s"\n')
    daemon.start()
    daemon.is_well()
    names.answer = None
    time.sleep(6)
    gone = daemon.status().get("lake")
    names.answer = dict(right)
    daemon.becomes("lake", WELL, 10)
    before = [e["type"] for e in hook.about("lake")]
    names.answer = {**right, "localhost": lies[0]}
    unplug(hook.port)                                       # the kept connection goes too
    s3.missing = {"near"}
    daemon.becomes("near", FAILING, 12)
    time.sleep(1.5)
    names.answer = {**right, "localhost": lies[1]}
    time.sleep(2.5)
    pending = len(daemon.deliveries("--state", "pending"))
    plug(hook.port)
    names.answer = dict(right)
    told = until(lambda: any("failed" in e["type"] for e in hook.about("near")), 12)
    ok = gone == WELL and not before and pending > 0 and bool(told) and not wrong and not in_order(hook.taken())
    return ok, f"without names {gone} and told {before}; a lie leaves {pending} pending, {len(wrong)} connections to the wrong address; told once names are right {bool(told)}; {names.asked} questions"
