"""The same classifier in other coordinates: what stays and what changes."""

import pytest
import torch
from small import KIND_NAMES, KINDS, untrained

from lib.attribution import explain
from lib.classifiers.turned import Turned, rotation

TEXT = "the film was warm and dull , not stupid !"
check = torch.testing.assert_close



@pytest.mark.parametrize("kind", KINDS, ids=KIND_NAMES)
def test_turning_changes_neither_the_function_nor_signed_gi(kind):
    classifier = untrained(kind[0], **kind[1])
    batch = classifier.encode([TEXT, "a plot"], [1, 2])
    stretch = torch.diag(torch.tensor([2.0, -0.5, 3.0, 1.0]))
    rotated, stretched = (Turned(classifier, A) for A in (rotation(4, 40), stretch))
    for turned in (rotated, stretched):
        check(turned(batch), classifier(batch))
        for key in ("signed_gi", "loo"):
            check(explain(turned, batch, key), explain(classifier, batch, key))
    check(explain(rotated, batch, "sa_l2"), explain(classifier, batch, "sa_l2"))
    for turned, key in ((rotated, "sa_l1"), (rotated, "sa_linf"), (rotated, "sa_raw"), (stretched, "sa_l2")):
        assert not torch.allclose(explain(turned, batch, key), explain(classifier, batch, key), rtol=1e-3)


def test_a_rotation_keeps_lengths_and_turns_by_the_angle():
    A = rotation(6, 60)
    check(A @ A.T, torch.eye(6, dtype=torch.float64))
    vectors = torch.randn(5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosines = torch.nn.functional.cosine_similarity(vectors, vectors @ A)
    check(cosines, torch.full((5,), 0.5, dtype=torch.float64))


def test_a_matrix_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="must be \\[4, 4\\]"):
        Turned(untrained("fasttext"), torch.eye(3))
