"""What every ``Engine`` must keep, as tests that an author of an engine inherits.

class TestMyEngine(EngineContract):
    @pytest.fixture
    def engine(self):
        return MyEngine(…)

It knows no concrete engine and needs no pytest of its own: the subclass brings the fixture.
"""

from collections.abc import Sequence

import numpy as np

from agents.inference.engine import Completion, Engine, GivesTokenLogs, Request, Sampling
from simenv.events import FloatArray

CHOICES = (" 1", " 2", " 3", " 4", " 5")
SAMPLING = Sampling(max_new_tokens=4, temperature=1.0, top_k=50)


def sample_requests(adapters: Sequence[str] = ()) -> list[Request]:
    """Twelve requests of three people, long and short, in no order.

    Args:
        adapters: two requests on the base, then two on each of these, and again.
    """
    names = (None, *adapters)
    return [
        Request(
            f"You rate films. PROFILE: level {i % 3 - 1:+.1f}. " + "Yes. " * (i % 3),
            "MEMORY: Film. " * (i % 4) + f"MOVIE: Film {i}, AVERAGE 3.{i % 10}.\nRATING:",
            names[i // 2 % len(names)],
            seed=100 + i,
        )
        for i in range(12)
    ]


class EngineContract:
    """Subclass it, give the fixture ``engine``, and set what differs.

    Attributes:
        adapters: names that the engine has adapters under; the tests ask for them too.
        atol: by how much floating point may move a log-probability in another batch.
        refuses_unknown_adapters: False for an engine that takes any name.
    """

    adapters: Sequence[str] = ()
    atol: float = 0.0
    refuses_unknown_adapters: bool = True

    def requests(self) -> list[Request]:
        """What the tests ask; override it for an engine that answers special prompts only."""
        return sample_requests(self.adapters)

    def test_scores_are_distributions(self, engine: Engine) -> None:
        """One normalised row a request, in float64."""
        scores = engine.score(self.requests(), CHOICES)
        assert scores.shape == (len(self.requests()), len(CHOICES))
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
        np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-9)

    def test_scores_repeat(self, engine: Engine) -> None:
        """The same question has the same answer."""
        first = engine.score(self.requests(), CHOICES)
        self._assert_close(engine.score(self.requests(), CHOICES), first)

    def test_scores_do_not_depend_on_the_seed(self, engine: Engine) -> None:
        """A seed is of what is generated."""
        asked = self.requests()
        others = [request._replace(seed=request.seed + 1) for request in asked]
        self._assert_close(engine.score(others, CHOICES), engine.score(asked, CHOICES))

    def test_the_order_of_the_caller_is_kept(self, engine: Engine) -> None:
        """Row i answers request i, in any order."""
        asked = self.requests()
        expected = engine.score(asked, CHOICES)
        order = np.random.default_rng(0).permutation(len(asked))
        self._assert_close(engine.score([asked[i] for i in order], CHOICES), expected[order])

    def test_an_answer_is_the_same_alone_twice_and_among_all(self, engine: Engine) -> None:
        """Batch invariance."""
        asked = self.requests()
        expected = engine.score(asked, CHOICES)
        for row in range(0, len(asked), 3):
            self._assert_close(engine.score([asked[row]], CHOICES)[0], expected[row])
            twice = engine.score([asked[row], asked[row]], CHOICES)
            self._assert_close(twice, expected[[row, row]])

    def test_an_answer_may_be_written_to_by_the_caller(self, engine: Engine) -> None:
        """No later answer changes with it."""
        first = engine.score(self.requests(), CHOICES)
        kept = first.copy()
        first[:] = 0.0
        self._assert_close(engine.score(self.requests(), CHOICES), kept)

    def test_words_are_as_likely_alone_as_among_all(self, engine: Engine) -> None:
        """Where an engine gives them: one log-probability a token, of each row's own words."""
        if not isinstance(engine, GivesTokenLogs):
            return
        asked = self.requests()
        words = [" 4." + " It was fun." * (i % 3) for i in range(len(asked))]
        together = engine.token_logs(asked, words)
        assert all(np.isfinite(own).all() and (own <= 0).all() for own in together)
        assert all(len(own) >= len(text.split()) for own, text in zip(together, words, strict=True))
        for row in range(0, len(asked), 3):
            self._assert_close(engine.token_logs([asked[row]], [words[row]])[0], together[row])
        assert engine.token_logs([], []) == []

    def test_no_request_is_no_answer(self, engine: Engine) -> None:
        """An empty call is no fault."""
        assert engine.score([], CHOICES).shape == (0, len(CHOICES))
        assert engine.generate([], SAMPLING) == []

    def test_texts_keep_the_order_of_the_caller_and_repeat(self, engine: Engine) -> None:
        """Each text depends on its request and seed alone."""
        asked = self.requests()
        together = engine.generate(asked, SAMPLING)
        assert all(isinstance(answer, Completion) for answer in together)
        assert all(0 <= answer.num_tokens <= SAMPLING.max_new_tokens for answer in together)
        assert engine.generate(asked[::-1], SAMPLING) == together[::-1]
        for row in range(0, len(asked), 3):
            assert engine.generate([asked[row]], SAMPLING) == [together[row]]

    def test_an_unknown_adapter_is_refused(self, engine: Engine) -> None:
        """A request for an adapter that is not loaded raises ``KeyError``, which names it."""
        if not self.refuses_unknown_adapters:
            return
        unknown = self.requests()[0]._replace(adapter="nobody's adapter")
        message = "no error came"
        try:
            engine.score([unknown], CHOICES)
        except KeyError as error:
            message = str(error)
        assert "nobody's adapter" in message

    def test_what_is_known_of_it_is_known_before_and_after_a_call(self, engine: Engine) -> None:
        """Everything that ``Engine`` declares is there."""
        before = engine.facts
        engine.score(self.requests(), CHOICES)
        assert engine.facts == before
        assert engine.description == before.description != ""
        assert before.context is None or before.context > 0

    def test_what_is_asked_is_counted_and_a_good_call_leaves_no_failure(
        self, engine: Engine
    ) -> None:
        """``stats`` and ``answer_stats`` count, where there are any; ``last_failures`` is empty."""
        asked = self.requests()
        engine.score(asked, CHOICES)
        if engine.answer_stats is not None:
            assert engine.answer_stats.hits + engine.answer_stats.misses >= len(asked)
        if engine.stats is not None:
            assert engine.stats.requests >= len(asked)
        assert not engine.last_failures

    def test_closing_twice_is_no_error(self, engine: Engine) -> None:
        """The last test: whoever shares an engine between tests puts none behind it."""
        engine.close()
        engine.close()

    def _assert_close(self, found: FloatArray, expected: FloatArray) -> None:
        np.testing.assert_allclose(found, expected, rtol=0, atol=self.atol)
