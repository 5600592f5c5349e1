"""Environment variables in texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from dextwist.config.document import Node, plain
from dextwist.config.expansion import expand, expanded

ENVIRON = {
    "NAME": "value",
    "A_B": "ab",
    "A-b": "dashed",
    "A": "short",
    "1": "one",
    "#": "hash",
    "$": "never",
    "NESTED": "$NAME",
    "x y": "spaced",
}
TABLE = {
    "$NAME": "value",
    "${NAME}": "value",
    "$A_B.c": "ab.c",
    "${A-b}": "dashed",
    "$A-b": "short-b",
    "$1x": "onex",
    "${1}x": "onex",
    "$#": "hash",
    "${#}": "hash",
    "${x y}": "spaced",
    "a-$NAME.c": "a-value.c",
    "$NAME$NAME": "valuevalue",
    "a${UNSET}b": "ab",
    "$UNSET": "",
    "$NESTED": "$NAME",
    "cash $": "cash $",
    "a$ b": "a$ b",
    "$é": "$é",
    "${}x": "x",
    "${unclosed": "unclosed",
    "a${": "a",
    "$$NAME": "$NAME",
    "pa$$word": "pa$word",
    "$$$$": "$$",
    "nothing": "nothing",
    "": "",
}


class ExpansionTest(SynchronousTestCase):
    def test_1_1_references_are_replaced_once(self) -> None:
        for text, result in TABLE.items():
            self.assertEqual(expand(text, ENVIRON), result, text)

    def test_1_1_only_texts_are_touched_at_any_depth(self) -> None:
        node = Node(
            {
                "$NAME": Node("$NAME"),
                "list": Node((Node("$NAME"), Node((Node("$NAME"),)), Node(1))),
                "map": Node({"text": Node("${NAME}"), "number": Node(5), "nothing": Node(None)}),
            }
        )
        self.assertEqual(
            plain(expanded(node, ENVIRON)),
            {
                "$NAME": "value",
                "list": ["value", ["value"], 1],
                "map": {"text": "value", "number": 5, "nothing": None},
            },
        )

    @given(st.text(alphabet=st.sampled_from("${}aA_1#*@!?- é\n")), st.dictionaries(st.text(), st.text()))
    def test_no_text_raises(self, text: str, environ: dict[str, str]) -> None:
        result = expand(text, environ)
        if "$" not in text:
            self.assertEqual(result, text)
