"""The world: items, events, clock and environments. It knows no language model.

Importing this package registers ``PersonaRec-v0`` and ``ScriptedRec-v0`` with Gymnasium.
"""

from simenv.registration import register_environments

register_environments()
