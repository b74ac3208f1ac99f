version 1.1

# A run in the cloud that is long enough to be disturbed. What is done leaves a mark in its working directory, which the
# test finds on the shared disk.
workflow crossing {
  input {
    File cargo
    String image = "ubuntu:22.04"
    Int count = 4
  }
  call embark {
    input:
      cargo = cargo,
      image = image
  }
  scatter (number in range(count)) {
    call carry {
      input:
        number = number,
        cargo = embark.loaded,
        image = image
    }
  }
  call disembark {
    input:
      parts = carry.part,
      image = image
  }
  output {
    Array[String] landed = disembark.landed
    File whole = disembark.whole
  }
}

task embark {
  input {
    File cargo
    String image
  }
  command <<<
    cat ~{cargo} > loaded
    echo done > finished
  >>>
  output {
    File loaded = "loaded"
  }
  runtime {
    docker: image
  }
}

task carry {
  input {
    Int number
    File cargo
    String image
  }
  command <<<
    sleep ~{number + 1}
    echo "$(cat ~{cargo}) ~{number}" > part
    echo done > finished
  >>>
  output {
    File part = "part"
  }
  runtime {
    docker: image
  }
}

task disembark {
  input {
    Array[File] parts
    String image
  }
  command <<<
    cat ~{sep(" ", parts)} > whole
    sleep 1
    echo done > finished
  >>>
  output {
    Array[String] landed = read_lines("whole")
    File whole = "whole"
  }
  runtime {
    docker: image
  }
}
