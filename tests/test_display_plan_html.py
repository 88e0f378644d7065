"""Plans in notebooks."""

from __future__ import annotations

from html_cases import Page

from rnnspec.engines.plan import Plan


def test_a_plan_tells_engine_settings_and_reasons() -> None:
    plan = Plan("triton", {"block": 32}, ("triton, because it is fast", "not cudnn, because of <b>"))
    (shown,) = Page(plan._repr_html_()).tables

    assert shown.caption == "engine triton"
    assert shown.texts() == [
        ["block", "32"],
        ["reason", "triton, because it is fast"],
        ["reason", "not cudnn, because of <b>"],
    ]
