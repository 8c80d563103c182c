"""Moments as operators compare them with logs and answers of the API: to the second, in UTC (the service's zone)."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i:s e"
SHORT_DATETIME_FORMAT = DATETIME_FORMAT
