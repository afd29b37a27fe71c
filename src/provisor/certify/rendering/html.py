"""The report as one HTML file, to hand to a colleague: no script, nothing from elsewhere."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from provisor import __version__
from provisor.certify.rendering.document import curl, cut
from provisor.certify.report import Report, verdict_of
from provisor.certify.telling import Said
from provisor.clock import iso


def render(report: Report) -> str:
    environment = Environment(
        loader=PackageLoader("provisor.certify.rendering"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["said"] = lambda part: isinstance(part, Said)
    environment.filters.update({"curl": curl, "cut": cut, "verdict": verdict_of})
    template = environment.get_template("report.html")
    return template.render(report=report, began=iso(report.began_at), version=__version__)
