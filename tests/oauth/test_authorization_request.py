"""Authorization requests as they arrive."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.authorization_request import AuthorizationRequest
from dextwist.oauth.parameters import Form, MalformedForm

NAMES = [field.name for field in attrs.fields(AuthorizationRequest)]


class AuthorizationRequestTests(SynchronousTestCase):
    def test_5_1_parameters_are_taken_by_their_names(self) -> None:
        request = AuthorizationRequest.from_form(Form(tuple((name, f" {name} ") for name in NAMES)))
        self.assertEqual(attrs.asdict(request), {name: f" {name} " for name in NAMES})
        self.assertLessEqual(
            {
                "client_id",
                "redirect_uri",
                "response_type",
                "scope",
                "state",
                "nonce",
                "connector_id",
                "prompt",
            }
            | {"code_challenge", "code_challenge_method", "approval_prompt", "max_age", "id_token_hint"}
            | {"request", "request_uri", "response_mode", "login_hint"},
            set(NAMES),
        )

    def test_absent_parameters_are_empty(self) -> None:
        self.assertEqual(set(attrs.asdict(AuthorizationRequest.from_form(Form())).values()), {""})

    def test_unknown_parameters_mean_nothing(self) -> None:
        form = Form((("acr_values", "1"), ("acr_values", "2"), ("claims", "{}")))
        self.assertEqual(AuthorizationRequest.from_form(form), AuthorizationRequest.from_form(Form()))

    def test_repeated_parameters_are_errors(self) -> None:
        for name in NAMES:
            form = Form(((name, "1"), (name, "1")))
            self.assertRaises(MalformedForm, AuthorizationRequest.from_form, form)

    def test_a_nul_in_any_parameter_is_refused(self) -> None:
        for name in NAMES:
            form = Form(((name, "a\0b"),))
            self.assertRaises(MalformedForm, AuthorizationRequest.from_form, form)
