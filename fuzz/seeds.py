#!/usr/bin/python3
"""First inputs for the fuzz targets, out of the dialogs and of what else the tests know.

    fuzz/seeds.py FOLDER        writes FOLDER/TARGET/N for each target

Not part of any build: `tools/fuzz merge` keeps of them, and of what fuzzing finds, what the committed corpora need.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DIALOGS = sorted((ROOT / "tests/dialogs").glob("*.dialog"))
OFFERS = {"smtputf8": 2, "dsn": 4, "chunking": 8, "starttls": 16, "xclient": 32, "tls_required": 64}


def unescape(text):
    def one(found):
        word = found.group(1)
        if word[0] == "{":
            return int(found.group(2)) * found.group(3).encode("latin-1")
        if word[0] == "x":
            return bytes([int(word[1:], 16)])
        return {"r": b"\r", "n": b"\n", "0": b"\0", "\\": b"\\"}[word]

    out, at = b"", 0
    for found in re.finditer(r"\\(x[0-9A-Fa-f]{2}|\{(\d+)\*(.)\}|[rn0\\])", text):
        out += text[at:found.start()].encode("utf-8") + one(found)
        at = found.end()
    return out + text[at:].encode("utf-8")


def read_dialog(path):
    """(options, what the client sends, what the server says)"""
    options, client, server = {}, b"", b""
    for line in path.read_text(encoding="utf-8").splitlines():
        kind, text = line[:2], line[3:]
        if kind == "O:":
            word, _, value = text.partition(" ")
            options[word] = value
        elif kind == "C:":
            client += text.encode("utf-8") + b"\r\n"
        elif kind == "R:":
            client += unescape(text)
        elif kind == "S:":
            server += text.encode("utf-8") + b"\r\n"
        elif line == "tls":
            client += b"\xfe"
    return options, client, server


def server_session():
    for path in DIALOGS:
        options, client, _ = read_dialog(path)
        offers = sum(bit for name, bit in OFFERS.items() if name in options)
        limits = 4 if options.get("bare_newline") == "normalize" else 0
        limits += 2 if int(options.get("size_limit") or 0) else 0
        limits += 8 if "max_errors" in options else 0
        limits += 16 if "max_junk" in options else 0
        limits += 32 if "max_recipients" in options else 0
        for answers in (0, 0b00101000):
            yield bytes([offers, limits, answers, 0, 7]) + client


def bdat():
    for path in DIALOGS:
        _, client, _ = read_dialog(path)
        for flags in range(4):
            yield bytes([flags, 5]) + client[-400:]
    for line in ("BDAT 12 LAST", "BDAT 0", "bdat  18446744073709551615  last", "BDAT 18446744073709551616"):
        yield b"\0\0" + line.encode() + b"\r\n"


COMMANDS = ["ehlo", "helo", "lhlo", "starttls", "plain", "login", "xclient", "null", "mail", "rcpt", "data", "rset", "noop",
            "quit"]


def say(*names):
    """Commands of ours: in content the odd one is the dot."""
    return b"".join(b"\xff" + bytes([15 if name == "dot" else COMMANDS.index(name)]) for name in names)


def client_session():
    banner = b"220 mx.test ESMTP\r\n"
    hello = say("ehlo") + b"250-mx.test\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250 LIMITS RCPTMAX=5\r\n"
    start = b"\x07" + banner + hello
    yield start + say("mail", "rcpt", "data") + b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n" + say("dot") + b"250 2.0.0 Ok\r\n"
    yield start + say("starttls") + b"220 Go\r\n250 injected\r\n" + say("ehlo", "ehlo") + b"250 mx.test\r\n"
    yield start + say("plain") + b"235 2.7.0 Ok\r\n" + say("quit") + b"221 Bye\r\n"
    yield start + say("login") + b"334 VXNlcg==\r\n334 UGFzcw==\r\n334 more\r\n535 5.7.8 No\r\n"
    yield start + say("xclient") + b"220 mx.test\r\n" + say("ehlo") + b"250-mx.test\r\n250 XCLIENT NAME ADDR\r\n"
    yield b"\x03" + banner + say("lhlo") + b"250 x\r\n" + say("null", "rcpt", "rcpt", "data") + (
        b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n") + say("dot") + b"250 e\r\n450 f\r\n"
    yield start + say("rset", "noop") + b"250 a\n250 b\n" + b"421 4.3.2 Bye\r\n"
    yield b"\x02" + b"220-a\r\n220-b\x01\r\n220\r\n" + say("helo") + b"500 no\r\n"
    yield b"\x02" + b"HTTP/1.1 400 Bad\r\n"
    for path in DIALOGS:
        yield b"\x05" + re.sub(rb"\r\n(?=\d{3} )", b"\r\n" + say("mail"), read_dialog(path)[2])


def reply_parser():
    for path in DIALOGS:
        yield read_dialog(path)[2]
    for text in ("250-a\n250 b\n", "550 5.1.1 no\r\n", "550-5.1.1 a\r\n550-5.1.1\r\n550 b\r\n", "550-a\r\n551 b\r\n", "200\r\n",
                 "450 4.7.1 Greylisted, come again\r\n", "354\r\n", "250-mx\r\n250-SIZE x\r\n250-AUTH=PLAIN\r\n250 LIMITS RCPTMAX=9999999999\r\n",
                 "250 " + "x" * 600 + "\r\n", "250-\x01\x7f\xff\r\n250 \tb\r\n"):
        yield text.encode("latin-1")


def address():
    words = ["a@b.test", "<a@b.test> SIZE=1", "<>", "<postmaster>", '"a b"@c.test', '<"a>b\\""@c.test>', "<@a.test,@b.test:c@d.test>",
             "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@[IPv6:::ffff:192.0.2.1]", "a@[x-tag:!?]", "a+b@c.test", "SRS0=x=y=z=a@b.test",
             "prvs=1=a@b.test", "\u00e9@b\u00fccher.example", "a@" + "b" * 63 + ".test", '""@b.test', '"a+b"@C.TEST', "<a@b.test>>", "a@b_c.-d"]
    for word in words:
        for flags in (0, 7):
            yield bytes([flags]) + word.encode()


def header_gate():
    headers = ["Subject: x\n\nbody\n", "X-Holdfast-Id: 1\n a\nTo: b\n", "Received: by x\nreceived : y\nReceived-SPF: z\n\n", " folded\nA: b\n",
               "a\n", "A" * 256 + ": x\n", "A" * 250 + "       : x\n", "x-holdfast-a : b\n\tc\n\nX-Holdfast-B: c\n", ".a: b\n", "A:\n\n",
               "X-Holdfast-Copy-Of: 1\nA: b\n\n", "no field\nx-holdfast-copy-of : 1\n", "X-Holdfast-Copy-Offer: 1\n a\n\nX-Holdfast-Copy-Of: 1\n"]
    for header in headers:
        for pieces in (0, 1, 255):
            yield bytes([pieces]) + header.encode()


def proxy_header():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    for line in ("TCP4 192.0.2.1 192.0.2.2 56324 25", "TCP6 2001:db8::1 ::1 1 65535", "UNKNOWN", "UNKNOWN ::1 x", "TCP4 a b c d", "TCP4 1.2.3.4 1.2.3.4 01 2"):
        yield f"PROXY {line}\r\nEHLO".encode()
    four, six = bytes(range(1, 13)), bytes(range(1, 37))
    for head, block in ((b"\x21\x11", four), (b"\x21\x21", six), (b"\x20\0", b""), (b"\x21\x11", four + b"\x03\0\x01x"), (b"\x21\x31", bytes(216)),
                        (b"\x21\x11", b"abc"), (b"\x22\x11", four), (b"\x11\x11", four)):
        yield signature + head + len(block).to_bytes(2, "big") + block + b"EHLO"


def xclient():
    yield b"NAME=a.test ADDR=192.0.2.1 PORT=25 PROTO=ESMTP HELO=h LOGIN=+41+3D DESTADDR=IPV6:2001:db8::1 DESTPORT=65535"
    for text in ("NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL]", "ADDR=IPV6:ipv6:::1", "name=a NAME=b", "PORT=65536", "HELO=+0A", "HELO=a+20b", "NAME", "X=1", "LOGIN=" + "a" * 256,
                 "NOTIFY=NEVER SUCCESS,DELAY rfc822;a+2Bb utf-8;\\x{e9}"):
        yield text.encode()


def frame(kind, body):
    return (len(body) + 2).to_bytes(4, "little") + kind.to_bytes(2, "little") + body


def text32(text):
    return len(text).to_bytes(4, "little") + text.encode()


def ipc():
    """Zeros are the shortest body of most messages; hello and control have words."""
    hello = text32("holdfast") + (1).to_bytes(4, "little") + text32("smtpd") + bytes(8)
    control = text32("queue.list") + (2).to_bytes(4, "little") + text32("--json") + text32("a") + text32("root")
    yield b"\x03" + frame(1, hello) + frame(2, control) + frame(3, bytes(4) + text32("{}") + text32("no"))
    for kind in range(1, 17):
        for size in (0, 8, 24, 60, 120):
            yield b"\x05" + frame(kind, bytes(size))
    job = bytes(16) + text32("office") + bytes(24) + bytes(16) + b"\x01" + (1).to_bytes(4, "little") + bytes(4) + text32("a@b.test") + b"\x01" + text32("b.test")
    outcome = bytes(16) + text32("office") + text32("none") + b"\x01\x06" + bytes(4) + b"\0\0\0" + (1).to_bytes(4, "little") + bytes(5) + text32("250 Ok") + text32("2.0.0") + b"\x0a\0\0" + b"\0"
    yield b"\x09" + frame(6, job) + frame(7, outcome)
    yield b"\xff" + frame(5, (1).to_bytes(4, "little") + bytes(12) + text32("office") + (1).to_bytes(4, "little") + outcome)
    yield b"\xff" + frame(11, (2).to_bytes(4, "little") + 2 * (text32("a@b.test") + text32("office") + b"\x01" + bytes(4)))
    yield b"\xff" + frame(16, (1).to_bytes(4, "little") + text32("b.test") + bytes(16))
    yield b"\x01" + b"\xff" * 4


def segment_reader():
    """from, upto, check_content, count of records; each: kind, id, sender, content; changes; cut; what is written over it"""
    def text(words):
        return bytes([len(words)]) + words

    def record(kind, sender=b"a@b.test", content=b"Subject: x\r\n\r\nbody\r\n"):
        return bytes([kind, 7, 1]) + text(sender) + text(content)

    start = bytes([0, 16, 0, 1])
    yield start + bytes([1]) + record(0) + bytes([0, 0, 0])
    yield start + bytes([3]) + record(2) + record(4, b"") + record(0x40) + bytes([0, 0, 0])
    yield start + bytes([2]) + record(0) + record(0) + bytes([1, 0x10, 0x10, 1]) + bytes([0, 0])
    yield start + bytes([2]) + record(2) + record(0) + bytes([2, 0, 0x18, 1, 5, 0, 1]) + bytes([2, 16])
    yield start + bytes([1]) + record(1, bytes(4)) + bytes([0, 0, 0])
    yield bytes([0, 16, 1, 0, 48, 0, 2]) + record(0) + record(0) + bytes([0, 1, 0]) + b"HOLDFSEG"
    yield start + bytes([1]) + record(0) + bytes([0, 2, 0]) + b"HOLDFREC" + bytes([1, 0, 0, 0]) + bytes(52)


def config():
    yield (ROOT / "etc/gateway.yaml").read_bytes()[:2900]
    yield b"""hostname: mx.test
