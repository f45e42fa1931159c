"""Turns of tasks without Ray: order, workers that are free, and tasks whose worker died."""

from agents.inference.ray.task_queue import TaskQueue


def test_tasks_begin_in_order_on_as_many_workers_as_there_are():
    queue = TaskQueue("abcd", workers=2, restarts=0)
    assert list(queue.begun()) == [(0, "a"), (1, "b")]
    assert list(queue.begun()) == []
    assert queue.ended(1) == "b"
    assert list(queue.begun()) == [(1, "c")]
    assert queue.ended(0) == "a"
    assert queue.ended(1) == "c"
    assert [name for _, name in queue.begun()] == ["d"]


def test_a_task_whose_worker_died_comes_before_those_that_wait():
    queue = TaskQueue("abc", workers=1, restarts=2)
    assert list(queue.begun()) == [(0, "a")]
    assert queue.died(0) == ("a", 1)
    assert list(queue.begun()) == [(0, "a")]
    assert queue.ended(0) == "a"
    assert list(queue.begun()) == [(0, "b")]


def test_a_task_that_kills_every_worker_is_given_up_and_the_others_go_on():
    queue = TaskQueue("ab", workers=1, restarts=1)
    begun = []
    for _ in range(2):
        begun += list(queue.begun())
        queue.died(0)
    assert begun == [(0, "a"), (0, "a")]
    assert list(queue.begun()) == [(0, "b")]


def test_deaths_are_counted_a_task():
    queue = TaskQueue("ab", workers=2, restarts=1)
    list(queue.begun())
    assert queue.died(0) == ("a", 1)
    assert queue.died(1) == ("b", 1)
    assert sorted(name for _, name in queue.begun()) == ["a", "b"]


def test_more_workers_than_tasks_and_no_task_at_all():
    assert list(TaskQueue("a", workers=3, restarts=0).begun()) == [(0, "a")]
    assert list(TaskQueue("", workers=3, restarts=0).begun()) == []
