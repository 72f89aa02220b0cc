"""Where files are kept, and how: whole or not at all, with a digest inside; in memory where nothing can be written."""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

FOLDERS = ("LIB_DATA_DIR", "LIB_MODEL_DIR", "LIB_CACHE_DIR")
ROOM = 1 << 24  # bytes that a cache must have room for: as many as one large classifier
_in_memory: dict[Path, bytes] = {}
_warned: set[Path] = set()


class FolderError(ValueError):
    """An environment variable that should name a folder and does not."""


class DamagedError(ValueError):
    """A file that is not what was written: truncated, changed, or made by something else."""


# --- where ----------------------------------------------------------------------------------------------------------


def absolute(path: str | Path) -> Path:
    """A path as it is meant: relative to where the command runs, ``~`` the user's home."""
    return Path(os.path.abspath(os.path.expanduser(path)))


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, None if it is not set.

    Raises :class:`FolderError` if there is no such folder: going on without it would replace its files unseen.
    """
    if not os.environ.get(variable):
        return None
    folder = absolute(os.environ[variable])
    if not folder.is_dir():
        found = "is a file and no folder" if folder.exists() else "does not exist"
        raise FolderError(f"{variable} names {folder}, which {found}: let it name a folder, or unset it.")
    return folder


def cache_folder(kind: str) -> Path:
    """The folder of the user cache for one kind of file ("data", "models"); ``LIB_CACHE_DIR`` moves the cache."""
    return absolute(os.environ.get("LIB_CACHE_DIR") or platformdirs.user_cache_dir("which-words-matter")) / kind


def anchor_folders() -> None:
    """Make the folders that the environment names absolute: kernels and workers are started in other folders."""
    for variable in FOLDERS:
        if os.environ.get(variable):
            os.environ[variable] = str(absolute(os.environ[variable]))


# --- writing and reading --------------------------------------------------------------------------------------------


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary file beside ``path`` that takes its name if the block ends well, and is removed if it does not.

    An interrupt at any moment therefore leaves the old file, or the new one, and never half of one.
    """
    path = absolute(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def keep(path: Path, content: bytes) -> None:
    """Write a file of the cache; where that fails, keep it in memory while this process lives, and warn once."""
    try:
        with whole_file(path) as temporary:
            temporary.write_bytes(content)
        _in_memory.pop(path, None)
    except OSError as error:
        hold(path, content)
        _warn(error)


def hold(path: Path, content: bytes) -> None:
    """Keep the content of a file in memory only."""
    _in_memory[path] = content


def is_kept(path: Path) -> bool:
    """Whether there is such a file, in memory or on disk."""
    return path in _in_memory or os.path.isfile(path)  # Path.is_file would raise an error below a forbidden folder


def kept(path: Path) -> bytes | None:
    """The content of a file, from memory or disk, or None. Raises :class:`DamagedError` if it cannot be read."""
    if path in _in_memory or not os.path.isfile(path):
        return _in_memory.get(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path} cannot be read ({error.strerror or error}).") from error


def unwritten(path: Path) -> bytes | None:
    """The content of a file that is in memory only, where other processes do not find it."""
    return _in_memory.get(path)


def forget(path: Path) -> None:
    """Remove a file of the cache if it is there."""
    _in_memory.pop(path, None)
    if os.path.isfile(path):
        path.unlink()


def try_out(folder: Path) -> bool:
    """Whether a folder of the cache can be written and has room: a warning now, and not after hours of work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM))
        return True
    except OSError as error:
        _warn(error)
        return False


def _warn(error: OSError) -> None:
    cache = cache_folder("")
    if cache not in _warned:
        _warned.add(cache)
        warnings.warn(f"Nothing can be kept in {cache} ({error.strerror or error}): what is computed stays in memory, "
                      "and is lost when this process ends; make room, or let LIB_CACHE_DIR name another folder.",
                      stacklevel=3)


# --- tensors with a digest ------------------------------------------------------------------------------------------


def seal(about: object, tensors: dict[str, Tensor]) -> bytes:
    """Tensors and what is said about them (anything JSON can say) as a safetensors file with a digest of both."""
    said = json.dumps(about)
    metadata = {"about": said, "digest": digest(said, tensors)}
    return safetensors.save({name: value.cpu().contiguous() for name, value in tensors.items()}, metadata)


def unseal(content: bytes) -> tuple[object, dict[str, Tensor]]:
    """What :func:`seal` was given. Raises :class:`DamagedError` if a byte of it has changed."""
    try:
        tensors = safetensors.load(content)
        header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        if header["digest"] != digest(header["about"], tensors):
            raise ValueError("the digest differs")
        return json.loads(header["about"]), tensors
    except (SafetensorError, TypeError, KeyError, ValueError) as error:
        raise DamagedError("The file is truncated, was changed, or is no file of this project.") from error


def digest(about: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of tensors and what is said about them: safetensors itself would not notice a changed byte."""
    found = hashlib.sha256(about.encode())
    for name in sorted(tensors):
        value = tensors[name]
        found.update(f"{name} {value.dtype} {list(value.shape)}".encode() + value.cpu().numpy().tobytes())
    return found.hexdigest()


def source_digest(path: Path) -> str:
    """SHA-256 of a file of code, the same whether its lines end as on Unix or, in some checkouts, as on Windows."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


anchor_folders()
