"""Findings: each is so in the reference, each numeral of its sentence is the number, a page shows them with a mark."""

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup
from built import ROOT, pages_of_toc
from oracles import is_one_sentence
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from book.paper import finding, findings, plan, rules
from book.paper.claims import ALL, CLAIMS, IMDB, anchor
from book.paper.findings import FINDINGS, Finding, Numeral, Part, Setting, faults, numerals
from book.site import findings as extension
from book.site import notebooks
from lib.intervals import Interval
from lib.results import Number, Results
from lib.results.build import Build

DIRECTIVE = re.compile(r"^(?P<fence>`{3,}|:{3,})\{finding\}\s*(?P<name>\S*)[ \t]*\n(?P<body>.*?)^(?P=fence)[ \t]*$",
                       re.MULTILINE | re.DOTALL)


def on_pages():
    """Page, name and sentence of every finding of the book."""
    for page in pages_of_toc():
        for found in DIRECTIVE.finditer((ROOT / f"{page}.md").read_text(encoding="utf-8")):
            yield page, found["name"], " ".join(found["body"].split())


@pytest.fixture(scope="module")
def reference():
    return Results()


# --- all findings of the book ---------------------------------------------------------------------------------------


def test_every_finding_on_a_page_is_so_and_says_the_right_numbers(reference):
    wrong = [f"{page}: “{sentence}” ({name}): {fault}" for page, name, sentence in on_pages()
             for fault in faults(name, sentence, reference.there)]
    assert not wrong, "\n".join(wrong)


def test_every_finding_stands_on_a_page():
    assert set(FINDINGS) - {name for _, name, _ in on_pages()} == set()


def test_a_setting_is_one_that_the_comparisons_have():
    for name, one in FINDINGS.items():
        numbers = [number for part in one.parts for group in part.groups for number in group]
        for numeral in one.numerals:
            if isinstance(numeral, Setting):
                borders = {float(text) for number in numbers for text in re.findall(r"\d\.\d+", number.metric)}
                assert numeral.value_said in borders | {number.k for number in numbers}, name


def test_the_numbers_of_a_finding_stand_in_the_report():
    report = (ROOT / "book" / "report.md").read_text(encoding="utf-8")
    assert "\n### Every number\n" in report
    assert {one.numbers for one in FINDINGS.values()} <= {anchor(claim) for claim in CLAIMS} | {"every-number"}


# --- what makes a sentence false ------------------------------------------------------------------------------------


AGREEMENT = (Number("rho", "signed_gi"),)


def source(*means, n=100):
    """One interval a panel of IMDB, None for a missing one."""
    values = dict(zip(IMDB, means, strict=True))
    found = {panel: None if mean is None else Interval(mean, mean - 0.01, mean + 0.01, n)
             for panel, mean in values.items()}
    return lambda panel, number: found[panel]


@pytest.fixture
def made_up(monkeypatch):
    one = Finding((Part(rules.strong, (AGREEMENT,), IMDB),), (Numeral(findings.smallest, (AGREEMENT,), IMDB),
                                                               Numeral(findings.largest, (AGREEMENT,), IMDB)))
    monkeypatch.setitem(FINDINGS, "made-up", one)
    return one


@pytest.mark.parametrize("sentence, means, expected", [
    ("From 0.62 to 0.9.", (0.62, 0.7, 0.9), []),
    ("From 0.62 to 0.9.", (0.6151, 0.7, 0.949), []),
    ("From 0.62 to 0.9.", (0.6149, 0.7, 0.949), ["it says 0.62, and the number is 0.6149"]),
    ("From 62 % to 0.9.", (0.624, 0.7, 0.951), ["it says 0.9, and the number is 0.951"]),
    ("Up to 0.9.", (0.62, 0.7, 0.9), ["it has 1 numerals, its finding 2"]),
    ("From 0.45 to 0.9.", (0.45, 0.7, 0.9), ["it is not so: IMDB-FastText: SignedGI (0.450 [0.440, 0.460])"]),
    ("From 0.62 to 0.9.", (0.62, None, 0.9), ["it is not so: IMDB-TextCNN: SignedGI (not computed)"]),
])
def test_a_false_sentence_is_named_with_its_number(made_up, sentence, means, expected):
    assert faults("made-up", sentence, source(*means)) == expected


