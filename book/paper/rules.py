"""The paper's claims and the rules that judge them: from intervals to a verdict, by code alone.

A claim names numbers (what, of which method, at which cut-off) and a rule. A source (the reference results, or what this build
computed) gives an interval for each number; the rule says yes or no to it; the answers together are the verdict.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.intervals import Interval, bootstrap
from lib.results.kept import pooled

HOLDS, PART, FAILS, UNDEFINED, MISSING = VERDICTS = ("holds", "holds in part", "does not hold", "undefined", "not computed")
END = -1  # the cut-off at the length of the longest document
NAN = Interval(np.float64("nan"), np.float64("nan"), np.float64("nan"), 0, 0)  # a number that does not exist

Panel = tuple[str, str]  # corpus and classifier
PANELS = {(corpus, name): f"{title}-{label}" for corpus, title in (("ag_news", "AG"), ("imdb", "IMDB"))
          for name, label in (("fasttext", "FastText"), ("textcnn", "TextCNN"), ("bilstm", "BiLSTM"))}
ALL = tuple(PANELS)
IMDB_BILSTM = ("imdb", "bilstm")
OTHERS = tuple(panel for panel in ALL if panel != IMDB_BILSTM)
AG, IMDB = ALL[:3], ALL[3:]
TEXTCNN = (("ag_news", "textcnn"), ("imdb", "textcnn"))
FASTTEXT = (("ag_news", "fasttext"), ("imdb", "fasttext"))


class Number(NamedTuple):
    """What is looked up, named as in the reference results. ``panel``: None is the panel in question."""

    metric: str
    method: str
    k: int | None = None
    variant: str = "main"
    panel: Panel | None = None


# --- rules: from intervals to yes or no. Numbers in a signature, after the star, are this book's conventions ------------


def above(difference: Interval) -> bool:
    """The interval of the difference lies above 0."""
    return bool(difference.low > 0)


def below(difference: Interval) -> bool:
    """The interval of the difference lies below 0."""
    return bool(difference.high < 0)


def tie(difference: Interval) -> bool:
    """The interval of the difference contains 0."""
    return not above(difference) and not below(difference)


def not_above(difference: Interval) -> bool:
    """The interval of the difference does not lie above 0."""
    return not above(difference)


def not_below(difference: Interval) -> bool:
    """The interval of the difference does not lie below 0."""
    return not below(difference)


def overlap(difference: Interval, distance: Interval, *, tolerance: float = 0.1) -> bool:
    """The mean difference is, without its sign, less than ``tolerance`` times the mean distance."""
    return bool(abs(difference.mean) < tolerance * abs(distance.mean))


def moderate(difference: Interval, distance: Interval, *, most: float = 0.5) -> bool:
    """The interval of the difference lies above 0, and its mean is at most ``most`` times the mean distance."""
    return above(difference) and bool(difference.mean <= most * distance.mean)


def far_below(difference: Interval, distance: Interval, *, least: float = 0.25) -> bool:
    """The interval of the difference lies below 0, by a mean of more than ``least`` times the mean distance."""
    return below(difference) and bool(-difference.mean > least * abs(distance.mean))


def strong(rho: Interval, *, least: float = 0.5) -> bool:
    """The mean correlation is at least ``least``."""
    return bool(rho.mean >= least)


def consistent(share: Interval, *, least: float = 0.95) -> bool:
    """The mean share of documents is at least ``least``."""
    return bool(share.mean >= least)


def between(rho: Interval, *, low: float = 0.2, high: float = 0.5) -> bool:
    """The mean correlation lies from ``low`` to ``high``, the paper's own borders."""
    return bool(low <= rho.mean <= high)


def near_zero(rho: Interval, *, border: float = 0.1) -> bool:
    """The mean correlation is, without its sign, less than ``border``."""
    return bool(abs(rho.mean) < border)


def similar(first: Interval, second: Interval, *, tolerance: float = 0.1) -> bool:
    """The two mean correlations differ by less than ``tolerance``."""
    return bool(abs(first.mean - second.mean) < tolerance)


def smaller(first: Interval, second: Interval) -> bool:
    """The interval of the first lies below that of the second, without touching it."""
    return bool(first.high < second.low)


