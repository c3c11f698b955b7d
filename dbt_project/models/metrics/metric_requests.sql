{{ billable_metric(
    metric_code='requests',
    description='HTTP requests answered, whatever their status',
    event_name='http_request',
    aggregation='count',
    unit='request',
    group_by=['method', 'status'],
) }}
