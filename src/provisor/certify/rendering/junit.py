"""The report as JUnit XML, for build servers: a story is a suite, an expectation a case; only a broken must fails."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from provisor.certify.rendering.document import curl
from provisor.certify.report import Report
from provisor.certify.telling import Check, Told


def render(report: Report) -> bytes:
    root = Xml.Element("testsuites", name=f"provisor certify {report.profile}", time=str(report.seconds))
    for story in report.stories:
        _suite(root, story)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _suite(root: Xml.Element, story: Told) -> None:
    failures = sum(_fails(check) for check in story.checks) + bool(story.stopped)
    left_out = sum(check.verdict == "left out" for check in story.checks)
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=story.title,
        tests=str(len(story.checks) + bool(story.stopped)),
        failures=str(failures),
        skipped=str(left_out),
    )
    for check in story.checks:
        rule = check.expectation
        case = Xml.SubElement(suite, "testcase", classname=story.name, name=f"{rule.id}: {rule.title}")
        if check.verdict == "left out":
            Xml.SubElement(case, "skipped", message=check.came)
        elif check.verdict == "broken":
            text = f"{check.came}\n{rule.why}\n{curl(check.exchange) if check.exchange else ''}"
            if _fails(check):
                Xml.SubElement(case, "failure", message=_printable(check.came), type=rule.level).text = _printable(text)
            else:
                Xml.SubElement(case, "system-out").text = _printable(f"{rule.level}: {text}")
    if story.stopped:
        case = Xml.SubElement(suite, "testcase", classname=story.name, name=f"{story.name}: came to its end")
        Xml.SubElement(case, "failure", message=_printable(story.stopped), type="must")


def _fails(check: Check) -> bool:
    return check.verdict == "broken" and check.expectation.level == "must"


def _printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(sign for sign in text if sign in "\n\t" or ord(sign) >= 32)
