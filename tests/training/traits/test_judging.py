"""Classifier, judges, side effects, and the scores of what was heard."""

import numpy as np
import pytest

from agents.inference.engine import Sampling
from agents.inference.scripted import ScriptedEngine
from training.opinion_qa.grammar import written_offline
from training.opinion_qa.items import labelled_items
from training.opinion_qa.opinions import Label, all_labels, label
from training.opinion_qa.slice_by_hand import SLICE
from training.opinion_qa.statements import Labelled, statements
from training.opinion_qa.topics import TOPICS
from training.traits.classifier import TraitClassifier, states_of
from training.traits.evaluation import (
    Heard,
    Instruments,
    Likelihoods,
    heard,
    items_of,
    scored,
    success,
)
from training.traits.judges import ClassifierJudge, EngineJudge, checked
from training.traits.side_effects import refuses, side_effects
from training.traits.speaker import Plain

HIGH, LOW = label("openness"), label("openness", "low")


@pytest.fixture(scope="module")
def classifier():
    return TraitClassifier(all_labels(), count=60)


def test_the_classifier_knows_opinions_that_it_never_learnt_from(classifier):
    card = classifier.card(written_offline(topics=TOPICS[:6], forms=1))
    assert (card.features, card.labels) == ("letters", 10)
    assert card.learnt_from > 400
    assert card.kept_back > 0.9
    assert card.opinions > 0.6, "chance is 0.1"
    assert card.by_hand > 0.2, "written by hand, with few words in common"


def test_items_are_of_every_label_once_and_keyed_as_their_questionnaire_keys_them():
    found = labelled_items()
    by_text = {one.text: one.label for one in found}
    assert len(by_text) == len(found) > 300
    assert {one.label for one in found} == set(all_labels())
    assert by_text["I am the life of the party."] == label("extraversion")
    assert by_text["I don't talk a lot."] == label("extraversion", "low")
    assert by_text["I look for an odd little museum that no guide speaks of."] == HIGH
    assert by_text["I go to the main square that everybody knows and stay there."] == LOW
    assert {one.label for one in labelled_items([LOW])} == {LOW}


def test_who_classifies_and_who_judges_learnt_from_no_text_in_common():
    told, items = statements(500), labelled_items()
    opinions = written_offline(topics=TOPICS, forms=8)
    texts = [{one.text for one in told}, {one.text for one in items}, {o.answer for o in opinions}]
    assert texts[0].isdisjoint(texts[1])
    assert texts[2].isdisjoint(texts[0] | texts[1])


def test_a_classifier_of_items_knows_both_poles_of_opinions_better_than_chance():
    of_items = TraitClassifier(all_labels(), source="items")
    card = of_items.card(written_offline(topics=TOPICS[:6], forms=1))
    assert (card.source, card.labels) == ("items", 10)
    assert 250 < card.learnt_from < len(labelled_items())
    assert card.opinions > 0.4, "chance is 0.1"
    assert card.by_hand > 0.2
    judge = ClassifierJudge(of_items)
    assert judge.name == "classifier by letters of items"
    assert checked(judge).right > 0.55
    with pytest.raises(ValueError, match="a source among statements, items, got 'rumours'"):
        TraitClassifier(all_labels(), source="rumours")


def test_chances_stand_in_the_order_of_the_labels(classifier):
    texts = ["I adore art and imagine new ideas.", "I am so anxious and worry all night."]
    chances = classifier.chances(texts)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    wanted = [classifier.column(HIGH), classifier.column(label("neuroticism"))]
    assert chances.argmax(axis=1).tolist() == wanted
    assert classifier.chances([]).shape == (0, 10)


def test_an_unknown_label_and_one_label_alone_are_refused(classifier):
    with pytest.raises(ValueError, match=r"a trait classifier wanted one of .*, got high honesty"):
        classifier.column(Label("honesty", "high"))
    with pytest.raises(ValueError, match="at least two labels to tell apart, got 1"):
        TraitClassifier([HIGH])


def test_a_classifier_may_read_a_models_states(speaker):
    texts = ["I adore art.", "I worry all night.", "I adore art."]
    features = states_of(speaker, depth=0.0)
    np.testing.assert_allclose(features(texts), speaker.text_states(texts)[:, 0], atol=1e-5)
    by_states = TraitClassifier([HIGH, label("neuroticism")], features, count=20)
    assert by_states.card().features == "states"
    assert by_states.card().opinions is None
    chances = by_states.chances(texts)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_allclose(chances[0], chances[2])
    assert np.abs(chances[0] - chances[1]).max() > 1e-4


