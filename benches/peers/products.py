"""Products that are compared: how each is configured by hand for so many checks, started without systemd, and understood.

Every configuration asks for the same: each check at the period, a failure and a recovery count at once and are sent by themselves, no
flapping, no reminder within the measurement. Everything is in a folder of the product's own and on the loopback."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from measuring import ROOT, free_port
from scene import Scene, give_up

NODE = Path(os.environ.get("REVALIDATED_NODE", ROOT / "target" / "node")).resolve() / "peers"
PLUGINS = Path("/usr/lib/nagios/plugins")
CURL = shutil.which("curl") or "/usr/bin/curl"
TIMEOUT_S = 5


class Setup(NamedTuple):
    """The checks that a product is to carry out: buckets 1 to `checks` of the platform, reported to the receiver."""

    binary: str
    folder: Path
    checks: int
    period_s: int
    platform: object
    receiver: object


class Change(NamedTuple):
    """A notification: the number of a check, and true for a failure."""

    number: int
    is_bad: bool


class Missing(Exception):
    """A product that is not on this machine, and why."""


def version_of(package):
    """Returns the version of an installed Debian package."""
    asked = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Abbrev}${Version}", package], capture_output=True, text=True)
    if not asked.stdout.startswith("ii "):
        raise Missing(f"the Debian package {package} is not installed")
    return re.sub(r"^\d+:|[+~-].*", "", asked.stdout[3:].strip())


class Product:
    """A product in a folder of its own."""

    name = ""
    # Debian packages.
    packages = ()
    # Name of the process that sends notifications.
    sender = ""
    # Checks that are fewer than asked for, and the reason, where a product cannot have so many.
    checks_max, reason = None, ""

    def __init__(self, setup):
        self.setup, self.folder = setup, Path(setup.folder)
        self.prepare()

    @classmethod
    def version(cls):
        """Returns the packages that are installed with their versions, or raises `Missing`."""
        return ", ".join(f"{package} {version_of(package)}" for package in cls.packages)

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def prepare(self):
        """Writes the configuration."""

    def commands(self):
        """Returns the commands by their names, in the order in which they are started."""

    def environment(self):
        return {}

    def url(self, number):
        return f"{self.setup.platform.url}/bucket-{number}"

    @property
    def numbers(self):
        return range(1, self.setup.checks + 1)

    def changes(self, request):
        """Returns the changes that a notification tells of; here those of commands that call curl."""
        found = re.fullmatch(r"/hook/(\d+)/(\w+)", request.path)
        return [Change(int(found[1]), found[2].lower() not in ("recovery", "good"))] if found else []


class Own(Scene):
    """The daemon in its folder, as its own tests configure it, with one receiver."""

    settings = '[defaults]\nflap_flips = 0\n[outages]\nmin = 1024\n[log]\nfilter = "warn"\n'

    def _receivers(self):
        yield f"""[[receiver]]
