"""Run folders: whole or not at all, and read back as they were."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from experiment_cases import experiment, series, use_tiny
from PIL import Image

import rnnspec
from rnnspec import DataError, WeightsError
from rnnspec.experiment.experiment import Experiment
from rnnspec.experiment.prediction import judged, predict
from rnnspec.experiment.runs import RunFolder, load_run
from rnnspec.experiment.series import Series

FILES = [
    "confusion_matrix.png",
    "experiment.yaml",
    "learning_curve.png",
    "metrics.csv",
    "run.json",
    "weights.safetensors",
]


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    use_tiny(monkeypatch)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Experiment, Path]:
    """A trained experiment and its folder; nothing changes it."""
    with pytest.MonkeyPatch.context() as patch:
        use_tiny(patch)
        experiment_ = Experiment(experiment(), "cpu")
        return experiment_, experiment_.train(tmp_path_factory.mktemp("runs") / "runs", "tiny", progress=False)


@pytest.fixture
def done(trained: tuple[Experiment, Path], tmp_path: Path) -> tuple[Experiment, Path]:
    """The same with a copy of the folder, to be broken."""
    return trained[0], Path(shutil.copytree(trained[1], tmp_path / "runs" / "tiny-1"))


class TestFolder:
    def test_numbers_go_on_from_the_last_one(self, tmp_path: Path) -> None:
        for name in ("a-1", "a-4", "a-b", "b-9"):
            (tmp_path / name).mkdir()

        with RunFolder(tmp_path, "a") as folder:
            (folder.path / "file").touch()

        assert folder.path == tmp_path / "a-5"
        assert (folder.path / "file").is_file()

    def test_a_name_may_hold_any_letter(self, tmp_path: Path) -> None:
        for _ in range(2):
            with RunFolder(tmp_path, "[a]*") as folder:
                pass
        assert folder.path.name == "[a]*-2"

    def test_the_first_number_is_one(self, tmp_path: Path) -> None:
        with RunFolder(tmp_path / "new" / "runs", "a") as folder:
            pass

        assert folder.path == tmp_path / "new" / "runs" / "a-1"

    def test_until_the_end_it_is_hidden(self, tmp_path: Path) -> None:
        with RunFolder(tmp_path, "a") as folder:
            assert folder.path.name.startswith(".a-")
            assert list(tmp_path.glob("a-*")) == []

    def test_an_error_leaves_nothing(self, tmp_path: Path) -> None:
        def interrupted() -> None:
            with RunFolder(tmp_path, "a") as folder:
                (folder.path / "file").touch()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            interrupted()

        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_is_no_folder_is_told_before_training(self, tmp_path: Path) -> None:
        (tmp_path / "runs").touch()

        with pytest.raises(DataError) as raised, RunFolder(tmp_path / "runs", "a"):
            raise AssertionError

        assert str(raised.value) == f"{tmp_path}/runs: cannot make a folder for the run: Not a directory"


class TestContent:
    def test_all_files_are_there_and_no_other(self, done: tuple[Experiment, Path]) -> None:
        _, folder = done

        assert folder.name == "tiny-1"
        assert sorted(path.name for path in folder.iterdir()) == FILES
        assert [path.name for path in folder.parent.iterdir()] == ["tiny-1"]

    def test_metrics_are_the_rows(self, done: tuple[Experiment, Path]) -> None:
        trained, folder = done

        with (folder / "metrics.csv").open(newline="") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

        assert rows == trained.rows
        assert len(rows) == 2

    def test_the_yaml_has_every_argument_and_loads_to_an_equal_config(self, done: tuple[Experiment, Path]) -> None:
        trained, folder = done

        text = (folder / "experiment.yaml").read_text()

        assert rnnspec.load(folder / "experiment.yaml") == trained.config
        assert "recurrent_activation: hard_sigmoid" in text
        assert "beta_2: 0.999" in text

    def test_a_seed_that_was_drawn_is_written(self, tmp_path: Path) -> None:
        trained = Experiment(experiment(train="epochs: 1"), "cpu")

        folder = trained.train(tmp_path, progress=False)

        again = rnnspec.load(folder / "experiment.yaml")
        assert isinstance(again, rnnspec.ExperimentConfig)
        assert trained.config.train.seed is not None
        assert again.train.seed == trained.config.train.seed

    def test_run_json_tells_result_and_versions(self, done: tuple[Experiment, Path]) -> None:
        trained, folder = done

        about = json.loads((folder / "run.json").read_text())

        assert about["result"] == trained.rows[-1]
        assert about["classes"] == list("123456789")
        assert (about["rnnspec"], about["torch"]) == (rnnspec.__version__, torch.__version__)

    def test_the_picture_has_two_axes_side_by_side(self, done: tuple[Experiment, Path]) -> None:
        with Image.open(done[1] / "learning_curve.png") as picture:
            assert picture.size == (1500, 600)


class TestReadingBack:
    def test_the_model_is_the_trained_one(self, done: tuple[Experiment, Path]) -> None:
        trained, folder = done

        run = load_run(folder)

        assert not run.model.training
        assert all(torch.equal(a, b) for a, b in zip(run.model.parameters(), trained.model.parameters(), strict=True))

    def test_predictions_are_those_of_training(self, done: tuple[Experiment, Path]) -> None:
        """What was done to the data in training is done to them when predicting."""
        trained, folder = done
        run, test = load_run(folder), series(18, seed=2)

        rows = judged(run, test, predict(run, test))

        right = sum(row["label"] == row["expected"] for row in rows)
        assert right / 18 == pytest.approx(trained.rows[-1]["test_accuracy"])

    def test_a_prediction_does_not_depend_on_its_batch(self, done: tuple[Experiment, Path]) -> None:
        run, test = load_run(done[1]), series(18, seed=2)

        alone = [predict(run, Series([x]))[0] for x in test.x]

        for one, among in zip(alone, predict(run, test), strict=True):
            assert one == pytest.approx(among, abs=1e-6)
            assert one.sum() == pytest.approx(1)

    def test_without_labels_nothing_is_expected(self, done: tuple[Experiment, Path]) -> None:
        run, test = load_run(done[1]), Series(series(2, seed=2).x)

        rows = judged(run, test, predict(run, test))

        assert [list(row) for row in rows] == [["series", "label", "probability", "expected"]] * 2
        assert [row["series"] for row in rows] == [0, 1]
        assert [row["expected"] for row in rows] == [None, None]

    def test_a_model_of_sequences_predicts_every_real_step(self, tmp_path: Path) -> None:
        model = "[GRU: {units: 9, return_sequences: true}]"
        run = load_run(Experiment(experiment(model), "cpu").train(tmp_path, progress=False))
        test = series(2, seed=2)

        rows = judged(run, test, predict(run, test))

        assert [(row["series"], row["step"]) for row in rows] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
        assert {row["expected"] for row in rows[2:]} == {"2"}

    def test_other_channels_are_refused(self, done: tuple[Experiment, Path]) -> None:
        with pytest.raises(DataError) as raised:
            load_run(done[1]).prepared(Series([series(1, seed=2).x[0][:, :3]]))

        assert str(raised.value) == "the model takes sequences of 12 channels, found 3 channels"

    def test_an_unknown_class_is_refused(self, done: tuple[Experiment, Path]) -> None:
        test = series(9, seed=2)

        with pytest.raises(DataError) as raised:
            load_run(done[1]).prepared(Series(test.x, test.y + 1 if test.y is not None else None))

        assert str(raised.value) == "the classes are 0 to 8, found 9 in y"

    def test_data_that_were_not_standardised_are_not(self, tmp_path: Path) -> None:
        config = rnnspec.loads(
            "data: {JapaneseVowels: {standardize: false}}\nmodel: [GRU: {units: 9}]\ntrain: {epochs: 1}"
        )
        assert isinstance(config, rnnspec.ExperimentConfig)
        test = series(1, seed=2)

        run = load_run(Experiment(config, "cpu").train(tmp_path, progress=False))

        assert run.standardizer is None
        assert run.prepared(test) is test


class TestBrokenRuns:
    @pytest.mark.parametrize("missing", ["experiment.yaml", "run.json", "weights.safetensors"])
    def test_a_missing_file_is_named(self, done: tuple[Experiment, Path], missing: str) -> None:
        (done[1] / missing).unlink()

        with pytest.raises(DataError) as raised:
            load_run(done[1])

        assert str(raised.value) == f"{done[1]}: is not the folder of a run: it has no {missing}"

    def test_a_folder_that_is_missing_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(DataError) as raised:
            load_run(tmp_path / "a-1")

        message = "is not the folder of a run: it has no experiment.yaml, run.json, weights.safetensors"
        assert str(raised.value) == f"{tmp_path}/a-1: {message}"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '{"classes": 3}',
            '{"classes": [1, 2], "standardizer": null}',
            '{"classes": ["1"], "standardizer": {"mean": [0], "scale": [1]}}',
            json.dumps({"classes": ["1"], "standardizer": {"mean": [0] * 12, "scale": [0] * 12}}),
            json.dumps({"classes": ["1"], "standardizer": {"mean": [float("nan")] * 12, "scale": [1] * 12}}),
            json.dumps({"classes": ["1"], "standardizer": 3}),
            "[" * 100_000,
        ],
        ids=["empty", "list", "nothing", "number", "numbers", "channels", "zero", "nan", "no-mapping", "deep"],
    )
    def test_a_changed_run_json_is_told(self, done: tuple[Experiment, Path], text: str) -> None:
        (done[1] / "run.json").write_text(text)

        with pytest.raises(DataError) as raised:
            load_run(done[1])

        assert str(raised.value) == f"{done[1]}/run.json: is not what a run writes, it was changed"

    def test_an_experiment_that_became_a_model_is_told(self, done: tuple[Experiment, Path]) -> None:
        (done[1] / "experiment.yaml").write_text("LSTM: {units: 3}\n")

        with pytest.raises(DataError) as raised:
            load_run(done[1])

        assert str(raised.value) == f"{done[1]}/experiment.yaml: is no experiment any more, it was changed"

    @pytest.mark.parametrize(
        ("how", "first"),
        [
            ("other units", "the tensor '0.kernel' has the shape (12, 12) in the file and (12, 15) in the model"),
            ("cut off", "is no safetensors file, or is damaged: Error while deserializing: invalid header length"),
        ],
        ids=["other-units", "cut-off"],
    )
    def test_weights_that_do_not_fit_are_told(self, done: tuple[Experiment, Path], how: str, first: str) -> None:
        yaml, weights = done[1] / "experiment.yaml", done[1] / "weights.safetensors"
        if how == "other units":
            yaml.write_text(yaml.read_text().replace("units: 4", "units: 5"))
        else:
            weights.write_bytes(weights.read_bytes()[:100])

        with pytest.raises(WeightsError) as raised:
            load_run(done[1])

        hint = "the run's experiment.yaml and its weights belong together, one of the two was changed"
        assert str(raised.value).startswith(f"{weights}: {first}\n  hint: {hint}")
        assert {problem.hint for problem in raised.value.problems} == {hint}


def test_an_experiment_without_data_is_refused() -> None:
    config = rnnspec.loads("model: [GRU: {units: 9}]\ntrain: {epochs: 1}")
    assert isinstance(config, rnnspec.ExperimentConfig)

    with pytest.raises(rnnspec.ConfigError) as raised:
        Experiment(config)

    assert str(raised.value) == "the experiment names no data\n  hint: for example `data: JapaneseVowels`"


def test_the_table_tells_that_data_bring_a_mask() -> None:
    assert Experiment(experiment(), "cpu").table().splitlines()[2].split() == ["GRU", "(None,", "4)", "204", "cpu"]
