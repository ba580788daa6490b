"""AWS's list prices, the one table that the model knows: us-east-1, US dollars, no free tier, no discounts.

Whoever changes one looks at the others, moves NOTED, and runs ``make costs``.
"""

from typing import Final

NOTED: Final = "2026-11"

_MILLION: Final = 1_000_000
_TEN_THOUSAND: Final = 10_000

# SQS: a request of up to 64 KiB; a larger one counts as several.
SQS_REQUEST: Final = 0.40 / _MILLION
SQS_CHUNK_BYTES: Final = 64 * 1024
# Lambda, x86_64.
LAMBDA_REQUEST: Final = 0.20 / _MILLION
LAMBDA_GB_SECOND: Final = 0.0000166667
# DynamoDB on demand: a strongly consistent read of up to 4 KB, a write of up to 1 KB.
DYNAMODB_READ: Final = 0.125 / _MILLION
DYNAMODB_WRITE: Final = 0.625 / _MILLION
DYNAMODB_GB_MONTH: Final = 0.25 + 0.20  # point-in-time recovery included
KMS_KEY_MONTH: Final = 1.00
KMS_REQUEST: Final = 0.03 / _TEN_THOUSAND
SECRET_MONTH: Final = 0.40
SECRETS_REQUEST: Final = 0.05 / _TEN_THOUSAND
LOGS_GB: Final = 0.50
LOGS_GB_MONTH: Final = 0.03
METRIC_MONTH: Final = 0.30
ALARM_METRIC_MONTH: Final = 0.10
DASHBOARD_MONTH: Final = 3.00
HTTP_API_REQUEST: Final = 1.00 / _MILLION
DATA_OUT_GB: Final = 0.09
