"""The tables of the report, in Markdown: every claim in a row, with the numbers behind its verdict."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from IPython.display import Markdown

from lib.classifiers import CLASSIFIERS
from lib.data import TITLES
from lib.intervals import Interval
from lib.results import END, Number, Panel, Results, label
from lib.show.prose import listed, safe

from . import rules
from .claims import ALL, FIGURES, PAGES, PANELS, Claim, anchor
from .rules import DEPENDS, FAILS, HOLDS, IDENTITY, MISSING, PART, UNDECIDED, UNDEFINED, VERDICTS
from .verdicts import Evidence, Judgement, Verdicts, evidence, judge_figure

BRACKETS = ("Brackets are 95 % intervals. Until the reference is computed anew, its own reach from the lowest to the "
            "highest end over the training seeds; n is the number of documents of one seed. This holds for every table "
            "below.")
NO_NEWS = ("**AG's News is not available on the machine that built this page.** `make data` downloads it. Until then "
           "this build has BBC News in its own column, and its numbers decide nothing: the verdicts on AG's News come "
           "from the reference.")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *after: str) -> Markdown:
    """A Markdown table, and paragraphs below it."""
    lines = [head, ["---"] * len(head), *rows]
    return Markdown("\n\n".join(["\n".join(f"| {' | '.join(line)} |" for line in lines), *filter(None, after)]))


def title(panel: Panel) -> str:
    """A panel as the paper names it."""
    corpus, name = panel
    return PANELS.get(panel) or f"{TITLES.get(corpus, corpus).removesuffix(' News')}-{CLASSIFIERS[name].label}"


def brief(value: Interval | None, sign: str = "") -> str:
    """A mean with its interval; what is missing or undefined is said in words."""
    return "not computed" if value is None else f"{value:{sign}.3f}"


def with_n(value: Interval | None, sign: str = "") -> str:
    return brief(value, sign) + (f", n = {value.n:,}" if value is not None and value.n else "")


def of_build(results: Results) -> list[Panel]:
    """The panels that this build computed."""
    return [panel for panel, variant in results.here.runs if variant == "main"]


# --- what was compared ------------------------------------------------------------------------------------------------


def facts(results: Results, corpora: Iterable) -> Markdown:
    """Paper, reference and this build: how much of what."""
    kept = results.there.table
    main = kept[kept.variant == "main"]
    sources = main[["dataset", "source"]].drop_duplicates().values
    there = sorted(main[main.metric == "undefined"].n.unique())
    here = sorted({run["loo"]["aopc"].shape[0] for (_, variant), run in results.here.runs.items() if variant == "main"})
    dates = " to ".join(sorted({kept.date.min(), kept.date.max()}))
    rows = [
        ("corpora", "AG's News, IMDB; sizes not given",
         "; ".join(f"{TITLES[name]}: {source}" for name, source in sources),
         " ".join(corpus.source for corpus in corpora)),
        ("documents explained", "not given", f"{listed([f'{n:,}' for n in there])} a panel and seed",
         f"{listed([f'{n:,}' for n in here])} a panel"),
        ("training seeds", "not given", listed([str(seed) for seed in sorted(main.seed.unique())]), "0"),
        ("numbers", "none: curves, histograms, words", f"{len(kept):,} rows, of {dates}",
         "computed for this page, or kept from the last build"),
    ]
    here = {panel.corpus for panel in of_build(results)}
    return table(["", "paper", "reference", "this build"], rows, "" if "ag_news" in here else NO_NEWS)


def accuracies(results: Results) -> Markdown:
    """How often the classifiers are right."""
    number = Number("accuracy", "")
    panels = dict.fromkeys([*ALL, *of_build(results)])
    rows = [(title(panel), with_n(results.there(panel, number)), with_n(results.here(panel, number)))
            for panel in panels]
    head = ["panel", "reference: accuracy on the whole test split", "this build: accuracy on the documents explained"]
    return table(head, rows, BRACKETS)


# --- one claim --------------------------------------------------------------------------------------------------------


def place(found: Evidence) -> str:
    """Panel, methods and cut-off of a number."""
    number, rest = found.group[0], found.group[1:]
    k = ", longest K" if number.k == END else f", K = {number.k}" if number.metric == "aopc" else ""
    methods = label(number.method)
    if len(rest) == 1 and number.metric == "rho" and rest[0].method != number.method:
        methods += f", {label(rest[0].method)}"
    where = title(found.panel)
    if number.panel is not None:
        where = "all panels" if len(rest) > 1 else f"{title(number.panel)} against {where}"
    return f"{where}: {methods}{k}"


def said(found: Evidence) -> str:
    """The intervals of an answer, in words."""
    head, *rest = found.intervals
    if found.outcome in (MISSING, UNDEFINED):
        return found.outcome
    sign = "+" if " - " in found.group[0].method else ""
    if not rest:
        return with_n(head, sign)
    if len(rest) == 1:
        return f"{brief(head, sign)} against {brief(rest[0], sign)}, n = {min(head.n, rest[0].n):,}"
    low, *_, high = sorted(found.intervals, key=lambda value: value.mean)
    return f"from {brief(low, sign)} to {brief(high, sign)}, n = {head.n:,}"


def kept_whole(numbers: str) -> str:
    """Numbers are not broken inside an interval; a narrow page scrolls the table."""
    parts = re.split(r"(?<=\]),? (?=against|n =)", numbers)
    return ", ".join(f'<span style="white-space: nowrap">{part}</span>' for part in parts)


def size(found: Evidence) -> float:
    """What is sorted by: the mean, or where a rule compares two correlations, their difference."""
    first, *rest = (value.mean for value in found.intervals)
    return first - rest[0] if len(rest) == 1 and " - " not in found.group[0].method else first


def told(found: Sequence[Evidence]) -> str:
    """What answers are together: how many satisfy the rule, the smallest and the largest, and where it fails."""
    counted = [one for one in found if one.outcome in (HOLDS, UNDECIDED, FAILS)]
    states = [one.outcome for one in found]
    left = [f"{states.count(state)} {state}" for state in (UNDECIDED, IDENTITY, UNDEFINED, MISSING) if state in states]
    if not counted:
        return states[0] if len(set(states)) == 1 else ", ".join(left)
    lines = [", ".join([f"yes in {states.count(HOLDS)} of {len(counted)}", *left])]
    ends = counted if len(counted) <= 2 else [min(counted, key=size), max(counted, key=size)]
    lines += [f"{place(one)} {kept_whole(said(one))}" for one in ends]
    failing = [title(one.panel) for one in counted if one.outcome == FAILS]
    if 0 < len(failing) < len(counted) and len(counted) > 2:
        lines.append("no in " + ", ".join(f"{name} ({failing.count(name)})" for name in dict.fromkeys(failing)))
    return "<br>".join(lines)


def on_bbc(claim: Claim, results: Results) -> list[Evidence]:
    """The answers to a claim on AG's News, with BBC News in its place."""
    panels = [panel for panel in of_build(results) if panel.corpus == "bbc_news"]
    asked = {name for corpus, name in claim.panels if corpus == "ag_news"}
    panels = tuple(panel for panel in panels if panel.classifier in asked)
    if any(number.panel is not None for group in claim.groups for number in group):
        return []
    return evidence(replace(claim, panels=panels), results.here)


