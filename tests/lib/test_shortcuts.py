"""Exact shortcuts against the general path: the same scores and curves, whatever the documents, padding and memory."""

from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import (
    LABELS,
    NETWORKS,
    TEXTS,
    LinearBag,
    batches,
    close,
    documents,
    is_one_sentence,
    network,
    properties,
    widened,
)

from book.make.benchmarks import peak_memory
from lib import masking
from lib.attribution import explain, explain_all, gradients
from lib.classifiers import CLASSIFIERS, BiLSTM, FastText, TextCNN
from lib.faithfulness import aopc, deletion_curve, ranks
from lib.masking import logits_in_order, logits_one_out, logits_without, textcnn
from lib.masking.shortcuts import SHORTCUTS, shortcut_of
from lib.passes import WORDS_PER_PASS, passes, words_at_once

REPLACING = ("zero", "mask")  # the operators that have shortcuts
PASSES = st.sampled_from([1, 7, 64, 8192])


on_every_network = pytest.mark.parametrize("name", NETWORKS)


def scores_for(batch, seed):
    """Whole numbers, so that there are ties."""
    drawn = torch.randint(-2, 3, batch.mask.shape, generator=torch.Generator().manual_seed(seed))
    return drawn.double()


def on_words(logits, batch):
    """Logits [B, T + 1, C] without what stands on padding."""
    there = torch.cat([torch.ones(len(batch), 1, dtype=torch.bool), batch.mask], dim=1)
    return logits[there]


# --- equal to the general path ---------------------------------------------------------------------------------------


@on_every_network
@pytest.mark.parametrize("operator", REPLACING)
@properties
@given(texts=batches, words_per_pass=PASSES, extra=st.integers(0, 4))
def test_leaving_one_out_is_exact(name, operator, texts, words_per_pass, extra):
    classifier = network(name)
    batch = widened(classifier.encode(texts), extra)
    fast = logits_one_out(classifier, batch, operator, words_per_pass)
    general = logits_one_out(classifier, batch, operator, shortcut=False)
    close(on_words(fast, batch), on_words(general, batch))


@on_every_network
@pytest.mark.parametrize("operator", REPLACING)
@properties
@given(texts=batches, words_per_pass=PASSES, extra=st.integers(0, 4), steps=st.integers(0, 13), seed=st.integers(0, 99))
def test_masking_in_order_is_exact(name, operator, texts, words_per_pass, extra, steps, seed):
    classifier = network(name)
    batch = widened(classifier.encode(texts), extra)
    rank = ranks(batch, scores_for(batch, seed), seed)
    fast = logits_in_order(classifier, batch, rank, steps, operator, words_per_pass)
    close(fast, logits_in_order(classifier, batch, rank, steps, operator, shortcut=False))


@on_every_network
@pytest.mark.parametrize("of", ["loss", "logit", "probability"])
@properties
@given(texts=batches, words_per_pass=PASSES)
def test_scores_and_curves_are_those_of_the_general_path(name, of, texts, words_per_pass):
    classifier = network(name)
    batch = classifier.encode(texts)
    options = {"of": of, "target": 1}
    fast = explain_all(classifier, batch, ["loo", "signed_gi"], words_per_pass=words_per_pass, **options)
    general = explain_all(classifier, batch, ["loo", "signed_gi"], shortcut=False, **options)
    for method in fast:
        close(fast[method], general[method])
    fast = aopc(classifier, batch, general["signed_gi"], target=1, words_per_pass=words_per_pass)
    close(fast, aopc(classifier, batch, general["signed_gi"], target=1, shortcut=False))


@on_every_network
@properties
@given(text=documents, seed=st.integers(0, 99))
def test_any_selection_of_words_agrees_with_the_order_that_takes_it(name, text, seed):
    # The two general paths against each other: a free selection, and the step of an order at which it is gone.
    classifier = network(name)
    batch = classifier.encode([text])
    m = int(batch.lengths[0])
    rank = ranks(batch, scores_for(batch, seed), seed)
    gone = rank[0, :m] < torch.arange(m + 1)[:, None]
    if m:
        close(logits_in_order(classifier, batch, rank, m)[0],
              logits_without(classifier, classifier.embed(batch)[0, :m], gone))


@on_every_network
@pytest.mark.parametrize("method", ["gi", "signed_gi"])
def test_gradient_times_input_alone_or_with_others(name, method):
    # Alone, FastText takes its shortcut; with others, the shared gradient.
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    alone = explain(classifier, batch, method)
    close(alone, explain_all(classifier, batch, [method, "sa_l2"])[method])
    close(alone, explain(classifier, batch, method, shortcut=False))


