"""Fetch AG's News, IMDB and the SST trees from their official addresses into the user cache: what ``make data`` runs.

A file gets its name only after it was checked. A broken transfer leaves one ``.part`` file, with which the next run
goes on.
"""

import csv
import gzip
import http.client
import re
import ssl
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from lib.data.corpora import AG_NEWS_MD5
from lib.data.files import SUMS, digest
from lib.storage import absolute, cache_folder, whole_file

AG_NEWS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv"
ADDRESSES = {
    "ag_news/train.csv": f"{AG_NEWS}/train.csv",
    "ag_news/test.csv": f"{AG_NEWS}/test.csv",
    "imdb": "http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    "sst": "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
}
MD5 = {  # the authors of SST publish none: its lines are counted
    **{f"ag_news/{split}.csv": md5 for split, md5 in AG_NEWS_MD5.items()},
    "imdb": "7c2ac02c03563afcf9b574c7e56c153a",
}
SST_LINES = {"train": 8_544, "dev": 1_101, "test": 2_210}
REVIEW = re.compile(r"aclImdb/(train|test)/(neg|pos)/(\d+_\d+)\.txt")
CHUNK = 1 << 18
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, KeyError, UnicodeDecodeError)
# What a network does; any other OSError comes from the disk.
NETWORK = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, http.client.HTTPException)


class DownloadError(Exception):
    """A file that could not be fetched, or is not what it should be, in one sentence."""


@dataclass(frozen=True)
class Task:
    """One thing to fetch: its name, its address, its MD5, whether it is there already, and how it is put in place."""

    name: str
    address: str
    md5: str | None
    is_there: Callable[[Path], bool]
    install: Callable[[Path, Path], None]  # (fetched file, folder of the cache)


def tasks(addresses: dict[str, str] = ADDRESSES, md5: dict[str, str] = MD5,
          sst_lines: dict[str, int] = SST_LINES) -> list[Task]:
    """All that ``make data`` fetches; a test gives its own server's addresses and its own files' checksums."""
    ag_news = [
        Task(name, addresses[name], md5[name],
             is_there=lambda folder, name=name: _has_digest(folder / name, "md5", md5[name]),
             install=lambda file, folder, name=name: _put(file, folder / name))
        for name in ("ag_news/train.csv", "ag_news/test.csv")
    ]
    imdb = Task("imdb", addresses["imdb"], md5["imdb"], _has_imdb, _install_imdb)
    sst = Task("sst", addresses["sst"], None,
               is_there=lambda folder: _has_sst(folder, sst_lines),
               install=lambda file, folder: _install_sst(file, folder, sst_lines))
    return [*ag_news, imdb, sst]


def fetch(task: Task, folder: Path) -> str:
    """Fetch, check and put in place one file or archive, unless it is there; the answer is one line for the reader.

    Raises :class:`DownloadError` if that fails; then nothing under a final name has changed.
    """
    if task.is_there(folder):
        return f"{task.name}: already there, checked."
    part = folder / f"{task.name.replace('/', '-')}.part"
    folder.mkdir(parents=True, exist_ok=True)
    was_received = task.md5 is not None and _has_digest(part, "md5", task.md5)  # by a run that was stopped then
    if not was_received:
        _transfer(task, part)
    try:
        _check_and_install(task, part, folder)
    except DownloadError:
        part.unlink(missing_ok=True)
        raise
    part.unlink(missing_ok=True)
    return f"{task.name}: fetched and checked."


def main(todo: list[Task] | None = None, folder: Path | None = None) -> int:
    """Fetch everything, going on after a failure; 0 if all is there, 1 if something failed, 130 after Ctrl-C."""
    folder = absolute(folder or cache_folder("data"))
    print(f"Data goes to {folder}")
    status = 0
    for task in tasks() if todo is None else todo:
        try:
            print(fetch(task, folder))
        except DownloadError as error:
            print(error, file=sys.stderr)
            status = 1
        except OSError as error:
            print(f"{task.name}: cannot be written below {folder} ({error}).", file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            print("Interrupted. Nothing is lost: `make data` goes on from here.", file=sys.stderr)
            return 130
    return status


# --- the transfer -----------------------------------------------------------------------------------------------------


def _transfer(task: Task, part: Path) -> None:
    """Fetch into ``part``; whatever breaks on the way becomes one sentence, and ``part`` stays for the next run."""
    try:
        size, total = _receive(task, part)
    except NETWORK as error:
        reason = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
        raise DownloadError(f"{task.name}: {task.address} could not be fetched ({reason}); "
                            "see whether the network is there and run `make data` again.") from error
    if total is not None and size < total:
        raise DownloadError(f"{task.name}: the connection to {task.address} ended after {size:,} of {total:,} bytes; "
                            "run `make data` again, it goes on from there.")


def _receive(task: Task, part: Path) -> tuple[int, int | None]:
    """Append to ``part`` what it lacks, or start again where the server sends no rest; bytes had, bytes announced."""
    answer, start = _open(task.address, part.stat().st_size if part.exists() else 0)
    with answer, open(part, "ab" if start else "wb") as file:
        announced = answer.headers.get("Content-Length")
        total = start + int(announced) if announced else None
        with tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=task.name) as bar:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    return part.stat().st_size, total


