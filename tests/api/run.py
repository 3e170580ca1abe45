#!/usr/bin/env python3
"""run.py BINARY [SECONDS]: the interface of a daemon with forty integrations, judged by openapi-spec-validator and attacked by schemathesis with all
of its checks and phases; `run.py install` only gets them. Streams never end by themselves and so are asked only whether they begin.
REVALIDATED_VENV names the folder beside which they are kept. Exit 0 only without a finding."""
import json, os, shutil, subprocess, sys, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.abspath(os.environ.get("REVALIDATED_VENV", os.path.join(HERE, "..", "..", "target", "venv"))) + "-api"
STREAMS = ["/api/v1/events/stream", "/api/v1/changes"]


def install():
    """Gets the packages, unless these versions are there already."""
    wanted, there = os.path.join(HERE, "requirements.txt"), os.path.join(VENV, "installed.txt")
    if os.path.exists(there) and open(there).read() == open(wanted).read():
        return
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pip = [os.path.join(VENV, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted]
    subprocess.run(pip, check=True)
    shutil.copy(wanted, there)


def begins(base, token, path):
    """True when a stream answers with its kind and its first line."""
    request = urllib.request.Request(base + path, headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.headers["content-type"] == "text/event-stream" and answer.readline() == b"retry: 2000\n"


def main(words):
    install()
    if words == ["install"]:
        return 0
    binary, seconds = words[0], words[1] if len(words) > 1 else "60"
    fleet = subprocess.Popen([sys.executable, os.path.join(HERE, "..", "page", "fleet.py"), binary, "--proxy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _, base, token = fleet.stdout.readline().split()
        request = urllib.request.Request(base + "/openapi.json", headers={"authorization": f"Bearer {token}"})
        document = os.path.join(VENV, "openapi.json")
        with urllib.request.urlopen(request) as answer:
            json.dump(json.load(answer), open(document, "w"))
        tool = lambda name: os.path.join(VENV, "bin", name)
        valid = subprocess.run([tool("openapi-spec-validator"), document]).returncode == 0
        begun = all(begins(base, token, path) for path in STREAMS)
        attack = [tool("schemathesis"), "--config-file", os.path.join(HERE, "schemathesis.toml"), "run", document, "--url", base]
        attack += ["--header", f"Authorization: Bearer {token}", "--checks", "all", "--max-time", seconds, "--workers", "1"]
        for path in STREAMS:
            attack += ["--exclude-path", path]
        attacked = subprocess.run(attack, cwd=VENV).returncode == 0
    finally:
        fleet.stdin.close()
        fleet.wait(30)
    results = [valid, begun, attacked]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
