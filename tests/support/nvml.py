"""A simulated NVML library: its C functions, as the real nvidia-ml-py looks them up and calls them.

    with install(SimulatedNvml([SimulatedGpu(watts=300.0)])) as nvml: ...

In another process, `python_path` gives the environment under which it is installed at start. Time is the machine's
monotonic clock, which all processes share; a simulation begins when it is made.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SPEC = "SIMULATED_NVML"
"""The environment variable with the JSON spec for other processes."""

SUCCESS, UNINITIALIZED, INVALID_ARGUMENT, NOT_SUPPORTED, NOT_FOUND = 0, 1, 2, 3, 6
DRIVER_NOT_LOADED, GPU_IS_LOST = 9, 15
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class SimulatedGpu:
    """A GPU that draws `watts`, swinging by `swing_w` around them every `period_s` seconds.

    Seconds count from the beginning of the simulation. From `lost_at_s` to `back_at_s` (None: for good) it is lost; at
    `reset_at_s` its counter begins anew. From `slow_from_s` on every question takes `delay_s`. None for a gauge, and
    False for `energy_counter`: the GPU does not have it.
    """

    watts: float | None = 300.0
    swing_w: float = 0.0
    period_s: float = 1.0
    name: str = "NVIDIA Simulated 80GB"
    uuid: str | None = None
    energy_counter: bool = True
    reset_at_s: float | None = None
    lost_at_s: float | None = None
    back_at_s: float | None = None
    mig: bool | None = False
    utilization: int | None = 87
    memory_used_mib: int | None = 40_000
    temperature: int | None = 61
    delay_s: float = 0.0
    slow_from_s: float = 0.0
    actual_watts: float = 300.0

    @property
    def mean_watts(self) -> float:
        """What it draws: where it does not show its power, `actual_watts`."""
        return self.actual_watts if self.watts is None else self.watts


class _State:
    """A GPU's energy over the time of the simulation, in microjoules."""

    def __init__(self, gpu: SimulatedGpu, index: int, seed: int) -> None:
        dice = random.Random(f"{seed} {gpu.uuid} {index}")
        self.gpu = gpu
        self.uuid = gpu.uuid or f"GPU-{dice.getrandbits(32):08x}-0000-4000-8000-{dice.getrandbits(48):012x}"
        self.first_mj = dice.randrange(10**9, 10**10)
        self.phase = dice.uniform(0, 2 * math.pi)
        self.asked: list[tuple[int, int]] = []
        self.questions = 0
        self.gone = False
        self.reset_s = gpu.reset_at_s

    def watts(self, seconds: float) -> float:
        return self.gpu.mean_watts + self.gpu.swing_w * math.sin(2 * math.pi * seconds / self.gpu.period_s + self.phase)

    def uj(self, seconds: float) -> int:
        """What it used in the first `seconds`: the integral of `watts`."""
        turn = 2 * math.pi / self.gpu.period_s
        swung = self.gpu.swing_w / turn * (math.cos(self.phase) - math.cos(turn * seconds + self.phase))
        return round((self.gpu.mean_watts * seconds + swung) * 1e6)

    def counter_mj(self, seconds: float) -> int:
        if self.reset_s is not None and seconds >= self.reset_s:
            return (self.uj(seconds) - self.uj(self.reset_s)) // 1000
        return self.first_mj + self.uj(seconds) // 1000

    def is_lost(self, seconds: float) -> bool:
        lost, back = self.gpu.lost_at_s, self.gpu.back_at_s
        return self.gone or (lost is not None and seconds >= lost and (back is None or seconds < back))


class _Function:
    """One C function. nvidia-ml-py sets attributes on some."""

    def __init__(self, act: Callable[..., int | bytes]) -> None:
        self._act = act

    def __call__(self, *arguments: Any) -> int | bytes:
        return self._act(*arguments)


