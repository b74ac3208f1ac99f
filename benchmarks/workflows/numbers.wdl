version 1.0

# As many calls as asked for, each of which has a command that a stand-in backend does not run.
workflow numbers {
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
    Array[Int] answers = one.answer
  }
}

task one {
  input {
    Int number
  }
  command <<<
    echo ~{number}
  >>>
  output {
    Int answer = number
  }
}
