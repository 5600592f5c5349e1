"""Devices that sign in, and the person who lets them."""

from __future__ import annotations

import json
from typing import Any

import attrs

from tests.flows.browser import AtClient, Browser, Page
from tests.flows.daemon import FlowCase, Running

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@attrs.frozen(kw_only=True)
class Device:
    """A device of a client, with the codes that it was given."""

    running: Running
    client: dict[str, str]
    codes: dict[str, Any]

    async def poll(self, **more: str) -> tuple[int, dict[str, Any]]:
        """Ask for the tokens: status and answer."""
        fields = {**self.client, "grant_type": DEVICE_CODE, "device_code": self.codes["device_code"], **more}
        page = await Browser().request("POST", self.running.issuer + "/token", data=fields)
        return page.status, json.loads(page.body)


class DeviceCase(FlowCase):
    """Steps that several tests take."""

    async def device(self, running: Running, **fields: str) -> Device:
        client = {"client_id": "tv"} if "client_id" not in fields else {}
        client.update({name: fields.pop(name) for name in ("client_id", "client_secret") if name in fields})
        data = {**client, "scope": "openid email offline_access", **fields}
        page = await Browser().request("POST", running.issuer + "/device/code", data=data)
        self.assertEqual(200, page.status, page.body)
        return Device(running=running, client=client, codes=json.loads(page.body))

    async def enter(self, device: Device, browser: Browser, typed: str | None = None) -> Page:
        """Open the complete address and type the code; where that leads before anybody logs in."""
        form_page = await browser.visit(device.codes["verification_uri_complete"])
        assert isinstance(form_page, Page)
        more = {} if typed is None else {"user_code": typed}
        page = await browser.submit(form_page, form_page.form("user_code"), **more)
        assert isinstance(page, Page), page
        return page

    async def consent_page(self, device: Device, browser: Browser, connector: str = "mock") -> Page:
        choice = await self.enter(device, browser)
        page = await browser.visit(choice.link(f"/auth/{connector}"))
        assert isinstance(page, Page)
        if connector == "local":
            form = page.form("password")
            answered = await browser.submit(page, form, login="jane@example.com", password="password")
            assert isinstance(answered, Page)
            page = answered
        page.form("approval")
        return page

    async def approve(self, device: Device, browser: Browser, connector: str = "mock") -> Page:
        page = await self.consent_page(device, browser, connector)
        end = await browser.submit(page, page.form("approval", "approve"))
        assert isinstance(end, Page), end
        return end

    async def assert_pending(self, device: Device) -> None:
        status, answer = await device.poll()
        self.assertEqual(400, status)
        self.assertIn(answer["error"], ("authorization_pending", "slow_down"))

    def assert_refused(self, page: Page | AtClient, *statuses: int) -> None:
        assert isinstance(page, Page), page
        self.assertIn(page.status, statuses or (400,))
        self.assertIsNone(page.header("location"))
