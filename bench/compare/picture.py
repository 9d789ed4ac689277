"""Bars by peer as an SVG: messages a second (longer is better) and processor time (shorter is better)."""

from xml.sax.saxutils import escape

from figures import median
from report import number, peer_names

_LEFT, _BAR, _STEP, _PANEL, _GAP = 90, 14, 20, 300, 110
_COLOURS = {"gateway": "#1f6f8b"}
_OTHER = "#b8b8b8"
_PANELS = (("per_second", "messages a second", 0), ("cpu_ms", "processor time a message, ms", 3))
_TITLES = {"relay": "relay: the destination is up", "spool": "spool: it is down, on disk before 250", "drain": "drain: it is back"}


def _text(x, y, words, size=11, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}">'
            f'{escape(words)}</text>')


def _panel(result, scenario, key, decimals, left, top):
    """The bars of one figure; the longest has the panel's width."""
    values = [(peer, median(result["rows"], "base", scenario, peer, key)) for peer in peer_names(result)]
    values = [(peer, value) for peer, value in values if value is not None]
    longest = max((value for _, value in values), default=1) or 1
    out = []
    for index, (peer, value) in enumerate(values):
        y = top + index * _STEP
        width = max(1, value / longest * (_PANEL - 60))
        out += [_text(left - 6, y + _BAR - 3, peer, anchor="end"),
                f'<rect x="{left}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{_COLOURS.get(peer, _OTHER)}"/>',
                _text(left + width + 5, y + _BAR - 3, number(value, decimals))]
    return out, len(values)


def svg(result):
    width = 2 * (_LEFT + _PANEL) + _GAP - _LEFT
    out, y = [_text(10, 24, "4 KiB, 20 clients, a connection a message; median of the rounds", 14, weight="bold")], 48
    for scenario, title in _TITLES.items():
        panels = [_panel(result, scenario, key, decimals, _LEFT + column * (_PANEL + _GAP), y + 30)
                  for column, (key, _, decimals) in enumerate(_PANELS)]
        if not any(count for _, count in panels):
            continue
        out.append(_text(10, y, title, 13, weight="bold"))
        for column, ((_, name, _), (bars, _)) in enumerate(zip(_PANELS, panels)):
            out += [_text(_LEFT + column * (_PANEL + _GAP), y + 20, name), *bars]
        y += 30 + max(count for _, count in panels) * _STEP + 26
    body = "\n".join(out)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}" '
            f'font-family="sans-serif">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n')
