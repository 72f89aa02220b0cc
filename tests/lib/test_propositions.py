"""The propositions that the book proves in its text, checked in code: what each says, and where it stops being true."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from oracles import LABELS, NETWORKS, TEXTS, close, differs, network
from scipy.stats import ortho_group, rankdata

from lib.agreement import pearson
from lib.attribution import explain, explain_all, input_gradient
from lib.targets import quantity

TEXT, LABEL = TEXTS[4], LABELS[4]
DOUBLE = torch.float64


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def one_document(classifier, text=TEXT, label=LABEL):
    """A batch, its word vectors [m, D] and the gradient of its loss there [m, D]."""
    batch = classifier.encode([text], [label])
    gradient = input_gradient(classifier, batch)
    return batch, gradient.embeddings[0], gradient.values[0]


def value_at(classifier, batch, embeddings, of="loss"):
    """The quantity of one document with other word vectors: [N, m, D] -> [N]."""
    copies = len(embeddings)
    logits = classifier.logits(embeddings, batch.mask.expand(copies, -1))
    return quantity(logits, batch.labels.expand(copies), of)


def ranking(scores, digits=9):
    """Ranks with ties; scores that differ by rounding only count as tied."""
    values = np.asarray(scores)
    return rankdata(np.round(values / np.abs(values).max(), digits))


class TestOneHotGradient:
    """1. The document as one-hot rows X [m, V] times E: dl/dX = g E^T, every column of it.

    The entry of the word that is there is g_i . e_i. Entry v of row i is the first-order effect of adding E_v onto e_i;
    a swap is g_i . (E_v - e_i).
    """

    @pytest.fixture
    def parts(self, name):
        classifier = network(name)
        batch, embeddings, g = one_document(classifier)
        E = classifier.embedding.weight.detach()
        one_hot = F.one_hot(batch.ids[0], len(E)).double().requires_grad_(True)
        loss = value_at(classifier, batch, (one_hot @ E)[None]).sum()
        return classifier, batch, embeddings, g, E, torch.autograd.grad(loss, one_hot)[0]

    def test_every_entry_is_a_product_of_gradient_and_word_vector(self, parts):
        *_, g, E, by_autograd = parts
        close(by_autograd, g @ E.T, 1e-12)

    def test_the_columns_of_absent_words_are_not_zero(self, parts):
        _, batch, *_, by_autograd = parts
        absent = [index for index in range(2, by_autograd.shape[1]) if index not in batch.ids]
        absent.append(0)  # the unknown word
        assert (by_autograd[:, absent].abs().sum(dim=0) > 1e-3).all()

    def test_the_entry_of_the_present_word_is_gradient_times_input(self, parts):
        classifier, batch, *_, by_autograd = parts
        present = by_autograd.gather(1, batch.ids[0][:, None])[:, 0]
        close(present, explain(classifier, batch, "gi")[0], 1e-12)

    def test_adding_and_swapping_to_first_order(self, parts):
        classifier, batch, embeddings, g, E, by_autograd = parts
        step = 1e-5
        for i, v in [(0, 2), (3, 5), (8, 8)]:
            swap = E[v] - embeddings[i]
            for direction, predicted in ((E[v], by_autograd[i, v]), (swap, g[i] @ swap)):
                there, back = embeddings.clone(), embeddings.clone()
                there[i] += step * direction
                back[i] -= step * direction
                after, before = value_at(classifier, batch, torch.stack([there, back])).detach()
                close((after - before) / (2 * step), predicted, 1e-7)


def path(classifier, batch, embeddings, word, t, of="loss"):
    """phi(t): the quantity with the vector of one word shrunk to (1 - t) of itself, and its first two derivatives."""
    t = torch.as_tensor(t, dtype=DOUBLE).requires_grad_(True)
    shrink = torch.ones(len(t), len(embeddings), 1, dtype=DOUBLE)
    shrink = torch.cat([shrink[:, :word], (1 - t)[:, None, None], shrink[:, word + 1:]], dim=1)
    phi = value_at(classifier, batch, embeddings * shrink, of)
    first, = torch.autograd.grad(phi.sum(), t, create_graph=True)
    second = torch.autograd.grad(first.sum(), t)[0] if first.requires_grad else torch.zeros_like(t)
    return phi.detach(), first.detach(), second


class TestSignedGIIsOcclusionToFirstOrder:
    """2. phi(t) = l with e_i replaced by (1 - t) e_i: LOO_i = phi(1) - phi(0), SignedGI_i = phi'(0), and where phi is
    smooth LOO_i - SignedGI_i = int_0^1 (1 - t) phi''(t) dt. ReLU and max-pooling add jumps of the gradient."""

    def test_the_two_ends_and_the_slope_of_the_path(self, name):
        classifier = network(name)
        batch, embeddings, _ = one_document(classifier)
        scores = explain_all(classifier, batch, ["loo", "signed_gi"])
        for word in range(len(embeddings)):
            phi, slope, _ = path(classifier, batch, embeddings, word, [0.0, 1.0])
            close(scores["loo"][0, word], phi[1] - phi[0], 1e-12)
            close(scores["signed_gi"][0, word], slope[0], 1e-12)

    @pytest.mark.parametrize("smooth", ["fasttext", "bilstm_last"])
    def test_the_remainder_on_a_smooth_classifier(self, smooth):
        classifier = network(smooth)
        batch, embeddings, _ = one_document(classifier)
        scores = explain_all(classifier, batch, ["loo", "signed_gi"])
        nodes, weights = np.polynomial.legendre.leggauss(24)
        t, weights = (nodes + 1) / 2, torch.as_tensor(weights / 2)
        curvatures = [path(classifier, batch, embeddings, word, t)[2] for word in range(len(embeddings))]
        remainders = torch.stack(curvatures) @ (weights * (1 - torch.as_tensor(t)))
        assert differs(scores["loo"], scores["signed_gi"]), "without a remainder there is nothing to test"
        close(scores["loo"][0] - scores["signed_gi"][0], remainders, 1e-9)

    def test_jumps_are_the_whole_difference_for_a_logit_of_textcnn(self):
        # Between two switches of ReLU and maximum the logit is linear in t: phi'' = 0, yet LOO and SignedGI differ.
        classifier = network("textcnn")
        batch, embeddings, _ = one_document(classifier)
        scores = explain_all(classifier, batch, ["loo", "signed_gi"], of="logit")
        t = np.linspace(0.01, 0.99, 25)
        for word in range(len(embeddings)):
            close(path(classifier, batch, embeddings, word, t, "logit")[2], torch.zeros(25), 1e-12)
        assert differs(scores["loo"], scores["signed_gi"], by=0.01)

    def test_halving_the_step_quarters_the_error(self):
        # First order means an error of second order: (phi(t) - phi(0)) / t - phi'(0) shrinks like t.
        classifier = network("bilstm_last")
        batch, embeddings, _ = one_document(classifier)
        phi, slope, _ = path(classifier, batch, embeddings, 3, [0.0, 1e-3, 2e-3])
        errors = phi[1:] - phi[0] - slope[0] * torch.tensor([1e-3, 2e-3], dtype=DOUBLE)
        assert errors[1] / errors[0] == pytest.approx(4, rel=0.02)


def margins(classifier, batch, embeddings):
    """D, the margin z_y - z_other of a two-class FastText document, and c_i, what each word adds to it."""
    w = classifier.output.weight.detach()
    y = int(batch.labels[0])
    c = embeddings @ (w[y] - w[1 - y]) / len(embeddings)
    return c.sum() + classifier.output.bias.detach()[y] - classifier.output.bias.detach()[1 - y], c


class TestFastText:
    """3. All position gradients are (1/m) W^T (p - onehot(y)): SA says nothing about words.

    With two classes SignedGI and LOO are sigmoid(-D) c and softplus(c - D) - softplus(-D), increasing in c both: one
    ranking, but not one straight line.
    """

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_all_positions_have_the_same_gradient(self, dtype):
        classifier = network("fasttext", dtype=dtype)
        batch, _, g = one_document(classifier)
        p = classifier(batch).softmax(dim=1)[0].detach()
        expected = (p - F.one_hot(batch.labels[0], 3)) @ classifier.output.weight.detach() / len(g)
        close(g, expected.expand_as(g), 1e-12 if dtype == DOUBLE else 1e-6)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    @pytest.mark.parametrize("method", ["sa_raw", "sa_l1", "sa_l2", "sa_linf"])
    def test_sensitivity_is_constant_and_its_correlation_undefined(self, method, dtype):
        classifier = network("fasttext", dtype=dtype)
        batch = classifier.encode([TEXT, TEXTS[0]], [0, 1])
        scores = explain_all(classifier, batch, [method, "loo"])
        assert (scores[method].amax(dim=1) > 0.01).all() or method == "sa_raw"
        assert all(torch.isnan(values).all() for values in pearson(scores[method], scores["loo"], batch.mask))

    def test_summed_over_a_word_type_it_counts_the_occurrences(self):
        classifier = copy.deepcopy(network("fasttext"))
        batch, _, g = one_document(classifier)
        F.cross_entropy(classifier(batch), batch.labels).backward()
        counts = torch.bincount(batch.ids[0], minlength=len(classifier.embedding.weight)).double()
        assert counts.max() == 3
        close(classifier.embedding.weight.grad, counts[:, None] * g[0], 1e-12)

    @pytest.mark.parametrize("seed", range(10))
    def test_closed_forms_with_two_classes(self, seed):
        classifier = network("fasttext", classes=2, seed=seed)
        batch, embeddings, _ = one_document(classifier)
        D, c = margins(classifier, batch, embeddings)
        scores = explain_all(classifier, batch, ["loo", "signed_gi"])
        close(scores["signed_gi"][0], torch.sigmoid(-D) * c, 1e-12)
        close(scores["loo"][0], F.softplus(c - D) - F.softplus(-D), 1e-12)

    @pytest.mark.parametrize("seed", range(10))
    def test_two_classes_same_ranking_and_ties_but_no_straight_line(self, seed):
        classifier = network("fasttext", classes=2, seed=seed)
        batch, *_ = one_document(classifier)
        scores = explain_all(classifier, batch, ["loo", "signed_gi"])
        assert (ranking(scores["loo"][0]) == ranking(scores["signed_gi"][0])).all()
        ranks, words = ranking(scores["loo"][0]), batch.words[0]
        assert len(set(ranks)) == len(set(words)) < len(words), "ties: repeated words only"
        rho, _ = pearson(scores["loo"], scores["signed_gi"], batch.mask)
        assert 0.5 < rho.item() < 1 - 1e-7

    def test_three_classes_can_rank_differently(self):
        for seed in range(50):
            classifier = network("fasttext", classes=3, seed=seed)
            batch, *_ = one_document(classifier, "good fine bad dull film plot not", 1)
            scores = explain_all(classifier, batch, ["loo", "signed_gi"])
            gaps = [(values[0][:, None] - values[0]) / values.abs().max() for values in scores.values()]
            if (gaps[0].clamp(min=0) * gaps[1].clamp(max=0)).min() < -1e-6:
                return  # two words, ordered one way by LOO and clearly the other way by SignedGI
        pytest.fail("no counterexample with three classes in 50 seeds")

    def test_a_tiny_loss_breaks_the_ranking_in_single_precision_only(self):
        # At margin D = 20 the loss is log(1 + 2e-9): in float32 that is 0, with and without any of the words.
        classifier = copy.deepcopy(network("fasttext", classes=2))
        batch = classifier.encode([TEXT], [1])
        D, _ = margins(classifier, batch, classifier.embed(batch).detach()[0])
        with torch.no_grad():
            classifier.output.bias[1] += 20 - D
        double = explain_all(classifier, batch, ["loo", "signed_gi"])
        single = explain_all(classifier.float(), batch, ["loo", "signed_gi"])
        assert (ranking(double["loo"][0], digits=5) == ranking(double["signed_gi"][0], digits=5)).all()
        assert (single["loo"] == 0).all()
        # SignedGI is not safe either: 1 - p rounds to 0 in the gradient of the own logit, only the other class is left.
        assert (ranking(single["signed_gi"][0], digits=5) != ranking(double["signed_gi"][0], digits=5)).any()


FIRST_LAYERS = {"fasttext": ["output.weight"], "textcnn": [f"convolutions.{i}.weight" for i in range(3)],
                "bilstm": ["forwards.weight_ih_l0", "backwards.weight_ih_l0"]}
FIRST_LAYERS["bilstm_last"] = FIRST_LAYERS["bilstm"]
METHODS = ["signed_gi", "gi", "loo", "sa_l2", "sa_l1", "sa_linf", "sa_raw"]


def in_other_coordinates(name, A):
    """The classifier with e A for every word vector e, and A undone in the first layer."""
    classifier = copy.deepcopy(network(name))
    weights = dict(classifier.named_parameters())
    with torch.no_grad():
        classifier.embedding.weight.copy_(classifier.embedding.weight @ A)
        for layer in FIRST_LAYERS[name]:  # input dimension second: [out, D] or, for a convolution, [out, D, width]
            weights[layer].copy_(torch.einsum("od...,ed->oe...", weights[layer], torch.linalg.inv(A)))
    return classifier


def coordinates():
    """Five changes of basis of R^6, from the most general to the mildest."""
    draw = np.random.default_rng(0)
    order = np.eye(6)[[3, 0, 5, 1, 2, 4]]
    signs = np.diag([1, -1, 1, 1, -1, 1.0])
    bases = {"general": np.eye(6) + 0.3 * draw.normal(size=(6, 6)), "rotation": ortho_group.rvs(6, random_state=1),
             "signed permutation": order @ signs, "permutation": order, "minus one": -np.eye(6)}
    return {key: torch.as_tensor(A, dtype=DOUBLE) for key, A in bases.items()}


class TestCoordinates:
    """4. Change the basis of the embedding space by A and undo it in the first layer: the same function.

    SignedGI and LOO do not change; L2 survives rotations, L1 and Linf signed permutations, raw permutations, and no
    more than that.
    """

    SURVIVES = {"general": {"signed_gi", "gi", "loo"},
                "rotation": {"signed_gi", "gi", "loo", "sa_l2"},
                "signed permutation": {"signed_gi", "gi", "loo", "sa_l2", "sa_l1", "sa_linf"},
                "permutation": set(METHODS),
                "minus one": {"signed_gi", "gi", "loo", "sa_l2", "sa_l1", "sa_linf"}}

    @pytest.mark.parametrize("basis", SURVIVES)
    def test_the_function_is_the_same(self, name, basis):
        moved = in_other_coordinates(name, coordinates()[basis])
        batch = moved.encode(TEXTS, LABELS)
        assert basis == "permutation" or differs(moved.embed(batch), network(name).embed(batch))
        close(moved(batch), network(name)(batch))

    @pytest.mark.parametrize("basis", SURVIVES)
    @pytest.mark.parametrize("method", METHODS)
    def test_what_survives_and_what_does_not(self, name, basis, method):
        moved = in_other_coordinates(name, coordinates()[basis])
        batch = moved.encode(TEXTS, LABELS)
        before, after = explain(network(name), batch, method), explain(moved, batch, method)
        if method in self.SURVIVES[basis]:
            close(after, before)
        else:
            assert differs(after, before)

    def test_raw_sensitivity_turns_round_with_the_axes(self, name):
        moved = in_other_coordinates(name, coordinates()["minus one"])
        batch = moved.encode(TEXTS, LABELS)
        close(explain(moved, batch, "sa_raw"), -explain(network(name), batch, "sa_raw"))


class TestLossOrProbability:
    """5. grad p_y = p_y grad(-l_y), one factor for the document: norms, GI up to its sign, and LOO rank words alike.

    With two classes the margin is parallel too; one logit alone is not.
    """

    def test_the_gradients_differ_by_the_probability(self, name):
        classifier = network(name)
        batch = classifier.encode(TEXTS, LABELS)
        p = quantity(classifier(batch), batch.labels, "probability").detach()
        loss, probability = (input_gradient(classifier, batch, of).values for of in ("loss", "probability"))
        close(probability, -p[:, None, None] * loss, 1e-12)

    @pytest.mark.parametrize("method, sign", [("sa_l1", 1), ("sa_l2", 1), ("sa_linf", 1),
                                              ("gi", -1), ("signed_gi", 1), ("loo", 1)])
    def test_words_rank_alike(self, name, method, sign):
        classifier = network(name)
        batch, *_ = one_document(classifier)
        loss, probability = (explain(classifier, batch, method, of=of)[0] for of in ("loss", "probability"))
        assert differs(loss, sign * probability), "equal scores would rank alike for a duller reason"
        assert (ranking(loss) == ranking(sign * probability)).all()

    @staticmethod
    def cosines(classifier, batch, logits_to_value):
        embeddings = classifier.embed(batch).detach().requires_grad_(True)
        value = logits_to_value(classifier.logits(embeddings, batch.mask)[0])
        gradient, = torch.autograd.grad(value, embeddings)
        return F.cosine_similarity(gradient[0], -input_gradient(classifier, batch).values[0], dim=1)

    def test_with_two_classes_the_margin_is_parallel_to_the_loss(self, name):
        classifier = network(name, classes=2)
        batch, *_ = one_document(classifier)
        y = LABEL
        found = self.cosines(classifier, batch, lambda z: z[y] - z[1 - y])
        close(found, torch.ones(len(found)), 1e-9)

    def test_one_logit_is_not(self, name):
        classifier = network(name, classes=2)
        batch, *_ = one_document(classifier)
        assert self.cosines(classifier, batch, lambda z: z[LABEL]).min() < 0.99
