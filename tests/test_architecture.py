"""The source of every module keeps to ``tests/import_table.py``, has no import cycle, and is formed as agreed.

All imports count: inside functions, under ``TYPE_CHECKING``, and those by ``lib_ti.lazy``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from tests.import_table import MAY_IMPORT, ONLY_IN, ORDER

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 320

MAY_IMPORT_WEBUI = ("lib_ti.host.webui.", "lib_ti.host.forge.", "scripts.")
MAY_PRINT = ("lib_ti.__main__", "lib_ti.cli", "tools.")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


@dataclass(frozen=True)
class Import:
    """``module`` imports ``target`` at ``line``, perhaps inside a function."""

    module: str
    target: str
    line: int
    in_function: bool

    def __str__(self) -> str:
        return f"{self.module} (line {self.line}) imports {self.target}"


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, filename=str(self.path))


def modules_under(root: Path) -> dict[str, Module]:
    """The modules of ``lib_ti``, ``scripts`` and ``tools`` by dotted name."""
    found = {}
    for path in sorted([*root.glob("lib_ti/**/*.py"), *root.glob("scripts/*.py"), *root.glob("tools/**/*.py")]):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path, path.read_text(encoding="utf-8"))
    return found


def imports_of(module: Module, known: dict[str, Module]) -> Iterator[Import]:
    """Every import; of ``from package import name`` the target is ``package.name`` where that is a module."""
    package = module.name.split(".") if module.path.name == "__init__.py" else module.name.split(".")[:-1]
    for node, in_function in _nodes(module.tree, in_function=False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module.name, alias.name, node.lineno, in_function)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("lazy", "lazy.lazy"):
            yield Import(module.name, ast.literal_eval(node.args[0]), node.lineno, in_function)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield Import(module.name, inner if inner in known else source, node.lineno, in_function)


def _nodes(node: ast.AST, *, in_function: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, in_function
        inside = in_function or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _nodes(child, in_function=inside)


def area_of(name: str) -> str | None:
    """The most particular area of the table that holds the module, or None."""
    top, *parts = name.split(".")
    if top in ("scripts", "tools"):
        return top
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in MAY_IMPORT:
            return ".".join(parts[:length])
    return None if parts else ""


def forbidden_imports(modules: dict[str, Module]) -> list[str]:
    found = []
    for module in modules.values():
        area = area_of(module.name)
        if area is None:
            found.append(f"{module.name} belongs to no area of tests/import_table.py; add it there")
            continue
        for item in imports_of(module, modules):
            library = item.target.split(".")[0]
            if library in ("lib_ti", "scripts", "tools"):
                target = area_of(item.target)
                if target != area and target not in MAY_IMPORT[area]:
                    found.append(f"{item}: {area or 'lib_ti'} may not import {target}")
            elif library == "modules":
                if not module.name.startswith(MAY_IMPORT_WEBUI):
                    found.append(f"{item}: only lib_ti/host/webui and host/forge may import the WebUI")
            elif area not in ONLY_IN.get(library, {area}):
                found.append(f"{item}: {library} is only for {', '.join(sorted(ONLY_IN[library]))}")
    return found


def upward_imports(modules: dict[str, Module]) -> list[str]:
    """Return imports of a module from its own layer of :data:`ORDER` or a higher one."""
    found = []
    for area, layers in ORDER.items():
        heights = {f"lib_ti.{area}.{name}": height for height, layer in enumerate(layers) for name in layer}
        here = [name for name in modules if area_of(name) == area and name != f"lib_ti.{area}"]
        found += [f"{name} has no place in ORDER of tests/import_table.py" for name in here if name not in heights]
        for name in (name for name in here if name in heights):
            found += [
                f"{item}: it is in a lower layer of {area}"
                for item in imports_of(modules[name], modules)
                if heights.get(item.target, -1) >= heights[name]
            ]
    return found


def imports_in_functions(modules: dict[str, Module]) -> list[str]:
    return [
        f"{item} inside a function; import it at the top, or by lib_ti.lazy"
        for module in modules.values()
        for item in imports_of(module, modules)
        if item.in_function
    ]


def cycles(modules: dict[str, Module]) -> list[str]:
    """Return groups of modules that import each other, each named by one way round."""
    needs = {
        name: {item.target for item in imports_of(module, modules) if item.target in modules} - {name}
        for name, module in modules.items()
    }
    found, done = [], set()

    def visit(name: str, way: list[str]) -> None:
        if name in way:
            found.append(" -> ".join([*way[way.index(name) :], name]))
        elif name not in done:
            for needed in sorted(needs[name]):
                visit(needed, [*way, name])
            done.add(name)

    for name in needs:
        visit(name, [])
    return found


def prints(modules: dict[str, Module]) -> list[str]:
    return [
        f"{module.name} (line {node.lineno}) prints; emit an event or raise an error instead"
        for module in modules.values()
        if not module.name.startswith(MAY_PRINT)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def badly_formed(modules: dict[str, Module]) -> list[str]:
    found = []
    for module in modules.values():
        lines = module.source.count("\n")
        if lines > MOST_LINES:
            found.append(f"{module.name} has {lines} lines; split it, {MOST_LINES} are the most")
        if NAMELESS & set(module.name.split(".")):
            found.append(f"{module.name} says nothing by its name; name it for its job")
    return found


Rule = Callable[[dict[str, Module]], list[str]]
RULES: list[Rule] = [forbidden_imports, upward_imports, imports_in_functions, cycles, prints, badly_formed]


@pytest.fixture(scope="module")
def ours() -> dict[str, Module]:
    return modules_under(ROOT)


@pytest.mark.parametrize("rule", RULES)
def test_the_source_keeps_the_rule(rule: Rule, ours: dict[str, Module]) -> None:
    assert "lib_ti.training.trainer" in ours
    broken = rule(ours)
    assert not broken, "\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "files", "words"),
    [
        (forbidden_imports, {"data/batches.py": "from lib_ti.training import trainer"}, "data may not import training"),
        (forbidden_imports, {"training/run.py": "def f():\n    import lib_ti.host.embedded"}, "may not import host"),
        (
            forbidden_imports,
            {"training/run.py": "m = lazy('lib_ti.host.webui')"},
            "may not import host.webui",
        ),
        (forbidden_imports, {"host/x.py": "", "data/a.py": "from ..host import x"}, "lib_ti.data.a (line 1) imports"),
        (forbidden_imports, {"training/run.py": "import gradio as gr"}, "gradio is only for scripts, ui"),
        (forbidden_imports, {"prep/export.py": "from tools import pocket"}, "prep may not import tools"),
        (forbidden_imports, {"config.py": "import torch.nn"}, "torch is only for"),
        (forbidden_imports, {"host/embedded/a.py": "from modules import shared"}, "only lib_ti/host/webui and"),
        (forbidden_imports, {"novelty.py": ""}, "lib_ti.novelty belongs to no area"),
        (upward_imports, {"families/sd1.py": "import lib_ti.families.registry"}, "lib_ti.families.sd1 (line 1)"),
        (upward_imports, {"families/sd3.py": ""}, "lib_ti.families.sd3 has no place"),
        (imports_in_functions, {"data/a.py": "def f():\n    import lib_ti.errors"}, "lib_ti.data.a (line 2)"),
        (cycles, {"data/a.py": "from lib_ti.data import b", "data/b.py": "import lib_ti.data.a"}, "lib_ti.data.a"),
        (cycles, {"ui/a.py": "import lib_ti.ui.b", "ui/b.py": "def f():\n    import lib_ti.ui.a"}, "lib_ti.ui.a"),
        (prints, {"training/run.py": "\nprint(1)"}, "lib_ti.training.run (line 2) prints"),
        (badly_formed, {"data/utils.py": ""}, "lib_ti.data.utils says nothing"),
        (badly_formed, {"data/long.py": "x = 1\n" * 321}, "321 lines"),
    ],
)
def test_a_rule_names_who_breaks_it(rule: Rule, files: dict[str, str], words: str, tmp_path: Path) -> None:
    write(tmp_path, files)
    broken = rule(modules_under(tmp_path))
    assert len(broken) == 1
    assert words in broken[0]


@pytest.mark.parametrize(
    "files",
    [
        {"training/run.py": "from lib_ti.host.base import Host\nfrom lib_ti import __version__", "host/base.py": ""},
        {"host/webui/base/turn.py": "from modules import shared\nimport lib_ti.host.base", "host/base.py": ""},
        {"data/images/decode.py": "import lib_ti.data.images.png", "data/images/png.py": ""},
        {"cli/progress.py": "print(1)", "__main__.py": "from lib_ti.cli import progress"},
    ],
)
def test_what_is_right_passes(files: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path, files)
    modules = modules_under(tmp_path)
    assert [message for rule in RULES for message in rule(modules)] == []


def write(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = root / "lib_ti" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
