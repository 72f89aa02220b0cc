"""One set of locked packages drives make, CI, conda and Binder: they agree with each other and with pyproject.toml."""

import os
import re
import sys
import tomllib
from importlib import metadata

import pytest
import yaml
from built import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = ("3.11", "3.12", "3.13")
GPU = re.compile(r"nvidia-|cuda-|triton$")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


LOCK_LINES = [line for line in text("requirements.lock").splitlines() if line and not line.startswith("#")]
LOCK = dict(line.split("==") for line in LOCK_LINES)


def direct_dependencies() -> list[Requirement]:
    project = PROJECT["project"]
    groups = [PROJECT["build-system"]["requires"], project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(line) for group in groups for line in group]


def test_lock_is_exact_versions_and_nothing_else():
    for line in LOCK_LINES:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line), line
    assert LOCK_LINES == sorted(LOCK_LINES, key=lambda line: line.split("==")[0])
    assert len(LOCK) == len(LOCK_LINES)
    assert not [name for name in LOCK if GPU.match(name)]


@pytest.mark.parametrize("requirement", direct_dependencies(), ids=str)
def test_locked_version_lies_in_the_range(requirement):
    assert requirement.specifier.contains(LOCK[canonicalize_name(requirement.name)])


def test_lock_is_complete():
    """Whatever a locked package needs is locked too: pip has nothing left to choose, GPU packages aside."""
    missing = set()
    for name in LOCK:
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            if needed.marker and not needed.marker.evaluate({"extra": ""}):
                continue
            other = canonicalize_name(needed.name)
            if not GPU.match(other):
                if other not in LOCK:
                    missing.add(f"{name} needs {other}")
                else:
                    assert needed.specifier.contains(LOCK[other],
                                                     prereleases=True), f"{name} needs {needed}, not {LOCK[other]}"
    assert missing == set()


@pytest.mark.parametrize("name", LOCK)
def test_installed_version_is_the_locked_one(name):
    assert metadata.version(name).split("+")[0] == LOCK[name]


@pytest.mark.parametrize("name", LOCK)
def test_locked_package_runs_on_every_python_promised(name):
    promised = SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
    assert all(promised.contains(f"{python}.0") for python in PYTHONS)


def test_pythons_promised_agree():
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    classified = [line.rsplit(" ", 1)[1] for line in PROJECT["project"]["classifiers"]
                  if line.startswith("Programming Language")]
    assert tuple(classified) == PYTHONS
    assert all(allowed.contains(python) for python in PYTHONS)
    assert not allowed.contains("3.10")
    assert allowed.contains(".".join(map(str, sys.version_info[:3])))


def test_conda_and_binder_install_the_lock():
    environment = yaml.safe_load(text("environment.yml"))
    python, pip, packages = environment["dependencies"]
    assert python.split("=")[1] in PYTHONS
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.lock", "-e ."]}
    assert "python -m book.make.lab" in text("postBuild")
    assert os.access(ROOT / "postBuild", os.X_OK)


def test_make_and_ci_install_the_lock():
    makefile, ci = text("Makefile"), text(".ci/run")
    assert re.search(r"pip install \$\(PIP_ARGS\) -r requirements\.lock$", makefile, re.MULTILINE)
    assert re.search(r"^make book$", ci, re.MULTILINE)
    assert re.search(r"^make test$", ci, re.MULTILINE)
    assert "pip install" not in ci, "CI installs packages through make only"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_version_held_back_by_make_lock_is_the_locked_one():
    held = re.search(r"^HOLD \?= (.*)$", text("Makefile"), re.MULTILINE)[1].split()
    for line in held:
        name, version = line.split("==")
        assert Version(LOCK[name]) == Version(version)


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "environment.yml", "postBuild", ".ci/run"])
def test_no_address_is_written_down_where_packages_are_chosen(name):
    assert "://" not in text(name)
    assert "index-url" not in text(name)


def test_readme_gives_the_plain_commands_behind_make():
    readme = text("README.md")
    for command in ("make book", "make test", "pip install -r requirements.lock", "python -m book.make.train",
                    "jupyter-book build . --toc book/_toc.yml", "python -m pytest"):
        assert command in readme, f"README.md does not mention `{command}`"
