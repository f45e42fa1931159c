"""Contract suites to subclass: whoever writes a user model, environment or reader has its tests.

Needs pytest; nothing else in the package imports this room.
"""

import pytest

pytest.register_assert_rewrite("simenv.testing")  # so that a law that breaks shows its numbers
