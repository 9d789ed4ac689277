"""Lists that must agree: what the packages are built with and of, and what the tree has."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_build_dependencies_are_what_a_build_needs():
    """A package's build needs what `tools/install-deps run` installs, without what only tests and developers need."""
    run = re.search(r'^run="(.*?)"', (ROOT / "tools/install-deps").read_text(), re.M | re.S)[1].split()
    others = {"g++", "ccache", "libgtest-dev", "libfuse3-dev", "python3", "dns-root-data"}
    control = (ROOT / "packaging/debian/control").read_text()
    listed = re.search(r"^Build-Depends: (.*?)\n\n", control, re.M | re.S)[1]
    build = {word.split()[0] for word in listed.split(",")}
    assert set(run) - others - build == set()


def test_every_program_is_built_by_make_and_told_of_in_copyright():
    programs = set(re.search(r"^PROGRAMS := (.*)$", (ROOT / "Makefile").read_text(), re.M)[1].split())
    folders = re.search(r"^foreach\(program (.*)\)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1].split()
    for folder in folders:
        made = re.search(r"holdfast_program\((\S+)", (ROOT / folder / "CMakeLists.txt").read_text())[1]
        assert made in programs, made


def test_the_container_has_what_the_package_has():
    """No engine and no registry of images is at hand: what can be known without them."""
    text = (ROOT / "packaging/Containerfile").read_text()
    unit = (ROOT / "packaging/debian/holdfast.service").read_text()
    assert re.search(r'^ENTRYPOINT \["(.*)"\]', text, re.M)[1] == re.search(r"^ExecStart=(.*)$", unit, re.M)[1]
    needed = {name.removeprefix("CAP_") for name in re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)[1].split()}
    assert set(re.search(r"--cap-add ([A-Z_,]+)", text)[1].split(",")) == needed
    assert "FROM debian:12-slim" in text
    volumes = set(re.findall(r'"(/[^"]+)"', re.search(r"^VOLUME (.*)$", text, re.M)[1]))
    assert volumes == set(re.search(r"^ReadWritePaths=(.*)$", unit, re.M)[1].split())
