version 1.0

# Tasks that leave the same token in a file and on standard output, and write down that they ran. The image has its digest
# in its name, as it is not to be asked for and results are to be kept all the same.
workflow chaos {
  input {
    Int count
    String ledger
    String image
  }
  scatter (number in range(count)) {
    call one {
      input:
        number = number,
        ledger = ledger,
        image = image
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
    String image
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
    docker: image
    preemptible: 3
    maxRetries: 3
  }
}
