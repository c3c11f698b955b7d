"""Hostile lines of one vendor: the fields, forms and limits of its dialect.

Each line lands between good lines of the same dialect.

Source of each verdict: the vendors' documents as the modules of `pipelines.reading.dialects` and
DECISIONS.md name them, and design §3.
"""

from pipelines.vocabulary.verdicts import Reason
from tests.hostile.cases import (
    PLACE_KEY,
    RECEIVED_AT,
    HostileLine,
    accepted,
    contradicts,
    line_of,
    malformed,
    not_usage,
    rejected,
    repeats,
    several,
)
from tests.worlds.file_lines import object_line

_INJECTION = "{{ 7*7 }}'; DROP TABLE x; --<b>"

_FIELDS_OF = {
    "cloudevents": ("id", "subject", "type", "time", "data"),
    "lago": ("transaction_id", "external_customer_id", "code", "timestamp", "properties"),
    "orb": ("idempotency_key", "external_customer_id", "event_name", "timestamp", "properties"),
    "segment": ("messageId", "userId", "event", "timestamp", "properties"),
    "stripe": ("identifier", None, "event_name", "timestamp", "payload"),
    "togai": ("id", "accountID", "schemaName", "timestamp", "dimensions"),
}
"""Fields of key, customer, event name, instant and properties, by dialect except Metronome."""


