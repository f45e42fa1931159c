"""Personality tests of agents: instruments as data, who is asked as whom, answers and their scores.

``instruments`` holds questionnaires, ``conditioning`` the texts that put a personality before a
model, ``asking`` asks n people m items through an engine. It knows no films and no environment.
"""
