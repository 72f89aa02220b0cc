"""Claims about what a method *is*, and about one review: no number is averaged, code answers yes or no.

Each function gives name of the check -> answer, the names that :mod:`book.paper.claims` asks for. The equations have a
module of their own, :mod:`book.paper.equations`.
"""

import torch
from torch import Tensor

from lib.agreement import pearson
from lib.attribution import explain, explain_all, input_gradient
from lib.classifiers.turned import Turned, rotation
from lib.show.prose import listed

from .claims import NORMS, SA

REVIEW = "This is a great movie. Too bad it is not available on home video."  # of the paper's figure 3
DEGREES = 30.0  # by which the axes are turned
CLOSE = 0.9  # a correlation from which two explanations are "very close"
LARGE = 3  # a score is large if it is among so many, signs aside


def same(first: Tensor, second: Tensor, atol: float = 1e-9) -> bool:
    """Equal but for rounding."""
    return bool(torch.allclose(first, second, atol=atol, rtol=1e-6))


# --- what a method is -----------------------------------------------------------------------------------------------


def of_fasttext(fasttext, batch) -> dict[str, bool]:
    """Gradients of a FastText classifier follow the frequency of a word type."""
    by_position = input_gradient(fasttext, batch).values                  # [B, T, D]
    by_type = input_gradient(fasttext, batch, by_type=True).values
    count = (batch.ids[:, :, None] == batch.ids[:, None, :]).sum(2)       # [B, T]
    one, inside = by_position[:, :1], batch.mask[..., None]
    proportional = same(by_type, inside * count[..., None] * one)
    scores = explain(fasttext, batch, "signed_gi")
    return {
        "FastText: the gradient of a word type is its count times one vector": proportional,
        "FastText: words of the same frequency have the same gradient":
            proportional and same(by_position, inside * one),
        "FastText: their contributions differ": all(
            row[real].unique().numel() > 1 for row, real in zip(scores, batch.mask, strict=True)),
    }


def of_signs(classifier, batch) -> dict[str, bool]:
    """Which way gradient times input points, and that norms have no sign."""
    scores = explain_all(classifier, batch, ["loo", "gi", *NORMS])
    of_probability = explain(classifier, batch, "gi", of="probability")

    def against(found: Tensor) -> bool:
        return float(pearson(found, scores["loo"], batch.mask)[0].nanmean()) < 0

    return {
        "gradient times input of the loss is positive against the class": against(scores["gi"]),
        "gradient times input of the probability needs a minus too": against(of_probability),
        "norms are never negative, while LOO is for some words":
            all(bool((scores[key] >= 0).all()) for key in NORMS) and bool((scores["loo"] < 0).any()),
    }


def of_axes(classifier, batch) -> dict[str, bool]:
    """What changes when the axes of the embedding space are turned, and the classifier's answers do not.

    In 95 of 100 documents at least, not in all: where two windows tie in the max-pooling, rounding decides.
    """
    keys = ["sa_raw", "sa_l1", "signed_gi", "loo"]
    turned = Turned(classifier, rotation(classifier.embedding.embedding_dim, DEGREES))
    before, after = explain_all(classifier, batch, keys), explain_all(turned, batch, keys)
    kept = {key: sum(map(same, after[key], before[key])) / len(batch) for key in keys}  # share of the documents
    with torch.no_grad():
        answers_stay = same(classifier(batch), turned(batch))
    return {
        "the sum and the L1 norm change with the axes, the classifier does not":
            answers_stay and kept["sa_raw"] < 0.05 and kept["sa_l1"] < 0.05,
        "SignedGI and LOO do not change with the axes": kept["signed_gi"] > 0.95 and kept["loo"] > 0.95,
    }


def of_methods(classifiers, texts, labels) -> dict[str, bool]:
    """All of the above; ``classifiers`` by name, FastText and TextCNN in double precision."""
    fasttext, textcnn = classifiers["fasttext"], classifiers["textcnn"]
    batch = textcnn.encode(texts, labels)
    return (of_fasttext(fasttext, fasttext.encode(texts, labels)) | of_signs(textcnn, batch) | of_axes(textcnn, batch))


# --- one review -----------------------------------------------------------------------------------------------------


