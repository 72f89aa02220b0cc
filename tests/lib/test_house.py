"""No module imports upward: read from the code itself, floor by floor."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# From the ground up; a module imports from its own floor or from below. What stands together may know each other.
FLOORS = (
    ("lib.storage", "lib.seeding", "lib.progress", "lib.checks", "lib.intervals"),
    ("lib.text", "lib.data"),
    ("lib.vectors", "lib.classifiers"),
    ("lib.targets", "lib.passes", "lib.checkpoints"),
    ("lib.training", "lib.finetuning", "lib.masking"),
    ("lib.attribution",),
    ("lib.faithfulness", "lib.agreement", "lib.plausibility", "lib.diagnostics"),
    ("lib.experiments",),
    ("lib.results",),
    ("lib.reference", "lib.show"),
    ("lib.explanation",),
    ("lib",),
    ("book.paper",),
    ("book.site", "book.make"),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def room_of(module: str) -> str:
    """The room a module stands in: "lib.attribution.paths.integrated" stands in "lib.attribution"."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (room := ".".join(parts[:length])) in FLOOR and (room != "lib" or len(parts) == 1):
            return room
    raise LookupError(f"{module} stands in no room: give it one in FLOORS.")


def modules() -> dict[str, Path]:
    files = [path for folder in ("lib", "book") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(module: str, path: Path) -> set[str]:
    """The modules of the project that a module imports, inside functions as well."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[:len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            names = {f"{source}.{name.name}" for name in node.names}
            found |= {name if name in modules() else source for name in names}
    return {name for name in found if name.split(".")[0] in ("lib", "book", "chapters", "tests")}


@pytest.mark.parametrize("module", [name for name in modules() if name != "book"])
def test_no_module_imports_upward(module):
    own = room_of(module)
    for other in imported(module, modules()[module]):
        if other == "lib" and own in ("book.paper", "book.site", "book.make"):
            continue
        assert FLOOR[room_of(other)] <= FLOOR[own], f"{module} imports {other}, which stands above it"


def test_an_arrow_upward_would_be_seen(tmp_path):
    path = tmp_path / "text.py"
    path.write_text("def f():\n    from .attribution import explain\n", encoding="utf-8")
    assert imported("lib.text", path) == {"lib.attribution"}
    assert FLOOR[room_of("lib.attribution")] > FLOOR[room_of("lib.text")]
