#!/usr/bin/env python3
"""run.py [BINARY]: alert rules and dashboard, judged by promtool: each alert fires when it should and only then, and every expression of the
dashboard can be read. With BINARY also the metrics of a daemon with forty integrations, in the classic text format.
promtool comes from Debian's package `prometheus`, which is only unpacked: below REVALIDATED_TOOLS, target/tools without it."""
import glob, json, os, re, shutil, subprocess, sys, tempfile, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
RULES = os.path.join(ROOT, "share", "prometheus", "revalidated.rules.yml")
DASHBOARD = os.path.join(ROOT, "share", "grafana", "revalidated.json")
TOOLS = os.path.abspath(os.environ.get("REVALIDATED_TOOLS", os.path.join(ROOT, "target", "tools")))


def promtool():
    """Its path; none where it is not installed and cannot be got."""
    kept = os.path.join(TOOLS, "prometheus", "usr", "bin", "promtool")
    found = shutil.which("promtool") or (kept if os.path.exists(kept) else None)
    if found or not shutil.which("apt-get"):
        return found
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        got = subprocess.run(["apt-get", "download", "-qq", "prometheus"], cwd=folder, stderr=subprocess.DEVNULL).returncode == 0
        packages = glob.glob(os.path.join(folder, "*.deb"))
        if not got or not packages:
            return None
        os.makedirs(TOOLS, exist_ok=True)
        subprocess.run(["dpkg", "-x", packages[0], os.path.join(TOOLS, "prometheus")], check=True)
    return kept


def run(*words, text=None):
    done = subprocess.run(words, input=text, capture_output=True, text=True)
    if done.returncode or "FAILED" in done.stdout:
        print(" ".join(words), done.stdout + done.stderr, sep="\n")
    return done.returncode == 0


def expressions(value):
    """Every expression within a dashboard, for one choice of each variable."""
    if isinstance(value, dict):
        if "expr" in value:
            yield re.sub(r"\$(__rate_interval|__interval)", "5m", re.sub(r"\$(instance|type|label|integration)\b", ".*", value["expr"]))
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        yield from expressions(one)


def dashboard_is_read(tool, folder):
    """True when each expression is one: as a recording rule it must be."""
    found = list(expressions(json.load(open(DASHBOARD))))
    rules = [{"record": f"dashboard:{number}", "expr": expression} for number, expression in enumerate(found)]
    path = os.path.join(folder, "dashboard.yml")
    with open(path, "w") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
    print(f"{len(found)} expressions of the dashboard")
    return 20 < len(found) and run(tool, "check", "rules", path)


def metrics_are_clean(tool, binary):
    """True when promtool has nothing to say about the metrics of a daemon."""
    fleet = subprocess.Popen([sys.executable, os.path.join(ROOT, "tests", "page", "fleet.py"), binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        _, base, _ = fleet.stdout.readline().split()
        request = urllib.request.Request(base + "/metrics", headers={"accept": "text/plain"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
    finally:
        fleet.stdin.close()
        fleet.wait(30)
    done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, text=True)
    print(f"{text.count('# TYPE')} metrics in {len(text)} bytes", done.stdout + done.stderr, sep="\n")
    return done.returncode == 0 and not (done.stdout + done.stderr).strip()


def main(words):
    tool = promtool()
    if not tool:
        print("SKIPPED: there is no promtool, and Debian's package prometheus cannot be had")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for path in (RULES, os.path.join(HERE, "tests.yml")):
            shutil.copy(path, folder)
        results = [
            run(tool, "check", "rules", os.path.join(folder, "revalidated.rules.yml")),
            run(tool, "test", "rules", os.path.join(folder, "tests.yml")),
            dashboard_is_read(tool, folder),
        ]
    if words:
        results.append(metrics_are_clean(tool, os.path.abspath(words[0])))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
