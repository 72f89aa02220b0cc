"""The paper's numbered equations, each checked by running it: name of the check -> answer.

The page *The equations, checked* shows these functions, so their lines are short. ``classifier`` computes in double
precision, so that difference quotients are sharp; ``review`` is a batch of one document.
"""

from functools import partial

import torch

from lib.agreement import pearson
from lib.attribution import explain
from lib.faithfulness import aopc

from .checks import REVIEW, same


def slope(function, point, index, step=1e-6):
    """Central difference quotient at one entry of a tensor."""
    move = torch.zeros_like(point)
    move[index] = step
    return (function(point + move) - function(point - move)) / (2 * step)


def loss_of(classifier, review):
    """The loss of the review as a function of its word vectors, [1, m, D]."""
    def loss(vectors):
        log_p = classifier.logits(vectors, review.mask).log_softmax(1)
        return -log_p[0, review.labels[0]]

    return loss


def with_gradient(classifier, review):
    """Word vectors of the review, and the gradient of its loss, both [1, m, D]."""
    e = classifier.embed(review).detach().requires_grad_(True)
    g, = torch.autograd.grad(loss_of(classifier, review)(e), e)
    return e.detach(), g


def of_pictures():
    """Equation 1: the derivative by one colour of one pixel."""
    generator = torch.Generator().manual_seed(0)
    image, lens = torch.rand(2, 4, 4, 3, dtype=torch.double,
                             generator=generator)          # [4, 4, 3] each

    def bright(pixels):
        """A toy loss of a picture."""
        return (lens * pixels).sum().tanh()

    pixels = image.clone().requires_grad_(True)
    by_colour, = torch.autograd.grad(bright(pixels), pixels)
    return {
        "eq. 1: autograd is the difference quotient, in three colours":
            all(same(by_colour[1, 2, c], slope(bright, image, (1, 2, c)))
                for c in range(3))}


def of_sensitivity(classifier, review, word):
    """Equations 2 and 3: the derivative by a word vector, and its norms."""
    e, g = with_gradient(classifier, review)
    loss = loss_of(classifier, review)
    scores = partial(explain, classifier, review)
    norms = (("sa_l1", 1), ("sa_l2", 2), ("sa_linf", torch.inf))
    return {
        "eq. 2: autograd is the difference quotient, in each dimension":
            all(same(g[0, word, d], slope(loss, e, (0, word, d)), atol=1e-7)
                for d in range(e.shape[2])),
        "eq. 3: the norms are the library's SA L1, L2 and Linf":
            all(same(g.norm(q, dim=2), scores(key)) for key, q in norms),
        "eq. 3: SA raw is never negative, as its bars say":
            bool((scores("sa_raw") >= 0).all())}


def of_one_hot(classifier, review):
    """Equations 4 and 5: from the one-hot vector to the word vector, and back."""
    E = classifier.embedding.weight.detach()               # [V, D]
    one_hot = torch.nn.functional.one_hot(review.ids[0], len(E)).double()

    one_word = classifier.encode(["great"], [1])
    switch = torch.nn.functional.one_hot(one_word.ids[0], len(E)).double()
    switch.requires_grad_(True)                            # [1, V]
    loss = loss_of(classifier, one_word)((switch @ E)[None])
    by_switch, = torch.autograd.grad(loss, switch)         # [1, V]
    gi = explain(classifier, one_word, "gi")
    present = int(one_word.ids[0, 0])
    absent = torch.arange(len(E)) != present
    return {
        "eq. 4: the product is the look-up":
            same(one_hot @ E, classifier.embed(review)[0].detach()),
        "eq. 5: the entry of the present word is g . e":
            same(by_switch[0, present], gi[0, 0]),
        "eq. 5: the result has n entries, one a dimension":
            by_switch.shape == (1, E.shape[1]),
        "eq. 5: the entries of absent words are zero":
            bool((by_switch[0, absent] == 0).all())}


def fade(classifier, review, word):
    """The loss as a function of t, [1], by which one word is faded out."""
    e, loss = classifier.embed(review).detach(), loss_of(classifier, review)

    def faded(t):
        vectors = e.clone()
        vectors[0, word] *= 1 - t[0]
        return loss(vectors)

    return faded


def of_signed_gi(classifier, review):
    """Equation 6: minus gradient times input, a slope."""
    e, g = with_gradient(classifier, review)
    signed_gi = -(g * e).sum(2)                            # [1, m]
    start = torch.zeros(1, dtype=torch.double)
    slopes = [slope(fade(classifier, review, i), start, 0)
              for i in range(e.shape[1])]
    return {
        "eq. 6: minus g . e is the library's SignedGI":
            same(signed_gi, explain(classifier, review, "signed_gi")),
        "eq. 6: it is the slope of the loss as the word fades":
            same(signed_gi[0], torch.stack(slopes), atol=1e-7)}


def of_leave_one_out(classifier, review, word):
    """Equation 7, as it is printed."""
    e, _ = with_gradient(classifier, review)
    gone = torch.ones(1, dtype=torch.double)
    without = torch.stack([fade(classifier, review, i)(gone)
                           for i in range(e.shape[1])])
    as_printed = (loss_of(classifier, review)(e) - without)[None]
    loo = explain(classifier, review, "loo")
    return {
        "eq. 7: its size is the change of the loss":
            same(as_printed.abs(), loo.abs()),
        "eq. 7: as printed, 'great' is positive":
            bool(as_printed[0, word] > 0)}


def of_measures(classifier, review):
    """Equations 8 and 9: a curve and a correlation."""
    e, loss = classifier.embed(review).detach(), loss_of(classifier, review)
    signed_gi, loo = (explain(classifier, review, key)
                      for key in ("signed_gi", "loo"))
    order = signed_gi[0].argsort(descending=True)

    def p_without(k):
        vectors = e.clone()
        vectors[0, order[:k]] = 0
        return (-loss(vectors)).exp()

    drops = [p_without(0) - p_without(k) for k in range(1, 11)]
    area = sum(drops) / 11                                 # over k = 0 to 10
    a, b = loo[0] - loo[0].mean(), signed_gi[0] - signed_gi[0].mean()
    angle = (a @ b) / (a.norm() * b.norm())
    return {
        "eq. 8: by hand it is the library's":
            same(area, aopc(classifier, review, signed_gi, K=10)[0, -1]),
        "eq. 9: by hand it is the library's":
            same(angle, pearson(loo, signed_gi, review.mask)[0][0]),
        "for the same correlation, p falls with the number of words":
            p_falls()}


def p_falls(words=40):
    """The same words twice: the same correlation, and a smaller p."""
    generator = torch.Generator().manual_seed(0)
    once = torch.randn(2, 1, words, generator=generator)
    twice = torch.cat([once, once], dim=2)
    (rho_1, p_1), (rho_2, p_2) = (
        pearson(*pair, torch.ones_like(pair[0], dtype=torch.bool))
        for pair in (once, twice))
    return same(rho_1, rho_2, atol=1e-6) and bool(p_2 < p_1)


def of_equations(classifier, gold: int = 1) -> dict[str, bool]:
    """All of the above, on the review of the paper's figure 3."""
    review = classifier.encode([REVIEW], [gold])
    great = [word.lower() for word in review.words[0]].index("great")
    return (of_pictures() | of_sensitivity(classifier, review, great) | of_one_hot(classifier, review)
            | of_signed_gi(classifier, review) | of_leave_one_out(classifier, review, great)
            | of_measures(classifier, review))