listen: ["127.0.0.1:2525"]
paths: {base: /srv/h}
destinations:
  office: {servers: ["10.0.0.5:25", "[::1]:26"], probe: {interval: 90s}, retry: [{until: 2h, every: 15m}, {until: 1d, start: 5m, factor: 1.5}]}
  backup: {mx: true, retry: week, tls: {policy: verify}}
domains:
  a.test: {destination: office, mode: queue, local_recipients: [postmaster, sales@a.test], max_messages: 5}
  b.test: {destination: backup}
while_down: {filtering: run}
recipient_cache: {keep: 4d}
spool: {reserve: 10%}
"""
    yield b"hostname: [a]\nlistn: x\ndestinations: {a: {servers: []}, a: 1}\n"
    yield b"a: &x [1]\nb: *x\n<<: *x\n? c\n: |\n  d\n---\n...\n"


def dns_answers():
    for name in (b"\x02mx\x01a\x04test\0", b"\0", b"\x02MX\0", b"\x40" + bytes(64), b"\x01.\0", b"\x3f" + b"a" * 63 + b"\0", b"\x01a"):
        yield b"\0\x0a" + name
        yield name
    for text in ("example.org.", "b\u00fccher.example", "a..b", "xn--a.test", "\u3002", "_a-.test"):
        yield text.encode()
    for usage, selector, matching, size in ((3, 1, 1, 32), (2, 0, 2, 64), (3, 0, 0, 40), (1, 1, 1, 32), (3, 1, 1, 31), (3, 2, 1, 32), (3, 1, 0, 0)):
        yield bytes([usage, selector, matching]) + bytes(size)
    yield bytes(4)
    yield b"\0" * 10 + b"\xff\xff\x01\x02\x03\x04"


def delivery_report():
    def text(words):
        return bytes([len(words)]) + words

    def recipient(address, orcpt, status, reply, remote):
        return b"".join(map(text, (address, orcpt, status, reply, remote))) + b"\x01"

    one = recipient(b"a@b.test", b"rfc822;a+2Bb@c.test", b"5.1.1", b"550 5.1.1 No such user", b"mx.b.test[192.0.2.1]:25")
    two = recipient(b"\xc3\xa9@b.test", b"", b"4.4.1", b"connect: refused", b"none")
    odd = recipient(b"a\r\nb", b"utf-8;\\x{e9}+0D+0A", b"5.1.1 x", b"250\r\n\r\n--x", b"[2001:db8::1]:25")
    mail = text(b"s@c.test") + text(b"id+2B") + text(b"<1@c.test>")
    yield bytes([0x0c]) + b"\1\0\1\0" + mail + one + b"Subject: x\n\nbody\n"
    yield bytes([0x3d]) + b"\1\0\1\0" + mail + one + two + b".Subject: \xc3\xa9\n x\n\nbody\n"
    yield bytes([0x22]) + b"\1\0" + mail + two + odd + b"\xff\n\nbody\n--1234\n"
    yield bytes([0x40]) + b"\1\0" + text(b"a b\r\nc") + text(b"+0A") + text(b"<a\r\nb>") + one + two + odd


def milter():
    def packet(kind, data=b""):
        return (len(data) + 1).to_bytes(4, "big") + kind + data

    def terms(version, actions, steps, more=b""):
        return packet(b"O", b"".join(n.to_bytes(4, "big") for n in (version, actions, steps)) + more)

    def text(*words):
        return b"".join(word.encode() + b"\0" for word in words)

    contents = [b"A: b\r\nC: d\r\n e\r\n\r\n.x\r\n", b"no field\r\n", b""]
    go_on = packet(b"c")
    edits = (packet(b"h", text("X-A", "1\nBcc: x")) + packet(b"i", bytes(4) + text("X-B", " 2")) + packet(b"m", bytes([0, 0, 0, 1]) + text("A", "")) +
             packet(b"e", text("<x@y>", "SIZE=1")) + packet(b"+", text("<e@f>")) + packet(b"2", text("<e@f>", "NOTIFY=NEVER")) + packet(b"-", text("c@d.test")) +
             packet(b"q", text("why")) + packet(b"b", b"one\n.two\r\n") + packet(b"p"))
    for number, content in enumerate(contents):
        head = bytes([number, len(content)]) + content
        yield head + terms(6, 0x1ff, 0) + go_on * 8 + edits + packet(b"a") + go_on * 9 + edits + packet(b"r")
        yield head + terms(6, 0x1ff, 0x10008b, bytes([0, 0, 0, 2]) + text("i j")) + go_on * 4 + packet(b"s") + edits + go_on
        yield head + terms(2, 0x3f, 0) + packet(b"y", text("451-4.7.1 a\r\n451 4.7.1 b%%")) + packet(b"t") + packet(b"d") + packet(b"4")


def web_request():
    yield from (b"/api/v1/queue?state=held&sender=%3c%3E&after=~0a", b"/%2e%2e/etc/passwd", b"/api//v1/%2F?a=b+c&a=2&=&%00", b"/a#?b=%4",
                b"holdfast=abc; other=x; holdfast=d", b" holdfast = x;;holdfast=", b"Bearer hf_0011aabb_secret ", b"/index.html?%", b"",
                b"/?" + b"&".join(b"n%d=1" % n for n in range(70)))


def main():
    folder = pathlib.Path(sys.argv[1])
    for make in [server_session, bdat, client_session, reply_parser, address, header_gate, proxy_header, xclient, ipc, segment_reader, config,
                 dns_answers, delivery_report, milter, web_request]:
        (folder / make.__name__).mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(make()):
            (folder / make.__name__ / f"seed-{number:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