def test_a_name_without_a_finding_is_named():
    found = faults("nothing", "A sentence.", source(1, 1, 1))
    assert found == ["there is no finding 'nothing' in book/paper/findings.py"]
    with pytest.raises(ValueError, match="no finding 'nothing'") as caught:
        finding("nothing")
    assert is_one_sentence(caught.value)


@pytest.mark.parametrize("sentence, expected", [
    ("SA L2 of 1,000 documents, at $K = 10$", [(1000, 0.5), (10, 0.5)]),
    ("by -0.30, −4 and +0.5", [(-0.3, 0.005), (-4, 0.5), (0.5, 0.05)]),
    ("in 95 % or 3.5% of {numref}`fig-2`, see v2.1 and L1.", [(0.95, 0.005), (0.035, 0.0005)]),
    ("between 0.1, 0.2.", [(0.1, 0.05), (0.2, 0.05)]),
    ("two of six", []),
])
def test_numerals_are_found_with_their_last_digit(sentence, expected):
    found = numerals(sentence)
    assert np.allclose(found, expected, atol=1e-12) if expected else found == []


def test_what_is_undefined_is_no_fault_but_nothing_is_no_finding():
    one = Finding((Part(rules.strong, (AGREEMENT,), IMDB),))
    nan = Interval(np.nan, np.nan, np.nan, 0)
    assert one.holds(lambda panel, number: nan if panel == IMDB[0] else Interval(0.9, 0.8, 1, 9))
    assert not one.holds(lambda panel, number: nan) and not one.holds(lambda panel, number: None)


@pytest.mark.parametrize("rule, means, expected", [
    (findings.lower, (0.1, 0.2), True), (findings.lower, (0.2, 0.2), False), (findings.lower, (0.3, 0.2), False),
    (partial(findings.at_most, most=0.3), (0.3,), True), (partial(findings.at_most, most=0.3), (0.31,), False)])
def test_rules_of_sentences_at_their_borders(rule, means, expected):
    assert rule(*(Interval(mean, mean - 0.2, mean + 0.2, 9) for mean in means)) is expected


# --- this build -----------------------------------------------------------------------------------------------------


def agreeing(*good):
    """Results whose build agrees in some panels of ``ALL``, disagrees in the others, and lacks the last."""
    runs = {(panel, "main"): {"signed_gi": {"aopc": torch.zeros(9, 3),
                                            "rho": torch.full((9,), 0.9 if panel in good else 0.1),
                                            "p": torch.zeros(9)}} for panel in ALL[:5]}
    found = Results()
    found.here = Build(runs)
    return found


def test_the_mark_counts_the_comparisons_of_this_build():
    name, one = "agreement-strong", FINDINGS["agreement-strong"]
    parts = replace(one, parts=one.parts[:1])
    FINDINGS[name] = parts
    try:
        assert findings.mark(name, agreeing(*ALL)) == "this build: 5 of 5"
        assert findings.mark(name, agreeing(*ALL[:3])) == "this build: 3 of 5"
        assert findings.mark(name, Results()) == "this build: not computed"
    finally:
        FINDINGS[name] = one


def test_a_check_shows_the_numbers_and_computes_nothing(monkeypatch):
    monkeypatch.setattr(findings.experiments, "kept", lambda experiment: None)
    monkeypatch.setattr(plan.lib.training, "fit", None)
    shown = finding("agreement-by-read-out").data
    assert shown.startswith("As the sentence says: reference, 1 of 1; this build: not computed.")
    assert ("IMDB-BiLSTM: SignedGI | 0.676 [0.657, 0.694] beside 0.839 [0.823, 0.861] "
            "| not computed beside not computed |") in shown


# --- on a page ------------------------------------------------------------------------------------------------------


