"""Training on lessons and by preferences, on a model too small to mean anything."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from agents.population.adapters import WEIGHTS, base_identity, check_adapter
from simenv.data.synthetic import synthetic
from tests.training.personified.conftest import lives
from training.adapters.lora_presets import lora_preset
from training.base.pocket_model import PocketConfig, new_model, train_tokenizer
from training.personified.corpora import Corpora
from training.personified.fine_tuning import train_personified
from training.personified.lessons import Rated, Said, choices_of, lessons_of
from training.personified.preference_tuning import DpoSettings, train_preferences
from training.personified.preferences import preferences
from training.personified.prompts import TIME_TOKENS, Telling, time_label
from training.personified.retrieval import Budgets, Recall
from training.personified.whole_model import WholeSettings, train_whole
from training.personified.writing.rating_grammar import written_about_ratings
from training.traits.opinion_training import Adapted
from training.traits.speaker import Speaker

pytestmark = pytest.mark.slow
PRESET = lora_preset("personified", rank=4, epochs=1, blocks_per_step=8, learning_rate=0.01)
DPO = DpoSettings(learning_rate=0.02, epochs=1, pairs_per_step=8)
RATED = Rated("You are Ann.\n", 'MOVIE: "Jaws"\nRATING:', 5)


class Made:
    """Lessons, pairs, and a base that can read them."""

    def __init__(self, root):
        corpora = Corpora(lives(), ("early", "late"), "movie")
        recall = Recall(corpora, Budgets(12, 9))
        exchanges = written_about_ratings(
            corpora, frozenset(["Ann, Saw", "Ann, Jaws", "Bob, Dune"])
        )
        self.lessons = lessons_of(exchanges, recall, Telling(), [RATED] * 4)
        pairs = preferences(exchanges, skipped=1)
        self.choices = choices_of(pairs, recall, Telling())
        said = [one for one in self.lessons if isinstance(one, Said)]
        texts = [m["content"] for one in said for m in one.conversation]
        tokenizer = train_tokenizer([*texts, *(one.answer for one in said), " 1 2 3 4 5"], 600)
        self.base = root / "base"
        new_model(replace(PocketConfig.tiny(), seed=0), len(tokenizer)).save_pretrained(self.base)
        tokenizer.save_pretrained(self.base)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("personified"))


@pytest.fixture(scope="module")
def tuned(made, tmp_path_factory):
    """Folder of the adapter that was tuned on lessons."""
    folder = tmp_path_factory.mktemp("tuned") / "tuned"
    card = train_personified(made.base, made.lessons, PRESET, folder, device="cpu")
    assert (card["conversations"], card["ratings"]) == (len(made.lessons) - 4, 4)
    assert card["last_loss"] < card["first_loss"]
    again = train_personified(made.base, made.lessons, PRESET, folder)
    assert again["seconds"] == card["seconds"], "it is not done twice"
    return folder


def logs_of(speaker, choices):
    """(n, 2) log-probabilities of right and rejected answers."""
    found = []
    for one in choices:
        pair = [speaker.sample(one.conversation, text) for text in (one.chosen, one.rejected)]
        logs = speaker.answer_logs(pair)
        found.append([float(t[range(len(ids)), ids].sum()) for t, ids in logs])
    return np.array(found)


def test_preferences_part_right_from_rejected_and_begin_at_the_reference(made, tuned, tmp_path):
    losses = []
    folder = tmp_path / "preferred"
    card = train_preferences(
        made.base, tuned, made.choices, DPO, folder, device="cpu",
        on_step=lambda step, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[0] == pytest.approx(np.log(2), abs=1e-5), "nothing is preferred at first"
    assert losses[-1] < losses[0]
    assert card["pairs"] == len(made.choices)
    check_adapter(folder, made.base)
    assert not (folder / "ref").exists()
    speaker = Speaker.load(made.base, "cpu", "float32")
    margins = []
    for own in (tuned, folder):
        with Adapted(speaker, own).at_work():
            logs = logs_of(speaker, made.choices)
        margins.append(logs[:, 0] - logs[:, 1])
    assert np.mean(margins[1] - margins[0]) > 0.5


class StopError(Exception):
    """The run was killed."""


def test_a_run_that_was_killed_ends_as_one_that_was_not(made, tuned, tmp_path):
    def kill(step, loss):
        if step == 2:
            raise StopError

    twice = replace(DPO, epochs=2)
    settings = {"device": "cpu", "save_every": 1}
    with pytest.raises(StopError):
        train_preferences(
            made.base, tuned, made.choices, twice, tmp_path / "a", on_step=kill, **settings
        )
    steps = []
    train_preferences(
        made.base, tuned, made.choices, twice, tmp_path / "a",
        on_step=lambda step, loss: steps.append(step), **settings,
    )  # fmt: skip
    assert steps[0] > 1, "it went on"
    train_preferences(made.base, tuned, made.choices, twice, tmp_path / "b", **settings)
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in "ab")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_pairs_that_are_computed_apart_are_one_update(made, tuned, tmp_path, monkeypatch):
    from training.personified import pair_trainer

    def together(*args, **kwargs):
        found = apart(*args, **kwargs)
        found.gradient_accumulation_steps, found.per_device_train_batch_size = 1, 8
        return found

    pairs = made.choices[:11]  # the last update has three
    once = {"device": "cpu", "seed": 3}
    train_preferences(made.base, tuned, pairs, DPO, tmp_path / "apart", **once)
    apart = pair_trainer.pair_arguments
    monkeypatch.setattr(pair_trainer, "pair_arguments", together)
    train_preferences(made.base, tuned, pairs, DPO, tmp_path / "together", **once)
    one, other = (load_file(tmp_path / name / WEIGHTS) for name in ("apart", "together"))
    assert all(np.allclose(one[name], other[name], atol=1e-3) for name in one)


@pytest.mark.parametrize("length", ["none", "mean", "shared"])
def test_the_loss_is_that_of_dpo_with_the_credit_for_length_that_its_name_says(
    made, tuned, tmp_path, length
):
    """After one step, by hand: -log sigmoid(beta * (what chosen gained - what rejected gained))."""
    pair = made.choices[0]._replace(rejected=" ".join([made.choices[0].rejected] * 3))
    settings = replace(DPO, length=length, beta=0.3, epochs=2, pairs_per_step=1, learning_rate=2e-3)
    losses = []

    def kill(step, loss):
        losses.append(loss)
        if step == 2:
            raise StopError

    with pytest.raises(StopError):
        train_preferences(
            made.base, tuned, [pair], settings, tmp_path / "x", device="cpu", save_every=1,
            on_step=kill,
        )  # fmt: skip
    speaker = Speaker.load(made.base, "cpu", "float32")
    [after] = tmp_path.glob("*.training/checkpoint-1")
    logs = []
    for own in (after, tuned):
        with Adapted(speaker, own).at_work():
            logs.append(tokens_of(speaker, pair))
    gains = [new - old for new, old in zip(*logs, strict=True)]
    by_hand = {name: loss_by_hand(*gains, name) for name in ("none", "mean", "shared")}
    assert losses == pytest.approx([np.log(2), by_hand.pop(length)], abs=2e-3)
    apart = [abs(losses[1] - other) for other in by_hand.values()]
    assert min(apart) > 0.01, "length says something"


def loss_by_hand(chosen, rejected, length, beta=0.3):
    """From what the tokens of either answer gained over the reference."""
    if length == "shared":
        shared = min(len(chosen), len(rejected))
        chosen, rejected = chosen[:shared], rejected[:shared]
    apart = chosen.mean() - rejected.mean() if length == "mean" else chosen.sum() - rejected.sum()
    return np.log1p(np.exp(-beta * apart))


def tokens_of(speaker, pair):
    """Log-probabilities of the tokens of the right answer, and of the rejected one."""
    told = [speaker.sample(pair.conversation, text) for text in (pair.chosen, pair.rejected)]
    return [t[range(len(ids)), ids].numpy() for t, ids in speaker.answer_logs(told)]


def test_mean_and_published_losses_train_too(made, tuned, tmp_path):
    for length in ("none", "mean"):
        card = train_preferences(
            made.base, tuned, made.choices[:8], replace(DPO, length=length, epochs=2),
            tmp_path / length, device="cpu",
        )  # fmt: skip
        assert card["last_loss"] < card["first_loss"], length


def test_nothing_to_learn_is_refused(made, tuned, tmp_path):
    with pytest.raises(ValueError, match="at least one lesson, got none"):
        train_personified(made.base, [], PRESET, tmp_path / "x")
    with pytest.raises(ValueError, match=r"DPO wanted pairs of answers .*, got 0 pairs"):
        train_preferences(made.base, tuned, [], DPO, tmp_path / "x")


def test_a_rating_is_learnt_as_the_engine_asks_it(made, tmp_path):
    from agents.inference.engine import Request
    from agents.inference.local.local_engine import LocalEngine
    from agents.prompts import RATING_CHOICES

    folder = tmp_path / "rated"
    train_personified(made.base, [RATED] * 16, replace(PRESET, epochs=4), folder, device="cpu")
    request = Request(RATED.prefix, RATED.suffix)
    with_it = request._replace(adapter="it")
    engine = LocalEngine(str(made.base), {"it": str(folder)})
    logs = engine.score([request, with_it], RATING_CHOICES)
    engine.close()
    assert logs[1].argmax() == 4
    assert np.exp(logs[1, 4]) > np.exp(logs[0, 4]) + 0.3


WHOLE = WholeSettings(learning_rate=0.01, epochs=1, lessons_per_step=8)


def weights_of(folder):
    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def whole(made, tmp_path_factory):
    """Folder of the model that was tuned whole, killed once on the way."""
    folder = tmp_path_factory.mktemp("whole") / "model"

    def kill(step, loss):
        if step == 2:
            raise StopError

    settings = {"device": "cpu", "save_every": 1}
    with pytest.raises(StopError):
        train_whole(made.base, made.lessons, WHOLE, folder, on_step=kill, **settings)
    assert not folder.exists()
    steps = []
    card = train_whole(
        made.base, made.lessons, WHOLE, folder, on_step=lambda step, loss: steps.append(step),
        **settings,
    )  # fmt: skip
    assert steps[0] > 1, "it went on"
    assert card["last_loss"] < card["first_loss"]
    assert card["steps"] == -(-len(made.lessons) // 8)
    return folder


def test_a_whole_model_is_the_same_killed_or_not_and_never_trained_twice(made, whole, tmp_path):
    train_whole(made.base, made.lessons, WHOLE, tmp_path / "b", device="cpu")
    one, other, before = map(weights_of, (whole, tmp_path / "b", made.base))
    assert one.keys() == other.keys() == before.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert not any(np.array_equal(one[name], before[name]) for name in one), "all of it learnt"
    assert base_identity(whole) == base_identity(tmp_path / "b"), "how long it took says nothing"
    kept = (whole / "training.yaml").read_bytes()
    train_whole(made.base, made.lessons, WHOLE, whole, device="cpu")
    assert (whole / "training.yaml").read_bytes() == kept
    with pytest.raises(FileExistsError, match="something else than this training"):
        train_whole(made.base, made.lessons, replace(WHOLE, epochs=2), whole)
    assert str(tmp_path.parent) not in kept.decode()


def test_times_can_be_words_of_their_own_of_a_whole_model(made, tmp_path):
    folder = tmp_path / "timed"
    with_tokens = replace(WHOLE, time_tokens=True)
    train_whole(made.base, made.lessons, with_tokens, folder, device="cpu")
    timed, plain = (Speaker.load(place, "cpu", "float32") for place in (folder, made.base))
    label = time_label(("early", "late"), 1)
    assert len(plain.tokenizer(label)["input_ids"]) > len(timed.tokenizer(label)["input_ids"])
    late, third = timed.tokenizer.convert_tokens_to_ids(list(TIME_TOKENS[1:3]))
    assert late in timed.tokenizer(label)["input_ids"]
    assert timed.tokenizer.decode([late]) == "<TIME-II>"
    table = timed.model.get_input_embeddings().weight
    assert len(table) == len(plain.tokenizer) + len(TIME_TOKENS)
    assert not np.allclose(table[late].numpy(), table[third].numpy()), "only the times there are"
    assert timed.tokenizer(made.lessons[0].answer) == plain.tokenizer(made.lessons[0].answer)


def test_people_on_a_whole_model_serve_the_environment(whole):
    import gymnasium as gym

    from training.personified.stages import population_at

    world = synthetic(0, num_users=6, num_items=30)
    env = gym.make("PersonaRec-v0", population=population_at(world, str(whole), 1))
    env.reset(seed=0)
    assert np.isfinite(env.step(np.arange(env.action_space.shape[0]))[1])
    env.close()


def test_preferences_follow_on_a_fresh_adapter_of_a_whole_model(made, whole, tmp_path):
    losses = []
    folder = tmp_path / "preferred"
    train_preferences(
        whole, None, made.choices, DPO, folder, device="cpu",
        on_step=lambda step, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[0] == pytest.approx(np.log(2), abs=1e-5), "the model itself is the reference"
    assert losses[-1] < losses[0]
    check_adapter(folder, whole)
    with pytest.raises(ValueError, match="was trained on"):
        check_adapter(folder, made.base)


def test_whole_models_refuse_what_they_cannot_learn(made, tmp_path):
    with pytest.raises(ValueError, match="at least one lesson, got none; give people with ratings"):
        train_whole(made.base, [], WHOLE, tmp_path / "x")


@pytest.mark.parametrize(
    ("length", "alpha", "loss"),
    [("none", None, "sigmoid"), ("mean", None, "sigmoid_norm"), ("shared", 0.0, "sigmoid")],
)
def test_length_gets_the_credit_that_its_name_says(tmp_path, length, alpha, loss):
    import torch

    from training.personified.pair_trainer import pair_arguments

    found = pair_arguments(0.3, length, PRESET, 8, tmp_path, 0, 10, torch.device("cpu"))
    assert (found.ld_alpha, found.loss_type, found.beta) == (alpha, [loss], 0.3)
