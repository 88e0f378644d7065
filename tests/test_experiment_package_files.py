"""Files of packages that are never imported: found, or told with the command that fetches them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rnnspec import DataError
from rnnspec.experiment.package_files import package_file


def test_finds_a_file_without_importing_its_package() -> None:
    path = package_file("vowels", "sktime", "1.2.0", "sktime/datasets/data/JapaneseVowels/JapaneseVowels_TRAIN.ts")

    assert path.read_text(encoding="utf-8").startswith("#")
    assert "sktime" not in sys.modules


def test_without_the_package_says_how_to_get_it() -> None:
    with pytest.raises(DataError) as raised:
        package_file("Speech", "no-such-package-as-this", "1.2", "speech.csv")

    assert str(raised.value) == (
        "the Speech data is missing: it ships inside the package no-such-package-as-this, which is not installed\n"
        "  hint: pip install --no-deps no-such-package-as-this==1.2"
    )


def test_with_a_package_that_lacks_the_file_says_which() -> None:
    with pytest.raises(DataError) as raised:
        package_file("Speech", "pytest", "9.2.0", "pytest/speech.csv")

    path = Path(pytest.__file__).with_name("speech.csv")
    assert str(raised.value) == (
        f"the Speech data is missing: the installed pytest has no file {path}\n"
        "  hint: pip install --no-deps pytest==9.2.0"
    )
