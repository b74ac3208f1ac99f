version 1.1

task md5sum { # !MissingImage: any machine will do
  meta {
    description: "Compute the MD5 checksum of a file. Needs no image: every machine has the tools."
  }

  parameter_meta {
    file: "Any file."
  }

  input {
    File file
  }

  command <<<
    set -euo pipefail
    sum=$(md5sum < "~{file}")
    echo "${sum%% *}  ~{basename(file)}" > "~{basename(file)}.md5"
    echo "${sum%% *}"
  >>>

  output {
    String checksum = read_string(stdout())
    File checksum_file = "~{basename(file)}.md5"
  }
}
