"""Extraction: long sentences, odd words, resuming, clear errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tunescope as ts
from tiny import SENTENCES, make_tokenizer, save_tiny
from tunescope.activations import extract as extraction
from tunescope.activations.pieces import split_sentence
from tunescope.activations.shards import plan_shards
from tunescope.activations.store import common_words
from tunescope.activations.subwords import SubwordEncoder
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return save_tiny("bert", tmp_path_factory.mktemp("bert") / "tiny-bert")


@pytest.fixture
def corpus():
    labels = [[word[0].lower() for word in words] for words in SENTENCES]
    return Corpus.from_sentences(SENTENCES, {"initial": labels}, name="six")


def everything(store):
    return np.stack([np.asarray(store[layer]) for layer in store.layers])


def test_result_does_not_depend_on_batches_or_shards(bert, corpus, tmp_path):
    whole = ts.extract(corpus, bert, tmp_path / "a")
    parts = ts.extract(corpus, bert, tmp_path / "b", batch_tokens=1, shard_words=1)
    np.testing.assert_allclose(everything(whole), everything(parts), atol=1e-6)
    assert len(parts.manifest.facts["shard_starts"]) == len(SENTENCES) + 1


def test_selection_keeps_context(bert, corpus, tmp_path):
    """Row i of a store is word i of its corpus, also when that is a selection (invariant 1)."""
    rows = np.array([3, 4, 11, 20, 30])
    whole = ts.extract(corpus, bert, tmp_path / "a")
    some = ts.extract(corpus.select(rows), bert, tmp_path / "b")
    np.testing.assert_allclose(everything(some), everything(whole)[:, rows], atol=1e-6)
    assert some.corpus.values("form").tolist() == whole.corpus.values("form")[rows].tolist()


def test_truncated_words_are_counted_and_not_valid(bert, corpus, tmp_path):
    store = ts.extract(corpus, bert, tmp_path / "a", max_length=8)
    lengths = [len(ids) for s in SubwordEncoder(make_tokenizer("wordpiece")).encode(SENTENCES)
               for ids in s]  # fmt: skip
    sentence = corpus.words["sentence"].to_numpy()
    expected = np.concatenate(
        [np.cumsum(np.array(lengths)[sentence == n]) <= 6 for n in range(len(SENTENCES))]
    )
    assert 0 < expected.sum() < corpus.n_words
    np.testing.assert_array_equal(store.valid, expected)
    assert store.manifest.facts["words_cut_off"] == (~expected).sum()
    assert np.isnan(everything(store)[:, ~expected]).all()
    assert np.isfinite(everything(store)[:, expected]).all()


def test_windows_lose_no_word(bert, corpus, tmp_path):
    whole = ts.extract(corpus, bert, tmp_path / "a")
    windows = ts.extract(corpus, bert, tmp_path / "b", max_length=20, long="windows")
    assert windows.valid.all()
    assert windows.manifest.facts["sentences_windowed"] > 0
    # layer 0 adds position and type to the word only; a word in the first window keeps both
    np.testing.assert_allclose(windows[0][0], whole[0][0], atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=60), st.integers(4, 20),
    st.sampled_from(["truncate", "windows"]),
)  # fmt: skip
def test_pieces(lengths, capacity, long):
    """Each piece fits; no word is taken twice; only words that cannot be kept are dropped."""
    lengths = np.array(lengths)
    pieces = split_sentence(lengths, capacity, long)
    taken = np.zeros(len(lengths), int)
    for piece in pieces:
        assert lengths[piece.start : piece.stop].sum() <= capacity
        taken[piece.start : piece.stop] += piece.take
    if long == "windows":
        np.testing.assert_array_equal(taken, lengths <= capacity)
    else:
        np.testing.assert_array_equal(taken, np.cumsum(lengths) <= capacity)


def test_windows_give_each_word_the_most_context():
    lengths = np.ones(30, int)
    pieces = split_sentence(lengths, 10, "windows")
    for piece in pieces:
        for word in np.flatnonzero(piece.take) + piece.start:
            left = np.inf if piece.start == 0 else word - piece.start
            right = np.inf if piece.stop == 30 else piece.stop - 1 - word
            assert min(left, right) >= 2  # never at an inner edge


def test_literal_special_tokens_are_text(bert, tmp_path):
    """A literal [MASK] or [SEP] in the text is neither a special token nor zero (a peer's bug)."""
    words = ["The", "[MASK]", "[SEP]", "fox"]
    store = ts.extract(Corpus.from_sentences([words]), bert, tmp_path / "a")
    encoder = SubwordEncoder(make_tokenizer("wordpiece", "[CLS] $ [SEP]"))
    tokenizer = make_tokenizer("wordpiece", "[CLS] $ [SEP]")
    ids = encoder.encode([words])[0]
    assert not {i for word in ids for i in word} & {
        tokenizer.mask_token_id, tokenizer.sep_token_id
    }  # fmt: skip
    assert (np.abs(everything(store)).sum(axis=2) > 0).all()


def test_word_without_subwords_is_counted_and_not_zero(bert, tmp_path):
    words = ["The", "\u200b", "fox"]
    store = ts.extract(Corpus.from_sentences([words, words]), bert, tmp_path / "a")
    assert store.manifest.facts["words_without_subwords"] == {"\u200b": 2}
    assert (np.abs(everything(store)).sum(axis=2) > 0).all() and store.valid.all()


@pytest.mark.parametrize("kind", ["wordpiece", "bytes", "unigram"])
def test_subwords_are_those_of_running_text(kind):
    tokenizer = make_tokenizer(kind)
    for words, encoded in zip(SENTENCES, SubwordEncoder(tokenizer).encode(SENTENCES), strict=True):
        running = tokenizer(" ".join(words), add_special_tokens=False)["input_ids"]
        assert [i for word in encoded for i in word] == running


def test_interrupted_extraction_goes_on(bert, corpus, tmp_path, monkeypatch):
    whole = ts.extract(corpus, bert, tmp_path / "whole", shard_words=12)
    real, made = extraction.Shard.save, []

    def stop_at_third(self, *arguments):
        made.append(self.start)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(self, *arguments)

    monkeypatch.setattr(extraction.Shard, "save", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        ts.extract(corpus, bert, tmp_path / "out", shard_words=12)
    done = sorted((tmp_path / "out").rglob("0000*.npy"))
    stamps = [path.stat().st_mtime_ns for path in done]
    monkeypatch.setattr(extraction.Shard, "save", real)
    store = ts.extract(corpus, bert, tmp_path / "out", shard_words=12)
    assert [path.stat().st_mtime_ns for path in done] == stamps and done
    np.testing.assert_array_equal(everything(store), everything(whole))
    assert not list((tmp_path / "out").rglob(".partial-*"))


def test_finished_store_is_reused_and_labels_refreshed(bert, corpus, tmp_path, monkeypatch):
    ts.extract(corpus, bert, tmp_path / "a")
    monkeypatch.setattr(extraction, "load_model", lambda *a: pytest.fail("ran again"))
    upper = [[word.isupper() and "yes" or "no" for word in words] for words in SENTENCES]
    more = Corpus.from_sentences(SENTENCES, {"upper": upper}, name="six")
    assert ts.extract(more, bert, tmp_path / "a").corpus.labels == ("upper",)


def test_other_words_are_extracted_again(bert, corpus, tmp_path):
    ts.extract(corpus, bert, tmp_path / "a")
    other = Corpus.from_sentences([["Another", "text"]])
    assert ts.extract(other, bert, tmp_path / "a").n_words == 2


def test_changed_word_table_is_refused(bert, corpus, tmp_path):
    ts.extract(corpus, bert, tmp_path / "a")
    other = Corpus.from_sentences([words[::-1] for words in SENTENCES])
    other.save(tmp_path / "other")
    (tmp_path / "other" / "sentences.parquet").replace(tmp_path / "a" / "sentences.parquet")
    with pytest.raises(MismatchError, match="word table was changed"):
        ts.ActivationStore.load(tmp_path / "a")


def test_common_words(bert, corpus, tmp_path):
    whole = ts.extract(corpus, bert, tmp_path / "a")
    cut = ts.extract(corpus, bert, tmp_path / "b", max_length=8)
    np.testing.assert_array_equal(common_words(whole, cut), np.flatnonzero(cut.valid))
    other = ts.extract(corpus.select(np.arange(5)), bert, tmp_path / "c")
    with pytest.raises(MismatchError, match="different words"):
        common_words(whole, other)


def test_float16_store(bert, corpus, tmp_path):
    half = ts.extract(corpus, bert, tmp_path / "a", dtype="float16")
    full = ts.extract(corpus, bert, tmp_path / "b")
    assert half[1].dtype == np.float16
    np.testing.assert_allclose(everything(half), everything(full), atol=2e-3)


def test_sharded_rows(bert, corpus, tmp_path):
    store = ts.extract(corpus, bert, tmp_path / "a", shard_words=10)
    whole = np.asarray(store[2])
    rows = np.array([40, 1, 1, 25])
    np.testing.assert_array_equal(store[2][rows], whole[rows])
    np.testing.assert_array_equal(store[2][-1], whole[-1])
    np.testing.assert_array_equal(store[2][5:30:3], whole[5:30:3])
    np.testing.assert_array_equal(np.concatenate(list(store[2].blocks())), whole)
    with pytest.raises(InputError, match="layers 0 to 2, not 7"):
        store[7]


def test_shards_are_whole_sentences():
    sentence = np.repeat(np.arange(50), np.arange(1, 51))
    starts = plan_shards(sentence, 100)
    assert starts[0] == 0 and starts[-1] == len(sentence)
    assert all(sentence[s] != sentence[s - 1] for s in starts[1:-1])
    assert (np.diff(starts)[:-1] >= 100).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "average"}, "pooling = 'average' must be one of last, first, mean"),
        ({"poolin": "last"}, "unknown key 'poolin'; did you mean 'pooling'"),
        ({"max_length": 500}, "the model has only 64 positions"),
        ({"stack": "decoder"}, "has one stack only"),
        ({"device": "tpu9"}, "device 'tpu9' cannot be used"),
        ({"max_length": 2}, "must be at least 4"),
    ],
)
def test_bad_options(bert, corpus, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        ts.extract(corpus, bert, tmp_path / "a", **options)


def test_bad_models(corpus, tmp_path):
    with pytest.raises(InputError, match="is not a folder"):
        ts.extract(corpus, tmp_path / "nowhere", tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no model"):
        ts.extract(corpus, tmp_path / "empty", tmp_path / "a")


def test_overflow_is_an_error(corpus, tmp_path):
    import safetensors.torch as st_

    folder = save_tiny("bert", tmp_path / "m")
    weights = st_.load_file(folder / "model.safetensors")
    weights["encoder.layer.0.output.LayerNorm.weight"] *= 1e6
    st_.save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="layer 1: the activation of .* does not fit float16"):
        ts.extract(corpus, folder, tmp_path / "a", dtype="float16")
    assert ts.extract(corpus, folder, tmp_path / "a").valid.all()
