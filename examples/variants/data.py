"""Make the example's data: the genome of phage lambda, and the reads of three samples of it.

    python3 examples/variants/data.py [DIRECTORY]

The genome and the reads of the sample `shipped` come from the Debian package `bowtie2-examples` (GPL-3+), installed or
fetched by `apt-get download`. The reads of `paired` and `single` are simulated from that genome, always the same.
Writes the files and `inputs.json`, ready for `cromulent run -i`, to DIRECTORY, by default `data` beside this file.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "bowtie2-examples"
EXAMPLES = Path("usr/share/doc/bowtie2/examples")
CONTIG = "NC_001416.1"
COVERAGE = 30
READ_LENGTH = 100
FRAGMENT_LENGTH = 300
ERROR_RATE = 0.002
SUBSTITUTIONS = {"paired": 40, "single": 25}
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def main() -> None:
    """Write the data."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        examples = find_examples(Path(scratch))
        genome = read_genome(examples / "reference" / "lambda_virus.fa.gz")
        for number in (1, 2):
            shutil.copy(examples / "reads" / f"reads_{number}.fq.gz", data / f"shipped.{number}.fq.gz")
    lines = [genome[start : start + 70] for start in range(0, len(genome), 70)]
    (data / "lambda.fa").write_text(f">{CONTIG}\n" + "\n".join(lines) + "\n")
    for seed, (name, substitutions) in enumerate(SUBSTITUTIONS.items()):
        dice = random.Random(seed)
        write_reads(data, name, mutate(genome, substitutions, dice), dice)
    (data / "early_genes.bed").write_text(f"{CONTIG}\t35000\t40000\n")
    (data / "inputs.json").write_text(json.dumps(inputs(data.resolve()), indent=2) + "\n")
    print(data / "inputs.json")


def find_examples(scratch: Path) -> Path:
    """Return the directory with the package's examples, fetching the package if it is not installed."""
    root = Path("/")
    if not (root / EXAMPLES / "reads").is_dir():
        if shutil.which("apt-get") is None:
            sys.exit(f"The data come from Debian's package {PACKAGE}, and there is no apt-get here to fetch it.")
        root = scratch / "root"
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=scratch, check=True)
        subprocess.run(["dpkg-deb", "-x", *scratch.glob("*.deb"), root], check=True)
    return root / EXAMPLES


def read_genome(file: Path) -> str:
    """Return the one sequence of a compressed FASTA file."""
    with gzip.open(file, "rt") as lines:
        return "".join(line.strip() for line in lines if not line.startswith(">")).upper()


def mutate(genome: str, substitutions: int, dice: random.Random) -> str:
    """Return the genome with substitutions spread over it, none near an end."""
    bases = list(genome)
    stretch = (len(bases) - 2 * FRAGMENT_LENGTH) // substitutions
    for number in range(substitutions):
        place = FRAGMENT_LENGTH + number * stretch + pick(stretch, dice)
        bases[place] = other_base(bases[place], dice)
    return "".join(bases)


def write_reads(data: Path, name: str, genome: str, dice: random.Random) -> None:
    """Write the reads of one sample, with mates if it is called `paired`."""
    paired = name == "paired"
    files = [data / f"{name}.{number}.fq.gz" for number in (1, 2)] if paired else [data / f"{name}.fq.gz"]
    pairs = list(fragments(genome, len(genome) * COVERAGE // READ_LENGTH // len(files), dice))
    for side, file in enumerate(files):
        # A fixed time, and no name, in the header: the same reads make the same file.
        with file.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as out:
            for number, pair in enumerate(pairs):
                out.write(f"@{name}{number}\n{pair[side]}\n+\n{'I' * READ_LENGTH}\n".encode())


def fragments(genome: str, count: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """Yield both ends of random fragments, of either strand, with a few errors."""
    for _ in range(count):
        start = pick(len(genome) - FRAGMENT_LENGTH, dice)
        fragment = genome[start : start + FRAGMENT_LENGTH]
        if dice.random() < 0.5:
            fragment = reverse_complement(fragment)
        ends = fragment[:READ_LENGTH], reverse_complement(fragment)[:READ_LENGTH]
        yield with_errors(ends[0], dice), with_errors(ends[1], dice)


def with_errors(read: str, dice: random.Random) -> str:
    """Return the read as a machine with a small error rate would have read it."""
    return "".join(other_base(base, dice) if dice.random() < ERROR_RATE else base for base in read)


def other_base(base: str, dice: random.Random) -> str:
    """Return one of the three other bases."""
    return "ACGT".replace(base, "")[pick(3, dice)]


def pick(count: int, dice: random.Random) -> int:
    """Return a number below count. Only `random()` gives the same sequence on every version of Python."""
    return int(dice.random() * count)


def reverse_complement(sequence: str) -> str:
    """Return the other strand."""
    return sequence.translate(COMPLEMENT)[::-1]


def inputs(data: Path) -> dict[str, object]:
    """Return the workflow's inputs."""
    return {
        "variants.genome": str(data / "lambda.fa"),
        "variants.samples": [
            {
                "name": "shipped",
                "reads": str(data / "shipped.1.fq.gz"),
                "mates": str(data / "shipped.2.fq.gz"),
            },
            {
                "name": "paired",
                "reads": str(data / "paired.1.fq.gz"),
                "mates": str(data / "paired.2.fq.gz"),
            },
            {"name": "single", "reads": str(data / "single.fq.gz")},
        ],
    }


if __name__ == "__main__":
    main()
