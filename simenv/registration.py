"""Names the environments to Gymnasium; entry points are strings, so nothing heavy is imported."""

import gymnasium as gym

ENVIRONMENTS = {
    "PersonaRec-v0": ("agents.assembly:make_env", "agents.assembly:make_vector_env"),
    "ScriptedRec-v0": (
        "simenv.env.scripted_env:make_env",
        "simenv.env.scripted_env:make_vector_env",
    ),
    "ForesightRec-v0": (
        "simenv.env.foresight_env:make_env",
        "simenv.env.foresight_env:make_vector_env",
    ),
}


def register_environments() -> None:
    """Register every environment once; calling it again changes nothing."""
    for env_id, (entry_point, vector_entry_point) in ENVIRONMENTS.items():
        if env_id not in gym.registry:
            gym.register(id=env_id, entry_point=entry_point, vector_entry_point=vector_entry_point)