@on_every_network
def test_float32_stays_within_the_promise(name):
    # The library computes in float32: scores within 1e-5, mean curves within 1e-3.
    classifier = network(name, dtype=torch.float32)
    batch = classifier.encode([" ".join(TEXTS)] * 3 + TEXTS, [0, 1, 2] + LABELS)
    fast, general = explain(classifier, batch, "loo"), explain(classifier, batch, "loo", shortcut=False)
    assert (fast - general).abs().max() < 1e-5
    fast, general = aopc(classifier, batch, fast).mean(0), aopc(classifier, batch, general, shortcut=False).mean(0)
    assert (fast - general).abs().max() < 1e-3


@on_every_network
def test_long_documents_share_more_than_one_block(name):
    classifier = network(name)
    words = torch.randint(0, 7, (150,), generator=torch.Generator().manual_seed(3)).tolist()
    batch = classifier.encode([" ".join(["good", "fine", "bad", "dull", "film", "plot", "not"][i] for i in words)],
                              max_words=150)
    scores = scores_for(batch, 1)
    for options in ({"words_per_pass": 100}, {}):
        close(logits_one_out(classifier, batch, **options), logits_one_out(classifier, batch, shortcut=False))
        close(deletion_curve(classifier, batch, scores, target=0, **options),
              deletion_curve(classifier, batch, scores, target=0, shortcut=False))


# --- who has a shortcut ----------------------------------------------------------------------------------------------


def test_every_classifier_of_the_book_has_one():
    for kind in CLASSIFIERS.values():
        assert kind in SHORTCUTS


def test_a_derived_class_takes_the_general_path():
    class Squared(FastText):
        def logits(self, embeddings, mask):
            return super().logits(embeddings, mask) ** 2

    torch.manual_seed(0)
    classifier = Squared(network("fasttext").vocabulary, ["no", "yes"], 256, dimensions=6).double().eval()
    assert shortcut_of(network("fasttext")) is not None
    assert shortcut_of(classifier) is None and shortcut_of(LinearBag()) is None
    batch = classifier.encode(TEXTS, [0] * len(TEXTS))
    close(explain(classifier, batch, "loo"), explain(classifier, batch, "loo", shortcut=False), 1e-12)


@on_every_network
@pytest.mark.parametrize("call", [
    lambda c, b: logits_one_out(c, b), lambda c, b: logits_in_order(c, b, ranks(b, scores_for(b, 0)), 3)])
def test_the_shortcut_is_taken(name, call, monkeypatch):
    # Otherwise all of the above would compare the general path with itself.
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    monkeypatch.setattr(masking, "_every_version", None)
    assert torch.isfinite(call(classifier, batch)[:, 0]).all()


def test_fasttext_needs_no_backward_pass_for_signed_gi(monkeypatch):
    classifier = network("fasttext")
    batch = classifier.encode(TEXTS, LABELS)
    expected = explain(classifier, batch, "signed_gi")
    monkeypatch.setattr(gradients, "input_gradient", None)
    close(explain(classifier, batch, "signed_gi"), expected, 1e-15)


# --- a maximum over intervals, by itself -----------------------------------------------------------------------------


@properties
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(-9, 9)), min_size=1, max_size=30))
def test_maximum_over_intervals(intervals):
    points = 17
    first, after_last, values = torch.tensor(intervals).T
    first, after_last = first.clamp(max=points), after_last.clamp(max=points)
    found = textcnn._maximum_over_intervals(values.double().view(1, -1, 1, 1), first.view(1, -1, 1),
                                            after_last.view(1, -1, 1), points)[0, :, 0]
    for point in range(points):
        there = [float(v) for a, b, v in zip(first, after_last, values, strict=True) if a <= point < b]
        assert found[point] == max(there, default=-torch.inf)


# --- memory and cost -------------------------------------------------------------------------------------------------


@properties
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=40), words_per_pass=st.integers(1, 100))
def test_passes_hold_every_document_once_and_no_more_words_than_allowed(lengths, words_per_pass):
    batch = network("fasttext").encode([" ".join(["good"] * length) for length in lengths])
    seen = []
    for rows, part in passes(network("fasttext"), batch, "testing", words_per_pass):
        assert len(part) == 1 or part.mask.numel() <= words_per_pass
        assert part.lengths.tolist() == batch.lengths[rows].tolist()
        assert part.words == [batch.words[row] for row in rows]
        seen += rows.tolist()
    assert sorted(seen) == list(range(len(lengths)))