def _of_every_dialect(dialect: str) -> list[HostileLine]:
    key, customer, event_name, instant, properties = _FIELDS_OF[dialect]
    texts = [field for field in (key, customer, event_name) if field]
    good = line_of(dialect)
    inner = b'"stripe_customer_id":"acme",' if dialect == "stripe" else b""
    return [
        *(
            malformed(
                f"{dialect}-{field}-number",
                f"'{field}' must be a string",
                line_of(dialect, **{field: 17}),
                dialect,
            )
            for field in texts
        ),
        *(
            rejected(
                f"{dialect}-{field}-{kind}",
                Reason.MISSING_FIELD,
                f"'{field}'",
                line_of(dialect, **{field: value}),
                dialect,
            )
            for field in texts
            for kind, value in {"absent": None, "null": b"null", "empty": ""}.items()
            if field != "identifier"  # Stripe's key may be left out.
        ),
        *(
            rejected(
                f"{dialect}-{field}-256-bytes",
                Reason.TOO_LARGE,
                f"'{field}' is longer than 255 bytes",
                line_of(dialect, **{field: "k" * 256}),
                dialect,
            )
            for field in texts
        ),
        malformed(f"{dialect}-truncated", "not JSON", good[:-2], dialect),
        several(
            f"{dialect}-twice-on-a-line",
            good + good,
            (good, "accepted"),
            (good, "duplicate"),
            dialect=dialect,
        ),
        several(
            f"{dialect}-wrapped-on-a-line",
            b'{"count":2,"data":[' + good + b"," + good + b"]}",
            (good, "accepted"),
            (good, "duplicate"),
            dialect=dialect,
        ),
        malformed(
            f"{dialect}-key-twice",
            f"'{key}' stands twice",
            line_of(dialect, x=f'1,"{key}":"x"'.encode()),
            dialect,
        ),
        malformed(
            f"{dialect}-invalid-utf-8",
            "invalid UTF-8",
            good.replace(b"http_request", b"\xff"),
            dialect,
        ),
        malformed(
            f"{dialect}-nan-nobody-reads", "NaN is not JSON", line_of(dialect, x=b"[NaN]"), dialect
        ),
        rejected(
            f"{dialect}-leap-second",
            Reason.INVALID_TIMESTAMP,
            f"'{instant}'",
            line_of(dialect, **{instant: "2016-12-31T23:59:60Z"}),
            dialect,
        ),
        rejected(
            f"{dialect}-instant-true",
            Reason.INVALID_TIMESTAMP,
            "found a boolean",
            line_of(dialect, **{instant: b"true"}),
            dialect,
        ),
        rejected(
            f"{dialect}-a-year-ahead",
            Reason.FUTURE,
            "after it was received",
            line_of(dialect, **{instant: "2027-01-01T00:00:00Z"}),
            dialect,
        ),
        accepted(
            f"{dialect}-property-null",
            line_of(dialect, **{properties: b"{" + inner + b'"a":null}'}),
            dialect,
            properties={},
        ),
        repeats(
            f"{dialect}-no-property-at-all",
            f"{dialect}-property-null",
            line_of(dialect, **{properties: b"{" + inner.rstrip(b",") + b"}"}).replace(
                b"%KEY%", f"{dialect}-property-null".encode()
            ),
            dialect,
        ),
        rejected(
            f"{dialect}-property-array",
            Reason.INVALID_PROPERTY,
            "property 'a'",
            line_of(dialect, **{properties: b"{" + inner + b'"a":[1]}'}),
            dialect,
        )
        if dialect == "orb"
        else accepted(
            f"{dialect}-property-array",
            line_of(dialect, **{properties: b"{" + inner + b'"a":[1]}'}),
            dialect,
            properties={"a": "[1]"},
        ),
        rejected(
            f"{dialect}-properties-text",
            # In Stripe's events the payload holds the customer, which is read first.
            Reason.MALFORMED if dialect == "stripe" else Reason.INVALID_PROPERTY,
            "found a string",
            line_of(dialect, **{properties: "x"}),
            dialect,
        ),
        rejected(
            f"{dialect}-property-name-256-bytes",
            Reason.INVALID_PROPERTY,
            "longer than 255 bytes",
            line_of(dialect, **{properties: b"{" + inner + b'"' + b"n" * 256 + b'":1}'}),
            dialect,
        ),
        rejected(
            f"{dialect}-201-properties",
            Reason.TOO_LARGE,
            "201 properties",
            line_of(
                dialect,
                **{properties: b"{" + inner + object_line({f"p{n}": "x" for n in range(201)})[1:]},
            ),
            dialect,
        ),
        accepted(
            f"{dialect}-200-properties",
            line_of(
                dialect,
                **{properties: b"{" + inner + object_line({f"p{n}": "x" for n in range(200)})[1:]},
            ),
            dialect,
            properties={f"p{n}": "x" for n in range(200)},
        ),
        accepted(
            f"{dialect}-exact-numbers",
            line_of(
                dialect,
                **{
                    properties: b"{"
                    + inner
                    + b'"a":1e400,"b":-0,"c":0.10,"d":18446744073709551617}'
                },
            ),
            dialect,
            properties={"a": "1e400", "b": "-0", "c": "0.10", "d": "18446744073709551617"},
        ),
        accepted(
            f"{dialect}-injection-as-event-name",
            line_of(dialect, **{event_name: _INJECTION}),
            dialect,
            event_name=_INJECTION,
        ),
        accepted(
            f"{dialect}-injection-as-property",
            line_of(
                dialect, **{properties: b"{" + inner + object_line({_INJECTION: _INJECTION})[1:]}
            ),
            dialect,
            properties={_INJECTION: _INJECTION},
        ),
        accepted(f"{dialect}-envelope", b'{"event":' + good + b"}", dialect),
        repeats(
            f"{dialect}-again",
            f"{dialect}-envelope",
            good.replace(b"%KEY%", f"{dialect}-envelope".encode()),
            dialect,
        ),
        contradicts(
            f"{dialect}-again-otherwise",
            f"{dialect}-envelope",
            good.replace(b"%KEY%", f"{dialect}-envelope".encode()).replace(
                b"http_request", b"other"
            ),
            dialect,
        ),
    ]


_LAGO = [
    accepted("lago-no-timestamp", line_of("lago", timestamp=None), "lago", occurred_at=RECEIVED_AT),
    accepted(
        "lago-timestamp-null", line_of("lago", timestamp=b"null"), "lago", occurred_at=RECEIVED_AT
    ),
    rejected(
        "lago-timestamp-empty",
        Reason.INVALID_TIMESTAMP,
        "'timestamp'",
        line_of("lago", timestamp=""),
        "lago",
    ),
    accepted("lago-rfc-3339", line_of("lago", timestamp="2026-01-01T01:00:00+01:00"), "lago"),
    accepted(
        "lago-subscription-alone",
        line_of("lago", external_customer_id=None, external_subscription_id="sub 1"),
        "lago",
        customer_ref=None,
        subscription_ref="sub 1",
    ),
    accepted(
        "lago-subscription-and-empty-customer",
        line_of("lago", external_customer_id="", external_subscription_id="sub 1"),
        "lago",
        customer_ref=None,
        subscription_ref="sub 1",
    ),
    accepted(
        "lago-both",
        line_of("lago", external_subscription_id=_INJECTION),
        "lago",
        subscription_ref=_INJECTION,
    ),
    malformed(
        "lago-subscription-number",
        "'external_subscription_id' must be a string",
        line_of("lago", external_subscription_id=17),
        "lago",
    ),
    rejected(
        "lago-subscription-256-bytes",
        Reason.TOO_LARGE,
        "'external_subscription_id'",
        line_of("lago", external_subscription_id="é" * 128),
        "lago",
    ),
    accepted(
        "lago-nested-property",
        line_of("lago", properties=b'{"a":{}}'),
        "lago",
        properties={"a": "{}"},
    ),
    accepted("lago-no-properties", line_of("lago", properties=None), "lago", properties={}),
    accepted("lago-precise-total", line_of("lago", precise_total_amount_cents="1234.56"), "lago"),
]

