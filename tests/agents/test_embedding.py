import sys

import numpy as np
import pytest

from agents.embedding import (
    HashingEmbedder,
    SentenceTransformerEmbedder,
    TfidfSvdEmbedder,
    unit,
)

TEXTS = ["a war at sea", "a war on land", "love at first sight", "love in the city", ""]


@pytest.mark.parametrize("embedder", [TfidfSvdEmbedder(), HashingEmbedder()])
def test_vectors_have_length_1_and_empty_texts_length_0(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert len(vectors) == len(TEXTS)
    np.testing.assert_allclose(np.linalg.norm(vectors[:4], axis=1), 1.0, atol=1e-6)
    assert (vectors[4] == 0).all()


@pytest.mark.parametrize("embedder", [TfidfSvdEmbedder(), HashingEmbedder()])
def test_texts_that_share_words_are_closer(embedder):
    war, other_war, love, *_ = embedder.embed(TEXTS)
    assert war @ other_war > war @ love


def test_tfidf_is_fitted_once_and_comparable_afterwards():
    embedder = TfidfSvdEmbedder(num_dims=3).fit(TEXTS)
    np.testing.assert_array_equal(embedder.embed(TEXTS)[[1]], embedder.embed([TEXTS[1]]))
    assert (embedder.embed(["zebra"]) == 0).all(), "words that were not fitted are ignored"


def test_tfidf_fits_on_the_first_texts_it_sees():
    embedder = TfidfSvdEmbedder()
    first = embedder.embed(TEXTS)
    np.testing.assert_array_equal(first, TfidfSvdEmbedder().fit(TEXTS).embed(TEXTS))


@pytest.mark.filterwarnings("ignore:invalid value")  # scikit-learn's variance of one row
def test_tfidf_embeds_a_single_text():
    np.testing.assert_allclose(abs(TfidfSvdEmbedder().embed(["war film"])), [[1.0]])


def test_tfidf_takes_many_titles_that_share_no_word():
    """Words of one text were dropped whatever the rest, so that nothing was left to fit."""
    titles = [f"title{i}" for i in range(60)]
    vectors = TfidfSvdEmbedder().embed(titles)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_tfidf_refuses_texts_without_words():
    message = "wanted at least two different words .* got 0 in 2 texts; give the items titles"
    with pytest.raises(ValueError, match=message):
        TfidfSvdEmbedder().embed(["", "7"])


def test_hashing_gives_one_text_one_vector_whatever_came_before():
    embedder = HashingEmbedder(num_dims=64)
    alone = embedder.embed([TEXTS[2]])
    assert alone.shape == (1, 64)
    np.testing.assert_array_equal(embedder.embed(TEXTS)[[2]], alone)
    np.testing.assert_array_equal(HashingEmbedder(num_dims=64).embed([TEXTS[2]]), alone)


def test_without_sentence_transformers_the_error_is_the_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    embedder = SentenceTransformerEmbedder("any/model")  # building it needs nothing
    with pytest.raises(ImportError, match="pip install sentence-transformers"):
        embedder.embed(TEXTS)


def test_unit_keeps_zero_rows_and_changes_no_input():
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(unit(rows), [[0.6, 0.8], [0.0, 0.0]])
    assert rows[0, 0] == 3.0
