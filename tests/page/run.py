#!/usr/bin/env python3
"""run.py BINARY [pictures]: the pages of a daemon with forty integrations, judged by axe-core and html-validate and driven in a headless Chromium.
REVALIDATED_NODE names the folder with the packages of package.json (`install` gets them), CHROMIUM the browser. Exit 0 only when all holds.
With `pictures` it renews docs/overview.png and docs/detail.png instead."""
import json, os, shutil, subprocess, sys, tempfile, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
NODE = os.path.abspath(os.path.join(os.environ.get("REVALIDATED_NODE", os.path.join(HERE, "..", "..", "target", "node")), "page"))
SCRIPT = "/i/%3Cscript%3Ealert(1)%3C%2Fscript%3E"
PAGES = ["/", "/?show=failing&sort=since", "/?q=lake&type=Native+S3&theme=dark", "/i/lake-orders", "/i/sales-users?tz=Europe%2FBerlin", "/i/ops-stage", SCRIPT,
         "/runs", "/runs?integration=lake-orders&result=failed", "/events", "/deliveries", "/receivers", "/receivers/ticketing",
         "/silences", "/silences?names=lake-*", "/expiry", "/report", "/report?label=team%3Dlakex&label=team%3D*&type=Native+S3&zone=Europe%2FBerlin"]


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
    for number, path in enumerate(pages(base)):
        for kind, headers in (("act", {"authorization": f"Bearer {token}"}), ("read", {})):
            with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers)) as answer:
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


def main(words):
    install()
    if words == ["install"]:
        return 0
    pictures = words[1:] == ["pictures"]
    if pictures:
        os.environ["PLAIN"] = "1"
    fleet = subprocess.Popen([sys.executable, os.path.join(HERE, "fleet.py"), words[0]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _, base, token = fleet.stdout.readline().split()
        environment = {**os.environ, "REVALIDATED_NODE": NODE, "BASE": base, "TOKEN": token}
        if pictures:
            # Until the strips have runs to show.
            time.sleep(int(os.environ.get("SECONDS", "240")))
            docs = os.path.join(HERE, "..", "..", "docs")
            return subprocess.run(["node", os.path.join(HERE, "pictures.mjs"), base, token, docs], env=environment).returncode
        results = [
            validated(base, token),
            subprocess.run(["node", os.path.join(HERE, "judge.mjs"), base, *pages(base)], env=environment).returncode == 0,
            driven(fleet, environment),
        ]
    finally:
        fleet.stdin.close()
        fleet.wait(30)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
