"""Reading sequences: the real data set, and users' files with everything that can be wrong in them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from rnnspec import DataError
from rnnspec.experiment.data import read_series
from rnnspec.experiment.japanese_vowels import japanese_vowels
from rnnspec.experiment.series import Series, Standardizer

HEADER = "@problemName tiny\n@classLabel true a b\n@data\n"


def npz(**arrays: object) -> bytes:
    """The bytes of a `.npz` file."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def npy(array: object) -> bytes:
    """The bytes of a `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, array)  # type: ignore[arg-type]
    return buffer.getvalue()


class TestJapaneseVowels:
    def test_is_the_published_split(self) -> None:
        """Class balance and lengths are those of the data set's own description."""
        data = japanese_vowels()

        assert np.bincount(data.train.y).tolist() == [30] * 9
        assert np.bincount(data.test.y).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
        assert (min(data.train.lengths), max(data.train.lengths), sum(data.train.lengths)) == (7, 26, 4274)
        assert (min(data.test.lengths), max(data.test.lengths), sum(data.test.lengths)) == (7, 29, 5687)
        assert data.train.channels == data.test.channels == 12
        assert data.train.classes == data.test.classes == tuple("123456789")

    def test_values_are_those_of_the_file(self) -> None:
        first = japanese_vowels().train.x[0]

        assert first.shape == (20, 12)
        assert first[:3, 0].tolist() == np.float32([1.860936, 1.891651, 1.939205]).tolist()
        assert first[:2, 1].tolist() == np.float32([-0.207383, -0.193249]).tolist()

    def test_standardized_takes_the_numbers_from_the_training_steps_alone(self) -> None:
        data = japanese_vowels().standardized()
        train, test = np.concatenate(data.train.x), np.concatenate(data.test.x)

        assert np.abs(train.mean(axis=0)).max() < 1e-5
        assert np.abs(train.std(axis=0) - 1).max() < 1e-5
        assert np.abs(test.mean(axis=0)).max() > 0.01
        assert train.dtype == test.dtype == np.float32


class TestStandardizer:
    def test_leaves_the_scale_of_a_constant_channel(self) -> None:
        series = Series([np.float32([[1, 5], [3, 5]]), np.float32([[5, 5]])])

        standardized = Standardizer.fit(series)(series)

        assert [x[:, 1].tolist() for x in standardized.x] == [[0, 0], [0]]
        assert standardized.x[0][1, 0] == 0

    def test_survives_json_exactly(self) -> None:
        fitted = Standardizer.fit(japanese_vowels().train)

        again = Standardizer.from_dict(fitted.to_dict(), len(fitted.mean))

        assert again.mean.tolist() == fitted.mean.tolist()
        assert again.scale.tolist() == fitted.scale.tolist()


class TestReadSeries:
    def test_reads_ts_with_sequences_of_different_lengths(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny.ts"
        path.write_text(HEADER + "1,2,3:4,5,6:b\n\n7:8:a\n")

        series = read_series(path)

        assert [x.tolist() for x in series.x] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]
        assert (series.y is not None and series.y.tolist(), series.classes) == ([1, 0], ("a", "b"))

    def test_reads_ts_without_labels(self, tmp_path: Path) -> None:
        path = tmp_path / "tiny.ts"
        path.write_text("@classLabel false\n@data\n1,2:4,5\n")

        series = read_series(path)

        assert [x.tolist() for x in series.x] == [[[1, 4], [2, 5]]]
        assert (series.y, series.classes) == (None, ())

    def test_counts_labels_into_the_given_classes(self, tmp_path: Path) -> None:
        """A run's own order of classes wins over the order of another file's header."""
        path = tmp_path / "tiny.ts"
        path.write_text(HEADER + "1:a\n2:b\n")

        series = read_series(path, ("b", "a"))

        assert (series.y is not None and series.y.tolist(), series.classes) == ([1, 0], ("b", "a"))

    def test_reads_npy(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npy"
        path.write_bytes(npy(np.arange(12).reshape(2, 3, 2)))

        series = read_series(path)

        assert [x.tolist() for x in series.x] == [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]
        assert (series.x[0].dtype, series.y) == (np.float32, None)

    def test_reads_npz_and_cuts_the_padding_off(self, tmp_path: Path) -> None:
        path = tmp_path / "x.npz"
        x = np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])
        path.write_bytes(npz(x=x, lengths=np.array([2, 1]), y=np.array([1, 0])))

        series = read_series(path)

        assert [x.tolist() for x in series.x] == [[[1], [2]], [[3]]]
        assert series.y is not None
        assert series.y.tolist() == [1, 0]


