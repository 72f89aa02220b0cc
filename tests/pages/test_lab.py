"""What a student does first: double-click a chapter in JupyterLab and run all its cells."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from built import ROOT

from book.make import lab as lab_command

CHAPTER = "signed_gi"
# The notebook in front, as JupyterLab holds it. (The page itself draws only the cells in view.)
CELLS = "() => jupyterapp.shell.currentWidget.context.model.toJSON().cells.filter(cell => cell.cell_type == 'code')"
READY = "() => jupyterapp.shell.currentWidget?.context?.isReady"
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status == 'idle'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab on a copy of the book, with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    for part in ("book", "chapters"):  # a copy: JupyterLab saves what it has open
        shutil.copytree(ROOT / part, folder / "root" / part)
    subprocess.run([sys.executable, "-m", "book.make.lab"], cwd=ROOT, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / name.lower()) for name in
           ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
            "IPYTHONDIR")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url="]
    with open(folder / "log.txt", "w") as log:
        server = subprocess.Popen(command, cwd=folder / "root", env={**os.environ, **own}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}/lab"
    try:
        wait_for(address, server, folder / "log.txt")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:  # it waits for its kernels; they end with it
            server.kill()


def wait_for(address, server, log, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def test_notebooks_find_the_folders_that_the_command_was_told(tmp_path, monkeypatch):
    """They run in the folder of their chapter, not in that of `make lab`."""
    started = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIB_CACHE_DIR", "kept")
    monkeypatch.setattr(lab_command, "settings_file", lambda: tmp_path / "settings.json")
    monkeypatch.setattr(lab_command.os, "execv", lambda *command: started.append(os.environ["LIB_CACHE_DIR"]))
    monkeypatch.setattr(sys, "argv", ["lab"])
    lab_command.main()
    assert started == [] and "myst" in (tmp_path / "settings.json").read_text()
    monkeypatch.setattr(sys, "argv", ["lab", "start"])
    lab_command.main()
    assert started == [str(tmp_path / "kept")]


@pytest.mark.browser
@pytest.mark.slow
def test_a_double_click_opens_a_chapter_and_all_its_cells_run(lab, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(lab, wait_until="domcontentloaded")
    files = page.locator(".jp-DirListing-content")
    files.get_by_text("chapters", exact=True).dblclick(timeout=60_000)
    files.get_by_text(f"{CHAPTER}.md", exact=True).dblclick()
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function(READY, timeout=60_000)
    assert len(page.evaluate(CELLS)) > 1

    page.wait_for_function(IDLE, timeout=90_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    deadline = time.monotonic() + 900
    while True:
        cells = page.evaluate(CELLS)
        errors = [output["evalue"] for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
        assert errors == []
        if all(cell["execution_count"] for cell in cells) and page.evaluate(IDLE):
            break
        assert time.monotonic() < deadline, "the chapter did not finish in 15 minutes"
        time.sleep(1)
    shown = [output["output_type"] for cell in cells for output in cell["outputs"]]
    assert {"display_data", "execute_result"} & set(shown), "no figure"
    page.close()
