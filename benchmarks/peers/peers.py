"""Measures the Python client on one file: one line of JSON; processor time, median of the rounds."""

import json
import statistics
import sys
import time

from prometheus_client.parser import text_string_to_metric_families

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()

rounds = []
while sum(rounds) < float(sys.argv[2]) or len(rounds) < 3:
    start = time.process_time()
    samples = sum(len(family.samples) for family in text_string_to_metric_families(text))
    rounds.append(time.process_time() - start)

print(json.dumps({
    "peer": "prometheus_client (Python), families",
    "mb_per_s": len(text.encode()) / statistics.median(rounds) / 1e6,
}))
