"""Revocation from outside (RFC 7009; OA-24, RL-03, RL-04)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from dextwist.storage.interface import Change, Changed, StorageUnavailable
from dextwist.storage.memory import MemoryStorage
from tests.flows.browser import Browser, Page
from tests.flows.daemon import FlowCase
from tests.flows.relying_party import RelyingParty

PATH = "/token/revoke"


class FailingStorage(MemoryStorage):
    """Takes no write while it is told so."""

    down = False

    async def write(self, *changes: Change) -> tuple[Changed, ...]:
        if self.down:
            raise StorageUnavailable
        return await super().write(*changes)


class RevocationTests(FlowCase):
    async def revoke(self, rp: RelyingParty, token: str, *, status: int = 200, **more: str) -> Page:
        data = {"client_id": rp.client_id, "client_secret": rp.secret, "token": token, **more}
        page = await Browser().request("POST", rp.running.issuer + PATH, data=data)
        self.assertEqual(status, page.status, page.body)
        return page

    async def assert_refresh(self, rp: RelyingParty, token: str, status: int) -> None:
        found, answer = await rp.refresh(token)
        self.assertEqual(status, found, answer)
        if status == 400:
            self.assertEqual("invalid_grant", answer["error"])

    async def assert_userinfo(self, rp: RelyingParty, token: str, status: int) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        page = await Browser().request("GET", rp.running.issuer + "/userinfo", headers=headers)
        self.assertEqual(status, page.status)

    async def test_OA_24_a_login_ends_as_a_whole(self) -> None:
        rp = RelyingParty(running=await self.start())
        for hint in ("", "refresh_token", "access_token", "coffee"):
            first = await rp.tokens()
            _, second = await rp.refresh(first["refresh_token"])
            page = await self.revoke(rp, first["refresh_token"], token_type_hint=hint)
            self.assertEqual((b"", "no-store"), (page.body, page.header("cache-control")))
            for tokens in (first, second):
                await self.assert_refresh(rp, tokens["refresh_token"], 400)
                await self.assert_userinfo(rp, tokens["access_token"], 401)
            _, answer = await rp.post("/token/introspect", {"token": second["refresh_token"]})
            self.assertEqual({"active": False}, answer)

    async def test_OA_24_other_logins_live_on(self) -> None:
        rp = RelyingParty(running=await self.start())
        one, two = await rp.tokens(), await rp.tokens()
        await self.revoke(rp, one["refresh_token"])
        await self.assert_userinfo(rp, two["access_token"], 200)
        await self.assert_refresh(rp, two["refresh_token"], 200)

    async def test_OA_24_an_access_token_ends_alone(self) -> None:
        rp = RelyingParty(running=await self.start())
        tokens = await rp.tokens()
        await self.revoke(rp, tokens["access_token"])
        await self.assert_userinfo(rp, tokens["access_token"], 401)
        _, answer = await rp.post("/token/introspect", {"token": tokens["access_token"]})
        self.assertEqual({"active": False}, answer)
        await self.assert_refresh(rp, tokens["refresh_token"], 200)

    async def test_OA_24_unknown_tokens_are_revoked_already(self) -> None:
        rp = RelyingParty(running=await self.start())
        for token in ("nonsense", "CgR0ZXN0EgNiYXI", "a.b.c", "x" * 5000):
            await self.revoke(rp, token)

    async def test_OA_24_another_clients_tokens_live_on(self) -> None:
        rp = RelyingParty(running=await self.start())
        tokens = await rp.tokens()
        other = RelyingParty(running=rp.running, client_id="other", secret="other-secret")
        for kind in ("refresh_token", "access_token"):
            await self.revoke(other, tokens[kind])
        await self.assert_userinfo(rp, tokens["access_token"], 200)
        await self.assert_refresh(rp, tokens["refresh_token"], 200)

    async def test_OA_24_who_may_ask_and_how(self) -> None:
        rp = RelyingParty(running=await self.start())
        token = (await rp.tokens())["refresh_token"]
        for client_id, secret in (("app", "wrong"), ("app", ""), ("nobody", "x")):
            caller = RelyingParty(running=rp.running, client_id=client_id, secret=secret)
            page = await self.revoke(caller, token, status=401)
            self.assertIn(b"invalid_client", page.body)
        page = await self.revoke(rp, "", status=400)
        self.assertIn(b"invalid_request", page.body)
        page = await Browser().request("GET", rp.running.issuer + PATH)
        self.assertEqual((405, "POST"), (page.status, page.header("allow")))
        public = RelyingParty(running=rp.running, client_id="cli", secret="")
        await self.revoke(public, "nonsense")
        await self.assert_refresh(rp, token, 200)

    async def test_RL_03_revocation_wins_over_refreshes_beside_it(self) -> None:
        rp = RelyingParty(running=await self.start())
        for _ in range(5):
            token = (await rp.tokens())["refresh_token"]
            work: list[Any] = [
                rp.refresh(token),
                rp.refresh(token),
                self.revoke(rp, token),
                rp.refresh(token),
            ]
            answers = await gatherResults([Deferred.fromCoroutine(each) for each in work])
            for status, answer in (answers[0], answers[1], answers[3]):
                if status == 200:
                    await self.assert_userinfo(rp, answer["access_token"], 401)
                    await self.assert_refresh(rp, answer["refresh_token"], 400)
            await self.assert_refresh(rp, token, 400)

    async def test_RL_04_while_the_storage_is_down_nothing_is_called_revoked(self) -> None:
        storage = FailingStorage()
        rp = RelyingParty(running=await self.start(storage=storage))
        tokens = await rp.tokens()
        storage.down = True
        for kind in ("refresh_token", "access_token"):
            page = await self.revoke(rp, tokens[kind], status=503)
            self.assertIsNotNone(page.header("retry-after"))
        storage.down = False
        await self.assert_refresh(rp, tokens["refresh_token"], 200)

    async def test_OA_08_a_replayed_code_ends_what_refreshes_gave_too(self) -> None:
        rp = RelyingParty(running=await self.start())
        code = (await rp.log_in()).params["code"]
        _, first = await rp.redeem(code)
        _, second = await rp.refresh(first["refresh_token"])
        await rp.redeem(code)
        for tokens in (first, second):
            await self.assert_userinfo(rp, tokens["access_token"], 401)

    async def test_OA_26_a_replayed_refresh_token_ends_access_tokens_too(self) -> None:
        limits = {"expiry": {"refreshTokens": {"reuseInterval": "0s"}}}
        rp = RelyingParty(running=await self.start(limits))
        first = await rp.tokens()
        _, second = await rp.refresh(first["refresh_token"])
        await self.assert_refresh(rp, first["refresh_token"], 400)
        for tokens in (first, second):
            await self.assert_userinfo(rp, tokens["access_token"], 401)
