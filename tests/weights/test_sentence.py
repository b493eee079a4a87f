# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""BERT in our sentence encoder says what it says in transformers: golden/make_sentence.py made what is compared."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from vidgen.models.layers import apply
from vidgen.models.sentence import SentenceConfig, SentenceEncoder
from vidgen.sample.meaning import load_sentences
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import bert
from vidgen.weights.shapes import init_shapes

GOLDEN = Path(__file__).parents[1] / "golden"
CONFIGS = {
    "plain": SentenceConfig(vocabulary=50, width=16, layers=2, heads=2, hidden=24, positions=12),
    "odd": SentenceConfig(vocabulary=30, width=18, layers=3, heads=3, hidden=28, positions=40),
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "cat", "kit", "##ten", "big"]


def shapes(config: SentenceConfig) -> dict:
    return init_shapes(SentenceEncoder(config), jax.ShapeDtypeStruct((1, 4), np.int32))


def kept(name: str) -> tuple[dict, dict]:
    """(weights, the rest) of a golden file."""
    golden = load_file(GOLDEN / f"sentence_{name}.safetensors")
    return {k.removeprefix("weights/"): v for k, v in golden.items() if k.startswith("weights/")}, golden


@pytest.mark.parametrize("name", CONFIGS)
def test_sentences_are_the_same(name, tmp_path) -> None:
    weights, golden = kept(name)
    save_file(weights, tmp_path / "model.safetensors")
    read = Weights(tmp_path / "model.safetensors").under(bert.PREFIXES)
    params = keymap.load(read, bert.encoder(), shapes(CONFIGS[name]))
    said = apply(SentenceEncoder(CONFIGS[name]), params, golden["inputs/ids"])
    np.testing.assert_allclose(said, golden["outputs/sentence"], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(said, axis=-1), 1, rtol=1e-5)


@pytest.fixture
def folder(tmp_path):
    """A folder as sentence-transformers keeps one, of the plain network, with a tokenizer of ten words."""
    weights, _ = kept("plain")
    save_file(weights, tmp_path / "model.safetensors")
    cfg = CONFIGS["plain"]
    said = {
        "model_type": "bert", "vocab_size": cfg.vocabulary, "hidden_size": cfg.width, "num_hidden_layers": cfg.layers,
        "num_attention_heads": cfg.heads, "intermediate_size": cfg.hidden, "max_position_embeddings": cfg.positions,
        "layer_norm_eps": cfg.eps, "hidden_act": "gelu",
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(said))
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=20)  # as the public file has it; the padding must not count
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_texts_are_read_by_the_folders_tokenizer(folder) -> None:
    encode = load_sentences(folder)
    texts = ["a dog", "A kitten", *["a cat"] * 20, "a big dog " * 5]
    said = encode(texts)
    ids = np.zeros((3, 12), np.int32)
    ids[0, :4], ids[1, :5] = [2, 4, 5, 3], [2, 4, 7, 8, 3]
    ids[2] = [2, *[4, 9, 5] * 3, 4, 3]  # cut, and still with its end
    alone = apply(SentenceEncoder(encode.config), encode.params, ids)
    assert said.shape == (23, 16)
    np.testing.assert_allclose(said[[0, 1, 22]], alone, atol=1e-5)
    np.testing.assert_allclose(said[2:22], np.repeat(said[2:3], 20, 0), atol=1e-6)


def test_a_folder_of_something_else_is_named(folder) -> None:
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(told | {"model_type": "t5"}))
    with pytest.raises(ValueError, match="'t5': give a sentence encoder"):
        load_sentences(folder)
    (folder / "config.json").write_text(json.dumps(told | {"hidden_size": 20}))
    with pytest.raises(ValueError, match="another network"):
        load_sentences(folder)
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer"):
        load_sentences(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match="tokenizer belongs there"):
        load_sentences(folder)


def test_the_default_is_mini_lm() -> None:
    """22.7 million parameters, as its card says, of which the pooler has 0.15."""
    count = sum(leaf.size for leaf in jax.tree.leaves(shapes(SentenceConfig())))
    assert count == 22_713_216 - 384 * 385
