"""DNs and values: what is text, and what two spellings have in common."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.values import comparable_dn, id_text, plain_text


class IdTests(SynchronousTestCase):
    """A value as a user id."""

    def test_text_stays_as_it_is(self) -> None:
        self.assertEqual(id_text("uid", "Jörg".encode()), "Jörg")

    def test_an_object_guid_is_written_as_windows_does(self) -> None:
        value = bytes.fromhex("78563412bc9af0de0123456789abcdef")
        self.assertEqual(id_text("objectGUID", value), "12345678-9abc-def0-0123-456789abcdef")
        # Also one whose bytes happen to be text.
        self.assertEqual(
            id_text("OBJECTGUID", b"abcdefghijklmnop"), str(uuid.UUID(bytes_le=b"abcdefghijklmnop"))
        )

    def test_an_object_sid_is_written_as_windows_does(self) -> None:
        value = bytes.fromhex("0105000000000005150000000100000002000000030000005b040000")
        self.assertEqual(id_text("objectSid", value), "S-1-5-21-1-2-3-1115")

    def test_anything_else_is_base64url(self) -> None:
        for attribute, value in (("audio", b"\xff\xfe\xfd"), ("objectSid", b"\xff\xfe\xfd")):
            self.assertEqual(id_text(attribute, value), "__79")

    def test_what_is_no_utf_8_is_no_text(self) -> None:
        self.assertIsNone(plain_text(b"\xff"))


class DNTests(SynchronousTestCase):
    """Spellings of one DN."""

    def test_spellings_of_one_dn(self) -> None:
        for one, other in (
            (b"uid=jane,dc=example", b"UID = Jane , DC=Example"),
            (b"cn=a\\,b,dc=x", b"cn=a\\2Cb,dc=x"),
            ("cn=ö,dc=x".encode(), b"cn=\\C3\\B6,dc=x"),
            (b'cn="a,b",dc=x', b"cn=a\\,b,dc=x"),
            (b"cn=a  b,dc=x", b"cn=a b,dc=x"),
            (b"cn=a+uid=b,dc=x", b"uid=b+cn=a,dc=x"),
        ):
            self.assertEqual(comparable_dn(one), comparable_dn(other))

    def test_other_dns(self) -> None:
        for one, other in (
            (b"cn=a,dc=x", b"cn=b,dc=x"),
            (b"cn=a\\,dc=x", b"cn=a,dc=x"),
            (b"cn=a\\+uid=b,dc=x", b"cn=a+uid=b,dc=x"),
            (b"cn=a,cn=b,dc=x", b"cn=b,cn=a,dc=x"),
            (b"cn=a", b"cn=a,dc=x"),
        ):
            self.assertNotEqual(comparable_dn(one), comparable_dn(other))

    @given(st.binary(max_size=40))
    def test_anything_can_be_compared(self, dn: bytes) -> None:
        self.assertEqual(comparable_dn(dn), comparable_dn(dn))