def _open(address: str, start: int) -> tuple[http.client.HTTPResponse, int]:
    """The server's answer and the byte it begins with: ``start`` if it sends the rest, else 0."""
    headers = {"User-Agent": "which-words-matter"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(address, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if start and error.code == 416:  # no such range: the part is whole already, or of another file; fetch it anew
            return _open(address, 0)
        raise
    return answer, start if answer.status == 206 else 0


# --- checking, and putting things in place ----------------------------------------------------------------------------


def _check_and_install(task: Task, part: Path, folder: Path) -> None:
    if task.md5 and digest(part, "md5") != task.md5:
        raise DownloadError(f"{task.name}: what {task.address} sent has the MD5 {digest(part, 'md5')}, "
                            f"not the official {task.md5}; it was thrown away, run `make data` again.")
    try:
        task.install(part, folder)
    except DAMAGE as error:
        raise DownloadError(f"{task.name}: the archive from {task.address} is damaged ({error}); "
                            "it was thrown away, run `make data` again.") from error


def _has_digest(path: Path, algorithm: str, expected: str) -> bool:
    return path.is_file() and digest(path, algorithm) == expected


def _put(file: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file.replace(path)


def _has_imdb(folder: Path) -> bool:
    sums = folder / "imdb" / SUMS
    lines = [line.split() for line in sums.read_text().splitlines()] if sums.is_file() else []
    return len(lines) == 2 and all(len(line) == 2 and _has_digest(sums.with_name(line[1]), "sha256", line[0])
                                   for line in lines)


def _install_imdb(archive: Path, folder: Path) -> None:
    """Write the labelled reviews as two csv files (text, label, id such as ``test/pos/2221_8``), then their checksums.

    Nothing of the archive is unpacked: its members are read and never decide the name of a file.
    """
    rows: dict[str, list[tuple[str, int, str]]] = {"train": [], "test": []}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tqdm(tar, desc="imdb: reading the archive", unit=" files"):
            _check_member(member.name, "imdb")
            if (match := REVIEW.fullmatch(member.name)) and member.isfile():
                split, sentiment, number = match.groups()
                text = tar.extractfile(member).read().decode("utf-8")
                rows[split].append((text, int(sentiment == "pos"), f"{split}/{sentiment}/{number}"))
    if not rows["train"] or not rows["test"]:
        raise DownloadError("imdb: the archive holds no labelled train and test reviews, as it should; "
                            "it was thrown away.")
    sums = ""
    for split in rows:
        path = folder / "imdb" / f"{split}.csv"
        with whole_file(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label", "id"), *sorted(rows[split], key=lambda row: row[2])])
        sums += f"{digest(path, 'sha256')}  {path.name}\n"
    with whole_file(folder / "imdb" / SUMS) as temporary:
        temporary.write_text(sums)


def _has_sst(folder: Path, lines: dict[str, int]) -> bool:
    files = {split: folder / "sst" / f"{split}.txt" for split in lines}
    return all(path.is_file() and _count(path.read_bytes()) == lines[split] for split, path in files.items())


def _install_sst(archive: Path, folder: Path, lines: dict[str, int]) -> None:
    """Write train.txt, dev.txt and test.txt, one tree a line, after all three were counted."""
    with zipfile.ZipFile(archive) as bundle:
        for name in bundle.namelist():
            _check_member(name, "sst")
        trees = {split: bundle.read(f"trees/{split}.txt") for split in lines}
    for split, content in trees.items():
        if _count(content) != lines[split]:
            raise DownloadError(f"sst: {split}.txt has {_count(content):,} trees, not {lines[split]:,}; "
                                "it was thrown away.")
    for split, content in trees.items():
        with whole_file(folder / "sst" / f"{split}.txt") as temporary:
            temporary.write_bytes(content)


def _check_member(name: str, task: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name):
        raise DownloadError(f"{task}: the archive names a file outside itself ({name!r}); it was thrown away.")


def _count(trees: bytes) -> int:
    return sum(1 for line in trees.splitlines() if line.strip())


if __name__ == "__main__":
    sys.exit(main())
