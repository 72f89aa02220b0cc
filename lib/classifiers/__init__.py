"""The classifiers that are explained, by key; and any other that lies in a folder."""

from .base import TextClassifier
from .bilstm import BiLSTM
from .fasttext import FastText
from .pretrained import pretrained
from .textcnn import TextCNN

__all__ = ["CLASSIFIERS", "BiLSTM", "FastText", "TextCNN", "TextClassifier", "pretrained"]

CLASSIFIERS: dict[str, type[TextClassifier]] = {kind.name: kind for kind in (FastText, TextCNN, BiLSTM)}
