version 1.0

# As many calls as asked for, each of which writes a file. The same work is in files.cwl and files.smk.
workflow files {
  input {
    Int count
  }
  scatter (number in range(count)) {
    call one {
      input:
        number = number
    }
  }
  output {
    Array[File] files = one.file
  }
}

task one {
  input {
    Int number
  }
  command <<<
    echo ~{number} > ~{number}.txt
  >>>
  output {
    File file = "~{number}.txt"
  }
}
