"""tools/check-layers finds what it is for, and nothing else."""

import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-layers"


def run_on(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run([TOOL, tmp_path], capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name, text, words", [
    ("common/base/a.h", '#include "common/mail/address.h"', "no arrow leads from base to mail"),
    ("common/smtp/a.cc", '#include "common/net/stream.h"', "no arrow leads from smtp to net"),
    ("common/config/a.h", '#include "common/mail/address.h"', "no arrow leads from config to mail"),
    ("common/upstream/a.h", '#include "common/ipc/messages.h"', "no arrow leads from upstream to ipc"),
    ("common/net/a.cc", '#include "smtpd/session.h"', "no arrow leads from net to smtpd"),
    ("qmgr/a.cc", '#include "deliver/job.h"', "no arrow leads from qmgr to deliver"),
    ("qmgr/a.cc", "#include <lmdb.h>", "only storage may"),
    ("smtpd/a.cc", "# include <event2/event.h>", "only net, webd may"),
    ("gatewayctl/a.cc", "#include <yaml-cpp/yaml.h>", "only config may"),
    ("common/smtp/a.cc", "#include <sys/socket.h>", "is pure"),
    ("common/mail/a.cc", "auto t = base::wall_now();", "time is passed in"),
    ("common/cellar/a.h", "", "does not know"),
    ("smtpd/a.cc", '#include "tests/support/fake.h"', "never includes tests"),
])
def test_a_fault_is_found(tmp_path, name, text, words):
    code, out = run_on(tmp_path, {name: "// one line above\n" + text + "\n"})
    assert code == 1
    assert words in out
    assert f"{name}:" in out


def test_a_good_tree_passes(tmp_path):
    code, out = run_on(tmp_path, {
        "common/base/a.h": "#include <string>\n",
        "common/smtp/a.h": '#include "common/mail/reply.h"\n#include "common/base/text.h"\n',
        "common/net/a.cc": '#include <event2/event.h>\n#include "common/base/file.h"\n',
        "common/storage/a.cc": "#include <lmdb.h>\n",
        "smtpd/a.cc": '#include "common/upstream/pool.h"\n#include "smtpd/a.h"\n',
        "tests/unit/smtpd/a.cc": '#include "smtpd/a.h"\n#include <event2/event.h>\n',
    })
    assert code == 0, out
    assert "5 files, 0 faults" in out


def test_an_empty_tree_is_no_success(tmp_path):
    assert run_on(tmp_path, {})[0] == 1
