"""Train, or load from the cache, every classifier of the book; print their test accuracies; pack them as one zip.

    python -m book.make.train

An interrupt loses nothing: finished classifiers are kept, and an unfinished one goes on after its last epoch.
"""

import time
import zipfile
from pathlib import Path

import lib
from book.paper import plan
from lib import checkpoints, storage

PACK = Path("_build/models.zip")


def main() -> None:
    paths = []
    for name in dict.fromkeys(corpus for corpus, _ in plan.TRAINED):
        if not lib.data.available(name):
            print(f"{name}: not on this machine, left out. 'make data' downloads it, or set LIB_DATA_DIR.")
            continue
        corpus = lib.data.load(name)
        print(corpus.source)
        for key in (each for corpus_name, each in plan.TRAINED if corpus_name == name):
            started = time.perf_counter()
            classifier = lib.training.fit(key, corpus)
            paths.append(checkpoints.find(classifier.key))
            seconds = time.perf_counter() - started
            accuracy = lib.training.accuracy(classifier, corpus.test)
            print(f"  {classifier.label:9s} test accuracy {accuracy:.4f} on {len(corpus.test):,} documents ({seconds:.0f} s)", flush=True)
    pack(paths)
    print(f"All checkpoints in one file: {PACK}. Unpack it, and set LIB_MODEL_DIR to that folder, to skip training elsewhere.")


def pack(paths: list[Path]) -> None:
    """Weights hardly compress, so they are only stored."""
    with storage.whole_file(PACK) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            archive.write(path, path.name)


if __name__ == "__main__":
    main()
