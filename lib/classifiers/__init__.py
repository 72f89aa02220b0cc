"""The classifiers that are explained, by key."""

from .base import TextClassifier
from .bilstm import BiLSTM
from .fasttext import FastText
from .textcnn import TextCNN

CLASSIFIERS: dict[str, type[TextClassifier]] = {kind.name: kind for kind in (FastText, TextCNN, BiLSTM)}
