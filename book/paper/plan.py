"""What the book computes of the paper: panels, methods, documents, variants. One list each, read by commands and pages alike."""

import lib
from lib.experiments import Experiment

# The paper's own: which classifiers exist is lib.classifiers.CLASSIFIERS, which are trained by the build is TRAINED.
CLASSIFIERS = ("fasttext", "textcnn", "bilstm")
CORPORA = ("ag_news", "imdb")
TRAINED = tuple((corpus, name) for corpus in ("imdb", "ag_news", "bbc_news") for name in CLASSIFIERS)
METHODS = ("random", "loo", "signed_gi", "gi", "sa_raw", "sa_l1", "sa_l2", "sa_linf")  # of figure 1, and gradient times input
PAPER = METHODS

# Who beats whom: compared document by document.
PAIRS = (("signed_gi", "loo"), ("signed_gi", "random"), ("signed_gi", "sa_raw"), ("signed_gi", "sa_l1"), ("signed_gi", "sa_l2"),
         ("signed_gi", "sa_linf"), ("loo", "random"), ("loo", "sa_l1"), ("loo", "sa_l2"), ("loo", "sa_linf"), ("loo", "sa_raw"),
         ("sa_l1", "random"), ("sa_l2", "random"), ("sa_linf", "random"), ("sa_raw", "random"),
         ("sa_raw", "sa_l1"), ("sa_raw", "sa_l2"), ("sa_raw", "sa_linf"), ("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"))
# One thing changed at a time: name -> fields of the experiment. "loo-" changes the LOO that is explained, "aopc-" the test.
VARIANTS = {
    "by-type": {"explain": {"by_type": True}},
    "predicted-class": {"explain": {"target": "predicted"}, "measure": {"target": "predicted"}},
    "of-logit": {"explain": {"of": "logit"}},
    "of-probability": {"explain": {"of": "probability"}},
    "aopc-mask": {"measure": {"operator": "mask"}},
    "aopc-delete": {"measure": {"operator": "delete"}},
    "loo-mask": {"explain": {"operator": "mask"}},
    "loo-delete": {"explain": {"operator": "delete"}},
    "ties-first": {"measure": {"ties": "first"}},
    "start-random": {"recipe": {"start": "random"}},
    "readout-last": {"recipe": {"readout": "last"}},
}


def precision(classifier: str) -> str:
    """FastText is explained in double precision, where its tiny losses do not underflow."""
    return "float64" if classifier == "fasttext" else "float32"


def live(corpus: str, classifier: str, **changes) -> Experiment:
    """The experiment that the pages compute while the book is built: 200 test documents, 100 for the BiLSTM on IMDB.

    ``changes`` are fields of the :class:`lib.experiments.Experiment`. Taught in: *AOPC*.
    """
    documents = 100 if (corpus, classifier) == ("imdb", "bilstm") else 200
    return Experiment(corpus, classifier, **{"documents": documents, "methods": METHODS, "precision": precision(classifier), **changes})


def news() -> str:
    """The paper's news corpus, or BBC News where AG's News is not on the machine."""
    return "ag_news" if lib.data.available("ag_news") else "bbc_news"


def shared() -> list[Experiment]:
    """What several pages ask for, computed before they run: both corpora, and on the news each variant."""
    corpus = news()
    variants = [changes for name, changes in VARIANTS.items() if name != "readout-last"]
    return [*(live(each, name) for each in ("imdb", corpus) for name in CLASSIFIERS),
            *(live(corpus, name, **changes) for changes in variants for name in CLASSIFIERS),
            *(live("imdb", name, measure={"operator": "delete"}, documents=50, K=50) for name in CLASSIFIERS),
            live(corpus, "bilstm", recipe={"readout": "last"}), live("imdb", "fasttext", explain={"by_type": True}),
            live("imdb", "fasttext", precision="float32")]
