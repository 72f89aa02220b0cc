"""What the paper leaves open and this book had to choose: corpora, classifiers, training, as tables in Markdown."""

from collections.abc import Iterable

from IPython.display import Markdown

import lib
from lib.classifiers import CLASSIFIERS
from lib.results.kept import ALL_SEEDS
from lib.results.kept import table as reference
from lib.show.prose import listed
from lib.text import tokenise
from lib.training import RECIPE, RECIPES

from . import plan
from .tables import table


def corpora(names: Iterable[str]) -> Markdown:
    """Classes, splits and lengths of corpora by their keys; one that is not on this machine is named below the table.

    Raises ``ValueError`` for an unknown name.
    """
    rows, absent = [], []
    for name in names:
        if not lib.data.available(name):
            absent.append(f"**{lib.data.TITLES[name]} is not available on the machine that built this page.** "
                          "`make data` downloads it; the next build uses it.")
            continue
        corpus = lib.data.load(name)
        lengths = [len(tokenise(text)) for text in corpus.train.texts]
        cut = sum(length > corpus.max_words for length in lengths) / len(lengths)
        sizes = [f"{len(split):,}" for split in (corpus.train, corpus.dev, corpus.test)]
        rows.append((corpus.title, ", ".join(corpus.classes), *sizes, str(corpus.max_words), f"{100 * cut:.0f} %"))
    return table(["corpus", "classes", "train", "dev", "test", "cut after", "documents cut"], rows, *absent)


def left_open(found: Iterable) -> Markdown:
    """Everything that the paper does not say, and what it is here; of the loaded corpora, with their classifiers."""
    corpora = list(found)
    sizes = "; ".join(f"{each.title} {len(each.train):,} / {len(each.dev):,} / {len(each.test):,}" for each in corpora)
    words = "; ".join(f"{each.title} {len(lib.training.fit('fasttext', each).vocabulary.itos):,}" for each in corpora)
    cuts = "; ".join(f"{each.title} after {each.max_words} words" for each in corpora)
    explained = "; ".join(f"{each.title} " + ", ".join(
        f"{kind.label} {plan.live(each.name, name).documents}" for name, kind in CLASSIFIERS.items())
        for each in corpora)
    kept = reference()
    main = kept[(kept.variant == "main") & (kept.metric == "undefined")]
    seeds = sorted(set(kept.seed) - {ALL_SEEDS}, key=int)
    return table(["left open", "here"], [
        ("train / dev / test documents",
         f"{sizes}. A training split of more than {lib.data.MAX_TRAIN:,} is cut to a class-balanced sample."),
        ("vocabulary", f"the words of the training split in their plain form, up to {RECIPE['max_vocabulary']:,}: "
                       f"{words}, with the unknown word and padding"),
        ("document length", f"documents are cut: {cuts}"),
        ("word vectors", "GloVe 6B, 50 dimensions; zero for words GloVe lacks; trained further"),
        ("optimiser", "Adam, PyTorch's defaults except for the learning rate; no weight decay, no schedule"),
        ("initial weights of the other layers", "PyTorch's defaults"),
        ("read-out of the BiLSTM", f"*{CLASSIFIERS['bilstm'].architecture()['readout']}*, the maximum over the "
                                   "positions; the last states beside it, where the choice matters"),
        ("training seeds", f"0 here; {listed(seeds)} in the reference results"),
        ("documents explained, this book", explained),
        ("documents explained, reference", f"{listed([f'{n:,}' for n in sorted(main.n.unique())])} a panel and seed, "
                                           "fewer where one setting is changed"),
        ("class explained", "the gold class (this the paper says)"),
        ("precision", "32 bits; FastText is explained in 64, because its losses can be tiny"),
    ])


def recipes(corpus) -> Markdown:
    """How each classifier is built and trained, and how many numbers it learns beside the embedding of ``corpus``."""
    found = {name: {**RECIPES[name], **kind.architecture()} for name, kind in CLASSIFIERS.items()}
    settings = dict.fromkeys(key for recipe in found.values() for key in recipe)
    rows = [(f"`{key}`", *(str(recipe.get(key, "")) for recipe in found.values())) for key in settings]
    rows.append((f"weights after the embedding, {corpus.title}",
                 *(f"{learned(lib.training.fit(name, corpus)):,}" for name in found)))
    return table(["setting", *(kind.label for kind in CLASSIFIERS.values())], rows)


def learned(classifier) -> int:
    """How many numbers a classifier learns, its embedding matrix aside."""
    return sum(weight.numel() for name, weight in classifier.named_parameters() if not name.startswith("embedding"))
