"""One question, two answers: what the experiments of this build say, and what the reference says."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from .. import experiments as grid
from ..attribution import METHODS
from ..classifiers import CLASSIFIERS
from . import kept
from .answers import SERIES, Answers
from .build import OF_A_RUN, Build
from .numbers import CHANGED, END, Number, Panel, label, parts

ALIASES = {"agreement": "rho", "significant": "p <= 0.05"}
WITH_K = ("aopc", "aopc greedy", "relative norm", "relative norm by distance", "same sign by size", "rho by length",
          "p <= 0.05 by length", "rho in bin")
SAID = {"aopc": "AOPC", "rho": "Correlation with LOO, ρ", "p <= 0.05": "Share of documents with p ≤ 0.05",
        "rho > 0": "Share of documents with ρ above 0", "undefined": "Share of documents whose ρ is undefined",
        "comprehensiveness": "Comprehensiveness", "sufficiency": "Sufficiency",
        "rises": "Share of documents whose probability rises with the first masked word"}


class Results:
    """The experiments of this build and the reference results, asked by the same names.

    ``experiments`` are :class:`lib.experiments.Experiment`, at most one for a corpus and a classifier; they are run
    here, or found where an earlier run kept them. ``variants`` holds more, under the name of the one thing they change:
    ``{"readout-last": [...]}``. ``measured`` adds values [n], one a document, by (:class:`Panel`, :class:`Number`).
    ``reference`` is a folder of tables like those that ``make reference`` writes; by default those of the library.

    ``run`` gives the numbers of an experiment, or None for none; by default it is :func:`lib.experiments.run`.

    ``ask`` is the way in; ``here`` and ``there`` give the interval of one panel and number, from this build and from
    the reference. Raises ``ValueError`` for two experiments in one place, ``FileNotFoundError`` for a folder without
    tables. Taught in: *AOPC*, *Agreement with LOO*.
    """

    def __init__(self, experiments: Iterable = (), variants: Mapping[str, Iterable] | None = None,
                 measured: Mapping | None = None, *, reference: str | Path | None = None, run=grid.run):
        self.there = kept.Reference(kept.table(reference))
        runs = {}
        for variant, several in {"main": experiments, **(variants or {})}.items():
            for experiment in several:
                place = Panel.of(experiment), variant
                if place in runs:
                    raise ValueError(f"There are two experiments on {place[0]} ({variant}): give one a name of its own "
                                     "in variants.")
                runs[place] = run(experiment)
        self.here = Build({place: found for place, found in runs.items() if found is not None}, measured)

    @property
    def panels(self) -> list[Panel]:
        """The panels of this build, then those of the reference that have a classifier as the library trains it."""
        here = {panel for panel, _ in [*self.here.runs, *self.here.measured]}
        return [panel for panel in self.known if panel in here or panel.classifier not in CHANGED]

    @property
    def known(self) -> list[Panel]:
        """Every panel that this build or the reference knows, those of this build first."""
        here = [panel for panel, _ in [*self.here.runs, *self.here.measured]]
        return list(dict.fromkeys([*here, *sorted({Panel(*place[:2]) for place in self.there.rows}, key=_in_order)]))

    def ask(self, metric: str, *methods: str, k: int | None = None, panels=None, variant: str = "main") -> Answers:
        """Panel -> row -> {"this build", "reference"} -> interval, or None for what was not computed.

        ``metric`` is "aopc" (of the first ``k`` masked words; without k, of all of the longest document), "agreement"
        (correlation with LOO), "significant" (share of documents with p <= 0.05), "rho > 0", "undefined", "rises", or
        another metric of the reference. A method is a key, or "signed_gi - loo" for the difference on the same
        documents. ``panels`` are pairs (corpus, classifier) or names of corpora; by default :attr:`panels`.
        ``variant`` names the one thing that was changed.

        Raises ``ValueError`` for an unknown metric, method, variant or panel, and for a k that cannot be.
        Taught in: *AOPC*, *Agreement with LOO*.
        """
        metric = ALIASES.get(metric, metric)
        self._check(metric, methods, k, variant)
        k = END if k is None and metric == "aopc" else k
        numbers = {label(method): Number(metric, method, k, variant) for method in methods}
        found = {str(panel): {row: dict(zip(SERIES, (self.here(panel, number), self.there(panel, number)), strict=True))
                              for row, number in numbers.items()} for panel in self._chosen(panels)}
        return Answers(found, _said(metric, k, variant), signed=any(" - " in method for method in methods))

    def _chosen(self, wanted) -> list[Panel]:
        known = self.known
        if wanted is None:
            return self.panels
        chosen = []
        for one in [wanted] if isinstance(wanted, str) or wanted in known else wanted:
            found = [panel for panel in known if one == panel or (one == panel.corpus and panel in self.panels)]
            if not found:
                there = "; ".join(f"{corpus}, {classifier}" for corpus, classifier in known)
                raise ValueError(f"Neither this build nor the reference has a panel {one!r}: there are {there}.")
            chosen += found
        return list(dict.fromkeys(chosen))

    def _check(self, metric: str, methods: tuple[str, ...], k: int | None, variant: str) -> None:
        known = [Number(place[2], place[3], None, place[5]) for place in self.there.rows]
        known += [number for _, number in self.here.measured]
        known += [Number(name, method, None, changed) for (_, changed), run in self.here.runs.items()
                  for name in OF_A_RUN for method in run]
        _check_name("metric", metric, {number.metric for number in known} | set(OF_A_RUN), also=ALIASES)
        _check_name("variant", variant, {number.variant for number in known})
        names = {part for number in known for part in parts(number.method)} | set(METHODS)
        if not methods:
            raise ValueError("No method was named: ask for one or more, such as 'signed_gi' or 'signed_gi - loo'.")
        for method in methods:
            if method.count(" - ") > 1 or not set(parts(method)) <= names:
                raise ValueError(f"Unknown method {method!r}: name a key of lib.attribution.METHODS, or a difference "
                                 "such as 'signed_gi - loo'.")
        if k is not None and metric not in WITH_K:
            raise ValueError(f"The metric {metric!r} has no cut-off, but k is {k}: leave it out.")
        if k is not None and k < 0:
            raise ValueError(f"The cut-off k is {k}: it cannot be negative.")


def _check_name(what: str, name: str, known: set[str], also: Iterable[str] = ()) -> None:
    if name not in known:
        raise ValueError(f"Unknown {what} {name!r}: choose one of {', '.join(sorted(known | set(also)))}.")


def _in_order(panel: Panel) -> tuple:
    """Corpora by name, classifiers as the library lists them, others behind."""
    known = [*CLASSIFIERS, *CHANGED]
    return panel.corpus, known.index(panel.classifier) if panel.classifier in known else len(known), panel.classifier


def _said(metric: str, k: int | None, variant: str) -> str:
    """What was asked, as the caption of the table says it."""
    where = "" if k is None else f" at K = {k}" if metric == "aopc" else f" ({k})"
    if k == END:
        where = " at the end of the longest document"
    return SAID.get(metric, metric) + where + ("" if variant == "main" else f", {variant}")