class SimulatedNvml:
    """The library. `numbering` says in which order the GPUs are shown; `refusal` is what its start answers.

    `users` says how often it is started and not shut down, each of `states` how many `questions` its GPU was asked; a
    test may set its `gone`, and the GPU is lost, or its `reset_s`. While `answers` is cleared, questions to GPUs hang.
    """

    def __init__(
        self,
        gpus: Sequence[SimulatedGpu],
        seed: int = 0,
        *,
        numbering: Sequence[int] | None = None,
        refusal: int = SUCCESS,
        began_ns: int | None = None,
    ) -> None:
        self.began_ns = time.monotonic_ns() if began_ns is None else began_ns
        states = [_State(gpu, index, seed) for index, gpu in enumerate(gpus)]
        self.states = [states[index] for index in (numbering or range(len(states)))]
        self.refusal, self.users = refusal, 0
        self.answers = threading.Event()
        self.answers.set()
        for name, act in self._library().items():
            setattr(self, name, _Function(act))

    @property
    def uuids(self) -> list[str]:
        return [state.uuid for state in self.states]

    def truth_uj(self, start_ns: int, end_ns: int) -> dict[str, int]:
        """What each GPU really used between two moments of the monotonic clock, by UUID, in microjoules."""
        return {state.uuid: state.uj(self.seconds(end_ns)) - state.uj(self.seconds(start_ns)) for state in self.states}

    def truth(self) -> dict[str, list[tuple[int, int]]]:
        """By UUID: the moments of the monotonic clock at which its counter or its power was asked, with the
        microjoules that it had really used since the simulation began."""
        return {state.uuid: state.asked for state in self.states}

    def seconds(self, moment_ns: int) -> float:
        """Since the simulation began, for a moment of the monotonic clock."""
        return (moment_ns - self.began_ns) / 1e9

    def _library(self) -> dict[str, Callable[..., int | bytes]]:
        return {
            "nvmlInitWithFlags": self._init,
            "nvmlShutdown": self._shutdown,
            "nvmlErrorString": lambda code: f"error {code}".encode(),
            "nvmlDeviceGetCount_v2": lambda count: _give(count, len(self.states)),
            "nvmlDeviceGetHandleByIndex_v2": self._handle_by_index,
            "nvmlDeviceGetHandleByUUID": self._handle_by_uuid,
            "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": lambda part, to: self._give_handle(to, _index(part) - 1000),
            "nvmlDeviceGetUUID": self._asked(lambda state, buffer, _: _text(buffer, state.uuid)),
            "nvmlDeviceGetName": self._asked(lambda state, buffer, _: _text(buffer, state.gpu.name)),
            "nvmlDeviceGetMigMode": self._asked(self._mig_mode),
            "nvmlDeviceGetTotalEnergyConsumption": self._asked(self._energy),
            "nvmlDeviceGetPowerUsage": self._asked(self._power),
            "nvmlDeviceGetUtilizationRates": self._asked(self._utilization),
            "nvmlDeviceGetMemoryInfo": self._asked(self._memory),
            "nvmlDeviceGetTemperature": self._asked(lambda state, _, to: _give(to, state.gpu.temperature)),
        }

    def _init(self, _: int) -> int:
        self.users += self.refusal == SUCCESS
        return self.refusal

    def _shutdown(self) -> int:
        self.users -= 1
        return SUCCESS

    def _asked(self, act: Callable[..., int]) -> Callable[..., int]:
        """A question to one GPU: slow or lost where the GPU is."""

        def ask(handle: Any, *arguments: Any) -> int:
            if not self.users:
                return UNINITIALIZED
            state = self.states[_index(handle)]
            state.questions += 1
            self.answers.wait()
            if state.gpu.delay_s and self.seconds(time.monotonic_ns()) >= state.gpu.slow_from_s:
                time.sleep(state.gpu.delay_s)
            if state.is_lost(self.seconds(time.monotonic_ns())):
                return GPU_IS_LOST
            return act(state, *arguments)

        return ask

    def _handle_by_index(self, index: ctypes.c_uint, to: Any) -> int:
        return self._give_handle(to, index.value)

    def _handle_by_uuid(self, uuid: ctypes.c_char_p, to: Any) -> int:
        """MIG-n is the first part of GPU n."""
        if not self.users:
            return UNINITIALIZED
        text = (uuid.value or b"").decode()
        if text.startswith("MIG-"):
            return self._give_handle(to, 1000 + int(text[4:]), of=2000)
        return self._give_handle(to, self.uuids.index(text)) if text in self.uuids else NOT_FOUND

    def _give_handle(self, to: Any, index: int, of: int | None = None) -> int:
        if index >= (len(self.states) if of is None else of):
            return INVALID_ARGUMENT
        ctypes.cast(ctypes.pointer(to._obj), ctypes.POINTER(ctypes.c_void_p)).contents.value = index + 1
        return SUCCESS

    def _energy(self, state: _State, to: Any) -> int:
        if not state.gpu.energy_counter:
            return NOT_SUPPORTED
        now = time.monotonic_ns()
        state.asked.append((now, state.uj(self.seconds(now))))
        return _give(to, state.counter_mj(self.seconds(now)))

    def _power(self, state: _State, to: Any) -> int:
        if state.gpu.watts is None:
            return NOT_SUPPORTED
        now = time.monotonic_ns()
        if not state.gpu.energy_counter:
            state.asked.append((now, state.uj(self.seconds(now))))
        return _give(to, round(state.watts(self.seconds(now)) * 1000))

    def _mig_mode(self, state: _State, current: Any, pending: Any) -> int:
        return _give(current, state.gpu.mig) or _give(pending, state.gpu.mig)

    def _utilization(self, state: _State, to: Any) -> int:
        if state.gpu.utilization is None or state.gpu.mig:
            return NOT_SUPPORTED
        to._obj.gpu, to._obj.memory = state.gpu.utilization, 5
        return SUCCESS

    def _memory(self, state: _State, to: Any) -> int:
        if state.gpu.memory_used_mib is None:
            return NOT_SUPPORTED
        to._obj.total, to._obj.used = 81_920 * MIB, state.gpu.memory_used_mib * MIB
        to._obj.free = to._obj.total - to._obj.used
        return SUCCESS


