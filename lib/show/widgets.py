"""Explorers: small pages of pictures that a reader leafs through, every one of them computed beforehand.

The controls are linked to the pictures inside the browser. So an explorer works on a page without a kernel; in a
notebook it works the same way, and its functions take the reader's own documents.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from html import escape

import torch
from ipywidgets import HTML, Box, Dropdown, Layout, SelectionSlider, Stack, VBox, jslink

from ..attribution import explain, explain_all
from ..checks import as_keys
from ..classifiers import TextClassifier
from ..classifiers.base import label_of as classifier_label
from ..classifiers.turned import Turned, rotation
from ..faithfulness import deletion_curve, ranks
from ..text import Batch
from .charts import agreement_scatter, word_bars
from .highlights import Highlight, Masked
from .looks import label_of
from .maps import score_map
from .picture import writable


class Explorer(VBox):
    """A heading, the controls, and the pictures they choose; ``controls`` are the ipywidgets themselves."""

    def __init__(self, title: str, controls: Sequence, *views):
        self.title, self.controls = title, tuple(controls)
        side_by_side = Layout(display="flex", flex_flow="row wrap", overflow="visible")
        for view in views:
            view.layout = Layout(flex="1 1 18em", min_width="0", overflow="visible")
        heading = _html(f"<strong>{escape(writable(title))}</strong>")
        children = [heading, Box(self.controls, layout=side_by_side), Box(views, layout=side_by_side)]
        super().__init__(children, layout=Layout(overflow="visible"), _dom_classes=("explorer",))

    def __repr__(self):  # the widget's own would print every picture
        return f"{self.title} (choose: {', '.join(control.description.rstrip(':') for control in self.controls)})"


def picker(label: str, options: dict | list[tuple]) -> Dropdown:
    """A list to choose from: name -> what :func:`views` hands to the function that draws."""
    return Dropdown(options=_written(options), index=0, **_labelled(label))


def slider(label: str, options: dict, start: int = 0) -> SelectionSlider:
    """A slider over named positions: name -> what :func:`views` hands to the function that draws."""
    return SelectionSlider(options=_written(options), index=start, **_labelled(label, flex="1 1 18em"))


def method_picker(methods: str | Iterable[str], label: str = "Method") -> Dropdown:
    """A list of methods: one key or several. Raises ``ValueError`` for an unknown one."""
    methods = as_keys(methods)
    return picker(label, told_apart([label_of(key) for key in methods], methods))


def classifier_picker(classifiers) -> Dropdown:
    """A list of classifiers, one or several; those with the same label are numbered."""
    models = [classifiers] if hasattr(classifiers, "encode") else list(classifiers)
    return picker("Classifier", told_apart([classifier_label(model) for model in models], models))


def told_apart(names: Sequence[str], values: Sequence) -> list[tuple]:
    """Pairs (name, value), where names that come more than once get a number: "TextCNN 1", "TextCNN 2"."""
    times, seen = Counter(names), Counter()
    found = []
    for name, value in zip(names, values, strict=True):
        seen[name] += 1
        found.append((f"{name} {seen[name]}" if times[name] > 1 else name, value))
    return found


def views(draw: Callable, *controls) -> Stack | HTML:
    """The picture for every combination of the controls' options, of which the browser shows the chosen one.

    ``draw`` takes one value for each control and returns anything that has an HTML form. The pictures lie in a stack
    for the first control, whose layers are stacks for the second, and so on; each stack follows its control.
    """
    if not controls:
        return _html(draw()._repr_html_())
    first, *others = controls
    layers = [views(partial(draw, value), *others) for _, value in first.options]
    stack = Stack(layers, selected_index=first.index, layout=_wide())
    jslink((first, "index"), (stack, "selected_index"))
    return stack


def masking(classifier: TextClassifier, batch: Batch, methods: Sequence[str]) -> Explorer:
    """Mask the K highest-scored words of the batch's only document: two methods side by side.

    Raises ``ValueError`` unless the batch holds one document with words. Taught in: *Baselines*.
    """
    words = _only(batch)
    scores = explain_all(classifier, batch, as_keys(methods))
    curves = {key: deletion_curve(classifier, batch, values)[0].tolist() for key, values in scores.items()}
    order = {key: ranks(batch, values)[0].tolist() for key, values in scores.items()}
    target = classifier.classes[batch.labels[0]]

    def draw(key, k):
        masked = [rank < k for rank in order[key][: len(words)]]
        return Masked(words, masked, curves[key][k], curves[key][0], target, label_of(key))

    left, right = method_picker(scores, "Method on the left"), method_picker(scores, "Method on the right")
    right.index = min(1, len(scores) - 1)
    K = slider("Words masked, K", {str(k): k for k in range(int(batch.lengths[0]) + 1)})
    pictures = views(draw, left, K), views(draw, right, K)
    return Explorer("Mask the K words with the highest scores", [K, left, right], *pictures)


def heat_maps(classifiers, documents: dict[str, tuple[str, int]], methods: Sequence[str]) -> Explorer:
    """The words of a document coloured by a method: name -> (text, label), for several classifiers and methods.

    Taught in: *Data and classifiers*, *Looking at explanations*.
    """
    methods = as_keys(methods)
    which, reader, how = picker("Document", documents), classifier_picker(classifiers), method_picker(methods)
    names = {model: name for name, model in reader.options}

    @cache
    def explained(classifier, document):
        batch = classifier.encode([document[0]], [document[1]])
        with torch.no_grad():
            p = float(classifier(batch).softmax(1)[0, document[1]])
        return batch, explain_all(classifier, batch, methods), p

    def draw(document, classifier, key):
        batch, scores, p = explained(classifier, document)
        title = f"{label_of(key)}, {names[classifier]}, p({classifier.classes[document[1]]}) = {p:.2f}"
        return Highlight.of_batch(batch, scores[key], title, key)

    controls = [which, reader, how]
    return Explorer("Choose a document, a classifier and a method", controls, views(draw, *controls))


def turning(classifier: TextClassifier, batch: Batch, methods: Sequence[str],
            angles: Sequence[int] = range(0, 91, 10)) -> Explorer:
    """Word scores of the batch's only document while the embedding space is turned and the classifier with it.

    Taught in: *Sensitivity analysis*.
    """
    words, methods = _only(batch), as_keys(methods)
    dimensions = classifier.embed(batch).shape[-1]

    def draw(angle):
        turned = Turned(classifier, rotation(dimensions, angle))
        scores = explain_all(turned, batch, methods)
        shown = {key: values[0, : len(words)] for key, values in scores.items()}
        return score_map(words, shown, f"Embedding space turned by {angle}°")

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

    word = picker("Word", {word: word for word in as_keys(choices)})
    more = slider("Times added", {str(n): n for n in range(most + 1)})
    return Explorer("Write one word more often", [word, more], views(draw, word, more))


def agreement(classifiers, documents: dict[str, tuple[str, int]], methods: Sequence[str]) -> Explorer:
    """Score against LOO, a point for each word: document by document, for several classifiers and methods.

    Taught in: *Agreement with LOO*.
    """
    methods = as_keys(methods)

    def draw(classifier, document):
        batch = classifier.encode([document[0]], [document[1]])
        scores, scored = explain_all(classifier, batch, ["loo", *methods]), batch.word_mask[0]
        words = [batch.words[0][place] for place in scored.nonzero().flatten().tolist()]
        return agreement_scatter(words, {key: values[0, scored] for key, values in scores.items()})

    controls = [classifier_picker(classifiers), slider("Document", documents)]
    return Explorer("Each word once: its score against LOO", controls, views(draw, *controls))


def dial(classifier: TextClassifier, batch: Batch, points: Sequence[int] = (1, 2, 3, 5, 10, 30, 100)) -> Explorer:
    """From SignedGI to LOO: Sequential IG of the batch's only document with more and more points at the right end.

    Its scores of the loss are turned round, so that positive supports the class. Taught in: *One word at a time*.
    """
    words = _only(batch)
    loo = explain(classifier, batch, "loo")

    @cache
    def turned(n):
        return -explain(classifier, batch, "sig", of="loss", rule="right", points=n)

    def painted(n):
        gradients = 1 + len(words) * (n - 1)
        title = f"Sequential IG, {n} point{'s' * (n > 1)} a word, {gradients:,} gradient{'s' * (gradients > 1)}"
        return Highlight.of_batch(batch, turned(n), title, "loo", limit=float(loo.abs().max()))

    def against_loo(n):
        return agreement_scatter(words, {"sig": turned(n)[0], "loo": loo[0]})

    how_many = slider("Points a word", {str(n): n for n in points})
    pictures = views(painted, how_many), views(against_loo, how_many)
    return Explorer("From SignedGI (1 point) to LOO", [how_many], *pictures)


def _only(batch: Batch) -> list[str]:
    if len(batch) != 1 or not batch.words[0]:
        raise ValueError(f"The batch has {len(batch)} documents: an explorer shows one, and it must have words.")
    return batch.words[0]


def _by_type(words: list[str], scores: torch.Tensor) -> dict[str, float]:
    """Word type, whatever its case -> sum of the scores of its occurrences."""
    found = dict.fromkeys((word.lower() for word in words), 0.0)
    for word, score in zip(words, scores.tolist(), strict=False):  # scores of padding may follow
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


def _written(options: dict | list[tuple]) -> list[tuple]:
    return [(writable(name), value) for name, value in (options.items() if isinstance(options, dict) else options)]


def _labelled(label: str, **layout) -> dict:
    return {"description": f"{label}:", "style": {"description_width": "initial"},
            "layout": Layout(width="auto", max_width="100%", **layout)}
