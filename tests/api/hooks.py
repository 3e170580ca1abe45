"""Hooks of schemathesis: values that no document can describe, and only the running daemon can give. Every valid request of an operation gets a cursor
that a page ended with, a silence that is open, an integration that is there or an end that lies ahead, so that it is taken; what was made from the document
is sent beforehand, every other time, and has to be answered without an error of the daemon's. ATTACKED is the address of the daemon, TOKEN opens it."""
import collections, datetime, json, os, random, urllib.error, urllib.parse, urllib.request

import requests, schemathesis
from schemathesis import GenerationMode

RANDOM = random.Random(7)
SEEN = collections.Counter()
SILENCES, OF_ONE = "/api/v1/silences/{id}", "/api/v1/integrations/{name}"


def ask(path, body=None):
    """JSON of an answer; nothing unless it is a good one."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {os.environ['TOKEN']}", **({"content-type": "application/json"} if data else {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(os.environ["ATTACKED"] + path, data, headers), timeout=20) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ValueError, OSError):
        return None


def tomorrow():
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def page(case):
    """Address of the first row of the list that a case asks for."""
    path = case.path.removesuffix("/stream")
    for name, value in (case.path_parameters or {}).items():
        path = path.replace("{%s}" % name, urllib.parse.quote(str(value), safe=""))
    word = lambda value: json.dumps(value) if isinstance(value, bool) else value
    kept = {name: word(value) for name, value in case.query.items() if name not in ("after", "limit", "for")}
    return f"{path}?{urllib.parse.urlencode({**kept, 'limit': 1}, doseq=True)}"


def wants(case):
    """True for a case with a value of this kind."""
    return case.path == SILENCES or case.path.startswith(OF_ONE) or "after" in (case.query or {}) or (isinstance(case.body, dict) and "until" in case.body)


def send_as_made(case):
    """Sends what was made from the document, and raises for an answer that is an error of the daemon's."""
    answer = requests.request(**case.as_transport_kwargs(base_url=os.environ["ATTACKED"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}), timeout=20)
    assert answer.status_code < 500 or answer.status_code == 503, f"{case.method} {case.path} with {case.query}: {answer.status_code} {answer.text}"


@schemathesis.hook
def before_call(context, case, kwargs):
    is_valid = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    if not is_valid or not wants(case):
        return
    SEEN[case.method, case.path] += 1
    if SEEN[case.method, case.path] % 2 == 0:
        send_as_made(case)
    if case.path.startswith(OF_ONE):
        names = [one["name"] for one in (ask("/api/v1/integrations?failing=true") or {}).get("items", [])]
        if names:
            case.path_parameters["name"] = RANDOM.choice(names)
    if case.path == SILENCES:
        made = ask("/api/v1/silences", {"selection": {"integrations": [f"none-{RANDOM.random()}"]}, "until": tomorrow()})
        if made:
            case.path_parameters["id"] = made["id"]
    if isinstance(case.body, dict) and "until" in case.body:
        case.body["until"] = tomorrow()
    if "after" in (case.query or {}):
        found = ask(page(case)) or {}
        if found.get("next"):
            case.query["after"] = found["next"]
        elif "items" in found:
            del case.query["after"]
