"""The recommenders themselves, one family a file.

To add one: subclass ``recommenders.base.Recommender`` in a new file here, name it in
``conf/recommender/NAME.yaml``, and subclass ``recommenders.testing`` in its test.
"""
