"""
Generate words, paragraphs and uuids that depend on a seed only.

Texts are drawn from pools made once, so a full record of 14 kB takes a few look-ups instead of thousands of draws.
"""

import uuid
from functools import lru_cache
from hashlib import md5
from random import Random

VOCABULARY = (
    "advanced analysis apply biology business climate cloud community computing course data design digital economics "
    "energy engineering ethics evidence explore finance foundations global health introduction law leadership learn "
    "learners machine marketing methods model network policy practice problems project python quantum real research "
    "science security society software statistics strategy systems techniques tools world"
)
WORDS = VOCABULARY.split()
POOL_SIZE = 97


def stable_uuid(seed: str, *parts: object) -> str:
    """The same uuid for the same seed and parts, in every process."""
    digest = md5(":".join([seed, *map(str, parts)]).encode(), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=4))


def sku(seed: str, *parts: object) -> str:
    return stable_uuid(seed, "sku", *parts).replace("-", "")[:7].upper()


class TextPool:
    def __init__(self, seed: str) -> None:
        random = Random(f"{seed}:text")

        def sentence(words: int) -> str:
            return " ".join(random.choice(WORDS) for _ in range(words)).capitalize() + "."

        self._names = [" ".join(random.sample(WORDS, 2)).capitalize() for _ in range(POOL_SIZE)]
        self._short = [sentence(9) for _ in range(POOL_SIZE)]
        self._medium = [sentence(18) for _ in range(POOL_SIZE)]
        self._long = [sentence(40) for _ in range(POOL_SIZE)]

    def name(self, index: int) -> str:
        return self._names[index % POOL_SIZE]

    def sentence(self, index: int) -> str:
        return self._short[index % POOL_SIZE]

    def short(self, index: int) -> str:
        return self._paragraphs(self._short, index, 3)

    def medium(self, index: int) -> str:
        return self._paragraphs(self._medium, index, 3)

    def long(self, index: int) -> str:
        return self._paragraphs(self._long, index, 3)

    @staticmethod
    def _paragraphs(pool: list[str], index: int, count: int) -> str:
        # A stride that shares no factor with the pool's size keeps neighbouring courses from sharing paragraphs.
        return "".join(f"<p>{pool[(index * 31 + position * 7) % POOL_SIZE]}</p>" for position in range(count))


@lru_cache(maxsize=8)
def text_pool(seed: str) -> TextPool:
    return TextPool(seed)
