"""Catalogs that say what bills do not know yet, right in themselves."""

from tests.worlds.catalogs import RIGHT

CHARGES = (
    "plan_code,charge_code,metric_code,charge_model,unit_price,group_by,valid_from,"
    "flat_at_zero{columns}\n"
    "basic,calls,requests,standard,1,region,2025-01-01,{cells}\n"
    "local,traffic,bytes,graduated,,,2025-01-01,no{commas}\n"
)

FILES = {
    "taxes.csv": "tax_code,valid_from,name,rate_percent\nvat,2025-01-01,VAT,19\n",
    "discounts.csv": (
        "discount_id,customer_id,subscription_id,plan_code,charge_codes,kind,value,currency,"
        "starts_on\nd1,acme,,,calls,percent,10,,2026-01-01\n"
    ),
    "credits.csv": (
        "credit_id,customer_id,name,amount,currency,effective_at\n"
        "c1,acme,Welcome,100.25,USD,2026-01-01\n"
    ),
    "commitments.csv": (
        "commitment_id,subscription_id,amount,starts_on,ends_on\nm1,s1,1000,2026-01-01,2027-01-01\n"
    ),
    "entitlements.csv": (
        "plan_code,feature_code,metric_code,quota\nbasic,requests,requests,1000\n"
    ),
    "thresholds.csv": "threshold_id,customer_id,amount,currency\nt1,acme,500,USD\n",
    "usage_alarms.csv": "customer_id,metric_code,silent_after\nacme,requests,3\n",
}
"""One right row of each file that bills do not know yet."""


def with_charge(columns: str, cells: str) -> dict[str, str]:
    """The catalog with cells of one charge in columns that may be left out."""
    commas = "," * (columns.count(",") + 1)
    text = CHARGES.format(columns=f",{columns}", cells=f",{cells}", commas=commas)
    return {**RIGHT, "charges.csv": text}
