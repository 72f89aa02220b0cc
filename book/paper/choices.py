"""What moves which conclusion: each choice that the paper leaves open is changed alone, and conclusions compared."""

import numpy as np

from lib.intervals import Interval
from lib.results import END, Number, Panel
from lib.show.grids import Grid, Mark

from . import plan
from .claims import ALL
from .rules import above

# A conclusion is the side of 0 on which a difference lies, in each panel.
CONCLUSIONS = {
    "SignedGI above SA L2": ("aopc", "signed_gi - sa_l2"),
    "SignedGI and LOO": ("aopc", "signed_gi - loo"),
    "SA L2 above Random": ("aopc", "sa_l2 - random"),
    "SA raw below Random": ("aopc", "sa_raw - random"),
    "ρ: SignedGI above SA L1": ("rho", "signed_gi - sa_l1"),
}
CUT_OFF = "cut-off 10 instead of the end"
READ_OUT = "read-out: last states"
CHOICES = {
    CUT_OFF: "main",
    READ_OUT: "main",
    "gradient of the word type": "by-type",
    "predicted class": "predicted-class",
    "gradient and LOO of the logit": "of-logit",
    "of the probability": "of-probability",
    "AOPC: unknown word": "aopc-mask",
    "AOPC: word deleted": "aopc-delete",
    "LOO: unknown word": "loo-mask",
    "LOO: word deleted": "loo-delete",
    "ties: first word first": "ties-first",
    "word vectors: random start": "start-random",
    "documents classified right": "correct",
    "documents classified wrong": "misclassified",
}


def moved(source) -> Grid:
    """For each choice and conclusion, in how many panels the side of 0 is another one than under the paper's choices.

    ``source`` is a side of :class:`lib.results.Results`: ``results.there`` is the reference, ``results.here`` this
    build. *Turned* means on the other side; *lost* that the interval now holds 0, *found* that it no longer does.
    """
    rows = {choice: [_mark(source, choice, *asked) for asked in CONCLUSIONS.values()] for choice in CHOICES}
    return Grid(list(CONCLUSIONS), rows, "In how many panels a choice turns a conclusion round, or loses or finds it. "
                                         "Blank: the same in all panels; –: not computed, or it cannot matter.")


def _mark(source, choice: str, metric: str, method: str) -> Mark:
    found = [step for panel in ALL if (step := _step(source, choice, panel, metric, method))]
    counts = {step: found.count(step) for step in ("turned", "lost", "found")}
    said = ", ".join(f"{count} {step}" for step, count in counts.items() if count)
    if not found:
        return Mark("–", "none", "not computed, or it cannot matter")
    kind = "no" if counts["turned"] else "part" if said else "yes"
    return Mark(said, kind, f"{said or 'the same'} in {len(found)} panels")


def _step(source, choice: str, panel: Panel, metric: str, method: str) -> str | None:
    """What a choice does to a conclusion in a panel; None where one of the two is not there or not defined."""
    if (choice == READ_OUT and panel.classifier != "bilstm") or (choice == CUT_OFF and metric != "aopc"):
        return None
    other = Panel(panel.corpus, "bilstm-last") if choice == READ_OUT else panel
    k, k_changed = (None, None) if metric != "aopc" else (END, 10 if choice == CUT_OFF else END)
    before = _side(source(panel, Number(metric, method, k)))
    after = _side(source(other, Number(metric, method, k_changed, CHOICES[choice])))
    if before is None or after is None:
        return None
    if before == after:
        return "same"
    return "lost" if after == "undecided" else "found" if before == "undecided" else "turned"


def _side(value: Interval | None) -> str | None:
    """Above 0, below it or undecided, as the rules of the report say; None if there is no interval."""
    if value is None or not value.n or np.isnan(value.low):
        return None
    return {True: "above", False: "below", None: "undecided"}[above(value)]



assert set(plan.VARIANTS) - {"signs"} <= set(CHOICES.values()), "a variant of the plan that no choice names"
