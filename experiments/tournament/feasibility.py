"""Who can be asked at all, known before anything is fitted: unseen items and lengths of prompts.

Users who cannot are left out of the run and counted by the ids that their source calls them.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from omegaconf import DictConfig

from agents.inference.engine import Engine, Tokenizes
from agents.inference.server.server_engine import ServerEngine
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.persona_users import Asks
from agents.prompts import RATING_CHOICES
from simenv.data.dataset import Dataset
from simenv.events import IntArray
from simenv.seeding import Stream, generator
from simenv.user_model import UserModel
from simenv.values.plain_text import one_line

_SAMPLED = 8  # items a user, to see how long prompts get
_SHOWN = 20  # ids that a report lists
_LONGEST_ID = 60  # characters of one of them


class LeftOut(NamedTuple):
    """Users who cannot be asked, and why."""

    users: IntArray  # (n,) ascending
    why: str

    def described(self, dataset: Dataset) -> dict[str, Any]:
        """For ``results.json``, with the users' own ids."""
        ids = [dataset.user_ids[user] for user in self.users.tolist()]
        return {"count": len(ids), "users": ids, "why": self.why}


def askable(
    cfg: DictConfig, dataset: Dataset, *swapped: Dataset
) -> tuple[IntArray, tuple[LeftOut, LeftOut]]:
    """Who plays (n,), ascending, and who cannot.

    Nothing that they like may be held out, or too few items be left for a whole session. The first
    are named where everybody was wanted: a draw leaves others out as well.

    Args:
        cfg: of the run.
        dataset: as the policies know it.
        swapped: the same with other rows; everybody plays under both.

    Raises:
        ValueError: nobody can.
    """
    least, sides = cfg.experiment.min_rating, (dataset, *swapped)
    slates = cfg.env.slate_size, cfg.env.max_episode_steps
    able = [evaluation_users(side, side.num_users, least, cfg.seed) for side in sides]
    everybody = functools.reduce(np.intersect1d, able)
    few = together([too_few_unseen(side, everybody, *slates) for side in sides])
    without = np.union1d(np.setdiff1d(able[0], everybody), few.users)
    users = evaluation_users(dataset, cfg.num_users, least, cfg.seed, without)
    none = np.setdiff1d(
        np.arange(dataset.num_users if cfg.num_users > len(users) else 0), everybody
    )
    why = f"no held-out rating of at least {least:g} stars (experiment.min_rating)"
    why += ", or no training row, in one half of their rows" if swapped else ""
    return users, (LeftOut(none, why), few)


def together(groups: Sequence[LeftOut]) -> LeftOut:
    """Who is in any of the groups, for the reason of the first that has somebody."""
    users = np.unique(np.concatenate([group.users for group in groups]))
    return LeftOut(users, next((group.why for group in groups if len(group.users)), groups[0].why))


def evaluation_users(
    dataset: Dataset,
    num_users: int,
    min_rating: float,
    seed: int,
    without: IntArray | None = None,
) -> IntArray:
    """At most ``num_users`` users with training rows and a relevant held-out row, ascending.

    Nobody of ``without`` (n,) is drawn.

    Raises:
        ValueError: there is no such user.
    """
    liked = dataset.test.users[dataset.test.ratings >= min_rating]
    users = np.intersect1d(liked, dataset.train.users)
    users = users if without is None else np.setdiff1d(users, without)
    if not len(users):
        raise ValueError(
            f"{dataset.name!r} has no user with training rows and a held-out rating of at least"
            f" {min_rating}; lower experiment.min_rating or data.fraction"
        )
    rng = generator(seed, Stream.EVALUATED_USERS)
    chosen = rng.permutation(users)[:num_users]
    return np.sort(chosen).astype(np.int64)


def unseen_items(dataset: Dataset) -> IntArray:
    """(U,) items that each user has not met in the training rows."""
    pairs = np.unique(np.stack([dataset.train.users, dataset.train.items]), axis=1)
    seen = np.bincount(pairs[0], minlength=dataset.num_users)
    return np.asarray(dataset.num_items - seen, dtype=np.int64)


