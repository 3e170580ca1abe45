"""The reader of the log goes away (a pipe that is closed): the daemon goes on, notifies, and ends by SIGTERM with 0."""
from lib import *
LIMIT = 30


def check(binary, workdir):
    s3, hook = S3(), Hook()
    daemon = Daemon(binary, workdir)
    daemon.write(receiver("h", hook), integration("lake", s3))
    reader, writer = os.pipe()
    command = [binary, "run", "-v", "--config", daemon.config, "--log-format", "json"]
    daemon.process = subprocess.Popen(command, env=daemon.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer)
    with open(daemon.pids, "a") as file:
        file.write(f"{daemon.process.pid}\n")
    os.close(writer)
    daemon.is_well()
    os.close(reader)
    s3.missing = {"lake"}
    failed = until(lambda: "integration.validation.failed" in hook.types(), 8)
    s3.missing = set()
    recovered = until(lambda: "integration.validation.recovered" in hook.types(), 8)
    code = daemon.stop()
    return bool(failed and recovered) and code == 0, f"failure told {bool(failed)}, recovery {bool(recovered)}, exit {code}"