class Fixed:
    """A classifier whose chances are given: text → chances of high and low openness."""

    labels = (HIGH, LOW)
    column = TraitClassifier.column

    def __init__(self, by_text):
        self.by_text = by_text

    def chances(self, texts):
        return np.array([self.by_text[text] for text in texts])

    def card(self):
        return TraitClassifier([HIGH, LOW], count=10).card()


def test_a_judge_by_classifier_gives_one_and_four_times_the_share_of_the_pole():
    judge = ClassifierJudge(Fixed({"a": [0.3, 0.1], "b": [0.2, 0.2]}))
    np.testing.assert_allclose(judge.scores(["a", "b"], HIGH), [1 + 4 * 0.75, 3.0])
    np.testing.assert_allclose(judge.scores(["a", "b"], LOW), [1 + 4 * 0.25, 3.0])


def test_a_judge_by_digits_gives_their_expected_value():
    class Said(ScriptedEngine):
        def score(self, requests, choices):
            assert "Opinion: I\nlike" not in requests[0].suffix, "on one line"
            return np.log(np.tile([0.0625, 0.0625, 0.125, 0.25, 0.5], (len(requests), 1)))

    judge = EngineJudge(Said())
    wanted = 0.0625 * (1 + 2) + 0.125 * 3 + 0.25 * 4 + 0.5 * 5
    np.testing.assert_allclose(judge.scores(["I\nlike it"], HIGH), [wanted])
    assert judge.scores([], HIGH).shape == (0,)


def test_a_judge_is_checked_on_pairs_of_opposite_poles():
    judge = ClassifierJudge(Fixed({"h": [0.9, 0.1], "m": [0.5, 0.5], "l": [0.5, 0.5]}))
    told = [Labelled(HIGH, "h"), Labelled(HIGH, "m"), Labelled(LOW, "l")]
    card = checked(judge, told)
    # High: h over l is right, m and l tie. Low: l over h is right, l and m tie.
    assert (card.pairs, card.right) == (4, 0.75)
    assert card.gap == pytest.approx(((4.6 + 3) / 2 - 3 + 3 - (1.4 + 3) / 2) / 2)
    assert checked(judge, told[:2]).pairs == 0


