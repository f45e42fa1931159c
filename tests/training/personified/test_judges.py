"""Judges on replies by hand, the rules word by word, and a model that goes on where they end."""

import json

import pytest

from training.personified.exchanges import Exchange
from training.personified.judging.held_out_slice import HELD_OUT
from training.personified.judging.judges import judge_named
from training.personified.judging.nli import NliJudge, taken_for_granted
from training.personified.judging.second_slice import SECOND, about_stars, about_taste
from training.personified.judging.slice_by_hand import SLICE
from training.personified.judging.stances import (
    RuleJudge,
    checked,
    denies,
    leaning,
    stated_stars,
)

FIVE = about_stars('Since you gave "Oak" 5 stars, why?', 2, 5)
ONE = about_stars('Since you gave "Oak" 1 star, why?', 4, 1)
THREE = about_stars('Since you gave "Oak" 3 stars, why?', 1, 3)
NEVER = about_stars('You have never rated "Oak". Will you?', 2, 0)


def test_what_the_rules_are_worth_on_each_slice():
    """The last is the figure: no rule was made by it."""
    assert checked(RuleJudge(), SLICE) == ("rules", 1, 24, 0)
    assert checked(RuleJudge(), SECOND) == ("rules", 44 / 58, 58, 1 / 58)
    assert checked(RuleJudge(), HELD_OUT) == ("rules", 36 / 48, 48, 1 / 48)


def test_the_slices_have_no_reply_in_common_and_every_stance_has_enough():
    known = {(one.question, reply) for one, reply, _ in (*SLICE, *SECOND)}
    held_out = [(one.question, reply) for one, reply, _ in HELD_OUT]
    assert len({reply for _, reply in held_out}) == len(held_out)
    assert not known & set(held_out)
    stances = [stance for _, _, stance in HELD_OUT]
    assert min(stances.count("rejects"), stances.count("accepts")) >= 20


def test_who_is_decided_wrongly_is_not_who_is_left_unclear():
    class Always:
        name = "always"

        def stance(self, exchange, reply):
            return reply

    told = [
        (FIVE, "rejects", "accepts"),
        (FIVE, "unclear", "accepts"),
        (FIVE, "accepts", "accepts"),
    ]
    assert checked(Always(), told) == ("always", 1 / 3, 3, 1 / 3)


@pytest.mark.parametrize(
    ("reply", "stated"),
    [
        ("I gave it a five.", 5), ("It was a middling three.", 3), ("I gave it 4 because", 4),
        ("I only gave it a single star.", 1), ("It was one of the best.", None),
        ("5 stars? I gave it 2 stars.", 2), ("5 stars would be too much.", None),
        ("One star is too harsh; it was four stars.", 4), ("I gave it to two friends.", None),
        ("You say it was 5 stars, I gave it 2 stars.", 2), ("You gave it 5 stars.", None),
        ("Others gave 3.9. I gave it 5 stars.", 5), ("Others gave 4.", None),
        ("I gave 2, others gave it 4 stars.", 2), ("I rated it 3.", 3),
        ("It was 3 hours long.", None),
    ],
)  # fmt: skip
def test_stars_are_read_without_their_word_and_never_from_an_echo(reply, stated):
    assert stated_stars(reply) == stated


@pytest.mark.parametrize(
    ("reply", "leans"),
    [
        ("I loved it.", 1), ("I did not enjoy it.", -1), ("Nothing was good.", -1),
        ("Boring? It was great fun.", 2), ("It was never dull.", 1), ("A film.", 0),
        ("It looks like a film.", 0), ("I don\u2019t like it, it is slow and weak.", -3),
    ],
)  # fmt: skip
def test_liking_is_counted_with_its_denials(reply, leans):
    assert leaning(reply) == leans


def test_liking_goes_with_what_is_claimed():
    judge = RuleJudge()
    assert judge.stance(FIVE, "It was dull.") == judge.stance(ONE, "It was great.") == "rejects"
    assert judge.stance(FIVE, "It was great.") == judge.stance(ONE, "It was dull.") == "accepts"
    assert judge.stance(THREE, "It was great.") == "unclear", "three stars go with anything"
    assert judge.stance(NEVER, "I might enjoy it.") == "unclear", "one may hope"


