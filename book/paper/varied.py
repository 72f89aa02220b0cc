"""What the verdicts rest on: the conventions of the rules, varied, and how far this build lies from the reference."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from IPython.display import Markdown

from lib.results import END, Number, Results, label
from lib.show.prose import safe

from . import plan, rules
from .claims import CLAIMS
from .tables import of_build, table, title
from .verdicts import Judgement, Verdicts, judge

FACTORS = (0.8, 1.25)
COMPARED = {"AOPC(10)": [Number("aopc", key, 10) for key in plan.METHODS],
            "AOPC at the longest K": [Number("aopc", key, END) for key in plan.METHODS],
            "correlation with LOO": [Number("rho", key) for key in plan.METHODS if key != "loo"],
            "share with p ≤ 0.05": [Number("p <= 0.05", key) for key in plan.METHODS if key != "loo"]}


def all_rules() -> Markdown:
    """Every rule in words, with its conventions, and the number of rows that it judges."""
    used = {}
    for claim in CLAIMS:
        if claim.rule is not None:
            function, given = rules.conventions(claim.rule)
            used.setdefault((function.__name__, tuple(given.items()), rules.in_words(claim.rule)), []).append(claim)
    rows = [(f"`{name}`", safe(said), ", ".join(f"{key} = {value}" for key, value in given) or "none", str(len(some)))
            for (name, given, said), some in used.items()]
    return table(["rule", "says yes if", "conventions", "rows"], rows)


def rests_on_a_convention(one: Judgement) -> bool:
    """Whether a number of this book decides; the borders 0.2 and 0.5 are the paper's own."""
    rule = one.claim.rule
    return rule is not None and rule is not rules.between and bool(rules.conventions(rule)[1])


def changed(verdicts: Verdicts, factor: float) -> Iterator[tuple[str, str, str, str]]:
    """Claims with another verdict if the conventions of their rule, one at a time, are multiplied by a factor."""
    results = verdicts.results
    for old in filter(rests_on_a_convention, verdicts.judged):
        function, given = rules.conventions(old.claim.rule)
        for name, value in given.items():
            other = min(0.99, factor * value)
            claim = replace(old.claim, rule=partial(function, **(given | {name: other})))
            new = judge(claim, results.there, results.here, verdicts.checks)
            if new.verdict != old.verdict:
                yield (safe(old.claim.quote), f"{function.__name__}, {name} = {value} → {other:.3g}", old.verdict,
                       new.verdict)


def conventions(verdicts: Verdicts) -> Markdown:
    """The verdicts that other conventions would change."""
    found = [row for factor in FACTORS for row in changed(verdicts, factor)]
    asked = sum(map(rests_on_a_convention, verdicts.judged))
    said = (f"{asked} rows rest on a convention of this book, and {len({row[0] for row in found})} of them would get "
            "another verdict.")
    below = table(["row", "convention", "verdict", "would be"], found).data if found else ""
    return Markdown(f"{said}\n\n{below}")


def distances(results: Results) -> Markdown:
    """How far the numbers of this build lie from those of the reference."""
    head = ["", "numbers both have", "median distance", "largest distance",
            "share of this build's means inside the reference's interval", "share of intervals that touch"]
    rows = [_distance(name, numbers, results) for name, numbers in COMPARED.items()]
    after = ("A mean of few documents need not lie inside the interval of many, but the two intervals should mostly "
             "touch.")
    if not any(panel.corpus == "ag_news" for panel in of_build(results)):
        after += " On this machine only IMDB can be compared; AG's News is not here."
    return table(head, rows, after)


def _distance(name: str, numbers: list[Number], results: Results) -> tuple[str, ...]:
    found = []
    for panel in of_build(results):
        for number in numbers:
            now, there = results.here(panel, number), results.there(panel, number)
            if now is not None and there is not None and now.n and there.n:
                found.append((f"{title(panel)}, {label(number.method)}", now, there))
    if not found:
        return name, "0", "", "", "", ""
    apart = np.array([abs(now.mean - there.mean) for _, now, there in found])
    inside = np.mean([there.low <= now.mean <= there.high for _, now, there in found])
    touching = np.mean([now.low <= there.high and there.low <= now.high for _, now, there in found])
    where = found[int(apart.argmax())][0]
    return (name, str(len(found)), f"{np.median(apart):.3f}", f"{apart.max():.3f} ({where})", f"{inside:.2f}",
            f"{touching:.2f}")
