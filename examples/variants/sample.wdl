version 1.2

struct Sample {
  String name
  File reads
  File? mates
}

struct Calls {
  String name
  File vcf
  Int count
}

workflow call_sample {
  meta {
    description: "Align one sample to an indexed genome and call its variants."
  }

  parameter_meta {
    index: "Directory with genome.fa and bwa's index of it."
    sample: "Name and reads, single or with mates."
    targets: "Report only variants that lie in these regions."
    minimum_quality: "Report only variants of at least this quality."
    image: "Image with bwa, samtools and bcftools."
  }

  input {
    Directory index
    Sample sample
    File? targets
    Int minimum_quality
    String image
  }

  call align { index, sample, image }

  call call_variants {
    index,
    name = sample.name,
    bam = align.bam,
    targets,
    minimum_quality,
    image,
  }

  output {
    Calls calls = Calls {
      name: sample.name,
      vcf: call_variants.vcf,
      count: call_variants.count,
    }
    File bam = align.bam
  }
}

task align {
  meta {
    description: "Align reads and sort the alignments by position."
  }

  parameter_meta {
    index: "Directory with genome.fa and bwa's index of it."
    sample: "Name and reads, single or with mates."
    image: "Image with bwa and samtools."
  }

  input {
    Directory index
    Sample sample
    String image
  }

  command <<<
    set -euo pipefail
    bwa mem -R '@RG\tID:~{sample.name}\tSM:~{sample.name}' \
      "~{index}/genome.fa" "~{sample.reads}" ~{if defined(sample.mates) then "'~{sample.mates}'" else ""} |
      samtools sort -m 64M -o "~{sample.name}.bam" -
  >>>

  output {
    File bam = "~{sample.name}.bam"
  }

  requirements {
    container: image
    cpu: 1
    memory: "512 MiB"
  }
}

task call_variants {
  meta {
    description: "Call variants of a haploid genome from sorted alignments."
  }

  parameter_meta {
    index: "Directory with genome.fa."
    name: "The sample's name."
    bam: "Alignments, sorted by position."
    targets: "Report only variants that lie in these regions."
    minimum_quality: "Report only variants of at least this quality."
    image: "Image with bcftools."
  }

  input {
    Directory index
    String name
    File bam
    File? targets
    Int minimum_quality
    String image
  }

  command <<<
    set -euo pipefail
    bcftools mpileup --fasta-ref "~{index}/genome.fa" ~{if defined(targets) then "--targets-file '~{targets}'" else ""} "~{bam}" |
      bcftools call --multiallelic-caller --variants-only --ploidy 1 |
      bcftools view --include 'QUAL>=~{minimum_quality}' --output-type z --output "~{name}.vcf.gz"
    bcftools view --no-header "~{name}.vcf.gz" | wc -l
  >>>

  output {
    File vcf = "~{name}.vcf.gz"
    Int count = read_int(stdout())
  }

  requirements {
    container: image
    cpu: 1
    memory: "512 MiB"
  }
}
