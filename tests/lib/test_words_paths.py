"""DIG and UDIG: their paths against the published code and against loops, and what every path must do."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import LABELS, NETWORKS, TEXTS, WORDS, network, properties
from sklearn.neighbors import kneighbors_graph
from tint.attr import DiscretetizedIntegratedGradients
from tint.attr.models.path_generator import find_word_path, make_monotonic_path

from lib.attribution import explain
from lib.attribution.baselines import completeness_gap
from lib.attribution.paths import anchors
from lib.attribution.paths.discretized import RULES, weighted
from lib.attribution.paths.nearest import Nearest, nearest
from lib.attribution.paths.walks import BASELINE, SEARCHES, STRATEGIES, find_anchors, monotone, points, walk
from lib.classifiers import BiLSTM, FastText, TextCNN
from lib.diagnostics import word_approximation_error
from lib.text import UNKNOWN_ID, vocabulary_from_words

MANY = [f"w{number}" for number in range(600)]
KINDS = {"fasttext": (FastText, {}), "textcnn": (TextCNN, {"filters": 7}), "bilstm": (BiLSTM, {"hidden": 5})}
METHODS = [f"{search}_{strategy}" for search in SEARCHES for strategy in STRATEGIES]


def wide(name: str = "fasttext", dimensions: int = 6, seed: int = 0, words: int = 60):
    """A random classifier in float64 with many words."""
    kind, sizes = KINDS[name]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        vocabulary = vocabulary_from_words(["<unk>", "<pad>", *MANY[:words]])
        classifier = kind(vocabulary, ["a", "b", "c"], 256, dimensions, **sizes)
    return classifier.double().eval()


def paths_of(classifier, search: str, strategy: str, rows, **options) -> tuple[list[list[int]], np.ndarray]:
    """Anchors of each row, and the points [U, P, D] from the baseline to the word."""
    midpoints = options.pop("midpoints", 0)
    chosen = walk(classifier, search, strategy, **options)
    found = find_anchors(chosen, search, np.asarray(rows))
    return found.tolist(), torch.stack(list(points(chosen, found, midpoints))[::-1], dim=1).numpy()


@pytest.mark.parametrize("midpoints", [0, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("dimensions, steps, neighbours, words", [(6, 5, 20, 60), (3, 8, 7, 60), (12, 30, 40, 60),
                                                                  (4, 30, 500, 600)])
def test_dig_walks_as_published(dimensions, steps, neighbours, words, strategy, midpoints):
    classifier = wide(dimensions=dimensions, seed=words + steps, words=words)
    table = classifier.embedding.weight.detach().numpy()
    graph = kneighbors_graph(table, neighbours, mode="distance")
    rows = list(range(2, words + 2, words // 20))
    ours, path = paths_of(classifier, "dig", strategy, rows, baseline="mask", steps=steps, neighbours=neighbours,
                          candidates="all", midpoints=midpoints)
    for row, found, walked in zip(rows, ours, path, strict=True):
        theirs = find_word_path(row, UNKNOWN_ID, {}, table, graph, steps, strategy)
        assert [UNKNOWN_ID if anchor == BASELINE else anchor for anchor in found] == theirs
        expected = make_monotonic_path(theirs, UNKNOWN_ID, table, steps, midpoints)
        np.testing.assert_allclose(walked, expected, atol=1e-14)


# Not the TextCNN: at the baseline all words are equal, and its maximum over them has no gradient to compare.
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", ["fasttext", "bilstm"])
def test_dig_scores_as_published(name, strategy):
    classifier = wide(name)
    batch = classifier.encode(["w1 w5 w9 w30", "w7", "w2 w2 w40 w41 w3 w59 zzz"], [0, 2, 1])
    options = {"baseline": "mask", "steps": 6, "neighbours": 25, "candidates": "all", "midpoints": 1}
    scores = explain(classifier, batch, f"dig_{strategy}", **options)
    for row, label in enumerate([0, 2, 1]):
        one = batch.take([row])
        _, path = paths_of(classifier, "dig", strategy, one.ids[0], **options)
        features = torch.tensor(path.transpose(1, 0, 2))
        method = DiscretetizedIntegratedGradients(
            lambda e, mask=one.mask: classifier.logits(e, mask.expand(len(e), -1)).softmax(dim=1))
        theirs = method.attribute(features, target=label, n_steps=len(features)).sum(dim=2)[0].detach()
        torch.testing.assert_close(scores[row, :len(theirs)], theirs, atol=1e-12, rtol=0)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("baseline", ["zero", "mask"])
@pytest.mark.parametrize("steps, neighbours", [(7, 9), (4, 59), (9, 3)])
def test_anchors_are_those_of_a_loop(search, strategy, baseline, steps, neighbours):
    classifier = wide(dimensions=4, seed=3)
    rows = list(range(62))
    found, path = paths_of(classifier, search, strategy, rows, baseline=baseline, steps=steps, neighbours=neighbours)
    table = classifier.embedding.weight.detach().numpy()
    for row in rows:
        by_hand = loop(table, row, classifier.substitute(baseline).numpy(), search, strategy, steps, neighbours)
        assert found[row] == by_hand


def loop(table, word: int, b, search: str, strategy: str, steps: int, neighbours: int) -> list[int]:
    """Anchors among words, number by number; -1 is the baseline."""
    candidates = [row for row in range(2, len(table)) if (table[row] != b).any()]
    path = [-1 if (table[word] == b).all() else word]
    for step in range(steps):
        if path[-1] == -1:
            path.append(-1)
            continue
        a = table[path[-1]]
        center = a if search == "dig" else b + (steps - step) / (steps + 1) * (table[word] - b)
        others = [row for row in candidates if search == "udig" or row != path[-1]]
        near = sorted(others, key=lambda row: (((table[row] - center) ** 2).sum(), row))[:neighbours]
        near = [row for row in near if row not in path]
        path.append(min(near, key=lambda row: price(a, b, table[row], strategy, steps)) if near else -1)
    return path


def price(a, b, c, strategy: str, steps: int) -> float:
    apart = [(x, y, z) for x, y, z in zip(a, b, c, strict=True) if not min(x, y) <= z <= max(x, y)]
    return len(apart) if strategy == "maxcount" else sum((z - (x - (x - y) / steps)) ** 2 for x, y, z in apart)


@properties
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 12), neighbours=st.integers(1, 70), midpoints=st.integers(0, 2),
       method=st.sampled_from(METHODS), baseline=st.sampled_from(["zero", "mask"]))
def test_every_path_goes_from_the_baseline_to_the_word_and_never_turns_back(seed, steps, neighbours, midpoints, method,
                                                                           baseline):
    classifier = wide(dimensions=3, seed=seed)
    found, path = paths_of(classifier, *method.split("_"), range(62), baseline=baseline, steps=steps,
                           neighbours=neighbours, midpoints=midpoints)
    table, b = classifier.embedding.weight.detach().numpy(), classifier.substitute(baseline).numpy()
    assert path.shape[1] == (steps + 1) * 2**midpoints + 1
    np.testing.assert_array_equal(path[:, 0], np.broadcast_to(b, table.shape))
    np.testing.assert_allclose(path[:, -1], table)
    ways = np.diff(path, axis=1) * np.sign(table - b)[:, None]
    assert (ways >= -1e-12).all()
    for row in found:
        words = [anchor for anchor in row if anchor != BASELINE]
        assert len(set(words)) == len(words)  # no word twice
        assert row == words + [BASELINE] * (len(row) - len(words))  # at the baseline it ends


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("method", METHODS)
def test_the_gap_closes_as_the_path_gets_finer(method, rule):
    classifier = network("bilstm_last")
    batch = classifier.encode(TEXTS, LABELS)
    gaps = []
    for midpoints in (0, 3, 6):
        scores = explain(classifier, batch, method, steps=4, midpoints=midpoints, rule=rule)
        gaps.append(completeness_gap(classifier, batch, scores).abs().max())
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.02 * gaps[0]


def test_the_rules_by_hand():
    path = [torch.tensor([[value]]) for value in (7.0, 4.0, 3.0, 0.0)]  # from the word to the baseline
    sums = {rule: sum(float(point * way) for point, way in weighted(iter(path), rule)) for rule in RULES}
    assert sums == {"left": 0 * 3 + 3 * 1 + 4 * 3, "right": 3 * 3 + 4 * 1 + 7 * 3, "trapezoid": (15 + 34) / 2}
    assert [len(list(weighted(iter(path), rule))) for rule in RULES] == [3, 3, 4]


def test_a_linear_classifier_is_explained_exactly_along_any_path():
    """Where the gradient is the same everywhere, every method of paths is gradient times input."""
    classifier = wide("fasttext")
    batch = classifier.encode(["w1 w5 w9 w30", "w7 zzz", ""], [0, 2, 1])
    expected = explain(classifier, batch, "gi", of="logit")
    for method in [*METHODS, "ig", "sig"]:
        torch.testing.assert_close(explain(classifier, batch, method, of="logit"), expected)


def test_a_word_that_is_its_own_baseline_does_not_move():
    classifier = wide("textcnn")
    classifier.embedding.weight.data[7] = 0
    batch = classifier.encode(["w3 w5 w9", "w5"], [0, 1])
    for method in METHODS:
        scores = explain(classifier, batch, method, steps=5)
        assert scores[0, 1] == 0 and not scores[1].any() and scores[0, [0, 2]].all()
        assert anchors(classifier, batch, method, steps=2)[1] == [["w5", "<zero>", "<zero>"]]


def test_what_is_no_word_is_no_anchor_and_candidates_run_out():
    classifier = network("fasttext")  # seven words
    batch = classifier.encode(["good zzz"], [1])
    for method in METHODS:
        good, unknown = anchors(classifier, batch, method, steps=9)[0]
        assert good[0] == "good" and set(good[:7]) == set(WORDS) and good[7:] == ["<zero>"] * 3
        assert unknown[0] == "<unk>" and set(unknown[1:8]) == set(WORDS)
        every = anchors(classifier, batch, method, steps=9, baseline="mask", candidates="all")[0][0]
        assert set(every[:8]) == {*WORDS, "<pad>"} and every[8:] == ["<mask>"] * 2


def test_of_equal_neighbours_the_lower_number_is_nearer():
    """Five rows around a point, all at distance 1, and four rows twice."""
    vectors = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1], [1, 0], [0, 1], [5, 5]], dtype=torch.float64)
    search = Nearest(vectors, torch.ones(7, dtype=torch.bool))
    center = np.zeros((1, 2))
    for k in range(1, 7):
        assert search.to_points(center, k).tolist() == [list(range(k))]
    assert search.distances(center).tolist() == [1]
    assert search.to_rows(np.array([4]), vectors[[4]].numpy(), 2).tolist() == [[0, 1]]
    assert search.to_rows(np.array([0, 4]), vectors[[0, 4]].numpy(), 9)[:, 0].tolist() == [4, 0]
    only = Nearest(vectors, torch.tensor([0, 0, 1, 1, 0, 0, 0]).bool())
    assert only.to_points(center, 9).tolist() == [[2, 3]]
    assert Nearest(vectors, torch.zeros(7, dtype=torch.bool)).to_points(center, 3).shape == (1, 0)


def test_the_anchors_of_a_word_are_searched_once(monkeypatch):
    classifier, searched, search = wide(seed=9), [], SEARCHES["dig"]
    monkeypatch.setitem(SEARCHES, "dig", lambda walk, rows: searched.extend(rows) or search(walk, rows))
    batch = classifier.encode(["w1 w2 w1", "w3 w2"], [0, 1])
    first = explain(classifier, batch, "dig_greedy", steps=4)
    assert torch.equal(explain(classifier, batch, "dig_greedy", steps=4), first) and sorted(searched) == [3, 4, 5]
    explain(classifier, classifier.encode(["w4 w1"], [0]), "dig_greedy", steps=4)
    assert sorted(searched) == [3, 4, 5, 6]
    for options in ({"steps": 5}, {"neighbours": 7}, {"baseline": "mask"}):
        explain(classifier, batch, "dig_greedy", **{"steps": 4, **options})
    assert len(searched) == 4 + 3 * 3


def test_a_search_is_kept_by_what_the_table_holds():
    one, same, other = wide(seed=1), wide(seed=1), wide(seed=2)
    searches = [walk(classifier, "dig", "greedy").search for classifier in (one, same, other)]
    assert searches[0] is searches[1] is not searches[2]
    one.embedding.weight.data[5] += 1
    assert walk(one, "dig", "greedy").search is not searches[0]
    table = one.word_table()
    assert nearest(table.vectors, table.is_word) is walk(one, "udig", "maxcount").search
    assert nearest(table.vectors.to(torch.bfloat16), table.is_word) is not nearest(table.vectors, table.is_word)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
def test_a_point_more_or_less_at_a_time_changes_nothing(name, method):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    whole = explain(classifier, batch, method, steps=5, midpoints=1)
    for words in (1, 7, 60):
        few = explain(classifier, batch, method, steps=5, midpoints=1, words_per_pass=words)
        torch.testing.assert_close(few, whole)


@pytest.mark.parametrize("method", [*METHODS, "ig"])
def test_the_word_approximation_error_is_that_of_a_loop(method):
    classifier = wide(dimensions=3, seed=5)
    batch = classifier.encode(["w1 w1 w7 w30", "", "w2 zzz"])
    errors = word_approximation_error(classifier, batch, method, steps=4, midpoints=1, baseline="mask")
    table = classifier.embedding.weight.detach().numpy()
    for row, words in enumerate(batch.ids.tolist()):
        words = words[:int(batch.lengths[row])]
        if method == "ig":
            b = classifier.substitute("mask").numpy()
            path = np.array([[b + t * (table[word] - b) for t in np.linspace(0, 1, 11)] for word in words])
        else:
            _, path = paths_of(classifier, *method.split("_"), words, steps=4, midpoints=1, baseline="mask") \
                if words else (None, np.zeros((0, 1)))
        found = [min(np.linalg.norm(point - table[word]) for word in range(2, 62)) for points in path
                 for point in points]
        assert float(errors[row]) == pytest.approx(np.mean(found)) if words else errors[row].isnan()


def test_monotone_by_hand():
    before, baseline = torch.tensor([4.0, 4.0, 4.0, -2.0, 0.0]), torch.zeros(5)
    candidate = torch.tensor([3.0, 5.0, -1.0, -2.0, 1.0])
    assert monotone(before, baseline, candidate, 4).tolist() == [3, 3, 3, -2, 0]


@pytest.mark.parametrize("options, message", [
    ({"steps": 0}, "steps is 0: it must be at least 1"), ({"neighbours": 0}, "neighbours is 0"),
    ({"midpoints": -1}, "midpoints is -1"), ({"rule": "midpoint"}, "Unknown rule 'midpoint' for a path through words"),
    ({"candidates": "some"}, "Unknown candidates 'some'"), ({"baseline": "delete"}, "Unknown substitute 'delete'")])
def test_what_cannot_be_meant_is_refused(options, message):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match=message):
        explain(classifier, classifier.encode(TEXTS, LABELS), "dig_greedy", **options)


def test_a_classifier_without_words_or_with_other_vectors_is_refused(monkeypatch):
    classifier = wide()
    batch = classifier.encode(["w1 w2"], [0])
    with pytest.raises(ValueError, match="'ig' does not walk through words: choose one of dig_greedy"):
        anchors(classifier, batch, "ig")
    monkeypatch.setattr(classifier, "embed", lambda batch: torch.ones(1, 2, 6, dtype=torch.float64))
    with pytest.raises(ValueError, match="not those of word_table"):
        explain(classifier, batch, "dig_greedy")
    monkeypatch.setattr(type(classifier).__mro__[1], "word_table", property(lambda self: self.missing))
    with pytest.raises(ValueError, match="no method word_table"):
        explain(classifier, batch, "udig_greedy")
