# What a user of AWS would type, with the AWS CLI as it is: $1 is a Python that has it, $2 a template, $3 an image.
set -euo pipefail
python=$1 template=$2 image=$3

aws() { "$python" -m awscli "$@"; }
settled() { # the waiters look at once, then after half a minute
  sleep 2
  aws cloudformation wait "$1" --stack-name trial
}
output() {
  aws cloudformation describe-stacks --stack-name trial --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}

aws cloudformation create-stack --stack-name trial --capabilities CAPABILITY_IAM \
  --template-body "file://$template" --parameters "ParameterKey=Image,ParameterValue=$image" > /dev/null
settled stack-create-complete
cluster=$(output Cluster) definition=$(output Head) subnet=$(output Subnets | cut -d, -f1)

run() {
  local task
  task=$(aws ecs run-task --cluster "$cluster" --task-definition "$definition" --launch-type FARGATE \
    --network-configuration "awsvpcConfiguration={subnets=[$subnet],assignPublicIp=ENABLED}" \
    --overrides "{\"containerOverrides\": [{\"name\": \"main\", \"command\": [\"sh\", \"-c\", \"$1\"]}]}" \
    --query 'tasks[0].taskArn' --output text)
  echo "task $task" >&2
  aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
  aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output text \
    --query 'tasks[0].[stopCode, containers[0].exitCode]'
  aws logs get-log-events --log-group-name /trial/tasks --log-stream-name "head/main/${task##*/}" \
    --query 'events[].message' --output text
}

run 'echo 42 > /mnt/runs/answer; echo written by $(id -u)'
run 'cat /mnt/runs/answer; exit 3'

aws cloudformation delete-stack --stack-name trial
settled stack-delete-complete
aws ecs list-clusters --query 'length(clusterArns)'
aws ec2 describe-vpcs --query 'length(Vpcs[?IsDefault==`false`])'
aws efs describe-file-systems --query 'length(FileSystems)'
