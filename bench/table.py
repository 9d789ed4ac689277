#!/usr/bin/python3
"""Makes a table of docs/performance.md from what scale.py, growth.py, idle.py or slow_fsync.py has written:

    bench/table.py scale.json [WHAT IS COUNTED]
"""

import json
import sys


def value(row):
    text = f"{row['value']} {row['unit']}".strip()
    more = [f"{k.replace('_', ' ')} {v}" for k, v in row.items()
            if k in ("cpu", "cpu_us_a_message", "qmgr_us", "deliver_us", "of", "all", "resident", "rate_ratio", "cpu_ratio",
                     "times_one_fsync_a_message", "messages_a_sync", "p50", "p99")]
    return text + (f" ({', '.join(more)})" if more else "")


def main():
    rows = [json.loads(line) for line in open(sys.argv[1])]
    counts = sorted({row["count"] for row in rows})
    names = list(dict.fromkeys(row["name"] for row in rows if row["name"] != "make-queue"))
    print(f"| {sys.argv[2] if len(sys.argv) > 2 else 'what'} | goal | " + " | ".join(f"{count:,}" for count in counts) + " |")
    print("|---" * (len(counts) + 2) + "|")
    for name in names:
        found = {row["count"]: row for row in rows if row["name"] == name}
        goal = next((row["goal"] for row in found.values() if "goal" in row), "")
        cells = [value(found[count]) if count in found else "–" for count in counts]
        print(f"| {name} | {goal} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
