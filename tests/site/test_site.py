"""The built site in a real browser: offline, on a phone, by keyboard, without barriers; and every explorer moved."""

import functools
import gzip
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from built import pages_of_toc

from book.site.web import AXE, FOLDER

PAGES = [*pages_of_toc(), "index", "search", "genindex"]
# what each page promises; the others have none
EXPLORERS = {"index": 1, "book/introduction": 1, "chapters/data_and_classifiers": 1, "chapters/baselines": 1,
             "chapters/sensitivity": 1, "chapters/fasttext": 1, "chapters/agreement": 1, "chapters/looking": 1,
             "chapters/sequential": 1}
MEGABYTE = 1_000_000
PHONE = 360
pytestmark = pytest.mark.browser

# Every explorer must be drawn once, and every formula.
READY = """async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
}"""
VIEWS = """() => [...document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')].map(
    view => [...view.parentElement.querySelectorAll(".widget-subarea")]
        .map(area => area.getBoundingClientRect().height > 100))"""
UNDRAWN = """() => [...document.querySelectorAll(".math")]
    .filter(math => !math.querySelector("mjx-container") || math.querySelector("mjx-merror, [data-mjx-error]"))
    .map(math => math.textContent)"""
OPEN_ALL = """() => {
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    document.querySelectorAll(".toggle-button-hidden, .toggle-hidden > .toggle-button")
        .forEach(button => button.click());
    return new Promise(resolve => setTimeout(resolve, 700));  // they fade in
}"""

BEYOND = """() => [...document.querySelectorAll("article p, article h1, article h2, article li, .explorer, figcaption")]
    .filter(node => !node.closest("table") && node.getBoundingClientRect().right > PHONE + 1)
    .map(node => node.outerHTML.slice(0, 200))""".replace("PHONE", str(PHONE))