def test_who_has_seen_it_rejects_that_they_have_not():
    judge = RuleJudge()
    assert judge.stance(NEVER, "I have already watched it.") == "rejects"
    assert judge.stance(FIVE, "I have already watched it.") == "unclear"
    assert judge.stance(NEVER, "I have yet to see it.") == "accepts"
    assert judge.stance(FIVE, "That title means nothing to me.") == "rejects"


def test_a_no_before_a_noun_denies_nothing():
    assert not denies("No story, no jokes.")
    assert all(map(denies, ("No.", "No, I did.", "No I did not.", "No")))


@pytest.mark.parametrize(
    ("exchange", "told"),
    [
        (FIVE, 'I gave "Oak" 5 stars.'), (ONE, 'I gave "Oak" 1 star.'),
        (NEVER, 'I have never seen "Oak".'),
        (about_taste('As a fan of "Oak", why?', 2, loved=True), 'I like "Oak".'),
        (about_taste('You hated "Oak". Why?', 4, loved=False), 'I dislike "Oak".'),
        (Exchange("A", 0, "s", "error", "You hate tea. Why?", "-", "-"), "You hate tea. Why?"),
    ],
)  # fmt: skip
def test_a_premise_is_told_as_a_statement(exchange, told):
    assert taken_for_granted(exchange) == told


# -- a model ----------------------------------------------------------------------------------


def classifier(folder, labels, wins):
    """A tiny BERT whose answer is the label ``wins``, whatever it reads."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = {w: n for n, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "I", "gave", "stars"])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=512, num_labels=len(labels),
        id2label=dict(enumerate(labels)),
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.zero_()
        model.classifier.bias[labels.index(wins)] = 1
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    ).save_pretrained(folder)
    return str(folder)


LABELS = ["CONTRADICTION", "neutral", "Entailment"]


@pytest.mark.slow
def test_a_model_judges_what_the_rules_leave_open_and_nothing_else(tmp_path):
    for wins, stance in zip(LABELS, ("rejects", "unclear", "accepts"), strict=True):
        judge = judge_named("nli", classifier(tmp_path / wins, LABELS, wins))
        assert judge.name == "nli"
        assert judge.stance(FIVE, "The sea is in it.") == stance
        assert judge.stance(FIVE, "I gave it 5 stars.") == "accepts", "rules first"
        assert judge.stance(FIVE, "I gave it 2 stars.") == "rejects", "rules first"
        assert judge.stance(FIVE, " ") == "unclear", "who says nothing says nothing"


@pytest.mark.slow
def test_a_model_reads_the_reply_before_the_statement(tmp_path):
    judge = NliJudge(classifier(tmp_path / "m", LABELS, "neutral"), "cpu")
    read = []
    inner = judge._tokenizer
    judge._tokenizer = lambda *texts, **how: read.append(texts) or inner(*texts, **how)
    judge.stance(FIVE, "The sea is in it. " * 90)
    assert read == [("The sea is in it. " * 90, 'I gave "Oak" 5 stars.')]


@pytest.mark.slow
def test_a_missing_or_other_model_is_refused_with_a_cure(tmp_path):
    with pytest.raises(ValueError, match=r"judge nli wanted a model, got none; set experiment.nli"):
        judge_named("nli")
    with pytest.raises(ValueError, match=r"an NLI classifier, got '.*nowhere' .*judge=rules"):
        judge_named("nli", str(tmp_path / "a" / "b" / "nowhere"))
    other = classifier(tmp_path / "other", ["good", "bad"], "bad")
    with pytest.raises(ValueError, match=r"one of contradiction, got good, bad; set"):
        judge_named("nli", other)
    torn = tmp_path / "torn"
    classifier(torn, LABELS, "neutral")
    (torn / "model.safetensors").unlink()
    (torn / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ValueError, match="judge nli wanted an NLI classifier"):
        judge_named("nli", str(torn))
    assert json.loads((torn / "config.json").read_text())["id2label"]["0"] == "CONTRADICTION"
