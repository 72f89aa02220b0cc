"""``make data`` against a server on this machine: what it fetches, what it refuses, and what it leaves behind."""

import errno
import hashlib
import io
import os
import re
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from book.make import download
from lib import data

AG = b'"1","Title","A story."\n"2","Title","A match."\n' * 3_000
SST_LINES = {"train": 5, "dev": 2, "test": 3}


def imdb_archive(extra=()):
    """A small aclImdb: four labelled reviews a split, and members that are not to be read."""
    members = {f"aclImdb/{split}/{sentiment}/{i}_{i + 1}.txt":
               f"{split}, {sentiment}, {i}<br />caf\u00e9, \"quoted\"\n".encode()
               for split in ("train", "test") for sentiment in ("neg", "pos") for i in range(2)}
    members |= {"aclImdb/README": b"about", "aclImdb/train/unsup/0_0.txt": b"no label", **dict(extra)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def sst_archive(lines=SST_LINES, extra=()):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for split, count in lines.items():
            bundle.writestr(f"trees/{split}.txt", f"(2 {split})\n" * count)
        for name, content in dict(extra).items():
            bundle.writestr(name, content)
    return buffer.getvalue()


class Server:
    """Serves ``files``; ``faults`` names those that break off: address -> number of bytes sent before the end, once."""

    def __init__(self):
        self.files = {"train.csv": AG, "test.csv": AG[:-26], "imdb.tgz": imdb_archive(), "sst.zip": sst_archive()}
        self.md5 = {}
        self.faults: dict[str, int] = {}
        self.knows_ranges = True
        self.requests: list[tuple[str, str | None]] = []
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def handler(server):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name, wanted = self.path.strip("/"), self.headers.get("Range")
                server.requests.append((name, wanted))
                if name not in server.files:
                    return self.send_error(404)
                content = server.files[name]
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and server.knows_ranges else 0
                if start and start >= len(content):
                    return self.send_error(416)
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                self.wfile.write(content[start:][:server.faults.pop(name, None)])

            def log_message(self, *_):
                """Keep the tests' output clean."""
        return Handler

    def tasks(self):
        """The tasks of ``make data``, with this server's addresses and its files' checksums."""
        names = {"ag_news/train.csv": "train.csv", "ag_news/test.csv": "test.csv", "imdb": "imdb.tgz", "sst": "sst.zip"}
        md5 = {task: self.md5.get(file) or hashlib.md5(self.files.get(file, b"")).hexdigest()
               for task, file in names.items()}
        return download.tasks({task: f"{self.base}/{file}" for task, file in names.items()}, md5, SST_LINES)

    def task(self, name):
        return next(task for task in self.tasks() if task.name == name)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


EVERYTHING = ["ag_news/test.csv", "ag_news/train.csv", "imdb/SHA256SUMS", "imdb/test.csv", "imdb/train.csv",
              "sst/dev.txt", "sst/test.txt", "sst/train.txt"]


def test_everything_is_fetched_once(server, tmp_path, capsys):
    assert download.main(server.tasks(), tmp_path) == 0
    assert listing(tmp_path) == EVERYTHING
    assert (tmp_path / "ag_news/train.csv").read_bytes() == AG
    assert (tmp_path / "sst/dev.txt").read_text() == "(2 dev)\n" * 2
    server.requests.clear()
    assert download.main(server.tasks(), tmp_path) == 0
    assert server.requests == [] and capsys.readouterr().out.count("already there") == 4


def test_what_was_fetched_can_be_loaded(server, tmp_path, monkeypatch):
    monkeypatch.delenv("LIB_DATA_DIR", raising=False)
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path))
    assert download.main(server.tasks()) == 0  # into the user cache, where lib.data looks
    corpus = data.load("imdb")
    assert "the user cache" in corpus.source
    assert corpus.test.texts[corpus.test.ids.index("test/pos/1_2")] == 'test, pos, 1 café, "quoted"'
    assert sorted(corpus.test.labels) == [0, 0, 1, 1]


def test_a_damaged_file_is_fetched_again(server, tmp_path):
    download.main(server.tasks(), tmp_path)
    for name in ("ag_news/test.csv", "imdb/train.csv", "sst/dev.txt"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-10])
    assert download.main(server.tasks(), tmp_path) == 0
    assert (tmp_path / "ag_news/test.csv").read_bytes() == server.files["test.csv"]
    assert all(task.is_there(tmp_path) for task in server.tasks())


def test_a_wrong_checksum_puts_nothing_in_place(server, tmp_path, capsys):
    server.md5 = {"train.csv": "0" * 32, "imdb.tgz": "1" * 32}
    assert download.main(server.tasks(), tmp_path) == 1
    assert listing(tmp_path) == ["ag_news/test.csv", "sst/dev.txt", "sst/test.txt", "sst/train.txt"], "the others"
    errors = [line for line in capsys.readouterr().err.splitlines() if "MD5" in line]
    assert len(errors) == 2 and "0" * 32 in errors[0] and "make data" in errors[0]


def test_a_wrong_checksum_keeps_what_was_there(server, tmp_path):
    (tmp_path / "ag_news").mkdir()
    (tmp_path / "ag_news/train.csv").write_text("old")
    server.md5 = {"train.csv": "0" * 32}
    with pytest.raises(download.DownloadError):
        download.fetch(server.task("ag_news/train.csv"), tmp_path)
    assert (tmp_path / "ag_news/train.csv").read_text() == "old" and listing(tmp_path) == ["ag_news/train.csv"]


