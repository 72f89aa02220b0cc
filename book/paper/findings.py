"""What was found: a name for each sentence that a page prints about the reference, with a predicate and its numbers.

The sentence itself stands on the page, in the body of the directive ``finding``; a person wrote it. Here stands what
must be so for it to be true. A test evaluates every finding on the reference results, and compares each numeral of the
sentence, in order, with the number that belongs to it. On the page a mark says whether this build agrees.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from IPython.display import Markdown

from lib import experiments
from lib.intervals import Interval
from lib.results import END, Number, Panel, Results

from . import plan, rules
from .choices import CHOICES
from .claims import ALL, FASTTEXT, IMDB_BILSTM, IMDB_LAST, NORMS, SA, TEXTCNN, against, gaps, of
from .rules import FAILS, HOLDS, outcome
from .tables import brief, place, table
from .verdicts import Evidence, counted

OPERATORS = ("main", "aopc-delete", "aopc-mask")  # how the test takes a word away: zeroed, deleted, made unknown
UNSIGNED = tuple(panel for panel in ALL if panel not in FASTTEXT)  # where SA is not constant

UNSIGNED_IMDB = tuple(panel for panel in UNSIGNED if panel.corpus == "imdb")
AG_BILSTM, AG_LAST = Panel("ag_news", "bilstm"), Panel("ag_news", "bilstm-last")
BILSTM_ON_IMDB = Number("rho", "signed_gi", panel=IMDB_BILSTM)
RIGHT, WRONG = (Number("rho", "sa_l1", variant=variant) for variant in ("correct", "misclassified"))
BY_LENGTH = tuple(Number("rho by length", "signed_gi", quarter, "reasons") for quarter in (0, 3))  # shortest, longest
SIGNIFICANT_BY_LENGTH = tuple((Number("p <= 0.05 by length", "signed_gi", quarter, "reasons"),) for quarter in range(4))


@dataclass(frozen=True)
class Part:
    """Numbers, in each of some panels, to which a rule must say yes: what a sentence claims."""

    rule: Callable[..., bool]
    groups: tuple[tuple[Number, ...], ...]
    panels: tuple[Panel, ...] = ALL

    def evidence(self, source) -> list[Evidence]:
        found = [(panel, group, tuple(source(panel, number) for number in group))
                 for panel in self.panels for group in self.groups]
        return [Evidence(*one, outcome(self.rule, one[2])) for one in found]


class Numeral(NamedTuple):
    """A number that is printed in the sentence: what is looked up, and what is made of it."""

    take: Callable[[Sequence[Interval]], float]
    groups: tuple[tuple[Number, ...], ...]
    panels: tuple[Panel, ...] = ALL

    def value(self, source) -> float:
        """Raises ``ValueError`` where the reference has no such number."""
        found = [source(panel, number) for panel in self.panels for group in self.groups for number in group]
        found = [value for value in found if value is not None and value.n]
        if not found:
            raise ValueError("The reference has none of the numbers that this numeral is made of.")
        return float(self.take(found))


class Setting(NamedTuple):
    """A number that the sentence only repeats: the cut-off of a comparison, or the border in a metric's name."""

    value_said: float

    def value(self, source) -> float:
        return self.value_said


def smallest(found: Sequence[Interval]) -> float:
    return min(value.mean for value in found)


def largest(found: Sequence[Interval]) -> float:
    return max(value.mean for value in found)


def farthest(found: Sequence[Interval]) -> float:
    """The largest of the means, signs aside."""
    return max(abs(value.mean) for value in found)


def documents(found: Sequence[Interval]) -> float:
    return min(value.n for value in found)


def within(difference: Interval, *, most: float) -> bool:
    """The mean difference is, without its sign, at most ``most``."""
    return bool(abs(difference.mean) <= most)


def near(difference: Interval, distance: Interval, *, tolerance: float = 0.1) -> bool:
    """The mean difference is, without its sign, less than ``tolerance`` times the mean distance."""
    return bool(abs(difference.mean) < tolerance * abs(distance.mean))