def too_few_unseen(dataset: Dataset, users: IntArray, slate_size: int, steps: int) -> LeftOut:
    """Those of users (n,) for whom a whole session has too few items.

    Raises:
        ValueError: it has too few for everybody.
    """
    needed, unseen = slate_size * steps, unseen_items(dataset)[users]
    if len(users) and unseen.max() < needed:
        fitting = int(unseen.min()) // slate_size  # slates that everybody has items for
        cure = f"env.max_episode_steps={fitting} suits everybody; or " if fitting else ""
        raise ValueError(
            f"{steps} slates of {slate_size} wanted {needed} items that a user has not met, but"
            f" nobody of {dataset.name!r} has more than {unseen.max()} of its"
            f" {dataset.num_items} items left; {cure}lower env.slate_size or"
            " env.max_episode_steps, or give a larger catalogue"
        )
    why = f"fewer than {needed} items that they have not met ({steps} slates of {slate_size})"
    return LeftOut(users[unseen < needed], why)


def too_long_prompts(model: UserModel, engine: Engine | None, users: IntArray) -> LeftOut:
    """Those of users (n,) whose prompts are longer than the context of a model on this machine.

    A sample of items is looked at; nothing is asked.

    Raises:
        ValueError: everybody's are.
    """
    local = _innermost(engine)
    nobody = LeftOut(users[:0], "")
    if not (isinstance(local, Tokenizes) and isinstance(model, Asks) and len(users)):
        return nobody
    size = len(model.population.catalog)  # type: ignore[attr-defined]
    items = np.random.default_rng(0).integers(size, size=(len(users), _SAMPLED))
    # Texts that are read in blocks are cut each for itself, so that none is too long.
    texts = ["" if r.item else r.prefix + r.suffix for r in model.requests(users, items)]
    lengths = _token_counts(local.tokenizer, texts).reshape(items.shape).max(axis=1)
    if lengths.min() > local.context:
        raise ValueError(
            f"prompts wanted a model of at least {lengths.min()} tokens of context, that of"
            f" {local.facts.description} has {local.context}; take a model with a longer context"
            " (users.model), or shorter summaries and profiles"
        )
    why = f"prompts longer than the model's context of {local.context} tokens"
    return LeftOut(users[lengths > local.context], why)


def check_reachable(model: UserModel, engine: Engine | None, users: IntArray) -> None:
    """Ask a server one question, so that one that does not answer is known before any fit.

    Raises:
        RuntimeError: as the engine of the server raises it.
    """
    server = _innermost(engine)
    if isinstance(server, ServerEngine) and isinstance(model, Asks) and len(users):
        server.score(model.requests(users[:1], np.zeros((1, 1), dtype=np.int64)), RATING_CHOICES)


def _innermost(engine: Engine | None) -> Any:
    """The engine inside all wrappers."""
    found: Any = engine
    while isinstance(found, EngineWrapper):
        found = found.inner
    return found


def _token_counts(tokenizer: Any, texts: Sequence[str]) -> IntArray:
    found = tokenizer(list(texts), add_special_tokens=True)["input_ids"]
    return np.array([len(tokens) for tokens in found], dtype=np.int64)


def sentences(left_out: Sequence[dict[str, Any]]) -> list[str]:
    """What a report says of the users who were left out.

    >>> sentences([{"count": 2, "users": ["a", "b"], "why": "no items"}])
    ['2 users were left out because of no items: a, b.']
    """
    said = []
    for group in left_out:
        ids, count = group["users"], group["count"]
        shown = ", ".join(map(_shown, ids[:_SHOWN]))
        more = f" and {count - _SHOWN:,} more (results.json)" if count > _SHOWN else ""
        who = "1 user was" if count == 1 else f"{count:,} users were"
        said.append(f"{who} left out because of {group['why']}: {shown}{more}.")
    return said


def _shown(user_id: str) -> str:
    """An id as a source has it, which may be anything, on one line."""
    text = one_line(user_id)
    return text if len(text) <= _LONGEST_ID else f"{text[: _LONGEST_ID - 1]}…"
