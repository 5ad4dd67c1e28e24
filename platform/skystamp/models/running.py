"""What answers on this machine, in words: a time means nothing without it."""

import os
import platform
from pathlib import Path

import keras


def described() -> str:
    """Return Keras's backend with its version, and the processor or accelerator that it runs on."""
    backend = keras.backend.backend()
    versions = {"tensorflow": _tensorflow, "jax": _jax}
    engine, accelerator = versions[backend]() if backend in versions else (backend, "")
    return f"{engine}, Keras {keras.__version__}, on {accelerator or _processor()}"


def load() -> float:
    """Return how many processes want a core, on average over the last minute: times are long where others work too."""
    return os.getloadavg()[0]


def _tensorflow() -> tuple[str, str]:
    import tensorflow as tf

    found = [tf.config.experimental.get_device_details(device) for device in tf.config.list_physical_devices("GPU")]
    return f"TensorFlow {tf.__version__}", ", ".join(str(one.get("device_name", "a GPU")) for one in found)


def _jax() -> tuple[str, str]:
    import jax

    found = [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    return f"JAX {jax.__version__}", ", ".join(found)


def _processor() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {cores} cores"
