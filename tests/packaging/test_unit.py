"""The systemd unit, as far as it can be judged without a systemd that runs."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging/debian/holdfast.service"

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def settings(name):
    return " ".join(line.split("=", 1)[1] for line in UNIT.read_text().splitlines() if line.startswith(f"{name}=")).split()


@needs_analyze
def test_its_exposure_is_under_3():
    run = subprocess.run(["systemd-analyze", "security", "--offline=true", UNIT], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    figure = float(re.search(r"exposure level for holdfast\.service: ([\d.]+)", run.stdout)[1])
    assert figure < 3, run.stdout


@needs_analyze
def test_systemd_understands_each_line(tmp_path):
    """With the programs it names at hand."""
    unit = tmp_path / "holdfast.service"
    unit.write_text(UNIT.read_text().replace("/usr/libexec/holdfast/master", "/bin/true").replace("/usr/sbin/gatewayctl", "/bin/true"))
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    assert [line for line in run.stderr.splitlines() if str(unit) in line or "holdfast" in line] == []


def calls(group):
    """The system calls of a group of systemd's."""
    run = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True, capture_output=True, text=True, timeout=60)
    out = set()
    for word in (line.strip() for line in run.stdout.splitlines()[1:]):
        if word.startswith("@"):
            out |= calls(word)
        elif word and not word.startswith("#"):
            out.add(word)
    return out


@needs_analyze
def test_its_filter_leaves_what_master_and_daemons_use():
    """The unit's filter is in force before the daemons' own: what these allow, and what closes them, must pass."""
    allowed = set()
    for word in settings("SystemCallFilter"):
        allowed |= calls(word) if word.startswith("@") else {word}
    source = (ROOT / "common/sandbox/seccomp.cc").read_text()
    daemons = set(re.findall(r"SCMP_SYS\((\w+)\)", source[source.index("kAllowed[]"):source.index("kDeadly[]")]))
    masters = {"execve", "clone", "clone3", "fork", "vfork", "wait4", "waitid", "kill", "setresuid", "setresgid", "setgroups",
               "capset", "prctl", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
               "memfd_create", "chown", "lchown", "fchownat", "chmod", "prlimit64", "signalfd4", "socket", "socketpair", "alarm"}
    assert len(daemons) > 100
    assert (daemons | masters) - allowed == set()


def test_it_may_do_what_master_does_as_root():
    needed = {"CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE",
              "CAP_KILL"}
    assert set(settings("CapabilityBoundingSet")) == needed


def test_its_folders_are_those_of_the_defaults():
    text = (ROOT / "etc/gateway.yaml").read_text()
    spool, state, run, log = (re.search(rf"#  {name}: (\S+)", text)[1] for name in ("spool", "state", "run", "log"))
    assert set(settings("ReadWritePaths")) == {spool, state, log}
    assert f"/run/{settings('RuntimeDirectory')[0]}" == run
