"""The log's settings."""

from __future__ import annotations

from twisted.logger import LogLevel

from tests.config.case import ConfigCase


class LoggerTest(ConfigCase):
    def test_11_defaults(self) -> None:
        logger = self.load().logger
        self.assertEqual((logger.level, logger.format, logger.exclude_fields), (LogLevel.info, "text", ()))

    def test_11_levels_in_any_case_with_offsets(self) -> None:
        for text, level in (
            ("debug", LogLevel.debug),
            ("INFO", LogLevel.info),
            ("Warn", LogLevel.warn),
            ("error", LogLevel.error),
            ("DEBUG-4", LogLevel.debug),
            ("DEBUG+1", LogLevel.info),
            ("INFO-4", LogLevel.debug),
            ("INFO-1", LogLevel.info),
            ("INFO+2", LogLevel.warn),
            ("warn+4", LogLevel.error),
            ("ERROR+1", LogLevel.critical),
        ):
            self.assertEqual(self.load({"logger": {"level": text}}).logger.level, level, text)

    def test_11_anything_else_is_refused(self) -> None:
        for wrong in ("chatty", "", "warning", "INFO+", "INFO 2", "info+x"):
            self.assert_refused({"logger": {"level": wrong}}, "logger.level", f'"{wrong}"')

    def test_1_formats(self) -> None:
        self.assertEqual(self.load({"logger": {"format": "JSON"}}).logger.format, "json")
        self.assert_refused(
            {"logger": {"format": "xml"}},
            "logger.format",
            "log format is not one of the supported values (json, text)",
            "xml",
        )
