"""lib.text: the tokeniser against torchtext's own, vocabulary, padded batches, GloVe, and what is said of bad input."""


import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import QUICK, WORDS
from torchtext.data.utils import get_tokenizer

from lib.text import PADDING_ID, UNKNOWN_ID, build_vocabulary, encode, tokenise, vocabulary_from_words

basic_english = get_tokenizer("basic_english")
# No capital sigma: its lower case depends on the letters around it, so that a text and its words differ there.
LETTERS = "abcxyzABCXYZéÉßøØçñÑİıжЖ文語0123456789-_&%$#@*/\\+=~^|[]{}"
pieces = st.one_of(st.text(LETTERS, min_size=1, max_size=6),
                   st.sampled_from([*".,()!?';:", "<br />", "<BR />", "<", ">", " ", "\t", "\n", "'s"]))
texts = st.lists(pieces, max_size=20).map("".join)


@pytest.fixture
def vocabulary():
    return vocabulary_from_words(WORDS)


def lower(words):
    return [word.lower() for word in words]


# --- tokenise --------------------------------------------------------------------------------------------------------


@QUICK
@given(texts)
def test_words_are_those_of_torchtext_basic_english(document):
    assert lower(tokenise(document)) == basic_english(document)


@QUICK
@given(texts)
def test_words_keep_their_spelling(document):
    """Written one after the other, the words are the text without spaces, line breaks and the three separators."""
    kept = document.replace("<br />", " ").replace("<BR />", " ")
    assert "".join(tokenise(document)) == "".join(character for character in kept if not character.isspace()
                                                  and character not in ";:")


@pytest.mark.parametrize(("document", "words"), [
    ("It's FINE, really!", ["It", "'", "s", "FINE", ",", "really", "!"]),
    ("one<br />two<br /><br />three<BR>four", ["one", "two", "three", "four"]),
    ('the "worst" film;ever:made', ["the", "worst", "film", "ever", "made"]),
    ("nul\x00bell\x07esc\x1bdel\x7fnext\x85end", ["nul", "bell", "esc", "del", "next", "end"]),
    ("fine 😀 film 👩‍👩‍👧", ["fine", "😀", "film", "👩‍👩‍👧"]),
    ("<script>alert('x')</script>", ["<script>alert", "(", "'", "x", "'", ")", "</script>"]),
    ("İstanbul", ["İstanbul"]),
    ("", []),
    (" \t\n", []),
])
def test_particular_texts(document, words):
    assert tokenise(document) == words


@QUICK
@given(st.text(max_size=60))
def test_no_text_gives_an_empty_word_or_one_with_a_space(document):
    assert all(word and not any(character.isspace() for character in word) for word in tokenise(document))


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["a", "list"]])
def test_a_text_must_be_a_string(value, vocabulary):
    with pytest.raises(TypeError, match=f"A text must be a string, not {type(value).__name__}"):
        tokenise(value)
    with pytest.raises(TypeError, match="A text must be a string"):
        encode(vocabulary, ["a film", value])


# --- vocabulary ------------------------------------------------------------------------------------------------------


def test_vocabulary_has_the_most_frequent_words_first():
    vocabulary = build_vocabulary(["c B a", "b c", "C b", "b"])
    assert vocabulary.itos == ["<unk>", "<pad>", "b", "c", "a"]
    assert (vocabulary.stoi["<unk>"], vocabulary.stoi["<pad>"]) == (UNKNOWN_ID, PADDING_ID)


def test_equally_frequent_words_are_in_alphabetical_order():
    assert build_vocabulary(["z y", "x", "x y z"]).itos[2:] == ["x", "y", "z"]


@pytest.mark.parametrize(("max_size", "words"), [(9, ["b", "c", "a"]), (3, ["b", "c", "a"]), (2, ["b", "c"]),
                                                 (1, ["b"])])
def test_max_size_keeps_the_most_frequent_words(max_size, words):
    vocabulary = build_vocabulary(["a b c", "b c", "b"], max_size=max_size)
    assert vocabulary.itos[2:] == words
    assert [vocabulary[word] == UNKNOWN_ID for word in "bca"] == [word not in words for word in "bca"]


def test_vocabulary_does_not_count_the_special_words_of_a_text():
    assert build_vocabulary(["<pad> <pad> <unk> a", "<UNK> a"]).itos == ["<unk>", "<pad>", "a"]


def test_vocabulary_is_rebuilt_from_its_words():
    built = build_vocabulary(["a b c İ", "b c", "b"])
    rebuilt = vocabulary_from_words(built.itos)
    assert rebuilt.itos == built.itos
    words = [*built.itos, "never seen", ""]
    assert [rebuilt[word] for word in words] == [built[word] for word in words]
    assert rebuilt["never seen"] == UNKNOWN_ID


def test_looking_up_a_word_does_not_add_it():
    vocabulary = vocabulary_from_words(WORDS)
    encode(vocabulary, ["utterly new words"])
    assert len(vocabulary.stoi) == len(vocabulary.itos) == len(WORDS)


