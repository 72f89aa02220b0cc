"""LAFA: by hand, against a loop, and what its neighbours may depend on."""

import math
from dataclasses import replace

import pytest
import torch
from folders import saved
from oracles import LABELS, NETWORKS, TEXTS, LinearBag, close, is_one_sentence, network, widened

from lib.attribution import explain, gradient_at
from lib.attribution.neighbours import KERNELS, Pool, nearest_documents, place_of, pool_of
from lib.classifiers import pretrained

NEAR = ["good plot", "bad", "film film good", "dull", "good film"]
CLASSES = [1, 1, 1, 0, 1]


@pytest.fixture(scope="module")
def bag():
    return LinearBag()


@pytest.fixture(scope="module")
def pool(bag):
    return pool_of(bag, bag.encode(NEAR, CLASSES))


def test_by_hand(bag, pool):
    """Each word of class 1 has the gradient (2, -1) and the base 5; "good plot" and "film film good" are nearest."""
    batch = bag.encode(["good film"], [1])
    scores = explain(bag, batch, "lafa", pool=pool, neighbours=2)
    close(scores, [[5 + 0.44 / 2 * (5 / 2 + 5 / 3), 5 + 0.44 / 2 * (0 + 2 * 5 / 3)]])
    signed = explain(bag, batch, "lafa_signed", pool=pool, neighbours=1, strength=1)
    good = 2 * math.log(2)
    close(signed, [[good + good / 2, 0.0]])  # film adds nothing to its own logit: 2 ln 3 / 2 - ln 3


def test_the_nearest_come_first_and_the_document_itself_does_not(bag, pool):
    def found(**options):
        batch = bag.encode(["good film"], [1])
        return nearest_documents(place_of(bag, batch)[0], batch, pool, **{"neighbours": 9} | options).tolist()

    assert found() == [0, 2, 3, 1]
    assert found(neighbours=1) == [0]
    assert found(cutoff=0.1) == [0] and found(cutoff=0.01) == []
    assert found(allowed=torch.tensor(CLASSES) == 1) == [0, 2, 1]


def test_of_equally_near_documents_the_first_comes_first(bag):
    pool = pool_of(bag, bag.encode(["plot", "film good", "good film film", "plot"], [1, 1, 1, 1]))
    batch = bag.encode(["plot good"], [1])
    found = nearest_documents(place_of(bag, batch)[0], batch, pool, 4).tolist()
    assert [row for row in found if row in (0, 3)] == [0, 3]


A, B = torch.tensor([[0.25, 0.5], [0.0, 0.0]]), torch.tensor([[0.5, 0.0]])


@pytest.mark.parametrize("kernel, expected", [
    ("indicator", [1, 0]), ("cosine", [0.125 / (math.sqrt(0.3125) * 0.5), 0]), ("cubic", [0.875**3, 0]),
    ("rbf", [math.exp(-math.sqrt(0.3125) / 4), math.exp(-0.5 / 4)]),
    ("laplacian", [math.exp(-0.75 / 4), math.exp(-0.125)]),
    ("l2", [1 / math.sqrt(0.3125), 2])])
def test_kernels(kernel, expected):
    close(KERNELS[kernel](A, B, torch.tensor([[True], [False]])), torch.tensor(expected)[:, None], 1e-6)


def test_the_distance_kernel_is_cut_at_both_ends():
    near, far = torch.tensor([[0.1, 0.0]]), torch.tensor([[9.0, 0.0]])
    none = torch.zeros(1, 1, dtype=torch.bool)
    close(KERNELS["l2"](near, 0 * near, none), [[1 / 0.3]], 1e-6)
    close(KERNELS["l2"](far, 0 * far, none), [[1 / 3]], 1e-6)


def by_loop(classifier, batch, pool, kernel, strength, neighbours, signed):
    """The formula, word by word; tokens are words."""
    def base(one, label):
        end = classifier.embed(one).detach()
        gradient = gradient_at(classifier, end, one.mask, torch.tensor([label]), "logit")[1]
        return (gradient * end if signed else gradient**2).sum(2)[0]

    scores = torch.zeros(batch.word_mask.shape, dtype=torch.float64)
    for row in range(len(batch)):
        one, label = batch.take([row]), int(batch.labels[row])
        words = one.words[0]
        own, e = base(one, label), classifier.embed(one).detach()[0]
        mean = e[:len(words)].mean(0) if layer_of(classifier) == 0 and words else place_of(classifier, one)[0]
        order = sorted((float((pool.places[n] - mean).norm()), n) for n in range(len(pool.batch))
                       if pool.batch.labels[n] == label and pool.batch.words[n] != words)[:neighbours]
        for i, word in enumerate(words):
            total = float(own[i])
            for _, n in order:
                other = pool.batch.take([n])
                theirs, f = base(other, label), classifier.embed(other).detach()[0]
                for k, same in enumerate(other.words[0]):
                    known = word == same and word in classifier.vocabulary.stoi
                    weight = KERNELS[kernel](e[[i]], f[[k]], torch.tensor([[known]]))
                    total += strength / len(order) * float(theirs[k] * weight) / len(other.words[0])
            scores[row, i] = total
    return scores


def layer_of(classifier):
    return 1 if hasattr(classifier, "hidden") else 0