def test_passes_waste_little_on_padding():
    lengths = torch.randint(1, 200, (300,), generator=torch.Generator().manual_seed(0)).tolist()
    batch = network("fasttext").encode([" ".join(["good"] * length) for length in lengths])
    used = sum(part.mask.numel() for _, part in passes(network("textcnn"), batch, "testing", 1024))
    assert used <= 1.1 * sum(lengths) < batch.mask.numel()


@on_every_network
def test_a_whole_batch_may_take_many_passes(name):
    classifier = network(name)
    batch = classifier.encode(TEXTS, LABELS)
    for method in ("loo", "signed_gi", "sa_l2", "random"):
        close(explain(classifier, batch, method, words_per_pass=5), explain(classifier, batch, method), 1e-12)


@on_every_network
@pytest.mark.parametrize("shortcut", [True, False])
def test_too_long_a_document_is_refused_in_one_sentence(name, shortcut, monkeypatch):
    classifier = network(name)
    batch = classifier.encode([" ".join(TEXTS)] + TEXTS, [0] + LABELS, max_words=100)
    longest = int(batch.lengths.max())
    monkeypatch.setattr(masking, "MOST_WORD_STEPS", longest * longest)
    scores = scores_for(batch, 0)
    calls = [lambda: explain(classifier, batch, "loo", shortcut=shortcut),
             lambda: aopc(classifier, batch, scores, shortcut=shortcut)]
    for call in calls:
        if shortcut and name in ("fasttext", "textcnn"):
            call()
            continue
        steps = f"{longest * (longest + 1):,} word steps"
        told = f"{longest} words takes up to {steps} through .*about 0.0 hours.*max_words"
        with pytest.raises(ValueError, match=told) as caught:
            call()
        assert is_one_sentence(caught.value)
    aopc(classifier, batch, scores, K=2, shortcut=shortcut)  # a few steps are cheap


@pytest.mark.parametrize("call", [
    lambda c, b: explain(c, b, "signed_gi", words_per_pass=0),
    lambda c, b: aopc(c, b, scores_for(b, 0), words_per_pass=-3)])
def test_no_words_at_a_time_is_an_error(call):
    classifier = network("fasttext")
    with pytest.raises(ValueError, match="words_per_pass is .*at least 1") as caught:
        call(classifier, classifier.encode(TEXTS, LABELS))
    assert is_one_sentence(caught.value)


def test_words_at_once_suit_the_classifier_or_the_caller():
    assert words_at_once(network("fasttext")) > WORDS_PER_PASS
    assert words_at_once(network("textcnn")) == words_at_once(LinearBag()) == WORDS_PER_PASS
    assert words_at_once(network("fasttext"), 7) == 7


# --- 100,000 words ---------------------------------------------------------------------------------------------------

LONG = 100_000
weighs = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(),
                            reason="Only Linux tells the peak of a process's memory.")


def explain_long(kind, method, **options):
    """Explain 100,000 words with a classifier of the book's size: the sum of the scores, and the megabytes it takes."""
    torch.manual_seed(0)
    classifier = kind(network("fasttext").vocabulary, ["no", "yes"], 256).requires_grad_(False).eval()
    batch = classifier.encode(["good fine bad dull film plot not zzz " * (LONG // 8)], [1], max_words=LONG)
    totals = []
    megabytes = peak_memory(lambda: totals.append(float(explain(classifier, batch, method,
                                                                **options).double().sum()))) / 1e6
    return totals[0], megabytes


def in_a_fresh_process(*call, **options):
    with get_context("spawn").Pool(1) as pool:  # memory that was freed would be used again
        return pool.apply(explain_long, call, options)


@weighs
@pytest.mark.parametrize("kind, method", [*((kind, "signed_gi") for kind in CLASSIFIERS.values()), (FastText, "loo"),
                                          (TextCNN, "loo")])
def test_a_hundred_thousand_words_can_be_explained(kind, method):
    total, megabytes = in_a_fresh_process(kind, method)
    assert total != 0 and 1 < megabytes < 1000


@weighs
def test_memory_follows_the_option_however_long_the_document():
    total, megabytes = in_a_fresh_process(TextCNN, "loo")
    total_with_more, more = in_a_fresh_process(TextCNN, "loo", words_per_pass=LONG)
    assert megabytes < 0.75 * more
    assert total_with_more == pytest.approx(total, rel=1e-4)


@weighs
def test_a_hundred_thousand_words_are_too_many_for_loo_on_a_bilstm():
    with pytest.raises(ValueError, match="100,000 words takes up to 10,000,100,000 word steps through BiLSTM"):
        explain_long(BiLSTM, "loo")
