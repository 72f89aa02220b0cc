"""The paper in one picture: its headline claims, panel by panel, each with the verdict that the report gives it."""

from lib.results import Panel, Results
from lib.show.grids import Grid, Mark

from . import plan
from .claims import CLAIMS, PANELS, anchor
from .rules import DEPENDS, FAILS, HOLDS, IDENTITY, MISSING, PART, UNDECIDED, UNDEFINED, verdict
from .verdicts import REPORT, Judgement, judge

# What a reader would call the claim, and the row of the report that judges it.
HEADLINES = {
    "SignedGI finds better words than any sensitivity": "claim-v-signedgi-significantly-outperforms-sa-based-methods",
    "The three norms give the same curve": "claim-iv-b-almost-overlapped",
    "because one dimension dominates": "claim-iv-b-usually-contributes-most",
    "The norms beat Random by a moderate margin": "claim-iv-b-outperform-the-rd-baseline-by-a-moderate-margin",
    "elsewhere they tie with Random": "claim-iv-b-only-tie-rd-in-the-other-cases",
    "The raw sum is worse than the norms": "claim-iv-b-performs-worse-than-other-sa-based-methods",
    "SignedGI beats Leave-One-Out": "claim-iv-b-signedgi-outperforms-loo-in-textcnn",
    "SignedGI and Leave-One-Out are comparable": "claim-iv-b-in-most-cases-generally-comparable",
    "Leave-One-Out wins by a large margin": "claim-iv-b-loo-surpasses-signedgi-by-a-large-margin",
    "because the gradient vanishes": "claim-iv-b-causes-the-vanishing-gradient-problem",
    "SignedGI agrees strongly with Leave-One-Out": "claim-iv-c-a-strong-positive-association-with-loo",
    "in nearly every document": "claim-iv-c-can-be-consistently-established",
    "SA L1 agrees by 0.2 to 0.5 on news": "claim-iv-c-0-2-0-5-on-the-dataset-of-ag",
    "and hardly at all on reviews": "claim-iv-c-hovers-around-0-0",
}
MARKS = {HOLDS: Mark("✓", "yes", "yes"), PART: Mark("◐", "part", "in part"), FAILS: Mark("✗", "no", "no"),
         UNDECIDED: Mark("?", "open", "undecided"), IDENTITY: Mark("=", "open", "true by definition"),
         UNDEFINED: Mark("∅", "open", "undefined"), MISSING: Mark("–", "open", "not computed"),
         DEPENDS: Mark("◐", "part", "depends on the read-out"), None: Mark("", "none", "not claimed")}
COLUMNS = tuple(Panel(corpus, model) for corpus in plan.CORPORA for model in plan.MODELS)


def headlines(results: Results) -> Grid:
    """The claims by panel, as the reference judges them; empty where the paper claims nothing. Below, the legend."""
    claims = {anchor(claim): claim for claim in CLAIMS}
    judged = {name: judge(claims[row], results.there, results.here, {}) for name, row in HEADLINES.items()}
    rows = {name: [MARKS[one.by_reference], *(MARKS[_in(one, panel)] for panel in COLUMNS)]
            for name, one in judged.items()}
    legend = "; ".join(f"{mark.sign} {mark.meaning}" for state, mark in MARKS.items() if state not in (None, DEPENDS))
    links = {name: f"{REPORT}#{row}" for name, row in HEADLINES.items()}
    return Grid(["all", *(PANELS[panel].replace("-", " ", 1) for panel in COLUMNS)], rows,
                f"Headline claims of the paper, in the reference. {legend}. Empty: not claimed there.", links)


def _in(one: Judgement, panel: Panel) -> str | None:
    """What the answers of one panel are together; None if the claim is not about it."""
    found = [answer.outcome for answer in one.reference if answer.panel == panel]
    return verdict(found) if found else None
