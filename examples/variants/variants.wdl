version 1.2

import "sample.wdl" as single

workflow variants {
  meta {
    description: "Call the variants of some samples of a small genome, and compare them."
  }

  parameter_meta {
    genome: "The genome, as FASTA."
    samples: "The samples, each with a name and its reads, single or with mates."
    targets: "Report only variants that lie in these regions (BED)."
    minimum_quality: "Report only variants of at least this quality."
    image: "Image with bwa, samtools and bcftools. See README.md for how to make it."
  }

  input {
    File genome
    Array[Sample]+ samples
    File? targets
    Int minimum_quality = 20
    String image = "cromulent-examples/variants:1"
  }

  call index { genome, image }

  scatter (sample in samples) {
    call single.call_sample {
      index = index.directory,
      sample,
      targets,
      minimum_quality,
      image,
    }
    File vcf = call_sample.calls.vcf
  }

  call summarize { vcfs = vcf, image }

  output {
    Array[Calls] calls = call_sample.calls
    Array[File] alignments = call_sample.bam
    Directory report = summarize.report
    String checksum = summarize.checksum
  }
}

task index {
  meta {
    description: "Index a genome for bwa and for random access."
  }

  parameter_meta {
    genome: "The genome, as FASTA."
    image: "Image with bwa and samtools."
  }

  input {
    File genome
    String image
  }

  command <<<
    set -euo pipefail
    mkdir index
    cp "~{genome}" index/genome.fa
    bwa index index/genome.fa
    samtools faidx index/genome.fa
  >>>

  output {
    Directory directory = "index"
  }

  requirements {
    container: image
    cpu: 1
    memory: "512 MiB"
  }
}

task summarize {
  meta {
    description: "Merge the samples' calls into one VCF, a table, and a checksum of what was found."
  }

  parameter_meta {
    vcfs: "One compressed VCF a sample."
    image: "Image with bcftools."
  }

  input {
    Array[File]+ vcfs
    String image
  }

  command <<<
    set -euo pipefail
    mkdir report calls
    for vcf in ~{sep(" ", quote(vcfs))}; do
      ln -s "$vcf" calls/
      bcftools index "calls/$(basename "$vcf")"
    done
    if [ ~{length(vcfs)} -gt 1 ]; then
      bcftools merge calls/*.vcf.gz --output report/all.vcf
    else
      bcftools view calls/*.vcf.gz --output report/all.vcf
    fi
    bcftools query --print-header --format '%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n' report/all.vcf > report/table.tsv
    sed 1d report/table.tsv | md5sum | cut -d ' ' -f 1
  >>>

  output {
    Directory report = "report"
    String checksum = read_string(stdout())
  }

  requirements {
    container: image
    cpu: 1
    memory: "512 MiB"
  }
}
