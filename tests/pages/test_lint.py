"""What ruff says of the library, the book, the tests, and the code of the pages."""

import re
import subprocess
import sys

import pytest
from built import ROOT, notebook_pages

# Fine on a page: an import where it is needed first, in the order in which it is explained; a value that a cell shows;
# a plain `zip`; and long sentences where code writes prose (lines that a reader sees have a test of their own, and 79).
FINE_ON_A_PAGE = "E402,I001,B018,B905,E501"


def ruff(*arguments: str, code: str | None = None) -> str:
    """What ruff finds, a line for each; "" if all is well."""
    done = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "--quiet",
                           *arguments],
                          cwd=ROOT, input=code, capture_output=True, text=True)
    return done.stdout + done.stderr


def code_of(markdown: str) -> str:
    """The code cells of a page on their own lines, everything else as empty lines: line numbers are the page's."""
    kept, inside, options = [], False, None
    for line in markdown.splitlines():
        if not inside and re.match(r"`{3,}\{code-cell\}", line):
            inside, options = True, "?"
            kept.append("")
        elif inside and re.fullmatch(r"`{3,}", line):
            inside = False
            kept.append("")
        elif inside and options and (line == "---" or options == "---" or line.startswith(":") or not line):
            # Before the code: lines such as ":tags: [...]", or a block between two lines "---".
            options = {"?": "---", "---": None}[options] if line == "---" else options
            kept.append("")
        else:
            options = None
            kept.append(line if inside and not line.startswith("%") else "")
    return "\n".join(kept).rstrip() + "\n"


def test_library_book_and_tests_are_clean():
    assert ruff("lib", "book", "tests") == ""


@pytest.mark.parametrize("page", notebook_pages())
def test_the_code_of_a_page_is_clean(page):
    """Its cells taken together: a name that one of them makes may be used in any later one."""
    code = code_of((ROOT / f"{page}.md").read_text(encoding="utf-8"))
    assert ruff(f"--extend-ignore={FINE_ON_A_PAGE}", f"--stdin-filename={page}.md.py", "-", code=code) == ""


def test_code_keeps_its_line_numbers():
    page = ('# Page\n\n```{code-cell} ipython3\n:tags: [hide-input]\n\nimport os\n```\n\ntext\n\n'
            '````{code-cell}\n---\na: b\n---\n%matplotlib inline\nx = """\n"""\n````\n')
    lines = code_of(page).splitlines()
    assert [(number, line) for number, line in enumerate(lines, 1) if line] == [(6, "import os"), (16, 'x = """'),
                                                                                (17, '"""')]
    assert "F821" in ruff("-", code="print(unknown)\n") and ruff("-", code="x = 1\n") == ""
