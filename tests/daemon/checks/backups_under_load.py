"""Backups while four integrations flip, with kill -9 and SIGSTOP in between: each finished file is sound and of one instant, none has its name before, and the daemon goes on."""
import glob, random
from lib import *
LIMIT = 60


def sound(path):
    base = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return [row[0] for row in base.execute("pragma integrity_check")] == ["ok"] and not base.execute("pragma foreign_key_check").fetchall()
    finally:
        base.close()


def check(binary, workdir):
    s3, hook, rng = S3(), Hook(), random.Random(17)
    daemon, names, folder = Daemon(binary, workdir), [f"i{n}" for n in range(4)], os.path.join(workdir, "backups")
    os.mkdir(folder)
    daemon.write(receiver("h", hook), *[integration(name, s3, extra="flap_flips = 0") for name in names])
    daemon.start()
    daemon.is_well()
    daemon.stop()
    base = sqlite3.connect(daemon.db)                        # a database that takes a while to copy
    base.execute("create table filler (id integer primary key, content blob)")
    base.executemany("insert into filler (content) values (?)", [(rng.randbytes(100_000),) for _ in range(300)])
    base.commit()
    base.close()
    daemon.start()
    stop = threading.Event()

    def flip():
        while not stop.wait(0.3):
            s3.missing = {name for name in names if rng.random() < 0.5}
    threading.Thread(target=flip, daemon=True).start()
    killed = finished = 0
    early = []
    for turn in range(24):
        before = set(os.listdir(folder))
        process = subprocess.Popen([binary, "backup", folder, "--keep", "100", "--config", daemon.config], env=daemon.environment(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if turn % 3 == 2:                                    # the daemon stands still for a moment
            daemon.process.send_signal(signal.SIGSTOP)
            time.sleep(0.2)
            daemon.process.send_signal(signal.SIGCONT)
        if turn % 3 == 0:
            time.sleep(rng.random() * 0.4)
            process.kill()
        elif turn % 3 == 1:
            time.sleep(rng.random() * 0.1)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            early += [name for name in set(os.listdir(folder)) - before if name.endswith(".db") and not sound(os.path.join(folder, name))]
            process.send_signal(signal.SIGCONT)
        code = process.wait(20)
        killed += code != 0
        finished += code == 0
        time.sleep(1.01 if code == 0 else 0)                 # names have seconds
    stop.set()
    alive, files = daemon.alive(), sorted(glob.glob(folder + "/state-*.db"))
    broken = [name for name in files if not sound(name)]
    errors = daemon.lines("ERROR")
    daemon.stop()
    code, _, said = daemon.cli("restore", files[-1], "--yes") if files else (1, "", "no backup")
    daemon.start()
    s3.missing = set()
    daemon.is_well()
    found = {"broken": broken, "early": early, "errors": errors[:2]}
    good = alive and not any(found.values()) and finished >= 10 and len(files) >= finished and code == 0
    return good, f"{finished} finished, {killed} killed, {len(files)} files, alive {alive}, restore {code} {said[:200]}, {found}"
