version 1.0

# Tasks that leave the same token in a file and on standard output, and write down that they ran.
workflow chaos {
  input {
    Int count
    String ledger
  }
  scatter (number in range(count)) {
    call one {
      input:
        number = number,
        ledger = ledger
    }
  }
  output {
    Array[File] tokens = one.token
    Array[String] said = one.said
    Array[Int] numbers = one.back
  }
}

task one {
  input {
    Int number
    String ledger
  }
  command <<<
    token=$(cat /proc/sys/kernel/random/uuid)
    echo "$token" | tee token
    echo ~{number} > number
    echo "$token" >> ~{ledger}/~{number}
  >>>
  output {
    File token = "token"
    String said = read_string(stdout())
    Int back = read_int("number")
  }
  runtime {
    docker: "ubuntu:22.04"
    preemptible: 3
    maxRetries: 3
  }
}
