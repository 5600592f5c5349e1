"""Tokens from outside: redeeming, refreshing, reading (server rows 31.8, 31.9, 31.12)."""

from __future__ import annotations

import json
from typing import Any

import attrs
from twisted.internet.defer import Deferred, gatherResults

from dextwist.model.offline_session import OFFLINE_SESSIONS
from dextwist.model.refresh_token import REFRESH_TOKENS
from dextwist.storage.interface import Update
from dextwist.tokens.refresh_tokens import parse_refresh_token
from tests.flows.browser import Browser
from tests.flows.daemon import CALLBACK, FlowCase, Running
from tests.flows.relying_party import RelyingParty, claims_of

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


class CodeTests(FlowCase):
    """The authorization_code grant over HTTP."""

    async def test_the_answer_and_its_headers(self) -> None:
        rp = RelyingParty(running=await self.start())
        code = (await rp.log_in(nonce="n-1")).params["code"]
        params = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        page, answer = await rp.post("/token", params)
        self.assertEqual("application/json", page.header("content-type"))
        self.assertEqual(("no-store", "no-cache"), (page.header("cache-control"), page.header("pragma")))
        members = {"access_token", "token_type", "expires_in", "refresh_token", "id_token"}
        self.assertEqual(members, set(answer))
        self.assertEqual(("bearer", 86400), (answer["token_type"], answer["expires_in"]))
        claims = claims_of(answer["id_token"])
        self.assertEqual(
            (rp.running.issuer, "app", "n-1", "Kilgore Trout", ["authors"]),
            tuple(claims[name] for name in ("iss", "aud", "nonce", "name", "groups")),
        )

    async def test_oa08_a_replayed_code_ends_what_it_gave(self) -> None:
        rp = RelyingParty(running=await self.start())
        code = (await rp.log_in()).params["code"]
        _, first = await rp.redeem(code)
        self.assertEqual((400, "invalid_grant"), self.error(await rp.redeem(code)))
        self.assertEqual((400, "invalid_grant"), self.error(await rp.refresh(first["refresh_token"])))
        self.assertEqual(401, (await self.userinfo(rp, first["access_token"]))[0])

    async def test_oa08_parallel_redemptions_give_one_answer(self) -> None:
        rp = RelyingParty(running=await self.start())
        code = (await rp.log_in()).params["code"]
        answers = await gatherResults([Deferred.fromCoroutine(rp.redeem(code)) for _ in range(8)])
        self.assertEqual([200] + [400] * 7, sorted(status for status, _ in answers))

    async def test_oa09_oa10_codes_are_bound_to_client_and_target(self) -> None:
        running = await self.start()
        rp = RelyingParty(running=running)
        other = RelyingParty(running=running, client_id="other", secret="other-secret")
        code = (await rp.log_in()).params["code"]
        self.assertEqual((400, "invalid_grant"), self.error(await other.redeem(code)))
        self.assertEqual(
            (400, "invalid_grant"), self.error(await rp.redeem(code, redirect_uri=CALLBACK + "/"))
        )
        self.assertEqual(200, (await rp.redeem(code))[0])

    async def test_oa12_proof_keys(self) -> None:
        rp = RelyingParty(running=await self.start())
        code = (await rp.log_in(code_challenge=CHALLENGE, code_challenge_method="S256")).params["code"]
        for wrong in ({}, {"code_verifier": VERIFIER[::-1]}, {"code_verifier": CHALLENGE}):
            self.assertEqual((400, "invalid_grant"), self.error(await rp.redeem(code, **wrong)))
        self.assertEqual(200, (await rp.redeem(code, code_verifier=VERIFIER))[0])

    async def test_what_is_no_request_is_told_so(self) -> None:
        rp = RelyingParty(running=await self.start())
        for params, error in (
            ({"grant_type": "authorization_code"}, "invalid_request"),
            ({"grant_type": "coffee"}, "unsupported_grant_type"),
            ({"grant_type": "implicit"}, "unsupported_grant_type"),
            ({}, "unsupported_grant_type"),
        ):
            page, answer = await rp.post("/token", params)
            self.assertEqual((400, error), (page.status, answer["error"]))

    async def test_queries_never_count_at_the_token_endpoint(self) -> None:
        rp = RelyingParty(running=await self.start())
        page, answer = await rp.post("/token?grant_type=refresh_token&refresh_token=x", {})
        self.assertEqual((400, "unsupported_grant_type"), (page.status, answer["error"]))

    async def test_oa15_wrong_and_unknown_clients_look_alike_and_are_asked_again(self) -> None:
        running, answers = await self.start(), []
        for client_id, secret in (("app", "wrong"), ("nobody", "wrong"), ("app", "")):
            rp = RelyingParty(running=running, client_id=client_id, secret=secret)
            page, _ = await rp.post("/token", {"grant_type": "refresh_token", "refresh_token": "x"})
            self.assertEqual(401, page.status)
            self.assertTrue((page.header("www-authenticate") or "").startswith("Basic"))
            answers.append(page.body)
        self.assertEqual(1, len(set(answers)))

    async def test_wb13_methods(self) -> None:
        running = await self.start()
        for path, method, status in (
            ("/token", "GET", 400),
            ("/token", "PUT", 405),
            ("/keys", "DELETE", 405),
            ("/auth", "PUT", 405),
            ("", "POST", 405),
            ("/auth/mock", "POST", 405),
        ):
            page = await Browser().request(method, running.issuer + path)
            self.assertEqual(status, page.status, (path, method))
            if status == 405:
                self.assertIn("GET", page.header("allow") or "")

    async def test_hybrid_and_implicit_answers(self) -> None:
        rp = RelyingParty(
            running=await self.start({"oauth2": {"responseTypes": ["code", "token", "id_token"]}})
        )
        end = await rp.log_in(response_type="code id_token token", nonce="n")
        self.assertIn("#", end.url)
        self.assertEqual(
            {"code", "id_token", "access_token", "token_type", "expires_in", "state", "iss"}, set(end.params)
        )
        claims = claims_of(end.params["id_token"])
        self.assertEqual("n", claims["nonce"])
        self.assertTrue({"c_hash", "at_hash"} <= set(claims))
        self.assertEqual(200, (await rp.redeem(end.params["code"]))[0])

    async def test_form_post(self) -> None:
        running, browser = await self.start(), Browser()
        page = await browser.visit(
            RelyingParty(running=running).authorize_url("/auth/mock", response_mode="form_post")
        )
        form = page.form("code")  # type: ignore[union-attr]
        self.assertEqual((CALLBACK, "POST", "the state"), (form.action, form.method, form.fields["state"]))

    @staticmethod
    def error(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
        return answer[0], answer[1].get("error", "")

    @staticmethod
    async def userinfo(rp: RelyingParty, token: str) -> tuple[int, bytes, str]:
        url = rp.running.issuer + "/userinfo"
        page = await Browser().request("GET", url, headers={"Authorization": f"Bearer {token}"})
        return page.status, page.body, page.header("www-authenticate") or ""


class RefreshTests(FlowCase):
    """The refresh_token grant over HTTP."""

    async def start_with(self, **limits: Any) -> RelyingParty:
        return RelyingParty(running=await self.start({"expiry": {"refreshTokens": limits}}))

    async def test_oa25_rotation_and_the_same_successor(self) -> None:
        rp = await self.start_with()
        first = (await rp.tokens())["refresh_token"]
        _, second = await rp.refresh(first)
        _, again = await rp.refresh(first)
        self.assertNotEqual(first, second["refresh_token"])
        self.assertEqual(second["refresh_token"], again["refresh_token"])
        self.assertEqual(parse_refresh_token(first)[0], parse_refresh_token(second["refresh_token"])[0])

    async def test_oa25_a_crowd_gets_one_successor(self) -> None:
        rp = await self.start_with()
        first = (await rp.tokens())["refresh_token"]
        answers = await gatherResults([Deferred.fromCoroutine(rp.refresh(first)) for _ in range(10)])
        self.assertEqual({200}, {status for status, _ in answers})
        self.assertEqual(1, len({answer["refresh_token"] for _, answer in answers}))

    async def test_oa26_replay_without_a_window_ends_the_family(self) -> None:
        rp = await self.start_with(reuseInterval="0s")
        first = (await rp.tokens())["refresh_token"]
        _, second = await rp.refresh(first)
        for token in (first, second["refresh_token"]):
            status, answer = await rp.refresh(token)
            self.assertEqual((400, "invalid_grant"), (status, answer["error"]))
        session = await rp.running.storage.get(OFFLINE_SESSIONS, ("0-385-28089-0", "mock"))
        self.assertEqual({}, session.refresh)

    async def test_oa27_scopes_narrow_for_once_and_never_widen(self) -> None:
        rp = await self.start_with()
        first = await rp.tokens(scope="openid email offline_access")
        _, less = await rp.refresh(first["refresh_token"], scope=" openid")
        self.assertNotIn("email", claims_of(less["id_token"]))
        _, whole = await rp.refresh(less["refresh_token"])
        self.assertIn("email", claims_of(whole["id_token"]))
        status, answer = await rp.refresh(whole["refresh_token"], scope="openid groups")
        self.assertEqual((400, "invalid_scope"), (status, answer["error"]))

    async def test_oa30_two_devices_of_one_person(self) -> None:
        rp = await self.start_with()
        tokens = [(await rp.tokens())["refresh_token"] for _ in range(2)]
        for token in tokens:
            self.assertEqual(200, (await rp.refresh(token))[0])

    async def test_the_oldest_gives_way_when_there_are_too_many(self) -> None:
        rp = await self.start_with(maxPerClient=2)
        tokens = [(await rp.tokens())["refresh_token"] for _ in range(3)]
        self.assertEqual([400, 200, 200], [(await rp.refresh(token))[0] for token in tokens])

    async def test_auth_time_and_nonce_stay(self) -> None:
        rp = await self.start_with()
        first = await rp.tokens(nonce="n")
        _, second = await rp.refresh(first["refresh_token"])
        before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
        self.assertEqual((before["auth_time"], "n"), (after["auth_time"], after["nonce"]))

    async def test_a_missing_reference_is_an_invalid_grant(self) -> None:
        rp = await self.start_with()
        token = (await rp.tokens())["refresh_token"]
        await self.forget_references(rp.running)
        status, answer = await rp.refresh(token)
        self.assertEqual((400, "invalid_grant"), (status, answer["error"]))
        stored = await rp.running.storage.get(REFRESH_TOKENS, parse_refresh_token(token)[0])
        self.assertEqual(parse_refresh_token(token)[1], stored.token, "nothing was rotated")

    async def forget_references(self, running: Running) -> None:
        await running.storage.write(
            Update(
                OFFLINE_SESSIONS,
                ("0-385-28089-0", "mock"),
                lambda session: attrs.evolve(session, refresh={}),
            )
        )


class UserinfoTests(FlowCase):
    """The userinfo endpoint."""

    async def ask(self, rp: RelyingParty, authorization: str | None = None) -> tuple[int, Any, str]:
        headers = {"Authorization": authorization} if authorization else {}
        page = await Browser().request("GET", rp.running.issuer + "/userinfo", headers=headers)
        return page.status, json.loads(page.body), page.header("www-authenticate") or ""

    async def test_it_says_what_the_token_says(self) -> None:
        rp = RelyingParty(running=await self.start())
        token = (await rp.tokens())["access_token"]
        for scheme in ("Bearer", "bearer"):
            status, body, _ = await self.ask(rp, f"{scheme} {token}")
            self.assertEqual((200, claims_of(token)), (status, body))
        page = await Browser().request("POST", rp.running.issuer + "/userinfo", data={"access_token": token})
        self.assertEqual(200, page.status)

    async def test_oa21_bad_tokens_are_refused_alike(self) -> None:
        rp = RelyingParty(running=await self.start())
        tokens = await rp.tokens()
        stranger = await RelyingParty(running=await self.start()).tokens()
        for bad in (
            tokens["id_token"],
            stranger["access_token"],
            tokens["access_token"][:-4] + "AAAA",
            "nonsense",
            tokens["refresh_token"],
        ):
            status, body, challenge = await self.ask(rp, f"Bearer {bad}")
            self.assertEqual((401, "invalid_token"), (status, body["error"]))
            self.assertIn('error="invalid_token"', challenge)

    async def test_no_token_and_tokens_in_the_query_are_no_authentication(self) -> None:
        rp = RelyingParty(running=await self.start())
        token = (await rp.tokens())["access_token"]
        status, _, challenge = await self.ask(rp)
        self.assertEqual((401, "Bearer"), (status, challenge))
        page = await Browser().request("GET", f"{rp.running.issuer}/userinfo?access_token={token}")
        self.assertEqual(401, page.status)

    async def test_expired_tokens_are_refused(self) -> None:
        rp = RelyingParty(running=await self.start({"expiry": {"idTokens": "1ms"}}))
        token = (await rp.tokens())["access_token"]
        self.assertEqual(401, (await self.ask(rp, f"Bearer {token}"))[0])
