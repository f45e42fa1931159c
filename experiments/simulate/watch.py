"""What Solara runs: it executes this file by itself, so the stage is asked for, not kept here."""

import solara

from experiments.simulate.serve import stage_on_show
from simenv.abm.live_page.page import Watch


@solara.component
def Page() -> None:  # noqa: N802
    """The page."""
    Watch(stage_on_show())
