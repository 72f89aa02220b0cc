"""No two pages judge a claim differently, and everything that the paper numbers has a page."""

import re

import pytest
from bs4 import BeautifulSoup
from built import ROOT, pages_of_toc

from book.paper.claims import CLAIMS, anchor
from book.paper.headlines import HEADLINES, MARKS
from book.paper.rules import VERDICTS

BY_MEANING = {mark.meaning: mark.sign for mark in MARKS.values()}


@pytest.fixture(scope="module")
def report(site):
    """Claim by anchor -> the verdict that stands in its row of the report."""
    rows = BeautifulSoup((site / "book" / "report.html").read_text(encoding="utf-8"), "html.parser").find_all("tr")
    found = {}
    for row in rows:
        name = row.find("span", id=True)
        if name is not None:
            found[name["id"]] = row.find_all("td")[1].find("strong").get_text()
    return found


def test_the_report_judges_every_claim(report):
    assert set(report) == {anchor(claim) for claim in CLAIMS}
    assert set(report.values()) <= set(VERDICTS)


@pytest.mark.parametrize("page", [page for page in pages_of_toc() if page != "book/report"])
def test_a_page_that_judges_a_claim_says_what_the_report_says(page, site, report):
    soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    for row in soup.select("table.verdicts tbody tr"):
        claim = row.find("a")["href"].partition("#")[2]
        there, here = (cell.get_text("|").split("|")[0] for cell in row.find_all("td"))
        assert report[claim] in (there, here), claim
        if there not in ("not computed", "checked by code"):
            assert there == report[claim], claim


def test_the_picture_of_headlines_says_what_the_report_says(site, report):
    soup = BeautifulSoup((site / "book" / "believe.html").read_text(encoding="utf-8"), "html.parser")
    rows = soup.select("table.grid tbody tr")
    assert len(rows) == len(HEADLINES)
    for row in rows:
        claim = row.find("a")["href"].partition("#")[2]
        assert row.find("td").select_one(".visually-hidden").get_text() in (report[claim],
                                                                            MARKS[report[claim]].meaning)


NUMBERED = [*(("equation", str(number)) for number in range(1, 10)),
            *(("figure", name) for name in ("1", "2", "3a", "3b"))]


@pytest.mark.parametrize("kind, number", NUMBERED)
def test_everything_that_the_paper_numbers_is_judged_and_treated_on_a_page(kind, number):
    if kind == "equation":
        about = [claim for claim in CLAIMS if claim.equation == int(number)]
    else:
        about = [claim for claim in CLAIMS if claim.figure == number]
    assert about, "no claim of the report is about it"
    chapters = {claim.tested for claim in about}
    pages = [path for name in chapters for path in [ROOT / "chapters" / f"{name}.md",
                                                    *sorted((ROOT / "chapters" / name).glob("*.md"))]]
    text = " ".join(path.read_text(encoding="utf-8") for path in pages)
    digits = number.rstrip("ab")
    spans = [range(int(first), int(last) + 1) for first, last in
             re.findall(r"[Ee]quations (\d) (?:to|and) (\d)", text)] if kind == "equation" else []
    named = re.search(rf"\b{kind}s? {digits}(?:\b|[ab])|\beq\. {digits}\b", text, re.IGNORECASE)
    assert named or any(int(digits) in span for span in spans), f"no page of {sorted(chapters)} names it"