def apart(*values: Interval) -> bool:
    """At least two of the intervals do not touch."""
    return bool(max(value.low for value in values) > min(value.high for value in values))


def more_than(share: Interval, *, least: float) -> bool:
    """The interval of the share lies above ``least``."""
    return bool(share.low > least)


def dominant(share: Interval, *, least: float = 0.5) -> bool:
    """The largest dimension has, by the whole interval, more than ``least`` of the L1 norm."""
    return more_than(share, least=least)


def more_than_chance(share: Interval, *, least: float = 0.063) -> bool:
    """The largest dimension has, by the whole interval, more of the L1 norm than in a normal random vector of 50 dimensions."""
    return more_than(share, least=least)


def uncertain(share: Interval, *, least: float = 0.05) -> bool:
    """Masking the first word raises the probability, by the whole interval, in more than ``least`` of the documents."""
    return more_than(share, least=least)


def fades(*tenths: Interval, least: float = 0.5) -> bool:
    """In some tenth of the document the gradient is, by both intervals, shorter than ``least`` times that of the longest tenth."""
    return bool(min(tenth.high for tenth in tenths) < least * max(tenth.low for tenth in tenths))


def null_share(dimensions: int = 50, draws: int = 20_000, seed: int = 0) -> float:
    """Mean share of the largest entry in the L1 norm of a normal random vector: what chance alone gives; 1/D is the least possible."""
    sizes = np.abs(np.random.default_rng(seed).standard_normal((draws, dimensions)))
    return float((sizes.max(axis=1) / sizes.sum(axis=1)).mean())


# --- from answers to a verdict ---------------------------------------------------------------------------------------


def outcome(rule: Callable[..., bool], intervals: Sequence[Interval | None]) -> str:
    """The answer to one number (or to the few that a rule compares)."""
    if any(interval is None for interval in intervals):
        return MISSING
    if any(np.isnan(interval.mean) for interval in intervals):
        return UNDEFINED
    return HOLDS if rule(*intervals) else FAILS


def verdict(outcomes: Sequence[str], quantifier: str = "all") -> str:
    """All answers together.

    "all": holds if all hold, does not hold if none does, else in part. "some" and "most": holds if at least one does, or more
    than half do; else does not hold. Undefined numbers do not count; a missing one leaves the verdict open if it could change it.
    """
    counted = [found for found in outcomes if found != UNDEFINED]
    if not counted:
        return UNDEFINED if outcomes else MISSING
    yes, missing = counted.count(HOLDS), counted.count(MISSING)
    if quantifier == "all":
        if PART in counted or 0 < yes < len(counted) - missing:
            return PART
        return MISSING if missing else HOLDS if yes else FAILS
    needed = 1 if quantifier == "some" else len(counted) // 2 + 1
    if yes >= needed:
        return HOLDS
    return MISSING if yes + missing >= needed else FAILS


# --- where the numbers come from --------------------------------------------------------------------------------------


class Reference:
    """The reference results, pooled over seeds (:func:`lib.reference.pooled`); a call gives an interval, NaN or None."""

    def __init__(self, table: pd.DataFrame | None):
        columns = ["dataset", "classifier", "metric", "method", "k", "variant"]
        rows = [] if table is None else table.assign(k=table["k"].astype("Int64").fillna(-99)).groupby(columns)
        self.rows, self.longest, self.found = dict(iter(rows)), {}, {}
        for corpus, classifier, metric, _, k, variant in self.rows:
            if metric == "aopc":
                self.longest[corpus, classifier, variant] = max(k, self.longest.get((corpus, classifier, variant), 0))

    def __call__(self, panel: Panel, number: Number) -> Interval | None:
        panel = number.panel or panel
        k = self.longest.get((*panel, number.variant)) if number.k == END else -99 if number.k is None else number.k
        key = (*panel, number.metric, number.method, k, number.variant)
        if key not in self.found:
            self.found[key] = pooled(self.rows[key], metric=number.metric) if key in self.rows else self._absent(panel, number)
        return self.found[key]

    def _absent(self, panel: Panel, number: Number) -> Interval | None:
        """Correlations have no row where no document has one: this is known, and not missing."""
        if number.metric == "undefined" or not number.metric.startswith(("rho", "p <=")):
            return None
        variant = "main" if number.variant == "reasons" else number.variant
        shares = [self(panel, Number("undefined", method, None, variant)) for method in re.split(" - |, ", number.method)]
        return NAN if any(share is not None and share.low == 1 for share in shares) else None


