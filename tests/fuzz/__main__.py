"""Tries every reader on damaged files.

python -m tests.fuzz --inputs 20000 --seed 1
python -m tests.fuzz --seed 1 --only png:123
"""

import sys

import click

from tests.fuzz.harness import try_inputs
from tests.fuzz.targets import TARGETS


@click.command()
@click.option("--inputs", default=20000, show_default=True, help="Of all targets together.")
@click.option("--seed", default=0, show_default=True)
@click.option("--only", multiple=True, help="A target, or one input of it: TARGET:NUMBER.")
@click.option("--workers", default=2, show_default=True, help="Processes at a time.")
def main(inputs, seed, only, workers):
    """Counts how readers end on damaged files; exits with 1 where any ended in a fault."""
    chosen = dict(name.partition(":")[::2] for name in only) or dict.fromkeys(TARGETS, "")
    shares = sum(TARGETS[name].share for name in chosen)
    faults = 0
    for name, number in chosen.items():
        count = inputs * TARGETS[name].share // shares
        numbers = [int(number)] if number else range(count)
        result = try_inputs(name, numbers, seed=seed, workers=1 if number else workers)
        faults += len(result.faults)
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in result.counts.most_common())
        click.echo(f"{name:16} {result.seconds:6.0f} s   {counts}")
        for fault, what in result.faults[:20]:
            shown = what if number else what.strip().splitlines()[-1]
            click.echo(f"    --seed {seed} --only {name}:{fault}   {shown}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