def stated(one: Judgement) -> str:
    text = f"**{one.verdict}**"
    if one.disagree:
        return f"{text}<br>this build: {one.by_build}"
    alone = not one.claim.checks and one.by_reference == MISSING and one.by_build != MISSING
    return f"{text}<br>from this build alone" if alone else text


def row(one: Judgement, verdicts: Verdicts, because: dict[str, str]) -> tuple[str, ...]:
    """A claim, its verdict, the reference's numbers, this build's, and those of BBC News."""
    claim = one.claim
    quote = f"“{claim.quote.replace('“', '‘').replace('”', '’')}”" if claim.quoted else claim.quote
    link = f"[{PAGES[claim.tested]}](../chapters/{claim.tested}.md)"
    looked_at = "" if claim.checks else f"{claim.looked_at}<br>"
    text = (f'<span id="{anchor(claim)}" style="display: inline-block; min-width: 13em">{safe(quote)}</span>'
            f"<br>{looked_at}<small>{claim.section}; see {link}</small>")
    if claim.checks:
        answers = {True: "yes", False: "no", None: "not made"}
        why = {name: f" ({safe(because[name])})" if name in because else "" for name in claim.checks}
        lines = [f"{answers[verdicts.checks.get(name)]}: {safe(name)}{why[name]}" for name in claim.checks]
        lines[0] = f'<span style="display: inline-block; min-width: 13em">{lines[0]}</span>'
        return text, stated(one), "none: checked by code", "<br>".join(lines), ""
    bbc = on_bbc(claim, verdicts.results)
    return text, stated(one), told(one.reference), told(one.build), told(bbc) if bbc else ""


def claims(verdicts: Verdicts, some: Sequence[Claim], because: dict[str, str] | None = None) -> Markdown:
    """The table of some claims; ``because`` holds a few words for checks: name -> words."""
    head = ["the paper, and what was looked at", "verdict", "reference", "this build", "this build, BBC News"]
    has_bbc = any(panel.corpus == "bbc_news" for panel in of_build(verdicts.results))
    wanted = len(head) if has_bbc else len(head) - 1
    return table(head[:wanted], [row(one, verdicts, because or {})[:wanted] for one in verdicts.of(some)])


def every_number(verdicts: Verdicts) -> Markdown:
    """All answers to all claims, each once."""
    rows = {}
    for one in verdicts.judged:
        for there, now in zip(one.reference, one.build, strict=True):
            rows.setdefault((there.panel, there.group, str(one.claim.rule)),
                            (safe(one.claim.quote), place(there), said(there), there.outcome, said(now), now.outcome))
    return table(["claim", "number", "reference", "", "this build", ""], rows.values())


