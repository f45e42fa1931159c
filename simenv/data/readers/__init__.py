"""Data readers: files of a source to a split ``Dataset``.

One module a source: ``movielens``, ``goodbooks``, and ``custom`` for tables of your own. To add
one, write a module with two functions:

1. ``read_SOURCE(path, *, on_bad_rows) -> RatedCatalog`` parses the files (``text_rows``,
   ``csv_frames`` and ``frames`` help), notes every row that it cannot use in ``BadRows``, and gives
   the rest to ``rating_table.log_from_table``, which checks and numbers it.
2. ``SOURCE(path, *, on_bad_rows, **protocol: Unpack[ProtocolSettings]) -> Dataset`` calls it and
   ends with ``protocol.build_dataset``, which draws users, splits their rows in time and averages.

Then give it a config in ``conf/data``, and its tests by subclassing
``simenv.testing.reader.ReaderContract`` (docs/how-to/test_your_own.md). A reader knows no user
model, environment or society.
"""
