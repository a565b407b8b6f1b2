"""great-expectations' Data Docs about runs on record, made by its own store and renderer.

Nothing is sent anywhere: the context is one of memory, and the site is a folder of files.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headgate.core.records import RunRecord
from headgate.quality.validation import (
    CheckRow,
    Values,
    own_configuration,
    run_id,
    run_result,
)

SITE = "headgate"
# Its renderer shows what it observed only with a chart of the data, which no record keeps.
_UNSHOWN = "expect_column_kl_divergence_to_be_less_than"
_LISTED = """<noscript><style>#plain-list {display: block !important}</style></noscript>
<div id="plain-list" class="container" style="display: none"><h4>Validation results</h4><ul>
%s
</ul></div>
<script>if (!window.jQuery) document.getElementById("plain-list").style.display = "block";</script>
"""


def written(
    folder: Path,
    runs: Sequence[RunRecord],
    checks: Mapping[str, Sequence[CheckRow]],
    values: Values | None = None,
) -> Path:
    """Write the site about these runs, whose checks are given by run; the page to open.

    Pages of runs that are not among them are taken away.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    told = sorted((run for run in runs if checks.get(run.run)), key=lambda run: run.finished_at)
    pages = []
    with _context() as context:
        for run in told:
            result = _for_page(run_result(run, checks[run.run], values))
            key = _key(run)
            context.validation_results_store.set(key, result)
            pages.append((run, result, "/".join(("validations", *key.to_tuple())) + ".html"))
        for result in {run.table: result for run, result, _ in pages}.values():
            context.suites.add(_suite(result))
        folder.mkdir(parents=True, exist_ok=True)
        _build(context, folder.resolve())
    index = folder / "index.html"
    _listed(index, [(run, result.success, path) for run, result, path in reversed(pages)])
    return index


@contextmanager
def _context() -> Iterator[Any]:
    """A context of memory. The one that a notebook may have open is the current one afterwards."""
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.data_context.data_context.context_factory import project_manager
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )
    from great_expectations.exceptions import DataContextRequiredError

    try:
        before = project_manager.get_current_project()
    except DataContextRequiredError:
        before = None
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    context = EphemeralDataContext(project_config=config)
    project_manager.set_project(context)
    try:
        yield context
    finally:
        project_manager.set_project(before)


def _build(context: Any, folder: Path) -> None:
    from great_expectations.render.renderer.site_builder import SiteBuilder

    builder = SiteBuilder(
        data_context=context,
        site_name=SITE,
        store_backend={
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(folder),
        },
        show_how_to_buttons=False,
        site_section_builders={"profiling": "None"},
        runtime_environment={"root_directory": str(folder)},
    )
    builder.build()


def _key(run: RunRecord) -> Any:
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    return ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(run.table),
        run_id=run_id(run),
        batch_identifier=run.window,
    )


def _suite(result: Any) -> Any:
    from great_expectations.core import ExpectationSuite

    rules = [one.expectation_config for one in result.results]
    return ExpectationSuite(name=result.suite_name, expectations=rules)


def _for_page(result: Any) -> Any:
    """The result as the renderer can show it: it writes texts of results into pages as they are."""
    for one in result.results:
        config = one.expectation_config
        if config.type == _UNSHOWN:
            config = one.expectation_config = _divergence(config)
        if config.description:
            config.description = html.escape(config.description, quote=False)
        one.result = {name: _escaped(value) for name, value in one.result.items()}
    return result


def _divergence(config: Any) -> Any:
    most, column = config.kwargs["threshold"], config.kwargs["column"]
    return own_configuration(
        {"rule": config.type, "column": column},
        f"Kullback-Leibler divergence from the expected distribution must be lower than {most}.",
        severity=config.severity,
    )


def _escaped(value: Any) -> Any:
    """A value in which no text is markup.

    >>> _escaped(["<b>", None, "", 3, {"a": "&"}])
    ['&lt;b&gt;', 'null', '""', 3, {'a': '&amp;'}]
    """
    if isinstance(value, str):
        return html.escape(value, quote=False) or '""'
    if isinstance(value, Mapping):
        return {key: _escaped(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(one) for one in value]
    return value


def _shown(value: Any) -> Any:
    return "null" if value is None else _escaped(value)


def _listed(index: Path, pages: Sequence[tuple[RunRecord, bool, str]]) -> None:
    """Its index is drawn by scripts from the network: a plain list stands in where none is."""
    lines = [
        f'<li><a href="{html.escape(path)}">{html.escape(f"{run.table} {run.window}")}</a> '
        f"{'succeeded' if success else 'failed'}, {run.status} ({run.run})</li>"
        for run, success, path in pages
    ]
    text = index.read_text(encoding="utf-8")
    body, end, rest = text.rpartition("</body>")
    listed = _LISTED % "\n".join(lines)
    index.write_text(f"{body}{listed}{end}{rest}" if end else text + listed, encoding="utf-8")
