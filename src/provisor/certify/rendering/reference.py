"""For developers: ``python -m provisor.certify.rendering.reference`` prints ``docs/reference/certify-rules.md``."""

from __future__ import annotations

import sys

from provisor.certify.expectations import Expectation, expectations
from provisor.certify.stories import STORIES

_HEAD = """# The rules of `provisor certify`

Made of `expectations.toml`.

* **must**: the identity provider breaks without it, or somebody keeps, loses or doubles access.
* **should**: data drifts, or an administrator is misled.
* **note**: worth knowing.

Where a level depends on whose requests are sent (`--profile`), both are given.
"""


def render() -> str:
    parts = [_HEAD]
    for story in STORIES:
        parts.append(f"\n## {story.title} (`{story.name}`)\n")
        parts += [_rule(rule) for rule in expectations().values() if rule.story == story.name]
    return "\n".join(parts)


def _rule(rule: Expectation) -> str:
    level = f"**{rule.level}**"
    if rule.profiles:
        level += f" for {', '.join(rule.profiles)}; else {rule.elsewhere}"
    sources = " · ".join(f"[{source.title}]({source.url})" for source in rule.sources)
    return f"* `{rule.id}`, {level}: {rule.title}. {rule.why}\n  {sources}"


if __name__ == "__main__":
    sys.stdout.write(render())
