#!/usr/bin/env python3
"""run.py BINARY: a failure and its end go from the daemon by Alertmanager, with the configuration in share/alertmanager/mail.yml, to an SMTP
server with STARTTLS and a log-in; each is one mail that says what happened. Needs Debian's prometheus-alertmanager."""
import email, email.policy, glob, os, re, shutil, subprocess, sys, tempfile, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "daemon"))
from lib import S3, FAILING, Daemon, integration, need, put  # noqa: E402

RECIPE = os.path.join(HERE, "..", "..", "share", "alertmanager", "mail.yml")
SMTP = os.path.join(HERE, "..", "servers", "smtp.sh")


def recipe(server, folder):
    """The configuration as it is published, with this server in place of the example's."""
    with open(RECIPE) as file:
        text = file.read()
    secret = os.path.join(folder, "smtp-password")
    put(secret, server["password"])                          # Alertmanager 0.25 would send a newline too
    changes = {"mail.example.com:587": f"127.0.0.1:{server['port']}", "/etc/prometheus/smtp-password": secret,
               "        send_resolved: true\n": f"        send_resolved: true\n        tls_config: {{ca_file: {server['ca']}}}\n"}
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def mails(folder):
    found = []
    for path in sorted(glob.glob(os.path.join(folder, "*.eml"))):
        with open(path, "rb") as file:
            envelope, _, content = file.read().partition(b"\n\n")
        mail = email.message_from_bytes(content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        found.append((envelope.decode(), re.sub(r"\s+", " ", mail["subject"]), body.get_content() if body else ""))
    return found


def check(binary, folder, server):
    port = free_port()
    put(os.path.join(folder, "alertmanager.yml"), recipe(server, folder))
    with open(os.path.join(folder, "alertmanager.log"), "w") as log:
        relay = subprocess.Popen(["prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address=",
                                  f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stdout=log, stderr=log)
    try:
        def answers():
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2).status == 200
            except OSError:
                return False
        need(answers, "Alertmanager answers")
        s3 = S3()
        daemon = Daemon(binary, folder)
        receiver = f'[[receiver]]\nname = "mail"\nurl = "http://127.0.0.1:{port}/api/v2/alerts"\nformat = "alertmanager"\nallow = ["127.0.0.1"]\n'
        daemon.write(receiver, integration("lake", s3))
        daemon.start()
        daemon.is_well()
        s3.missing = {"lake"}
        daemon.becomes("lake", FAILING)
        need(lambda: len(mails(server["mail"])) >= 1, "a mail about the failure", 30)
        s3.missing = set()
        # The next look at the group comes after a minute.
        need(lambda: len(mails(server["mail"])) >= 2, "a mail about its end", 90)
        (failed_to, failed, why), (_, ended, _) = mails(server["mail"])[:2]
        wrong = []
        if "To: data-team@example.com\nFrom: revalidated@example.com" not in failed_to:
            wrong.append(f"envelope {failed_to!r}")
        if not (failed.startswith("[firing] ") and "lake" in failed):
            wrong.append(f"subject {failed!r}")
        if not ("lake" in why and "Fix: " in why and "Since: " in why):
            wrong.append(f"text {why!r}")
        if not (ended.startswith("[resolved] ") and "lake" in ended):
            wrong.append(f"subject of the end {ended!r}")
        if server["password"] in why:
            wrong.append("the password is shown")
        print("\n".join(wrong) if wrong else f"two mails: {failed!r}, then {ended!r}")
        return not wrong
    finally:
        for one in Daemon.all:
            one.stop()
        relay.terminate()
        relay.wait()


def main():
    binary = os.path.abspath(sys.argv[1])
    if not shutil.which("prometheus-alertmanager"):
        sys.exit("install prometheus-alertmanager")
    folder = tempfile.mkdtemp(prefix="mail-")
    place = os.path.join(folder, "smtp")
    try:
        started = subprocess.run([SMTP, "start", place], check=True, stdout=subprocess.PIPE, text=True)
        server = dict(line.split("=", 1) for line in started.stdout.splitlines())
        sys.exit(0 if check(binary, folder, server) else 1)
    finally:
        subprocess.run([SMTP, "stop", place])
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
