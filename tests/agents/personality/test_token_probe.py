"""Words and emojis counted by hand, and the questions that are asked."""

from agents.inference.engine import Completion, Request
from agents.inference.scripted import ScriptedEngine
from agents.personality.token_probe import most_frequent, probe, probe_question

SMILE = "\U0001f60a"


class Talker(ScriptedEngine):
    """Says its request's seed and a smile, and keeps what it was asked."""

    def generate(self, requests, sampling):
        self.asked = list(requests)
        self.sampling = sampling
        return [Completion(f"fun {r.seed} {SMILE}", 3) for r in requests]


def test_the_most_frequent_tokens_are_words_in_lower_case_and_emojis():
    found = most_frequent([f"Fun, fun! {SMILE}", f"party{SMILE}{SMILE} well-known don't"], most=3)
    assert found.tokens == [(SMILE, 3), ("fun", 2), ("don't", 1)]
    assert found.num_emojis == 1
    assert found.emojis == [(SMILE, 3)]


def test_every_answer_has_a_seed_of_its_own():
    engine = Talker()
    question = Request("", probe_question("talkative"), "high", seed=7)
    found = probe(engine, [question], num_answers=3)
    assert [(r.seed, r.adapter) for r in engine.asked] == [(7, "high"), (8, "high"), (9, "high")]
    assert found.tokens[:2] == [("fun", 3), (SMILE, 3)]
    assert engine.sampling.emojis
