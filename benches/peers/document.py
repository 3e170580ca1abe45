"""Document of the comparison, docs/performance.md, and its plots, made from the figures in target/peers."""

from statistics import median

from plots import Bar, bars
from products import PRODUCTS
from trials import DELAY_MS, LOSS_PERIOD_S, SINGLE

OWN = "revalidated"
PROMETHEUS = "Prometheus with blackbox_exporter"
NAMES = {"Prometheus": f"{PROMETHEUS} and Alertmanager"}
LIMITS = """## Method

One product after another is started by hand on the loopback, with a configuration and a folder of its own, beside a platform and a
receiver of its own. The platform is the program that `tests/run.sh load` uses: it answers after {delay} ms. The daemon lists a bucket by the
protocol of Amazon S3, the others ask for the same bucket by a plain request; a bucket that is removed is a 404 for all.

- **Processor time** is that of all processes of a product, as the kernel counts it for their control group (`cpu.stat`), so that the
  processes which Icinga 2 and Nagios start for each check count too. It is divided by the checks that the platform has seen.
- **Memory** is the median of samples two seconds apart over all processes of a product; pages that several share count once (PSS).
- **Detection** is the time from the moment at which the platform changes to the arrival of the notification at the receiver.
  {single} buckets, drawn at random (or half of them, where there are fewer), are removed one after another within a period, so that all
  phases of the period are met; then all others at once, at three tenths of a period; at eight tenths of another all are put back at once.
- **Lost** is a change that has not arrived {patience} s after the receiver is back, or after the sender is killed. {loss} checks run every
  {loss_period} s for this. The receiver refuses connections for 30 s while all of them begin to fail; in the last column they begin to fail
  and pass again by turns. `kill -9` hits what sends notifications (with Prometheus, Alertmanager) at a random moment within two periods
  of the change, and it is started again 0.3 s later. **Doubled** are messages that come once more; those of the daemon have the same id then.
- **Deliveries** are a backlog of the same message, signed in the same way, for nginx. The time counts from the first request to the
  last record that it was delivered, the processor time from the start of the sender to that.

A failure and a recovery count at once everywhere, are sent one by one, and nothing flaps or is repeated within the measurement: in
Prometheus `for: 0s`, rules once a period, `group_by: ['...']`, `group_wait: 0s` and `group_interval: 1s`; in Icinga 2 and Nagios
`max_check_attempts` 1; in Uptime Kuma no retries; in the daemon `flap_flips = 0`, `[outages] min = 1024`, 512 runs at once, and a receiver
that is tried again every 5 s. All else is the default.

## Limits of the comparison

- **They do less for a check, and more in other places.** A run of the daemon is four signed requests, a verdict from evidence and a row
  on the disk; a check of the others is one request, of which Prometheus keeps samples, Uptime Kuma a row, the others the last state.
  Prometheus is a database of time series, Icinga 2 and Nagios run any plugin, Uptime Kuma has pages that show what happens at once.
- A run of the daemon begins within a tenth of the period after its schedule, so that all checks come close together; the others spread
  them over the period. Its detection of many failures at once depends on the phase for that reason; two phases are measured.
- The platform, the receiver and the product share the processors, and one run was measured. Ratios hold better than the figures
  themselves; what differs by less than a fifth may be chance.
- Versions are those of Debian and of the npm registry, which may have older ones than the projects publish. Uptime Kuma is published
  there only as a development version, with files of its database in the wrong place, which the installation copies.
- Notifications of Icinga 2, Nagios and Monit are a `curl` each, which is the usual way; a program that keeps and repeats messages may be put there.
"""


def times(value, own):
    """Returns how many times as much as the daemon's a value is."""
    ratio = value / own
    return f"{ratio:.0f}" if 9.95 <= ratio else f"{ratio:.1f}" if 0.095 <= ratio else f"{ratio:.2f}"


def number(value):
    return f"{value:,.0f}"


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def shown(name):
    return f"**{name}**" if name == OWN else NAMES.get(name, name)


def own_of(rows, row):
    """Returns the row of the daemon with as many checks."""
    return next(own for own in rows if own["product"] == OWN and own["checks"] == row["checks"])