X = np.zeros((2, 3, 1))
CASES = {
    "other-ending.csv": (b"1,2", "expected a file that ends in .ts, .npy or .npz"),
    "not-text.ts": (b"\xff\xfe", "is not UTF-8 text"),
    "no-data.ts": (b"1,2:a\n", "has no line @data, so it is not a .ts file"),
    "no-sequence.ts": (HEADER.encode(), "has no sequence after @data"),
    "regression.ts": (b"@targetLabel true\n@data\n1:2.5\n", "1: has numbers as targets, expected class labels"),
    "channels.ts": (HEADER.encode() + b"1:2:a\n1:b\n", "5: has 1 channels, the first sequence has 2"),
    "lengths.ts": (HEADER.encode() + b"1,2:3:a\n", "4: channel 2 has 1 values, channel 1 has 2"),
    "number.ts": (HEADER.encode() + b"1,?:a\n", "4: expected a finite number, found '?'"),
    "infinite.ts": (HEADER.encode() + b"1,inf:a\n", "4: expected a finite number, found 'inf'"),
    "too-large.ts": (HEADER.encode() + b"1,1e39:a\n", "4: expected a finite number, found '1e39'"),
    "label.ts": (HEADER.encode() + b"1:c\n", "4: unknown label 'c', expected one of a, b"),
    "text.npy": (b"hello", "is not a .npy file of numbers"),
    "header.npy": (npy(np.zeros((2, 3, 1))).replace(b"'descr'", b"'descr("), "is not a .npy file of numbers"),
    "pickle.npy": (npy(np.array([[{}]], dtype=object)), "is not a .npy file of numbers"),
    "rank.npy": (
        npy(np.zeros((3, 2))),
        "x must be numbers of shape (sequences, time, channels), none of them 0, found float64 of shape (3, 2)",
    ),
    "empty.npy": (
        npy(np.zeros((0, 3, 1))),
        "x must be numbers of shape (sequences, time, channels), none of them 0, found float64 of shape (0, 3, 1)",
    ),
    "words.npy": (
        npy(np.array([[["a"]]])),
        "x must be numbers of shape (sequences, time, channels), none of them 0, found <U1 of shape (1, 1, 1)",
    ),
    "text.npz": (b"hello", "is not a .npz file of numbers"),
    "damaged.npz": (npz(x=X)[:60] + b"?" * 20 + npz(x=X)[80:], "is not a .npz file of numbers"),
    "pickle.npz": (npz(x=np.array([{}], dtype=object)), "is not a .npz file of numbers"),
    "no-x.npz": (npz(a=X, b=X), "expected the arrays x, lengths (optional) and y (optional), found a, b"),
    "extra.npz": (npz(x=X, mask=X), "expected the arrays x, lengths (optional) and y (optional), found mask, x"),
    "nan.npz": (npz(x=X + np.nan), "x must be finite, found nan or infinity"),
    "long.npz": (npz(x=X, lengths=np.array([4, 3])), "lengths must be from 1 to 3, found 3 to 4"),
    "zero.npz": (npz(x=X, lengths=np.array([0, 3])), "lengths must be from 1 to 3, found 0 to 3"),
    "float-y.npz": (npz(x=X, y=np.zeros(2)), "y must be integers of shape (2,), found float64 of shape (2,)"),
    "short-y.npz": (
        npz(x=X, y=np.zeros(3, dtype=int)),
        "y must be integers of shape (2,), found int64 of shape (3,)",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_file_is_told_with_its_name(name: str, tmp_path: Path) -> None:
    content, message = CASES[name]
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(DataError) as raised:
        read_series(path)

    separator = ":" if message[0].isdigit() else ": "
    assert str(raised.value) == f"{path}{separator}{message}"


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_series(tmp_path / "x.ts")

    assert str(raised.value) == f"{tmp_path}/x.ts: no such file"


def test_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read_series(tmp_path)

    assert str(raised.value) == f"{tmp_path}: is a folder, expected a .ts, .npy or .npz file"


def test_all_bad_lines_are_told_at_once_but_not_without_end(tmp_path: Path) -> None:
    path = tmp_path / "bad.ts"
    path.write_text(HEADER + "1:c\n" * 12 + "1:a\n")

    with pytest.raises(DataError) as raised:
        read_series(path)

    lines = str(raised.value).splitlines()
    assert lines[0] == f"{path}:4: unknown label 'c', expected one of a, b"
    assert lines[9] == f"{path}:13: unknown label 'c', expected one of a, b"
    assert lines[10:] == [f"{path}: 2 more lines are wrong"]


def test_two_wrong_arrays_are_told_together(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(npz(x=X, lengths=np.array([9, 9]), y=np.array([-1, 0])))

    with pytest.raises(DataError) as raised:
        read_series(path)

    assert str(raised.value).splitlines() == [
        f"{path}: lengths must be from 1 to 3, found 9 to 9",
        f"{path}: y must be from 0 to {2**63 - 1}, found -1 to 0",
    ]
