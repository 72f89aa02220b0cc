"""The search of the built site finds what readers look for: from a server, and from a folder."""

import re
from urllib.parse import quote

import pytest

# What a reader may type, and the page that should come first, second or third.
QUERIES = {
    "SignedGI": "chapters/signed_gi",
    "signed_gi": "book/api",
    "sa_l2": "book/api",
    "paired_bootstrap": "book/api",
    "SA L1": "chapters/sensitivity",
    "LOO": "chapters/baselines",
    "AOPC": "chapters/baselines",
    "rho": "chapters/agreement",
    "ρ": "chapters/agreement",
    "counterexample": "chapters/fasttext",
    "verdict": "book/report",
    "read-out": "chapters/data_and_classifiers",
    "AG's News": "chapters/data_and_classifiers",
    "AG’s News": "chapters/data_and_classifiers",
    "softmax": "chapters/data_and_classifiers",
}


def search(browser, address, query):
    """The pages found, best first, the text of the results, and what the browser complained about."""
    page, complaints = browser.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning")
            else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto(f"{address}/search.html?q={quote(query)}")
        page.wait_for_function("/finished|did not match/.test(document.querySelector('.search-summary')?.innerText)")
        page.wait_for_load_state("networkidle")
        links = page.eval_on_selector_all("ul.search li > a", "links => links.map(link => link.getAttribute('href'))")
        return [re.sub(r"\.html.*", "", link) for link in links], page.inner_text("ul.search"), complaints
    finally:
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("query, page", QUERIES.items(), ids=QUERIES)
def test_search_finds_methods_symbols_and_names(query, page, browser, served):
    pages, _, complaints = search(browser, served, query)
    assert page in pages[:3]
    assert complaints == []


@pytest.mark.browser
def test_search_works_in_a_folder_too_but_for_the_excerpts(browser, served, site):
    pages, text, complaints = search(browser, served, "AOPC")
    pages_in_folder, text_in_folder, complaints_in_folder = search(browser, site.as_uri(), "AOPC")
    assert pages == pages_in_folder
    assert len(text) > len(text_in_folder) > 0, "no excerpts from the server"
    assert complaints == complaints_in_folder == []


@pytest.mark.browser
def test_what_the_book_does_not_contain_is_not_found(browser, served):
    assert search(browser, served, "xylophone")[0] == []
