#!/usr/bin/env python3
"""Run the cases of a folder against a binary of revalidated and say which come out wrong.

    run.py [--jobs 4] [--kinds] [--keep DIR] [--no-namespace] BINARY CASES_DIR [NAME...]

README.md tells the format. Exit status 0 only when every case is right.
"""
import argparse
import base64
import concurrent.futures
import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.dont_write_bytecode = True
import servers  # noqa: E402

HERE = Path(__file__).resolve().parent
LIMIT = 45  # seconds for one command
END = time.monotonic() + 900  # nothing is begun after that
WORDS = {
    "definitive": {"denied", "missing", "invalid", "expired"},
    "transient": {"unavailable", "throttled", "unreachable"},
}
WELL = {"status": ["passed", "warning"]}
PIECE = 12  # so many characters of a secret in a row are a leak
MARK = "REVALIDATED_CASES_IN_NAMESPACE"


# --- the machine ---------------------------------------------------------------------------------

def into_namespace():
    """Starts this program again where there is no network but loopback: no case can touch another address."""
    if "--no-namespace" in sys.argv:
        return
    if MARK in os.environ:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # SIOCSIFFLAGS: up, running
            fcntl.ioctl(any_socket, 0x8914, request)
        return
    unshare = shutil.which("unshare")
    for how in ("-rn", "-n") if unshare else ():
        if subprocess.run([unshare, how, "true"], capture_output=True).returncode == 0:
            os.environ[MARK] = "1"
            os.execv(unshare, [unshare, how, sys.executable, *sys.argv])
    sys.exit("run.py: no network without addresses but loopback can be made here (unshare -rn). With --no-namespace\n"
             "the cases run all the same; wrong programs may then look up names or ask metadata services.")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Machine:
    """What all cases share: an authority, a certificate for localhost, a private key."""

    def __init__(self, folder):
        self.folder = folder
        ca, ca_key, cert, key = (folder / name for name in ("ca.pem", "ca.key", "server.pem", "server.key"))
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", ca, "-days", "7", "-subj", "/CN=casepack",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        request, extra = folder / "server.csr", folder / "server.ext"
        openssl("req", *curve, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
        extra.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "7",
                "-extfile", extra, "-out", cert)
        private, old = folder / "private.pem", folder / "private.pkcs1"
        openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", private)
        openssl("rsa", "-in", private, "-traditional", "-out", old)
        pem, pkcs1 = private.read_text(), old.read_text()
        bare = "".join(line for line in pem.splitlines() if "-----" not in line)
        self.cert, self.key, self.secret_text = cert, key, bare
        self.values = {
            "CA": str(ca),
            "KEY_RAW": pem,                                           # with line ends
            "KEY_JSON": pem.replace("\n", "\\n"),                     # as it stands in JSON
            "KEY_ESCAPED": pem.replace("\n", "\\\\n"),                # JSON that holds \n as two characters
            "KEY_BARE": bare,                                         # base64 without header lines
            "KEY_PKCS1_CRLF": pkcs1.replace("\n", "\\r\\n"),          # PKCS#1, CRLF, as it stands in JSON
        }