HEADER = """---
jupytext:
  text_representation: {format_name: myst, extension: .md}
kernelspec: {name: python3, display_name: Python 3}
---
"""
PAGES = {
    "index": "# Home\n\n```{toctree}\nchapters/one\nchapters/deep/two\nbook/report\n```\n",
    "chapters/one": HEADER + "# One\n\nBefore.\n\n"
                    "```{finding} norms-overlap\nThe norms *overlap*, $K = 1$.\n```\n\nAfter.\n",
    "chapters/deep/two": HEADER + "# Two\n\n```{raw} html\n<a href=\"../book/report.html#claim\">a</a>\n```\n",
    "book/report": "# Report\n\nText.\n",
}


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that writes pages, builds a small book, and gives the pages that Sphinx wrote."""
    marks = {"norms-overlap": "this build: 5 of 6"}
    monkeypatch.setattr(extension, "mark", marks.get)

    def make(**pages):
        for name, text in (PAGES | {name.replace("__", "/"): text for name, text in pages.items()}).items():
            path = tmp_path / "source" / f"{name}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
        written = []
        settings = {"extensions": ["myst_nb", "sphinxcontrib.bibtex", "book.site.findings", "book.site.notebooks"],
                    "bibtex_bibfiles": [], "nb_execution_mode": "off", "html_theme": "basic",
                    "myst_enable_extensions": ["dollarmath"]}
        with docutils_namespace():
            app = Sphinx(tmp_path / "source", None, tmp_path / "html", tmp_path / "doctrees", "html", settings,
                         status=None, warningiserror=True)
            app.config.html_theme_options = {}
            app.connect("html-page-context", lambda app, page, *rest: written.append(page) if rest[-1] else None)
            app.build()
        return written

    make.marks = marks
    make.page = lambda name: BeautifulSoup((tmp_path / "html" / f"{name}.html").read_text(encoding="utf-8"),
                                           "html.parser")
    make.notebook = lambda name: notebooks.nbformat.read(tmp_path / "html" / "notebooks" / f"{name}.ipynb",
                                                         as_version=4)
    return make


def test_a_page_shows_the_sentence_with_its_mark_and_the_way_to_the_numbers(book):
    book()
    sentence = book.page("chapters/one").select_one("p.finding")
    assert " ".join(sentence.get_text().split()) == r"The norms overlap, \(K = 1\). (this build: 5 of 6; numbers)"
    assert sentence.em.get_text() == "overlap"
    assert sentence.select_one(".finding-mark a")["href"] == "../book/report.html#claim-iv-b-almost-overlapped"


def test_a_changed_mark_writes_the_page_anew_and_only_that(book):
    assert set(book()) == set(PAGES)
    assert book() == []
    book.marks["norms-overlap"] = "this build: 6 of 6"
    assert set(book()) == {"chapters/one", "index"}, "the page, and the one whose table of contents lists it"
    assert "(this build: 6 of 6; " in book.page("chapters/one").get_text()
    assert book() == []


def test_links_of_tables_lead_to_the_report_from_any_folder(book):
    book()
    assert book.page("chapters/deep/two").find("a", string="a")["href"] == "../../book/report.html#claim"


def test_a_downloaded_notebook_has_the_sentence_and_one_line_that_checks_it(book):
    book()
    cells = book.notebook("one").cells
    place = next(number for number, cell in enumerate(cells) if "overlap" in cell.source)
    assert cells[place].source.endswith("The norms *overlap*, $K = 1$.") and "this build" not in cells[place].source
    assert cells[place + 1].cell_type == "code"
    assert cells[place + 1].source == 'from book.paper import finding; finding("norms-overlap")'
    assert cells[place + 2].source == "After."


def test_in_a_list_the_line_stands_behind_the_sentence(book):
    book(chapters__one=HEADER + "# One\n\n- ```{finding} norms-overlap\n  They overlap.\n  ```\n")
    assert any('- They overlap. (`from book.paper import finding; finding("norms-overlap")`)' in cell.source
               for cell in book.notebook("one").cells)


@pytest.mark.parametrize("text, said", [
    ("```{finding} nothing-of-the-kind\nA sentence.\n```\n", "There is no finding 'nothing-of-the-kind'"),
    ("```{finding} norms-overlap\nOne.\n\nTwo.\n```\n", "is 2 blocks of text"),
    ("```{finding} norms-overlap\n```\n", "is 0 blocks of text"),
])
def test_a_mistake_stops_the_build(book, text, said):
    with pytest.raises(Exception, match=said):
        book(chapters__one=HEADER + "# One\n\n" + text)
