"""What a browser is told about tickets, and the cookie that remembers it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.interface import Negotiation
from dextwist.oauth.issuer import Issuer
from dextwist.web.forms import Form
from dextwist.web.http import Request, Response
from dextwist.web.ticket_prompt import TicketPrompt

PROMPT = TicketPrompt(issuer=Issuer("https://idp.test/dex"))
ASKED = ("Set-Cookie", "dex_ticket_asked=1; Path=/dex; Max-Age=60; HttpOnly; SameSite=Lax; Secure")


class TicketPromptTests(SynchronousTestCase):
    """By what the connector made of it."""

    def told(self, *, logged_in: bool = False, asked_before: bool = False, **filled: object) -> Response:
        negotiation = Negotiation(authorization="", asked_before=asked_before)
        for name, value in filled.items():
            setattr(negotiation, name, value)
        return PROMPT.told(Response(200, (), b"form"), negotiation, logged_in=logged_in)

    def test_header_and_cookie_are_read(self) -> None:
        request = Request(
            method="GET",
            full_path="/",
            query=Form(()),
            body=Form(()),
            headers={"authorization": ["Negotiate abc"]},
            cookies={"dex_ticket_asked": "1"},
        )
        offered = PROMPT.read(request)
        self.assertEqual((offered.authorization, offered.asked_before), ("Negotiate abc", True))

    def test_no_challenge_leaves_the_answer_alone(self) -> None:
        self.assertEqual(self.told(with_form=True, asked_before=True), Response(200, (), b"form"))

    def test_a_challenge_is_a_401_and_remembered_where_there_is_a_form(self) -> None:
        field = ("WWW-Authenticate", "Negotiate")
        self.assertEqual(self.told(challenge="Negotiate"), Response(401, (field,), b"form"))
        self.assertEqual(
            self.told(challenge="Negotiate", with_form=True), Response(401, (field, ASKED), b"form")
        )

    def test_a_login_tells_the_browser_who_we_are_and_forgets_the_question(self) -> None:
        answer = self.told(challenge="Negotiate abc", logged_in=True)
        self.assertEqual(answer, Response(200, (("WWW-Authenticate", "Negotiate abc"),), b"form"))
        forgotten = self.told(challenge="Negotiate abc", logged_in=True, asked_before=True).headers[1]
        self.assertIn("Max-Age=0", forgotten[1])
