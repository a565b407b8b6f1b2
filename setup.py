"""For installers that cannot read pyproject.toml; everything is said there, and only there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import setuptools

# Readers of TOML that an old Python, pip or setuptools brings along, the best first.
READERS = ("tomllib", "tomli", "pip._vendor.tomli", "pip._vendor.toml")


def _project() -> dict[str, Any]:
    """The [project] table."""
    text = Path(__file__).with_name("pyproject.toml").read_text(encoding="utf-8")
    for name in READERS:
        try:
            reader = importlib.import_module(name)
        except ImportError:
            continue
        project: dict[str, Any] = reader.loads(text)["project"]
        return project
    raise SystemExit("headgate: this setuptools is too old: pip install --upgrade pip setuptools")


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
        "package_data": {
            "": [
                "py.typed",
                "*.css",
                "*.csv",
                "*.html",
                "*.java",
                "*.js",
                "*.json",
                "*.properties",
                "*.yaml",
            ]
        },
    }


reads_pyproject = int(setuptools.__version__.split(".")[0]) >= 61
setuptools.setup(**({} if reads_pyproject else _old_style()))
