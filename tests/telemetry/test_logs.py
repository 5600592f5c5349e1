"""One event becomes one line, in either format, whatever it holds."""

from __future__ import annotations

import json
import tempfile
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import attrs
from constantly import NamedConstant
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogLevel, LogPublisher
from twisted.python import log as old_log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from dextwist.telemetry.context import RequestContext, request_context
from dextwist.telemetry.logs import (
    LogFile,
    RecordObserver,
    json_line,
    text_line,
)


@attrs.define
class Written:
    """The lines that an observer with these options wrote."""

    lines: list[str] = attrs.field(factory=list)

    def logger(self, namespace: str = "dextwist.login", **options: Any) -> Logger:
        observer = RecordObserver(write=self.lines.append, **options)
        return Logger(namespace=namespace, observer=LogPublisher(observer))

    def one(self) -> str:
        (line,) = self.lines
        return line

    def record(self) -> dict[str, Any]:
        record = json.loads(self.one())
        assert isinstance(record, dict)
        return record


class Kind(Enum):
    COLD = "cold"


class TextTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.written = Written()
        self.log = self.written.logger(line=text_line, threshold=LogLevel.debug)

    def fields_of(self, line: str) -> str:
        """The line without its time, which differs."""
        time, _, rest = line.partition(" ")
        self.assertRegex(time, r"^time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        return rest

    def test_sentence_is_the_message_and_fields_are_attributes(self) -> None:
        self.log.info("token rotated for {client_id}", client_id="app", count=2)
        self.assertEqual(
            self.fields_of(self.written.one()),
            'level=INFO msg="token rotated for app" client_id=app count=2\n',
        )

    def test_levels_have_their_names(self) -> None:
        for emit in (self.log.debug, self.log.info, self.log.warn, self.log.error, self.log.critical):
            emit("x")
        levels = [self.fields_of(line).split()[0] for line in self.written.lines]
        self.assertEqual(levels, ["level=DEBUG", "level=INFO", "level=WARN", "level=ERROR", "level=ERROR"])

    def test_groups_are_dotted_keys(self) -> None:
        self.log.info("opened", connector={"type": "ldap", "id": "corp"})
        self.assertIn(" connector.type=ldap connector.id=corp\n", self.written.one())

    def test_values_are_quoted_where_they_are_not_one_word(self) -> None:
        for value, shown in [
            ("", '""'),
            ("a b", '"a b"'),
            ("a=b", '"a=b"'),
            ('say "x"', r'"say \"x\""'),
            ("back\\slash", r'"back\\slash"'),
            ("Zoë", "Zoë"),
            (None, "null"),
            (True, "true"),
            (1.5, "1.5"),
            (Kind.COLD, "cold"),
            (b"\xff", r'"\\xff"'),
            (["admins", "users"], '"[admins users]"'),
            (timedelta(hours=1), "3600s"),
            (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
            (ValueError("no such file"), '"no such file"'),
        ]:
            self.written.lines.clear()
            self.log.info("x", value=value)
            self.assertTrue(self.written.one().endswith(f" value={shown}\n"), (value, self.written.one()))

    def test_WB_15_control_characters_are_escaped(self) -> None:
        self.log.info(
            "login of {username} failed", username="eve\nlevel=ERROR msg=fake\r\x1b[31m\x7f\x9b\u2028\u202e\0"
        )
        line = self.written.one()
        self.assertTrue(line[:-1].isprintable())
        self.assertIn(r"\nlevel=ERROR", line)
        self.assertIn(r"\r\u001b[31m\u007f\u009b\u2028\u202e\u0000", line)

    @given(name=st.text(), value=st.text(), key=st.text(min_size=1))
    def test_WB_15_whatever_the_text_a_record_is_one_line(self, name: str, value: str, key: str) -> None:
        self.written.lines.clear()
        self.log.info("hello {name}", name=name, group={key: value})
        self.assertTrue(self.written.one()[:-1].isprintable())


class JSONTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.written = Written()
        self.log = self.written.logger(line=json_line)

    def test_record_is_an_object_with_nested_groups(self) -> None:
        self.log.info("opened {count}", count=3, connector={"id": "corp", "groups": ("a", "b")})
        record = self.written.record()
        self.assertRegex(record.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            record,
            {
                "level": "INFO",
                "msg": "opened 3",
                "count": 3,
                "connector": {"id": "corp", "groups": ["a", "b"]},
            },
        )

    @given(
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    )
    def test_WB_15_whatever_the_value_a_record_is_one_line_of_JSON(self, value: Any) -> None:
        self.written.lines.clear()
        self.log.info("x", value=value)
        self.assertTrue(self.written.one()[:-1].isprintable())
        self.assertEqual(self.written.record()["msg"], "x")

    def test_escapes_beyond_the_basic_plane_come_back(self) -> None:
        self.log.info("x", value="\U000e0001 \udc80 \x85")
        self.assertTrue(self.written.one()[:-1].isprintable())
        self.assertEqual(self.written.record()["value"], "\U000e0001 \udc80 \x85")


class ThresholdTests(SynchronousTestCase):
    def levels_written(self, namespace: str, threshold: NamedConstant) -> list[str]:
        written = Written()
        log = written.logger(namespace, line=json_line, threshold=threshold)
        for emit in (log.debug, log.info, log.warn, log.error):
            emit("x")
        return [json.loads(line)["level"] for line in written.lines]

    def test_events_below_the_threshold_are_not_written(self) -> None:
        self.assertEqual(self.levels_written("dextwist.web", LogLevel.info), ["INFO", "WARN", "ERROR"])
        self.assertEqual(self.levels_written("dextwist", LogLevel.error), ["ERROR"])
        self.assertEqual(self.levels_written("dextwist", LogLevel.critical), [])

    def test_chatter_of_Twisted_is_debug(self) -> None:
        self.assertEqual(self.levels_written("twisted.web.server", LogLevel.info), ["WARN", "ERROR"])
        self.assertEqual(
            self.levels_written("twisted.web.server", LogLevel.debug), ["DEBUG", "DEBUG", "WARN", "ERROR"]
        )

    def test_only_the_whole_word_is_ours(self) -> None:
        self.assertEqual(self.levels_written("dextwistish.x", LogLevel.info), ["WARN", "ERROR"])


class ExcludedTests(SynchronousTestCase):
    def test_excluded_fields_are_left_out_at_any_depth_and_of_the_sentence(self) -> None:
        written = Written()
        log = written.logger(line=json_line, excluded=frozenset({"email", "request_id"}))

        def in_a_request() -> None:
            request_context.set(RequestContext(request_id="r-1"))
            log.info("login of {email}", email="eve@example.com", user={"email": "eve@example.com", "id": 1})

        copy_context().run(in_a_request)
        record = written.record()
        del record["time"]
        self.assertEqual(record, {"level": "INFO", "msg": "login of -", "user": {"id": 1}})

    def test_names_are_matched_exactly(self) -> None:
        written = Written()
        written.logger(line=json_line, excluded=frozenset({"Email"})).info("x", email="e")
        self.assertEqual(written.record()["email"], "e")


class ContextTests(SynchronousTestCase):
    def test_records_of_a_request_carry_it(self) -> None:
        written = Written()
        log = written.logger(line=json_line)

        def in_a_request() -> None:
            request_context.set(RequestContext(request_id="r-1", client_remote_addr="192.0.2.1"))
            log.info("inside")

        copy_context().run(in_a_request)
        log.info("outside")
        inside, outside = (json.loads(line) for line in written.lines)
        self.assertEqual((inside["request_id"], inside["client_remote_addr"]), ("r-1", "192.0.2.1"))
        self.assertNotIn("request_id", outside)

    def test_address_is_absent_where_it_is_not_known(self) -> None:
        written = Written()
        log = written.logger(line=json_line)

        def in_a_request() -> None:
            request_context.set(RequestContext(request_id="r-1"))
            log.info("inside")

        copy_context().run(in_a_request)
        self.assertNotIn("client_remote_addr", written.record())


class FailureTests(SynchronousTestCase):
    def failure(self) -> Failure:
        try:
            raise LookupError("nothing there\nat all")
        except LookupError:
            return Failure()

    def test_failure_is_one_line_with_an_escaped_traceback(self) -> None:
        written = Written()
        written.logger(line=json_line).failure("cannot go on with {step}", self.failure(), step="consent")
        record = written.record()
        self.assertEqual(record["level"], "ERROR")
        self.assertEqual(record["msg"], "cannot go on with consent")
        self.assertEqual(record["err"], "LookupError: nothing there\nat all")
        self.assertIn("raise LookupError", record["traceback"])
        self.assertEqual(written.one().count("\n"), 1)

    def test_failure_of_the_old_logging_system_keeps_its_traceback_out_of_the_sentence(self) -> None:
        for why, msg in (("while rendering", "while rendering"), (None, "unhandled error")):
            written = Written()
            observer = RecordObserver(write=written.lines.append, line=json_line)
            published = LogPublisher(observer)
            old = old_log.LogPublisher(publishPublisher=published)
            old.msg(failure=self.failure(), isError=1, why=why)
            record = written.record()
            self.assertEqual((record["level"], record["msg"]), ("ERROR", msg))
            self.assertIn("raise LookupError", record["traceback"])

    def test_broken_sentence_is_still_a_record(self) -> None:
        written = Written()
        written.logger(line=json_line).info("{missing}")
        self.assertIn("missing", written.record()["msg"])


class LogFileTests(SynchronousTestCase):
    def test_lines_are_appended_and_the_file_can_be_rotated(self) -> None:
        path = Path(tempfile.mkdtemp()) / "log"
        path.write_text("before\n")
        file = LogFile(path)
        file.write("first\n")
        path.rename(path.with_suffix(".1"))
        file.write("second\n")
        file.reopen()
        file.write("third\n")
        self.assertEqual(path.with_suffix(".1").read_text(), "before\nfirst\nsecond\n")
        self.assertEqual(path.read_text(), "third\n")

    def test_file_that_cannot_be_reopened_is_written_to_further(self) -> None:
        folder = Path(tempfile.mkdtemp())
        file = LogFile(folder / "log")
        (folder / "log").rename(folder / "log.1")
        (folder / "log").mkdir()
        with self.assertRaises(OSError):
            file.reopen()
        file.write("still here\n")
        self.assertEqual((folder / "log.1").read_text(), "still here\n")
