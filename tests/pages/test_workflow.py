"""The workflow on GitHub, as far as it can be tested elsewhere: its form, its commands, and the branch it writes."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from built import ROOT

PATH = ROOT / ".github" / "workflows" / "book.yml"
JOBS = yaml.safe_load(PATH.read_text(encoding="utf-8"))["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
SCRIPTS = [step["run"] for step in STEPS if "run" in step]


def test_it_is_a_workflow():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(PATH)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_commands_are_bash_and_exist(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    goals = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)", script)) <= set(goals)
    for path in re.findall(r"^\.[\w/.-]+", script, re.MULTILINE):
        assert os.access(ROOT / path, os.X_OK), path


def test_it_tests_every_python_promised():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))
    assert JOBS["test"]["strategy"]["matrix"]["python"] == promised
    used = [str(step["with"]["python-version"]) for step in STEPS if "setup-python" in step.get("uses", "")]
    assert set(used) <= {"${{ matrix.python }}", *promised}
    assert {"run": ".ci/run"} in JOBS["test"]["steps"]


def test_it_uses_official_actions_of_a_given_major_version():
    for step in STEPS:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step.get("uses", "actions/none@v0"))


def test_it_publishes_only_what_was_tested_and_only_from_main():
    job = JOBS["publish"]
    assert job["needs"] == "test" and "refs/heads/main" in job["if"] and "'push'" in job["if"]
    assert job["permissions"] == {"contents": "write", "pages": "write", "id-token": "write"}
    assert job["concurrency"]["group"]


def test_the_branch_of_notebooks_is_main_with_the_notebooks(tmp_path):
    """The script of the workflow itself, in a clone as GitHub makes it, twice: the second time there is a branch."""
    (script,) = [script for script in SCRIPTS if "git push" in script]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*arguments, folder):
        command = ["git", "-c", "user.name=A", "-c", "user.email=a@b", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True,
                              text=True).stdout.split()

    work, server = tmp_path / "work", tmp_path / "server"
    work.mkdir()
    git("init", "--quiet", "--initial-branch=main", folder=work)
    git("init", "--quiet", "--bare", "--initial-branch=main", str(server), folder=tmp_path)
    (work / ".gitignore").write_text((ROOT / ".gitignore").read_text(encoding="utf-8"), encoding="utf-8")
    for number in (1, 2):
        (work / "chapter.md").write_text(f"version {number}")
        git("add", "--all", folder=work)
        git("commit", "--message", f"Version {number}", folder=work)
        git("push", str(server), "main", folder=work)
        clone = tmp_path / f"clone{number}"
        git("clone", "--depth=1", server.as_uri(), str(clone), folder=tmp_path)
        (clone / "_build" / "html" / "notebooks").mkdir(parents=True)
        (clone / "_build" / "html" / "notebooks" / "chapter.ipynb").write_text("{}")
        subprocess.run(["bash", "-e", "-c", script], cwd=clone, env=environment, check=True)

        files = git("ls-tree", "-r", "--name-only", "notebooks", folder=server)
        assert files == [".gitignore", "chapter.md", "notebooks/chapter.ipynb"]
        assert git("rev-list", "--count", "main..notebooks", folder=server) == ["1"]
        assert git("show", "notebooks:chapter.md", folder=server) == ["version", str(number)]
        assert git("rev-list", "--count", "main", folder=server) == [str(number)]
