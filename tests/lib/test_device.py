"""Tensors are made where the batch is: nothing in the library leaves the device to chance."""

import copy

import pytest
import torch
from oracles import ALONE, LABELS, NETWORKS, TEXTS, network
from pieces import Pieces
from torch.overrides import TorchFunctionMode

from lib.agreement import pearson
from lib.attribution import explain, explain_all, variant
from lib.attribution.baselines import completeness_gap
from lib.attribution.neighbours import pool_of
from lib.classifiers.turned import Turned, rotation
from lib.diagnostics import greedy, largest_share, norms_by_position
from lib.faithfulness import aopc
from lib.masking import OPERATORS

FACTORIES = {getattr(torch, name) for name in (
    "arange", "as_tensor", "asarray", "empty", "eye", "from_numpy", "full", "linspace", "logspace", "normal", "ones",
    "rand",
    "randint", "randn", "randperm", "range", "tensor", "zeros")}
WHERE = [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]


class NamedDevice(TorchFunctionMode):
    """Refuses every tensor factory that is called without ``device=``."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in FACTORIES and "device" not in kwargs:
            raise AssertionError(f"torch.{function.__name__} was called without device=")
        return function(*args, **kwargs)


def everything(classifier, texts, labels, device):
    """Every number the library computes for a few documents."""
    batch = classifier.encode(texts, labels).to(device)
    keys = [*ALONE, variant("ig", rule="gauss-legendre", baseline="mask", points=3)]
    found = explain_all(classifier, batch, keys)
    general = explain_all(classifier, batch, ["loo"], target="predicted", shortcut=False, words_per_pass=7)
    found["predicted"] = general["loo"]
    found["fixed"] = explain_all(classifier, batch, ["gi"], target=1, by_type=True)["gi"]
    for operator in OPERATORS:
        found[f"aopc {operator}"] = aopc(classifier, batch, found["loo"], operator=operator, words_per_pass=11)
    found["rho"], found["p"] = pearson(found["loo"], found["gi"], batch.word_mask)
    found["greedy"] = greedy(classifier, batch, 2)
    found["lafa"] = explain(classifier, batch, "lafa", pool=pool_of(classifier, batch.take([1, 0])), kernel="rbf")
    found["gap"] = completeness_gap(classifier, batch, found["ig"])
    gradient = classifier.embed(batch)
    found["share"] = largest_share(gradient, batch.mask)
    found["norms"] = norms_by_position(gradient, batch.mask, bins=2)
    taken = batch.take([1, 0])
    found["taken"] = taken.by_word(classifier.embed(taken))
    return found


@pytest.mark.parametrize("device", WHERE, ids=str)
@pytest.mark.parametrize("name", [*NETWORKS, "turned", "pieces"])
def test_every_tensor_is_made_on_a_named_device(name, device):
    if name == "pieces":
        classifier, texts = Pieces(), ["good film ~ a", "bad bad film", ""]
    else:
        classifier, texts = copy.deepcopy(network("textcnn" if name == "turned" else name)), TEXTS[:3]
    if name == "turned":
        classifier = Turned(classifier, rotation(classifier.embedding.embedding_dim, 30)).eval()
    expected = everything(classifier, texts, LABELS[:3], "cpu")
    classifier = classifier.to(device)
    with NamedDevice():
        found = everything(classifier, texts, LABELS[:3], device)
    for key, values in found.items():
        assert values.device.type == device.type, key
        torch.testing.assert_close(values.cpu(), expected[key], equal_nan=True,
                                   **({} if device.type == "cuda" else {"atol": 0, "rtol": 0}))


def test_a_factory_without_a_device_is_seen():
    for call in (lambda: torch.zeros(2), lambda: torch.as_tensor([1]), lambda: torch.arange(3)):
        with NamedDevice(), pytest.raises(AssertionError, match="without device="):
            call()


def test_a_batch_on_another_device_is_refused():
    classifier = network("textcnn")
    with pytest.raises(ValueError, match="The batch is on meta, the classifier on cpu: move one of them"):
        classifier.embed(classifier.encode(TEXTS).to("meta"))