def within_a_quarter(difference: Interval, distance: Interval) -> bool:
    """The difference is not far below, by the rule that judges a large margin."""
    return rules.far_below(difference, distance) is False


def lower(first: Interval, second: Interval) -> bool:
    """The first mean is below the second."""
    return bool(first.mean < second.mean)


def at_most(mean: Interval, *, most: float) -> bool:
    """The mean is at most ``most``."""
    return bool(mean.mean <= most)


def chance(share: Interval, *, low: float = 0.03, high: float = 0.06) -> bool:
    """The mean share lies from ``low`` to ``high``, near the one in twenty that p alone gives."""
    return bool(low <= share.mean <= high)


@dataclass(frozen=True)
class Finding:
    """What must be so of the reference (``parts``), and the numerals of the sentence, in the order in which they stand.

    ``numbers`` is the place where its numbers stand: the id of a row of the report.
    """

    parts: tuple[Part, ...]
    numerals: tuple[Numeral | Setting, ...] = ()
    numbers: str = "every-number"

    def evidence(self, source) -> list[Evidence]:
        return [one for part in self.parts for one in part.evidence(source)]

    def holds(self, source) -> bool:
        """Whether every comparison is as the sentence says; one that the source lacks is not."""
        outcomes = [one.outcome for one in self.evidence(source)]
        return HOLDS in outcomes and not {FAILS, rules.MISSING} & set(outcomes)


def ten(*pairs):
    """Paired differences of AOPC at K = 10."""
    return gaps(*pairs, ks=(10,))