# --- all of them ------------------------------------------------------------------------------------------------------


def figures(verdicts: Verdicts) -> Markdown:
    """A verdict on each figure, from the claims that read it."""
    rows = []
    for figure, shows in FIGURES.items():
        read = [one.verdict for one in verdicts.judged if one.claim.figure == figure]
        states = ", ".join(f"{state}: {read.count(state)}" for state in VERDICTS if state in read)
        rows.append((f"Figure {figure}", shows, f"**{judge_figure(figure, verdicts.judged)}**",
                     f"of {len(read)} claims, {states}"))
    return table(["", "what it shows", "verdict", "from"], rows)


def count(verdicts: Verdicts) -> Markdown:
    """How many rows have which verdict, and how often reference and build disagree."""
    groups = {
        "equations": [one for one in verdicts.judged if one.claim.equation],
        "claims that checks decide": [one for one in verdicts.judged if one.claim.checks and not one.claim.equation],
        "claims that numbers decide": [one for one in verdicts.judged if not one.claim.checks],
        "**all**": verdicts.judged,
    }
    rows = [(name, *(str(total(some, state)) for state in VERDICTS), str(len(some))) for name, some in groups.items()]
    both = [one for one in verdicts.judged if MISSING not in (one.by_reference, one.by_build)]
    apart = "; ".join(safe(one.claim.quote) for one in verdicts.judged if one.disagree)
    alone = sum(one.by_reference == MISSING != one.by_build for one in groups["claims that numbers decide"])
    after = (f"Reference and this build both have a verdict on {len(both)} rows, and disagree on "
             f"{sum(one.disagree for one in both)} of them{f' ({apart})' if apart else ''}. On {alone} rows that "
             "numbers decide the reference has no verdict yet, and that of this build stands alone.")
    return table(["", *VERDICTS, "rows"], rows, after)


def total(some: Sequence[Judgement], state: str) -> int:
    return sum(one.verdict == state for one in some)


def chance(verdicts: Verdicts) -> Markdown:
    """How many numbers are looked at, and how many intervals would miss 0 by chance."""
    found = [(one.claim.rule, answer.panel, answer.group) for one in verdicts.judged for answer in one.build]
    sides = (rules.above, rules.below, rules.not_below)
    asked = len({(panel, group) for _, panel, group in found})
    tested = len({(panel, group) for rule, panel, group in found if rule in sides})
    return Markdown(f"The rows look at {asked:,} different numbers or pairs of numbers, at {tested:,} of them to see "
                    "whether a 95 % interval holds 0. If none of these differences were real, about "
                    f"{0.05 * tested:.0f} intervals would miss 0 by chance. Rows with *in all panels* are hard to pass "
                    "by chance, rows with *sometimes* are easy.")


def summary(verdicts: Verdicts) -> Markdown:
    """How many rows and equations hold, in two sentences."""
    equations = [one for one in verdicts.judged if one.claim.equation]
    states = {state: total(verdicts.judged, state) for state in VERDICTS}
    verbs = {HOLDS: "hold", PART: "hold in part", DEPENDS: "depend on the read-out", UNDECIDED: "are undecided",
             FAILS: "do not hold", UNDEFINED: "are undefined", MISSING: "are not computed"}
    said = listed([f"{states[state]} {verb}" for state, verb in verbs.items() if states[state]])
    return Markdown(f"Of {len(verdicts.judged)} rows, {said}. Of the {len(equations)} numbered equations, "
                    f"{total(equations, HOLDS)} hold and {total(equations, PART)} hold in part; slips of notation are "
                    "listed above.")


def review(reviews: Iterable, corpus) -> Markdown:
    """Every word of the review of figure 3, as :class:`book.paper.checks.Review` has it from each classifier."""
    reviews = list(reviews)
    words, text = reviews[0].words, reviews[0].text
    columns = ("LOO", "SignedGI", "length of the gradient, over the median")
    head = ["word", *(f"{one.classifier.label}: {column}" for one in reviews for column in columns)]
    rows = []
    for place, word in enumerate(words):
        cells = [(f"{one.scores['loo'][place]:+.2f}", f"{one.scores['signed_gi'][place]:+.2f}",
                  f"{one.length[place] / one.length.median():.1f}") for one in reviews]
        rows.append((safe(word), *(cell for several in cells for cell in several)))
    twice = [f"“{safe(word)}”" for word in dict.fromkeys(words) if words.count(word) > 1]
    splits = [name for name in ("train", "dev", "test") if text in getattr(corpus, name).texts]
    where = (f"In the corpus of this build it stands in the {listed(splits)} split." if splits
             else "It is in no split of the corpus of this build.")
    return table(head, rows, f"{where} With our tokeniser, {listed(twice)} stand there twice.")
