version 1.0

# As many calls as asked for, each in a container with limits, an input, something on stderr and a File output.
workflow contained {
  input {
    Int count
    File file
    String image
  }
  scatter (number in range(count)) {
    call one {
      input:
        number = number,
        file = file,
        image = image
    }
  }
  output {
    Array[File] files = one.copy
  }
}

task one {
  input {
    Int number
    File file
    String image
  }
  command <<<
    echo "copying for ~{number}" >&2
    cat ~{file} > ~{number}.txt
  >>>
  output {
    File copy = "~{number}.txt"
  }
  runtime {
    docker: image
    cpu: 1
    memory: "64 MiB"
  }
}