name = "peers"
url = "{self.receiver.url}/hook"
secrets = [{{ file = "{self.folder}/webhook" }}]
events = ["integration.validation.*"]
allow = ["127.0.0.0/8"]
retry = {json.dumps(["5s"] * 12)}
"""


class Revalidated(Product):
    """This daemon: Amazon S3 (Access Grants), four signed requests for a run and a row of it on the disk."""

    name = "revalidated"
    sender = "revalidated"

    @classmethod
    def version(cls):
        # The version of the package is that of its sources.
        return "revalidated " + re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]

    def prepare(self):
        period = self.setup.period_s
        self.own = Own(
            self.setup.binary,
            self.setup.platform,
            self.setup.receiver,
            self.setup.checks,
            schedule=f"{'*' if period == 1 else f'*/{period}'} * * * * *",
            at_once=512,
            parent=self.folder,
        )

    def commands(self):
        return {"revalidated": [self.own.binary, "run", "--config", self.own.config]}

    def changes(self, request):
        event = json.loads(request.body)
        number = int(event["data"]["integration"]["name"].removeprefix("integration-"))
        return [Change(number, event["type"] == "integration.validation.failed")]


class Prometheus(Product):
    """Prometheus, blackbox_exporter and Alertmanager; rules are evaluated once a period, alerts are neither grouped nor delayed."""

    name = "Prometheus"
    packages = ("prometheus", "prometheus-blackbox-exporter", "prometheus-alertmanager")
    sender = "alertmanager"

    def prepare(self):
        setup = self.setup
        self.ports = {name: free_port() for name in ("blackbox", "alertmanager", "prometheus")}
        modules = {"http_2xx": {"prober": "http", "timeout": f"{TIMEOUT_S}s", "http": {"preferred_ip_protocol": "ip4"}}}
        self.write("blackbox.yml", json.dumps({"modules": modules}))
        self.write("targets.json", json.dumps([{"targets": [self.url(number) for number in self.numbers]}]))
        alert = {"alert": "TargetDown", "expr": "probe_success == 0", "labels": {"severity": "page"}}
        self.write("rules.yml", json.dumps({"groups": [{"name": "peers", "rules": [alert]}]}))
        relabel = [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{self.ports['blackbox']}"},
        ]
        job = {
            "job_name": "blackbox",
            "metrics_path": "/probe",
            "params": {"module": ["http_2xx"]},
            "file_sd_configs": [{"files": [f"{self.folder}/targets.json"]}],
            "relabel_configs": relabel,
        }
        times = {"scrape_interval": f"{setup.period_s}s", "evaluation_interval": f"{setup.period_s}s", "scrape_timeout": f"{min(setup.period_s, TIMEOUT_S)}s"}
        managers = [{"static_configs": [{"targets": [f"127.0.0.1:{self.ports['alertmanager']}"]}]}]
        main = {"global": times, "rule_files": [f"{self.folder}/rules.yml"], "alerting": {"alertmanagers": managers}, "scrape_configs": [job]}
        self.write("prometheus.yml", json.dumps(main))
        hook = {"url": f"{setup.receiver.url}/hook", "send_resolved": True, "max_alerts": 0}
        route = {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s", "repeat_interval": "4h"}
        self.write("alertmanager.yml", json.dumps({"route": route, "receivers": [{"name": "hook", "webhook_configs": [hook]}]}))

    def commands(self):
        folder, listen = self.folder, {name: f"--web.listen-address=127.0.0.1:{port}" for name, port in self.ports.items()}
        return {
            "blackbox": ["prometheus-blackbox-exporter", f"--config.file={folder}/blackbox.yml", listen["blackbox"], "--log.level=warn"],
            "alertmanager": [
                "prometheus-alertmanager",
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alerts",
                listen["alertmanager"],
                "--cluster.listen-address=",
                "--log.level=warn",
            ],
            "prometheus": ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", listen["prometheus"], "--log.level=warn"],
        }

    def changes(self, request):
        alerts = json.loads(request.body)["alerts"]
        return [Change(int(alert["labels"]["instance"].rpartition("-")[2]), alert["status"] == "firing") for alert in alerts]


class Icinga(Product):
    """Icinga 2 with check_http of the monitoring plugins, and curl as its command of notifications."""

    name = "Icinga 2"
    packages = ("icinga2-bin", "monitoring-plugins-basic")
    sender = "icinga2"

    def prepare(self):
        setup = self.setup
        host, port = setup.platform.url.removeprefix("http://").split(":")
        for name in ("data", "run", "log", "cache", "spool"):
            (self.folder / name / "icinga2").mkdir(parents=True)
        self.write(
            "icinga2.conf",
            f"""
