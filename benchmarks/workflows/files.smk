rule all:
    input:
        expand("files/{number}.txt", number=range(int(config["count"]))),


rule one:
    output:
        "files/{number}.txt",
    shell:
        "echo {wildcards.number} > {output}"
