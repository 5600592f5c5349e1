"""Imports run one way: who may know whom, checked over the import statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dextwist"

#: Every room, and the rooms below it that it may import. A room may always import itself.
ROOMS: Mapping[str, frozenset[str]] = {
    "model": frozenset(),
    "oauth": frozenset({"model"}),
    "jose": frozenset({"model"}),
    "config": frozenset({"model", "oauth"}),
    "telemetry": frozenset({"model"}),
    "storage": frozenset({"model", "oauth"}),
    "signing": frozenset({"model", "oauth", "jose", "storage.interface"}),
    "connectors": frozenset({"model", "oauth", "jose", "storage.interface"}),
    "tokens": frozenset({"model", "oauth", "storage.interface", "signing.interface", "connectors.interface"}),
    "login": frozenset(
        {"model", "oauth", "tokens", "telemetry.logins", "telemetry.metrics"}
        | {"storage.interface", "signing.interface", "connectors.interface"}
    ),
    "grants": frozenset(
        {"model", "oauth", "tokens", "telemetry.logins", "telemetry.metrics"}
        | {"storage.interface", "signing.interface", "connectors.interface"}
    ),
    "web": frozenset(
        {"model", "oauth", "tokens", "login", "grants", "telemetry"}
        | {"storage.interface", "signing.interface", "connectors.interface"}
    ),
    "api": frozenset(
        {"model", "oauth", "tokens", "login", "grants", "telemetry"}
        | {"storage.interface", "signing.interface", "connectors.interface"}
    ),
}

#: Modules beside the rooms. The wiring knows everything but the service.
BESIDE: Mapping[str, frozenset[str]] = {
    "wiring": frozenset(ROOMS),
    "command_line": frozenset({"config", "connectors.types", "connector_command"}),
    "connector_trial": frozenset(
        {"model", "oauth", "tokens.claims", "connectors.interface", "connectors.mapped"}
    ),
    "connector_command": frozenset({*ROOMS, "command_line", "connector_trial", "wiring"}),
    "service": frozenset(
        {"wiring", "command_line", "config", "telemetry", "storage.interface", "web.front.factory", "web.tls"}
    ),
}

#: What connectors share. Every other module of that room is one type, known to the registry alone.
SHARED_BY_CONNECTORS = frozenset(
    {"interface", "registry", "types", "settings", "mapped", "opened", "password_hash", "upstream"}
)

#: Importing them installs the reactor, or they belong behind one room.
FENCED: Mapping[str, frozenset[str]] = {
    "klein": frozenset({"web"}),
    "werkzeug": frozenset({"web"}),
    "ldaptor": frozenset({"connectors"}),
    "txredisapi": frozenset({"storage"}),
    "prometheus_client": frozenset({"telemetry"}),
    "yaml": frozenset({"config"}),
    "jinja2": frozenset({"web"}),
    "grpc": frozenset({"api"}),
}


@attrs.frozen
class Import:
    """One import statement of one of our modules."""

    #: dotted, without `dextwist.`
    module: str
    line: int
    imported: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.imported}"


def imports_of(source: str, module: str) -> Iterator[Import]:
    """Every module that the source imports, anywhere in it, also below an `if` or in a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                # What is imported may be a module itself: `from twisted.internet import reactor`.
                yield Import(module, node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}")


def all_imports() -> list[Import]:
    found: list[Import] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        found += imports_of(path.read_text(), name)
    return found


def allowed(module: str, imported: str) -> bool:
    """Whether one of our modules may import this name of ours."""
    room, target = module.partition(".")[0], imported.removeprefix("dextwist.")
    if target.partition(".")[0] == room or "." not in imported or target.startswith("__"):
        return True
    below = ROOMS.get(room, BESIDE.get(room, frozenset()))
    return any(f"{target}.".startswith(f"{each}.") for each in below)


class ImportTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.imports = all_imports()
        self.ours = [each for each in self.imports if each.imported.partition(".")[0] == "dextwist"]

    def assertNone(self, wrong: list[Import]) -> None:
        self.assertEqual([str(each) for each in wrong], [])

    def test_every_module_belongs_to_a_room(self) -> None:
        rooms = {each.module.partition(".")[0] for each in self.imports} - {""}
        self.assertLessEqual(rooms, {*ROOMS, *BESIDE})

    def test_imports_run_one_way(self) -> None:
        self.assertNone([each for each in self.ours if not allowed(each.module, each.imported)])

    def test_imports_are_absolute(self) -> None:
        self.assertNone([each for each in self.imports if each.imported.startswith(".")])

    def test_only_the_registry_knows_the_connector_types(self) -> None:
        def of_another_type(each: Import) -> bool:
            room, _, inside = each.imported.removeprefix("dextwist.").partition(".")
            name = inside.partition(".")[0]
            own = f"{each.module}.".startswith(f"connectors.{name}.")
            return room == "connectors" and name not in SHARED_BY_CONNECTORS and not own

        wrong = [each for each in self.ours if of_another_type(each)]
        self.assertNone([each for each in wrong if each.module != "connectors.registry"])

    def test_only_the_service_takes_the_global_reactor(self) -> None:
        takers = {e.module for e in self.imports if e.imported.startswith("twisted.internet.reactor")}
        self.assertEqual(takers, {"service"})

    def test_the_global_reactor_is_not_taken_when_the_service_is_imported(self) -> None:
        tree = ast.parse((PACKAGE / "service.py").read_text())
        at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [alias.name for node in at_once for alias in node.names]
        self.assertNotIn("reactor", names)
        self.assertNotIn("build", names)

    def test_libraries_stay_behind_their_rooms(self) -> None:
        wrong = [
            each
            for each in self.imports
            for library, rooms in FENCED.items()
            if each.imported.partition(".")[0] == library and each.module.partition(".")[0] not in rooms
        ]
        self.assertNone(wrong)

    def test_asyncio_is_not_used(self) -> None:
        self.assertNone([e for e in self.imports if e.imported.partition(".")[0] == "asyncio"])

    def test_plugin_names_the_service_and_imports_nothing_of_ours(self) -> None:
        source = (ROOT / "twisted" / "plugins" / "dex_plugin.py").read_text()
        self.assertEqual([e for e in imports_of(source, "plugin") if e.imported.startswith("dextwist")], [])
        self.assertIn('"dextwist.service"', source)

    def test_no_package_called_twisted(self) -> None:
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])


class RuleTests(SynchronousTestCase):
    """The rules themselves, on made-up statements: a checker that lets all pass is worth nothing."""

    def test_upwards_and_sideways_are_refused(self) -> None:
        for module, imported in (
            ("model.client", "dextwist.storage.interface.Storage"),
            ("oauth.scopes", "dextwist.config.document.Node"),
            ("tokens.issuer", "dextwist.storage.memory.MemoryStorage"),
            ("grants.refresh_token", "dextwist.web.http.Request"),
            ("login.finishing", "dextwist.grants.interface.Grant"),
            ("web.token", "dextwist.storage.sql.sqlite.SqliteStorage"),
            ("web.token", "dextwist.wiring.daemon.build"),
            ("web.token", "dextwist.config.web.Web"),
            ("storage.memory", "dextwist.storage_of_others.x"),
            ("wiring", "dextwist.service.DaemonService"),
        ):
            self.assertFalse(allowed(module, imported), (module, imported))

    def test_downwards_and_inside_are_allowed(self) -> None:
        for module, imported in (
            ("storage.sql.table", "dextwist.storage.interface.NotFound"),
            ("tokens.issuer", "dextwist.signing.interface.Signer"),
            ("web.token", "dextwist.grants.interface.Grant"),
            ("wiring", "dextwist.storage.memory.MemoryStorage"),
            ("service", "dextwist.wiring.daemon.build"),
            ("service", "dextwist"),
        ):
            self.assertTrue(allowed(module, imported), (module, imported))

    def test_statements_are_found_wherever_they_are(self) -> None:
        source = "def f():\n    from twisted.internet import reactor\nimport a.b as c\nfrom . import d\n"
        found = {each.imported for each in imports_of(source, "x")}
        self.assertEqual(found, {"twisted.internet.reactor", "a.b", "..d"})
