"""The front door: from a sentence to its words and their scores in one call."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from . import data, training
from .attribution import explain, lookup, options_of
from .classifiers.base import TextClassifier, label_of
from .show.highlights import Highlight
from .targets import class_logits, target_classes


@dataclass(frozen=True)
class Explanation:
    """The words of one text with their scores; a list of ``(word, score)`` pairs that a notebook shows in colour.

    ``label`` is the class explained, ``probability`` what the classifier gives it, ``method`` the method's key, ``of``
    the quantity explained, if it is not the method's own. ``scored`` says which words the classifier read, ``unknown``
    which of them it does not know, ``cut`` counts those that were cut off at the end.
    """

    words: list[str]
    scores: list[float]
    method: str
    label: str
    probability: float
    classifier: str
    of: str | None = None
    scored: list[bool] | None = None
    unknown: list[bool] | None = None
    cut: int = 0

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return iter(zip(self.words, self.scores, strict=True))

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return repr([(word, round(score, 4)) for word, score in self])

    def picture(self) -> Highlight:
        """The text with its words coloured by their scores."""
        title = f"{self.classifier}, {self.label} with probability {self.probability:.3f}: {lookup(self.method).label}"
        return Highlight(self.words, self.scores, title, self.method, self.of, scored=self.scored, unknown=self.unknown,
                         cut=self.cut)

    def _repr_html_(self) -> str:
        return self.picture()._repr_html_()


def explain_text(text: str, classifier: TextClassifier | str = "textcnn", corpus: str = "imdb",
                 method: str = "signed_gi", target: str | int = "predicted", **options) -> Explanation:
    """Explain one text: ``explain_text("A fine film.")`` is a list of ``(word, score)`` and a picture of it.

    ``classifier`` is a trained classifier, or the key of one that is then trained on ``corpus`` or loaded from the
    cache. ``target`` is the class explained: ``"predicted"``, an index, or the name of a class.

    Raises ``ValueError`` for an unknown key, class or method and ``TypeError`` if the text is no string.
    Taught in: the introduction.
    """
    if isinstance(classifier, str):
        classifier = training.fit(classifier, data.load(corpus))
    if isinstance(target, str) and target != "predicted":
        if target not in classifier.classes:
            raise ValueError(f"Unknown class {target!r}: choose one of {', '.join(map(str, classifier.classes))}, "
                             "its index, or 'predicted'.")
        target = classifier.classes.index(target)
    batch = classifier.encode([text])
    with torch.no_grad():
        probabilities = class_logits(classifier, classifier.embed(batch), batch.mask).softmax(dim=1)[0]
    index = int(target_classes(classifier, batch, int(probabilities.argmax()) if target == "predicted" else target))
    options |= {"target": index} if "target" in options_of(lookup(method)) else {}
    scores = explain(classifier, batch, method, **options)
    shown = Highlight.of_batch(batch, scores)
    return Explanation(batch.words[0], shown.scores.tolist(), method, classifier.classes[index],
                       float(probabilities[index]), label_of(classifier), options.get("of"),
                       shown.scored, shown.unknown, shown.cut)
