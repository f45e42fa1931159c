import numpy as np


def test_persona_users_say_their_profile_and_what_they_recall(scripted_users):
    before = scripted_users.snapshot()
    told = scripted_users.explain(np.array([0, 1]), np.array([[0, 1], [1, 2]]))
    people = scripted_users.population
    assert [t.profile for t in told] == [p.profile for p in people.personas[:2]]
    assert [len(t.recalled) for t in told] == [2, 2]
    recalled = scripted_users.memory.recall(np.array([0]), np.array([[0]]), 1)
    title = people.catalog.titles[recalled.items[0, 0, 0]]
    reason = scripted_users.memory.reason(0, int(recalled.rows[0, 0, 0]))
    assert told[0].recalled[0].startswith(f"{title}, {recalled.ratings[0, 0, 0]:.0f} stars")
    assert reason in told[0].recalled[0]
    assert scripted_users.snapshot() == before