class Review:
    """The review of the paper's figure 3, explained for its gold class by one classifier.

    A gradient *stands out* if its length is more than twice the median of the document, and is *almost zero* if it is
    less than a tenth of the largest. A score is *large* if it is among the three largest of the document, signs aside.
    Two explanations are *very close* if their correlation is at least 0.9.
    """

    def __init__(self, classifier, gold: int = 1):
        self.classifier, self.text = classifier, REVIEW
        batch = classifier.encode([REVIEW], [gold])
        self.words = [word.lower() for word in batch.words[0]]
        found = explain_all(classifier, batch, ["loo", "signed_gi", *SA])
        self.scores = {key: scores[0] for key, scores in found.items()}        # [m] each
        self.length = input_gradient(classifier, batch).values[0].norm(dim=1)  # [m]
        self.rho = float(pearson(self.scores["loo"][None], self.scores["signed_gi"][None], batch.mask)[0])

    def is_large(self, key: str, word: str) -> bool:
        return self.words.index(word) in self.scores[key].abs().topk(LARGE).indices.tolist()

    def focus(self, key: str) -> float:
        """Share of the three largest in the sum, signs aside."""
        sizes = self.scores[key].abs()
        return float(sizes.topk(LARGE).values.sum() / sizes.sum())

    def score(self, key: str, word: str) -> float:
        return float(self.scores[key][self.words.index(word)])

    @property
    def standing_out(self) -> list[str]:
        longer = self.length > 2 * self.length.median()
        return [word for word, stands_out in zip(self.words, longer, strict=True) if stands_out]

    def checks(self) -> dict[str, bool]:
        """What the paper says of this classifier in figure 3."""
        great = self.length[self.words.index("great")]
        found = {
            "LOO of 'great' is large and positive": self.is_large("loo", "great") and self.score("loo", "great") > 0,
            "LOO of 'bad' is large and negative": self.is_large("loo", "bad") and self.score("loo", "bad") < 0,
            "SignedGI is very close to LOO": self.rho >= CLOSE,
            "SignedGI is not very close to LOO": not self.rho >= CLOSE,
            "'great' is not large by SignedGI": not self.is_large("signed_gi", "great"),
            "each SA has less of its sum in its three largest words than SignedGI":
                all(self.focus(key) < self.focus("signed_gi") for key in SA),
            "some SA has 'great' or 'bad' not among its three largest":
                not all(self.is_large(key, word) for key in SA for word in ("great", "bad")),
            "the norms give 'bad' a positive score like 'great'":
                all(self.score(key, word) > 0 for key in NORMS for word in ("great", "bad")),
            "no gradient stands out": not self.standing_out,
            "the gradient at 'great' is almost zero": bool(great < self.length.max() / 10),
        }
        for word in ("bad", "home", "video"):
            found[f"the gradient at '{word}' stands out"] = word in self.standing_out
        return {f"{self.classifier.label}: {name}": answer for name, answer in found.items()}

    def evidence(self) -> dict[str, str]:
        """What stands behind a yes or no, in a few words: name of the check -> words."""
        rho = f"ρ = {self.rho:.2f}"
        found = {f"SignedGI is {nearness} to LOO": rho for nearness in ("very close", "not very close")}
        found["no gradient stands out"] = listed(self.standing_out)
        return {f"{self.classifier.label}: {name}": said for name, said in found.items()}


def of_gradients_of_review(fasttext, gold: int = 1) -> dict[str, bool]:
    """Figure 3a on FastText, by both readings of its gradients: by position, and by word type."""
    batch, found = fasttext.encode([REVIEW], [gold]), {}
    words = [word.lower() for word in batch.words[0]]
    for how, by_type in (("word type", True), ("position", False)):
        values = input_gradient(fasttext, batch, by_type=by_type).values[0]
        gradient = dict(zip(words, values, strict=True))                       # word -> [D]
        others = [value for word, value in gradient.items() if word not in ("is", ".")]
        found |= {
            f"FastText by {how}: 'is' has twice the gradient of 'great'": same(gradient["is"], 2 * gradient["great"]),
            f"FastText by {how}: 'is' differs": not same(gradient["is"], gradient["great"]),
            f"FastText by {how}: no other word than 'is' differs, full stops aside":
                all(same(value, gradient["great"]) for value in others),
        }
    return found


def of_review(classifiers) -> dict[str, bool]:
    """Figure 3 on every classifier; ``classifiers`` by name, FastText among them in double precision."""
    found = of_gradients_of_review(classifiers["fasttext"])
    for classifier in classifiers.values():
        found |= Review(classifier).checks()
    return found
