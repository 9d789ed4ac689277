"""Puts a run into docs/: bench.json, bench.svg, and the table in performance.md between two marks."""

import json

import picture
import report
from places import ROOT

BEGIN, END = "<!-- bench: begin (written by make bench-doc) -->", "<!-- bench: end -->"


def replaced(page, table):
    """The page with the table between the marks; ValueError if they are not there once each, in order."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"docs/performance.md must have {BEGIN} and then {END}, once each")
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def about(result):
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items() if version)
    return (f"Measured {result['at'][:10]} at commit {result['commit']} with `{result['command']}` on {result['machine']}, "
            f"{result['kernel']}; "
            f"disk: {result['disk']}; processor time by {result['processor_time']}; {versions}.")


def write(result):
    docs = ROOT / "docs"
    page = docs / "performance.md"
    page.write_text(replaced(page.read_text(), f"{about(result)}\n\n{report.markdown(result)}\n\n![messages a second and "
                                               "processor time by peer](bench.svg)"))
    (docs / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    (docs / "bench.svg").write_text(picture.svg(result))
