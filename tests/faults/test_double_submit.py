"""Forms that are sent twice: one result, and for the second click the same or a friendly page (RL-23)."""

from __future__ import annotations

from functools import partial

from tests.faults.case import FaultCase
from tests.faults.crowd import together
from tests.faults.party import Answer, Party, code_of
from tests.faults.passwords import LOGIN, PASSWORD, flora
from tests.flows.browser import Form

CLICKS = 4
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class DoubleSubmitTests(FaultCase):
    """Impatient people, whose clicks arrive at the same moment."""

    def setUp(self) -> None:
        super().setUp()
        over = {"oauth2": {"skipApprovalScreen": False}, "connectors": []}
        self.browser = self.party(self.started(over | flora()))

    def clicks(self, *forms: Form, **typed: str) -> list[Answer]:
        """The ends to which clicks on these forms lead, at once."""
        ends: list[Answer] = []

        def click(tab: Party, form: Form) -> None:
            ends.append(tab.follow(tab.submit(form, **typed)))

        together(partial(click, self.browser.another_tab(), form) for form in forms)
        return ends

    def logged_in(self, form: Form) -> Answer:
        """The page after the password: it asks for consent."""
        return self.browser.follow(self.browser.submit(form, login=LOGIN, password=PASSWORD))

    def assert_one_counts(self, ends: list[Answer]) -> Answer:
        """All ends but one are a page that says so; that one."""
        (counting,) = [end for end in ends if end.status != 400]
        for end in ends:
            if end is not counting:
                self.assertIn("This sign-in has ended", end.text)
        return counting

    def assert_good_code(self, end: Answer) -> None:
        answer = self.browser.redeem(code_of(end))
        self.assertEqual(200, answer and answer.status)

    def test_RL_23_login(self) -> None:
        form = self.browser.password_form()
        pages = self.clicks(*[form] * CLICKS, login=LOGIN, password=PASSWORD)
        self.assertEqual([200] * CLICKS, [page.status for page in pages])
        consents = [page.form("approve") for page in pages]
        self.assert_good_code(self.browser.follow(self.browser.submit(consents[0])))

    def test_RL_23_consent(self) -> None:
        consent = self.logged_in(self.browser.password_form()).form("approve")
        self.assert_good_code(self.assert_one_counts(self.clicks(*[consent] * CLICKS)))

    def test_RL_23_consent_and_refusal(self) -> None:
        page = self.logged_in(self.browser.password_form())
        end = self.assert_one_counts(self.clicks(page.form("approve"), page.form("rejected")))
        self.assertTrue("code=" in end.location or "error=access_denied" in end.location, end.location)

    def test_RL_23_device(self) -> None:
        codes = self.device_codes()
        form = self.browser.get(f"/device?user_code={codes['user_code']}").form()
        pages = self.clicks(*[form] * CLICKS)
        self.assertEqual([200] * CLICKS, [page.status for page in pages])
        consent = self.logged_in(pages[0].form()).form("approve")
        self.assertEqual(200, self.assert_one_counts(self.clicks(*[consent] * CLICKS)).status)
        answers: list[Answer] = []
        together(partial(self.poll, self.browser.beside(), codes, answers) for _ in range(CLICKS))
        self.assertEqual(1, [answer.status for answer in answers].count(200))

    def device_codes(self) -> dict[str, str]:
        """What a device of the public client is given."""
        answer = self.browser.post("/device/code", client_id="cli", scope="openid")
        return answer.json

    def poll(self, device: Party, codes: dict[str, str], answers: list[Answer]) -> None:
        """Ask for the device's tokens."""
        fields = {"client_id": "cli", "grant_type": DEVICE_CODE, "device_code": codes["device_code"]}
        answers.append(device.post("/token", **fields))
