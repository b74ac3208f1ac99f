version 1.0

task hello {
  input {
    String name
  }
  command <<<
    echo "hello ~{name}"
  >>>
  output {
    String greeting = read_string(stdout())
  }
  runtime {
    docker: "ubuntu:22.04"
  }
}
