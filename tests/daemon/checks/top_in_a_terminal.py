"""`top` in a pseudo-terminal shows a failure without a key, explains, asks before it acts, follows a new size, and gives the
screen back after q, Ctrl-C and SIGTERM; without a terminal it needs --once."""
import fcntl, pty, select, struct, termios
from lib import *
LIMIT = 40
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Top:
    """The command in a terminal of its own; `seen` is everything that it has written."""

    def __init__(self, daemon, env=None):
        self.parent, child = pty.openpty()
        self.size(80, 24)
        self.seen = b""
        self.before = termios.tcgetattr(child)
        self.process = subprocess.Popen([daemon.binary, "top", "--config", daemon.config], stdin=child, stdout=child, stderr=child,
                                        env={**daemon.environment(), "TERM": "xterm-256color", **(env or {})}, start_new_session=True)
        self.child = child
        with open(daemon.pids, "a") as file:
            file.write(f"{self.process.pid}\n")

    def size(self, columns, lines):
        fcntl.ioctl(self.parent, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while select.select([self.parent], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.parent, 65536)
            except OSError:
                return self.seen
        return self.seen

    def shows(self, text, seconds=8, after=0):
        # Blank cells are passed over, so that only a single word is found as it is.
        return bool(until(lambda: text.encode() in self.read()[after:], seconds))

    def press(self, keys):
        mark = len(self.read())
        os.write(self.parent, keys)
        return mark

    def is_restored(self):
        """True when it has ended, left the other screen, and the terminal is as it was."""
        if not until(lambda: self.read() is not None and self.process.poll() is not None, 5):
            self.process.kill()
            return False
        self.read()
        return self.process.returncode == 0 and ENTER in self.seen and LEAVE in self.seen[self.seen.rindex(ENTER):] \
            and termios.tcgetattr(self.child) == self.before


def check(binary, workdir):
    s3 = S3()
    daemon = Daemon(binary, workdir)
    daemon.write(integration("lake", s3))
    daemon.start()
    daemon.is_well()
    found = {}
    top = Top(daemon)
    found["list"] = top.shows("Integrations") and top.shows("lake")
    s3.missing = {"lake"}
    found["failure"] = top.shows("Failing", 15)
    mark = top.press(b"\r")
    found["explain"] = top.shows("Rule:", after=mark)
    top.press(b"q")
    mark = top.press(b"a")
    found["question"] = top.shows("Acknowledge lake", after=mark)
    top.press(b"y")
    found["acknowledged"] = bool(until(lambda: "lake" in daemon.cli("silences")[1], 5))
    mark = len(top.read())
    top.size(120, 30)
    top.process.send_signal(signal.SIGWINCH)
    found["size"] = top.shows("median", after=mark)
    top.press(b"q")
    found["q"] = top.is_restored()
    for name, end in (("Ctrl-C", lambda top: top.press(b"\x03")), ("SIGTERM", lambda top: top.process.send_signal(signal.SIGTERM))):
        top = Top(daemon, {"NO_COLOR": "1"})
        top.shows("lake")
        end(top)
        found[name] = top.is_restored()
    found["no colour"] = b"\x1b[38;5;1m" not in top.seen and b"\x1b[31m" not in top.seen
    code, out, err = daemon.cli("top", "--once")
    found["once"] = code == 0 and "Integrations (1)" in out and "lake" in out and "\x1b" not in out
    code, out, err = daemon.cli("top")
    found["no terminal"] = code == 2 and "--once" in err
    return all(found.values()), f"{found}"