_ORB = [
    malformed(
        "orb-both-customers",
        "both name the customer; send exactly one",
        line_of("orb", customer_id="acme"),
        "orb",
    ),
    accepted("orb-other-customer-null", line_of("orb", customer_id=b"null"), "orb"),
    accepted("orb-other-customer-empty", line_of("orb", customer_id=""), "orb"),
    accepted(
        "orb-customer-by-its-id",
        line_of("orb", external_customer_id=None, customer_id="acme"),
        "orb",
    ),
    malformed(
        "orb-other-customer-number",
        "must be a string",
        line_of("orb", external_customer_id=None, customer_id=17),
        "orb",
    ),
    rejected(
        "orb-nested-property",
        Reason.INVALID_PROPERTY,
        "found an object",
        line_of("orb", properties=b'{"a":{"b":1}}'),
        "orb",
    ),
]

_CLOUDEVENTS = [
    rejected(
        "cloudevents-no-version",
        Reason.MISSING_FIELD,
        "'specversion'",
        line_of("cloudevents", specversion=None),
        "cloudevents",
    ),
    malformed(
        "cloudevents-version-number",
        "'specversion' must be a string",
        line_of("cloudevents", specversion=b"1.0"),
        "cloudevents",
    ),
    malformed(
        "cloudevents-older-version",
        "must be '1.0', found '0.3'",
        line_of("cloudevents", specversion="0.3"),
        "cloudevents",
    ),
    malformed(
        "cloudevents-version-and-a-space",
        "must be '1.0'",
        line_of("cloudevents", specversion="1.0 "),
        "cloudevents",
    ),
    rejected(
        "cloudevents-no-source",
        Reason.MISSING_FIELD,
        "'source'",
        line_of("cloudevents", source=None),
        "cloudevents",
    ),
    malformed(
        "cloudevents-source-array",
        "'source' must be a string",
        line_of("cloudevents", source=[]),
        "cloudevents",
    ),
    accepted("cloudevents-no-time", line_of("cloudevents", time=None), "cloudevents"),
    rejected(
        "cloudevents-time-seconds",
        Reason.INVALID_TIMESTAMP,
        "found a number",
        line_of("cloudevents", time=1767225600),
        "cloudevents",
    ),
    # ["","…"] take seven bytes: brackets, quotes and the comma.
    accepted(
        "cloudevents-key-255-bytes",
        line_of("cloudevents", source="s", id="i" * 247),
        "cloudevents",
        idempotency_key='["s","' + "i" * 247 + '"]',
    ),
    rejected(
        "cloudevents-key-256-bytes",
        Reason.TOO_LARGE,
        "make a key of more than 255 bytes",
        line_of("cloudevents", source="s", id="i" * 248),
        "cloudevents",
    ),
    rejected(
        "cloudevents-key-longer-by-escapes",
        Reason.TOO_LARGE,
        "make a key of more than 255 bytes",
        line_of("cloudevents", source="s", id='"' * 124),
        "cloudevents",
    ),
    accepted(
        "cloudevents-key-with-quotes",
        line_of("cloudevents", source='a","b', id='c"'),
        "cloudevents",
        idempotency_key='["a\\",\\"b","c\\""]',
    ),
    accepted(
        "cloudevents-key-parts-one-way",
        line_of("cloudevents", source="a", id="b,c"),
        "cloudevents",
        idempotency_key='["a","b,c"]',
    ),
    accepted(
        "cloudevents-key-parts-other-way",
        line_of("cloudevents", source="a,b", id="c"),
        "cloudevents",
        idempotency_key='["a,b","c"]',
    ),
    accepted(
        "cloudevents-data-null", line_of("cloudevents", data=b"null"), "cloudevents", properties={}
    ),
    accepted(
        "cloudevents-nested-data",
        line_of("cloudevents", data=b'{"a":{"b":{"c":0.10}},"d":{}}'),
        "cloudevents",
        properties={"a.b.c": "0.10"},
    ),
    accepted(
        "cloudevents-data-of-seven-levels",
        line_of("cloudevents", data=b'{"a":' * 6 + b'{"b":1}' + b"}" * 6),
        "cloudevents",
        properties={"a.a.a.a.a.a.b": "1"},
    ),
    malformed(
        "cloudevents-data-of-eight-levels",
        "deeper than 8",
        line_of("cloudevents", data=b'{"a":' * 7 + b'{"b":1}' + b"}" * 7),
        "cloudevents",
    ),
    rejected(
        "cloudevents-path-twice",
        Reason.INVALID_PROPERTY,
        "the path 'a.b'",
        line_of("cloudevents", data=b'{"a":{"b":1},"a.b":2}'),
        "cloudevents",
    ),
    rejected(
        "cloudevents-path-twice-by-dots",
        Reason.INVALID_PROPERTY,
        "the path 'a.b.c'",
        line_of("cloudevents", data=b'{"a.b":{"c":1},"a":{"b.c":1}}'),
        "cloudevents",
    ),
    accepted(
        "cloudevents-empty-names",
        line_of("cloudevents", data=b'{"":{"":1},"a":{"":2}}'),
        "cloudevents",
        properties={".": "1", "a.": "2"},
    ),
    accepted(
        "cloudevents-nested-null",
        line_of("cloudevents", data=b'{"a":{"b":null}}'),
        "cloudevents",
        properties={},
    ),
    rejected(
        "cloudevents-path-of-256-bytes",
        Reason.INVALID_PROPERTY,
        "longer than 255 bytes",
        line_of("cloudevents", data={"n" * 128: {"m" * 127: 1}}),
        "cloudevents",
    ),
    accepted(
        "cloudevents-path-of-255-bytes",
        line_of("cloudevents", data={"n" * 128: {"m" * 126: "1"}}),
        "cloudevents",
        properties={"n" * 128 + "." + "m" * 126: "1"},
    ),
    rejected(
        "cloudevents-201-members-below",
        Reason.TOO_LARGE,
        "201 properties",
        line_of(
            "cloudevents",
            data={
                f"g{n // 10}": {f"p{m}": "x" for m in range(n, min(n + 10, 201))}
                for n in range(0, 201, 10)
            },
        ),
        "cloudevents",
    ),
    rejected(
        "cloudevents-base-64",
        Reason.INVALID_PROPERTY,
        "data_base64 is not read",
        line_of("cloudevents", data=None, data_base64="e30="),
        "cloudevents",
    ),
    rejected(
        "cloudevents-xml",
        Reason.INVALID_PROPERTY,
        "found a string",
        line_of("cloudevents", datacontenttype="text/xml", data="<a/>"),
        "cloudevents",
    ),
    accepted(
        "cloudevents-extensions",
        line_of("cloudevents", traceparent=[[None]], dataschema=17),
        "cloudevents",
    ),
]