@pytest.mark.parametrize("knows_ranges", [True, False])
@pytest.mark.parametrize("name, file, sent", [
    ("ag_news/train.csv", "train.csv", 70_000), ("imdb", "imdb.tgz", 100), ("sst", "sst.zip", 50),
])
def test_a_broken_transfer_is_noticed_and_the_next_run_completes_it(server, tmp_path, knows_ranges, name, file, sent):
    server.knows_ranges = knows_ranges
    server.faults = {file: sent}  # Content-Length announces the whole
    with pytest.raises(download.DownloadError, match=f"ended after {sent:,} of {len(server.files[file]):,} bytes"):
        download.fetch(server.task(name), tmp_path)
    part = f"{name.replace('/', '-')}.part"
    assert listing(tmp_path) == [part]
    assert "fetched and checked" in download.fetch(server.task(name), tmp_path)
    assert server.requests == [(file, None), (file, f"bytes={sent}-")]
    assert part not in listing(tmp_path) and server.task(name).is_there(tmp_path)


def test_a_part_of_another_file_is_thrown_away(server, tmp_path):
    (tmp_path / "ag_news-train.csv.part").write_bytes(b"x" * 100)
    with pytest.raises(download.DownloadError, match="MD5"):
        download.fetch(server.task("ag_news/train.csv"), tmp_path)
    assert listing(tmp_path) == []
    assert "fetched" in download.fetch(server.task("ag_news/train.csv"), tmp_path)


def test_a_part_that_is_too_long_is_fetched_anew(server, tmp_path):
    (tmp_path / "ag_news-train.csv.part").write_bytes(b"x" * (len(AG) + 1))
    assert "fetched" in download.fetch(server.task("ag_news/train.csv"), tmp_path)
    assert (tmp_path / "ag_news/train.csv").read_bytes() == AG


@pytest.mark.parametrize("moment", ["transfer", "install"])
def test_ctrl_c_loses_nothing(server, tmp_path, monkeypatch, capsys, moment):
    def interrupt(*_):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        if moment == "transfer":
            patch.setattr(download.tqdm, "update", interrupt)
        else:
            patch.setattr(download, "_check_member", interrupt)
        assert download.main([server.task("imdb")], tmp_path) == 130
    assert "Interrupted" in capsys.readouterr().err and listing(tmp_path) == ["imdb.part"]
    server.requests.clear()
    assert download.main([server.task("imdb")], tmp_path) == 0
    assert listing(tmp_path) == ["imdb/SHA256SUMS", "imdb/test.csv", "imdb/train.csv"]
    if moment == "install":
        assert server.requests == []  # the archive was whole


def test_missing_on_the_server_or_no_server(server, tmp_path, capsys):
    del server.files["test.csv"]
    tasks = server.tasks()
    nobody = download.tasks({name: "http://127.0.0.1:9/x" for name in download.ADDRESSES}, download.MD5, SST_LINES)[3]
    assert download.main([*tasks[:3], nobody], tmp_path) == 1
    assert listing(tmp_path) == ["ag_news/train.csv", "imdb/SHA256SUMS", "imdb/test.csv", "imdb/train.csv"]
    errors = [line for line in capsys.readouterr().err.splitlines() if "could not be fetched" in line]
    assert len(errors) == 2 and "HTTP Error 404" in errors[0] and "refused" in errors[1]


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "aclImdb/../../evil.txt", "..\\evil.txt", "C:\\evil.txt"])
def test_archives_that_reach_outside_are_refused(server, tmp_path, name):
    server.files["imdb.tgz"] = imdb_archive({name: b"evil"})
    server.files["sst.zip"] = sst_archive(extra={name: b"evil"})
    for task in (server.task("imdb"), server.task("sst")):
        with pytest.raises(download.DownloadError, match="outside itself"):
            download.fetch(task, tmp_path / "cache")
    assert listing(tmp_path) == []


@pytest.mark.parametrize("name, file, content, message", [
    ("sst", "sst.zip", sst_archive({"train": 5, "dev": 2, "test": 2}), "test.txt has 2 trees, not 3"),
    ("sst", "sst.zip", sst_archive({"train": 5, "dev": 2}), "damaged"),
    ("sst", "sst.zip", b"not a zip file", "damaged"),
    ("imdb", "imdb.tgz", b"not a tar file", "damaged"),
    ("imdb", "imdb.tgz", imdb_archive()[:-40], "damaged"),
    ("imdb", "imdb.tgz", imdb_archive({"aclImdb/train/pos/9_9.txt": b"caf\xe9"}), "damaged"),
])
def test_damaged_archives_are_thrown_away(server, tmp_path, name, file, content, message):
    server.files[file] = content
    with pytest.raises(download.DownloadError, match=message):
        download.fetch(server.task(name), tmp_path)
    assert listing(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(server, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert download.main([server.task("sst")], tmp_path / "file") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_full_disk_is_not_taken_for_a_broken_network(server, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(download.tqdm, "update", full)  # called after each piece that is written
    assert download.main([server.task("sst")], tmp_path) == 1
    said = capsys.readouterr().err
    assert f"sst: cannot be written below {tmp_path}" in said and "No space left" in said and "network" not in said


def test_the_folder_may_be_relative_to_the_command(server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert download.main([server.task("sst")], Path("data")) == 0
    assert listing(tmp_path / "data") == ["sst/dev.txt", "sst/test.txt", "sst/train.txt"]
    assert f"Data goes to {tmp_path / 'data'}" in capsys.readouterr().out


def test_the_official_addresses_and_checksums_are_complete():
    assert {task.name for task in download.tasks()} == set(download.ADDRESSES)
    assert {task.name for task in download.tasks() if task.md5 is None} == {"sst"}
