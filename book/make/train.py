"""Train, or load from the cache, every classifier of the book; print their test accuracies; pack them as one zip.

    python -m book.make.train

They are trained side by side, one thread each: so the weights do not depend on the number of cores. An interrupt loses
nothing: finished classifiers are kept, and an unfinished one goes on after its last epoch.
"""

import sys
import time
import zipfile
from pathlib import Path

import torch

import lib
from book.paper import plan
from lib import checkpoints, storage
from lib.experiments import processes

PACK = Path("_build/models.zip")
LONGEST_FIRST = ("bilstm", "textcnn", "minilm", "fasttext")


def wanted() -> list[tuple[str, str, tuple]]:
    """Corpus, classifier and changes of the recipe of all that the book needs here, those that take longest first."""
    recipes = [(each.corpus, each.classifier, tuple(each.recipe.items())) for each in plan.shared()]
    classifiers = dict.fromkeys([*((*each, ()) for each in plan.TRAINED), *recipes])
    here = [each for each in classifiers if lib.data.available(each[0])]
    return sorted(here, key=lambda each: LONGEST_FIRST.index(each[1]))


def train(corpus: str, name: str, recipe: tuple) -> tuple[str, Path]:
    """Train one classifier, or find it in the cache: what is to be said about it, and its file."""
    torch.set_num_threads(1)
    documents, started = lib.data.load(corpus), time.perf_counter()
    classifier = lib.training.fit(name, documents, **dict(recipe))
    seconds = time.perf_counter() - started
    accuracy = lib.training.accuracy(classifier, documents.test)
    changes = "".join(f", {option}={value}" for option, value in recipe)
    said = (f"{documents.title}, {classifier.label}{changes}: test accuracy {accuracy:.4f} "
            f"on {len(documents.test):,} documents ({seconds:.0f} s)")
    return said, checkpoints.find(classifier.key)


def main() -> None:
    if not storage.try_out(storage.cache_folder("models")):
        sys.exit("Nothing was trained: the classifiers would be lost when this command ends.")
    for corpus in dict.fromkeys(corpus for corpus, _ in plan.TRAINED):
        available = lib.data.available(corpus)
        print(lib.data.load(corpus).source if available else
              f"{corpus}: not on this machine, left out. 'make data' downloads it, or set LIB_DATA_DIR.")
    paths = []
    with processes() as executor:
        for said, path in executor.map(train, *zip(*wanted(), strict=True)):
            print(f"  {said}", flush=True)
            paths.append(path)
    pack(paths)
    print(f"All checkpoints in one file: {PACK}. "
          "Unpack it, and set LIB_MODEL_DIR to that folder, to skip training elsewhere.")


def pack(paths: list[Path]) -> None:
    """Weights hardly compress, so they are only stored."""
    with storage.whole_file(PACK) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for path in paths:
            archive.write(path, path.name)


if __name__ == "__main__":
    main()
