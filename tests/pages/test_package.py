"""What others install: a wheel with the tables of results, and a library that a folder `lib` does not hide."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from built import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of what git would give."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("lib", "book"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(code: str, folder) -> str:
    """What Python prints that is started in a folder, without the paths of these tests."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def built(project, kind: str) -> zipfile.ZipFile:
    """A wheel, or what an editable install consists of; made offline by the locked setuptools."""
    name = run(f"from setuptools import build_meta; print(build_meta.build_{kind}('dist'))", project)
    return zipfile.ZipFile(project / "dist" / name)


def test_a_wheel_carries_the_library_and_what_it_reads(project):
    names = set(built(project, "wheel").namelist())
    modules = {file.relative_to(project).as_posix() for part in ("lib", "book")
               for file in (project / part).rglob("*.py")}
    tables = {path.relative_to(ROOT).as_posix() for path in (ROOT / "lib" / "results").rglob("*.csv")}
    assert len(tables) > 50
    assert modules | tables <= names


def test_a_folder_that_is_called_lib_does_not_hide_the_library(project, tmp_path):
    """Many projects have one. There is no module in it, so Python looks on, and finds the line of the install."""
    (tmp_path / "lib").mkdir()
    built(project, "editable").extractall(tmp_path / "site")
    # Without the line of the environment that runs this test.
    without_ours = f"sys.path[:] = [place for place in sys.path if place != {str(ROOT)!r}]"
    code = (f"import importlib.util, site, sys; {without_ours}; site.addsitedir('site'); "
            "print(importlib.util.find_spec('lib').origin)")
    assert run(code, tmp_path) == str(project / "lib" / "__init__.py")
