"""Calls to the system that fail on demand: a library for LD_PRELOAD (`faults.c`) and the file that steers it."""
import errno
import mmap
import struct
import subprocess
from pathlib import Path

# The calls in the order of `faults.c`, each with errors that the system answers it with.
CALLS = {
    "pwrite": "EIO ENOSPC EDQUOT", "pread": "EIO", "fsync": "EIO ENOSPC EDQUOT", "ftruncate": "EIO EINTR ENOSPC",
    "open": "EIO EMFILE ENFILE ENOMEM ENOSPC EACCES EINTR", "unlink": "EIO EROFS", "rename": "EIO ENOSPC EROFS", "fcntl": "EAGAIN ENOLCK EIO",
    "flock": "EIO ENOLCK EINTR", "read": "EIO EINTR", "write": "EIO ENOSPC EINTR EPIPE EAGAIN", "writev": "ECONNRESET EPIPE ENOBUFS EINTR",
    "stat": "EIO ENOMEM EACCES", "readdir": "EIO ENOENT", "socket": "EMFILE ENFILE ENOBUFS ENOMEM EACCES",
    "connect": "ENETUNREACH ECONNREFUSED ETIMEDOUT EADDRNOTAVAIL EINTR", "getsockopt": "ENOBUFS", "setsockopt": "ENOMEM EINVAL",
    "recv": "ECONNRESET EIO EINTR ENOMEM", "send": "ECONNRESET EPIPE ENOBUFS EINTR", "accept": "EMFILE ECONNABORTED ENOMEM EINTR",
    "epoll_ctl": "ENOMEM ENOSPC", "mmap": "ENOMEM EAGAIN", "pthread_create": "EAGAIN", "getrandom": "EINTR",
    "bind": "EADDRINUSE ENOMEM", "listen": "EADDRINUSE", "fchmod": "EIO EROFS",
}


def compiled(folder):
    """Compiles the library into a folder; raises an error where there is no compiler."""
    library = Path(folder) / "faults.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("faults.c")], check=True)
    return library


class Faults:
    """The file that `faults.c` reads: a switch, and five numbers for each call. `before` is the command that a program runs
    under."""

    def __init__(self, folder, library):
        self.path, self.size = Path(folder) / "faults", 4 + 20 * len(CALLS)
        self.path.write_bytes(bytes(self.size))
        # A backtrace needs memory too.
        self.before = ["env", f"LD_PRELOAD={library}", f"FAULTS_FILE={self.path}", "RUST_BACKTRACE=1"]
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), self.size)

    def set(self, faults):
        """Lets calls fail from now on: each a call, its error, the first call that fails and the distance of further ones."""
        self.memory[:] = bytes(self.size)
        for call, error, first, step in faults:
            place = 4 + 20 * list(CALLS).index(call)
            self.memory[place : place + 12] = struct.pack("iii", getattr(errno, error), first, step)
        self.memory[:4] = struct.pack("i", 1)

    def end(self):
        """Lets no further call fail; returns the calls that failed, with their number."""
        self.memory[:4] = bytes(4)
        numbers = struct.unpack(f"{5 * len(CALLS)}i", self.memory[4:])
        return {call: numbers[5 * place + 4] for place, call in enumerate(CALLS) if numbers[5 * place + 4]}