_STRIPE = [
    rejected(
        "stripe-no-payload",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", payload=None),
        "stripe",
    ),
    rejected(
        "stripe-payload-null",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", payload=b"null"),
        "stripe",
    ),
    malformed(
        "stripe-payload-array",
        "'payload' must be an object, found an array",
        line_of("stripe", payload=b"[]"),
        "stripe",
    ),
    rejected(
        "stripe-no-customer",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", payload=b'{"value":"1"}'),
        "stripe",
    ),
    rejected(
        "stripe-customer-empty",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", payload=b'{"stripe_customer_id":""}'),
        "stripe",
    ),
    rejected(
        "stripe-customer-outside-the-payload",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", stripe_customer_id="acme", payload=b'{"value":"1"}'),
        "stripe",
    ),
    accepted(
        "stripe-customer-inside-counts", line_of("stripe", stripe_customer_id="other"), "stripe"
    ),
    malformed(
        "stripe-customer-number",
        "'payload.stripe_customer_id' must be a string",
        line_of("stripe", payload=b'{"stripe_customer_id":17}'),
        "stripe",
    ),
    rejected(
        "stripe-customer-256-bytes",
        Reason.TOO_LARGE,
        "'payload.stripe_customer_id' is longer than 255 bytes",
        line_of("stripe", payload={"stripe_customer_id": "k" * 256}),
        "stripe",
    ),
    malformed(
        "stripe-customer-twice",
        "stands twice",
        line_of("stripe", payload=b'{"stripe_customer_id":"a","stripe_customer_id":"b"}'),
        "stripe",
    ),
    accepted(
        "stripe-value-as-sent",
        line_of("stripe", payload=b'{"stripe_customer_id":"acme","value":"0.10"}'),
        "stripe",
        properties={"value": "0.10"},
    ),
    accepted(
        "stripe-no-value",
        line_of("stripe", payload=b'{"stripe_customer_id":"acme"}'),
        "stripe",
        properties={},
    ),
    accepted(
        "stripe-no-timestamp",
        line_of("stripe", timestamp=None),
        "stripe",
        occurred_at=RECEIVED_AT,
    ),
    *(
        accepted(
            f"stripe-identifier-{kind}",
            line_of("stripe", identifier=value, event_name=f"{_INJECTION}-{kind}"),
            "stripe",
            idempotency_key=PLACE_KEY,
            event_name=f"{_INJECTION}-{kind}",
        )
        for kind, value in {"absent": None, "null": b"null", "empty": ""}.items()
    ),
    accepted(
        "stripe-identifier-absent-again",
        line_of("stripe", identifier=None, event_name=f"{_INJECTION}-absent"),
        "stripe",
        idempotency_key=PLACE_KEY,
        event_name=f"{_INJECTION}-absent",
    ),
    rejected(
        "stripe-void-without-identifier",
        Reason.MISSING_FIELD,
        "an amendment must have a key of its own",
        b'{"amendment":"void","target_key":"x"}',
        "stripe",
    ),
    accepted(
        "stripe-payload-in-parts",
        line_of("stripe", payload=None, payload_stripe_customer_id="acme", payload_bytes="512"),
        "stripe",
    ),
    repeats(
        "stripe-payload-in-parts-again",
        "stripe-payload-in-parts",
        line_of("stripe").replace(b"%KEY%", b"stripe-payload-in-parts"),
        "stripe",
    ),
    rejected(
        "stripe-parts-without-customer",
        Reason.MISSING_FIELD,
        "'payload.stripe_customer_id' is missing or empty",
        line_of("stripe", payload=None, payload_bytes="512"),
        "stripe",
    ),
    accepted("stripe-rfc-3339", line_of("stripe", timestamp="2025-12-31T19:00:00-05:00"), "stripe"),
]

