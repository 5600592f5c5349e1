"""More passwords than can be worked out: others do not wait for them, and the excess is refused at once."""

from __future__ import annotations

import os
import threading
from functools import partial

from tests.faults.case import FaultCase
from tests.faults.crowd import Crowd
from tests.faults.party import Answer, Party
from tests.faults.passwords import LOGIN, PASSWORD, flora
from tests.flows.browser import Form

#: As many as wait and are worked on at once, and some more.
FLOOD = 64 + (os.cpu_count() or 1) + 24
REFRESHES = 10


class PasswordFloodTests(FaultCase):
    """Everybody has the right password, so that no limit on wrong ones is met."""

    def test_flood_of_passwords_holds_up_nobody_else_and_its_excess_is_refused(self) -> None:
        daemon = self.started(flora(cost=11))
        party = self.party(daemon)
        token = party.refresh_token()
        senders = [Party(daemon=daemon, patience=60.0) for _ in range(FLOOD)]
        forms = [sender.password_form() for sender in senders]
        ready, answers, people = threading.Barrier(FLOOD), list[Answer](), Crowd()

        def send(sender: Party, form: Form) -> None:
            ready.wait(30)
            answers.append(sender.submit(form, login=LOGIN, password=PASSWORD))

        def logged_in() -> int:
            return [answer.status for answer in answers].count(303)

        for sender, form in zip(senders, forms, strict=True):
            people.add(partial(send, sender, form))
        self.eventually(lambda: logged_in() > 0, 30, "the first login")
        for _ in range(REFRESHES):
            token = self.refreshed(party, token)
        self.assertLess(logged_in(), 60, "the refreshes were answered while logins were queued")
        people.join()
        self.assertEqual({303, 503}, {answer.status for answer in answers})
        self.assertGreater(logged_in(), 64, "all that found a place in the queue")
        for answer in answers:
            if answer.status == 503:
                self.assertTrue(answer.try_later, answer.headers)
                self.assertIn("Too many people are signing in", answer.text)
