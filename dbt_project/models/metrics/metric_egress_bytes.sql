{{ billable_metric(
    metric_code='egress_bytes',
    description='Bytes sent in the bodies of HTTP answers',
    event_name='http_request',
    aggregation='sum',
    value='bytes',
    unit='byte',
    group_by=['section', 'status'],
    fraction_digits=0,
) }}
