"""Random numbers that belong to a document, not to the batch it happens to be in."""

import zlib

import torch


def document_generator(words: list[str], seed: int, purpose: str) -> torch.Generator:
    """A random generator decided by the words of one document, the seed and what it is for ("scores", "ties", ...)."""
    text = "\x1f".join([purpose, str(seed), *words])
    return torch.Generator("cpu").manual_seed(zlib.crc32(text.encode("utf-8", "surrogatepass")))
