"""A filter on Debian's python3-milter, and so on the real libmilter: at each stage it does what a file of orders says.

    /usr/bin/python3 libmilter_filter.py FOLDER-OF-PACKAGES inet:PORT@127.0.0.1 ORDERS

ORDERS is JSON, read again at each stage: {"rcpt": [["reply", "550", "5.7.1", "Not you"]], "end": [["addheader", "X-A", "b"]]}:
a method of Milter.Base with its words, or a verdict. Each stage is told on standard output.
"""

import json
import os
import pathlib
import sys
import threading

sys.path.insert(0, sys.argv[1])
import Milter  # noqa: E402

ORDERS = pathlib.Path(sys.argv[3])
VERDICTS = {name: getattr(Milter, name.upper()) for name in ("accept", "continue", "tempfail", "reject", "discard", "skip")}


class Filter(Milter.Base):
    def does(self, stage):
        print(stage, flush=True)
        verdict = Milter.CONTINUE
        for name, *words in json.loads(ORDERS.read_text()).get(stage, []):
            if name in VERDICTS:
                verdict = VERDICTS[name]
            elif name == "reply":
                self.setreply(*words)
                verdict = Milter.REJECT if words[0].startswith("5") else Milter.TEMPFAIL
            elif name == "replacebody":
                self.replacebody(words[0].encode())
            elif name == "hang":
                threading.Event().wait()
            elif name == "die":
                os._exit(1)
            else:
                getattr(self, name)(*words)
        return verdict

    def connect(self, *_):
        return self.does("connect")

    def hello(self, *_):
        return self.does("helo")

    def envfrom(self, *_):
        return self.does("mail")

    def envrcpt(self, *_):
        return self.does("rcpt")

    def data(self):
        return self.does("data")

    def header(self, *_):
        return self.does("header")

    def eoh(self):
        return self.does("eoh")

    def body(self, _):
        return self.does("body")

    def eom(self):
        return self.does("end")


Milter.factory = Filter
Milter.runmilter("orders", sys.argv[2], 0)