class Build:
    """What this build computed: ``runs``, (panel, variant) -> :func:`lib.experiments.run`, and ``measured``, (panel, number) -> values [n]."""

    def __init__(self, runs: dict, measured: dict):
        self.runs, self.measured, self.found = runs, measured, {}

    def __call__(self, panel: Panel, number: Number) -> Interval | None:
        panel, number = number.panel or panel, number._replace(panel=None)
        if (panel, number) not in self.found:
            values = self._values(panel, number)
            defined = values is not None and not np.isnan(values).all()
            self.found[panel, number] = bootstrap(values) if defined else None if values is None else NAN
        return self.found[panel, number]

    def _values(self, panel: Panel, number: Number) -> np.ndarray | None:
        if (panel, number) in self.measured:
            return np.asarray(self.measured[panel, number], dtype=float)
        run = self.runs.get((panel, number.variant))
        if run is None or number.metric not in ("aopc", "rho", "p <= 0.05", "undefined", "rises"):
            return None
        parts = [self._of(run[method], number.metric, number.k) for method in number.method.split(" - ")]
        return None if any(part is None for part in parts) else parts[0] - parts[1] if len(parts) == 2 else parts[0]

    @staticmethod
    def _of(run: dict, metric: str, k: int | None) -> np.ndarray | None:
        curve, rho = run["aopc"].double().numpy(), run["rho"].double().numpy()
        if metric == "aopc":
            return curve[:, k] if k < curve.shape[1] else None
        if metric == "rises":  # AOPC(1) is half the drop of the probability at the first word
            return (curve[:, 1] < 0).astype(float)
        if metric == "p <= 0.05":
            return np.where(np.isnan(rho), np.nan, run["p"].double().numpy() <= 0.05)
        return rho if metric == "rho" else np.isnan(rho).astype(float)


# --- claims ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claim:
    """One statement of the paper: its place, a few of its words, what is looked at, and the rule.

    ``groups`` are the tuples of numbers that the rule is asked about in each of ``panels``; ``checks`` are names of checks
    that run on the report's page. ``tested`` is the page that treats the matter.
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


class Finding(NamedTuple):
    """One answer: where it was looked for, the intervals, and what the rule says to them."""

    panel: Panel
    group: tuple[Number, ...]
    intervals: tuple
    outcome: str


def findings(claim: Claim, source: Callable[[Panel, Number], Interval | None]) -> list[Finding]:
    """The answers to a claim in one source, panel by panel."""
    found = [(panel, group, tuple(source(panel, number) for number in group)) for panel in claim.panels for group in claim.groups]
    return [Finding(*one, outcome(claim.rule, one[2])) for one in found]


class Judgement(NamedTuple):
    """The verdict on a claim, and the two it comes from: the reference's where there is one, else this build's."""

    claim: Claim
    reference: list[Finding]
    build: list[Finding]
    by_reference: str
    by_build: str

    @property
    def verdict(self) -> str:
        return self.by_build if self.by_reference == MISSING else self.by_reference

    @property
    def disagree(self) -> bool:
        return MISSING not in (self.by_reference, self.by_build) and self.by_reference != self.by_build


def judge(claim: Claim, reference, build, checks: dict[str, bool]) -> Judgement:
    """A claim judged by its checks, which run in this build only, or by its numbers in both sources."""
    if claim.checks:
        answers = [MISSING if checks.get(name) is None else HOLDS if checks[name] else FAILS for name in claim.checks]
        return Judgement(claim, [], [], MISSING, verdict(answers, claim.quantifier))
    both = [findings(claim, source) for source in (reference, build)]
    return Judgement(claim, *both, *(verdict([found.outcome for found in part], claim.quantifier) for part in both))


def judge_figure(figure: str, judgements: Sequence[Judgement]) -> str:
    """The verdict on a figure is that on the claims that read it."""
    return verdict([judgement.verdict for judgement in judgements if judgement.claim.figure == figure])