class Place:
    """One case's folder, servers and secret, set up and taken down."""

    def __init__(self, machine, case, keep=None):
        self.log, self.case = [], case
        self.answers = json.loads((case / "answers.json").read_text())
        self.folder = Path(tempfile.mkdtemp(prefix=f"{case.name}.", dir=keep or machine.folder))
        self.secret = "dapi" + secrets.token_hex(16)
        self.http = servers.Http(self.log)
        self.open = [self.http]
        ports = {}
        for kind, made, alpn in (("tds", servers.Tds, "tds/8.0"), ("postgres", servers.Postgres, None)):
            if kind in self.answers:
                server = made(self.log, servers.tls(machine.cert, machine.key, alpn))
                server.script = self.answers[kind]
                ports[kind.upper()] = str(server.port)
                self.open.append(server)
        self.values = {
            **machine.values, **ports,
            "HTTP": f"http://127.0.0.1:{self.http.port}", "PORT": str(self.http.port), "DIR": str(self.folder),
            "SECRET": self.secret, "CUT": self.secret[:-6], "MIDDLE": self.secret[7:-5],
            **self.answers.get("values", {}),
        }
        self.leaks = [self.secret, machine.secret_text]
        base = self.answers.get("base")
        routes = self.answers.get("http", [])
        if base:
            shared = json.loads((HERE / "base" / f"{base}.json").read_text())
            self.values = {**shared.get("values", {}), **self.values}
            routes = routes + shared["http"]
        self.http.routes = json.loads(self.filled(json.dumps(routes)))

    def filled(self, text):
        """The text with `@NAME@` and `@NOW+SECONDS@` replaced; inside JSON, line ends never occur."""
        def value(match):
            if match[1].startswith("NOW"):
                when = datetime.now(timezone.utc) + timedelta(seconds=int(match[1][3:] or 0))
                return when.strftime("%Y-%m-%dT%H:%M:%SZ")
            return self.values.get(match[1], match[0])
        return re.sub(r"@([A-Z0-9_]+(?:\+\d+)?)@", value, text)

    def write(self, path, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o600)

    def files(self, config, expect, variant):
        self.values.update({name: self.filled(value) for name, value in variant.items()})
        self.write(self.folder / "secret", self.secret.encode())
        source = self.case / "files"
        for path in sorted(p for p in source.rglob("*") if p.is_file()) if source.exists() else []:
            name, data = str(path.relative_to(source)), self.filled(path.read_text()).encode()
            if name.endswith(".base64"):
                name, data = name[:-7], base64.b64encode(data)
            elif name.endswith(".bom"):
                name, data = name[:-4], b"\xef\xbb\xbf" + data
            self.write(self.folder / name, data)
        run = expect.get("run", {})
        head = f'[store]\npath = "{self.folder}/state.db"\n\n[defaults]\n'
        head += "".join(f'{k} = {json.dumps(v)}\n' for k, v in
                        {"schedule": run.get("schedule", "@hourly"), "zone": "UTC", **run.get("defaults", {})}.items())
        if run:
            head += (f'\n[[receiver]]\nname = "told"\nurl = "{self.values["HTTP"]}/_told"\nallow = ["127.0.0.0/8"]\n'
                     'secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]\n')
            self.http.routes.insert(0, {"path": "^/_told$", "status": 204})
        self.config = self.folder / "revalidated.toml"
        self.write(self.config, (head + "\n" + self.filled(config)).encode())

    def environment(self):
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        given = {k: self.filled(v) for k, v in self.answers.get("env", {}).items()}
        guard = {"AWS_EC2_METADATA_DISABLED": "true", "GCE_METADATA_HOST": f"127.0.0.1:{self.http.port}"}
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(home), **guard, **given}

    def command(self, binary, *arguments):
        try:
            return subprocess.run([binary, "--config", self.config, *arguments], env=self.environment(),
                                  capture_output=True, text=True, cwd=self.folder,
                                  timeout=max(1, min(LIMIT, END - time.monotonic())))
        except subprocess.TimeoutExpired as late:
            def text(part):
                return part.decode("utf-8", "replace") if isinstance(part, bytes) else part or ""
            return subprocess.CompletedProcess(late.cmd, "time-out", text(late.stdout), text(late.stderr))

    def close(self, keep):
        for server in self.open:
            server.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


# --- what came out -------------------------------------------------------------------------------

class Outcome:
    """What one run of the program said and did."""

    def __init__(self, kind, exit_code, text, log):
        self.kind, self.exit, self.text, self.log = kind, exit_code, text, log
        self.overall, self.tests, self.details = None, {}, {}
        self.events, self.transitions, self.runs = [], [], 0

    def read_report(self, report):
        results = report["validationResults"]
        self.overall = results["status"]
        self.tests = {test["name"]: test for test in results["validationTests"]}
        self.details = {detail["name"]: detail for detail in report.get("details", [])}

    def troubles(self):
        return [name for name, test in self.tests.items() if test["status"] in ("failed", "warning")]

    def words(self, advice_only=False):
        """All that a user is told of what failed: messages and remedies; of a refused configuration, everything."""
        if self.kind == "check" or self.overall == "refused":
            return self.text
        parts = []
        for name in self.troubles():
            if not advice_only:
                parts.append(self.tests[name].get("message") or "")
            parts.append(self.details.get(name, {}).get("remediation") or "")
        return "\n".join(parts)


def told(place, done):
    """The output of a command without this place's path and the warnings about how secrets are given here."""
    text = (done.stdout + done.stderr).replace(str(place.folder), "DIR")
    return "".join(line for line in text.splitlines(True) if not re.search("a secret stands|holds a secret|is plain HTTP", line))