@contextmanager
def visit(browser, address, page, width=1280, scheme="light"):
    """The page as a first-time visitor gets it, every other address blocked; what went wrong, and what it weighed."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab, faults, weight = context.new_page(), [], []

    def answer(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            faults.append(f"asked for {route.request.url}")
            route.abort()

    def weigh(response):
        if response.status >= 400:
            faults.append(f"{response.status} for {response.url}")
        elif response.url.startswith("http") and response.status == 200 and page != "index":  # which leads on at once
            packed = response.headers.get("content-type", "").startswith(("text/", "application/j", "image/svg"))
            weight.append(len(gzip.compress(response.body(), 6) if packed else response.body()))

    tab.route("**/*", answer)
    tab.on("response", weigh)
    tab.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: faults.append(str(error)))
    try:
        tab.goto(f"{address}/{page}.html", wait_until="load")
        tab.wait_for_load_state("networkidle")
        tab.evaluate(READY)
        yield tab, faults, weight
    finally:
        context.close()


@functools.cache
def seen(browser, address, page):
    """What a visitor sees of a page: at once; in light and dark, with all that is folded opened; and on a phone.

    One visit serves all tests below that look at every page.
    """
    with visit(browser, address, page) as (tab, faults, weight):
        found = SimpleNamespace(faults=faults, weight=sum(weight), views=tab.evaluate(VIEWS),
                                undrawn=tab.evaluate(UNDRAWN),
                                barriers={})
        tab.evaluate(OPEN_ALL)
        tab.add_script_tag(path=FOLDER / AXE.rpartition("/")[2])
        for scheme in ("light", "dark"):
            found.barriers[scheme] = barriers(tab, scheme)
        tab.set_viewport_size({"width": PHONE, "height": 900})
        found.width, found.beyond = tab.evaluate("document.documentElement.scrollWidth"), tab.evaluate(BEYOND)
    return found


# --- self-contained --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_nothing_from_elsewhere_and_is_light(page, browser, served):
    found = seen(browser, served, page)
    assert found.faults == []
    assert found.views == [[True]] * EXPLORERS.get(page, 0)
    assert found.undrawn == []
    assert found.weight < (2.5 if page in EXPLORERS else 1) * MEGABYTE


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_from_a_folder(page, browser, site):
    with visit(browser, site.as_uri(), page) as (tab, faults, _):
        assert faults == []
        assert tab.evaluate(VIEWS) == [[True]] * EXPLORERS.get(page, 0)
        assert tab.evaluate(UNDRAWN) == []


@pytest.mark.parametrize("page", pages_of_toc())
def test_the_text_does_not_wait_for_scripts(page, browser, served):
    """All scripts are held back for ever: the article is there nevertheless, to its last sentence."""
    tab = browser.new_page()
    tab.route("**/*", lambda route: None if route.request.resource_type == "script" else route.continue_())
    try:
        tab.goto(f"{served}/{page}.html", wait_until="commit")
        tab.locator("details.cite-this-page summary").wait_for(state="visible")
        assert tab.locator("article h1").is_visible()
        assert tab.evaluate("document.readyState") == "loading", "nothing was held back"
    finally:
        tab.close()


# --- for everybody ---------------------------------------------------------------------------------------------------


def barriers(tab, scheme):
    """What axe-core finds: rule, and the elements that break it. The page follows the system from light to dark."""
    tab.emulate_media(color_scheme=scheme)
    tab.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
    tab.wait_for_timeout(300)  # colours change gradually
    found = tab.evaluate("async () => (await axe.run({resultTypes: ['violations']})).violations")
    return {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in found}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_barriers(page, browser, served):
    assert seen(browser, served, page).barriers == {"light": {}, "dark": {}}


@pytest.mark.parametrize("button, width", [(".dropdown-download-buttons > button", 1280),
                                           (".search-button__button:visible", 1280),
                                           (".primary-toggle:visible", PHONE), (".secondary-toggle:visible", PHONE)])
def test_menus_search_and_sidebars_have_no_barriers(button, width, browser, served):
    with visit(browser, served, "chapters/aopc", width) as (tab, faults, _):
        tab.locator(button).first.click()
        tab.wait_for_timeout(700)  # they slide in
        tab.add_script_tag(path=FOLDER / AXE.rpartition("/")[2])
        assert [barriers(tab, scheme) for scheme in ("light", "dark")] == [{}, {}]
        assert faults == []


@pytest.mark.parametrize("page", PAGES)
def test_a_phone_shows_the_page_without_scrolling_sideways(page, browser, served):
    found = seen(browser, served, page)
    assert found.width <= PHONE
    assert found.beyond == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_first_visit_on_a_phone_has_the_colours_of_the_system_and_fits(scheme, browser, served):
    """As `seen`, which turns from light to dark and from wide to narrow, but from the first moment."""
    with visit(browser, served, "chapters/aopc", PHONE, scheme) as (tab, faults, _):
        assert faults == []
        assert tab.evaluate("document.documentElement.dataset.theme") == scheme
        tab.evaluate(OPEN_ALL)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE and tab.evaluate(BEYOND) == []


MARK_FOCUSABLE = """() => [...document.querySelectorAll("a[href], button, select, input, summary, [tabindex='0']")]
    .filter(node => node.checkVisibility({visibilityProperty: true}) && !node.closest("[inert], dialog:not([open])"))
    .filter(node => node.tabIndex >= 0 && !node.disabled)
    .map((node, number) => { node.dataset.wanted = number; return number; }).length"""


@pytest.mark.parametrize("page", ["chapters/looking", "book/report", "book/api", "book/introduction", "book/downloads"])
def test_the_keyboard_reaches_everything(page, browser, served):
    with visit(browser, served, page) as (tab, _, _):
        tab.evaluate(OPEN_ALL)
        number = tab.evaluate(MARK_FOCUSABLE)
        assert number > 10
        tab.evaluate("document.addEventListener('focusin', event => { delete event.target.dataset.wanted; })")
        for _ in range(number + 20):
            tab.keyboard.press("Tab")
        missed = "() => [...document.querySelectorAll('[data-wanted]')].map(node => node.outerHTML.slice(0, 200))"
        assert tab.evaluate(missed) == []


# --- quizzes and long tables -----------------------------------------------------------------------------------------

QUIZ = """() => [...document.querySelectorAll(".admonition.quiz")].map(question => ({
    right: question.querySelector(".dropdown p:not(.admonition-title)").textContent.trim()[0],
    options: [...question.querySelectorAll(".quiz-option")].map(option => option.textContent.trim().slice(0, 2))}))"""


CORE = [page for page in pages_of_toc() if page.startswith("chapters/") and page.count("/") < 2]


@pytest.mark.parametrize("page", CORE)
def test_every_question_can_be_clicked_and_says_which_answer_is_right(page, browser, served):
    with visit(browser, served, page) as (tab, faults, _):
        questions = tab.evaluate(QUIZ)
        assert len(questions) == 3
        for place, question in enumerate(questions):
            assert len(question["options"]) >= 3 and f"{question['right']})" in question["options"], question
            box = tab.locator(".admonition.quiz").nth(place)
            for option in question["options"]:
                button = box.locator(".quiz-option").nth(question["options"].index(option))
                button.focus()
                button.press("Enter")
                is_right = option == f"{question['right']})"
                assert button.get_attribute("data-chosen") == ("right" if is_right else "wrong")
                assert box.locator(".quiz-said").inner_text().startswith("✓" if is_right else "✗")
            assert box.locator(".dropdown p").nth(1).is_visible(), "the right answer opens what says why"
        assert faults == []


def test_long_tables_are_filtered_by_words_and_sorted_by_their_heads(browser, served):
    with visit(browser, served, "book/report") as (tab, faults, _):
        tab.evaluate(OPEN_ALL)
        bar = tab.locator("#every-number .table-filter").first
        rows = "node => [...node.nextElementSibling.querySelectorAll('tbody tr')].filter(row => !row.hidden)"
        whole = bar.evaluate(f"{rows}.map(row => row.textContent)")
        bar.locator("input").fill("signedgi imdb")
        found = bar.evaluate(f"{rows}.map(row => row.textContent)")
        assert 0 < len(found) < len(whole)
        assert found == [row for row in whole if "signedgi" in row.lower() and "imdb" in row.lower()]
        assert bar.locator("output").inner_text() == f"{len(found)} of {len(whole)} rows"
        bar.locator("input").fill("")
        head = bar.locator("xpath=following-sibling::*[1]").locator("thead th button").first
        texts = f"{rows}.map(row => row.cells[0].textContent.trim())"
        head.press("Enter")
        once = bar.evaluate(texts)
        head.press("Enter")
        assert sorted(once) == sorted(bar.evaluate(texts)) and once != bar.evaluate(texts)
        assert faults == []


# --- explorers -------------------------------------------------------------------------------------------------------

SHOWN = """explorer => [...explorer.querySelectorAll(".widget-html-content")].filter(view => view.checkVisibility())
    .map(view => view.innerHTML)"""
CONTROLS = ".noUi-handle, select"


def move(control, key):
    """Move a control one step by keyboard, and wait a moment for the pictures to follow."""
    control.focus()
    control.press(key)
    control.page.wait_for_timeout(100)


@pytest.mark.parametrize("page, number", EXPLORERS.items(), ids=EXPLORERS)
def test_every_control_is_named_and_changes_what_is_shown(page, number, browser, served):
    with visit(browser, served, page) as (tab, faults, _):
        explorers = tab.locator(".explorer").all()
        assert len(explorers) == number
        for explorer in explorers:
            controls = explorer.locator(CONTROLS).all()
            assert controls
            for control in controls:
                slider = control.evaluate("node => node.matches('.noUi-handle')")
                onward, back = ("ArrowRight", "ArrowLeft") if slider else ("ArrowDown", "ArrowUp")
                assert control.evaluate("node => node.ariaLabel || node.labels[0].textContent").strip()
                before = explorer.evaluate(SHOWN)
                move(control, onward)
                assert explorer.evaluate(SHOWN) != before, "the control moved and nothing changed"
                if slider:
                    assert control.get_attribute("aria-valuetext") == explorer.locator(".widget-readout").inner_text()
                move(control, back)
                assert explorer.evaluate(SHOWN) == before
        assert faults == []


def test_masking_greys_out_as_many_words_as_the_slider_says(browser, served):
    with visit(browser, served, "chapters/baselines") as (tab, _, _):
        views, slider = tab.locator(".masked-words"), tab.locator(".explorer .noUi-handle")
        names = [views.nth(side).locator("strong").first.inner_text() for side in (0, 1)]
        assert len(set(names)) == 2
        probabilities = [views.nth(side).locator("strong").last.inner_text() for side in (0, 1)]
        assert probabilities[0] == probabilities[1], "no word is masked yet"
        for k in range(1, 6):
            move(slider, "ArrowRight")
            assert [views.nth(side).locator("s").count() for side in (0, 1)] == [k, k]
        widths = [views.nth(side).locator("div > div").first.evaluate("bar => bar.style.width") for side in (0, 1)]
        for side in (0, 1):
            probability = float(views.nth(side).locator("strong").last.inner_text())
            assert float(widths[side].rstrip("%")) == pytest.approx(100 * probability, abs=0.1)
        move(slider, "End")
        all_words = float(slider.get_attribute("aria-valuemax"))
        assert [views.nth(side).locator("s").count() for side in (0, 1)] == [all_words, all_words]
        assert views.nth(0).locator("strong").last.inner_text() == views.nth(1).locator("strong").last.inner_text()


def test_turning_the_space_leaves_signed_gi_where_it_is(browser, served):
    with visit(browser, served, "chapters/sensitivity") as (tab, _, _):
        explorer = tab.locator(".explorer", has_text="Turn the embedding space")
        said = []
        for _ in range(10):
            alt = explorer.locator("img").get_attribute("alt")
            said.append(dict(part.split(": ") for part in alt.split("Highest words: ")[1].rstrip(".").split("; ")))
            move(explorer.locator(".noUi-handle"), "ArrowRight")
        assert len({words["SignedGI"] for words in said}) == 1
        assert len({words["SA raw"] for words in said}) == 10
