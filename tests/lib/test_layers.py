"""CA-LIG style: its parts against Captum and autograd, the whole against a loop."""

import pytest
import torch
from captum.attr import LayerIntegratedGradients
from folders import saved
from oracles import LABELS, TEXTS, close, is_one_sentence, network

from lib.attribution import explain
from lib.attribution.layers import FromBlock, attention_weights
from lib.attribution.paths.integrated import mean_gradient
from lib.classifiers import pretrained

DOCUMENTS = ["The plot is wonderful, but thin!", "films", "", "a film but a film"]
GOLD = [1, 0, 2, 1]
KINDS = ["bert", "roberta", "distilbert"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {kind: pretrained(saved(folder / kind, kind)).double() for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_of_a_model_goes_on_from_any_block(kind, models):
    model = models[kind]
    batch = model.encode(DOCUMENTS, GOLD)
    whole = model.logits(model.embed(batch), batch.mask)
    layers = model.hidden(model.embed(batch), batch.mask)
    assert len(model.blocks) == 2 and len(layers) == 3
    for number in range(2):
        close(model.from_block(number, layers[number], batch.mask), whole)
        assert not model.blocks[number]._forward_pre_hooks, "the hook is gone"
    logits, states, attentions = model.inside(model.embed(batch), batch.mask)
    close(logits, whole)
    for state, layer in zip(states, layers, strict=False):
        close(state, layer)
    for attention in attentions:
        close((attention * batch.mask[:, None, None]).sum(3), torch.ones_like(attention[..., 0]))


def test_the_gradients_of_a_block_are_captums(models):
    """Captum's layers start where another document leads: so do ours, for once, not from zero."""
    model = models["bert"]
    batch = model.encode(DOCUMENTS[:1], GOLD[:1])
    end = model.embed(batch).detach()
    start = torch.zeros_like(end)
    for number, before in enumerate([model.model.bert.embeddings, model.blocks[0]]):  # whose output the block is given
        layer = LayerIntegratedGradients(lambda e: model.logits(e, batch.mask.expand(len(e), -1)), before)
        theirs = layer.attribute(end, start, target=GOLD[0], n_steps=7, method="riemann_middle")
        first, last = (model.hidden(each, batch.mask)[number].detach() for each in (start, end))
        ours = (last - first) * mean_gradient(FromBlock(model, number), first, last, batch.mask, batch.labels, "logit",
                                              7, "midpoint")
        torch.testing.assert_close(ours, theirs.detach(), atol=1e-6, rtol=1e-5)


def captured(model, batch, label):
    """Attention of each block and its gradient, [heads, T, T], by hooks and torch's own backward pass."""
    kept, hooks = [], []
    for block in model.blocks:
        def keep(module, given, found):
            found[1].retain_grad()
            kept.append(found[1])
        hooks.append(block.attention.self.register_forward_hook(keep))
    logits = model.logits(model.embed(batch).detach().requires_grad_(True), batch.mask)
    logits[0, label].backward()
    for hook in hooks:
        hook.remove()
    return [(attention.detach()[0], attention.grad[0]) for attention in kept]


def test_weights_are_column_sums_of_relevant_attention(models):
    model = models["bert"]
    for text, label in zip(DOCUMENTS, GOLD, strict=True):
        batch = model.encode([text], [label])
        states, weights = attention_weights(model, model.embed(batch), batch.mask, batch.labels)
        for (attention, gradient), weight in zip(captured(model, batch, label), weights, strict=True):
            tokens, column = attention.shape[1], []
            for key in range(tokens):
                column.append(sum(float(attention[h, query, key]) * max(0.0, float(gradient[h, query, key])) / 2
                                  for h in range(2) for query in range(tokens)))
            mean = sum(column) / tokens
            close(weight[0], [value / mean for value in column] if mean else [1.0] * tokens, 1e-8)


def test_the_score_is_the_mean_over_blocks_by_a_loop(models):
    model = models["bert"]
    batch = model.encode(DOCUMENTS[:1], GOLD[:1])
    states, weights = attention_weights(model, model.embed(batch), batch.mask, batch.labels)
    tokens = torch.zeros(batch.mask.shape[1], dtype=torch.float64)
    for number, (state, weight) in enumerate(zip(states, weights, strict=True)):
        for n in range(6):
            point = ((n + 0.5) / 6 * state).requires_grad_(True)
            logit = model.from_block(number, point, batch.mask)[0, GOLD[0]]
            gradient, = torch.autograd.grad(logit, point)
            tokens += (state * gradient).sum(2)[0] * weight[0] / 6 / 2
    expected = [sum(float(value) for value, word in zip(tokens, batch.word_of[0].tolist(), strict=True) if word == i)
                for i in range(len(batch.words[0]))]
    close(explain(model, batch, "ca_lig", points=6)[0], expected, 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_documents_do_not_depend_on_each_other(kind, models):
    model = models[kind]
    batch = model.encode(DOCUMENTS, GOLD)
    scores = explain(model, batch, "ca_lig", points=3)
    assert not scores[~batch.word_mask].any() and (scores[batch.word_mask].abs() > 1e-9).all()
    close(explain(model, batch, "ca_lig", points=3, words_per_pass=1), scores, 1e-8)
    for row in range(len(DOCUMENTS)):
        alone = explain(model, batch.take([row]), "ca_lig", points=3)[0]
        close(alone, scores[row, :len(alone)], 1e-8)


def test_where_no_attention_helps_every_token_counts_alike(models):
    model = models["bert"]
    batch = model.encode(DOCUMENTS[:1], GOLD[:1])

    class Deaf:
        def inside(self, embeddings, mask):
            logits, states, attentions = model.inside(embeddings, mask)
            return -sum(attention.sum() for attention in attentions) + 0 * logits, states, attentions

    weights = attention_weights(Deaf(), model.embed(batch), batch.mask, batch.labels)[1]
    assert all((weight == 1).all() for weight in weights)


def test_the_class_is_explained_by_its_logit_whatever_else_is(models):
    model = models["bert"]
    batch = model.encode(DOCUMENTS, GOLD)
    other = explain(model, batch, "ca_lig", points=3, target=2)
    assert not torch.allclose(other, explain(model, batch, "ca_lig", points=3))
    with torch.inference_mode():
        close(explain(model, batch, "ca_lig", points=3, target=2), other)


def test_a_classifier_without_blocks_is_refused():
    classifier = network("textcnn")
    with pytest.raises(ValueError, match="blocks of a transformer") as caught:
        explain(classifier, classifier.encode(TEXTS, LABELS), "ca_lig")
    assert is_one_sentence(caught.value)
