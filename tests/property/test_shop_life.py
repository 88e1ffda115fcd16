"""A random shop's life: whatever happens in whatever order, the books are right after every step.

A cart is accepted exactly when the figure that availability showed covers it; what a customer is offered can be
carried out; and when everything has ended, by whatever way, with no timed job running, all stock is free.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test

from tests.property.closing import Closing
from tests.property.life import Shop
from tests.property.promises import Wish, orders

LIVES = int(os.environ.get("LIVES", "6"))
STEPS = int(os.environ.get("STEPS", "50"))


class ShopLife(Closing):
    """All rules together, and a look at the books after each."""

    @initialize(morning=st.lists(orders, min_size=2, max_size=5))
    def a_morning(self, morning: list[Wish]) -> None:
        """A shop with some work in it: an empty one has little to get wrong."""
        self.open_the_doors()
        for order in morning:
            self.wish(order)

    @invariant()
    def nothing_is_lost(self) -> None:
        self.the_books_are_right()


def test_the_books_are_right_after_every_step_of_a_random_life(open_shop: Shop) -> None:
    class Bound(ShopLife):
        """The machine with a database of this run."""

    Bound.open_shop = staticmethod(open_shop)  # type: ignore[method-assign,assignment]
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def open_shop(fresh_app: Shop) -> Shop:
    """An application on a new database for each life."""
    return fresh_app