FINDINGS = {
    "random-above-zero": Finding((Part(rules.above, of("aopc", "random", k=END)),)),
    "signed-gi-above-sa": Finding(
        (Part(rules.above, gaps(*(("signed_gi", key) for key in SA))),),
        (Numeral(smallest, ten(("signed_gi", "sa_l2"))), Numeral(largest, ten(("signed_gi", "sa_l2"))), Setting(10)),
        "claim-v-signedgi-significantly-outperforms-sa-based-methods"),
    "norms-overlap": Finding(
        (Part(near, against(("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"),
                                     ks=(1, 3, 10, 30, END))),),
        numbers="claim-iv-b-almost-overlapped"),
    "norms-above-random": Finding(
        (Part(rules.above, gaps(*((key, "random") for key in NORMS)), UNSIGNED),
         Part(near, against(*((key, "random") for key in NORMS)), FASTTEXT)),
        numbers="claim-iv-b-only-tie-rd-in-the-other-cases"),
    "sa-raw-below-random": Finding(
        (Part(rules.below, gaps(("sa_raw", "random")), UNSIGNED),),
        (Numeral(farthest, gaps(("sa_raw", "random"), ks=(END,)), UNSIGNED),),
        "claim-iv-b-even-the-rd-baseline-can-beat"),
    "loo-near-signed-gi": Finding(
        (Part(partial(within, most=0.035), ten(("signed_gi", "loo"))),
         Part(rules.above, ten(("signed_gi", "loo")), TEXTCNN[:1]),
         Part(rules.below, ten(("signed_gi", "loo")), TEXTCNN[1:])),
        (Numeral(farthest, ten(("signed_gi", "loo"))), Setting(10)),
        "claim-iv-b-in-most-cases-generally-comparable"),
    "operators-agree": Finding(
        tuple(Part(rules.above, gaps(*(("signed_gi", key) for key in SA), ks=(10,), variant=variant))
              for variant in OPERATORS)
        + tuple(Part(rules.below, gaps(("sa_raw", "random"), ks=(10,), variant=variant), UNSIGNED)
                for variant in OPERATORS),
        (Setting(10),)),
    "operators-turn-loo": Finding(
        tuple(Part(rule, gaps(("signed_gi", "loo"), ks=(10,), variant=variant), TEXTCNN[1:])
              for rule, variant in zip((rules.below, rules.above, rules.above), OPERATORS, strict=True)),
        (Setting(10), *(Numeral(farthest, gaps(("signed_gi", "loo"), ks=(10,), variant=variant), TEXTCNN[1:])
                        for variant in OPERATORS))),
    "home-sa": Finding(
        (Part(rules.above, gaps(*(("signed_gi", key) for key in SA))),
         Part(rules.above, gaps(*(("signed_gi", key) for key in SA)), (IMDB_LAST, AG_LAST))),
        numbers="claim-v-signedgi-significantly-outperforms-sa-based-methods"),
    "home-norms": Finding(
        (Part(near, against(("sa_l1", "sa_l2"), ("sa_l2", "sa_linf"), ("sa_l1", "sa_linf"))),
         Part(partial(at_most, most=0.5), of("largest share", "gradient", variant="reasons"))),
        numbers="claim-iv-b-almost-overlapped"),
    "home-loo": Finding(
        (Part(rules.below, ten(("signed_gi", "loo")), TEXTCNN[1:]),
         Part(rules.above, gaps(("signed_gi", "loo"), ks=(10,), variant="aopc-delete"), TEXTCNN[1:])),
        numbers="claim-iv-b-in-most-cases-generally-comparable"),
    "home-read-out": Finding(
        (Part(rules.far_below, against(("signed_gi", "loo"), far=("loo", "random"), ks=(END,)), (IMDB_LAST,)),
         Part(within_a_quarter, against(("signed_gi", "loo"), far=("loo", "random"), ks=(END,)), (IMDB_BILSTM,))),
        numbers="claim-iv-b-loo-surpasses-signedgi-by-a-large-margin"),
    "home-agreement": Finding(
        (Part(rules.strong, of("rho", "signed_gi")), Part(rules.strong, of("rho", "signed_gi"), (IMDB_LAST, AG_LAST))),
        numbers="claim-iv-c-a-strong-positive-association-with-loo"),
    "believe-random": Finding(
        (Part(rules.above, gaps(*((key, "random") for key in NORMS)), UNSIGNED_IMDB),),
        numbers="claim-iv-b-only-tie-rd-in-the-other-cases"),
    "believe-sa-l1": Finding(
        (Part(rules.above, of("rho", "sa_l1"), UNSIGNED_IMDB),
         Part(partial(at_most, most=0.5), of("rho", "sa_l1"), UNSIGNED_IMDB)),
        numbers="claim-iv-c-hovers-around-0-0"),
    "choices-sa": Finding(
        tuple(Part(rules.above, gaps(("signed_gi", "sa_l2"), ks=(END,), variant=variant))
              for variant in dict.fromkeys(CHOICES.values()))
        + (Part(rules.above, ten(("signed_gi", "sa_l2"))),
           Part(rules.above, gaps(("signed_gi", "sa_l2"), ks=(END,)), (IMDB_LAST, AG_LAST)))),
    "choices-greedy": Finding(
        (Part(rules.above, of("aopc greedy", "greedy loo - loo", "greedy signed_gi - signed_gi", k=10,
                              variant="reasons"), TEXTCNN),)),
    "ties-first-lift-sa": Finding(
        (Part(near, against(*((key, "random") for key in SA)), FASTTEXT[:1]),
         Part(rules.above, gaps(*((key, "random") for key in SA), variant="ties-first"), FASTTEXT[:1])),
        (Numeral(largest, gaps(("sa_l2", "random"), ks=(10,), variant="ties-first"), FASTTEXT[:1]), Setting(10))),
    "agreement-strong": Finding(
        (Part(rules.strong, of("rho", "signed_gi")), Part(rules.above, of("rho", "signed_gi - sa_l1"), UNSIGNED)),
        (Numeral(smallest, of("rho", "signed_gi")), Numeral(largest, of("rho", "signed_gi"))),
        "claim-iv-c-a-strong-positive-association-with-loo"),
    "agreement-of-sa": Finding(
        (Part(rules.above, of("rho", "sa_l1"), UNSIGNED),),
        (Numeral(smallest, of("rho", "sa_l1"), UNSIGNED), Numeral(largest, of("rho", "sa_l1"), UNSIGNED)),
        "claim-iv-c-0-2-0-5-on-the-dataset-of-ag"),
    "random-significant": Finding(
        (Part(chance, of("p <= 0.05", "random")),),
        (Numeral(smallest, of("p <= 0.05", "random")), Numeral(largest, of("p <= 0.05", "random"))),
        "claim-iv-c-can-be-consistently-established"),
    "agreement-by-read-out": Finding(
        (Part(rules.smaller, ((Number("rho", "signed_gi", panel=IMDB_LAST), Number("rho", "signed_gi")),),
              (IMDB_BILSTM,)),),
        (Numeral(smallest, of("rho", "signed_gi"), (IMDB_LAST,)),
         Numeral(smallest, of("rho", "signed_gi"), (IMDB_BILSTM,))),
        "claim-iv-c-seems-to-be-less-strong"),
    "agreement-weakest": Finding(
        (Part(rules.smaller, ((Number("rho", "signed_gi"), BILSTM_ON_IMDB),), TEXTCNN[1:]),
         Part(rules.smaller, ((BILSTM_ON_IMDB, Number("rho", "signed_gi")),), FASTTEXT[1:])),
        (Numeral(smallest, of("rho", "signed_gi"), TEXTCNN[1:]), Numeral(smallest, ((BILSTM_ON_IMDB,),), TEXTCNN[1:])),
        "claim-iv-c-seems-to-be-less-strong"),
    "agreement-significant-not-strong": Finding(
        (Part(partial(rules.more_than, least=0.5), of("p <= 0.05", "sa_l1"), UNSIGNED_IMDB),
         Part(partial(at_most, most=0.35), of("rho", "sa_l1"), UNSIGNED_IMDB)),
        (Numeral(smallest, of("p <= 0.05", "sa_l1"), UNSIGNED_IMDB),
         Numeral(largest, of("rho", "sa_l1"), UNSIGNED_IMDB)),
        "claim-iv-c-hovers-around-0-0"),
    "agreement-of-norms": Finding(
        (Part(partial(rules.similar, tolerance=0.03),
              tuple((Number("rho", "sa_l1"), Number("rho", key)) for key in NORMS[1:]), UNSIGNED),
         Part(rules.below, of("rho", "sa_raw"), UNSIGNED)),
        (Numeral(smallest, of("rho", "sa_raw"), UNSIGNED),),
        "claim-fig-2-caption-the-results-of-others-are-similar"),
    "agreement-raw-negative": Finding(
        (Part(partial(rules.consistent, least=0.99), of("p <= 0.05", "sa_raw"), (IMDB_BILSTM,)),
         Part(partial(at_most, most=0), of("rho > 0", "sa_raw"), (IMDB_BILSTM,))),
        (Numeral(smallest, of("p <= 0.05", "sa_raw"), (IMDB_BILSTM,)),)),
    "agreement-by-length": Finding(
        (Part(lower, (BY_LENGTH[::-1],), UNSIGNED), Part(lower, (BY_LENGTH,), FASTTEXT),
         Part(partial(rules.consistent, least=0.99), SIGNIFICANT_BY_LENGTH)),
        (Numeral(smallest, SIGNIFICANT_BY_LENGTH),),
        "claim-iv-b-the-long-document-length-of-imdb"),
    "agreement-by-type": Finding(
        (Part(rules.below, of("rho", "sa_l1", variant="by-type"), FASTTEXT),),
        tuple(Numeral(smallest, of("rho", "sa_l1", variant="by-type"), (panel,)) for panel in FASTTEXT),
        "claim-iv-c-0-2-0-5-on-the-dataset-of-ag-2"),
    "agreement-right-and-wrong": Finding(
        (Part(lower, ((WRONG, RIGHT),), UNSIGNED),
         Part(rules.smaller, ((WRONG, RIGHT),), tuple(panel for panel in UNSIGNED if panel != AG_BILSTM)),
         Part(rules.strong, tuple((number._replace(method="signed_gi"),) for number in (RIGHT, WRONG)), UNSIGNED)),
        (*(Numeral(end, ((number,),), UNSIGNED) for number in (RIGHT, WRONG) for end in (smallest, largest)),
         Numeral(smallest, tuple((number._replace(method="signed_gi"),) for number in (RIGHT, WRONG)), UNSIGNED))),
}


