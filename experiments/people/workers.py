"""Who does the work of a command that makes people: this process, or workers that Ray runs.

``engine=ray`` says how many and where, as it does for answers; no engine is asked here.
"""

from omegaconf import DictConfig

from training.spreading import IN_THIS_PROCESS, Workers

_RAY = "agents.inference.ray.ray_engine.ray_engine"
_OPTIONS = (
    "workers", "address", "cpus_per_worker", "gpus_per_worker", "restarts", "start_timeout",
)  # fmt: skip


def workers_of(cfg: DictConfig) -> Workers:
    """What ``engine=ray`` names, joined or started at once; otherwise this process.

    Raises:
        ModuleNotFoundError: the extra ``ray`` is not installed.
        ConnectionError: there is no cluster at the address.
        RuntimeError: there is room for no worker.
        TypeError: a setting is no number.
        ValueError: it is out of range.
    """
    engine = cfg.get("engine")
    if engine is None or engine.get("_target_") != _RAY:
        return IN_THIS_PROCESS
    from agents.inference.ray.cluster import WorkerSettings
    from agents.inference.ray.tasks import RayTasks

    return RayTasks(WorkerSettings(**{name: engine[name] for name in _OPTIONS}))
