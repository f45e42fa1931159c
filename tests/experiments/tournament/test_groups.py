"""Groups of people come from who answers, not from how the user model is built."""

import numpy as np

from agents.population.population import Population
from experiments.people.people import People, personas, scripted_engine
from experiments.tournament.groups import persona_groups
