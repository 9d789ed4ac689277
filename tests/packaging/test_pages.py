"""Manual pages and bash completion, as packages have them: made by gatewayctl, judged by groff, man and bash."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.gateway import BIN

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    folder = tmp_path_factory.mktemp("share")
    subprocess.run([ROOT / "packaging/make-pages", f"{BIN}/gatewayctl", folder], check=True)
    return folder


def pages(share):
    return sorted((share / "man").glob("man*/*"))


def test_every_program_has_a_page(share):
    names = {page.name for page in pages(share)}
    assert {"gateway.yaml.5", "gatewayctl.8", "holdfast-master.8", "holdfast-smtpd.8", "holdfast-qmgr.8",
            "holdfast-deliver.8", "holdfast-prober.8"} <= names


@pytest.mark.parametrize("width", [60, 80, 200])
def test_groff_warns_of_nothing(share, width):
    for page in pages(share):
        run = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", f"-rLL={width}n", page], capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (0, ""), page.name


def test_groff_takes_no_text_for_itself(share):
    """Each word of the Markdown reference is on the page that a reader sees."""
    seen = subprocess.run(["groff", "-man", "-Tutf8", "-P-c", "-P-b", "-P-u", "-rLL=200n", share / "man/man8/gatewayctl.8"],
                          check=True, capture_output=True, text=True).stdout
    reference = subprocess.run([f"{BIN}/gatewayctl", "manual"], check=True, capture_output=True, text=True).stdout
    wanted = [line.split("`")[1].replace("\\|", "|") for line in reference.splitlines() if line.startswith("| `")]
    assert len(wanted) > 100
    assert [word for word in wanted if word not in seen] == []


@pytest.mark.parametrize("tool, below", [("holdfast-import", ("postfix", "exim")), ("holdfast-ldap", ())])
def test_a_tools_page_has_its_options(share, tool, below):
    page = (share / f"man/man8/{tool}.8").read_text().replace("\\-", "-")
    told = ""
    for words in ((), *((word,) for word in below)):
        told += subprocess.run([BIN / tool, *words, "--help"], check=True, capture_output=True, text=True).stdout
    options = set(re.findall(r"^ +(--[a-z-]+)", told, re.M))
    assert len(options) >= 3
    assert [option for option in options if option not in page] == []


@pytest.mark.skipif(shutil.which("man") is None, reason="no man here")
def test_man_warns_of_nothing(share):
    env = dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80")
    for page in pages(share):
        run = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True, text=True,
                             env=env)
        assert (run.returncode, run.stderr) == (0, ""), page.name


def test_a_page_that_is_not_there():
    run = subprocess.run([f"{BIN}/gatewayctl", "manual", "nobody.8"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (67, "")
    assert run.stderr == "gatewayctl: there is no page 'nobody.8': see gatewayctl manual --pages\n"


def complete(share, *words):
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gatewayctl; '
              '[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"')
    run = subprocess.run(["bash", "-u", "-c", script, "bash", share / "bash-completion/completions/gatewayctl", *words],
                         check=True, capture_output=True, text=True)
    assert run.stderr == ""
    return run.stdout.split()


def test_bash_completes_commands_and_options(share):
    assert complete(share, "gatewayctl", "que") == ["queue"]
    assert {"list", "retry", "release", "delete"} <= set(complete(share, "gatewayctl", "queue", ""))
    assert set(complete(share, "gatewayctl", "queue", "li")) == {"list"}
    assert "--sender" in complete(share, "gatewayctl", "queue", "list", "--s")
    assert set(complete(share, "gatewayctl", "--json", "config", "re")) == {"reload", "reference"}
    assert complete(share, "gatewayctl", "queue", "list", "--json", "--js") == ["--json"]


def test_bash_completion_steps_over_values_and_offers_files(share, tmp_path):
    (tmp_path / "other.yaml").touch()
    # "queue" is the value of --config here, no command.
    assert "status" in complete(share, "gatewayctl", "--config", "queue", "")
    assert complete(share, "gatewayctl", "--config", f"{tmp_path}/o") == [f"{tmp_path}/other.yaml"]
    assert complete(share, "gatewayctl", "queue", "list", "--domain", "") == []


def test_completion_is_for_bash_alone():
    run = subprocess.run([f"{BIN}/gatewayctl", "completion", "fish"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (64, "")
    assert "only for bash" in run.stderr
