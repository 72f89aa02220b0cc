"""Explorers: small pages of pictures that a reader leafs through, every one of them computed beforehand.

The controls are linked to the pictures inside the browser. So an explorer works on a page without a kernel; in a
notebook it works the same way, and its functions take the reader's own documents.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial

import torch
from ipywidgets import HTML, Box, Dropdown, Layout, SelectionSlider, Stack, VBox, jslink

from ..attribution import METHODS, explain_all
from ..classifiers import TextClassifier
from ..classifiers.turned import Turned, rotation
from ..faithfulness import deletion_curve, ranks
from ..text import Batch
from .charts import agreement_scatter, word_bars
from .highlights import Highlight, Masked
from .maps import score_map


class Explorer(VBox):
    """A heading, the controls, and the pictures they choose; ``controls`` are the ipywidgets themselves."""

    def __init__(self, title: str, controls: Sequence, *views):
        self.title, self.controls = title, tuple(controls)
        side_by_side = Layout(display="flex", flex_flow="row wrap", overflow="visible")
        for view in views:
            view.layout = Layout(flex="1 1 18em", min_width="0", overflow="visible")
        children = [_html(f"<strong>{title}</strong>"), Box(self.controls, layout=side_by_side), Box(views, layout=side_by_side)]
        super().__init__(children, layout=Layout(overflow="visible"), _dom_classes=("explorer",))

    def __repr__(self):  # the widget's own would print every picture
        return f"{self.title} (choose: {', '.join(control.description.rstrip(':') for control in self.controls)})"


def picker(label: str, options: dict) -> Dropdown:
    """A list to choose from: name -> what :func:`views` hands to the function that draws."""
    return Dropdown(options=list(options.items()), index=0, **_labelled(label))


def slider(label: str, options: dict, start: int = 0) -> SelectionSlider:
    """A slider over named positions: name -> what :func:`views` hands to the function that draws."""
    return SelectionSlider(options=list(options.items()), index=start, **_labelled(label, flex="1 1 18em"))


def views(draw: Callable, *controls) -> Stack | HTML:
    """The picture for every combination of the controls' options, of which the browser shows the chosen one.

    ``draw`` takes one value for each control and returns anything that has an HTML form. The pictures lie in a stack
    for the first control, whose layers are stacks for the second, and so on; each stack follows its control.
    """
    if not controls:
        return _html(draw()._repr_html_())
    first, *others = controls
    stack = Stack([views(partial(draw, value), *others) for _, value in first.options], selected_index=first.index, layout=_wide())
    jslink((first, "index"), (stack, "selected_index"))
    return stack


def masking(classifier: TextClassifier, batch: Batch, methods: Sequence[str]) -> Explorer:
    """Mask the K highest-scored words of the batch's only document: two methods side by side.

    Raises ``ValueError`` unless the batch holds one document with words. Taught in: *AOPC*.
    """
    words = _only(batch)
    scores = explain_all(classifier, batch, list(methods))
    curves = {key: deletion_curve(classifier, batch, values)[0].tolist() for key, values in scores.items()}
    order = {key: ranks(batch, values)[0].tolist() for key, values in scores.items()}
    target = classifier.classes[batch.labels[0]]

    def draw(key, k):
        return Masked(words, [rank < k for rank in order[key]], curves[key][k], curves[key][0], target, METHODS[key].label)

    names = {METHODS[key].label: key for key in methods}
    left, right = picker("Method on the left", names), picker("Method on the right", names)
    right.index = min(1, len(names) - 1)
    K = slider("Words masked, K", {str(k): k for k in range(len(words) + 1)})
    return Explorer("Mask the K words with the highest scores", [K, left, right], views(draw, left, K), views(draw, right, K))


def heat_maps(classifiers: Sequence[TextClassifier], documents: dict[str, tuple[str, int]], methods: Sequence[str]) -> Explorer:
    """The words of a document coloured by a method: name -> (text, label), for several classifiers and methods.

    Taught in: *Looking at explanations*.
    """
    @cache
    def explained(classifier, document):
        batch = classifier.encode([document[0]], [document[1]])
        return batch.words[0], explain_all(classifier, batch, list(methods))

    def draw(document, classifier, key):
        words, scores = explained(classifier, document)
        title = f"{METHODS[key].label}, {classifier.label}, class {classifier.classes[document[1]]}"
        return Highlight(words, scores[key][0, : len(words)], title, METHODS[key].signed)

    controls = [picker("Document", documents), picker("Classifier", {model.label: model for model in classifiers}),
                picker("Method", {METHODS[key].label: key for key in methods})]
    return Explorer("Choose a document, a classifier and a method", controls, views(draw, *controls))


def turning(classifier: TextClassifier, batch: Batch, methods: Sequence[str], angles: Sequence[int] = range(0, 91, 10)) -> Explorer:
    """Word scores of the batch's only document while the embedding space is turned and the classifier with it.

    Taught in: *Sensitivity analysis*.
    """
    words = _only(batch)
    dimensions = classifier.embedding.embedding_dim

    def draw(angle):
        turned = Turned(classifier, rotation(dimensions, angle))
        scores = explain_all(turned, batch, list(methods))
        return score_map(words, {key: values[0] for key, values in scores.items()}, f"Embedding space turned by {angle}°")

    angle = slider("Turned by", {f"{angle}°": angle for angle in angles})
    return Explorer("Turn the embedding space", [angle], views(draw, angle))


def counting(classifier: TextClassifier, text: str, label: int, choices: Sequence[str], most: int = 8) -> Explorer:
    """The score of every word type of a text while one word is written more often: SA L2 and SignedGI.

    A type's gradient is the sum over the positions where the word stands. Taught in: *The FastText counterexample*.
    """
    def draw(word, more):
        batch = classifier.encode([" ".join([text] + [word] * more)], [label])
        scores = explain_all(classifier, batch, ["sa_l2", "signed_gi"])
        types = {key: _by_type(batch.words[0], values[0]) for key, values in scores.items()}
        count = [other.lower() for other in batch.words[0]].count(word.lower())
        return word_bars(types, f"“{word}”: {count} of {len(batch.words[0])} words")

    word, more = picker("Word", {word: word for word in choices}), slider("Times added", {str(n): n for n in range(most + 1)})
    return Explorer("Write one word more often", [word, more], views(draw, word, more))


def agreement(classifiers: Sequence[TextClassifier], documents: dict[str, tuple[str, int]], methods: Sequence[str]) -> Explorer:
    """Score against LOO, a point for each word: document by document, for several classifiers and methods.

    Taught in: *Agreement with LOO*.
    """
    def draw(classifier, document):
        batch = classifier.encode([document[0]], [document[1]])
        scores = explain_all(classifier, batch, ["loo", *methods])
        return agreement_scatter(batch.words[0], {key: values[0] for key, values in scores.items()})

    controls = [picker("Classifier", {model.label: model for model in classifiers}), slider("Document", documents)]
    return Explorer("Each word once: its score against LOO", controls, views(draw, *controls))


def _only(batch: Batch) -> list[str]:
    if len(batch) != 1 or not batch.words[0]:
        raise ValueError(f"The batch has {len(batch)} documents: an explorer shows one, and it must have words.")
    return batch.words[0]


def _by_type(words: list[str], scores: torch.Tensor) -> dict[str, float]:
    """Word type, whatever its case -> sum of the scores of its occurrences."""
    found = dict.fromkeys((word.lower() for word in words), 0.0)
    for word, score in zip(words, scores.tolist()):
        found[word.lower()] += score
    return found


@cache
def _wide() -> Layout:
    """One layout for all pictures: a copy for each would be most of what a page weighs."""
    return Layout(width="auto", min_width="0", overflow="visible")


@cache
def _plain():
    return HTML().style


def _html(value: str) -> HTML:
    return HTML(value, layout=_wide(), style=_plain())


def _labelled(label: str, **layout) -> dict:
    return {"description": f"{label}:", "style": {"description_width": "initial"}, "layout": Layout(width="auto", max_width="100%", **layout)}
