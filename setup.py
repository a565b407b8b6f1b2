"""For installers that cannot read pyproject.toml; everything is said there, and only there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import setuptools


def _project() -> dict[str, Any]:
    """The [project] table, by whichever reader of TOML an old Python comes with."""
    if sys.version_info >= (3, 11):
        import tomllib as toml
    else:
        from pip._vendor import tomli as toml
    text = Path(__file__).with_name("pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = toml.loads(text)["project"]
    return project


def _old_style() -> dict[str, Any]:
    """The same metadata as arguments of setup()."""
    project = _project()
    return {
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "python_requires": project["requires-python"],
        "install_requires": project["dependencies"],
        "extras_require": project["optional-dependencies"],
        "entry_points": {"console_scripts": [f"{k} = {v}" for k, v in project["scripts"].items()]},
        "package_dir": {"": "lib"},
        "packages": [
            p for p in setuptools.find_packages("lib") if p.split(".")[0] in ("headgate", "shop")
        ],
        "package_data": {"": ["py.typed", "*.css", "*.csv", "*.html", "*.js", "*.json", "*.yaml"]},
    }


reads_pyproject = int(setuptools.__version__.split(".")[0]) >= 61
setuptools.setup(**({} if reads_pyproject else _old_style()))
