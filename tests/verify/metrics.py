"""Reads metrics as the Prometheus project's own library does, by the strict rules of OpenMetrics, or in the classic text format.

Usage: metrics.py FILE [classic]; prints a JSON list of {"name": .., "type": .., "labels": {..}, "value": ..}
"""

import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics


def main(path, form=openmetrics):
    with open(path, encoding="utf-8", newline="\n") as file:
        families = list(form.text_string_to_metric_families(file.read()))
    samples = [
        {"name": sample.name, "type": family.type, "labels": sample.labels, "value": sample.value}
        for family in families
        for sample in family.samples
    ]
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], parser if sys.argv[2:] == ["classic"] else openmetrics)