def _give(to: Any, value: int | None) -> int:
    if value is None:
        return NOT_SUPPORTED
    to._obj.value = int(value)
    return SUCCESS


def _text(buffer: Any, text: str) -> int:
    buffer.value = text.encode()
    return SUCCESS


def _index(handle: Any) -> int:
    return (ctypes.cast(handle, ctypes.c_void_p).value or 0) - 1


@contextmanager
def install(nvml: SimulatedNvml | None) -> Iterator[SimulatedNvml | None]:
    """Within, nvidia-ml-py of this process calls `nvml`; None: it finds no library, wherever the test runs."""
    import pynvml

    before = pynvml.nvmlLib, pynvml.CDLL, dict(pynvml._nvmlGetFunctionPointer_cache)

    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    pynvml._nvmlGetFunctionPointer_cache.clear()
    pynvml.nvmlLib = nvml
    if nvml is None:
        pynvml.CDLL = missing
    try:
        yield nvml
    finally:
        pynvml.nvmlLib, pynvml.CDLL = before[:2]
        pynvml._nvmlGetFunctionPointer_cache.clear()
        pynvml._nvmlGetFunctionPointer_cache.update(before[2])


def python_path(
    tmp_path: Path, gpus: Sequence[SimulatedGpu], seed: int = 0, *, numbering: Sequence[int] | None = None
) -> dict[str, str]:
    """The environment under which another Python finds these GPUs; the simulation begins now, for all its processes.

    When such a process ends that has read them, it writes `SimulatedNvml.truth()` to `tmp_path/truth.json`.
    """
    folder = tmp_path / "simulated-nvml"
    folder.mkdir(exist_ok=True)
    here = Path(__file__)
    files = {"plain": str(here.parent / "plain" / "sitecustomize.py"), "simulated_nvml": str(here)}
    # By their files: nothing else of the tests becomes importable there. What `plain` does, this would hide.
    (folder / "sitecustomize.py").write_text(
        "import importlib.util, sys\n"
        f"for name, file in {files}.items():\n"
        "    spec = importlib.util.spec_from_file_location(name, file)\n"
        "    module = sys.modules[name] = importlib.util.module_from_spec(spec)\n"
        "    spec.loader.exec_module(module)\n"
        "module.install_from_environment()\n"
    )
    spec = {
        "gpus": [asdict(gpu) for gpu in gpus],
        "seed": seed,
        "numbering": None if numbering is None else list(numbering),
        "began_ns": time.monotonic_ns(),
        "truth": str(tmp_path / "truth.json"),
    }
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), SPEC: json.dumps(spec)}


def install_from_environment() -> None:
    """What sitecustomize calls in another process."""
    if SPEC not in os.environ:
        return
    spec = json.loads(os.environ[SPEC])
    nvml = SimulatedNvml(
        [SimulatedGpu(**gpu) for gpu in spec["gpus"]],
        spec["seed"],
        numbering=spec["numbering"],
        began_ns=spec["began_ns"],
    )
    import pynvml

    pynvml.nvmlLib = nvml
    atexit.register(_write_truth, nvml, Path(spec["truth"]))


def _write_truth(nvml: SimulatedNvml, file: Path) -> None:
    if any(asked for asked in nvml.truth().values()):
        file.write_text(json.dumps(nvml.truth()))


def used_uj(asked: Sequence[tuple[int, int]], start_ns: int, end_ns: int) -> int:
    """What a GPU really used between two readings, by the unix times of those readings: its truth is looked up at the
    questions nearest to them."""
    anchor = time.time_ns() - time.monotonic_ns()
    (_, before), (_, after) = (
        min(asked, key=lambda one: abs(anchor + one[0] - moment)) for moment in (start_ns, end_ns)
    )
    return after - before


def read_truth(tmp_path: Path) -> dict[str, list[tuple[int, int]]]:
    """By UUID: (monotonic nanoseconds, microjoules) at each reading, as the process that read them left it."""
    found = json.loads((tmp_path / "truth.json").read_text())
    return {uuid: [(moment, uj) for moment, uj in asked] for uuid, asked in found.items()}