# --- encode ----------------------------------------------------------------------------------------------------------

documents = st.lists(st.lists(st.sampled_from([*WORDS, "Film", "newword", "😀"]), max_size=9), min_size=1, max_size=5)


@QUICK
@given(documents, st.integers(1, 7))
def test_batch_agrees_with_a_loop_over_the_words(rows, max_words):
    batch = encode(vocabulary_from_words(WORDS), [" ".join(row) for row in rows], max_words=max_words)
    width = max([1, *(min(len(row), max_words) for row in rows)])
    assert batch.ids.shape == batch.mask.shape == (len(rows), width)
    for number, row in enumerate(rows):
        row = row[:max_words]
        known = [WORDS.index(word.lower()) if word.lower() in WORDS[2:] else UNKNOWN_ID for word in row]
        assert batch.words[number] == row
        assert batch.ids[number].tolist() == known + [PADDING_ID] * (width - len(row))
        assert batch.mask[number].tolist() == [True] * len(row) + [False] * (width - len(row))
    assert batch.lengths.tolist() == [len(words) for words in batch.words]


@pytest.mark.parametrize("word", ["<pad>", "<PAD>", "<unk>", "<Unk>"])
def test_the_name_of_a_special_word_is_an_unknown_word(word, vocabulary):
    batch = encode(vocabulary, [f"a {word} film", word])
    assert batch.ids.tolist() == [[WORDS.index("a"), UNKNOWN_ID, WORDS.index("film")],
                                  [UNKNOWN_ID, PADDING_ID, PADDING_ID]]
    assert batch.mask.tolist() == [[True, True, True], [True, False, False]]
    assert batch.words == [["a", word, "film"], [word]]


def test_upper_case_is_looked_up_in_lower_case(vocabulary):
    batch = encode(vocabulary, ["The FILM was Fine"])
    assert batch.ids.tolist() == [[WORDS.index(word) for word in ("the", "film", "was", "fine")]]
    assert batch.words == [["The", "FILM", "was", "Fine"]]


def test_a_word_that_grows_in_lower_case_stays_one_word(vocabulary):
    batch = encode(vocabulary, ["İİİ film"])
    assert batch.words == [["İİİ", "film"]]
    assert batch.ids.tolist() == [[UNKNOWN_ID, WORDS.index("film")]]


def test_empty_text_is_a_row_of_padding(vocabulary):
    batch = encode(vocabulary, [""])
    assert batch.ids.tolist() == [[PADDING_ID]] and batch.mask.tolist() == [[False]] and batch.words == [[]]


def test_unknown_words_count_as_words(vocabulary):
    batch = encode(vocabulary, ["qux quux"])
    assert batch.ids.tolist() == [[UNKNOWN_ID, UNKNOWN_ID]] and batch.mask.all()


def test_one_word(vocabulary):
    batch = encode(vocabulary, ["film"], [1])
    assert batch.ids.tolist() == [[WORDS.index("film")]] and batch.labels.tolist() == [1] and len(batch) == 1


def test_labels_are_optional(vocabulary):
    assert encode(vocabulary, ["a", "b"]).labels is None
    assert encode(vocabulary, ["a", "b"], [1, 0]).labels.tolist() == [1, 0]


@pytest.mark.parametrize(("given_texts", "options", "error", "sentence"), [
    ("a film", {}, TypeError, r"expects a list of texts: write encode\(\[text\]\)"),
    ([], {}, ValueError, "was given no texts: pass at least one document"),
    (["a", "b"], {"labels": [1]}, ValueError, "2 texts came with 1 labels: pass one label for each text"),
    (["a"], {"labels": []}, ValueError, "1 texts came with 0 labels"),
    (["a"], {"max_words": 0}, ValueError, "max_words is 0: it must be at least 1"),
    (["a"], {"max_words": -3}, ValueError, "max_words is -3"),
])
def test_what_encode_refuses(given_texts, options, error, sentence, vocabulary):
    with pytest.raises(error, match=sentence) as caught:
        encode(vocabulary, given_texts, **options)
    assert "\n" not in str(caught.value)


# --- Batch.take ------------------------------------------------------------------------------------------------------


@QUICK
@given(documents, st.data())
def test_taking_rows_is_encoding_their_texts(rows, data):
    vocabulary = vocabulary_from_words(WORDS)
    texts = [" ".join(row) for row in rows]
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=6))
    taken = encode(vocabulary, texts, list(range(len(rows)))).take(chosen)
    expected = encode(vocabulary, [texts[row] for row in chosen], chosen)
    assert torch.equal(taken.ids, expected.ids) and torch.equal(taken.mask, expected.mask)
    assert torch.equal(taken.labels, expected.labels) and taken.words == expected.words


def test_taking_rows_by_tensor_without_labels(vocabulary):
    taken = encode(vocabulary, ["a film", "the", ""]).take(torch.tensor([2, 1]))
    assert taken.words == [[], ["the"]] and taken.labels is None and taken.ids.shape == (2, 1)
