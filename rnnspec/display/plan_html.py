"""A plan in notebooks: which engine, and why."""

from __future__ import annotations

from rnnspec.display.html import Row, fragment, never_raises, table, text, title, words
from rnnspec.engines.plan import Plan

__all__ = ["plan_html"]


@never_raises
def plan_html(plan: Plan) -> str:
    """Writes a plan as an HTML fragment.

    Args:
        plan: What `layer.plan` returned.

    Returns:
        The fragment: the engine's settings, if any, and a row for each reason.
    """
    rows = [Row((text(name), text(words(value)))) for name, value in plan.settings.items()]
    rows += [Row(("reason", text(reason))) for reason in plan.reasons]
    return fragment(table(title(f"engine {plan.engine}"), (), rows))
