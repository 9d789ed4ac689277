"""What reads and plays the hostile cases finds what it is there to find."""

import types

import pytest

from support.hostile import Player, Surprise, differs, far_side, load, never_ambiguous, unescape


def test_bytes():
    assert unescape(r"a\r\n\0\x8d\t\\") == b"a\r\n\0\x8d\t\\"
    assert unescape(r"\{3*ab\n}c") == b"ab\nab\nab\nc"
    assert unescape(r"\{2*x\{3*y}}") == b"xyyyxyyy"
    assert unescape("ä") == "ä".encode()
    with pytest.raises(KeyError):
        unescape(r"\q")


def test_cases_have_names_senders_and_addresses_of_their_own():
    cases = load()
    for own in (lambda c: (c.group, c.name), lambda c: c.me, lambda c: c.address()):
        assert len({own(case) for case in cases}) == len(cases)
    assert all("$" not in argument.replace("$HOME", "").replace("$(id)", "") for case in cases for _, argument in case.steps)


def test_a_message_that_should_not_be_or_is_another_is_seen():
    wanted = (("a@b", ("c@d",), b"x\r\n"),)
    assert not differs(wanted, wanted)
    assert differs(wanted, ()) and differs((), wanted) and differs(wanted, (("a@b", ("c@d",), b"x\r\n\r\n"),))
    case = types.SimpleNamespace(me="me1@client.test", evil="evil1@client.test")
    message = types.SimpleNamespace(sender="evil1@client.test", recipients=["c@d"], body=b"y")
    assert far_side(types.SimpleNamespace(messages=[message]), case) == (("evil1@client.test", ("c@d",), b"y"),)


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\rb\r\n", b"\r\r\n", b"a\n", b"a\r"])
def test_a_bare_line_end_is_seen(raw):
    assert never_ambiguous({1: b"MAIL\r\n" + raw})
    assert not never_ambiguous({1: b"MAIL\r\nDATA\r\n"})


def test_another_answer_is_a_surprise():
    replies = ["550 5.6.11 Bare CR"]
    player = Player.__new__(Player)
    player.strict, player.pending, player.played = True, [], None
    player._read = lambda: types.SimpleNamespace(text=replies[0])
    player.do_S("550 5.6.11")
    player.do_S("550")
    for wanted in ("250", "550 5.6.1", "554 5.6.11"):
        with pytest.raises(Surprise):
            player.do_S(wanted)
