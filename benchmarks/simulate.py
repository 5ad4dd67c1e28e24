"""Speed of simulation: whole ZTF-schema packets from a seed, on one core and on two, in the same run.

    python -m benchmarks.simulate [--json] [--objects N] [--rounds N]

Each core makes its own shard of objects (written to disk as `skystamp simulate` does, deflate) in a process of its own
with OMP_NUM_THREADS=1; processes are started and warm before the clock runs. The ratio is packets a second of two
processes over one: 2 is perfect. Rounds of one and two are interleaved, so that a busy machine slows both; the median
of the rounds is shown.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

CORES = (1, 2)


def main() -> None:
    """Print the table, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="Speed of simulation on one core and on two.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--objects", type=int, default=100, help="objects of a core in a timed part")
    parser.add_argument("--rounds", type=int, default=3, help="timed parts of each kind")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before the processes that import numpy are started
    report(measure(arguments.objects, arguments.rounds), as_json=arguments.json)


def measure(objects: int, rounds: int) -> dict[str, float]:
    """Return the median objects and packets a second of one and of two processes."""
    rates: dict[str, list[float]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(CORES), mp_context=context) as pool, tempfile.TemporaryDirectory() as folder:
        run = _runner(pool, Path(folder), objects)
        run(max(CORES), 0)  # imports, caches
        for turn in range(1, rounds + 1):
            for cores in CORES:
                seconds, packets = run(cores, turn)
                rates.setdefault(f"objects_per_s_{cores}_core", []).append(cores * objects / seconds)
                rates.setdefault(f"packets_per_s_{cores}_core", []).append(packets / seconds)
    return {name: median(values) for name, values in rates.items()}


def _runner(pool: ProcessPoolExecutor, folder: Path, objects: int) -> Callable[[int, int], tuple[float, int]]:
    def run(cores: int, turn: int) -> tuple[float, int]:
        start = time.perf_counter()
        jobs = [pool.submit(shard, str(folder), turn, core, objects) for core in range(cores)]
        packets = sum(job.result() for job in jobs)
        return time.perf_counter() - start, packets

    return run


def shard(folder: str, turn: int, core: int, objects: int) -> int:
    """Write one shard and return its number of packets; each turn of each core makes other objects."""
    from skystamp.cluster.simulate import Simulation, write_shard

    simulation = Simulation(objects=10**9, seed=1000 + turn, detections=2, shard_objects=objects)
    out = Path(folder)
    (out / "truth").mkdir(exist_ok=True)
    return write_shard(simulation, out, core * objects)


def report(figures: dict[str, float], *, as_json: bool) -> None:
    """Print what was measured."""
    ratios = {"two_cores_over_one": figures["packets_per_s_2_core"] / figures["packets_per_s_1_core"]}
    if as_json:
        print(json.dumps({"ratios": ratios, "figures": figures}))
        return
    print(f"{'':12}{'objects/s':>12}{'packets/s':>12}")
    for cores in CORES:
        objects, packets = (figures[f"{kind}_per_s_{cores}_core"] for kind in ("objects", "packets"))
        print(f"{cores} core{'s' if cores > 1 else '':6}{objects:12.1f}{packets:12.1f}")
    print(f"two cores over one: {ratios['two_cores_over_one']:.2f}")


if __name__ == "__main__":
    main()
