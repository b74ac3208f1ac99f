cwlVersion: v1.2
class: Workflow
requirements:
  ScatterFeatureRequirement: {}
inputs:
  numbers: int[]
outputs:
  files:
    type: File[]
    outputSource: one/file
steps:
  one:
    scatter: number
    in:
      number: numbers
    out: [file]
    run:
      class: CommandLineTool
      baseCommand: [bash, -c, 'echo "$0" > "$0.txt"']
      inputs:
        number:
          type: int
          inputBinding: {}
      outputs:
        file:
          type: File
          outputBinding:
            glob: $(inputs.number).txt
