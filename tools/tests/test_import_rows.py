from pathlib import Path

import pytest

from linework.importer.rows import count_rows, read_rows
from linework.stopped import Stopped


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "rows.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_a_byte_order_mark_and_spaces_are_not_part_of_a_column_name(tmp_path: Path) -> None:
    file = written(tmp_path, b"\xef\xbb\xbfa, b \r\n1,2\r\n")
    assert [dict(row.values) for row in read_rows(file, ["a", "b"])] == [{"a": "1", "b": "2"}]


def test_a_row_knows_the_line_on_which_it_begins(tmp_path: Path) -> None:
    file = written(tmp_path, 'a,b\n1,"two\nlines, with a ""quote"""\n\n3,4\n')
    rows = list(read_rows(file, ["a"]))
    assert [(row.line, row["b"]) for row in rows] == [(2, 'two\nlines, with a "quote"'), (5, "4")]


def test_a_row_with_too_many_or_too_few_values_is_not_dropped(tmp_path: Path) -> None:
    file = written(tmp_path, "a,b\n1\n1,2,3\n1,2\n")
    assert [row.fault for row in read_rows(file, ["a"])] == [
        "the row has 1 values and the header 2 columns",
        "the row has 3 values and the header 2 columns",
        None,
    ]
    assert count_rows(file, ["a"]) == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,c\n1,2\n", r"has no column b, d; its header is: a, c\."),
        ("", r"has no column a, b, d; its header is: empty\."),
        ("a,b,d,a\n", r"has more than one column a\."),
        (b"a,b,d\n\xff,1,2\n", r"is not UTF-8 text: invalid start byte at byte 6\."),
        ('a,b,d\n1,2,"never closed\n', r"is not a CSV file: .* at line 2\."),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_refused_with_a_sentence(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(Stopped, match=sentence):
        count_rows(written(tmp_path, content), ["a", "b", "d"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Stopped, match=r"nowhere\.csv cannot be read: No such file"):
        count_rows(tmp_path / "nowhere.csv", ["a"])