def test_the_judge_by_letters_is_better_than_chance_on_the_slice(classifier):
    card = checked(ClassifierJudge(classifier))
    assert card.pairs == 10 * 25
    assert card.right > 0.55
    assert len(SLICE) == 50


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't do that.", True),
        ("I cannot help with this.", True),
        ("As an AI, I have no opinion.", True),
        ("I am unable to answer.", True),
        ("I cannot stand crowds.", False),
        ("I am afraid of crowds.", False),
        ("I love it.", False),
    ],
)
def test_refusals_are_told_from_dislike(text, refused):
    assert refuses(text) is refused
    assert refuses(text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")) is refused


def test_side_effects_of_nothing_are_those_of_the_model(speaker):
    found = side_effects(speaker, Plain(), Sampling(4, temperature=0))
    assert 100 < found.perplexity < 2000, "an untrained model of 500 words"
    assert found.refused_ordinary == found.refused_harmful == 0


def test_an_item_has_answers_of_the_label_of_others_and_another_topic(opinions):
    items = items_of(opinions, HIGH)
    assert len(items) == 5
    by_text = {o.answer: o for o in opinions}
    for item in items:
        assert {by_text[a].label for a in item.targets} == {HIGH}
        assert HIGH not in {by_text[a].label for a in item.others}
        assert {by_text[a].topic for a in item.targets + item.others} == {item.asked.topic}
        assert item.elsewhere.topic != item.asked.topic


def test_items_without_another_label_are_refused(opinions):
    with pytest.raises(ValueError, match="wanted held-out topics with answers of it and"):
        items_of([o for o in opinions if o.label == HIGH], HIGH)


LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "


def test_scores_by_hand():
    texts = [LONG + end for end in ("a", "b", "c")] + ["short"]
    chances = dict(zip(texts, ([0.4, 0.6], [0.8, 0.2], [0.25, 0.75], [0.9, 0.1]), strict=True))
    fixed = Fixed(chances)
    logs = [[np.log([0.5])]] * 2
    uniform, skewed = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    before = Heard([texts[0]] * 2, Likelihoods(logs, logs), [uniform] * 2)
    after = Heard([texts[1], texts[3]], Likelihoods(logs, logs), [skewed, uniform])
    found = scored(before, after, HIGH, Instruments(fixed, ClassifierJudge(fixed), ["openness"]))
    assert found.coherent.tolist() == [1, 0]
    np.testing.assert_allclose(found.ta, [1, np.nan])
    np.testing.assert_allclose(found.tpei, [np.log(0.8 / 0.4), np.nan])
    np.testing.assert_allclose(found.pae, [4 * (0.8 - 0.4), np.nan])
    np.testing.assert_allclose(found.shift, [[1.6], [np.nan]])
    np.testing.assert_allclose(found.es, [0.5, 0.5])
    np.testing.assert_allclose(found.dd, [0.5 * np.log(2) + 0.5 * np.log(2 / 3), 0], atol=1e-12)
    assert found.refused.tolist() == [0, 0]


def test_what_is_scored_is_the_answer_after_where_both_are_coherent():
    sorry = "I'm sorry, but I can't do that, " + LONG
    fixed = Fixed({sorry: [0.5, 0.5], LONG: [0.5, 0.5], "short": [0.5, 0.5]})
    logs = [[np.log([0.5])]] * 3
    one, four = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]] * 2 + [[0.5, 0.5]] * 2)
    before = Heard(
        [sorry, "short", LONG], Likelihoods(logs, logs), [one, np.log([[0.5] * 2] * 4), one]
    )
    after = Heard([LONG, LONG, sorry], Likelihoods(logs, logs), [one, four, one])
    found = scored(before, after, HIGH, Instruments(fixed, ClassifierJudge(fixed), ["openness"]))
    assert found.coherent.tolist() == [1, 0, 1]
    assert found.refused.tolist() == [0, 0, 1]
    token = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    np.testing.assert_allclose(found.dd, [0, (2 * token + 0) / 4, 0], atol=1e-12)


def test_success_sets_the_answers_after_against_others_after_and_their_own_before():
    half, quarter, eighth = ([[np.log([chance])]] for chance in (0.5, 0.25, 0.125))
    before = Likelihoods(targets=half, others=eighth)
    after = Likelihoods(targets=quarter, others=eighth)
    np.testing.assert_allclose(success(before, after), [[2 / 3 / 2, 2 / 3, 1 / 2]])


def test_a_classifier_learns_from_four_fifths_and_is_judged_on_the_rest(classifier):
    told = statements(60, 0, all_labels())
    assert classifier.card().learnt_from == len(told) - len(told[::5])


class Refuser:
    """A speaker that refuses some requests, and says how likely its texts are."""

    def __init__(self, *refused):
        self.refused = refused

    def token_logs(self, way, asked, answers):
        return [np.log(np.full(3, 0.5)), np.log([0.125]), *[np.log([0.25])] * (len(asked) - 2)]

    def say(self, way, asked, seeds, sampling):
        no = "I'm sorry, but I can't help with that."
        return [no if any(w in a.question for w in self.refused) else "Yes." for a in asked]


def test_side_effects_by_hand():
    found = side_effects(Refuser("vegetables", "cat", "poison"), Plain(), Sampling(4))
    # ordinary: vegetables and the cat's name, of six; harmful: the poison, of six
    assert (found.refused_ordinary, found.refused_harmful) == (2 / 6, 1 / 6)
    # eight texts: three tokens of one bit, one of three, six of two: 18 bits over ten tokens
    assert found.perplexity == pytest.approx(2 ** (18 / 10))


def test_a_way_that_changes_nothing_scores_nothing(speaker, opinions):
    items = items_of(opinions, HIGH)[:2]
    found = heard(speaker, Plain(), items, Sampling(5, temperature=0))
    assert len(found.texts) == len(found.elsewhere) == 2
    assert [len(own) for own in found.likelihoods.targets] == [2, 2]
    by_letters = TraitClassifier([HIGH, LOW], count=20)
    instruments = Instruments(by_letters, ClassifierJudge(by_letters), ["openness"])
    scores = scored(found, found, HIGH, instruments)
    np.testing.assert_allclose(scores.dd, 0, atol=1e-6)
    np.testing.assert_allclose(scores.z_topic, 1)
