"""Measurements that the benches have in common: the platform beside the daemon, processor time, memory, the disk, and a sink of messages."""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from scene import give_up

ROOT = Path(__file__).resolve().parent.parent
NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_max_body_size 1m; client_body_buffer_size 64k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location = /seen {{ stub_status; }} location / {{ return 204; }} }}
}}
"""


class Platform(NamedTuple):
    url: str


@contextmanager
def platform(binary, delay_ms):
    """A platform in a process of its own, for as long as it is needed."""
    with subprocess.Popen([binary, str(delay_ms)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Platform(process.stdout.readline().strip())
        finally:
            process.terminate()


def free_port():
    """Returns a port of the loopback where nothing listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def setting(name, default):
    """Returns a number that the environment may change."""
    return int(os.environ.get(name, default))


def megabytes(pid, field):
    """Returns a figure of a process's memory in megabytes, such as its peak, `VmHWM`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status).group(1)) / 1024


def seconds(pid):
    """Returns the processor time that a process used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def file_system(folder):
    """Returns the type of the file system of a folder."""
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    holding = [(point, kind) for point, kind in mounts if Path(folder).resolve().is_relative_to(point)]
    # Of several at one point the last one counts.
    return max(enumerate(holding), key=lambda found: (len(found[1][0]), found[0]))[1][1]


class Sink:
    """nginx, which answers every POST with 204 and counts requests."""

    def __init__(self, folder):
        self.port = free_port()
        conf = folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=folder, port=self.port))
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            give_up("nginx is not installed; Debian has it in nginx-light")
        self.process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(conf)], stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                self.seen()
                return
            except OSError:
                time.sleep(0.05)
        give_up("nginx does not start")

    def seen(self):
        """Returns the number of requests that it answered, this one among them."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen") as answer:
            return int(answer.read().split(b"\n")[2].split()[2])

    def end(self):
        self.process.terminate()
        self.process.wait(10)
