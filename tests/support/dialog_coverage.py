"""Which sections of the RFCs the dialogue scripts name in their comments."""

import re

REFERENCE = re.compile(r"RFC (\d+)((?:(?!RFC \d|design\.md|CVE)[^:;()])*)")
PLACE = re.compile(r"\bappendix ([A-Z](?:\.\d+)*)|(?<![\d.])(\d+(?:\.\d+)*)(?=[,. ]|$)")
CLAUSE = re.compile(r"\| (\d\.[^|]*?) \| ([^|]+?) \| ([^|]+?) \| `([^|]+?)` \|$")
ROW = re.compile(r"\| (\d+) \| ([^|]+?) \| ([^|]+?) \| ([^|]*?) ?\|$")


def named(comment):
    """{("5321", "4.1.1.2"), ("5321", "appendix C")} of "RFC 5321 sections 4.1.1.2, appendix C: …"."""
    out = set()
    for rfc, text in REFERENCE.findall(comment):
        words = re.search(r"\b(?:sections?|appendix)\b.*", text)
        for appendix, section in PLACE.findall(words.group(0) if words else ""):
            out.add((rfc, f"appendix {appendix}" if appendix else section))
    return out


def comment_of(script):
    return " ".join(line[1:].strip() for line in script.read_text().splitlines() if line.startswith("#"))


def by_section(folder):
    """The names of the scripts for each (RFC, section)."""
    out = {}
    for script in sorted(folder.glob("*.dialog")):
        for place in named(comment_of(script)):
            out.setdefault(place, []).append(script.stem)
    return out


def rows(page):
    """(RFC, section, what, elsewhere) of the table."""
    return [match.groups() for line in page.read_text().splitlines() if (match := ROW.match(line))]


def clauses(page):
    """(item, what, where, test) of the second table."""
    return [match.groups() for line in page.read_text().splitlines() if (match := CLAUSE.match(line))]