object IcingaApplication "app" {{ }}
object CheckerComponent "checker" {{ }}
object NotificationComponent "notification" {{ }}
object FileLogger "file" {{ severity = "warning"; path = "{self.folder}/icinga2.log" }}
object CheckCommand "http" {{
  command = [ "{PLUGINS}/check_http", "-I", "{host}", "-p", "{port}", "-u", "/bucket-$service.vars.number$", "-t", "{TIMEOUT_S}" ]
}}
object CheckCommand "none" {{ command = [ "/bin/true" ] }}
object NotificationCommand "hook" {{
  command = [ "{CURL}", "-s", "-f", "-m", "5", "-d", "x", "{setup.receiver.url}/hook/$service.vars.number$/$notification.type$" ]
}}
object User "user" {{ }}
object Host "platform" {{ check_command = "none"; enable_active_checks = false }}
apply Notification "hook" to Service {{
  command = "hook"; users = [ "user" ]; interval = 30m; types = [ Problem, Recovery ]; states = [ OK, Warning, Critical, Unknown ]; assign where true
}}
for (number in range(1, {setup.checks + 1})) {{
  object Service "bucket-" + string(number) use (number) {{
    host_name = "platform"; check_command = "http"; vars.number = string(number)
    check_interval = {setup.period_s}s; retry_interval = {setup.period_s}s; max_check_attempts = 1; enable_flapping = false
  }}
}}
""",
        )

    def commands(self):
        folder = self.folder
        places = {
            "DataDir": "data/icinga2", "InitRunDir": "run/icinga2", "LogDir": "log/icinga2", "CacheDir": "cache/icinga2",
            "SpoolDir": "spool/icinga2", "PidPath": "run/icinga2/icinga2.pid", "StatePath": "data/icinga2/icinga2.state",
            "VarsPath": "cache/icinga2/icinga2.vars", "ObjectsPath": "cache/icinga2/icinga2.debug",
            "ModAttrPath": "data/icinga2/modified-attributes.conf",
        }  # fmt: skip
        defined = [f"-DConfiguration.{name}={folder}/{place}" for name, place in places.items()]
        user = ["-DConfiguration.RunAsUser=root", "-DConfiguration.RunAsGroup=root"]
        # The program of that name in the PATH is a script that sets limits of the system.
        [program] = list(Path("/usr/lib").glob("*/icinga2/sbin/icinga2"))
        return {"icinga2": [program, "daemon", "-c", folder / "icinga2.conf", *user, *defined]}

    def environment(self):
        return {"ICINGA2_USER": "root", "ICINGA2_GROUP": "root"}


class Nagios(Product):
    """Nagios Core with check_http of the monitoring plugins, and curl as its command of notifications."""

    name = "Nagios"
    packages = ("nagios4-core", "monitoring-plugins-basic")
    sender = "nagios"

    def prepare(self):
        setup, folder = self.setup, self.folder
        host, port = setup.platform.url.removeprefix("http://").split(":")
        for name in ("spool", "rw"):
            (folder / name).mkdir()
        self.write(
            "nagios.cfg",
            f"""log_file={folder}/nagios.log