def checks_table(rows):
    cells = []
    for row in rows:
        own = own_of(rows, row)
        cells.append([
            shown(row["product"]), number(row["checks"]), f"{100 * min(1, row['done'] / row['asked']):.0f} %",
            f"{row['each_ms']:.2f}", times(row["each_ms"], own["each_ms"]), f"{row['memory_mb']:.0f}", times(row["memory_mb"], own["memory_mb"]),
        ])  # fmt: skip
    return table(["product", "checks", "in time", "processor for a check, ms", "times", "memory, MB", "times"], cells)


def reported(burst):
    """Returns the time until all changes were reported, or the part of them that was."""
    if burst["reported"] < burst["changes"]:
        return f"{burst['reported']} of {burst['changes']}"
    return f"{burst['all_s']:.1f}"


def both(row):
    """Returns the mean time until all were reported, over both changes of all checks at once."""
    return sum(burst["all_s"] for burst in row["burst"]) / 2 if all(burst["reported"] == burst["changes"] for burst in row["burst"]) else None


def detection_table(rows):
    cells = []
    for row in rows:
        own, single = own_of(rows, row), row["single_s"]
        if not single:
            cells.append([shown(row["product"]), number(row["checks"]), "none", "-", "-", *map(reported, row["burst"]), "-"])
            continue
        missing = f", {row['single_missing']} missing" if row["single_missing"] else ""
        at_once = times(both(row), both(own)) if both(row) and both(own) else "-"
        cells.append([
            shown(row["product"]), number(row["checks"]), f"{median(single):.1f}", f"{max(single):.1f}{missing}", times(median(single), median(own["single_s"])),
            *map(reported, row["burst"]), at_once,
        ])  # fmt: skip
    return table(["product", "checks", "one fails: median, s", "slowest, s", "times", "all fail: all notified, s", "all pass again: all notified, s", "times"], cells)


def loss_table(rows):
    def of(found):
        last = f", the last after {found['last_s']:.0f} s" if found.get("last_s") else ""
        doubled = f", {found['doubled']} doubled" if found["doubled"] else ""
        return f"{found['lost']} of {found['changes']}{last}{doubled}"

    cells = [[shown(row["product"]), of(row["outage"]), of(row["killed_in_outage"]), of(row["kills"])] for row in rows]
    return table(["product", "receiver away: lost", "and sender killed meanwhile: lost", "sender killed at random, receiver there: lost"], cells)


def own_delivery(rows, row):
    """Returns the row of the daemon with as many requests at once."""
    return next(own for own in rows if own["sender"] == OWN and own["at_once"] == row["at_once"])


def deliveries_table(rows):
    cells = []
    for row in rows:
        own = own_delivery(rows, row)
        cells.append([
            shown(row["sender"]), row["sync"], row["at_once"], number(row["rate"]), times(row["rate"], own["rate"]),
            f"{row['each_ms']:.2f}", times(row["each_ms"], own["each_ms"]), f"{row['memory_mb']:.0f}",
        ])  # fmt: skip
    return table(["sender", "synced to the disk", "requests at once", "deliveries a second", "times", "processor for a delivery, ms", "times", "memory, MB"], cells)


def summary(checks, deliveries):
    """Returns the ratios that the README quotes."""
    texts = []
    for other in checks:
        if other["product"] == "Prometheus":
            processor, memory = (times(other[figure], own_of(checks, other)[figure]) for figure in ("each_ms", "memory_mb"))
            texts.append(f"{PROMETHEUS} needs {processor} times the processor time for a check and {memory} times the memory")
    if deliveries:
        # The way of Redis that keeps messages as well as the daemon does, at the default of requests at once.
        [queue] = [row for row in deliveries if row["sync"] == "each command" and row["at_once"] == 8]
        texts.append(f"BullMQ with Redis {times(queue['each_ms'], own_delivery(deliveries, queue)['each_ms'])} times the processor time for a delivery")
    return ",\n".join(texts) + "."


def left_out(results):
    """Returns a list of what was not measured, and why."""
    lines = [f"- {name} was not measured: {reason}." for name, reason in {**results["checks"]["missing"], **results["deliveries"]["missing"]}.items()]
    fewer = {product.name: product for product in PRODUCTS if product.checks_max}
    for row in results["checks"]["rows"]:
        if (product := fewer.get(row["product"])) and row["checks"] == product.checks_max:
            lines.append(f"- {row['product']} has {row['checks']} checks: {product.reason}. The daemon is measured with as many for it.")
    return "\n".join(lines)


