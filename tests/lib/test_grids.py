"""Grids of marks: a table whose cells say in words what their sign and colour say."""

import pytest
from bs4 import BeautifulSoup
from oracles import is_one_sentence

from lib.show.grids import KINDS, Grid, Mark

YES, NO = Mark("✓", "yes", "it <is> so"), Mark("✗", "no", "it is not")


def test_every_cell_has_its_sign_its_kind_and_its_meaning():
    grid = Grid(["here", "there & back"], {"a <b>": [YES, NO]}, "Made up.", {"a <b>": "page.html#row"})
    table = BeautifulSoup(grid._repr_html_(), "html.parser")
    assert [cell["class"] for cell in table.select("tbody td")] == [["mark-yes"], ["mark-no"]]
    assert [cell.select_one(".visually-hidden").text for cell in table.select("tbody td")] == [YES.meaning, NO.meaning]
    assert [cell.select_one("[aria-hidden]").text for cell in table.select("tbody td")] == ["✓", "✗"]
    assert [head.text for head in table.select("thead th")] == ["here", "there & back"]
    assert table.select_one("tbody th a")["href"] == "page.html#row" and table.select_one("tbody th").text == "a <b>"
    assert str(grid) == "a <b>, here: it <is> so\na <b>, there & back: it is not"


@pytest.mark.parametrize("marks, words", [([YES], "1 marks for 2 columns"), ([YES, Mark("!", "red", "")], "'red'")])
def test_what_does_not_fit_is_refused(marks, words):
    with pytest.raises(ValueError, match=words) as caught:
        Grid(["a", "b"], {"row": marks}, "Made up.")
    assert is_one_sentence(caught.value)
    assert len(set(KINDS)) == len(KINDS)
