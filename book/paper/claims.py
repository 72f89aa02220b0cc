"""What the paper says, as data: each statement with its place, a few of its words, what is looked at, and the rule."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lib.classifiers import CLASSIFIERS
from lib.results import END, Number, Panel, label

from . import plan, rules

AG, IMDB = (tuple(Panel(corpus, name) for name in plan.CLASSIFIERS) for corpus in plan.CORPORA)
ALL = AG + IMDB
IMDB_BILSTM, IMDB_LAST = Panel("imdb", "bilstm"), Panel("imdb", "bilstm-last")
OTHERS = tuple(panel for panel in ALL if panel != IMDB_BILSTM)
FASTTEXT, TEXTCNN = (tuple(panel for panel in ALL if panel.classifier == name) for name in ("fasttext", "textcnn"))
PANELS = {panel: f"{corpus}-{CLASSIFIERS[panel.classifier].label}"  # as the paper names them
          for corpus, panels in (("AG", AG), ("IMDB", IMDB)) for panel in panels}
PANELS |= {Panel(panel.corpus, "bilstm-last"): f"{name} (last)" for panel, name in PANELS.items()
           if panel.classifier == "bilstm"}

SA = ("sa_raw", "sa_l1", "sa_l2", "sa_linf")
NORMS = SA[1:]
MODELS = tuple(CLASSIFIERS[name].label for name in plan.CLASSIFIERS)
# The page that treats the matter, by its title.
PAGES = {"aopc": "AOPC", "agreement": "Agreement with LOO", "signed_gi": "From one-hot to SignedGI",
         "sensitivity": "Sensitivity analysis", "fasttext": "The FastText counterexample", "baselines": "Baselines",
         "looking": "Looking at explanations", "what_decides": "What decides the outcome?"}


@dataclass(frozen=True)
class Claim:
    """One statement of the paper: its place, a few of its words, what is looked at, and the rule.

    ``groups`` are the tuples of numbers that the rule is asked about in each of ``panels``; ``checks`` are names of
    checks made by code instead. ``tested`` is the chapter that treats the matter.
    """

    section: str
    quote: str
    looked_at: str
    tested: str
    rule: Callable[..., bool] | None = None
    groups: tuple[tuple[Number, ...], ...] = ()
    panels: tuple[Panel, ...] = ALL
    quantifier: str = "all"
    checks: tuple[str, ...] = ()
    equation: int | None = None
    figure: str = ""

    @property
    def quoted(self) -> bool:
        """Whether ``quote`` is in the paper's words; the others name an equation or a notation."""
        return not (self.equation or self.quote.startswith("the notation"))


def gaps(*pairs, ks=(10, END), variant="main"):
    """Paired differences of AOPC."""
    return tuple((Number("aopc", f"{first} - {second}", k, variant),) for first, second in pairs for k in ks)


def against(*pairs, far=("signed_gi", "random"), ks=(10, END)):
    """Paired differences of AOPC, each beside a distance at the same cut-off."""
    return tuple((Number("aopc", f"{first} - {second}", k), Number("aopc", " - ".join(far), k))
                 for first, second in pairs for k in ks)


def of(metric, *methods, k=None, variant="main"):
    """One number for each method."""
    return tuple((Number(metric, method, k, variant),) for method in methods)


def is_said(section, quote, tested, *names, **more):
    """A claim that checks decide, which code makes."""
    return Claim(section, quote, "checked by code", tested, checks=names, **more)