def validate(place, binary, name, *options):
    done = place.command(binary, "validate", name, "--json", *options)
    outcome = Outcome("validate", done.returncode, told(place, done), place.log)
    try:
        outcome.read_report(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        outcome.overall = "refused" if done.returncode == 78 else f"no report (exit {done.returncode})"
    return outcome


def check(place, binary):
    done = place.command(binary, "check")
    return Outcome("check", done.returncode, told(place, done), place.log)


def run(place, binary, plan, names):
    with open(place.folder / "log", "wb") as log:
        process = subprocess.Popen([binary, "--config", place.config, "run"], env=place.environment(),
                                   stdout=log, stderr=subprocess.STDOUT, cwd=place.folder)
        try:
            process.wait(plan["seconds"])
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    text = (place.folder / "log").read_text("utf-8", "replace")
    outcome = Outcome("run", process.returncode, text, place.log)
    for entry in [e for e in place.log if e.get("path") == "/_told"]:
        outcome.text += entry["body"]
        outcome.events.append(json.loads(entry["body"])["type"])
    for name in names:
        done = place.command(binary, "history", name, "--json")
        outcome.text += done.stdout + done.stderr
        for line in json.loads(done.stdout or "[]"):
            if line["kind"] == "transition":
                outcome.transitions.append(line["to"])
            else:
                outcome.runs += 1
    return outcome


# --- right or wrong ------------------------------------------------------------------------------

def allowed(words):
    return set().union(*(WORDS.get(word, {word}) for word in words))


def shown(text, length=160):
    text = " ".join(text.split())
    return text if len(text) <= length else text[:length] + "…"


def complaints(expect, outcome):
    """What is wrong with an outcome, as `expected ..., got ...`; nothing when it is right."""
    wrong = []

    def say(expected, got):
        wrong.append(f"expected {expected}, got {got}")

    if "exit" in expect and outcome.exit not in expect["exit"]:
        say(f"exit {expect['exit']}", f"{outcome.exit}: {shown(outcome.text)}")
    if "overall" in expect and outcome.overall not in expect["overall"]:
        first = outcome.troubles()[:1]
        why = f" [{first[0]}: {outcome.details.get(first[0], {}).get('class')}: " \
              f"{shown(outcome.tests[first[0]].get('message') or '')}]" if first else f" {shown(outcome.text)}"
        say("/".join(expect["overall"]), f"{outcome.overall}{why}")
    for name, wanted in expect.get("tests", {}).items():
        test = outcome.tests.get(name)
        if test is None:
            say(f"a test [{name}]", "none")
            continue
        if test["status"] not in wanted.get("status", [test["status"]]):
            say(f"[{name}] {'/'.join(wanted['status'])}", f"{test['status']}: {shown(test.get('message') or '')}")
        seen = outcome.details.get(name, {}).get("class")
        if "class" in wanted and test["status"] in ("failed", "warning") and seen not in allowed(wanted["class"]):
            say(f"[{name}] class {'/'.join(wanted['class'])}", seen)
    if "class" in expect:  # of everything that failed
        for name in outcome.troubles():
            seen = outcome.details.get(name, {}).get("class")
            if outcome.tests[name]["status"] == "failed" and seen not in allowed(expect["class"]):
                say(f"class {'/'.join(expect['class'])}", f"{seen} of [{name}]: {shown(outcome.tests[name].get('message') or '')}")
    for key, advice_only, must in (("say", False, True), ("never", False, False),
                                   ("advise", True, True), ("never_advise", True, False)):
        for pattern in expect.get(key, []):
            words = outcome.words(advice_only)
            if (re.search(pattern, words, re.I | re.S) is not None) != must:
                what = "advice" if advice_only else "a text"
                say(f"{what} {'with' if must else 'without'} /{pattern}/", f"[{shown(words)}]")
    for pattern in expect.get("nowhere", []):
        found = re.search(pattern, outcome.text, re.I | re.S)
        if found:
            say(f"nothing like /{pattern}/ in the whole output", f"[{shown(found[0])}]")
    for wanted in expect.get("requests", []):
        count = sum(1 for entry in outcome.log if matches(wanted["match"], entry))
        if not wanted.get("min", 0) <= count <= wanted.get("max", 10**9):
            limits = f"{wanted.get('min', 0)} to {wanted.get('max', 'any')}"
            say(f"{limits} {wanted['what']}", count)
    if outcome.runs < expect.get("runs_min", 0):
        say(f"at least {expect['runs_min']} runs", outcome.runs)
    for kind in expect.get("events_never", []):
        if kind in outcome.events:
            say(f"no {kind}", outcome.events)
    for kind in expect.get("events", []):
        if kind not in outcome.events:
            say(f"an event {kind}", outcome.events)
    for status in expect.get("status_never", []):
        if status in outcome.transitions:
            say(f"never {status}", outcome.transitions[::-1])
    choices = [complaints(choice, outcome) for choice in expect.get("any_of", [])]
    if choices and all(choices):
        wrong.append(" OR ".join(choice[0] for choice in choices))
    return wrong


def matches(match, entry):
    if match.get("server", "http") != entry["server"]:
        return False
    if entry["server"] == "http":
        return servers.fits({k: v for k, v in match.items() if k != "server"}, entry)
    return ("login" in entry) if match.get("login") else re.search(match.get("sql", ""), entry.get("sql", "")) is not None


def leaked(place, text):
    for secret in place.leaks:
        for start in range(len(secret) - PIECE + 1):
            if secret[start:start + PIECE] in text:
                return f"expected no piece of a secret in the output, got {secret[start:start + 4]}…"
    return None


def one(machine, binary, case, keep):
    """The complaints about a case, none when it is right. With variants, one right one is enough."""
    expect = json.loads((case / "expect.json").read_text())
    config = (case / "config.toml").read_text()
    found = []
    for variant in expect.get("variants", [{}]):
        if time.monotonic() > END:
            return expect, ["not run: no time was left"]
        place = Place(machine, case, keep)
        try:
            place.files(config, expect, variant)
            kind = "run" if "run" in expect else expect.get("command", "validate")
            if kind == "check":
                outcome = check(place, binary)
            elif kind == "preflight":
                outcome = validate(place, binary, expect.get("name", "it"), "--preflight")
            elif kind == "run":
                outcome = run(place, binary, expect["run"], expect["run"].get("names", ["it"]))
            else:
                outcome = validate(place, binary, expect.get("name", "it"))
            wrong = complaints(json.loads(place.filled(json.dumps(expect))), outcome)
            leak = leaked(place, outcome.text)
            wrong += [leak] if leak else []
            if keep:
                (place.folder / "output").write_text(outcome.text)
                (place.folder / "requests.json").write_text(json.dumps(place.log, indent=1))
        finally:
            place.close(keep)
        if not wrong:
            return expect, []
        found = found or wrong
    return expect, found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("cases", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--kinds", action="store_true", help="also count the wrong ones by kind of fault")
    parser.add_argument("--no-namespace", action="store_true", help="run where no network namespace can be made")
    parser.add_argument("--keep", type=Path, help="keep every case's folder below DIR, to look into")
    options = parser.parse_args()
    binary = str(Path(options.binary).resolve())
    cases = sorted(path.parent for path in options.cases.glob("*/expect.json"))
    if options.names:
        unknown = set(options.names) - {case.name for case in cases}
        if unknown:
            parser.error(f"no such case: {', '.join(sorted(unknown))}")
        cases = [case for case in cases if case.name in options.names]
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    started, wrong, kinds = time.monotonic(), {}, {}
    with tempfile.TemporaryDirectory(prefix="casepack.") as folder:
        machine = Machine(Path(folder))
        slow_first = sorted(cases, key=lambda case: '"run"' not in (case / "expect.json").read_text())
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            tasks = {pool.submit(one, machine, binary, case, options.keep): case for case in slow_first}
            for task in concurrent.futures.as_completed(tasks):
                case = tasks[task]
                try:
                    expect, found = task.result()
                except Exception as fault:  # a case that cannot be run is wrong, the others go on
                    expect, found = {"kind": "broken"}, [f"the case itself: {type(fault).__name__}: {fault}"]
                if found:
                    wrong[case.name] = found
                    kinds.setdefault(expect.get("kind", ""), []).append(case.name)
    for name in sorted(wrong):
        print(f"{name}: {'; '.join(wrong[name])}")
    if options.kinds:
        for kind, names in sorted(kinds.items()):
            print(f"  {kind}: {len(names)} ({', '.join(sorted(names))})")
    print(f"{len(cases) - len(wrong)} of {len(cases)} cases right  [{time.monotonic() - started:.0f} s]")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    into_namespace()
    sys.exit(main())
