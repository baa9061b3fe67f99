"""One self-contained report of stored runs: tables, figures and conclusions in HTML or Markdown."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup
from msgspec import to_builtins

from fashiontui import __version__
from fashiontui.domain.conclusions import Conclusion, conclusions
from fashiontui.domain.record import RunRecord
from fashiontui.domain.results import Result, in_order, of_one_recipe, results
from fashiontui.export.figures import caption, figures, rendered
from fashiontui.export.tables import (
    Table,
    clock,
    conclusion_lines,
    markdown,
    markdown_text,
    notes,
    result_tables,
)

GOAL = 88.0
"""Test accuracy in percent that the report sets out to exceed with an FCN of 100K weights."""


@dataclass(frozen=True)
class Contents:
    """What a report says, whatever it is written in."""

    title: str
    about: tuple[str, ...]
    """Sentences on what was trained, how and where."""
    tables: tuple[Table, ...]
    conclusions: tuple[Conclusion, ...]
    notes: tuple[str, ...]
    figures: tuple[tuple[str, str, bytes, bytes], ...]
    """Name, caption, SVG and PNG of each."""
    runs: Table
    """Every run, so that the report can be traced and repeated."""


def contents(records: Sequence[RunRecord]) -> Contents:
    """What there is to say of finished runs of one data set."""
    found = in_order(results(records))
    compared = of_one_recipe(found)
    drawn = figures(found, compared)
    sample = records[0].spec.dataset == "sample"
    return Contents(
        title=f"Small networks on {'the sample set' if sample else 'Fashion-MNIST'}",
        about=(*_about(records), *_about_comparison(found, compared)),
        tables=tuple(result_tables(found)),
        conclusions=tuple(conclusions(compared)),
        notes=tuple(notes(found)),
        figures=tuple(
            (name, caption(name), rendered(figure, "svg"), rendered(figure, "png"))
            for name, figure in drawn.items()
        ),
        runs=_runs(records),
    )


def as_html(said: Contents) -> str:
    """One HTML file: no script, nothing loaded from elsewhere; what is foreign is escaped."""
    template = files("fashiontui.export").joinpath("report.html.jinja").read_text("utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        said=said,
        version=__version__,
        lines=conclusion_lines,
        inline=_inline_svg,
    )


def as_markdown(said: Contents) -> str:
    """One Markdown file; its figures are PNGs within it."""
    parts = [f"# {said.title}", *map(markdown_text, said.about)]
    parts += ["## Results", *map(markdown, said.tables)]
    if said.conclusions:
        parts += ["## The report's conclusions, from these runs"]
        parts += [
            "\n".join(f"- {line}" for line in conclusion_lines([one])) for one in said.conclusions
        ]
    parts += ["## Figures"]
    for _, about, _, png in said.figures:
        parts.append(f"![{about}](data:image/png;base64,{b64encode(png).decode('ascii')})")
        parts.append(f"*{about}*")
    parts += ["## What the signs mean", "\n".join(f"- {note}" for note in said.notes)]
    parts += ["## Runs", markdown(said.runs), f"Written by fashiontui {__version__}."]
    return "\n\n".join(parts) + "\n"


def _about(records: Sequence[RunRecord]) -> list[str]:
    first, last = min(run.created for run in records), max(run.created for run in records)
    seeds = {run.spec.seed for run in records}
    devices = dict.fromkeys(f"{run.device_name} ({run.precision})" for run in records)
    libraries = dict.fromkeys(
        " ".join(version) for run in records for version in run.versions.items()
    )
    when = f"{first:%Y-%m-%d}" + (f" to {last:%Y-%m-%d}" if last.date() > first.date() else "")
    return [
        f"{len(records)} finished runs of {len(results(records))} networks, trained {when} on "
        f"{', '.join(devices)} with {', '.join(libraries)}; {_counted(len(seeds), 'seed')}.",
        "A tenth of the official training images, the same share of every class, is set aside for "
        "validation; every choice is made on it. The test set is scored once a run, after its last "
        "epoch.",
    ]


def _about_comparison(found: Sequence[Result], compared: Sequence[Result]) -> list[str]:
    """On the runs that figures and conclusions rest on, and the report's own goal."""
    said = []
    if len({result.runs[0].spec.recipe_title for result in found}) > 1 and compared:
        recipe = compared[0].runs[0].spec.recipe_title
        said.append(
            f"Figures 1 and 2 and the conclusions compare runs of one recipe, {recipe}: the one "
            "under which most of the report's models were trained."
        )
    for result in compared:
        if result.title == "fcn-100k":
            verdict = "reached" if result.test_accuracy > GOAL else "not reached"
            said.append(
                f"The report's goal, an FCN of about 100K weights above {GOAL:.0f}% on the test "
                f"set, is {verdict}: {result.test_accuracy:.2f}%."
            )
    return said


def _runs(records: Sequence[RunRecord]) -> Table:
    return Table(
        "Every run these figures come from",
        ("Run", "Network", "Recipe", "Settings", "Seed", "Val %", "Test %", "Time", "SHA-256"),
        tuple(
            (
                run.id,
                run.spec.title,
                run.spec.recipe_title,
                ", ".join(f"{k} {v}" for k, v in to_builtins(run.spec.settings).items()),
                str(run.spec.seed),
                f"{run.val_accuracy or 0:.2f}",
                f"{run.test_accuracy or 0:.2f}",
                clock(run.train_seconds or 0),
                (run.weights_sha256 or "–")[:12],
            )
            for run in records
        ),
    )


def _inline_svg(svg: bytes, about: str) -> Markup:
    """A figure as an element of the page, described for those who do not see it."""
    drawn = svg.decode("utf-8")
    return Markup(
        drawn[drawn.index("<svg") :].replace(
            "<svg", f'<svg role="img" aria-label="{escape(about, quote=True)}"', 1
        )
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
