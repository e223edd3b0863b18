"""Spreading training over processors and machines: which strategy, and what a batch must be."""

import json
import os
import shutil
import signal
from typing import Any, Literal

from kerasgan.errors import DistributionError

Name = Literal["auto", "none", "mirrored", "multi-worker", "tpu"]
STRATEGIES: tuple[Name, ...] = ("auto", "none", "mirrored", "multi-worker", "tpu")

_ENDING = (signal.SIGINT, signal.SIGTERM)


def cluster_size() -> int:
    """Counts the workers that TF_CONFIG names, this one among them.

    Returns:
        Their number; 1 where there is no TF_CONFIG.

    Raises:
        DistributionError: if TF_CONFIG is no JSON of the form that TensorFlow takes.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return 1
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kinds = {kind: len(addresses) for kind, addresses in cluster.items()}
        if not 0 <= int(task["index"]) < kinds[task["type"]]:
            raise ValueError(f"task {task['index']} is not in the cluster")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise DistributionError(
            f"TF_CONFIG is not what TensorFlow takes ({error}); it must look like "
            '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
            '"task": {"type": "worker", "index": 0}}'
        ) from error
    return kinds.get("worker", 0) + kinds.get("chief", 0)


def resolve_strategy(name: Name) -> Name:
    """Decides, without TensorFlow, whether there is a cluster to join.

    Args:
        name: one of `STRATEGIES`.

    Returns:
        "multi-worker" for "auto" where TF_CONFIG names a cluster; any other name as it is.

    Raises:
        DistributionError: if TF_CONFIG is damaged, or "multi-worker" has no cluster.
    """
    workers = cluster_size()
    if name == "multi-worker" and workers < 2 and not _in_slurm():
        raise DistributionError(
            "--strategy multi-worker needs a cluster: set TF_CONFIG on every host, or start it "
            "with SLURM's srun"
        )
    return "multi-worker" if name == "auto" and workers > 1 else name


def make_strategy(name: Name) -> Any:
    """Makes a strategy; for "multi-worker" and "tpu", before anything else runs on TensorFlow.

    Args:
        name: as `resolve_strategy` returns it.

    Returns:
        A tf.distribute.Strategy. "mirrored" takes all GPUs or, without any, all logical CPUs;
        "auto" is "mirrored" where there are several GPUs, else "none".

    Raises:
        DistributionError: if the cluster cannot be joined, or there is no TPU.
    """
    import tensorflow as tf

    # Python's own handlers would not run before all workers have come. TensorFlow's of SIGTERM,
    # which lets nothing end, is replaced afterwards.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in _ENDING}
    try:
        if name == "multi-worker":
            resolver = (
                tf.distribute.cluster_resolver.TFConfigClusterResolver()
                if cluster_size() > 1
                else slurm_resolver()
            )
            return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        if name == "tpu":
            resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
            tf.config.experimental_connect_to_cluster(resolver)
            tf.tpu.experimental.initialize_tpu_system(resolver)
            return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, OSError, tf.errors.OpError) as error:
        what = "a TPU" if name == "tpu" else "the cluster"
        raise DistributionError(f"cannot use {what}: {error}") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        devices = gpus or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def is_chief(strategy: Any) -> bool:
    """Tells whether this process is the one that writes files.

    Args:
        strategy: a tf.distribute.Strategy.

    Returns:
        False for the other workers of a cluster.
    """
    resolver = strategy.cluster_resolver
    if resolver is None or resolver.task_type not in ("chief", "worker"):
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


def check_batch(batch_size: int, strategy: Any) -> None:
    """Checks that replicas can share a batch evenly.

    Args:
        batch_size: patches per step, over all replicas.
        strategy: a tf.distribute.Strategy.

    Raises:
        DistributionError: naming the nearest sizes that they can.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        lower = batch_size - batch_size % replicas
        near = " or ".join(str(size) for size in (lower, lower + replicas) if size)
        raise DistributionError(
            f"{replicas} replicas cannot share batches of {batch_size} evenly; take {near}"
        )


def wait_for_all(strategy: Any) -> None:
    """Waits until every worker has come this far: one that ends early alarms the others.

    Args:
        strategy: a tf.distribute.Strategy.
    """
    import tensorflow as tf

    def meet() -> Any:
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.ones(()))

    tf.function(lambda: strategy.run(meet))()


def slurm_resolver() -> Any:
    """Finds the cluster that SLURM's srun started.

    Returns:
        A cluster resolver; one that counts no GPUs where there is no nvidia-smi.
    """
    import tensorflow as tf

    cluster_resolver = tf.distribute.cluster_resolver
    if shutil.which("nvidia-smi"):
        return cluster_resolver.SlurmClusterResolver()
    # TensorFlow's own shares out GPUs, at least one for each task, and expects to find them.
    tasks = int(os.environ["SLURM_STEP_NUM_TASKS"])
    slurm = cluster_resolver.SlurmClusterResolver(
        gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
    )
    spec = slurm.cluster_spec()
    return cluster_resolver.SimpleClusterResolver(
        spec, task_type=slurm.task_type, task_id=slurm.task_id, rpc_layer="grpc"
    )


def _in_slurm() -> bool:
    return "SLURM_PROCID" in os.environ and os.environ.get("SLURM_STEP_NUM_TASKS", "1") != "1"
