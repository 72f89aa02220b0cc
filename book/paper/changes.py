"""Which rows of the report are judged otherwise than at first: what changed after results were known, and why."""

from typing import NamedTuple

from IPython.display import Markdown

from lib.show.prose import safe

from .claims import CLAIMS, anchor
from .rules import DEPENDS, FAILS, HOLDS, PART, UNDECIDED
from .tables import table


class Change(NamedTuple):
    """A row, by the id it has in the report; the day; what it was judged by, and said, before and then; and why.

    The verdicts are those on the results of that day. A row that a later result has changed is no change of a rule.
    """

    row: str
    day: str
    before: str
    said: str
    then: str
    says: str
    why: str


FIRST = "2026-11-24"
POSSIBLE = "The paper says that it may be so, not that it is so everywhere."
READING = "The paper does not say which of the two gradients its figure shows."
SECOND = "2026-11-28"
THREE = "An interval that holds the border was counted as a no; it is undecided."
BOTH = "The paper does not say what its BiLSTM reads out; one reading alone was judged, or one counted as a part."
KNOWN = "On FastText it follows from the definitions, and was counted as evidence."
ONE_WORD = "A difference whose interval holds 0 was a tie; now it must be small beside SignedGI's lead, as elsewhere."

CHANGES = [
    Change("claim-iv-a-loo-may-not-produce-the-best-explanatory-ability", FIRST, "SignedGI nowhere above LOO", PART,
           "above it somewhere", HOLDS, POSSIBLE),
    Change("claim-iv-a-so-it-is-with-rd", FIRST, "SA nowhere below Random", PART,
           "below it somewhere", HOLDS, POSSIBLE),
    Change("claim-iv-d-keep-the-same-in-each-dimension-except-for-the-word-is", FIRST,
           "by word type and by position", PART, "by one of them", HOLDS, READING),
    Change("claim-iv-d-exactly-twice-as-much-as-other-words", FIRST,
           "by word type and by position", PART, "by one of them", HOLDS, READING),
    Change("claim-iv-b-causes-the-vanishing-gradient-problem", FIRST, "against the mean, maximum alone", FAILS,
           "against the longest tenth, both read-outs", PART, BOTH),
    Change("claim-fig-2-caption-largely-depends-on-the-document-length", FIRST,
           "shares of significant documents, short against long ones", FAILS, "the formula of p", HOLDS,
           "The caption speaks of the p-value; that it falls with the length is in its formula."),
    Change("claim-iv-b-almost-overlapped", SECOND, "the mean difference", HOLDS, "the whole interval", PART, THREE),
    Change("claim-iv-b-outperform-the-rd-baseline-by-a-moderate-margin", SECOND, "maximum alone", HOLDS,
           "both read-outs", DEPENDS, BOTH),
    Change("claim-iv-b-only-tie-rd-in-the-other-cases", SECOND, "the interval holds 0", PART,
           "comparable", FAILS, ONE_WORD),
    Change("claim-iv-b-performs-worse-than-other-sa-based-methods", SECOND, "FastText counted", PART,
           "FastText left out", HOLDS, KNOWN),
    Change("claim-iv-b-in-most-cases-generally-comparable", SECOND, "the mean difference, maximum alone", HOLDS,
           "the whole interval, both read-outs", DEPENDS, BOTH),
    Change("claim-iv-b-loo-surpasses-signedgi-by-a-large-margin", SECOND, "maximum alone", FAILS,
           "both read-outs", DEPENDS, BOTH),
    Change("claim-iv-b-causes-the-vanishing-gradient-problem", SECOND, "both read-outs in one answer", PART,
           "each for itself", DEPENDS, BOTH),
    Change("claim-iv-b-the-long-document-length-of-imdb", SECOND, "intervals that touch: no", FAILS,
           "intervals that touch: undecided", UNDECIDED, THREE),
    Change("claim-iv-c-seems-to-be-less-strong", SECOND, "maximum alone", PART,
           "both read-outs", DEPENDS, BOTH),
    Change("claim-iv-c-consistent-with-the-results-in-fig-1", SECOND, "maximum alone", PART,
           "both read-outs", DEPENDS, BOTH),
    Change("claim-iv-c-0-2-0-5-on-the-dataset-of-ag", SECOND, "maximum alone", PART,
           "both read-outs", DEPENDS, BOTH),
]


def log() -> Markdown:
    """The changes as a table, the oldest first, each with the paper's words and a link to the row."""
    quotes = {anchor(claim): claim.quote for claim in CLAIMS}
    rows = [(f'<a href="#{one.row}">{safe(quotes[one.row])}</a><br><small>{one.day}</small>',
             f"{one.before}: {one.said}", f"{one.then}: {one.says}", one.why) for one in CHANGES]
    return table(["row", "before", "then", "why"], rows)
