"""Logins of devices: bound to a browser, finished once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from dextwist.login.device import MAX_BROWSERS, DeviceLogins, WrongUserCode
from dextwist.login.refusals import RefusedWithPage
from dextwist.model.auth_code import AUTH_CODES, AuthCode
from dextwist.model.client import CLIENTS, Client
from dextwist.model.device import (
    DEVICE_REQUESTS,
    DEVICE_TOKENS,
    DeviceLogin,
    DeviceRequest,
    DeviceToken,
    DeviceTokenStatus,
)
from dextwist.model.ids import new_long_id
from dextwist.storage.interface import Create, Delete, StorageUnavailable, Update, every
from tests.grants.fakes import BEGAN, KILGORE, Choose, SteppedStorage, clock_at_the_beginning, every_schedule

USER_CODE, DEVICE_CODE = "BCDF-GHJK", "d" * 51
SECRET, OTHER = new_long_id(), new_long_id()
SCOPES = ("openid", "email")
MINUTES = timedelta(minutes=5)
CODE = AuthCode(
    id="c" * 51,
    client_id="tv",
    redirect_uri="/dex/device/callback",
    scopes=SCOPES,
    connector_id="mock",
    expires_at=BEGAN + MINUTES,
    claims=KILGORE,
    connector_data=b"upstream",
    auth_time=BEGAN - timedelta(seconds=7),
    session_id="sid-1",
    user_code=USER_CODE,
)


class DeviceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = clock_at_the_beginning()
        self.storage = SteppedStorage()
        self.logins = DeviceLogins(storage=self.storage, clock=self.clock)
        request = DeviceRequest(
            user_code=USER_CODE,
            device_code=DEVICE_CODE,
            client_id="tv",
            scopes=SCOPES,
            expires_at=BEGAN + MINUTES,
        )
        token = DeviceToken(device_code=DEVICE_CODE, client_id="tv", expires_at=BEGAN + MINUTES)
        self.store(request, DEVICE_REQUESTS)
        self.store(token, DEVICE_TOKENS)
        self.store(Client(id="tv", name="Smart TV", public=True), CLIENTS)

    def store(self, value: Any, kind: Any) -> None:
        self.successResultOf(self.storage.write(Create(kind, value)))

    def store_code(self, **how: Any) -> AuthCode:
        code = attrs.evolve(CODE, **how)
        self.store(code, AUTH_CODES)
        return code

    def enter(self, typed: str = USER_CODE, secret: str = SECRET) -> Deferred[DeviceRequest]:
        return Deferred.fromCoroutine(self.logins.enter(typed, secret))

    def completing(
        self, code: str = CODE.id, user_code: str = USER_CODE, cookie: str | None = SECRET
    ) -> Deferred[Client]:
        return Deferred.fromCoroutine(self.logins.complete(code, user_code, cookie))

    def refused(self, attempt: Deferred[Any]) -> RefusedWithPage:
        error = self.failureResultOf(attempt, RefusedWithPage).value
        assert isinstance(error, RefusedWithPage)
        self.assertEqual(error.status, 400)
        return error

    def token(self) -> DeviceToken:
        token: DeviceToken = self.successResultOf(self.storage.get(DEVICE_TOKENS, DEVICE_CODE))
        return token


class EnterTests(DeviceCase):
    def test_21_3_code_that_was_typed_finds_what_the_device_asked_for(self) -> None:
        for typed in (USER_CODE, "bcdfghjk", " bcdf ghjk "):
            entered = self.successResultOf(self.enter(typed))
            self.assertEqual((entered.client_id, entered.scopes), ("tv", SCOPES))

    def test_31_11_codes_that_no_device_shows(self) -> None:
        for typed in ("", "x", "BBBB-BBBB"):
            self.failureResultOf(self.enter(typed), WrongUserCode)

    def test_31_11_expired_code(self) -> None:
        self.clock.advance(300)
        self.failureResultOf(self.enter(), WrongUserCode)

    def test_browser_secrets_are_not_stored(self) -> None:
        self.assertNotIn(SECRET, repr(self.successResultOf(self.enter()).browser_digests))

    def test_list_of_browsers_is_short_and_the_latest_are_in_it(self) -> None:
        secrets = [new_long_id() for _ in range(MAX_BROWSERS + 1)]
        for secret in (SECRET, *secrets, secrets[1]):
            entered = self.successResultOf(self.enter(secret=secret))
        self.assertEqual(len(entered.browser_digests), MAX_BROWSERS)
        self.store_code()
        self.refused(self.completing(cookie=secrets[0]))
        self.successResultOf(self.completing(cookie=secrets[1]))


class CheckTests(DeviceCase):
    def check(
        self,
        user_code: str = USER_CODE,
        cookie: str | None = SECRET,
        client_id: str = "tv",
        scopes: tuple[str, ...] = SCOPES,
    ) -> Deferred[None]:
        check = self.logins.check(user_code, cookie, client_id=client_id, scopes=scopes)
        return Deferred.fromCoroutine(check)

    def test_21_3_browser_in_which_the_code_was_typed_goes_on(self) -> None:
        self.successResultOf(self.enter())
        self.successResultOf(self.check())
        self.successResultOf(self.check(scopes=("openid",)))

    def test_OA_H22_address_that_a_stranger_made_up_leads_nowhere(self) -> None:
        self.successResultOf(self.enter())
        texts = {
            str(self.refused(attempt))
            for attempt in (
                self.check(cookie=None),
                self.check(cookie="x"),
                self.check(cookie=OTHER),
                self.check(user_code=""),
                self.check(user_code="BBBB-BBBB"),
                self.check(user_code=USER_CODE.lower()),
            )
        }
        self.assertEqual(len(texts), 1, "nobody learns which codes there are")

    def test_another_client_and_more_scopes_are_refused(self) -> None:
        self.successResultOf(self.enter())
        self.refused(self.check(client_id="app"))
        self.refused(self.check(scopes=(*SCOPES, "offline_access")))

    def test_expired_login_is_not_begun(self) -> None:
        self.successResultOf(self.enter())
        self.clock.advance(300)
        self.refused(self.check())


class CompleteTests(DeviceCase):
    def setUp(self) -> None:
        super().setUp()
        self.successResultOf(self.enter())

    def assert_still_waiting(self) -> None:
        self.assertEqual(self.token().status, DeviceTokenStatus.PENDING)

    def test_31_11_all_fine(self) -> None:
        self.store_code()
        self.assertEqual(self.successResultOf(self.completing()).name, "Smart TV")
        token = self.token()
        self.assertEqual(token.status, DeviceTokenStatus.COMPLETE)
        login = DeviceLogin(
            scopes=SCOPES,
            connector_id="mock",
            claims=KILGORE,
            connector_data=b"upstream",
            auth_time=BEGAN - timedelta(seconds=7),
            session_id="sid-1",
        )
        self.assertEqual((token.client_id, token.login), ("tv", login))

    def test_no_token_is_stored(self) -> None:
        self.store_code()
        self.successResultOf(self.completing())
        self.assertEqual(self.token().token_response, "")

    def test_code_and_user_code_are_spent(self) -> None:
        self.store_code()
        self.successResultOf(self.completing())
        self.refused(self.completing())
        self.failureResultOf(self.enter(), WrongUserCode)
        for kind in (AUTH_CODES, DEVICE_REQUESTS):
            self.assertEqual(self.successResultOf(every(self.storage, kind)), [])

    def test_31_11_missing_code_and_state(self) -> None:
        self.store_code()
        self.refused(self.completing(code=""))
        self.refused(self.completing(user_code=""))
        self.assert_still_waiting()

    def test_31_11_unknown_code(self) -> None:
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_31_11_expired_code(self) -> None:
        self.store_code(expires_at=BEGAN)
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_31_11_code_of_another_client(self) -> None:
        self.store_code(client_id="app")
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_31_11_OA_H22_code_of_another_flow_or_of_another_device(self) -> None:
        for number, user_code in enumerate(("", "BBBB-BBBB")):
            code = self.store_code(id=str(number), user_code=user_code)
            self.refused(self.completing(code.id))
        self.assert_still_waiting()
        self.assertEqual(len(self.successResultOf(every(self.storage, AUTH_CODES))), 2, "they are not spent")

    def test_OA_32_another_browser_cannot_finish_it(self) -> None:
        self.store_code()
        for cookie in (None, "", OTHER):
            self.refused(self.completing(cookie=cookie))
        self.assert_still_waiting()

    def test_31_11_expired_device(self) -> None:
        self.store_code(expires_at=BEGAN + 2 * MINUTES)
        self.clock.advance(300)
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_31_11_expired_device_token(self) -> None:
        def expired(token: DeviceToken) -> DeviceToken:
            return attrs.evolve(token, expires_at=BEGAN)

        self.store_code()
        self.successResultOf(self.storage.write(Update(DEVICE_TOKENS, DEVICE_CODE, expired)))
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_31_11_device_that_is_signed_in_already_keeps_its_login(self) -> None:
        first, second = self.store_code(), self.store_code(id="2", connector_id="local")
        every_request = self.successResultOf(every(self.storage, DEVICE_REQUESTS))
        self.successResultOf(self.completing(first.id))
        self.store(every_request[0], DEVICE_REQUESTS)
        self.refused(self.completing(second.id))
        login = self.token().login
        assert login is not None
        self.assertEqual(login.connector_id, "mock")

    def test_client_that_is_gone(self) -> None:
        self.store_code()
        self.successResultOf(self.storage.write(Delete(CLIENTS, "tv")))
        self.refused(self.completing())
        self.assert_still_waiting()

    def test_RL_05_storage_that_does_not_answer_spends_nothing(self) -> None:
        self.store_code()
        self.storage.write_failure = StorageUnavailable()
        self.failureResultOf(self.completing(), StorageUnavailable)
        self.storage.write_failure = None
        self.successResultOf(self.completing())

    def test_RL_23_two_at_once_finish_it_once(self) -> None:
        def scenario(choose: Choose) -> None:
            self.setUp()
            for name in ("one", "two"):
                self.store_code(id=name, connector_id=name)
            turnstile, winners = self.storage.turnstile, []
            turnstile.shut = True

            def ended(end: Any, name: str) -> None:
                if isinstance(end, Client):
                    winners.append(name)

            for name in ("one", "two"):
                self.completing(name).addBoth(ended, name)
            while turnstile.waiting:
                turnstile.let_on(choose(len(turnstile.waiting)))
            turnstile.open()
            login = self.token().login
            assert login is not None
            self.assertEqual(winners, [login.connector_id])

        self.assertGreater(every_schedule(scenario), 10)


class DenyTests(DeviceCase):
    def deny(self, cookie: str | None = SECRET) -> Deferred[None]:
        return Deferred.fromCoroutine(self.logins.deny(USER_CODE, cookie))

    def test_OA_41_device_learns_of_the_refusal(self) -> None:
        self.successResultOf(self.enter())
        self.successResultOf(self.deny())
        self.assertEqual(self.token().status, DeviceTokenStatus.DENIED)
        self.failureResultOf(self.enter(), WrongUserCode)

    def test_strangers_cannot_refuse(self) -> None:
        self.refused(self.deny())
        self.successResultOf(self.enter())
        self.refused(self.deny(OTHER))
        self.assertEqual(self.token().status, DeviceTokenStatus.PENDING)

    def test_what_is_finished_cannot_be_refused(self) -> None:
        self.successResultOf(self.enter())
        (request,) = self.successResultOf(every(self.storage, DEVICE_REQUESTS))
        self.store_code()
        self.successResultOf(self.completing())
        self.store(request, DEVICE_REQUESTS)
        self.refused(self.deny())
        self.assertEqual(self.token().status, DeviceTokenStatus.COMPLETE)
