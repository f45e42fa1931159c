"""What stands between a command and an experiment: words, options and their ranges, help, errors.

It knows no experiment by name. What one takes from the common options and how long it lasts is
said in the package of the experiment (``USES``, ``DATA``, ``REFUSES``, ``TAKES``).
"""
