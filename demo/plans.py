"""What becomes of the live day's pickups: one line per kind of story, with how often it is told in a thousand.

``way`` is how it is ordered; ``goods`` has one letter per line (c common, w wished for, s scarce; a capital is two
pieces); ``steps`` is what happens, in the words of `visit.STEPS`. ``pick`` gathers the visitors of a store for one
walk, ``arrive`` lets the others of the round arrive too, ``later`` is an hour later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

_QR = "pick ready later qr"
_BACK = "cancel reshelve"


@dataclass(frozen=True, slots=True)
class Plan:
    """A story."""

    weight: int
    way: str
    goods: str
    steps: str

    @property
    def is_scarce(self) -> bool:
        """Whether it needs a store to which scarce goods come piece by piece."""
        return "s" in self.goods.lower()


PLANS = tuple(
    Plan(*one)
    for one in (
        # The straight way, by every means of paying and proving.
        (100, "prepaid", "cc", "pick ready later arrive qr"),
        (200, "prepaid", "cc", _QR),
        (70, "prepaid", "cC", "pick ready later pin"),
        (40, "prepaid", "cC", "pick ready later arrive pin"),
        (100, "unpaid", "cc", "pick ready later till"),
        (30, "unpaid", "cc", "pick ready later arrive till"),
        (40, "unpaid", "c", "pick ready later arrive pay qr"),
        (4, "unpaid", "c", "later till"),
        (55, "slot", "cc", _QR),
        (60, "hold", "c", "pick ready later till"),
        (45, "sent", "c", "ship receive " + _QR),
        (15, "sent_by_store", "c", "ship receive " + _QR),
        (40, "several", "ccc", _QR),
        # At the counter.
        (20, "prepaid", "cc", "mistake " + _QR),
        (10, "prepaid", "c", "pick ready later arrive wrong_pin wrong_pin pin"),
        (4, "prepaid", "c", "pick ready later arrive lock unlock pin"),
        (15, "prepaid", "c", "pick ready lend later arrive lent"),
        (15, "prepaid", "c", "pick ready name later arrive proxy"),
        (6, "prepaid", "c", "pick ready lend take_back later arrive lent_refused qr"),
        (8, "prepaid", "c", "pick ready reissue later arrive old_qr qr"),
        (8, "prepaid", "c", "pick ready later arrive qr twice undo qr"),
        (8, "prepaid", "cc", "pick ready later arrive part later qr"),
        (8, "prepaid", "c", "pick ready later extend extend_again arrive qr"),
        (5, "prepaid", "c", "pick ready extend_by_store later arrive qr"),
        # The customer thinks again.
        (8, "prepaid", "cc", "ask_cancel"),
        (4, "slot", "c", "ask_cancel"),
        (4, "sent", "c", "ask_cancel"),
        (6, "prepaid", "c", "pick ready ask_cancel decline later arrive qr"),
        (8, "prepaid", "cc", "pick ready ask_cancel " + _BACK),
        (5, "unpaid", "c", "pick ready " + _BACK),
        (5, "prepaid", "c", "pick ready order_cancel reshelve"),
        (4, "hold", "c", "release"),
        # Nobody comes, or not today.
        (14, "brief_hold", "c", "lapse"),
        (5, "short_hold", "c", "prolong pick ready later arrive till"),
        (6, "brief_hold", "s", "join lapse offered"),
        (3, "hold", "s", "join leave release"),
        (20, "prepaid", "cc", "pick ready"),
        (5, "prepaid", "c", ""),
        # Pieces cannot be had: every reason, every choice.
        (6, "prepaid", "wc", "miss:not_found pick ready choose:part later arrive qr"),
        (5, "prepaid", "wc", "miss:damaged pick ready choose:other_store later arrive qr"),
        (5, "prepaid", "wc", "miss:display_only pick ready choose:ship later arrive qr"),
        (5, "prepaid", "wc", "miss:not_fit pick ready choose:transfer later arrive qr"),
        (5, "unpaid", "wc", "miss:other pick substitute choose:substitute " + _QR),
        (5, "prepaid", "wc", "miss:other pick ready choose:cancel reshelve"),
        (5, "prepaid", "wc", "miss:damaged pick ready later arrive qr choose:part"),
        (4, "prepaid", "wc", "miss:not_found pick ready"),
        (4, "prepaid", "w", "miss:not_found pick choose:other_store"),
        (4, "prepaid", "w", "miss:damaged pick choose:ship"),
        (4, "prepaid", "w", "miss:other pick choose:transfer"),
        (4, "prepaid", "w", "miss:not_fit pick substitute choose:substitute " + _QR),
        (4, "prepaid", "w", "miss:display_only pick choose:cancel"),
        (4, "hold", "wc", "miss:damaged pick ready choose:part later arrive till"),
        # Goods do not arrive whole, or not at all.
        (6, "sent", "C", "ship receive:1 choose:part pick ready later arrive qr"),
        (4, "sent", "c", "ship receive:0 choose:ship"),
        (4, "sent", "c", "not_sent choose:other_store"),
        # The doors will be closed when the customer wanted to come.
        (4, "day", "c", "close told choose:wait " + _QR),
        (3, "day", "w", "close told choose:other_store"),
        (3, "day", "c", "close told choose:cancel"),
        # The store takes too long.
        (40, "prepaid", "cc", "slow " + _QR),
        # A fact breaks the promise.
        (8, "prepaid", "s", "oversell rescue after"),
        (4, "unpaid", "s", "oversell rescue after"),
        (4, "prepaid", "S", "damage rescue after"),
        (3, "prepaid", "s", "loss rescue after"),
    )
)


def draw(pickups: int, seed: int = 3) -> list[Plan]:
    """So many stories, each at least once if there is room, in an order that is the same every day."""
    source = random.Random(seed)  # noqa: S311  a day to replay, no secret
    more = source.choices(PLANS, [plan.weight for plan in PLANS], k=max(0, pickups - len(PLANS)))
    drawn = [*PLANS[:pickups], *more]
    source.shuffle(drawn)
    return drawn
