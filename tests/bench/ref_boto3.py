"""Reference: 10,000 metrics by 20 GetMetricData requests of 500, with boto3.  ref_boto3.py URL CA ROUNDS
Prints CPU milliseconds a round, and the points read. The first round (with its handshake) comes apart, when there is another."""

import sys
import time

import boto3
import botocore

cloudwatch = boto3.client("cloudwatch", endpoint_url=sys.argv[1], verify=sys.argv[2])
queries = [[{"Id": f"m{i}", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations",
                                                      "Dimensions": [{"Name": "FunctionName", "Value": f"function{first + i}"}]},
                                           "Period": 60, "Stat": "Sum"}} for i in range(500)] for first in range(0, 10000, 500)]
rounds = int(sys.argv[3])
for number in range(rounds):
    before, points, now = time.process_time(), 0, time.time() // 60 * 60
    for q in queries:
        answer = cloudwatch.get_metric_data(MetricDataQueries=q, StartTime=now - 300, EndTime=now)
        points += sum(len(r["Values"]) for r in answer["MetricDataResults"])
    print("first" if not number and rounds > 1 else "round", (time.process_time() - before) * 1e3, flush=True)
print("points", points)
print("version", botocore.__version__)