FRONT = [
    Claim("Abstract", "show the weakness of SA-based methods", "LOO − each of the four SA, AOPC", "aopc",
          rules.above, gaps(*(("loo", key) for key in SA))),
    is_said("I", "it does not hold water to sum up the effects along the vector", "sensitivity",
            "the sum and the L1 norm change with the axes, the classifier does not",
            "SignedGI and LOO do not change with the axes"),
    is_said("I", "neglect the signedness", "signed_gi",
            "gradient times input of the loss is positive against the class",
            "gradient times input of the probability needs a minus too"),
    is_said("II", "inability to distinguish between positive and negative impacts", "sensitivity",
            "norms are never negative, while LOO is for some words"),
    Claim("II", "the overall impact on the loss is uncertain",
          "share of documents whose probability rises without the first word of SA L2", "sensitivity",
          rules.uncertain, of("rises", "sa_l2")),
    is_said("II", "the words of the same frequency can have the same gradient vector", "fasttext",
            "FastText: words of the same frequency have the same gradient", "FastText: their contributions differ"),
]
METHODS = [
    is_said("III.A", "Equation 1", "sensitivity", "eq. 1: autograd is the difference quotient, in three colours",
            equation=1),
    is_said("III.A", "Equation 2", "sensitivity", "eq. 2: autograd is the difference quotient, in each dimension",
            equation=2),
    is_said("III.A", "Equation 3", "sensitivity", "eq. 3: the norms are the library's SA L1, L2 and Linf", equation=3),
    is_said("III.A", "the notation |SA|_raw, like a norm", "sensitivity",
            "eq. 3: SA raw is never negative, as its bars say"),
    is_said("III.B", "Equation 4", "signed_gi", "eq. 4: the product is the look-up", equation=4),
    is_said("III.B", "Equation 5", "signed_gi", "eq. 5: the entry of the present word is g . e",
            "eq. 5: the result has n entries, one a dimension", "eq. 5: the entries of absent words are zero",
            equation=5),
    is_said("III.B", "Equation 6", "signed_gi", "eq. 6: minus g . e is the library's SignedGI",
            "eq. 6: it is the slope of the loss as the word fades", equation=6),
    Claim("III.B", "more faithful than SA-based methods",
          "SignedGI − each SA, AOPC; SignedGI − SA L1, correlation with LOO", "agreement",
          rules.above, (*gaps(*(("signed_gi", key) for key in SA)), *of("rho", "signed_gi - sa_l1"))),
]
PRELIMINARIES = [
    is_said("IV.A", "Equation 7", "baselines", "eq. 7: its size is the change of the loss",
            "eq. 7: as printed, 'great' is positive", equation=7),
    is_said("IV.A", "Equation 8", "baselines", "eq. 8: by hand it is the library's", equation=8),
    is_said("IV.A", "Equation 9", "agreement", "eq. 9: by hand it is the library's", equation=9),
    Claim("IV.A", "LOO may not produce the best explanatory ability", "SignedGI − LOO, AOPC: above 0 somewhere",
          "baselines", rules.above, gaps(("signed_gi", "loo")), quantifier="some"),
    Claim("IV.A", "So it is with RD", "each SA − Random, AOPC: below 0 somewhere, so that Random is no lower bound",
          "baselines", rules.below, gaps(*((key, "random") for key in SA)), quantifier="some"),
]
QUANTITATIVE = [
    *(Claim("IV.B", "suffer performance decline definitely compared to SignedGI", f"SignedGI − {label(key)}, AOPC",
            "aopc", rules.above, gaps(("signed_gi", key)), figure="1") for key in SA),
    Claim("IV.B", "almost overlapped",
          "differences of SA L1, L2, Linf, beside SignedGI − Random, AOPC at K = 1, 3, 10, 30 and the end", "aopc",
          rules.comparable,
          against(("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"), ks=(1, 3, 10, 30, END)), figure="1"),
    Claim("IV.B", "similar explanatory abilities", "correlation of SA L1, L2, Linf with each other", "what_decides",
          partial(rules.strong, least=0.9),
          of("rho between", "sa_l1, sa_l2", "sa_l2, sa_linf", "sa_l1, sa_linf", variant="reasons")),
    Claim("IV.B", "usually contributes most", "share of the largest dimension in the L1 norm", "what_decides",
          rules.dominant, of("largest share", "gradient", variant="reasons")),
    Claim("IV.B", "outperform the RD baseline by a moderate margin",
          "SA L1, L2, Linf − Random, beside SignedGI − Random, AOPC", "aopc",
          rules.moderate, against(*((key, "random") for key in NORMS)), panels=AG[1:], figure="1"),
    Claim("IV.B", "only tie RD in the other cases", "SA L1, L2, Linf − Random, beside SignedGI − Random, AOPC", "aopc",
          rules.comparable, against(*((key, "random") for key in NORMS)), panels=(AG[0], *IMDB), figure="1"),
    Claim("IV.B", "heavily affected by the model or the dataset",
          "SA L1 − Random, AOPC, one panel against another", "what_decides", rules.apart,
          tuple(tuple(Number("aopc", "sa_l1 - random", k, panel=panel) for panel in ALL) for k in (10, END)),
          panels=ALL[:1], figure="1"),
    Claim("IV.B", "performs worse than other SA-based methods", "SA raw − SA L1, L2, Linf, AOPC", "aopc",
          rules.below, gaps(*(("sa_raw", key) for key in NORMS)), figure="1"),
    Claim("IV.B", "even the RD baseline can beat", "SA raw − Random, AOPC", "aopc",
          rules.below, gaps(("sa_raw", "random")), quantifier="some", figure="1"),
    Claim("IV.B", "always demonstrate the larger AOPC values", "SignedGI and LOO − each SA and Random, AOPC", "aopc",
          rules.above, gaps(*((first, second) for first in ("signed_gi", "loo") for second in (*SA, "random"))),
          figure="1"),
    Claim("IV.B", "SignedGI outperforms LOO in TextCNN", "SignedGI − LOO, AOPC", "aopc",
          rules.above, gaps(("signed_gi", "loo")), panels=TEXTCNN, figure="1"),
    Claim("IV.B", "without considering their mutual effects", "LOO asked again after each masked word − LOO, AOPC(10)",
          "what_decides", rules.above, of("aopc greedy", "greedy loo - loo", k=10, variant="reasons"), panels=TEXTCNN),
    Claim("IV.B", "might result in a sub-optimal explanation",
          "LOO asked again − SignedGI, AOPC(10): no longer behind", "what_decides",
          rules.not_below, of("aopc greedy", "greedy loo - signed_gi", k=10, variant="reasons"), panels=TEXTCNN),
    Claim("IV.B", "In most cases … generally comparable", "SignedGI − LOO, beside SignedGI − Random, AOPC", "aopc",
          rules.comparable, against(("signed_gi", "loo")), quantifier="most", figure="1"),
    Claim("IV.B", "LOO surpasses SignedGI by a large margin", "SignedGI − LOO, beside LOO − Random, AOPC", "aopc",
          rules.far_below, against(("signed_gi", "loo"), far=("loo", "random")), panels=(IMDB_BILSTM,), figure="1"),
    Claim("IV.B", "causes the vanishing gradient problem",
          "length of the gradient in each tenth of the document, over its mean", "what_decides", rules.fades,
          (tuple(Number("relative norm", "gradient", k, "reasons") for k in range(10)),), panels=(IMDB_BILSTM,)),
    Claim("IV.B", "the long document length of IMDB",
          "SignedGI, correlation with LOO: longest against shortest quarter", "what_decides", rules.smaller,
          (tuple(Number("rho by length", "signed_gi", quarter, "reasons") for quarter in (3, 0)),),
          panels=(IMDB_BILSTM,)),
]
CORRELATION = [
    Claim("IV.C", "a strong positive association with LOO", "SignedGI, correlation with LOO", "agreement",
          rules.strong, of("rho", "signed_gi"), figure="2"),
    Claim("IV.C", "can be consistently established", "SignedGI, share of documents with p ≤ 0.05", "agreement",
          rules.consistent, of("p <= 0.05", "signed_gi"), figure="2"),
    Claim("IV.C", "seems to be less strong",
          "SignedGI, correlation with LOO: IMDB-BiLSTM against each other panel", "agreement", rules.smaller,
          ((Number("rho", "signed_gi", panel=IMDB_BILSTM), Number("rho", "signed_gi")),), panels=OTHERS, figure="2"),
    Claim("IV.C", "consistent with the results in Fig. 1",
          "SignedGI − LOO, AOPC: IMDB-BiLSTM below each other panel", "agreement", rules.smaller,
          tuple((Number("aopc", "signed_gi - loo", k, panel=IMDB_BILSTM), Number("aopc", "signed_gi - loo", k))
                for k in (10, END)), panels=OTHERS),
    Claim("IV.C", "0.2~0.5 on the dataset of AG", "SA L1, correlation with LOO", "agreement",
          rules.between, of("rho", "sa_l1"), panels=AG, figure="2"),
    Claim("IV.C", "hovers around 0.0", "SA L1, correlation with LOO", "agreement",
          rules.near_zero, of("rho", "sa_l1"), panels=IMDB, figure="2"),
    Claim("IV.C", "0.2~0.5 on the dataset of AG", "SA L1, gradients by word type, correlation with LOO", "fasttext",
          rules.between, of("rho", "sa_l1", variant="by-type"), panels=FASTTEXT[:1]),
    Claim("IV.C", "hovers around 0.0", "SA L1, gradients by word type, correlation with LOO", "fasttext",
          rules.near_zero, of("rho", "sa_l1", variant="by-type"), panels=FASTTEXT[1:]),
    Claim("Fig. 2, caption", "the results of others are similar",
          "SA L1 beside SA raw, L2 and Linf, correlation with LOO", "agreement", rules.similar,
          tuple((Number("rho", "sa_l1"), Number("rho", key)) for key in ("sa_raw", "sa_l2", "sa_linf")), figure="2"),
    is_said("Fig. 2, caption", "largely depends on the document length", "agreement",
            "for the same correlation, p falls with the number of words"),
    Claim("IV.C", "SignedGI shows better explanatory ability", "SignedGI − SA L1, correlation with LOO", "agreement",
          rules.above, of("rho", "signed_gi - sa_l1"), figure="2"),
]
QUALITATIVE = [
    is_said("IV.D", "keep the same in each dimension, except for the word “is”", "fasttext",
            "FastText by word type: no other word than 'is' differs, full stops aside",
            "FastText by position: 'is' differs", figure="3a", quantifier="some"),
    is_said("IV.D", "exactly twice as much as other words", "fasttext",
            "FastText by word type: 'is' has twice the gradient of 'great'",
            "FastText by position: 'is' has twice the gradient of 'great'", figure="3a", quantifier="some"),
    is_said("IV.D", "always proportional to the word frequency", "fasttext",
            "FastText: the gradient of a word type is its count times one vector"),
    is_said("IV.D", "not have a clear focus", "looking", "TextCNN: no gradient stands out", figure="3a"),
    is_said("IV.D", "“bad”, “home” and “video” stands out", "looking",
            *(f"BiLSTM: the gradient at '{word}' stands out" for word in ("bad", "home", "video")), figure="3a"),
    is_said("IV.D", "almost zero emphasis", "looking", "BiLSTM: the gradient at 'great' is almost zero", figure="3a"),
    is_said("IV.D", "“great” has a large positive score across all three models", "looking",
            *(f"{model}: LOO of 'great' is large and positive" for model in MODELS), figure="3b"),
    is_said("IV.D", "always assigned with a large negative score", "looking",
            *(f"{model}: LOO of 'bad' is large and negative" for model in MODELS), figure="3b"),
    is_said("IV.D", "very close to LOO, except for the case on BiLSTM", "looking",
            "FastText: SignedGI is very close to LOO", "TextCNN: SignedGI is very close to LOO",
            "BiLSTM: SignedGI is not very close to LOO", figure="3b"),
    is_said("IV.D", "SignedGI misses the word “great”", "looking", "BiLSTM: 'great' is not large by SignedGI",
            figure="3b"),
    is_said("IV.D", "the results of SA-based methods are less focused", "looking",
            *(f"{model}: each SA has less of its sum in its three largest words than SignedGI" for model in MODELS),
            figure="3b"),
    is_said("IV.D", "cannot select the important words correctly", "looking",
            *(f"{model}: some SA has 'great' or 'bad' not among its three largest" for model in MODELS),
            quantifier="some", figure="3b"),
    is_said("IV.D", "cannot distinguish between negative and positive impacts", "looking",
            *(f"{model}: the norms give 'bad' a positive score like 'great'" for model in MODELS), figure="3b"),
]
CONCLUSION = [
    Claim("V", "SignedGI significantly outperforms SA-based methods", "SignedGI − each of the four SA, AOPC", "aopc",
          rules.above, gaps(*(("signed_gi", key) for key in SA))),
]
PARTS = {"Abstract, I, II": FRONT, "III": METHODS, "IV.A": PRELIMINARIES, "IV.B": QUANTITATIVE, "IV.C": CORRELATION,
         "IV.D": QUALITATIVE, "V": CONCLUSION}
CLAIMS = [claim for part in PARTS.values() for claim in part]
FIGURES = {"1": "AOPC against the cut-off", "2": "histograms of the correlation with LOO",
           "3a": "gradients of one review", "3b": "scores of one review"}


def by_definition(panel: Panel, number: Number) -> bool:
    """Whether a number follows from the definitions, whatever the data are.

    A FastText has one gradient for all words of a document, so that SA ranks them at random (proposition 3); and with
    two classes its SignedGI ranks the words as LOO does, because the loss falls with the one margin there is.
    """
    methods = set(number.method.split(" - "))
    if panel.classifier != "fasttext" or number.metric != "aopc" or len(methods) < 2:
        return False
    return methods <= {*SA, "random"} or (methods == {"signed_gi", "loo"} and panel.corpus == "imdb")


def anchor(claim: Claim) -> str:
    """The id of a claim's row in the report: section and quote, and a number where a quote has several."""
    alike = [other for other in CLAIMS if (other.section, other.quote) == (claim.section, claim.quote)]
    name = re.sub(r"[^a-z0-9]+", "-", f"claim {claim.section} {claim.quote}".lower()).strip("-")
    return name if len(alike) < 2 or claim is alike[0] else f"{name}-{alike.index(claim) + 1}"
