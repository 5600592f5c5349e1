"""The search for secrets in logs finds them, however a log writes them, and nothing else (WB-15)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.packed import packed
from tests.secrecy import KINDS, Watch, every_event

SECRET = "kz/7+w==&\"q'{}ü~42"
LEAKY = Logger(namespace="dextwist.planted")


class WatchTests(SynchronousTestCase):
    """Planted leaks."""

    def setUp(self) -> None:
        self.watch = Watch()
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def found(self, line: str) -> list[str]:
        """The kinds of the secrets that are found in a log with this line."""
        log = self.folder / "log"
        log.write_text(f"one line\n{line}\nanother\n")
        self.watch.note_log(log)
        leaks = self.watch.leaks()
        for leak in leaks:
            self.assertNotIn(SECRET, str(leak))
        return [leak.kind for leak in leaks]

    def test_wb15_planted_leak_is_found_in_both_formats_of_the_log(self) -> None:
        with every_event(self.folder) as logs:
            LEAKY.debug("the cookie is {cookie}", cookie=SECRET)
            LEAKY.info("nothing to see here")
        self.assertEqual(2, len(logs))
        for log in logs:
            self.watch.note_log(log)
        self.assertEqual([], self.watch.leaks())
        self.watch.note("cookie", SECRET)
        self.assertEqual([("cookie", log) for log in logs], [(e.kind, e.log) for e in self.watch.leaks()])

    def test_wb15_planted_leak_is_found_in_a_traceback(self) -> None:
        self.watch.note("password", SECRET)
        with every_event(self.folder) as logs:
            try:
                raise ValueError(f"cannot use {SECRET}")
            except ValueError:
                LEAKY.failure("failed")
        self.flushLoggedErrors(ValueError)
        for log in logs:
            self.watch.note_log(log)
        self.assertEqual(len(logs), len(self.watch.leaks()))

    def test_wb15_every_spelling_is_found(self) -> None:
        self.watch.note("password", SECRET)
        for spelling in (SECRET, quote(SECRET), quote(SECRET, safe=""), quote(SECRET).lower()):
            self.assertEqual(["password"], self.found(f"GET /x?password={spelling}&y=1 HTTP/1.1"), spelling)
        self.assertEqual([], self.found(f"password={SECRET[:-1]}"))

    def test_secrets_are_known_by_their_names(self) -> None:
        for name, kind in KINDS.items():
            self.watch = Watch()
            self.watch.note_fields({name: f"the-{name}-1", "scope": "openid profile 1"})
            self.assertEqual([kind], self.found(f"the-{name}-1 openid profile 1"))

    def test_what_travels_is_noted(self) -> None:
        self.watch.note_request(
            "http://h/p?hmac=the-hmac-1",
            authorization="Basic dXNlcjpwYXNz1",
            body="password=a%20b%2Bc-long-1",
        )
        self.watch.note_answer(
            location="http://h/#access_token=the-token-1&state=state-1",
            cookies=["session=cookie-1; Path=/"],
            body='{"id_token": "eyJ.eyJ.x-1"}',
        )
        line = "the-hmac-1 dXNlcjpwYXNz1 b+c-long-1 the-token-1 cookie-1 eyJ.eyJ.x-1 state-1"
        kinds = ["step proof", "credentials", "password", "access token", "cookie", "ID token"]
        self.assertCountEqual(kinds, self.found(line))

    def test_inner_secret_of_a_refresh_token_is_one(self) -> None:
        self.watch.note_fields({"refresh_token": packed("the-id-1", "the-secret-1")})
        self.assertEqual(["secret of a refresh token"], self.found("token_id=the-id-1 the-secret-1"))

    def test_plain_words_and_request_ids_tell_nothing(self) -> None:
        self.watch.note("password", "password")
        self.watch.note("password", "x1")
        self.watch.note("cookie", "ba9c-17f5")
        self.assertEqual([], self.found("password x1 request_id=5dde0f3b-ba9c-17f5-9d0c-2f9f0e8a7b11"))