_TOGAI = [
    malformed(
        "togai-both-accounts", "both name the customer", line_of("togai", accountId="acme"), "togai"
    ),
    accepted("togai-other-spelling", line_of("togai", accountID=None, accountId="acme"), "togai"),
    accepted("togai-no-zone", line_of("togai", timestamp="2026-01-01T00:00:00.000"), "togai"),
    accepted(
        "togai-no-zone-and-a-space", line_of("togai", timestamp="2026-01-01 00:00:00"), "togai"
    ),
    rejected(
        "togai-date-alone",
        Reason.INVALID_TIMESTAMP,
        "'2026-01-01' is not an ISO 8601",
        line_of("togai", timestamp="2026-01-01"),
        "togai",
    ),
    rejected(
        "togai-no-zone-hour-24",
        Reason.INVALID_TIMESTAMP,
        "'2025-12-31T24:00:00' is not an ISO 8601",
        line_of("togai", timestamp="2025-12-31T24:00:00"),
        "togai",
    ),
    rejected(
        "togai-zone-too-far",
        Reason.INVALID_TIMESTAMP,
        "±14:00",
        line_of("togai", timestamp="2026-01-01T00:00:00+14:01"),
        "togai",
    ),
    rejected(
        "togai-exactly-44-days-late",
        Reason.TOO_LATE,
        "44d or more",
        line_of("togai", timestamp="2025-11-18T00:00:00"),
        "togai",
    ),
    accepted(
        "togai-attributes",
        line_of(
            "togai",
            attributes=b'[{"name":"km","value":12.30,"unit":"km"},{"value":"","name":"\\u0061"}]',
        ),
        "togai",
        properties={"km": "12.30", "a": "", "bytes": "512"},
    ),
    accepted(
        "togai-attributes-object",
        line_of("togai", attributes={"km": "1"}),
        "togai",
        properties={"km": "1", "bytes": "512"},
    ),
    accepted(
        "togai-dimensions-array",
        line_of("togai", dimensions=b'[{"name":"bytes","value":"512"}]'),
        "togai",
    ),
    accepted("togai-attributes-empty", line_of("togai", attributes=[]), "togai"),
    rejected(
        "togai-attribute-number",
        Reason.INVALID_PROPERTY,
        "must be an object, found a number",
        line_of("togai", attributes=[1]),
        "togai",
    ),
    rejected(
        "togai-attribute-null",
        Reason.INVALID_PROPERTY,
        "must be an object, found null",
        line_of("togai", attributes=[None]),
        "togai",
    ),
    rejected(
        "togai-attribute-without-name",
        Reason.INVALID_PROPERTY,
        "has no name",
        line_of("togai", attributes=[{"value": 1}]),
        "togai",
    ),
    rejected(
        "togai-attribute-name-empty",
        Reason.INVALID_PROPERTY,
        "has no name",
        line_of("togai", attributes=[{"name": "", "value": 1}]),
        "togai",
    ),
    rejected(
        "togai-attribute-name-number",
        Reason.INVALID_PROPERTY,
        "has no name",
        line_of("togai", attributes=[{"name": 17, "value": 1}]),
        "togai",
    ),
    accepted(
        "togai-attribute-without-value", line_of("togai", attributes=[{"name": "km"}]), "togai"
    ),
    accepted(
        "togai-attribute-value-object",
        line_of("togai", attributes=[{"name": "km", "value": {}}]),
        "togai",
        properties={"km": "{}", "bytes": "512"},
    ),
    rejected(
        "togai-attribute-twice",
        Reason.INVALID_PROPERTY,
        "'km' stands twice among the attributes",
        line_of("togai", attributes=[{"name": "km", "value": "1"}, {"name": "km", "value": "1"}]),
        "togai",
    ),
    rejected(
        "togai-attribute-and-dimension",
        Reason.INVALID_PROPERTY,
        "'bytes' stands among the attributes and among the dimensions",
        line_of("togai", attributes=[{"name": "bytes", "value": "1"}]),
        "togai",
    ),
    rejected(
        "togai-unit-number",
        Reason.INVALID_PROPERTY,
        "the unit of 'km'",
        line_of("togai", attributes=[{"name": "km", "value": "1", "unit": 17}]),
        "togai",
    ),
    rejected(
        "togai-unit-256-bytes",
        Reason.INVALID_PROPERTY,
        "the unit of 'km'",
        line_of("togai", attributes=[{"name": "km", "value": "1", "unit": "é" * 128}]),
        "togai",
    ),
    rejected(
        "togai-100-and-101",
        Reason.TOO_LARGE,
        "201 properties",
        line_of(
            "togai",
            attributes=[{"name": f"a{n}", "value": "1"} for n in range(100)],
            dimensions={f"d{n}": "1" for n in range(101)},
        ),
        "togai",
    ),
    accepted(
        "togai-unit-kilometres",
        line_of("togai", id="unit", attributes=[{"name": "km", "value": "1", "unit": "km"}]),
        "togai",
        idempotency_key="unit",
        properties={"km": "1", "bytes": "512"},
    ),
    contradicts(
        "togai-unit-miles",
        "togai-unit-kilometres",
        line_of("togai", id="unit", attributes=[{"name": "km", "value": "1", "unit": "mi"}]),
        "togai",
    ),
    contradicts(
        "togai-no-unit",
        "togai-unit-kilometres",
        line_of("togai", id="unit", attributes={"km": "1"}),
        "togai",
    ),
]

