"""What recoveries come to, counted: by action and outcome, and never by secret."""

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from rekey.aws.invocation import NAMESPACE
from rekey.incident import Recovery


def count_recovery(done: Recovery) -> None:
    """Write the metric Recoveries and, where AWSCURRENT was verified, TimeToRecover."""
    with single_metric("Recoveries", MetricUnit.Count, 1, namespace=NAMESPACE) as metric:
        metric.add_dimension("action", done.action)
        metric.add_dimension("outcome", done.outcome)
    if done.seconds is None:
        return
    with single_metric(
        "TimeToRecover", MetricUnit.Seconds, done.seconds, namespace=NAMESPACE
    ) as metric:
        metric.add_dimension("action", done.action)