def machines(results):
    """Returns a sentence for each machine and day of the parts."""
    parts = {}
    for part, found in results.items():
        machine = found["machine"]
        text = f"{machine['processors']} processors ({machine['model']}), {machine['memory_gb']} GB, {machine['disk']} on a disk, {machine['system']}, {machine['date']}"
        parts.setdefault(text, []).append(part)
    if len(parts) == 1:
        return f"Measured on {next(iter(parts))}."
    return " ".join(f"Measured on {text}: {', '.join(names)}." for text, names in parts.items())


def versions(results):
    """Returns the packages of all products with their versions."""
    found = dict.fromkeys(row["version"] for part in ("checks", "deliveries", "detection", "loss") for row in results[part]["rows"])
    return "; ".join(found)


def plots(results):
    checks, detection, deliveries = (results[part]["rows"] for part in ("checks", "detection", "deliveries"))
    many = max(row["checks"] for row in checks)
    name = lambda row: row["product"] if row["checks"] == many else f"{row['product']}, {row['checks']} checks"
    bar = lambda row, value: Bar(name(row), value, row["product"] == OWN)
    period = checks[0]["period_s"]
    found = {
        "performance-processor.svg": bars(f"Processor time for a check, {number(many)} checks every {period} s", "milliseconds", [bar(row, row["each_ms"]) for row in checks]),
        "performance-memory.svg": bars(f"Memory, {number(many)} checks every {period} s", "megabytes", [bar(row, row["memory_mb"]) for row in checks]),
        "performance-burst.svg": bars(
            "All checks fail at once, and pass again at once: time until each is notified, mean of both",
            "seconds",
            [bar(row, both(row)) for row in detection if both(row)],
        ),
    }
    if deliveries:
        label = lambda row: OWN if row["sender"] == OWN else f"BullMQ, {row['sync']}"
        rows = [Bar(f"{label(row)}, {row['at_once']} at once", row["each_ms"], row["sender"] == OWN) for row in deliveries]
        found["performance-deliveries.svg"] = bars("Processor time for a signed and recorded delivery", "milliseconds", rows)
    return found


def files(results):
    """Returns the names and texts of the document and its plots."""
    checks, detection, loss, deliveries = (results[part]["rows"] for part in ("checks", "detection", "loss", "deliveries"))
    first = checks[0]
    method = LIMITS.format(delay=DELAY_MS, single=SINGLE, patience=loss[0]["patience_s"], loss=loss[0]["outage"]["changes"], loss_period=LOSS_PERIOD_S)
    sending = "Not measured."
    if deliveries:
        sending = f"{deliveries[0]['total']:,} messages each.\n\n{deliveries_table(deliveries)}\n\n![Processor time for a delivery](performance-deliveries.svg)"
    text = f"""# Performance

Written by `tests/run.sh peers`: the daemon beside programs that people would pick instead, one after another on the same machine. A
column "times" says how many times as much as the daemon needs; less than 1 is less.

{summary(checks, deliveries)}

{machines(results)}
Versions: {versions(results)}.

## Checks

As many checks as the table says every {first["period_s"]} s, of a platform that answers after {DELAY_MS} ms, for {first["seconds"]} s.

{checks_table(checks)}

{left_out(results)}

![Processor time for a check](performance-processor.svg)

![Memory](performance-memory.svg)

## Detection

Time until a failure, or a recovery, is notified. What is checked every {first["period_s"]} s is found after {first["period_s"] / 2:g} s on average at best.

{detection_table(detection)}

![All checks at once](performance-burst.svg)

## Loss

{loss_table(loss)}

## Deliveries

{sending}

{method}
## Reproduce

```console
$ tests/run.sh peers            # as root, on an idle machine, 45 minutes; installs the products first
$ CHECKS=100 SECONDS_EACH=20 tests/run.sh peers   # smaller
$ benches/peers/run.py render   # this document again, from the figures in target/peers
```
"""
    return {"performance.md": text, **plots(results)}