_SEGMENT = [
    *(
        not_usage(f"segment-{kind}", f"field 'type' is '{kind}'", line, "segment")
        for kind, line in {
            "identify": line_of("segment", type="identify"),
            "page": b'{"type":"page","name":"Home","properties":{"url":"/"},"messageId":"%KEY%"}',
            "screen": b'{"type":"screen"}',
            "group": b'{"type":"group","groupId":null,"timestamp":"nonsense"}',
            "alias": b'{"event":{"type":"alias","previousId":[1]}}',
        }.items()
    ),
    malformed("segment-page-that-is-no-json", "not JSON", b'{"type":"page"', "segment"),
    malformed("segment-type-twice", "stands twice", b'{"type":"page","type":"track"}', "segment"),
    accepted(
        "segment-page-claims-no-key",
        line_of("segment").replace(b"%KEY%", b"segment-page"),
        "segment",
        idempotency_key="segment-page",
    ),
    malformed(
        "segment-type-number", "'type' must be a string", line_of("segment", type=1), "segment"
    ),
    malformed(
        "segment-type-of-another-case",
        "must be 'track'",
        line_of("segment", type="Track"),
        "segment",
    ),
    accepted("segment-no-type", line_of("segment", type=None), "segment"),
    accepted(
        "segment-anonymous",
        line_of("segment", userId=b"null", anonymousId="anon"),
        "segment",
        customer_ref="anon",
    ),
    accepted(
        "segment-empty-user",
        line_of("segment", userId="", anonymousId="anon"),
        "segment",
        customer_ref="anon",
    ),
    accepted("segment-both", line_of("segment", anonymousId="anon"), "segment"),
    malformed(
        "segment-user-number-and-anonymous",
        "'userId' must be a string",
        line_of("segment", userId=17, anonymousId="anon"),
        "segment",
    ),
    accepted(
        "segment-context",
        line_of("segment", context=b'{"userAgentData":{"brands":[{"brand":"x","version":[]}]}}'),
        "segment",
    ),
    # Nested properties have their paths as names, as in Segment's warehouses.
    accepted(
        "segment-nested-property",
        line_of("segment", properties=b'{"products":{"disk":{"bytes":7}},"n":"x"}'),
        "segment",
        properties={"products.disk.bytes": "7", "n": "x"},
    ),
    accepted(
        "segment-nested-property-empty",
        line_of("segment", properties=b'{"products":{}}'),
        "segment",
        properties={},
    ),
    accepted(
        "segment-nested-array",
        line_of("segment", properties=b'{"products":{"disks":[]}}'),
        "segment",
        properties={"products.disks": "[]"},
    ),
    accepted(
        "segment-iso-8601", line_of("segment", timestamp="2026-01-01 00:00:00 +0000"), "segment"
    ),
    rejected(
        "segment-no-zone",
        Reason.INVALID_TIMESTAMP,
        "with zone, like 2026-01-31T13:45:00Z; declare it as iso8601_utc",
        line_of("segment", timestamp="2026-01-01T00:00:00"),
        "segment",
    ),
    rejected(
        "segment-nested-path-twice",
        Reason.INVALID_PROPERTY,
        "two members of properties have the path 'products.n'",
        line_of("segment", properties=b'{"products":{"n":1},"products.n":1}'),
        "segment",
    ),
    rejected(
        "segment-event-object-alone",
        Reason.MISSING_FIELD,
        "'messageId'",
        b'{"event":{"event":"http_request"}}',
        "segment",
    ),
    malformed(
        "segment-event-object",
        "'event' must be a string",
        line_of("segment", event=b"{}"),
        "segment",
    ),
]

_CUSTOM = (
    accepted("custom-as-documented", line_of("custom"), "custom"),
    accepted("custom-customer-number", line_of("custom", customer=17), "custom", customer_ref="17"),
    rejected(
        "custom-customer-absent",
        Reason.MISSING_FIELD,
        "'customer' is missing",
        line_of("custom", customer=None),
        "custom",
    ),
    malformed(
        "custom-event-name-boolean",
        "'event_name' must be a string",
        line_of("custom", event_name=True),
        "custom",
    ),
)

LINES = (
    *(case for dialect in _FIELDS_OF for case in _of_every_dialect(dialect)),
    *_LAGO,
    *_ORB,
    *_CLOUDEVENTS,
    *_STRIPE,
    *_TOGAI,
    *_SEGMENT,
    *_CUSTOM,
)
"""All cases of this module."""
