"""Users' Python functions, found without running any of their code."""

from __future__ import annotations

import ast
import importlib
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from headgate.conf.words import meant


class Functions:
    """The modules below a suite's `lib` folder and on Python's path."""

    def __init__(self, root: Path) -> None:
        self.path = [str(root / "lib"), *sys.path]
        importlib.invalidate_caches()  # a module may have been written a moment ago
        self.names = cache(self._names)

    def fault(self, function: str) -> str | None:
        """What is wrong with `package.module.function`; None where nothing is."""
        module, _, name = function.rpartition(".")
        try:
            names = self.names(module)
        except LookupError as error:
            return str(error)
        except SyntaxError as error:
            return f"the module '{module}' is no Python: line {error.lineno}: {error.msg}"
        if names is None:
            return None
        if name not in names:
            return f"the module '{module}' has no function '{name}'{meant(name, names)}"
        if names[name] is False:
            return f"'{function}' takes no argument: it has to take a DataFrame and return one"
        return None

    def _names(self, module: str) -> dict[str, bool] | None:
        """The names a module defines, and whether each can be called with a DataFrame."""
        source = self._source(module)
        if source is None:
            return None  # compiled, or made at run time: only an import would tell
        return _defined(ast.parse(source))

    def _source(self, module: str) -> str | None:
        path: list[str] | None = None
        found = ""
        parts = module.split(".")
        for place, part in enumerate(parts):
            name = f"{found}.{part}" if found else part
            spec = self._spec(name, self.path if path is None else path, top=path is None)
            if spec is None:
                where = f" in '{found}'" if found else " below lib/ or on Python's path"
                raise LookupError(f"there is no module '{part}'{where}{self._near(part, path)}")
            found, last = name, place == len(parts) - 1
            if not last:
                path = list(spec.submodule_search_locations or [])
                if not path:
                    inner = parts[place + 1]
                    raise LookupError(f"'{name}' is a module, not a package: no '{inner}' in it")
                continue
            get_source = getattr(spec.loader, "get_source", None)
            try:
                return get_source(name) if get_source else None
            except (ImportError, OSError):
                return None
        return None

    def _spec(self, name: str, path: list[str], *, top: bool) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path)
        if spec is not None or not top:
            return spec
        for finder in sys.meta_path:  # editable installs bring finders of their own
            spec = finder.find_spec(name, None) if hasattr(finder, "find_spec") else None
            if spec is not None:
                return spec
        return None

    def _near(self, part: str, path: list[str] | None) -> str:
        """A module of nearly that name, in the suite's own code or in the package."""
        names: set[str] = set()
        for folder in path if path is not None else self.path[:1]:
            if Path(folder).is_dir():
                names.update(each.stem for each in Path(folder).glob("[!_.]*"))
        hint = meant(part, sorted(names))
        return hint if "did you mean" in hint else ""


def _defined(tree: ast.Module) -> dict[str, bool] | None:
    """The names at the top of a module; None where a star import hides some."""
    names: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return None
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            takes = node.args
            names[node.name] = bool(takes.posonlyargs or takes.args or takes.vararg)
        elif isinstance(node, ast.ClassDef):
            names[node.name] = True
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(
                (alias.asname or alias.name.partition(".")[0], True) for alias in node.names
            )
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update((target.id, True) for target in targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.If | ast.Try | ast.With):
            todo.extend(
                child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)
            )
            for handler in getattr(node, "handlers", ()):
                todo.extend(handler.body)
    return names
