"""Filters: read from text with the place of a mistake, built around values, and written as bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ldaptor.protocols import pureber, pureldap
from twisted.trial.unittest import SynchronousTestCase

from dextwist.connectors.ldap.filters import (
    And,
    Comparison,
    Extensible,
    Filter,
    FilterMistake,
    Not,
    Or,
    Present,
    Substrings,
    all_of,
    any_of,
    comparing,
    filter_text,
    parse_filter,
)
from dextwist.connectors.ldap.wire import Search, search_request

_ATTRIBUTES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}(;lang-[a-z]{2})?", fullmatch=True)
_VALUES = st.binary(max_size=12)
_SOME = st.binary(min_size=1, max_size=6)
_LEAVES = st.one_of(
    st.builds(Comparison, _ATTRIBUTES, st.sampled_from(["=", ">=", "<=", "~="]), _VALUES),
    st.builds(Present, _ATTRIBUTES),
    st.builds(Substrings, _ATTRIBUTES, _SOME, st.lists(_SOME, max_size=2).map(tuple), _VALUES),
    st.builds(Extensible, _ATTRIBUTES, st.booleans(), st.sampled_from(["", "2.5.13.2"]), _VALUES),
)


def _above(below: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(below, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, below))


_FILTERS: st.SearchStrategy[Filter] = st.recursive(_LEAVES, _above, max_leaves=6)


class ParsingTests(SynchronousTestCase):
    """Text to filter."""

    def test_every_kind_is_read(self) -> None:
        for text, expected in (
            ("(uid=jane)", Comparison("uid", "=", b"jane")),
            ("(cn=)", Comparison("cn", "=", b"")),
            ("(cn=*)", Present("cn")),
            ("(cn=j*n*e)", Substrings("cn", b"j", (b"n",), b"e")),
            ("(cn=*ne)", Substrings("cn", b"", (), b"ne")),
            ("(n>=5)", Comparison("n", ">=", b"5")),
            ("(n<=5)", Comparison("n", "<=", b"5")),
            ("(n~=5)", Comparison("n", "~=", b"5")),
            ("(1.2.840.5=x)", Comparison("1.2.840.5", "=", b"x")),
            ("(a_b;lang-de=x)", Comparison("a_b;lang-de", "=", b"x")),
            ("(ou:dn:=Seattle)", Extensible("ou", True, "", b"Seattle")),
            ("(c:1.2.840.113556.1.4.803:=2)", Extensible("c", False, "1.2.840.113556.1.4.803", b"2")),
            ("(:caseExactMatch:=x)", Extensible("", False, "caseExactMatch", b"x")),
            ("(&)", And(())),
            ("(!(a=b))", Not(Comparison("a", "=", b"b"))),
            (" ( & (a=b) ( | (c=d) (e=f) ) ) ", None),
            ("(cn=J\\c3\\b6rg \\28a\\29\\2a)", Comparison("cn", "=", "Jörg (a)*".encode())),
            ("(cn=Jörg)", Comparison("cn", "=", "Jörg".encode())),
        ):
            found = parse_filter(text)
            if expected is not None:
                self.assertEqual(found, expected)

    def test_a_mistake_is_told_with_its_place(self) -> None:
        for text, position in (
            ("", 0),
            ("objectClass=person", 0),
            ("(&(objectClass=person)", 22),
            ("(a=b))", 5),
            ("(a=b)(c=d)", 5),
            ("(=b)", 1),
            ("(a)", 2),
            ("(a=(b)", 3),
            ("(a=\\zz)", 3),
            ("(a>=b*)", 4),
            ("(!(a=b)(c=d))", 7),
            ("(:=x)", 1),
        ):
            with self.assertRaises(FilterMistake) as raised:
                parse_filter(text)
            self.assertEqual((text, raised.exception.position), (text, position))
            self.assertIn(f"at position {position}", str(raised.exception))

    def test_nesting_without_end_is_a_mistake(self) -> None:
        with self.assertRaises(FilterMistake):
            parse_filter("(!" * 10_000)

    @given(st.text(alphabet="()&|!=<>~*:\\ab0 ;", max_size=30))
    def test_any_text_is_a_filter_or_a_mistake(self, text: str) -> None:
        try:
            found = parse_filter(text)
        except FilterMistake as mistake:
            self.assertLessEqual(mistake.position, len(text))
        else:
            self.assertEqual(parse_filter(filter_text(found)), found)

    @given(_FILTERS)
    def test_a_filter_survives_being_written_as_text(self, condition: Filter) -> None:
        self.assertEqual(parse_filter(filter_text(condition)), condition)


class BuildingTests(SynchronousTestCase):
    """Filters around values."""

    def test_what_a_configuration_calls_an_attribute(self) -> None:
        self.assertEqual(comparing("uid"), Comparison("uid", "=", b"value"))
        rule = "1.2.840.113556.1.4.1941"
        self.assertEqual(comparing(f"member:{rule}:"), Extensible("member", False, rule, b"value"))
        for wrong in ("", "a b", "a)(b", "a=b*", "(a"):
            with self.assertRaises(FilterMistake):
                comparing(wrong)

    def test_one_condition_alone_needs_no_brackets(self) -> None:
        one, two = Present("a"), Present("b")
        self.assertEqual((all_of([None, one]), any_of([one])), (one, one))
        self.assertEqual((all_of([one, two]), any_of([one, two])), (And((one, two)), Or((one, two))))

    def test_ld01_a_value_is_escaped_in_text_and_bare_in_bytes(self) -> None:
        condition = Comparison("uid", "=", "*)(uid=ö\\\0".encode())
        self.assertEqual(filter_text(condition), "(uid=\\2a\\29\\28uid=\\c3\\b6\\5c\\00)")
        self.assertIn(condition.value, search_request(1, Search(base="", condition=condition, attributes=())))

    @given(_FILTERS)
    def test_ldaptor_reads_what_it_wrote(self, condition: Filter) -> None:
        written = search_request(7, Search(base="dc=x", condition=condition, attributes=("a", "b")))
        decoder = pureldap.LDAPBERDecoderContext_TopLevel(
            inherit=pureldap.LDAPBERDecoderContext_LDAPMessage(
                fallback=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
                inherit=pureldap.LDAPBERDecoderContext(fallback=pureber.BERDecoderContext()),
            )
        )
        message, length = pureber.berDecodeObject(decoder, written)
        self.assertEqual((message.id, length, message.value.attributes), (7, len(written), [b"a", b"b"]))
