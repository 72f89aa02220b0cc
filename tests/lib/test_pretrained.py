"""Classifiers from Hugging Face folders: what they read, which word it belongs to, and what is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers as hf
from folders import CUT, MERGED, SENTENCE, bytepieces, model, saved, wordpieces
from html_page import Page
from oracles import close, is_one_sentence

import lib
from lib.classifiers import pretrained
from lib.classifiers.pieces import words_of_pieces

README = Path(__file__).resolve().parents[2] / "README.md"
KINDS = ["bert", "distilbert", "roberta"]
HOSTILE = ["", " ", "zzz qqq", "“It’s” a film…", "😀 film😀", "The plot<br /><br />is \"thin\".",
           "é e\u0301 \ufeffthe \u200d a", "\ud83d film", "[SEP] <pad> [MASK] </s> <mask>", "the " * 100, "\"" * 100,
           "w" * 20_000]


@pytest.fixture(scope="module", params=KINDS)
def folder(request, tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / request.param, request.param)


@pytest.fixture(scope="module")
def classifier(folder):
    return pretrained(folder)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return pretrained(saved(tmp_path_factory.mktemp("models") / "bert", "bert"))


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    return pretrained(saved(tmp_path_factory.mktemp("models") / "roberta", "roberta"))


def test_the_tokenizers_of_these_tests_cut_as_they_should():
    assert wordpieces().tokenize(SENTENCE) == CUT
    assert bytepieces().tokenize("The plot is thin but the acting wonderful's... film\",") == [
        "ĠThe", "Ġplot", "Ġis", "Ġthin", "Ġbut", "Ġthe", "Ġact", "ing", "Ġwonder", "ful", "'s", "...", "Ġfilm", '",']
    assert set(MERGED) <= set(bytepieces().get_vocab())


# --- three lines ------------------------------------------------------------------------------------------------------


def test_a_sentence_is_explained_in_three_lines(folder):
    classifier = lib.classifiers.pretrained(folder)
    batch = classifier.encode([SENTENCE])
    scores = lib.attribution.explain(classifier, batch, "signed_gi", target="predicted")

    assert batch.words == [["The", "plot", "is", "thin", ",", "but", "the", "acting", "is", "WONDERFUL", "!"]]
    assert scores.shape == (1, 11) and bool((scores != 0).all())
    assert classifier.classes == ["bad", "good", "neither"] and classifier.label == folder.name
    assert not classifier.training and not any(weight.requires_grad for weight in classifier.parameters())


def test_the_logits_are_those_of_the_model_itself(classifier, folder):
    model = hf.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    texts = [SENTENCE, "a film", "", "unbelievable films?"]
    with torch.no_grad():
        expected = model(**hf.AutoTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")).logits
    batch = classifier.encode(texts)
    close(classifier.logits(classifier.embed(batch), batch.mask), expected, 1e-5)
    assert float(expected.std(dim=0).min()) > 1e-3


def test_pieces_with_a_place_for_each_score(bert):
    batch = bert.encode([SENTENCE, "films"], [1, 0])
    assert batch.word_of.tolist() == [[-1, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 9, 9, 10, -1], [-1, 0, 0, -1] + [-1] * 12]
    assert batch.ids[1, :5].tolist() == [2, bert.vocabulary["film"], bert.vocabulary["##s"], 3, 0]
    assert batch.mask[1].tolist() == [True] * 4 + [False] * 12 and batch.labels.tolist() == [1, 0]
    assert batch.lengths.tolist() == [11, 1] and batch.cut.tolist() == [0, 0] and not batch.unknown.any()


# --- which word a piece belongs to ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "pieces", "words", "numbers"), [
    ("film music", [(0, 2), (2, 4), (4, 10)], ["film", "music"], [0, 0, 1]),  # a piece that begins with a space
    ("it's", [(0, 2), (2, 4)], ["it", "'s"], [0, 1]),                        # over two words: joined
    ("a...b", [(0, 1), (1, 4), (4, 5)], ["a", "...", "b"], [0, 1, 2]),
    ("New York", [(0, 8)], ["New York"], [0]),
    ("a b c d", [(0, 3), (2, 7)], ["a b c d"], [0, 0]),                      # chains are one word
    ('a "b" c', [(0, 1), (2, 3), (3, 4), (4, 5), (6, 7)], ["a", "b", "c"], [0, 0, 1, 1, 2]),  # quotes: the word before
    ('"a"', [(0, 1), (1, 2), (2, 3)], ["a"], [0, 0, 0]),                     # before all words: the first
    ('a",', [(0, 1), (1, 3)], ["a", ","], [0, 1]),                           # the quote is no character of a word
    ("a  b\n", [(0, 1), (1, 2), (2, 4), (4, 5)], ["a", "b"], [0, 1, 1, 1]),  # a space leads to the next word
    ("a <br />b", [(0, 1), (2, 3), (3, 5), (6, 7), (7, 8), (8, 9)], ["a", "b"], [0, 0, 0, 0, 0, 1]),
    ("a \u200d b", [(0, 1), (4, 5)], ["a", "\u200d", "b"], [0, 2]),          # a word without a piece
    ("\U0001f600", [(0, 1)] * 4, ["\U0001f600"], [0] * 4),                   # bytes of one character
    ('""', [(0, 1), (1, 2)], [], [0, 0]),
    ("", [], [], []),
])
def test_words_of_pieces(text, pieces, words, numbers):
    found, owners = words_of_pieces(text, pieces)
    assert [text[start:end] for start, end in found] == words and owners == numbers


def test_what_people_type(bert, roberta):
    assert roberta.encode(["It's... a film"]).words == [["It", "'s", "...", "a", "film"]]
    assert bert.encode(["It's... a film"]).words == [["It", "'", "s", ".", ".", ".", "a", "film"]]
    curly = bert.encode(["“It’s” a film"])
    assert curly.words == [["It", "’", "s", "a", "film"]]
    assert curly.unknown.tolist() == [[True, True, True, False, False]]
    emoji = roberta.encode(["a 😀 film"])
    assert emoji.words == [["a", "😀", "film"]] and not emoji.unknown.any() and (emoji.word_of == 1).sum() == 5
    lines = bert.encode(["The plot<br /><br />is thin"])
    assert lines.words == [["The", "plot", "is", "thin"]]
    assert lines.word_of[0].tolist() == [-1, 0] + [1] * 9 + [2, 3, -1]
    joiner = bert.encode(["a \u200d film"])  # BERT's tokenizer drops the character
    assert joiner.words == [["a", "\u200d", "film"]] and joiner.word_mask.tolist() == [[True, False, True]]
    assert joiner.lengths.tolist() == [2]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_has_one_score_a_word_and_none_elsewhere(text, classifier):
    batch = classifier.encode([text, SENTENCE])
    scores = lib.attribution.explain(classifier, batch, "loo", target="predicted")
    assert scores.shape == batch.word_mask.shape and not scores[~batch.word_mask].any()
    assert batch.mask.shape[1] <= 40 and len(batch.words[0]) + int(batch.cut[0]) >= batch.lengths[0]
    for row, words in enumerate(batch.words):
        assert set(batch.word_of[row].tolist()) - {-1} == set(batch.word_mask[row].nonzero().flatten().tolist())
        assert batch.word_mask.shape[1] >= len(words) and not batch.word_mask[row, len(words):].any()
    assert (batch.word_of[batch.mask] == -1).sum() >= 4, "special tokens belong to no word"


def test_a_document_without_words_is_read_but_not_scored(classifier):
    batch = classifier.encode(["", '"'])
    assert batch.words == [[], []] and batch.lengths.tolist() == [0, 0] and batch.mask.sum(dim=1).tolist()[0] == 2
    assert lib.attribution.explain(classifier, batch, "sa_l2", target=0).tolist() == [[0.0], [0.0]]


# --- what is cut ------------------------------------------------------------------------------------------------------


def test_a_word_that_does_not_fit_is_cut_whole(bert):
    assert bert.max_words == 38  # 40 places, two for special tokens
    fits = bert.encode(["the " * 36 + "films"])
    assert fits.cut.tolist() == [0] and fits.mask.sum() == 40 and fits.words[0][-1] == "films"
    cut = bert.encode(["the " * 37 + "films a", "the"])
    assert cut.cut.tolist() == [2, 0] and cut.words[0] == ["the"] * 37 and cut.mask.sum(dim=1).tolist() == [39, 3]
    assert cut.ids[0, 38] == bert.tokenizer.sep_token_id and cut.word_of[0, 38] == -1
    assert bert.encode(["unbelievable " * 12 + "unbelievable"]).cut.tolist() == [1]
    assert bert.encode(['the "' + '"' * 40]).words == [[]], "what tokenise drops belongs to its word"


def test_max_words(bert):
    batch = bert.encode(["the films , but a plot"], max_words=2)
    assert batch.words == [["the", "films"]] and batch.cut.tolist() == [4] and batch.mask.sum() == 5
    with pytest.raises(ValueError, match="max_words is 0: it must be at least 1"):
        bert.encode(["the"], max_words=0)


def test_the_places_of_a_roberta_all_serve(roberta):
    """Its table has rows that only padding uses: 42 rows, 40 places."""
    assert roberta.model.config.max_position_embeddings == 42 and roberta.max_words == 38
    batch = roberta.encode(["the " * 50])
    assert batch.mask.sum() == 40 and batch.cut.tolist() == [12]
    assert torch.isfinite(roberta.logits(roberta.embed(batch), batch.mask)).all()


def test_the_tokenizer_may_say_that_less_is_read(tmp_path):
    tokenizer = wordpieces()
    tokenizer.model_max_length = 10
    assert pretrained(saved(tmp_path, "bert", tokenizer)).max_words == 8


def test_the_picture_shows_what_was_cut_and_what_is_unknown(bert):
    explanation = lib.explain_text("A zzz film, " + "the " * 60, bert)
    assert explanation.words[:4] == ["A", "zzz", "film", ","] and len(explanation) == 38
    page = explanation._repr_html_()
    assert "26 more words cut off, not read" in page and page.count("unknown word") == 1
    assert re.search(r'font-style: italic[^>]*>zzz<', page) and Page(page).words[:2] == ["A", "zzz"]


# --- what stands for a word -------------------------------------------------------------------------------------------


def test_substitutes(classifier):
    table, tokenizer = classifier.model.get_input_embeddings().weight, classifier.tokenizer
    close(classifier.substitute("zero"), torch.zeros(8))
    close(classifier.substitute("mask"), table[tokenizer.mask_token_id])
    close(classifier.substitute("pad"), table[tokenizer.pad_token_id])
    with pytest.raises(ValueError, match="Unknown substitute 'delete': choose one of zero, mask, pad"):
        classifier.substitute("delete")


def test_without_a_mask_token_the_unknown_one_stands_for_a_word(tmp_path):
    tokenizer = wordpieces()
    tokenizer.mask_token = None
    saved(tmp_path, "bert", tokenizer)
    about = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(about | {"mask_token": None}))
    classifier = pretrained(tmp_path)
    assert classifier.tokenizer.mask_token is None
    close(classifier.substitute("mask"), classifier.model.get_input_embeddings().weight[1])


# --- moves, and other people's batches --------------------------------------------------------------------------------


def test_another_classifiers_batch_is_refused(bert, roberta):
    with pytest.raises(ValueError, match="encoded by another classifier"):
        lib.attribution.explain(bert, roberta.encode(["a"]), "loo", target=0)


def test_it_moves_and_encodes_where_it_is(folder):
    classifier = pretrained(folder).to("meta")
    assert classifier.device.type == "meta" and classifier.substitute("mask").device.type == "meta"
    assert pretrained(folder).double().embed(pretrained(folder).encode(["a"])).dtype == torch.float64


@pytest.mark.parametrize(("texts", "labels", "error", "sentence"), [
    ("a film", None, TypeError, "encode expects a list of texts"),
    ([], None, ValueError, "encode was given no texts"),
    (["a", 1], None, TypeError, "A text must be a string, not int"),
    (["a"], [3], ValueError, r"Label 3 is out of range: the classes are 0 to 2 \(bad, good, neither\)"),
    (["a"], [0, 1], ValueError, "1 texts came with 2 labels"),
    (["a"], [0.7], ValueError, "Label 0.7 is no class number"),
])
def test_what_encode_refuses(texts, labels, error, sentence, bert):
    with pytest.raises(error, match=sentence):
        bert.encode(texts, labels)


# --- what is refused --------------------------------------------------------------------------------------------------


def no_folder(folder):
    folder.rmdir()


def empty(folder):
    pass


def no_head(folder):
    saved(folder, "bert")
    model("bert", wordpieces()).bert.save_pretrained(folder)


def no_tokenizer(folder):
    model("bert", wordpieces()).save_pretrained(folder)


def slow_tokenizer(folder):
    model("bert", wordpieces(), vocab_size=400).save_pretrained(folder)
    hf.ByT5Tokenizer().save_pretrained(folder)


def other_tokenizer(folder):
    saved(folder, "bert")
    bytepieces().save_pretrained(folder)


def one_output(folder):
    saved(folder, "bert", num_labels=1, id2label={0: "stars"}, label2id={"stars": 0})


def many_labels(folder):
    saved(folder, "bert", problem_type="multi_label_classification")


def gpt2(folder):
    tokenizer = bytepieces(hf.GPT2TokenizerFast)
    tokenizer.pad_token = "<pad>"
    saved(folder, "gpt2", tokenizer)


def no_padding(folder):
    saved(folder, "gpt2", bytepieces(hf.GPT2TokenizerFast))


def damaged(folder):
    saved(folder, "bert")
    (folder / "model.safetensors").write_bytes(b"not a model")


@pytest.mark.parametrize(("spoil", "error", "sentence"), [
    (no_folder, FileNotFoundError, "There is no folder .*: pass one that save_pretrained wrote"),
    (empty, ValueError, "holds no sequence classifier that can be read"),
    (damaged, ValueError, "holds no sequence classifier that can be read"),
    (no_head, ValueError, "is no sequence classifier: it has no weights for classifier.bias, classifier.weight"),
    (no_tokenizer, ValueError, "knows no piece of a word: save its files beside the model"),
    (slow_tokenizer, ValueError, "not a fast one, so it does not say where in a text a piece lies"),
    (other_tokenizer, ValueError, r"numbers pieces from 0 to \d+, the model has vectors for 35: they do not belong"),
    (one_output, ValueError, r"does not choose one of several classes: it has 1 output\(s\)"),
    (many_labels, ValueError, "its problem type is multi_label_classification"),
    (gpt2, ValueError, "cannot be explained: its logits change by .* vectors in the place of word pieces, or padding"),
    (no_padding, ValueError, "cannot be explained: it takes no vectors .* or no padding"),
])
def test_refused_in_one_sentence(spoil, error, sentence, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    spoil(folder)
    with pytest.raises(error, match=sentence) as caught:
        pretrained(folder)
    assert is_one_sentence(ValueError(str(caught.value).replace(str(folder), "A folder")))


def test_nothing_is_imported_before_it_is_needed():
    code = "import sys, lib; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=README.parent).returncode == 0


# --- the README -------------------------------------------------------------------------------------------------------


def test_the_examples_of_the_readme_run(folder):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    found = {"lib": lib}
    for block in blocks[1:]:  # the first trains classifiers
        assert len(block.splitlines()) <= 20
        exec(block.replace("path/to/a/classifier", str(folder)), found)
    assert found["scores"].shape == (1, len(found["batch"].words[0])) and found["classifier"].label == folder.name
    assert found["mine"].classes == ["bad", "good"]
    assert [word for word, score in found["explanation"] if score > 0] == ["wonderful"]
