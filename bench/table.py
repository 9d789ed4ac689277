#!/usr/bin/python3
"""Makes the table of docs/performance.md from what scale.py has written:  bench/table.py scale.json"""

import json
import sys


def value(row):
    text = f"{row['value']} {row['unit']}".strip()
    more = [f"{k.replace('_', ' ')} {v}" for k, v in row.items()
            if k in ("cpu", "cpu_us_a_message", "qmgr_us", "deliver_us", "of", "all", "resident")]
    return text + (f" ({', '.join(more)})" if more else "")


def main():
    rows = [json.loads(line) for line in open(sys.argv[1])]
    counts = sorted({row["count"] for row in rows})
    names = list(dict.fromkeys(row["name"] for row in rows if row["name"] != "make-queue"))
    print("| what | goal | " + " | ".join(f"{count:,}" for count in counts) + " |")
    print("|---" * (len(counts) + 2) + "|")
    for name in names:
        found = {row["count"]: row for row in rows if row["name"] == name}
        goal = next((row["goal"] for row in found.values() if "goal" in row), "")
        cells = [value(found[count]) if count in found else "–" for count in counts]
        print(f"| {name} | {goal} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
