"""From words to vectors: offline embedders of item texts, and sentence-transformers by name."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts in, unit vectors out."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), d) float32 of length 1; an empty text may give the zero vector."""
        ...


class TfidfSvdEmbedder:
    """TF-IDF of words, reduced by truncated SVD; fitted on the first texts it sees (scikit-learn).

    It needs no model and no network. Words that were not in the fitted texts are ignored.
    """

    def __init__(self, num_dims: int = 64, seed: int = 0) -> None:
        self.num_dims = num_dims
        self.seed = seed
        self._words: Any = None  # scikit-learn's, once fitted
        self._svd: Any = None

    def fit(self, texts: Sequence[str]) -> "TfidfSvdEmbedder":
        """Learn the vocabulary and the directions from ``texts``.

        Words of a single text are left out of large collections, unless there are no others.

        Raises:
            ValueError: there are fewer than two different words of two letters or more.
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

        split = CountVectorizer().build_analyzer()
        seen = Counter(word for text in texts for word in set(split(text)))
        if len(seen) < 2:
            raise ValueError(
                "TfidfSvdEmbedder wanted at least two different words of two letters or more, got"
                f" {len(seen)} in {len(texts)} texts; give the items titles, genres or summaries"
            )
        shared = len(texts) > 50 and max(seen.values()) > 1
        self._words = TfidfVectorizer(sublinear_tf=True, min_df=2 if shared else 1)
        counts = self._words.fit_transform(texts)
        width = min(self.num_dims, counts.shape[1] - 1, counts.shape[0] - 1)
        self._svd = TruncatedSVD(max(width, 1), random_state=self.seed).fit(counts)
        return self

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), d) unit vectors; fits on these texts if ``fit`` was never called."""
        if self._svd is None:
            self.fit(texts)
        return unit(self._svd.transform(self._words.transform(texts)))


class HashingEmbedder:
    """Hashed word counts: needs no fitting, so any two texts are comparable for ever."""

    def __init__(self, num_dims: int = 512) -> None:
        self.num_dims = num_dims

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), num_dims) unit vectors."""
        from sklearn.feature_extraction.text import HashingVectorizer

        vectorizer = HashingVectorizer(n_features=self.num_dims, norm=None)
        return unit(vectorizer.transform(texts).toarray())


class SentenceTransformerEmbedder:
    """Any sentence-transformers model by name or folder; loaded at the first use."""

    def __init__(self, model: str, device: str | None = None) -> None:
        self.model = model
        self.device = device
        self._encoder: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), d) unit vectors.

        Raises:
            ImportError: sentence-transformers is not installed; the text is the install line.
        """
        if self._encoder is None:
            self._encoder = self._loaded()
        return unit(self._encoder.encode(list(texts), show_progress_bar=False))

    def _loaded(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise ImportError(
                "SentenceTransformerEmbedder needs sentence-transformers:"
                " pip install sentence-transformers"
            ) from error
        return SentenceTransformer(self.model, device=self.device, trust_remote_code=False)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled = np.zeros(vectors.shape, dtype=np.float32)
    np.divide(vectors, lengths, out=scaled, where=lengths > 0, casting="same_kind")
    return scaled
