"""Files that were made to do harm, read in watched processes: nothing runs, nothing else is opened, little is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import pytest

if sys.platform != "linux":
    pytest.skip("what bounds and watches a process here is Linux's", allow_module_level=True)

from keras_hostile_files import HOSTILE, PWNED, SECRET
from keras_watched import Outcome, watched

TOLD = {
    "array_of_packed_zeros": "is packed by deflate, which Keras never does",
    "text_meant_often": "the attribute layer_names of '/' has 3001 texts, which may be too long to read",
    "packed_list_of_groups": "the HDF5 file is built in a way in which Keras never builds one",
    "text_without_end": "the texts in the HDF5 file are damaged",
    "list_of_no_texts": "self-check: differs from the plain step loop by",
    "narrow_sizes": "the HDF5 file is built in a way in which Keras never builds one",
    "external_link": "'model_weights/more' is an external link, which Keras never writes; links are not followed",
    "external_numbers": "lie in another file, which is not opened",
    "virtual_numbers": "lie in another file, which is not opened",
    "group_in_itself": "'model_weights/a' stands in the file under another name too, which Keras never writes",
    "zeros_in_an_archive": "bytes in the archive and 268435456 unpacked",
    "zeros_that_claim_to_be_few": "the zip archive cannot be read: Bad CRC-32 for file 'config.json'",
    "zeros_that_claim_to_be_packed_little": "bytes in the archive and 268435456 unpacked",
    "long_list_of_entries": "the zip archive cannot be read: the list of its entries has 17700000 bytes",
    "archive_in_an_archive": "the HDF5 file cannot be read",
    "link_in_an_archive": "config.json is no JSON text",
    "code_of_keras_2": "Lambda 'lambda' holds code, which is never run",
    "code_of_keras_3": "Lambda 'lambda' holds code, which is never run",
    "class_of_another_module": "there is no layer system (os>system) here",
    "objects_of_another_module": "there is no activation 'Popen' here",
    "operation_by_name": "there is no layer TFOpLambda here",
    "repeated_a_billion_times": "self-check: left out, the model is large",
    "a_billion_steps": "self-check: left out, the model is large",
    "padded_and_repeated": "self-check: left out, the model is large",
    "models_called_twice": "at most 20000 are read",
    "million_empty_lists": "the model has 3300000 layers or more, at most 2000 are read",
    "objects_of_python": "the tag '!!python/object/apply:os.system' is not allowed here",
    "aliases_of_aliases": "more than 200,000 values with every alias written out",
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    cases = []
    for name, make in HOSTILE.items():
        folder = tmp_path_factory.mktemp(name)
        with h5py.File(folder / SECRET, "w") as file:
            file["x"] = [1.0] * 120
        cases.append((*make(folder), folder / SECRET))
    return dict(zip(HOSTILE, watched(cases), strict=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words_or_loads_with_a_report(outcomes: dict[str, Outcome], name: str) -> None:
    assert TOLD[name] in outcomes[name].told
    assert outcomes[name].came == ("loaded" if "self-check" in TOLD[name] else "refused")


def test_nothing_runs_and_no_other_file_is_opened_from_python(outcomes: dict[str, Outcome]) -> None:
    assert {name: outcome.events for name, outcome in outcomes.items() if outcome.events} == {}
    assert not Path(PWNED).exists()


def test_no_library_opens_another_file(outcomes: dict[str, Outcome]) -> None:
    assert [name for name, outcome in outcomes.items() if outcome.peeked] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_and_time_are_bounded(outcomes: dict[str, Outcome], name: str) -> None:
    assert outcomes[name].mebibytes < (400 if name == "million_empty_lists" else 100)
    assert outcomes[name].seconds < 30
