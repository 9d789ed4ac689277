"""Issue 5, how it is shown: a script for every command, parameter and error that concerns a relay (docs/smtp-coverage.md)."""

import pathlib
import re

import pytest

from support.dialog_coverage import by_section, clauses, named, rows

TESTS = pathlib.Path(__file__).resolve().parent.parent
DIALOGS = TESTS / "dialogs"
PAGE = TESTS.parent / "docs" / "smtp-coverage.md"
TABLE, CLAUSES = rows(PAGE), clauses(PAGE)


def test_the_comments_are_understood():
    assert named("RFC 5321 section 4.1.1: x") == {("5321", "4.1.1")}
    assert named("RFC 1870 section 6.1, RFC 3030 section 2: the chunk of 512 octets") == {("1870", "6.1"), ("3030", "2")}
    assert named("RFC 5321 sections 4.1.2, 4.5.3.1, appendix C: RFC 6152") == {
        ("5321", "4.1.2"), ("5321", "4.5.3.1"), ("5321", "appendix C")}
    assert named("see RFC 2034 and others 5") == set()


@pytest.mark.parametrize("rfc, section, what, elsewhere", TABLE)
def test_each_section_is_shown(rfc, section, what, elsewhere):
    if elsewhere:
        path, _, word = elsewhere.strip("`").partition("::")
        assert word and word in (TESTS / path).read_text(), f"{what}: not in {path}"
    else:
        assert by_section(DIALOGS).get((rfc, section)), f"no script of tests/dialogs names RFC {rfc} section {section}: {what}"


@pytest.mark.parametrize("item, what, where, shown", CLAUSES)
def test_each_clause_is_shown(item, what, where, shown):
    path, _, word = shown.partition("::")
    text = (TESTS / path).read_text()
    assert word and re.search(rf"\b{re.escape(word)}\b", text), f"{item} {what}: {word} is not in {path}"


def test_the_table_is_whole():
    assert len(TABLE) > 60 and len(CLAUSES) > 60
    assert {item[0] for item, *_ in CLAUSES} == set("12345678")
    listed = {(rfc, section) for rfc, section, *_ in TABLE}
    assert sorted(by_section(DIALOGS).keys() - listed) == [], "sections that scripts name and the table does not"