cfg_file={folder}/objects.cfg
object_cache_file={folder}/objects.cache
status_file={folder}/status.dat
status_update_interval=30
nagios_user=root
nagios_group=root
check_external_commands=0
command_file={folder}/rw/nagios.cmd
lock_file={folder}/nagios.pid
temp_file={folder}/nagios.tmp
temp_path={folder}
check_result_path={folder}/spool
state_retention_file={folder}/retention.dat
retention_update_interval=60
use_syslog=0
interval_length=1
max_service_check_spread=1
service_inter_check_delay_method=s
check_result_reaper_frequency=1
execute_host_checks=0
enable_flap_detection=0
check_for_updates=0
use_large_installation_tweaks=1
log_initial_states=0
""",
        )
        days = "\n".join(f" {day} 00:00-24:00" for day in ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))
        head = f"""define command {{
 command_name http
 command_line {PLUGINS}/check_http -I {host} -p {port} -u /bucket-$_SERVICENUMBER$ -t {TIMEOUT_S}
}}
define command {{
 command_name hook
 command_line {CURL} -s -f -m 5 -d x {setup.receiver.url}/hook/$_SERVICENUMBER$/$NOTIFICATIONTYPE$
}}
define command {{
 command_name none
 command_line /bin/true
}}
define timeperiod {{
 timeperiod_name always
 alias always
{days}
}}
define contact {{
 contact_name user
 service_notification_period always
 host_notification_period always
 service_notification_options c,r,w,u
 host_notification_options n
 service_notification_commands hook
 host_notification_commands none
}}
define host {{
 host_name platform
 address {host}
 max_check_attempts 1
 check_period always
 notification_period always
 contacts user
 notifications_enabled 0
}}
"""
        services = "".join(
            f"""define service {{
 host_name platform
 service_description bucket-{number}
 _number {number}
 check_command http
 check_interval {setup.period_s}
 retry_interval {setup.period_s}
 max_check_attempts 1
 check_period always
 notification_period always
 notification_interval 1800
 notification_options c,r,w,u
 contacts user
}}
"""
            for number in self.numbers
        )
        self.write("objects.cfg", head + services)

    def commands(self):
        return {"nagios": ["/usr/sbin/nagios4", self.folder / "nagios.cfg"]}


class Monit(Product):
    """Monit, which checks one after another and notifies by a program, curl."""

    name = "Monit"
    packages = ("monit",)
    sender = "monit"
    checks_max, reason = 50, "it checks one after another, so that a thousand checks of 50 ms take it a minute"

    def prepare(self):
        setup = self.setup
        host, port = setup.platform.url.removeprefix("http://").split(":")
        lines = [f"set daemon {setup.period_s}", f"set log {self.folder}/monit.log"]
        lines += [f"set {name}file {self.folder}/{name}" for name in ("pid", "id", "state")]
        for number in self.numbers:
            good, bad = (f'exec "{CURL} -s -f -m 5 -d x {setup.receiver.url}/hook/{number}/{word}"' for word in ("good", "bad"))
            lines.append(f"check host bucket-{number} with address {host}")
            lines.append(f'  if failed port {port} protocol http request "/bucket-{number}" with timeout {TIMEOUT_S} seconds then {bad} else if succeeded then {good}')
        self.write("monitrc", "\n".join(lines) + "\n", 0o600)

    def commands(self):
        return {"monit": ["monit", "-I", "-c", self.folder / "monitrc"]}


class Kuma(Product):
    """Uptime Kuma with its own SQLite database, into which the monitors are written."""

    name = "Uptime Kuma"
    sender = "kuma"
    checks_max, reason = 50, "it starts its monitors 0.65 s apart, so that a thousand take it eleven minutes"
    place = NODE / "node_modules" / "uptime-kuma"
    READY_WITHIN_S = 120

    @classmethod
    def version(cls):
        if not (cls.place / "package.json").exists():
            raise Missing("the npm package uptime-kuma is not installed")
        loaded = subprocess.run(["node", "-e", "require('@louislam/sqlite3')"], cwd=cls.place, capture_output=True, text=True)
        if loaded.returncode != 0:
            raise Missing(f"its SQLite module is not built: {loaded.stderr.strip().splitlines()[-1]}")
        return "uptime-kuma " + json.loads((cls.place / "package.json").read_text())["version"]

    def prepare(self):
        self.port = free_port()
        self.write("data/db-config.json", json.dumps({"type": "sqlite"}))
        self.make_database()
        setup = self.setup
        hook = {"name": "hook", "type": "webhook", "isDefault": True, "webhookURL": f"{setup.receiver.url}/hook", "webhookContentType": "json", "applyExisting": True}
        connection = sqlite3.connect(self.folder / "data" / "kuma.db")
        with connection:
            connection.execute("INSERT INTO user (id, username, password, active) VALUES (1, 'peers', 'x', 1)")
            connection.execute("INSERT INTO notification (id, name, config, active, user_id, is_default) VALUES (1, 'hook', ?, 1, 1, 1)", [json.dumps(hook)])
            connection.executemany(
                "INSERT INTO monitor (id, name, active, user_id, interval, url, type, maxretries, retry_interval, timeout, accepted_statuscodes_json, method)"
                " VALUES (?1, 'bucket-' || ?1, 1, 1, ?2, ?3, 'http', 0, ?2, ?4, '[\"200-299\"]', 'GET')",
                [(number, setup.period_s, self.url(number), TIMEOUT_S) for number in self.numbers],
            )
            connection.execute("INSERT INTO monitor_notification (monitor_id, notification_id) SELECT id, 1 FROM monitor")
        connection.close()

    def make_database(self):
        """Has it make its database, and ends it again."""
        log = self.folder / "first.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(part) for part in self.commands()["kuma"]], cwd=self.place, env={**os.environ, **self.environment()}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + self.READY_WITHIN_S
        while b"Listening on" not in log.read_bytes():
            if process.poll() is not None or deadline < time.monotonic():
                process.kill()
                give_up(f"Uptime Kuma does not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.5)
        time.sleep(2)
        process.terminate()
        process.wait(20)

    def commands(self):
        return {"kuma": ["node", self.place / "server" / "server.js", f"--data-dir={self.folder}/data/", f"--port={self.port}", "--host=127.0.0.1"]}

    def environment(self):
        return {"NODE_ENV": "production", "DATA_DIR": f"{self.folder}/data/", "UPTIME_KUMA_HIDE_LOG": "debug_monitor"}

    def changes(self, request):
        message = json.loads(request.body)
        return [Change(int(message["monitor"]["name"].removeprefix("bucket-")), message["heartbeat"]["status"] == 0)]


PRODUCTS = (Revalidated, Prometheus, Icinga, Nagios, Monit, Kuma)