# --- a sentence and its numbers -------------------------------------------------------------------------------------

ROLE = re.compile(r"\{[^}]*\}`[^`]*`")  # a reference, such as {doc}`aopc`
NUMERAL = re.compile(r"(?<![\w.])[-+−]?\d[\d,]*(?:\.\d+)?(?!\w)(\s?%)?")  # not the 2 of L2, nor a part of a word


def numerals(sentence: str) -> list[tuple[float, float]]:
    """Every numeral of a sentence as (value, half of its last printed digit); per cent are shares."""
    found = []
    for match in NUMERAL.finditer(ROLE.sub("", sentence)):
        text = match[0].removesuffix(match[1] or "").rstrip(",").replace(",", "").replace("−", "-")
        unit = 0.01 if match[1] else 1
        digits = len(text.partition(".")[2])
        found.append((float(text) * unit, 0.5 * 10**-digits * unit))
    return found


def faults(name: str, sentence: str, source) -> list[str]:
    """What is wrong with a sentence that stands under a finding's name: nothing, or one line for each fault."""
    if name not in FINDINGS:
        return [f"there is no finding {name!r} in book/paper/findings.py"]
    finding, found = FINDINGS[name], []
    if not finding.holds(source):
        found += [f"it is not so: {place(one)} ({', '.join(map(brief, one.intervals))})"
                  for one in finding.evidence(source) if one.outcome not in (HOLDS, rules.UNDEFINED)]
    printed = numerals(sentence)
    if len(printed) != len(finding.numerals):
        return [*found, f"it has {len(printed)} numerals, its finding {len(finding.numerals)}"]
    for (said, half), numeral in zip(printed, finding.numerals, strict=True):
        value = numeral.value(source)
        if abs(said - value) > half * (1 + 1e-9):
            found.append(f"it says {said:g}, and the number is {value:.4g}")
    return found


