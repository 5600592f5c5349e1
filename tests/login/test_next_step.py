"""Where a login goes next: the table."""

from __future__ import annotations

import itertools

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.login.next_step import (
    Authenticate,
    ChooseConnector,
    Consent,
    LoginFacts,
    Refuse,
    Respond,
    SecondFactor,
    Step,
    next_step,
)
from dextwist.oauth.prompt import parse_prompt

#: Somebody who has logged in and owes nothing more.
DONE = LoginFacts(connector_id="mock", logged_in=True, subject="CgNmb28SA2Jhcg", consented=True)
PROMPTS = ("", "none", "login", "consent", "select_account", "login consent select_account")


def refusal(step: Step) -> str:
    assert isinstance(step, Refuse), step
    return step.error.error


class BeforeTheLoginTests(SynchronousTestCase):
    def test_several_connectors_are_a_choice(self) -> None:
        step = next_step(LoginFacts(connector_ids=("mock", "mock2")))
        self.assertEqual(step, ChooseConnector(("mock", "mock2")))

    def test_one_connector_is_no_choice(self) -> None:
        self.assertEqual(next_step(LoginFacts(connector_ids=("mock",))), Authenticate("mock"))

    def test_choice_can_be_shown_even_so(self) -> None:
        step = next_step(LoginFacts(connector_ids=("mock",), always_choose=True))
        self.assertEqual(step, ChooseConnector(("mock",)))

    def test_connector_that_was_chosen_is_used(self) -> None:
        for always_choose in (False, True):
            facts = LoginFacts(connector_ids=("a", "b"), connector_id="b", always_choose=always_choose)
            self.assertEqual(next_step(facts), Authenticate("b"))

    def test_interface_9_connectors_that_are_left(self) -> None:
        self.assertEqual(next_step(LoginFacts(connector_ids=("mock2",))), Authenticate("mock2"))
        self.assertEqual(next_step(LoginFacts(connector_ids=())), ChooseConnector(()))

    def test_OA_35_prompt_none_never_shows_anything(self) -> None:
        for connector_id, connector_ids in itertools.product(("", "a"), ((), ("a",), ("a", "b"))):
            facts = LoginFacts(prompt="none", connector_id=connector_id, connector_ids=connector_ids)
            self.assertEqual(refusal(next_step(facts)), "login_required")

    def test_other_prompts_lead_to_the_connector(self) -> None:
        for prompt in set(PROMPTS) - {"none"}:
            self.assertEqual(next_step(LoginFacts(prompt=prompt, connector_ids=("a",))), Authenticate("a"))

    def test_what_comes_after_the_login_does_not_count_before(self) -> None:
        facts = LoginFacts(connector_id="a", second_factors=("totp",), consented=True, hinted_subject="x")
        self.assertEqual(next_step(facts), Authenticate("a"))


class AfterTheLoginTests(SynchronousTestCase):
    def test_client_gets_its_answer(self) -> None:
        for prompt in PROMPTS:
            self.assertEqual(next_step(attrs.evolve(DONE, prompt=prompt)), Respond())

    def test_consent_is_asked_for(self) -> None:
        for prompt in set(PROMPTS) - {"none"}:
            self.assertEqual(next_step(attrs.evolve(DONE, prompt=prompt, consented=False)), Consent())

    def test_OA_35_30_30_prompt_none_without_consent(self) -> None:
        facts = attrs.evolve(DONE, prompt="none", consented=False)
        self.assertEqual(refusal(next_step(facts)), "consent_required")

    def test_second_factors_come_before_consent_and_in_order(self) -> None:
        facts = attrs.evolve(DONE, second_factors=("totp", "webauthn"), consented=False)
        self.assertEqual(next_step(facts), SecondFactor("totp"))
        self.assertEqual(
            next_step(attrs.evolve(facts, second_factors=("webauthn",))), SecondFactor("webauthn")
        )
        self.assertEqual(next_step(attrs.evolve(facts, second_factors=())), Consent())

    def test_OA_35_prompt_none_cannot_ask_for_a_second_factor(self) -> None:
        facts = attrs.evolve(DONE, prompt="none", second_factors=("totp",))
        self.assertEqual(refusal(next_step(facts)), "interaction_required")

    def test_30_22_hint_is_checked_again(self) -> None:
        self.assertEqual(next_step(attrs.evolve(DONE, hinted_subject=DONE.subject)), Respond())
        for prompt in PROMPTS:
            facts = attrs.evolve(DONE, prompt=prompt, hinted_subject="CgEx")
            self.assertEqual(refusal(next_step(facts)), "login_required")

    def test_30_22_somebody_else_passes_neither_factor_nor_consent(self) -> None:
        facts = attrs.evolve(DONE, hinted_subject="CgEx", second_factors=("totp",), consented=False)
        self.assertEqual(refusal(next_step(facts)), "login_required")

    def test_choice_of_connectors_is_over(self) -> None:
        self.assertEqual(
            next_step(attrs.evolve(DONE, connector_ids=("a", "b"), always_choose=True)), Respond()
        )


class InvariantTests(SynchronousTestCase):
    def every(self) -> list[LoginFacts]:
        return [
            LoginFacts(
                prompt=parse_prompt(prompt),
                connector_ids=connector_ids,
                connector_id=connector_id,
                always_choose=always_choose,
                logged_in=logged_in,
                subject="me" if logged_in else "",
                hinted_subject=hinted,
                second_factors=factors,
                consented=consented,
            )
            for prompt in PROMPTS
            for connector_ids in ((), ("a",), ("a", "b"))
            for connector_id in ("", "a")
            for always_choose in (False, True)
            for logged_in in (False, True)
            for hinted in ("", "me", "other")
            for factors in ((), ("totp",))
            for consented in (False, True)
        ]

    def test_OA_35_prompt_none_is_answered_at_once(self) -> None:
        for facts in self.every():
            if facts.prompt == "none":
                self.assertIsInstance(next_step(facts), Respond | Refuse, facts)

    def test_nobody_is_answered_who_owes_anything(self) -> None:
        for facts in self.every():
            if next_step(facts) == Respond():
                self.assertTrue(facts.logged_in and facts.consented and not facts.second_factors, facts)
                self.assertIn(facts.hinted_subject, ("", facts.subject))
