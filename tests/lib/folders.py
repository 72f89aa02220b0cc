"""Hugging Face classifiers with random weights and tokenizers made up here, saved as a reader would save them."""

import torch
import transformers as hf

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = [*SPECIAL, *"the plot is thin , . ! ? ' s \" < > / br : - it but act ##ing won ##der ##ful film ##s a".split(),
          *"un ##believ ##able".split()]
SENTENCE = "The plot is thin, but the acting is WONDERFUL!"
# What a tokenizer for this sentence makes of it. From vocab_file= it would come out nearly empty, without an error.
CUT = ["the", "plot", "is", "thin", ",", "but", "the", "act", "##ing", "is", "won", "##der", "##ful", "!"]
MERGED = ["ĠThe", "Ġplot", "Ġis", "Ġthin", "Ġbut", "Ġthe", "Ġact", "ing", "Ġwonder", "ful", "'s", "...", '",', "Ġfilm"]
SIZES = dict(num_labels=3, id2label={0: "bad", 1: "good", 2: "neither"}, label2id={"bad": 0, "good": 1, "neither": 2})
SMALL = dict(hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, **SIZES)


def wordpieces(kind=hf.BertTokenizerFast, pieces=PIECES):
    return kind(vocab={piece: number for number, piece in enumerate(pieces)})


def bytepieces(kind=hf.RobertaTokenizerFast):
    """Byte-level pieces: every byte, and what two of them in turn are merged to until a word of MERGED is whole."""
    merges = list(dict.fromkeys((word[:i], word[i]) for word in MERGED for i in range(1, len(word))))
    letters = list(hf.convert_slow_tokenizer.bytes_to_unicode().values())
    pieces = dict.fromkeys(["<s>", "<pad>", "</s>", "<unk>", *letters, *(a + b for a, b in merges), "<mask>"])
    return kind(vocab={piece: number for number, piece in enumerate(pieces)}, merges=merges, add_prefix_space=True)


def model(kind: str, tokenizer, places: int = 40, **options) -> torch.nn.Module:
    """Weights ten times as large as those a training starts from, so that no effect is lost in rounding."""
    vocabulary, pad = len(tokenizer), tokenizer.pad_token_id
    configs = {
        "bert": (hf.BertConfig, dict(SMALL, max_position_embeddings=places)),
        "roberta": (hf.RobertaConfig, dict(SMALL, max_position_embeddings=places + 2)),  # two only for padding
        "distilbert": (hf.DistilBertConfig, dict(SIZES, dim=8, n_layers=2, n_heads=2, hidden_dim=16,
                                                 max_position_embeddings=places)),
        "gpt2": (hf.GPT2Config, dict(SIZES, n_embd=8, n_layer=2, n_head=2, n_positions=places)),
    }
    config, sizes = configs[kind]
    config = config(**{"vocab_size": vocabulary, "pad_token_id": pad, "initializer_range": 0.3, **sizes, **options})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return hf.AutoModelForSequenceClassification.from_config(config).eval()


def saved(folder, kind: str, tokenizer=None, **options):
    """The folder with a model and its tokenizer in it."""
    if tokenizer is None:
        tokenizer = bytepieces() if kind == "roberta" else wordpieces()
    model(kind, tokenizer, **options).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
