"""What rating sentences call items, those who use them and what they do; it draws nothing.

Nouns and verbs come from the domain. English alone adds two things: what is watched is *seen*, and
who does something has a name of their own.
"""

from agents.wording.phrases import plural
from simenv.domains.domain import Domain
from simenv.domains.domain_file import domain_called

_WATCHED = {"watch": ("see", "seen")}  # verb → what a rating says in its place, and afterwards
_USERS = {"watch": "viewers", "read": "readers", "listen": "listeners", "play": "players",
          "shop": "customers"}  # fmt: skip


def item_words(kind: str) -> dict[str, str]:
    """The words for items of a kind, by the names that templates have for them.

    >>> item_words("product")
    {'k': 'product', 'ks': 'products', 'v': 'buy', 'see': 'buy', 'seen': 'bought'}
    """
    domain = domain_called(kind)
    see, seen = _WATCHED.get(domain.verb, (domain.again, domain.done))
    return {"k": kind, "ks": plural(kind), "v": domain.again, "see": see, "seen": seen}


def users_of(domain: Domain) -> str:
    """Those who use the items.

    >>> [users_of(domain_called(kind)) for kind in ("movie", "book", "shoe")]
    ['viewers', 'readers', 'people']
    """
    return _USERS.get(domain.verb, "people")
