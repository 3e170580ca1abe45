#!/usr/bin/env python3
"""run.py BINARY [PART]: the pages of a daemon with forty integrations, judged by axe-core and html-validate, and driven, printed and walked by keys in
a headless Chromium. REVALIDATED_NODE names the folder with the packages of package.json (`install` gets them), CHROMIUM the browser. Exit 0
only when all holds. PART is one of `html`, `judge`, `print`, `keyboard`, `live` and `outage`; or `open`, which leaves a page open for MINUTES (five) with a
flip a second, or `pictures`, which renews docs/overview.png and docs/detail.png from the demo."""
import contextlib, json, os, shutil, signal, subprocess, sys, tempfile, time, urllib.error, urllib.parse, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.abspath(os.path.join(os.environ.get("REVALIDATED_NODE", os.path.join(HERE, "..", "..", "target", "node")), "page"))
SCRIPT = "/i/%3Cscript%3Ealert(1)%3C%2Fscript%3E"
PAGES = ["/", "/?show=failing&sort=since", "/?q=lake&type=Native+S3&theme=dark", "/i/lake-orders", "/i/sales-users?tz=Europe%2FBerlin", "/i/ops-stage", SCRIPT,
         "/runs", "/runs?integration=lake-orders&result=failed", "/events", "/deliveries", "/receivers", "/receivers/ticketing",
         "/silences", "/silences?names=lake-*", "/silences?ended=true", "/events?after=3", "/deliveries?receiver=ticketing&state=pending", "/expiry",
         "/i/missing", "/report", "/report?label=team%3Dlakex&label=team%3D*&type=Native+S3&zone=Europe%2FBerlin"]


# Judged as HTML alone: long titles, fields with several values, and addresses that lead nowhere.
MORE = ["/i/" + urllib.parse.quote("漢字" * 30), "/i/%22quoted%22%20%26%20%27named%27", "/?closed=Native+S3&closed=Trino&status=enabled&status=disabled&label=team%3Dlakex&label=team%3D*",
        "/runs?result=failed&class=missing&tz=UTC&theme=light", "/silences?names=lake-*&type=Native+S3&label=team%3Dlakex", "/report?type=Native+S3&type=Trino&theme=dark&tz=UTC",
        "/?q=none+of+these", "/?typ=x", "/outages/none", "/receivers/none", "/deliveries?after=x"]


def install():
    """Gets the packages, unless these versions are there already."""
    wanted, there = os.path.join(HERE, "package.json"), os.path.join(NODE, "installed.json")
    os.makedirs(NODE, exist_ok=True)
    if os.path.exists(there) and open(there).read() == open(wanted).read():
        return
    shutil.copy(wanted, os.path.join(NODE, "package.json"))
    subprocess.run(["npm", "install", "--loglevel=error", "--prefix", NODE, "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"], check=True)
    shutil.copy(wanted, there)


def ask(fleet, line):
    fleet.stdin.write(line + "\n")
    fleet.stdin.flush()
    return fleet.stdout.readline()


def pages(base):
    """The pages, with that of a run, whose number is known by now."""
    with urllib.request.urlopen(base + "/fragment/strip/lake-orders") as answer:
        strip = json.load(answer)
    return [*PAGES, f"{strip['base']}{strip['runs'][-1][0]}"]


def validated(base, token):
    """True when html-validate finds nothing in any page."""
    folder = tempfile.mkdtemp(prefix="html-")
    for number, path in enumerate([*pages(base), *MORE]):
        for kind, headers in (("act", {"authorization": f"Bearer {token}"}), ("read", {})):
            try:
                answer = urllib.request.urlopen(urllib.request.Request(base + path, headers=headers))
            except urllib.error.HTTPError as error:     # it has a page too
                answer = error
            with answer:
                open(os.path.join(folder, f"{number}-{kind}.html"), "wb").write(answer.read())
    config = os.path.join(HERE, "htmlvalidate.json")
    done = subprocess.run([os.path.join(NODE, "node_modules", ".bin", "html-validate"), "--config", config, folder + "/*.html"])
    shutil.rmtree(folder)
    return done.returncode == 0


def driven(fleet, environment):
    """Runs live.mjs and passes on what it asks of the daemon."""
    live = subprocess.Popen(["node", os.path.join(HERE, "live.mjs")], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in live.stdout:
        if line.startswith("> "):
            ask(fleet, line[2:].rstrip("\n"))
            live.stdin.write("done\n")
            live.stdin.flush()
        else:
            print(line, end="", flush=True)
    return live.wait() == 0


def script(name, *words, environment):
    return subprocess.run(["node", os.path.join(HERE, name), *words], env=environment).returncode == 0


@contextlib.contextmanager
def fleet(binary, **more):
    """A running fleet, with its address and the environment of scripts."""
    process = subprocess.Popen([sys.executable, os.path.join(HERE, "fleet.py"), binary], env={**os.environ, **more}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _, base, token = process.stdout.readline().split()
        yield process, base, {**os.environ, "REVALIDATED_NODE": NODE, "BASE": base, "TOKEN": token}
    finally:
        process.stdin.close()
        process.wait(30)


def pictures(binary):
    """Pictures of the demo, once its story is over and the strips are full."""
    demo = subprocess.Popen([binary, "demo"], stdout=subprocess.PIPE, text=True)
    try:
        base = next(line.split()[-1].rstrip("/") for line in demo.stdout if "Look at the page: " in line)
        next(line for line in demo.stdout if "the daemon runs on" in line)
        time.sleep(int(os.environ.get("SECONDS", "180")))
        return script("pictures.mjs", base, os.path.join(HERE, "..", "..", "docs"), environment={**os.environ, "REVALIDATED_NODE": NODE})
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)


def left_open(binary):
    """A page that is left open with a flip a second does not grow."""
    with fleet(binary, FLIPS="1") as (_, base, environment):
        return script("open.mjs", base, environment=environment)


def outage(binary):
    """The pages of an outage, which needs a fleet that has one."""
    with fleet(binary, OUTAGE="1") as (_, base, environment):
        with urllib.request.urlopen(base + "/api/v1/outages") as answer:
            ids = [one["id"] for one in json.load(answer)["items"]]
        return bool(ids) and script("judge.mjs", base, "/", f"/outages/{ids[0]}", environment=environment)


def main(words):
    install()
    if words == ["install"]:
        return 0
    binary, part = os.path.abspath(words[0]), words[1] if len(words) > 1 else None
    apart = {"pictures": pictures, "open": left_open, "outage": outage}
    if part in apart:
        return 0 if apart[part](binary) else 1
    with fleet(binary) as (process, base, environment):
        parts = {
            "html": lambda: validated(base, environment["TOKEN"]),
            "judge": lambda: script("judge.mjs", base, *pages(base), environment={**environment, "TOKEN": ""}) and script("judge.mjs", base, *PAGES[3:6], "/silences?names=lake-*", "/deliveries", environment=environment),
            "print": lambda: script("print.mjs", base, environment=environment),
            "live": lambda: driven(process, environment),
            "keyboard": lambda: script("keyboard.mjs", base, *PAGES, environment=environment),
        }
        results = [run() for name, run in parts.items() if part in (None, name)]
    if not part:
        results.append(outage(binary))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