# --- this build -----------------------------------------------------------------------------------------------------


def of_this_build(names: Sequence[str] = tuple(FINDINGS)) -> Results:
    """The reference, and of this build what an earlier run has kept for some findings: nothing is computed here."""
    asked = [number for name in names for part in FINDINGS[name].parts for group in part.groups for number in group]
    changed = {number.variant for number in asked} & set(plan.VARIANTS)
    panels = plan.panels()
    variants = {name: [plan.variant(name, each.corpus, each.classifier) for each in panels] for name in sorted(changed)}
    last = [plan.live(corpus, "bilstm-last") for corpus in dict.fromkeys(each.corpus for each in panels)]
    return Results([*panels, *last], variants, run=experiments.kept)


def mark(name: str, results: Results) -> str:
    """Whether this build agrees: "this build: 6 of 6", the comparisons that are as the sentence says."""
    return f"this build: {counted(FINDINGS[name].evidence(results.here)) or 'not computed'}"


def finding(name: str) -> Markdown:
    """Check a finding by name: how many comparisons are as its sentence says, and the numbers behind them.

    Raises ``ValueError`` if there is no finding of this name. Taught in: *Reproduction report*.
    """
    if name not in FINDINGS:
        raise ValueError(f"There is no finding {name!r}: take a name that stands in book/paper/findings.py.")
    results = of_this_build((name,))
    there, here = (FINDINGS[name].evidence(source) for source in (results.there, results.here))
    rows = [(place(one), *(" beside ".join(map(brief, each.intervals)) for each in (one, other)))
            for one, other in zip(there, here, strict=True)]
    said = f"As the sentence says: reference, {counted(there) or 'not computed'}; {mark(name, results)}."
    return Markdown(f"{said}\n\n{table(['what is compared', 'reference', 'this build'], rows).data}")
