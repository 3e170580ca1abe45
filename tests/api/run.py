#!/usr/bin/env python3
"""run.py BINARY [SECONDS] [attack|clients]: the interface of a daemon with forty integrations, judged by openapi-spec-validator and attacked by schemathesis with all
of its checks and phases, and read by the clients of clients.py among ends of the daemon; `run.py install` only gets the tools.
REVALIDATED_VENV and REVALIDATED_NODE name the folders in or beside which they are kept. Exit 0 only without a finding.
With `attack` or `clients` only this part."""
import json, os, shutil, subprocess, sys, tempfile, urllib.request

import clients

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.abspath(os.environ.get("REVALIDATED_VENV", os.path.join(HERE, "..", "..", "target", "venv"))) + "-api"
STREAMS = ["/api/v1/events/stream", "/api/v1/changes"]


def install():
    """Gets the packages, unless these versions are there already."""
    clients.install()
    wanted, there = os.path.join(HERE, "requirements.txt"), os.path.join(VENV, "installed.txt")
    if os.path.exists(there) and open(there).read() == open(wanted).read():
        return
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pip = [os.path.join(VENV, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted]
    subprocess.run(pip, check=True)
    shutil.copy(wanted, there)


def attacked(binary, seconds):
    """Results of the document's validator and of the attack."""
    fleet = subprocess.Popen([sys.executable, os.path.join(HERE, "..", "page", "fleet.py"), binary, "--proxy"], env={**os.environ, "OUTAGE": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _, base, token = fleet.stdout.readline().split()
        request = urllib.request.Request(base + "/openapi.json", headers={"authorization": f"Bearer {token}"})
        document = os.path.join(VENV, "openapi.json")
        with urllib.request.urlopen(request) as answer:
            json.dump(json.load(answer), open(document, "w"))
        tool = lambda name: os.path.join(VENV, "bin", name)
        valid = subprocess.run([tool("openapi-spec-validator"), document]).returncode == 0
        attack = [tool("schemathesis"), "--config-file", os.path.join(HERE, "schemathesis.toml"), "run", document, "--url", base]
        attack += ["--header", f"Authorization: Bearer {token}", "--checks", "all", "--max-time", seconds, "--workers", "1"]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": os.path.join(HERE, "hooks.py"), "ATTACKED": base, "TOKEN": token}
        return [valid, subprocess.run(attack, cwd=VENV, env=environment).returncode == 0]
    finally:
        fleet.stdin.close()
        fleet.wait(30)


def main(words):
    install()
    if words == ["install"]:
        return 0
    binary, results = os.path.abspath(words[0]), []
    if "clients" not in words:
        results += attacked(binary, next((word for word in words[1:] if word.isdigit()), "60"))
    if "attack" not in words:
        with tempfile.TemporaryDirectory(prefix="api-") as folder:
            results.append(clients.judged(binary, os.path.join(HERE, "..", "..", "schemas", "openapi.v1.json"), folder))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
