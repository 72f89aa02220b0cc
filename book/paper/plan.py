"""What the book computes of the paper: panels, methods, documents, variants. Commands and pages read the same lists."""

import lib
from lib.attribution import registry, signed_as, unsigned
from lib.experiments import Experiment

# The paper's own: which classifiers exist is lib.classifiers.CLASSIFIERS, which are trained by the build is TRAINED.
CLASSIFIERS = ("fasttext", "textcnn", "bilstm")
CORPORA = ("ag_news", "imdb")
# The paper does not say what its BiLSTM reads out, so it has two readings: name -> classifier, changes of its recipe.
MODELS = {**{name: (name, {}) for name in CLASSIFIERS}, "bilstm-last": ("bilstm", {"readout": "last"})}
TRAINED = (*((corpus, name) for corpus in ("imdb", "ag_news", "bbc_news") for name in CLASSIFIERS),
           ("rotten_tomatoes", "minilm"))
# Those of figure 1, and gradient times input.
METHODS = ("random", "loo", "signed_gi", "gi", "sa_raw", "sa_l1", "sa_l2", "sa_linf")
PAPER = METHODS

# Who beats whom: compared document by document.
PAIRS = (*(("signed_gi", other) for other in ("loo", "random", "sa_raw", "sa_l1", "sa_l2", "sa_linf")),
         *(("loo", other) for other in ("random", "sa_l1", "sa_l2", "sa_linf", "sa_raw")),
         *((norm, "random") for norm in ("sa_l1", "sa_l2", "sa_linf", "sa_raw")),
         *(("sa_raw", norm) for norm in ("sa_l1", "sa_l2", "sa_linf")),
         ("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"))
# What is the sign worth? The same scores without it, and the norms with that of SignedGI.
SIGNED_NORMS = tuple(signed_as(norm, "signed_gi") for norm in ("sa_l1", "sa_l2", "sa_linf"))
OF_SIGNS = ("random", "loo", unsigned("loo"), "signed_gi", unsigned("signed_gi"), "sa_l1", "sa_l2", "sa_linf",
            *SIGNED_NORMS)
SIGN_PAIRS = (("signed_gi", unsigned("signed_gi")), ("loo", unsigned("loo")), ("signed_gi", "random"),
              (unsigned("signed_gi"), "random"), (unsigned("signed_gi"), unsigned("loo")), ("signed_gi", "loo"),
              *((unsigned("signed_gi"), norm) for norm in ("sa_l1", "sa_l2", "sa_linf")),
              *(("signed_gi", norm) for norm in ("sa_l1", "sa_l2", "sa_linf")),
              *(("signed_gi", signed) for signed in SIGNED_NORMS),
              *(zip(SIGNED_NORMS, ("sa_l1", "sa_l2", "sa_linf"), strict=True)))
# Beyond the paper: methods that walk from a baseline, beside those that they are measured against. SmoothGrad twice: as
# it was published, and signed, as gradient times input of the probability.
SMOOTH_GI = registry.variant("smoothgrad", of="probability", reduce="sum", times_input=True)
WALKS = ("dig_greedy", "dig_maxcount", "udig_greedy", "udig_maxcount")
BEYOND = ("random", "loo", "signed_gi", "smoothgrad", SMOOTH_GI, "ig", *WALKS)
BEYOND_PAIRS = (*((method, "signed_gi") for method in BEYOND if method not in ("random", "signed_gi")),
                *((walk, "ig") for walk in WALKS), ("dig_greedy", "udig_greedy"), ("dig_maxcount", "udig_maxcount"))
POINTS = (10, 30, 100, 300)
SHORT = {"documents": 100, "first": 0, "shorter_than": 64}  # of reviews: the first of the whole test split
# One thing changed at a time: name -> fields of the experiment. "loo-" changes the LOO that is explained, "aopc-" the
# test.
VARIANTS = {
    "signs": {"methods": OF_SIGNS},
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
}
# After a deletion every document is read anew, and reviews are long: fewer of them, and not to their end. Nor are the
# eleven rankings of the signs followed to it.
SMALLER = {("imdb", "aopc-delete"): {"documents": 50, "K": 50}, ("imdb", "signs"): {"K": 30}}


def precision(classifier: str) -> str:
    """FastText is explained in double precision, where its tiny losses do not underflow."""
    return "float64" if classifier == "fasttext" else "float32"


def live(corpus: str, classifier: str, **changes) -> Experiment:
    """The experiment that the pages compute while the book is built: 200 test documents, 100 for the BiLSTM on IMDB.

    ``classifier`` is a name of ``MODELS``; ``changes`` are fields of the :class:`lib.experiments.Experiment`.
    Taught in: *AOPC*.
    """
    name, recipe = MODELS[classifier]
    documents = 100 if (corpus, name) == ("imdb", "bilstm") else 200
    usual = {"documents": documents, "methods": METHODS, "precision": precision(name)}
    return Experiment(corpus, name, **(usual | changes | {"recipe": recipe | changes.get("recipe", {})}))


def news() -> str:
    """The paper's news corpus, or BBC News where AG's News is not on the machine."""
    return "ag_news" if lib.data.available("ag_news") else "bbc_news"


def variant(name: str, corpus: str, classifier: str, **changes) -> Experiment:
    """The same with one thing changed, by its name in VARIANTS. Taught in: *What decides the outcome?*"""
    return live(corpus, classifier, **VARIANTS[name], **(SMALLER.get((corpus, name), {}) | changes))


def panels() -> list[Experiment]:
    """The paper's six panels as this machine can compute them: IMDB and the news, by three classifiers.

    Taught in: *AOPC*.
    """
    return [live(corpus, name) for corpus in ("imdb", news()) for name in CLASSIFIERS]


def shared() -> list[Experiment]:
    """What several pages ask for, computed before they run: both corpora, and on the news each variant."""
    corpus = news()
    return [*(live(each, name) for each in ("imdb", corpus) for name in CLASSIFIERS),
            *(variant(change, corpus, name) for change in VARIANTS for name in CLASSIFIERS),
            *(variant(change, "imdb", name) for change in ("aopc-delete", "signs") for name in CLASSIFIERS),
            live(corpus, "bilstm-last"), live("imdb", "fasttext", explain={"by_type": True}),
            live("imdb", "fasttext", precision="float32")]
