"""Forms once they are text."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from dextwist.oauth.parameters import Form, MalformedForm

FORM = Form((("a", "1"), ("b", ""), ("c", "2"), ("c", "3")))


class FormTests(SynchronousTestCase):
    def test_value_of_a_field(self) -> None:
        self.assertEqual(FORM.get("a"), "1")
        self.assertEqual(FORM.get("b", "other"), "")
        self.assertEqual(FORM.get("d"), "")
        self.assertEqual(FORM.get("d", "other"), "other")

    def test_repeated_field_is_an_error_and_not_a_choice(self) -> None:
        error = self.assertRaises(MalformedForm, FORM.get, "c")
        self.assertEqual(str(error), "the parameter c is repeated")

    def test_names_are_matched_exactly(self) -> None:
        self.assertEqual(FORM.get("A"), "")
        self.assertIn("c", FORM)
        self.assertNotIn("C", FORM)

    def test_repeats_are_refused(self) -> None:
        self.assertRaises(MalformedForm, FORM.refuse_repeats)
        Form(FORM.fields[:3]).refuse_repeats()

    def test_some_fields_may_be_repeated(self) -> None:
        FORM.refuse_repeats(but=("a", "c"))
        self.assertRaises(MalformedForm, FORM.refuse_repeats, but=("a", "b"))

    def test_equal_values_are_repeats_too(self) -> None:
        self.assertRaises(MalformedForm, Form((("a", "1"), ("a", "1"))).refuse_repeats)

    def test_order_is_kept(self) -> None:
        self.assertEqual(list(FORM), [("a", "1"), ("b", ""), ("c", "2"), ("c", "3")])

    def test_empty_form(self) -> None:
        self.assertFalse(Form())
        self.assertTrue(Form((("", ""),)))
