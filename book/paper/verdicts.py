"""The one judge of the paper: claims, the numbers that results have for them, and the rules make verdicts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import NamedTuple

from lib.intervals import Interval
from lib.results import Number, Panel, Results

from .claims import CLAIMS, Claim, anchor, by_definition
from .rules import DEPENDS, FAILS, HOLDS, IDENTITY, MISSING, UNDECIDED, in_words, outcome, verdict

REPORT = "../book/report.html"  # from a chapter; book.site.findings corrects it for pages in other folders


class Evidence(NamedTuple):
    """One answer: where it was looked for, the numbers, their intervals, and what the rule says to them."""

    panel: Panel
    group: tuple[Number, ...]
    intervals: tuple
    outcome: str


def evidence(claim: Claim, source: Callable[[Panel, Number], Interval | None]) -> list[Evidence]:
    """The answers to a claim in one source, panel by panel."""
    found = [(panel, group, tuple(source(panel, number) for number in group))
             for panel in claim.panels for group in claim.groups]
    return [Evidence(*one, _answer(claim, *one)) for one in found]


def _answer(claim: Claim, panel: Panel, group: tuple[Number, ...], intervals: tuple) -> str:
    found = outcome(claim.rule, intervals)
    asked = group if len(group) > 2 else group[:1]  # the second of two is what the first is measured by
    is_known = found != MISSING and all(by_definition(number.panel or panel, number) for number in asked)
    return IDENTITY if is_known else found


def other_reading(claim: Claim) -> Claim | None:
    """The claim about a BiLSTM that reads out its last states, if it is about one that reads out the maximum.

    The paper does not say which of the two it has.
    """
    groups = tuple(tuple(number._replace(panel=_last(number.panel)) for number in group) for group in claim.groups)
    panels = tuple(map(_last, claim.panels))
    same = (panels, groups) == (claim.panels, claim.groups)
    has_both = any(panel.classifier == "bilstm-last" for panel in claim.panels)
    return None if same or has_both else replace(claim, panels=panels, groups=groups)


def _last(panel: Panel | None) -> Panel | None:
    return Panel(panel[0], "bilstm-last") if panel is not None and panel[1] == "bilstm" else panel


def judged_by(claim: Claim, source) -> tuple[list[Evidence], str]:
    """The answers in one source, under both readings of the paper where there are two, and what they are together."""
    found, other = evidence(claim, source), other_reading(claim)
    said = verdict([one.outcome for one in found], claim.quantifier)
    if other is None:
        return found, said
    again = evidence(other, source)
    said_again = verdict([one.outcome for one in again], claim.quantifier)
    new = [one for one in again if one[:2] not in {each[:2] for each in found}]
    if MISSING in (said, said_again):  # one reading alone, if there is one
        return found + new, said
    return found + new, said if said == said_again else DEPENDS


class Judgement(NamedTuple):
    """The verdict on a claim, and the two it comes from: the reference's where there is one, else this build's."""

    claim: Claim
    reference: list[Evidence]
    build: list[Evidence]
    by_reference: str
    by_build: str

    @property
    def verdict(self) -> str:
        return self.by_build if self.by_reference == MISSING else self.by_reference

    @property
    def disagree(self) -> bool:
        return MISSING not in (self.by_reference, self.by_build) and self.by_reference != self.by_build


def judge(claim: Claim, reference, build, checks: Mapping[str, bool]) -> Judgement:
    """A claim judged by its checks, which run in this build only, or by its numbers in both sources."""
    if claim.checks:
        answers = [MISSING if checks.get(name) is None else HOLDS if checks[name] else FAILS for name in claim.checks]
        return Judgement(claim, [], [], MISSING, verdict(answers, claim.quantifier))
    (there, by_reference), (here, by_build) = (judged_by(claim, source) for source in (reference, build))
    return Judgement(claim, there, here, by_reference, by_build)


def judge_figure(figure: str, judgements: Sequence[Judgement]) -> str:
    """The verdict on a figure is that on the claims that read it."""
    return verdict([judgement.verdict for judgement in judgements if judgement.claim.figure == figure])


class Verdicts:
    """Claims of the paper with their verdicts, from :class:`lib.results.Results`; a notebook shows them as a table.

    ``chosen`` says which claims, by fields of :class:`book.paper.claims.Claim`: ``figure="1"``, ``section="IV.C"``,
    ``tested="agreement"``; several values stand in a tuple. ``checks`` are the answers of :mod:`book.paper.checks`, for
    claims that code checks. ``judged`` holds a :class:`Judgement` for each claim.

    Raises ``ValueError`` if there is no such claim, or claims have no such field. Taught in: *Reproduction report*.
    """

    def __init__(self, results: Results, checks: Mapping[str, bool] | None = None, **chosen):
        self.results, self.checks = results, dict(checks or {})
        fields = Claim.__dataclass_fields__
        if unknown := sorted(set(chosen) - set(fields)):
            raise ValueError(f"Claims have no {', '.join(unknown)}: choose among {', '.join(fields)}.")
        claims = [claim for claim in CLAIMS
                  if all(_is_one(getattr(claim, name), wanted) for name, wanted in chosen.items())]
        if not claims:
            wanted = ", ".join(f"{name} {value!r}" for name, value in chosen.items())
            raise ValueError(f"The paper has no claim with {wanted}.")
        self.judged = [judge(claim, results.there, results.here, self.checks) for claim in claims]

    def of(self, claims: Sequence[Claim]) -> list[Judgement]:
        """The judgements of some of the claims."""
        return [one for one in self.judged if one.claim in claims]

    def __str__(self) -> str:
        return "\n".join(f"{one.claim.quote}: {one.verdict} (reference: {_short(one.by_reference, one.reference)}; "
                         f"this build: {_short(one.by_build, one.build)})" for one in self.judged)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The paper's words, the rule in words, the two verdicts with their counts, and the way to the numbers."""
        head = "".join(f'<th scope="col">{text}</th>' for text in ("the paper", "reference", "this build"))
        return ('<div class="pst-scrollable-table-container"><table class="table verdicts"><caption>What the paper '
                f"says, and in how many comparisons it is so.</caption><thead><tr>{head}</tr></thead><tbody>"
                f"{''.join(map(_row, self.judged))}</tbody></table></div>")


def _is_one(value, wanted) -> bool:
    return value in wanted if isinstance(wanted, tuple | list | set) else value == wanted


def _row(one: Judgement) -> str:
    claim = one.claim
    quote = escape(claim.quote)
    rule = "" if claim.rule is None else f"<br><small>{escape(claim.looked_at)}. {escape(in_words(claim.rule))}</small>"
    there = "checked by code" if claim.checks else one.by_reference
    cells = "".join(f"<td>{_cell(*pair)}</td>" for pair in ((there, one.reference), (one.by_build, one.build)))
    link = f'<a href="{REPORT}#{anchor(claim)}">{f"“{quote}”" if claim.quoted else quote}</a>'
    return f'<tr><th scope="row">{link}{rule}</th>{cells}</tr>'


def counted(found: Sequence[Evidence]) -> str:
    """In how many of the comparisons that have an answer the rule says yes: "17 of 24"; "" without any."""
    states = [one.outcome for one in found if one.outcome in (HOLDS, UNDECIDED, FAILS)]
    return f"{states.count(HOLDS)} of {len(states)}" if states else ""


def _cell(said: str, found: Sequence[Evidence]) -> str:
    count = counted(found)
    return f"{said}<br><small>{count}</small>" if count else said


def _short(said: str, found: Sequence[Evidence]) -> str:
    return f"{said}, {count}" if (count := counted(found)) else said
