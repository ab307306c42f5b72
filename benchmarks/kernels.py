"""Time and memory of the kernels, beside the best that a user has without them, and beside what the machine could do.

    python benchmarks/kernels.py [--device cpu] [--threads 1] [--repeats 7] [--only w4a16]

Times are medians, with least and greatest, of up to `--repeats` runs after a first one (fewer where they take more
than ten seconds). On a CPU with one thread they are processor times, which other work on the machine disturbs less.
Memory is what a run took at its peak beyond what was there. The bound is the least time in which this machine could
read the bytes or do the operations, whichever is longer, both measured in the same run.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from octavo import kernels
from octavo.kernels import reference

ENOUGH = 10.0  # seconds of repeats


@dataclass
class Case:
    """One shape: what computes it, by name, ours first; and the work that no form can do without."""

    shape: str
    forms: dict[str, Callable[[], Any]]
    moved: float  # bytes
    done: float  # operations
    rate: str  # of the operations, a key of `Machine.rates`


class Machine:
    """The rates of a device, operations a second, and how long it reads: the best of some runs."""

    def __init__(self, device: torch.device, threads: int) -> None:
        self.device = device
        self.clock = process_time if device.type == "cpu" and threads == 1 else perf_counter
        small = torch.rand(2**17, device=device)  # half a MiB, as the blocks of `mw_loss`
        self.rates = {"exp": 2**17 / self._best(lambda: small.exp())}
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
            square = torch.rand(2048, 2048, device=device).to(dtype)
            self.rates[name] = 2 * 2048**3 / self._best(lambda square=square: square @ square)

    def reads(self, count: float) -> float:
        """Seconds for that many bytes, over and over: as in the measured runs, what fits into a cache stays there."""
        numbers = torch.ones(int(count) // 4, device=self.device)
        return self._best(lambda: numbers.sum())

    def _best(self, run: Callable[[], Any]) -> float:
        return min(self.timed(run) for _ in range(20))

    def timed(self, run: Callable[[], Any]) -> float:
        start = self.clock()
        run()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self.clock() - start

    def peak(self, run: Callable[[], Any]) -> float:
        """MiB that `run` takes at its peak."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
            run()
            return (torch.cuda.max_memory_allocated(self.device) - before) / 2**20
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark falls to what is in use
        before = _status("VmRSS")
        run()
        return max(0.0, (_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    """KiB, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def mann_whitney(device: torch.device) -> Iterator[Case]:
    def with_gradients(loss: Callable[[Tensor, Tensor], Tensor], scores: list[Tensor]) -> Callable[[], Any]:
        return lambda: torch.autograd.grad(loss(*scores), scores)

    for positives, negatives in ((1_000, 100_000), (1_000, 1_000_000)):
        scores = [torch.randn(count, device=device, requires_grad=True) for count in (positives, negatives)]
        pairs = positives * negatives
        forms = {"ours": with_gradients(kernels.mw_loss, scores)}
        if pairs <= 10**8:  # all 10^9 take more than 16 GiB
            forms["all pairs held"] = with_gradients(reference.mw_loss, scores)
            forms["the same, torch.compile"] = with_gradients(torch.compile(reference.mw_loss), scores)
        yield Case(f"{positives:,} x {negatives:,}, gradients", forms, 8 * (positives + negatives), 2 * pairs, "exp")


def divprune(features: Tensor, keep: int) -> Tensor:
    """Algorithm 1 of DivPrune as published with the paper: all distances are held, those of the picks gathered."""
    unit = features / features.norm(dim=1, keepdim=True)
    distances = 1 - unit @ unit.T
    picks = torch.empty(keep, dtype=torch.int64, device=features.device)
    picks[0] = torch.topk(distances, 2, dim=0, largest=False).values[1].argmax()
    for count in range(1, keep):
        picks[count] = distances.index_select(0, picks[:count]).amin(0).argmax()
    return picks


def max_min(device: torch.device) -> Iterator[Case]:
    for n, d in ((576, 1024), (2880, 3584), (10_000, 4096)):
        features, keep = torch.randn(n, d, device=device), n // 10
        forms = {
            "ours": lambda features=features, keep=keep: kernels.max_min_select(features, keep),
            "DivPrune as published": lambda features=features, keep=keep: divprune(features, keep),
        }
        yield Case(f"{n:,} x {d:,}, keep {keep:,}", forms, 4.0 * n * d, float(n) * n * d, "float32")


def w4a16(device: torch.device) -> Iterator[Case]:
    for inputs, outputs in ((640, 2048), (2048, 2048), (4096, 4096)):
        groups = inputs // 128
        codes, zeros = (torch.randint(0, 16, (rows, outputs), device=device) for rows in (inputs, groups))
        packed = kernels.pack_w4(codes, zeros, torch.rand(groups, outputs, device=device) / 16)
        ready = packed if device.type == "cuda" else kernels.for_cpu(packed)
        half = kernels.dequantize_w4(packed, torch.bfloat16)
        single = half.float()
        for rows in (1, 8, 64, 256):
            x = torch.randn(rows, inputs, device=device).bfloat16()
            wide = x.float()
            forms = {
                "ours": lambda x=x, ready=ready: kernels.w4a16_linear(x, ready),
                "bfloat16 linear": lambda x=x, half=half: linear(x, half),
                "float32 linear": lambda wide=wide, single=single: linear(wide, single),
                "dequantized, then multiplied": lambda x=x, packed=packed: linear(
                    x, kernels.dequantize_w4(packed, torch.bfloat16)
                ),
            }
            if isinstance(ready, kernels.CpuW4):
                operator = torch.ops.aten._weight_int4pack_mm_for_cpu
                arguments = ready.tiles, ready.group, ready.scales_zeros
                forms["torch's int4 operator"] = lambda x=x, call=operator, rest=arguments: call(x, *rest)
            moved = inputs * outputs / 2 + 2.5 * groups * outputs + 2 * rows * (inputs + outputs)
            yield Case(f"{rows} x {inputs} to {outputs}", forms, moved, 2.0 * rows * inputs * outputs, "bfloat16")


CASES = {"mw_loss": mann_whitney, "max_min_select": max_min, "w4a16_linear": w4a16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="of torch, on the CPU")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", default="", help="part of a kernel's name")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    machine = Machine(torch.device(arguments.device), arguments.threads)
    print(", ".join(f"{name} {rate / 1e9:.1f} G/s" for name, rate in machine.rates.items()), flush=True)
    print("| kernel | shape | form | ms (least to greatest) | of ours | MiB | bound, ms | share of it |")
    print("|---|---|---|---|---|---|---|---|")
    for name, cases in CASES.items():
        if arguments.only not in name:
            continue
        for case in cases(machine.device):
            bound = max(machine.reads(case.moved), case.done / machine.rates[case.rate])
            for row in rows(machine, case, bound, arguments.repeats):
                print(f"| `{name}` | {case.shape} | {row}", flush=True)


def rows(machine: Machine, case: Case, bound: float, repeats: int) -> Iterator[str]:
    """Runs every form of a case, and gives its cells."""
    ours = 0.0
    for form, run in case.forms.items():
        machine.timed(run)  # what is compiled or allocated once
        memory, times = machine.peak(run), [machine.timed(run)]
        while len(times) < repeats and sum(times) < ENOUGH:
            times.append(machine.timed(run))
        median = statistics.median(times)
        ours = ours or median
        spread = f"{median * 1e3:.3g} ({min(times) * 1e3:.3g} to {max(times) * 1e3:.3g})"
        yield f"{form} | {spread} | {median / ours:.2f} | {memory:,.0f} | {bound * 1e3:.3g} | {bound / median:.0%} |"


if __name__ == "__main__":
    main()
