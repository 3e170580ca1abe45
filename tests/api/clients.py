"""Readers of the interface among ends of the daemon: a client that is made from the document, EventSource and curl, a screen that follows published
results, a reader that is stopped, and positions that are gone. Each function returns what is wrong, or nothing."""
import concurrent.futures, functools, json, os, random, shutil, signal, socket, subprocess, sys, threading, time, urllib.error, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "daemon"))
import lib

NODE = os.path.abspath(os.path.join(os.environ.get("REVALIDATED_NODE", os.path.join(HERE, "..", "..", "target", "node")), "api"))
NAMES = [f"lake-{number}" for number in range(40)]
KILLS = 20
SOON = 1.0


def install():
    """Gets the packages, unless these versions are there already."""
    wanted, there = os.path.join(HERE, "package.json"), os.path.join(NODE, "installed.json")
    os.makedirs(NODE, exist_ok=True)
    if os.path.exists(there) and open(there).read() == open(wanted).read():
        return
    shutil.copy(wanted, os.path.join(NODE, "package.json"))
    subprocess.run(["npm", "install", "--loglevel=error", "--prefix", NODE, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"], check=True)
    shutil.copy(wanted, there)


def compiled(document):
    """The client, made from the document: its types by openapi-typescript, checked and compiled by TypeScript."""
    tool = lambda name: os.path.join(NODE, "node_modules", ".bin", name)
    subprocess.run([tool("openapi-typescript"), document, "--output", os.path.join(NODE, "document.ts")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.copy(os.path.join(HERE, "client.ts"), NODE)
    options = ["--strict", "--noUncheckedIndexedAccess", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--noEmitOnError"]
    subprocess.run([tool("tsc"), *options, "client.ts"], check=True, cwd=NODE)
    return os.path.join(NODE, "client.js")


class Lines:
    """Lines that a process prints, as they come, with their times."""
    def __init__(self, *words, env=None):
        self.got = []
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.got.append((time.time(), line.rstrip("\n")))

    def texts(self):
        return [line for _, line in list(self.got)]

    def end(self):
        self.process.kill()
        self.process.wait()


@functools.cache
def token(binary):
    """A token, whose hash the environment of daemons holds."""
    printed = [word.strip('",') for word in subprocess.run([binary, "token", "tests"], capture_output=True, text=True, check=True).stdout.split()]
    os.environ["TOKENHASH"] = next(word for word in printed if word.startswith("sha256:"))
    return next(word for word in printed if word.startswith("rvt_"))


class World:
    """A daemon with forty integrations that are validated every second, at an address with a token and at a socket."""
    def __init__(self, binary, folder, clock=None, names=NAMES, head=""):
        self.token = token(binary)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self.base, self.socket = f"http://127.0.0.1:{port}", os.path.join(folder, "api.sock")
        self.s3, self.clock = lib.S3(clock=clock), clock
        self.daemon = lib.Daemon(binary, folder, clock=clock)
        http = f'[http]\nlisten = ["127.0.0.1:{port}", "unix:{self.socket}"]\nbehind_proxy = true\n[[http.token]]\nname = "tests"\nscope = "act"\nhash = {{ env = "TOKENHASH" }}\n'
        self.daemon.write(http, head, *[lib.integration(name, self.s3, extra="flap_flips = 0") for name in names])
        self.daemon.start()
        self.daemon.is_well(60)
        self.env = {**os.environ, "TOKEN": self.token, "REVALIDATED_NODE": NODE}

    def get(self, path, headers=None):
        """Status and JSON of an answer."""
        request = urllib.request.Request(self.base + path, headers={"authorization": f"Bearer {self.token}", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def events(self):
        """Every event that is stored, by its number."""
        found, after = {}, "0"
        while after:
            status, page = self.get(f"/api/v1/events?limit=1000&after={after}")
            if status == 410:
                after = page["oldest"]
                continue
            found.update((one["number"], one) for one in page["items"])
            after = page["next"]
        return found

    def curl(self, path, *more):
        return Lines("curl", "-sN", "-H", f"Authorization: Bearer {self.token}", *more, self.base + path)

    def flip(self, name, kind):
        """Has an integration fail or recover; the event of it and the number."""
        (self.s3.missing.add if kind == "failed" else self.s3.missing.discard)(name)
        before = self.latest
        def found():
            new = [one for number, one in self.events().items() if before < number]
            return next((one for one in new if one["integration"] == name and one["type"].endswith(kind)), None)
        return lib.need(found, f"{name} {kind}", 15)

    @property
    def latest(self):
        return max(self.events(), default=0)


def missed(world, client):
    """Twenty kills: the client that is made from the document has every number once, in order."""
    reader, rng, stop = Lines("node", client, world.base, env=world.env), random.Random(7), threading.Event()

    def change():
        while not stop.wait(0.3):
            world.s3.missing = {name for name in NAMES if rng.random() < 0.3}
    threading.Thread(target=change, daemon=True).start()
    for _ in range(KILLS):
        time.sleep(0.2 + rng.random() * 0.9)
        world.daemon.stop(signal.SIGKILL)
        world.daemon.start()
    stop.set()
    world.s3.missing = set()
    world.daemon.is_well(30)
    wanted = [f"{number} {one['type']}" for number, one in sorted(world.events().items())]
    lib.until(lambda: len(wanted) <= len(reader.got), 20)
    reader.end()
    got = reader.texts()
    print(f"client: {len(got)} events over {KILLS} kills")
    wrong = [] if got == wanted else [f"client: {len(wanted)} events are stored, it took {len(got)}: {[pair for pair in zip(wanted, got) if pair[0] != pair[1]][:3]}"]
    return wrong + ([] if 100 <= len(wanted) else [f"client: only {len(wanted)} events"])


def late(world):
    """EventSource and curl have a flip within a second of its commit; so they have beside readers that are stopped."""
    browser, plain = Lines("node", os.path.join(HERE, "watch.mjs"), world.base, env=world.env), world.curl("/api/v1/events/stream")
    stopped = [Lines("curl", "-sN", "--unix-socket", world.socket, "http://localhost/api/v1/events/stream?after=0&for=10m") for _ in range(3)]
    lib.need(lambda: "open" in browser.texts() and plain.got and all(one.got for one in stopped), "all streams are open")
    wrong, times = [], {"EventSource": [], "curl": []}

    def see(names, beside):
        for name in names:
            for kind in ("failed", "recovered"):
                event = world.flip(name, kind)
                number, committed = event["number"], lib.instant(event["createdAt"])
                sources = {"EventSource": (browser, f"{number} "), "curl": (plain, f"id: {event_epoch(world)}.{number}")}
                for who, (lines, begin) in sources.items():
                    at = lib.until(lambda: next((at for at, line in list(lines.got) if line.startswith(begin)), None), 5)
                    times[who].append(at - committed if at else 99)
                    if not at or SOON < at - committed:
                        wrong.append(f"{who}, {beside}: event {number} came {'never' if not at else f'{at - committed:.2f} s after its commit'}")
    see(NAMES[:2], "alone")
    # They stop in the middle of what they are sent, so that what is on its way has no end.
    for one in stopped:
        one.process.send_signal(signal.SIGSTOP)
    see(NAMES[2:4], "beside stopped readers")
    print(", ".join(f"{who}: a flip is there {max(seen):.2f} s after its commit at most" for who, seen in times.items()))
    for one in (browser, plain, *stopped):
        one.end()
    return wrong


def followed(world):
    """Published results follow a running daemon: a screen that EventSource wakes sees each fault by its own test and message, and the repair."""
    name, s3 = NAMES[5], world.s3
    screen = Lines("node", os.path.join(HERE, "follow.mjs"), world.base, name, env=world.env)
    lib.need(lambda: "open" in screen.texts(), "the stream of changes is open")
    catalog = [test["name"] for test in world.get("/api/v1/catalog/Native%20S3")[1]["tests"]]
    wrong = []

    def shown(status, fails, since):
        """Waits for a line with this status in which this test fails, or all pass; the message of the test, and the time that it took."""
        def fits():
            for at, line in list(screen.got):
                seen = json.loads(line) if line.startswith("{") and since < at else None
                if not seen or seen["status"] != status:
                    continue
                results = seen["validationResults"]
                failed = [test for test in results["validationTests"] if test["status"] == "failed"]
                if results["status"] == ("failed" if fails else "passed") and [test["name"] for test in failed] == ([fails] if fails else []):
                    return at - since, seen
        found = lib.until(fits, 20)
        if not found:
            wrong.append(f"results: {status} with {fails or 'no'} failure is not seen: {screen.texts()[-1:]}")
            return None
        took, seen = found
        tests = seen["validationResults"]["validationTests"]
        order = [test["name"] for test in tests if test["name"] in catalog]
        if order != sorted(order, key=catalog.index) or not order:
            wrong.append(f"results: {order} is not the order of the catalog")
        status, whole = world.get(f"/integrations/{seen['id']}", {"authorization": world.token})
        if status != 200 or [test["name"] for test in whole["validationResults"]["validationTests"]] != [test["name"] for test in tests]:
            wrong.append(f"results: the integration has other tests than its status: {whole}")
        print(f"results: {fails or 'all tests pass'} is on the screen after {took:.1f} s")
        return next((test["message"] for test in tests if test["name"] == fails), "")
    exists, location = (next(test for test in catalog if word in test) for word in ("path exists", "location is registered"))
    scope = next(scope for scope in s3.scopes if scope.split("/")[0] == f"bkt-{name}")
    steps = [(lambda: s3.missing.add(name), lib.FAILING, exists, "NoSuchBucket"), (lambda: s3.missing.discard(name), lib.WELL, None, ""),
             (lambda: s3.scopes.discard(scope), lib.FAILING, location, ""), (lambda: s3.scopes.add(scope), lib.WELL, None, "")]
    for act, status, fails, word in steps:
        since = time.time()
        act()
        message = shown(status, fails, since)
        if message is not None and (word not in message or bool(message) != bool(fails)):
            wrong.append(f"results: {fails} says {message!r}")
    screen.end()
    return wrong


def event_epoch(world):
    return world.get("/api/v1/version")[1]["epoch"]


def held(world):
    """Readers that take nothing are closed, so that their places are free again; all the streams that may be are such ones."""
    readers = []
    for _ in range(64):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(world.socket)
        peer.settimeout(10)
        peer.sendall(b"GET /api/v1/events/stream?after=0 HTTP/1.1\r\nhost: localhost\r\n\r\n")
        if not peer.recv(15).startswith(b"HTTP/1.1 200"):
            return ["stopped: 64 streams cannot be open"]
        readers.append(peer)
    full = lib.until(lambda: stream_status(world) == 503, 5, 0.2)
    freed = lib.until(lambda: stream_status(world) == 200, 25, 0.5)
    for peer in readers:
        peer.close()
    return ([] if full else ["stopped: more than 64 streams can be open"]) + ([] if freed else ["stopped: readers that take nothing keep their places"])


def stream_status(world):
    request = urllib.request.Request(world.base + "/api/v1/events/stream?for=0s", headers={"authorization": f"Bearer {world.token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def kept(binary, folder):
    """Positions of another database, and those whose events are deleted, are gone: each answer says from where to go on."""
    clock = lib.Clock(folder)
    world = World(binary, folder, clock=clock, names=NAMES[:2], head='[retention]\nat = "* * * * * *"\nhistory = "1d"\ndeliveries = "1d"\n')
    world.flip(NAMES[0], "failed")
    cursor = world.get("/api/v1/integrations?limit=1")[1]["next"]
    wrong = []
    def gone(path, code, headers=None):
        status, body = world.get(path, headers)
        is_right = status == 410 and body.get("code") == code and (code == "cursor-gone" or {"oldest", "latest"} <= body.keys())
        if not is_right:
            wrong.append(f"gone: {path} {headers or ''}: {status} {body}")
    epoch, first = event_epoch(world), min(world.events().values(), key=lambda one: one["number"])
    for _ in range(3):                          # it has run on steadily, and each event is more than a day old
        clock.pass_time(lib.DAY)
        time.sleep(1.5)
    world.flip(NAMES[0], "recovered")
    lib.need(lambda: first["number"] not in world.events() if world.get("/api/v1/events?after=0")[0] == 200 else True, "old events are deleted", 20)
    for position in ("0", f"{epoch}.0", first["id"]):
        gone(f"/api/v1/events?after={position}", "events-gone")
        gone(f"/api/v1/events/stream?after={position}", "events-gone")
    world.daemon.stop()
    for file in os.listdir(world.daemon.dir):
        if file.startswith("state.db"):
            os.unlink(os.path.join(world.daemon.dir, file))
    world.daemon.start()
    gone(f"/api/v1/events?after={epoch}.1", "events-gone")
    gone("/api/v1/events/stream", "events-gone", {"last-event-id": f"{epoch}.1"})
    gone(f"/api/v1/integrations?limit=1&after={cursor}", "cursor-gone")
    world.daemon.stop()
    return wrong


def judged(binary, document, folder):
    """True when nothing is wrong."""
    token(binary)
    with concurrent.futures.ThreadPoolExecutor(1) as side:
        os.makedirs(os.path.join(folder, "gone"), exist_ok=True)
        other = side.submit(kept, binary, os.path.join(folder, "gone"))
        client = compiled(document)
        world = World(binary, folder)
        steps = [lambda: missed(world, client), lambda: late(world), lambda: followed(world), lambda: held(world), other.result]
        wrong = []
        for step in steps:
            begun = time.time()
            found = step()
            print(*(f"FAIL {line}" for line in found), f"{time.time() - begun:.0f} s", sep="\n", flush=True)
            wrong += found
        world.daemon.stop()
    return not wrong
