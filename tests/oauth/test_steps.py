"""Step verifiers: a browser cannot say that it has come further than it has."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth import steps
from dextwist.oauth.packed import packed_list
from dextwist.oauth.steps import is_step_verifier, step_query, step_verifier

KEY, REQUEST = b"example-hmac-key", "req123"

#: What dex makes of them (4.3): label, payload, verifier.
VECTORS = [
    (
        steps.CONTINUE,
        "0a067265713132330a0d737465703a636f6e74696e7565",
        "ALkJ2Y3aM242sENnA28sdW5n5IxDz2GgL14flRw8Yvw",
    ),
    (steps.MFA, "0a067265713132330a08737465703a6d6661", "TwHDGiwTYgG7McWNgF6mqZLkNGtzpt6-h2S4maDvotk"),
    (
        steps.APPROVAL,
        "0a067265713132330a0d737465703a617070726f76616c",
        "o6pxB_RF29IRy635dI1Yo-gUTkemCVkgO5pHMAjbBQk",
    ),
    (
        steps.APPROVED,
        "0a067265713132330a0d737465703a617070726f766564",
        "tf77AJ21ljcjdhNieoXoAGjqfJlSDjiDIv4t4TuK9os",
    ),
    (
        "authenticator:totp",
        "0a067265713132330a1261757468656e74696361746f723a746f7470",
        "-LszIQ_CMD7_HhbEjfxnQsHd19WxLwzrovXldyKfJ1s",
    ),
]


class StepVerifierTests(SynchronousTestCase):
    def test_4_3_vectors(self) -> None:
        for label, payload, verifier in VECTORS:
            self.assertEqual(packed_list(REQUEST, label).hex(), payload)
            self.assertEqual(step_verifier(KEY, REQUEST, label), verifier)
            self.assertTrue(is_step_verifier(verifier, KEY, REQUEST, label))

    def test_OA_33_verifier_of_one_step_is_none_of_another(self) -> None:
        for label, _, verifier in VECTORS:
            for other in {other for other, _, _ in VECTORS} - {label}:
                self.assertFalse(is_step_verifier(verifier, KEY, REQUEST, other))

    def test_OA_33_verifier_belongs_to_one_login(self) -> None:
        label, _, verifier = VECTORS[0]
        self.assertFalse(is_step_verifier(verifier, KEY, "req124", label))
        self.assertFalse(is_step_verifier(verifier, b"example-hmac-kez", REQUEST, label))

    def test_4_3_other_text_is_no_verifier(self) -> None:
        label, _, verifier = VECTORS[0]
        for text in ("", "AQ", "!", "ünï", verifier[:-1], verifier + "=", verifier.lower(), f" {verifier}"):
            self.assertFalse(is_step_verifier(text, KEY, REQUEST, label), text)

    def test_login_without_a_key_has_no_verifier(self) -> None:
        made = step_verifier(b"", REQUEST, steps.CONTINUE)
        self.assertFalse(is_step_verifier(made, b"", REQUEST, steps.CONTINUE))

    def test_id_and_label_cannot_be_shifted_into_each_other(self) -> None:
        self.assertNotEqual(step_verifier(KEY, "ab", "c"), step_verifier(KEY, "a", "bc"))

    def test_4_3_query_is_sorted(self) -> None:
        query = step_query(KEY, "a b", steps.MFA)
        self.assertEqual(query, f"hmac={step_verifier(KEY, 'a b', steps.MFA)}&req=a+b")
