"""Small CSV files: every cell has a column, or the file is refused."""

import pytest

from simenv.values.comma_rows import comma_rows


def test_rows_are_cells_by_column_and_a_missing_last_cell_is_empty():
    text = 'text,pole\r\n"I talk, a ""lot"".",E\r\n\r\nI hide.\r\n'
    head, rows = comma_rows(text, "x.csv")
    assert head == ["text", "pole"]
    assert rows == [{"text": 'I talk, a "lot".', "pole": "E"}, {"text": "I hide.", "pole": ""}]
    assert comma_rows("", "x.csv") == ([], [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a;b\n1;2\n", r"x\.csv wanted commas between its cells, got semicolons \('a;b'\); save"),
        ("a\tb\n1\t2\n", r"got tabs \('a\\tb'\)"),
        ("a|b\n", "got bars"),
        ("a,b\n1,2\n\n1,2,3\n", r"x\.csv, row 3: wanted 2 cells, got 3; put a text that holds"),
        ('a,b\n1,"2\n3,4\n', r"x\.csv wanted quotes that are closed, got another .*line 3"),
        ('a,b\n1,"2"3\n', "close it, or double a quote inside a cell"),
    ],
)
def test_a_file_whose_cells_would_get_lost_is_refused(text, error):
    with pytest.raises(ValueError, match=error):
        comma_rows(text, "x.csv")
