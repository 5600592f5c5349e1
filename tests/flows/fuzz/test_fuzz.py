"""Whatever is sent to whatever endpoint, in whatever order: the daemon answers, and stays as it should be.

Every example has a daemon of its own, in which people have logged in and are about to. Requests go as bytes
through the parser of the public listener. Some are near good ones, some far from them, and some do what a
browser would do next with an answer, perhaps out of order.

DEXTWIST_FUZZ_EXAMPLES=9000 looks for a quarter of an hour, and elsewhere each time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.web.home import HomeGroup
from dextwist.web.route import READ
from tests.direct import direct
from tests.flows.fuzz.requests import Param, changed, far, near
from tests.flows.fuzz.target import CONFIG, Follow, Step, Submit, Target, Wait
from tests.flows.fuzz.values import Given

LONG = int(os.environ.get("DEXTWIST_FUZZ_EXAMPLES", "0"))
STOLEN = st.sampled_from([False] * 4 + [True])
#: Each form takes what it knows.
WELL = (
    Param(b"login", b"u"),
    Param(b"password", b"p"),
    Param(b"user_code", Given("user_code")),
    Param(b"approval", b"approve"),
)
FILLED_IN = st.one_of(st.just(WELL), st.just(WELL), st.just(()), changed(WELL, (0, 1, 2)))


def steps(routes: Mapping[str, Sequence[str]]) -> st.SearchStrategy[Step]:
    walk = (
        st.builds(Follow, st.integers(0, 3), STOLEN),
        st.builds(Submit, st.integers(0, 3), FILLED_IN, STOLEN),
    )
    wait = st.builds(Wait, st.sampled_from([1, 6, 61, 400, 4000, 90_000]))
    return st.one_of(near(routes), near(routes), near(routes), far([*routes]), *walk, *walk, *walk, wait)


class FuzzTests(SynchronousTestCase):
    """All endpoints, with anything."""

    PROFILE: ClassVar = settings(
        max_examples=LONG or 200,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )

    def routes(self) -> dict[str, Sequence[str]]:
        """Every route there is with its methods: those of the table, and those that Klein alone serves."""
        with direct(self, CONFIG) as d:
            table = d.daemon.front.table
            routes = [*table.exact.values(), *(route for _, route in table.shapes)]
        files = [rule.rule for rule in HomeGroup.app.url_map.iter_rules() if "<path:name>" in rule.rule]
        return {
            **{route.pattern: route.methods for route in routes},
            **{rule.replace("<path:name>", "main.css"): READ for rule in files},
        }

    def test_whatever_is_sent_is_answered_and_harms_nothing(self) -> None:
        @self.PROFILE
        @given(st.lists(steps(self.routes()), min_size=8, max_size=40))
        def run(taken: list[Step]) -> None:
            with direct(self, CONFIG) as d:
                target = Target(self, d)
                target.prepare()
                for step in taken:
                    target.take(step)
                target.check_that_all_is_well()

        run()