POOL = ["good film", "bad bad plot not", "film zzz dull", "fine", "plot plot plot good dull", "not good", "zzz"]
OF_POOL = [1, 0, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", NETWORKS)
def test_by_a_loop(name, kernel, signed):
    classifier = network(name)
    batch, pool = classifier.encode(TEXTS, LABELS), pool_of(classifier, classifier.encode(POOL, OF_POOL))
    scores = explain(classifier, batch, "lafa_signed" if signed else "lafa", pool=pool, kernel=kernel, neighbours=2,
                     strength=0.7)
    close(scores, by_loop(classifier, batch, pool, kernel, 0.7, 2, signed), 1e-9)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_documents_scores_do_not_depend_on_its_batch_or_padding(name):
    classifier = network(name)
    batch, pool = classifier.encode(TEXTS, LABELS), pool_of(classifier, classifier.encode(POOL, OF_POOL))
    options = {"pool": pool, "samples": 3, "neighbours": 3, "kernel": "rbf"}
    scores = explain(classifier, batch, "lafa", **options)
    close(explain(classifier, widened(batch, 4), "lafa", **options)[:, :9], scores)
    close(explain(classifier, batch, "lafa", words_per_pass=1, **options), scores)
    wide = widened(pool.batch, 3)
    close(explain(classifier, batch, "lafa", **options | {"pool": replace(pool, batch=wide)}), scores)
    for row in range(len(TEXTS)):
        alone = explain(classifier, batch.take([row]), "lafa", **options)[0]
        close(alone, scores[row, :len(alone)])


def test_without_a_neighbour_or_strength_it_is_the_base(bag, pool):
    batch = bag.encode(["good film", "plot"], [1, 2])  # of class 2 the pool has none
    base = [[5.0, 5.0], [1.0, 0.0]]
    close(explain(bag, batch, "lafa", pool=pool, strength=0), base)
    close(explain(bag, batch, "lafa", pool=pool, cutoff=0), base)
    close(explain(bag, batch, "lafa", pool=pool)[1], base[1])
    assert explain(bag, batch, "lafa", pool=pool, same_class=False)[1, 0] > 1


def test_with_samples_the_base_is_smoothed():
    classifier = network("textcnn")
    batch, pool = classifier.encode(TEXTS, LABELS), pool_of(classifier, classifier.encode(POOL, OF_POOL))
    smooth = explain(classifier, batch, "smoothgrad", of="logit", samples=4, noise=0.2)
    close(explain(classifier, batch, "lafa", pool=pool, strength=0, samples=4, noise=0.2), smooth.square())


def test_neighbours_are_explained_for_their_gold_class_or_the_predicted_one(bag, pool):
    batch = bag.encode(["good film"], [0])
    predicted = explain(bag, batch, "lafa", pool=pool, target="predicted", pool_target="predicted")
    given = pool_of(bag, bag.encode(NEAR, [int(bag(bag.encode([text])).argmax()) for text in NEAR]))
    close(predicted, explain(bag, batch, "lafa", pool=given, target=int(bag(batch).argmax())))
    assert not torch.allclose(predicted, explain(bag, batch, "lafa", pool=pool, target="predicted"))


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return pretrained(saved(tmp_path_factory.mktemp("models") / "bert", "bert")).double()


def test_on_word_pieces_special_tokens_count_for_nothing_and_words_add_up(bert):
    pool = pool_of(bert, bert.encode(["the plot is wonderful", "films but films", "a thin plot"], [1, 1, 1]))
    batch = bert.encode(["wonderful films", "the film"], [1, 1])
    scores = explain(bert, batch, "lafa", pool=pool, neighbours=1)
    one, e = batch.take([0]), bert.embed(batch.take([0])).detach()
    base = gradient_at(bert, e, one.mask, one.labels, "logit")[1].square().sum(2)[0]
    near = nearest_documents(place_of(bert, one)[0], one, pool, 1).tolist()
    other = pool.batch.take(near)
    theirs = gradient_at(bert, bert.embed(other).detach(), other.mask, other.labels, "logit")[1].square().sum(2)[0]
    pieces = [k for k, word in enumerate(other.word_of[0].tolist()) if word >= 0]
    expected = [0.0, 0.0]
    for t, word in enumerate(one.word_of[0].tolist()):
        if word >= 0:
            alike = sum(float(theirs[k]) for k in pieces if other.ids[0, k] == one.ids[0, t])
            expected[word] += float(base[t]) + 0.44 * alike / len(pieces)
    close(scores[0, :2], expected, 1e-9)
    assert not scores[~batch.word_mask].any()


def test_a_layer_of_the_model_decides_who_is_near(bert):
    batch = bert.encode(["the plot is thin", "wonderful acting"], [1, 0])
    hidden = bert.model(inputs_embeds=bert.embed(batch), attention_mask=batch.mask.long(),
                        output_hidden_states=True).hidden_states
    read = batch.mask[..., None]
    for layer in (0, 1, 2):
        values = bert.embed(batch) if layer == -1 else hidden[layer]
        close(place_of(bert, batch, layer), (values * read).sum(1) / read.sum(1))
    close(place_of(bert, batch), place_of(bert, batch, 1))
    with pytest.raises(ValueError, match="no hidden layer 3: this classifier has 0 to 2"):
        place_of(bert, batch, 3)


@pytest.mark.parametrize("options, message", [
    ({}, "needs documents"), ({"kernel": "linear"}, "Unknown kernel 'linear'"),
    ({"neighbours": 0}, "neighbours is 0: it must be at least 1")])
def test_what_cannot_be_meant_is_refused(options, message, bag, pool):
    given = {"pool": pool} | options if options else {}
    with pytest.raises(ValueError, match=message) as caught:
        explain(bag, bag.encode(["good"], [1]), "lafa", **given)
    assert is_one_sentence(caught.value)
    with pytest.raises(ValueError, match="need labels"):
        pool_of(bag, bag.encode(["good"]))
    assert isinstance(pool, Pool)
